/* SPDX-License-Identifier: Apache-2.0
 *
 * The two halves of the writer: present.c follows a schema, present_plain.c the value itself. */
#ifndef RT_LUA_PRESENT_INTERNAL_H
#define RT_LUA_PRESENT_INTERNAL_H

#include "lua/present.h"
#include "lua/schema_internal.h"

struct present {
    lua_State *L;
    struct rt_buf *out;
    struct rt_err *err;
    int consts; /* stack index of the schema's constants */
    int depth;
};

/* All write the value on top of the stack and leave it there; 0 or a code with p->err filled. */
typedef int present_put(struct present *p, const void *arg, const struct schema_path *path);

int present__scalar(struct present *p, const struct schema_path *path, int type);
/* A value without a declared type; `arg` is not used. */
int present__plain(struct present *p, const void *arg, const struct schema_path *path);
/* A table as an object with sorted keys, its values written by `put`. */
int present__sorted(struct present *p, const struct schema_path *path, present_put *put, const void *arg);

/* One level deeper; the caller takes it back with p->depth--. */
int present__enter(struct present *p, const struct schema_path *path);
int present__fail(struct present *p, const struct schema_path *path, int code, const char *what);

#endif
