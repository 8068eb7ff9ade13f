/* SPDX-License-Identifier: Apache-2.0
 *
 * A line runs on the server; the client only waits, shows, and passes Ctrl-C on. Who presses it again and again while
 * the server does not react gets the client to end. */
#include "server/console_client.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"

enum { PATIENCE = 3 };

volatile sig_atomic_t rt_console_interrupted;

static void on_signal(int number)
{
    (void)number;
    rt_console_interrupted = 1;
}

void rt_console_catch_interrupts(void)
{
    sigset_t interrupt;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    sigprocmask(SIG_BLOCK, &interrupt, NULL);
    sigaction(SIGINT, &(struct sigaction){ .sa_handler = on_signal }, NULL);
}

static int send_eval(struct rt_console *c, const char *code, size_t n, struct rt_err *err)
{
    struct rt_buf f;
    rt_buf_init(&f, 0);
    rt_buf_printf(&f, "{\"type\":\"eval\",\"id\":%lld,\"code\":", (long long)++c->id);
    rt_json_put_string(&f, code, n);
    rt_buf_putc(&f, '}');
    int rc = rt_console_send(c, &f, err);
    rt_buf_fini(&f);
    return rc;
}

static int send_plain(struct rt_console *c, const char *text, struct rt_err *err)
{
    struct rt_buf f;
    rt_buf_init(&f, 0);
    rt_buf_puts(&f, text);
    int rc = rt_console_send(c, &f, err);
    rt_buf_fini(&f);
    return rc;
}

/* Nobody there, an empty answer, the end of the input: all of them mean no. */
static bool ask(const struct rt_console *c, struct rt_json frame)
{
    char answer[16] = "";
    rt_console_show_text(c, frame, "text", "1");
    if (!c->answers) {
        fprintf(stderr, "nothing was written: nobody is there to confirm it (--write does without)\n");
        return false;
    }
    fputs("[y/N] ", stdout);
    fflush(stdout);
    for (size_t n = 0; n + 1 < sizeof answer && rt_console_wait(STDIN_FILENO, -1) > 0 &&
                       read(STDIN_FILENO, &answer[n], 1) == 1 && answer[n] != '\n'; n++)
        ;
    return answer[0] == 'y' || answer[0] == 'Y';
}

static int confirm(struct rt_console *c, struct rt_json frame, struct rt_err *err)
{
    char text[80];
    snprintf(text, sizeof text, "{\"type\":\"answer\",\"id\":%lld,\"yes\":%s}", (long long)c->id,
             ask(c, frame) ? "true" : "false");
    return send_plain(c, text, err);
}

static void note_place(struct rt_console *c, struct rt_json frame)
{
    int64_t newer = rt_json_int(rt_json_member(frame, "newer"), 0);
    rt_json_copy(rt_json_member(frame, "app"), c->app, sizeof c->app);
    c->release = rt_json_int(rt_json_member(frame, "release"), c->release);
    if (newer && c->answers)
        fprintf(stderr, "release %lld is live by now; this console is on %lld\n", (long long)newer,
                (long long)c->release);
}

/* DONE, FAILED, MORE or GONE when that frame ends the line, else -1. */
static int take(struct rt_console *c, struct rt_json f, struct rt_err *err)
{
    struct rt_json type = rt_json_member(f, "type");
    if (rt_json_text_is(type, "end"))
        return RT_CONSOLE_GONE;
    if (rt_json_int(rt_json_member(f, "id"), -1) != c->id)
        return -1; /* of a line that is over */
    if (rt_json_text_is(type, "print")) {
        rt_console_show_text(c, f, "text", NULL);
    } else if (rt_json_text_is(type, "watch")) {
        rt_console_show_text(c, f, c->json ? "record" : "text", "36");
    } else if (rt_json_text_is(type, "confirm")) {
        if (confirm(c, f, err))
            return RT_CONSOLE_GONE;
    } else if (rt_json_text_is(type, "incomplete")) {
        return RT_CONSOLE_MORE;
    } else if (rt_json_text_is(type, "error")) {
        rt_console_show_error(c, f);
        return RT_CONSOLE_FAILED;
    } else if (rt_json_text_is(type, "result")) {
        rt_console_show_values(c, rt_json_member(f, "values"));
        note_place(c, f);
        return RT_CONSOLE_DONE;
    }
    return -1;
}

enum rt_console_end rt_console_eval(struct rt_console *c, const char *code, size_t n)
{
    struct rt_err err = { .msg = "the server ends this console" };
    struct rt_json f;
    int end = -1, interrupts = 0;
    rt_console_wait(-1, 0); /* one that came before this line is not about it */
    rt_console_interrupted = 0;
    int rc = send_eval(c, code, n, &err);
    while (rc == 0 && end < 0) {
        rc = rt_console_next(c, -1, &f, &err);
        if (rc == RT_E_INTERRUPTED && rt_console_interrupted && ++interrupts <= PATIENCE) {
            rt_console_interrupted = 0;
            rc = send_plain(c, "{\"type\":\"interrupt\"}", &err);
        } else if (rc == RT_E_INTERRUPTED && interrupts <= PATIENCE) {
            rc = 0;
        } else if (rc == 0) {
            end = take(c, f, &err);
        }
        fflush(stdout);
    }
    if (rc == 0 && end != RT_CONSOLE_GONE)
        return (enum rt_console_end)end;
    if (rc == 0)
        rt_console_show_text(c, f, "reason", NULL);
    else
        fprintf(stderr, "perigee: %s\n", err.msg);
    return RT_CONSOLE_GONE;
}
