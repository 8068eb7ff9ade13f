/* SPDX-License-Identifier: Apache-2.0
 *
 * Types that scripts declare (prelude/declare.lua), compiled into C and checked against values that
 * come from clients. A schema belongs to the Lua state that it was compiled in (it keeps strings,
 * defaults and patterns there) and to that state's thread; checking allocates nothing outside Lua. */
#ifndef RT_LUA_SCHEMA_H
#define RT_LUA_SCHEMA_H

#include <lauxlib.h>
#include <lua.h>

#include "base/err.h"

struct rt_schema;
struct rt_schema_set; /* models by name */

/* Where a value comes from. TEXT: leaves are strings of a query or a path, a list is one text with commas. */
enum { RT_SOURCE_JSON, RT_SOURCE_TEXT };

enum { RT_SCHEMA_DEPTH = 32, RT_SCHEMA_FIELDS_IN_ERROR = 100 };

enum rt_message_id {
    RT_MSG_REQUIRED,
    RT_MSG_BLANK,
    RT_MSG_NULL,
    RT_MSG_TEXT,
    RT_MSG_INTEGER,
    RT_MSG_NUMBER,
    RT_MSG_BOOLEAN,
    RT_MSG_MIN_LENGTH,
    RT_MSG_MAX_LENGTH,
    RT_MSG_MIN,
    RT_MSG_MAX,
    RT_MSG_CHOICE,
    RT_MSG_EMAIL,
    RT_MSG_DATE,
    RT_MSG_DATETIME,
    RT_MSG_TIMEZONE,
    RT_MSG_LIST,
    RT_MSG_OBJECT,
    RT_MSG_MIN_ITEMS,
    RT_MSG_MAX_ITEMS,
    RT_MSG_PATTERN,
    RT_MSG_DEPTH,
    RT_MSG_COUNT,
};

/* An app's own wording; NULL entries mean the default. "{n}" stands for a bound, "{value}" for what was sent. */
struct rt_messages {
    char *text[RT_MSG_COUNT];
};

/* Reads { required = "…", min_length = "… {n} …", … } at `idx`; nil gives the defaults. Raises nothing. */
int rt_messages_load(lua_State *L, int idx, struct rt_messages *ret, struct rt_err *err);
void rt_messages_fini(struct rt_messages *m);
const char *rt_message(const struct rt_messages *m, enum rt_message_id id); /* `m` may be NULL */

struct rt_schema_set *rt_schema_set_new(void);
/* Frees the models too. `L` NULL when the state is closed already. No schema that refers to it may be used again. */
void rt_schema_set_free(lua_State *L, struct rt_schema_set *set);
/* Compiles the type at `idx` and names it. Models may be added in any order. */
int rt_schema_set_add(lua_State *L, struct rt_schema_set *set, const char *name, int idx, struct rt_err *err);
const struct rt_schema *rt_schema_set_find(const struct rt_schema_set *set, const char *name);
/* RT_E_NOTFOUND naming a model that something refers to and nobody added. Call it after the last model and schema. */
int rt_schema_set_resolve(const struct rt_schema_set *set, struct rt_err *err);

/* Compiles the type at `idx`. `models` (NULL: no refs) must outlive the schema. Raises nothing: a Lua error, lack of
 * memory included, comes back as RT_E_INVALID. */
int rt_schema_compile(lua_State *L, int idx, struct rt_schema_set *models, struct rt_schema **ret, struct rt_err *err);
/* `L` NULL when the state is closed already. */
void rt_schema_free(lua_State *L, struct rt_schema *s);

/* Checks the value at `idx`, which stays as it is. Pushes the cleaned value (objects and lists are new tables with
 * the declared fields only; defaults filled; integers, unix seconds, trimmed texts; lists marked as arrays) and
 * returns 0, or pushes { ["field.sub"] = { message, … } } ("body" for the value itself) and returns how many fields are
 * in error; the walk stops at about RT_SCHEMA_FIELDS_IN_ERROR. May raise for lack of memory or stack. */
int rt_schema_check(lua_State *L, const struct rt_schema *s, int idx, int source, const struct rt_messages *messages);
/* The same, but always pushes both: the violations (nil without any), then the cleaned value, in which what is in
 * error is missing (nil when the value itself is). */
int rt_schema_check_all(lua_State *L, const struct rt_schema *s, int idx, int source,
                        const struct rt_messages *messages);

#endif
