/* SPDX-License-Identifier: Apache-2.0
 *
 * One delivery of an event: the app's own `webhooks.build` says what it contains. */
#ifndef RT_LUA_HOOK_H
#define RT_LUA_HOOK_H

#include <lua.h>

#include "outbox/endpoint.h"

struct rt_call;

/* Pushes a member of the manifest's `webhooks`; raises when the app has none. */
void rt_hook_member(lua_State *L, const char *name);
/* True when the manifest lists this event. */
bool rt_hook_event(lua_State *L, const char *name);
/* Inside a transaction: builds the event (text at `event`, value at `data`) for the endpoint, puts it into the
 * outbox and pushes the delivery's id. Raises when the app's function does not return what can be sent. */
void rt_hook_put(lua_State *L, struct rt_call *call, const struct rt_endpoint *e, int event, int data);

#endif
