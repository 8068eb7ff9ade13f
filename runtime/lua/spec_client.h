/* SPDX-License-Identifier: Apache-2.0
 *
 * What specs reach of the server around them: requests through its real dispatch, its limits, its rooms. */
#ifndef RT_LUA_SPEC_CLIENT_H
#define RT_LUA_SPEC_CLIENT_H

#include <stdbool.h>

struct lua_State;

/* Handed in by the server. */
struct rt_spec_server {
    void *arg;
    int (*connect)(void *arg, int *ret_fd); /* a non-blocking socket to its HTTP server; the caller's */
    void (*limit)(void *arg, bool on);      /* whether rate limits count */
    void (*round)(void *arg);               /* at the end of each round of the loop */
};

/* Adds exchange, settle, listen, heard and limits to the table at the top of the stack. `server` is borrowed. */
void rt_spec_client_open(struct lua_State *L, const struct rt_spec_server *server);

#endif
