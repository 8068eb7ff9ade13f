/* SPDX-License-Identifier: Apache-2.0
 *
 * Files as values: a userdata that owns its bytes. An answer copies a small file and takes a large one. */
#include "lua/file.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

static const char file_name[] = "rt.file";

static int collect(lua_State *L)
{
    struct rt_file *f = luaL_checkudata(L, 1, file_name);
    rt_spool_free(f->bytes);
    f->bytes = NULL;
    return 0;
}

/* The name goes into a header and is offered to a file system: without what either would read as its own. */
static void set_name(struct rt_file *f, const char *name)
{
    size_t n = strlen(name);
    if (n >= sizeof f->name)
        n = sizeof f->name - 1;
    while (n > 0 && n < strlen(name) && ((unsigned char)name[n] & 0xC0) == 0x80)
        n--; /* no half character */
    bool utf8 = rt_utf8_valid(name, n);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)name[i];
        f->name[i] = (char)(c < 0x20 || c == 0x7F || memchr("\"\\/", c, 3) || (c >= 0x80 && !utf8) ? '_' : c);
    }
    f->name[n] = 0;
}

struct rt_file *rt_file_push(lua_State *L, const char *name, const char *type)
{
    struct rt_file *f = lua_newuserdatauv(L, sizeof *f, 0);
    f->bytes = NULL;
    set_name(f, name);
    snprintf(f->type, sizeof f->type, "%s", type);
    luaL_setmetatable(L, file_name);
    return f;
}

struct rt_file *rt_file_test(lua_State *L, int idx) { return luaL_testudata(L, idx, file_name); }

void rt_file_open(lua_State *L)
{
    static const luaL_Reg meta[] = { { "__gc", collect }, { NULL, NULL } };
    luaL_newmetatable(L, file_name);
    luaL_setfuncs(L, meta, 0);
    lua_pop(L, 1);
}
