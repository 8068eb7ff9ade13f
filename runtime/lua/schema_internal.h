/* SPDX-License-Identifier: Apache-2.0
 *
 * The compiled form of a type, shared by the compiler, the check and the writer of answers. */
#ifndef RT_LUA_SCHEMA_INTERNAL_H
#define RT_LUA_SCHEMA_INTERNAL_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lua/schema.h"

enum schema_kind {
    KIND_TEXT,
    KIND_EMAIL,
    KIND_DATE,
    KIND_TIMEZONE,
    KIND_DATETIME,
    KIND_ONE_OF,
    KIND_INTEGER,
    KIND_NUMBER,
    KIND_BOOLEAN,
    KIND_ANY,
    KIND_LIST,
    KIND_MAP,
    KIND_OBJECT,
    KIND_REF,
};

/* Indices into the schema's table of Lua values; 0 = none, 1 is string.find. */
enum { CONST_FIND = 1 };

/* A model's place, which refs point to before the model itself exists. */
struct schema_slot {
    struct rt_schema *schema;
    bool wanted;
    char name[];
};

struct schema_value { /* of one_of */
    int at;           /* the value itself, among the constants */
    bool is_text;
    int64_t number;
    size_t n;
    char *text;
};

struct schema_node {
    uint8_t kind;
    bool required, nullable, omit, trim, has_min, has_max;
    int default_at, pattern_at;
    int64_t min, max;             /* a value's bounds, or a length's */
    double low, high;             /* a number's bounds */
    char *message;                /* for whatever is wrong with the value */
    struct rt_messages *messages; /* or by what is wrong */
    size_t count;                 /* of fields or values */
    struct schema_field *fields;
    struct schema_value *values;
    struct schema_node *of;
    struct schema_slot *slot;
};

struct schema_field {
    struct schema_node node;
    int key; /* the name, among the constants */
    size_t name_n, label_n;
    char *name;
    char *label; /* `,"name":` */
};

struct rt_schema {
    struct schema_node root;
    int consts; /* registry reference of the table of constants */
};

/* Where a value is, from the leaf up; lives on the C stack. */
struct schema_path {
    const struct schema_path *up;
    const char *name; /* NULL: the item `index`, from 0 */
    size_t n;
    lua_Integer index;
};

struct schema_check {
    lua_State *L;
    const struct rt_messages *messages;
    int source;
    int consts; /* stack index of the constants in force */
    int errors; /* stack index of the table of violations, or of nil */
    int count, depth;
};

static inline bool schema__is_null(lua_State *L, int idx)
{
    return lua_type(L, idx) == LUA_TLIGHTUSERDATA && lua_touserdata(L, idx) == NULL;
}

/* "a.b.0" into `out`, cut at `size`; returns the length. */
size_t schema__path_text(const struct schema_path *path, char *out, size_t size);
/* The model's slot, made when needed; NULL without memory. */
struct schema_slot *schema__slot(struct rt_schema_set *set, const char *name, size_t n);
void schema__node_fini(struct schema_node *n);

/* Records a violation; `arg` replaces the placeholder of the message. Returns false. */
bool schema__violation(struct schema_check *c, const struct schema_node *n, const struct schema_path *path,
                       enum rt_message_id id, const char *arg, size_t arg_n);
/* The value on top is a leaf of the node's kind: replaces it by its cleaned form, or false after a violation. */
bool schema__check_leaf(struct schema_check *c, const struct schema_node *n, const struct schema_path *path);

#endif
