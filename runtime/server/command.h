/* SPDX-License-Identifier: Apache-2.0
 *
 * The commands of the program: one row each in commands.c, one file each where they are more than a few
 * lines. Exit statuses: 0 done, 1 failed, 2 wrong usage. */
#ifndef RT_SERVER_COMMAND_H
#define RT_SERVER_COMMAND_H

#include <stdbool.h>

#include "config/options.h"
#include "lua/app.h"
#include "server/host.h"

struct rt_command {
    const char *name, *args, *help;
    const char *const *flags;                                /* own flags, without dashes; ended by NULL */
    int (*run)(struct rt_options *o, int argc, char **argv); /* argv[0] is the command's name */
};

extern const struct rt_command rt_commands[]; /* ended by a NULL name */

/* What its arguments mean, a line each; "" where the usage says it all. */
const char *rt_command_details(const struct rt_command *c);

/* Takes "--name" out of argv when it is there. */
bool rt_take_flag(int *argc, char **argv, const char *name);
/* Takes "--name VALUE" out of argv; NULL when it is not there. */
const char *rt_take_value(int *argc, char **argv, const char *name);
/* Prints "perigee: message" and returns 1. */
int rt_command_failed(const struct rt_err *err);

/* An app outside a running server: loaded scripts and a connection, no workers. */
struct rt_offline {
    struct rt_host host;
    struct rt_services services;
    struct rt_tree *tree;
    struct rt_vm *vm;
    struct rt_app *app;
};
/* Loads app `index` of o->host (rt_host_find_apps first). `with_database`: opens its database for reading. */
int rt_offline_open(struct rt_offline *o, int index, bool with_database, struct rt_err *err);
void rt_offline_close(struct rt_offline *o);

int rt_cmd_serve(struct rt_options *o, int argc, char **argv);
int rt_cmd_new(struct rt_options *o, int argc, char **argv);
int rt_cmd_check(struct rt_options *o, int argc, char **argv);
int rt_cmd_routes(struct rt_options *o, int argc, char **argv);
int rt_cmd_apps(struct rt_options *o, int argc, char **argv);
int rt_cmd_openapi(struct rt_options *o, int argc, char **argv);
int rt_cmd_test(struct rt_options *o, int argc, char **argv);
int rt_cmd_api(struct rt_options *o, int argc, char **argv);
int rt_cmd_migrate(struct rt_options *o, int argc, char **argv);
int rt_cmd_backup(struct rt_options *o, int argc, char **argv);
int rt_cmd_restore(struct rt_options *o, int argc, char **argv);
int rt_cmd_analytics(struct rt_options *o, int argc, char **argv);
int rt_cmd_hash_passwords(struct rt_options *o, int argc, char **argv);
int rt_cmd_config(struct rt_options *o, int argc, char **argv);
int rt_cmd_status(struct rt_options *o, int argc, char **argv);
int rt_cmd_reload(struct rt_options *o, int argc, char **argv);
int rt_cmd_releases(struct rt_options *o, int argc, char **argv);
int rt_cmd_diff(struct rt_options *o, int argc, char **argv);
int rt_cmd_rollback(struct rt_options *o, int argc, char **argv);
int rt_cmd_console(struct rt_options *o, int argc, char **argv);
int rt_cmd_health(struct rt_options *o, int argc, char **argv);
int rt_cmd_version(struct rt_options *o, int argc, char **argv);

#endif
