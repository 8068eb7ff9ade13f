/* SPDX-License-Identifier: Apache-2.0
 *
 * mail: put into the outbox in the transaction of the change that causes it, sent after the commit. */
#include "base/clock.h"
#include "base/log.h"
#include "lua/api.h"
#include "lua/call.h"
#include "lua/decode.h"
#include "outbox/delivery.h"

enum { LIST_MAX = 1000 };

static struct rt_str str_field(lua_State *L, int t, const char *key)
{
    struct rt_str s = { "", 0 };
    int type = lua_getfield(L, t, key);
    if (type == LUA_TSTRING)
        s.p = lua_tolstring(L, -1, &s.n);
    else if (type != LUA_TNIL)
        luaL_error(L, "mail: %s must be a text", key);
    return s; /* its value stays on the stack */
}

L_FN(mail_send, RT_RUN,
     "mail.send(t: { to: string, subject: string, text: string, html?: string }): string | nil, string",
     "Puts a mail into the outbox and returns its id; it leaves after the commit. nil and what is wrong when `to` is "
     "no mail address or the subject not one line. Without an SMTP server, in development, it stays in the mailbox.")
{
    char id[RT_DELIVERY_ID];
    struct rt_err err;
    luaL_checktype(L, 1, LUA_TTABLE);
    struct rt_call *call = rt_call_of(L);
    if (!call->in_transaction)
        return luaL_error(L, "mail.send: only inside db.transaction");
    struct rt_app_shared *app = call->vm->services->app;
    lua_settop(L, 1);
    struct rt_mail_draft d = { .id = id, .keep = app->keep_mail };
    d.to = str_field(L, 1, "to");
    d.subject = str_field(L, 1, "subject");
    d.text = str_field(L, 1, "text");
    d.html = str_field(L, 1, "html");
    rt_delivery_id("msg_", id);
    int rc = rt_mail_check(&d, &err);
    if (rc == 0)
        rc = rt_mail_put(rt_writer_conn(app->writer), &d, rt_now_ms(), &err);
    if (rc == RT_E_INVALID) {
        lua_pushnil(L);
        lua_pushstring(L, err.msg);
        return 2;
    }
    if (rc)
        return luaL_error(L, "mail.send: %s", err.msg);
    call->outbox |= d.keep ? 0 : RT_OUTBOX_NEW;
    if (d.keep)
        rt_log(RT_LOG_INFO, "mail kept in the mailbox", "app", app->name, "to", d.to.p, "id", id, NULL);
    lua_pushstring(L, id);
    return 1;
}

L_FN(mail_list, RT_RUN, "mail.list(t?: { to?: string, limit?: integer }): table[]",
     "The mail of the outbox, newest first: { id, to, subject, text, html?, status, error?, attempts, created_at }. "
     "status is mailbox for mail that is kept to be looked at; what was sent has lost its text.")
{
    struct rt_vm *vm = rt_vm_of(L);
    struct rt_err err;
    struct rt_str to = { "", 0 };
    lua_Integer limit = 50;
    lua_settop(L, 1);
    if (!lua_isnil(L, 1)) {
        luaL_checktype(L, 1, LUA_TTABLE);
        to = str_field(L, 1, "to");
        lua_getfield(L, 1, "limit");
        limit = luaL_optinteger(L, -1, limit);
    }
    if (limit < 1 || limit > LIST_MAX)
        return luaL_error(L, "mail.list: limit must be 1 to %d", LIST_MAX);
    struct rt_conn *c = rt_vm_conn(vm, L);
    rt_buf_reset(&vm->scratch);
    if (rt_mail_json(c, to, limit, &vm->scratch, &err))
        return luaL_error(L, "mail.list: %s", err.msg);
    rt_decode_scratch(L, "mail.list");
    return 1;
}

static const struct rt_lua_fn *const fns[] = { &mail_send, &mail_list, NULL };
const struct rt_lua_lib rt_lib_mail = { "mail", "Mail, sent after the commit.", fns };
