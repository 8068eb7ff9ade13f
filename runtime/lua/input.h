/* SPDX-License-Identifier: Apache-2.0
 *
 * The input of a request: path, query and body become Lua values that fit their types. Called in the request's
 * coroutine, with the table `req` at an index; what does not fit is raised as a failure. */
#ifndef RT_LUA_INPUT_H
#define RT_LUA_INPUT_H

#include "lua/request.h"

/* req.params; a value that does not fit its type is a 404. */
void rt_input_params(struct lua_State *L, struct rt_exchange *x, int req);
/* req.query and req.body. Returns how many violations there are; pushes the table that has them, "field" → a list of
 * messages, unless the route has no input. */
int rt_input_read(struct lua_State *L, struct rt_exchange *x, int req);
/* Adds what the route's own check returned, "field" → a message or a list of them, and is on top; how many. */
int rt_input_add(struct lua_State *L, int errors);
/* Raises the violations, which stand on top, with the status that the manifest has for them; if there are any. */
void rt_input_judge(struct lua_State *L, const struct rt_exchange *x);

/* Pushes a decoded piece of a URL or form; raises a failure with `status` when its encoding is broken. */
void rt_push_decoded(struct lua_State *L, struct rt_str s, bool plus, int status);
/* Pushes the table that a JSON object stands for, an empty one for no text; raises a 400. */
void rt_push_json(struct lua_State *L, struct rt_str text);

#endif
