/* SPDX-License-Identifier: Apache-2.0
 *
 * What can be known of an app before it runs: luacheck's engine and the checks of prelude/check*.lua, in a Lua
 * state of their own where scripts are read, never run. One thread. */
#ifndef RT_LUA_CHECK_RUN_H
#define RT_LUA_CHECK_RUN_H

#include <stdbool.h>

#include "lua/vm.h"

struct rt_check;

/* What is known of one app; borrowed during rt_check_add(). */
struct rt_check_app {
    const char *name;
    const struct rt_tree *tree;
    struct rt_vm *vm;         /* has the globals of scripts */
    struct rt_app *app;       /* NULL: it does not load, for `load_error` */
    struct rt_conn *schema;   /* an empty database, migrated; NULL: SQL is not checked */
    const char *load_error;   /* nullable, as rt_app_load() says it */
    const char *schema_error; /* nullable: a migration that fails */
    const char *summary;      /* nullable: "3 routes" */
};

int rt_check_new(struct rt_check **ret, struct rt_err *err);
void rt_check_free(struct rt_check *c);
int rt_check_add(struct rt_check *c, const struct rt_check_app *app, struct rt_err *err);
/* Prints what was found in all apps, ordered by file and line: text on standard error with a line per app on
 * standard output, or a JSON list there. *ret_errors: how many of them are errors, not warnings. */
int rt_check_finish(struct rt_check *c, bool json, bool colours, int *ret_errors, struct rt_err *err);
/* Between two runs: the next one knows the files of those before. Gives back memory that nobody needs, if it is
 * much, or if this is a good time. */
void rt_check_rest(struct rt_check *c, bool idle);

#endif
