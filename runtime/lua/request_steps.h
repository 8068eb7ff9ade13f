/* SPDX-License-Identifier: Apache-2.0
 *
 * What happens in a request's coroutine, from the token to the answer's JSON. */
#ifndef RT_LUA_REQUEST_STEPS_H
#define RT_LUA_REQUEST_STEPS_H

#include "lua/request.h"

enum { RT_ANSWER_MAX = 64 << 20, RT_HEADERS_MAX = 16 << 10 }; /* bytes */

/* The body of a request's coroutine; the exchange, as light userdata, is its argument. Raises what ends the request. */
int rt_request_steps(struct lua_State *L);

#endif
