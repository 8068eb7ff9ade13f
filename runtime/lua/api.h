/* SPDX-License-Identifier: Apache-2.0
 *
 * How host functions reach scripts. L_FN puts name, signature, documentation and the phases in which a
 * function may be called beside its code; an undocumented one does not compile. From these descriptors
 * come the type stubs, docs/api, the linter's list of globals and the wording of misuse errors. */
#ifndef RT_LUA_API_H
#define RT_LUA_API_H

#include <lauxlib.h>
#include <lua.h>

enum rt_phase {
    RT_LOAD = 1,       /* while files are loaded: pure functions only */
    RT_REQUEST = 2,    /* a handler */
    RT_RULE = 4,       /* a permission or business rule: no I/O, never parked */
    RT_JOB = 8,        /* a timer or other work without a client */
    RT_CONSOLE = 16,
    RT_RUN = RT_REQUEST | RT_JOB | RT_CONSOLE,
    RT_ANY = 31,
};

struct rt_lua_fn {
    const char *sig;      /* "timer.at(key: string, due: integer)"; what stands before '(' is the name */
    const char *doc;
    unsigned phases;
    lua_CFunction run;
    const char *file;
    int line;
};

struct rt_lua_lib {
    const char *name;     /* the global's name */
    const char *doc;
    const struct rt_lua_fn *const *fns;    /* ended by NULL */
};

#define L_FN(id, PHASES, SIG, DOC)                                                                                     \
    static int id##_run(lua_State *L);                                                                                 \
    _Static_assert(sizeof(DOC) > 20, "a host function needs a description");                                           \
    static const struct rt_lua_fn id = { SIG, DOC, PHASES, id##_run, __FILE__, __LINE__ };                             \
    static int id##_run(lua_State *L)

/* All libraries, ended by NULL. */
extern const struct rt_lua_lib *const rt_lua_libs[];

/* Makes the tables of all libraries in the table at the top of the stack. */
void rt_api_open(lua_State *L);
/* The last part of the name ("at" of "timer.at"); at least 64 bytes. */
void rt_api_short_name(const struct rt_lua_fn *fn, char *out, size_t size);

#endif
