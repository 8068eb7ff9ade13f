/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs an app's `recount`, which emits every fact that its raw rows stand for. Outside of a server. */
#ifndef RT_LUA_RECOUNT_H
#define RT_LUA_RECOUNT_H

#include "analytics/analytics.h"
#include "lua/app.h"

/* Adds the facts to a verification. */
int rt_recount_verify(struct rt_app *app, struct rt_verify *v, int64_t *ret_facts, struct rt_err *err);
/* Records them on a write connection in a transaction. */
int rt_recount_store(struct rt_app *app, struct rt_conn *c, int64_t *ret_facts, struct rt_err *err);

#endif
