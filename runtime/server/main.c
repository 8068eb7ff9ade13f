/* SPDX-License-Identifier: Apache-2.0
 *
 * perigee COMMAND [options]: finds the command, reads the settings, runs it. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/hash.h"
#include "server/command.h"

#include <stdlib.h>

static void usage(FILE *out)
{
    fprintf(out, "usage: perigee COMMAND [options]\n\ncommands:\n");
    for (const struct rt_command *c = rt_commands; c->name; c++)
        fprintf(out, "  %-16s %-22s %s\n", c->name, c->args, c->help);
    fprintf(out, "\noptions of all commands, each also an environment variable (--data is PERIGEE_DATA):\n");
    rt_options_help(out);
}

static void command_help(const struct rt_command *c)
{
    const char *details = rt_command_details(c);
    printf("usage: perigee %s %s[options]\n\n%s.\n%s%s\noptions:\n", c->name, c->args, c->help, *details ? "\n" : "",
           details);
    rt_options_help(stdout);
}

static const struct rt_command *find(const char *name)
{
    for (const struct rt_command *c = rt_commands; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

static void set_up(const struct rt_options *o)
{
    static const char *const levels[] = { "debug", "info", "warn", "error" };
    static const char *const formats[] = { "auto", "text", "json" };
    enum rt_log_level level = RT_LOG_INFO;
    enum rt_log_format format = RT_LOG_AUTO;
    for (int i = 0; i < 4; i++)
        if (strcmp(o->log_level, levels[i]) == 0)
            level = (enum rt_log_level)i;
    for (int i = 0; i < 3; i++)
        if (strcmp(o->log_format, formats[i]) == 0)
            format = (enum rt_log_format)i;
    rt_log_setup(level, format);
    const char *shift = getenv("PERIGEE_CLOCK_SHIFT"); /* tests only */
    if (shift && o->env == RT_ENV_DEVELOPMENT)
        rt_clock_shift(strtoll(shift, NULL, 10));
}

int main(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        usage(argc < 2 ? stderr : stdout);
        return argc < 2 ? 2 : 0;
    }
    const struct rt_command *c = find(strcmp(argv[1], "--version") == 0 ? "version" : argv[1]);
    if (!c) {
        fprintf(stderr, "perigee: there is no command '%s'; perigee --help lists them\n", argv[1]);
        return 2;
    }
    argc--;
    argv++;
    if (rt_take_flag(&argc, argv, "--help") || rt_take_flag(&argc, argv, "-h")) {
        command_help(c);
        return 0;
    }
    struct rt_options o;
    struct rt_err err;
    if (rt_crypto_init(&err))
        return rt_command_failed(&err);
    if (rt_options_load_for(&o, &argc, argv, c->flags, &err)) {
        rt_command_failed(&err);
        return 2;
    }
    set_up(&o);
    int status = c->run(&o, argc, argv);
    rt_options_free(&o);
    return status;
}
