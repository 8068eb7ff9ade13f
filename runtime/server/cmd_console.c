/* SPDX-License-Identifier: Apache-2.0
 *
 * `perigee console`: on a terminal lines are edited, else all of the input is one piece of code, as is that of -e. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/command.h"
#include "server/console_client.h"

enum { CODE_MAX = 512 << 10, INTERRUPTED = 130 };

static int usage(void)
{
    fprintf(stderr, "usage: perigee console [APP] [-e CODE] [--write] [--json]\n"
                    "  -e CODE   run this and end; - reads it from standard input\n"
                    "  --write   what write(…) does is kept without a question\n"
                    "  --json    print values as JSON, one per line\n");
    return 2;
}

static int read_input(struct rt_buf *code, struct rt_err *err)
{
    char part[8192];
    size_t n;
    while ((n = fread(part, 1, sizeof part, stdin)) > 0)
        rt_buf_put(code, part, n);
    return code->failed ? rt_err_set(err, RT_E_LIMIT, "the code is longer than %d KiB", CODE_MAX >> 10) : 0;
}

/* Runs the code and returns the exit status. */
static int run(struct rt_console *c, const struct rt_buf *code)
{
    rt_console_catch_interrupts();
    enum rt_console_end end = rt_console_eval(c, code->data ? code->data : "", code->len);
    if (end == RT_CONSOLE_MORE)
        fprintf(stderr, "perigee: the code stops in the middle of something\n");
    return end == RT_CONSOLE_DONE ? 0 : rt_console_interrupted ? INTERRUPTED : 1;
}

static int converse(struct rt_console_options *o, const char *given)
{
    struct rt_console c;
    struct rt_err err;
    struct rt_buf code;
    bool edit = !given && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    rt_buf_init(&code, CODE_MAX);
    if (given && strcmp(given, "-") != 0)
        rt_buf_puts(&code, given);
    int rc = edit || code.len ? 0 : read_input(&code, &err);
    if (rc == 0 && code.failed)
        rc = rt_err_set(&err, RT_E_LIMIT, "the code is longer than %d KiB", CODE_MAX >> 10);
    if (rc == 0)
        rc = rt_console_open(&c, o, &err);
    int status = rc ? rt_command_failed(&err) : edit ? rt_console_edit(&c) : run(&c, &code);
    if (rc == 0)
        rt_console_close(&c);
    rt_buf_fini(&code);
    return status;
}

int rt_cmd_console(struct rt_options *options, int argc, char **argv)
{
    struct rt_console_options o = { .data = options->data };
    o.write = rt_take_flag(&argc, argv, "--write");
    o.json = rt_take_flag(&argc, argv, "--json");
    const char *code = rt_take_value(&argc, argv, "-e");
    if (argc > 2 || (argc == 2 && argv[1][0] == '-'))
        return usage();
    o.app = argc == 2 ? argv[1] : NULL;
    if (!setlocale(LC_CTYPE, "") || MB_CUR_MAX == 1)
        setlocale(LC_CTYPE, "C.UTF-8"); /* over ssh there may be none */
    return converse(&o, code);
}
