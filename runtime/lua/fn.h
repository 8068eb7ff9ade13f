/* SPDX-License-Identifier: Apache-2.0
 *
 * Descriptors of host functions: what a script may call, with its signature, documentation and phases. */
#ifndef RT_LUA_FN_H
#define RT_LUA_FN_H

#include <stddef.h>

struct lua_State;

/* "Lua 5.4.4" */
const char *rt_lua_release(void);

enum rt_phase {
    RT_LOAD = 1,    /* while files are loaded: pure functions only */
    RT_REQUEST = 2, /* a handler */
    RT_RULE = 4,    /* a permission or business rule: no I/O, never parked */
    RT_JOB = 8,     /* a timer or other work without a client */
    RT_CONSOLE = 16,
    RT_CHANNEL = 32, /* a socket's handler */
    RT_CONSOLE_WRITE = 64, /* inside write(…) of the console: what has effects beyond reading */
    RT_RUN = RT_REQUEST | RT_JOB | RT_CONSOLE | RT_CHANNEL | RT_CONSOLE_WRITE,
    RT_EFFECT = RT_RUN & ~RT_CONSOLE, /* changes something: in the console only inside write(…) */
    RT_ANY = 127,
};

struct rt_lua_fn {
    const char *sig; /* "timer.at(key: string, due: integer)"; what stands before '(' is the name */
    const char *doc;
    unsigned phases;
    int (*run)(struct lua_State *L);
    const char *file;
    int line;
};

struct rt_lua_lib {
    const char *name; /* the global's name */
    const char *doc;
    const struct rt_lua_fn *const *fns; /* ended by NULL */
};

/* All libraries, ended by NULL. */
extern const struct rt_lua_lib *const rt_lua_libs[];

/* The last part of the name ("at" of "timer.at"); at least 64 bytes. */
void rt_api_short_name(const struct rt_lua_fn *fn, char *out, size_t size);

#endif
