/* SPDX-License-Identifier: Apache-2.0
 *
 * events: publishing to rooms, and taking connections out of them, with the transaction that is the reason. */
#include "events/events.h"
#include "lua/api.h"
#include "lua/app.h"
#include "lua/call.h"
#include "lua/present.h"
#include "lua/schema.h"

enum { OP_BYTES = 1024 }; /* of one effect besides its value */

static struct rt_events *events_of(lua_State *L, const char *what)
{
    struct rt_events *e = rt_vm_of(L)->services->app->events;
    if (!e)
        luaL_error(L, "%s: there are no rooms here", what);
    return e;
}

static struct rt_call *transaction_of(lua_State *L, const char *what)
{
    struct rt_call *call = rt_call_of(L);
    if (!call->in_transaction)
        luaL_error(L, "%s: only inside db.transaction", what);
    return call;
}

static struct rt_str check_name(lua_State *L, int i)
{
    struct rt_str s;
    s.p = luaL_checklstring(L, i, &s.n);
    luaL_argcheck(L, s.n > 0 && s.n <= RT_HUB_NAME_MAX, i, "a name of 1 to 200 bytes expected");
    return s;
}

struct options {
    const struct rt_schema *schema;
    struct rt_str except;
};

/* A model's name, or { model =, except = }, at index 3, whose strings stay on the stack. */
static struct options check_options(lua_State *L)
{
    struct options o = { 0 };
    if (lua_isnoneornil(L, 3))
        return o;
    if (lua_type(L, 3) != LUA_TSTRING) {
        luaL_checktype(L, 3, LUA_TTABLE);
        if (lua_getfield(L, 3, "except") != LUA_TNIL)
            o.except = check_name(L, -1);
        lua_getfield(L, 3, "model");
    } else {
        lua_pushvalue(L, 3);
    }
    if (lua_isnil(L, -1))
        return o;
    const char *model = luaL_checkstring(L, -1);
    struct rt_app *app = rt_vm_of(L)->app;
    o.schema = app ? rt_schema_set_find(app->models, model) : NULL;
    if (!o.schema)
        luaL_error(L, "events.emit: there is no model '%s'", model);
    return o;
}

/* The value as JSON in the state's scratch buffer. */
static struct rt_str present(lua_State *L, const struct rt_schema *schema)
{
    struct rt_buf *out = &rt_vm_of(L)->scratch;
    struct rt_err err;
    rt_buf_reset(out);
    if (rt_present(L, 2, schema, out, &err))
        luaL_error(L, "events.emit: %s", err.msg);
    if (out->len < 2 || out->data[0] != '{')
        luaL_error(L, "events.emit: an event is a table with names, not a list or a plain value");
    return (struct rt_str){ out->data, out->len };
}

L_FN(events_emit, RT_RUN, "events.emit(room: string, value: table, options?: table): integer | nil",
     "Publishes an event to all members of the room once the transaction is on disk. options: model (the declared type "
     "that shapes and checks it; the name alone will do), except (a label whose connections do not get it). Returns "
     "the event's number in its room, nil when nobody listens.")
{
    struct rt_call *call = transaction_of(L, "events.emit");
    struct rt_events *e = events_of(L, "events.emit");
    struct rt_str room = check_name(L, 1), object;
    struct rt_hub_op *op;
    struct rt_err err;
    int64_t seq;
    bool wanted = rt_events_wanted(e, room);
    struct options o = check_options(L);
    if (!wanted && !rt_vm_of(L)->services->strict)
        return 0;
    object = present(L, o.schema);
    if (!wanted)
        return 0;
    rt_call_hold(L, "events.emit", object.n + OP_BYTES);
    int rc = rt_events_log(e, room, object, o.except, &op, &seq, &err);
    if (rc < 0)
        return luaL_error(L, "events.emit: %s", err.msg);
    if (rc == 0)
        return 0;
    rt_hub_ops_push(&call->ops, op);
    lua_pushinteger(L, seq);
    return 1;
}

static int push_op(lua_State *L, struct rt_call *call, struct rt_hub_op *op)
{
    if (!op)
        return luaL_error(L, "not enough memory");
    rt_hub_ops_push(&call->ops, op);
    return 0;
}

L_FN(events_close, RT_RUN, "events.close(label: string, code: integer, reason?: string)",
     "Closes all connections with the label once the transaction is on disk, after what was published before: "
     "events.close(\"login:3\", 4001, \"Logged out\").")
{
    struct rt_call *call = transaction_of(L, "events.close");
    struct rt_events *e = events_of(L, "events.close");
    struct rt_str label = check_name(L, 1), reason;
    lua_Integer code = luaL_checkinteger(L, 2);
    reason.p = luaL_optlstring(L, 3, "", &reason.n);
    luaL_argcheck(L, code >= 1000 && code <= 4999, 2, "1000 to 4999 expected");
    luaL_argcheck(L, reason.n <= RT_HUB_REASON_MAX, 3, "at most 123 bytes expected");
    rt_call_hold(L, "events.close", OP_BYTES);
    return push_op(L, call, rt_hub_closing(rt_events_hub(e), rt_events_app(e), label, (int)code, reason));
}

L_FN(events_expel, RT_RUN, "events.expel(label: string, room: string)",
     "Takes all connections with the label out of the room once the transaction is on disk. They stay open.")
{
    struct rt_call *call = transaction_of(L, "events.expel");
    struct rt_events *e = events_of(L, "events.expel");
    struct rt_str label = check_name(L, 1), room = check_name(L, 2);
    rt_call_hold(L, "events.expel", OP_BYTES);
    return push_op(L, call, rt_hub_expelling(rt_events_hub(e), rt_events_app(e), label, room));
}

L_FN(events_count, RT_RUN, "events.count(room: string): integer", "How many connections are in the room now.")
{
    struct rt_events *e = events_of(L, "events.count");
    lua_pushinteger(L, rt_hub_count(rt_events_hub(e), rt_events_app(e), check_name(L, 1)));
    return 1;
}

/* Copies what it is told, as Lua may raise and the hub is locked meanwhile. */
static void note_presence(void *arg, struct rt_str who, int64_t count)
{
    struct rt_buf *b = arg;
    rt_buf_put(b, &count, sizeof count);
    rt_buf_put(b, &who.n, sizeof who.n);
    rt_buf_put(b, who.p, who.n);
}

L_FN(events_presence, RT_RUN, "events.presence(room: string): table[]",
     "Who is in the room now: a list of { label, count }, in no order, by the labels that the members joined with. "
     "Members without a label are not in it.")
{
    struct rt_events *e = events_of(L, "events.presence");
    struct rt_str room = check_name(L, 1);
    struct rt_buf *b = &rt_vm_of(L)->scratch;
    rt_buf_reset(b);
    rt_hub_presence(rt_events_hub(e), rt_events_app(e), room, note_presence, b);
    if (b->failed)
        return luaL_error(L, "events.presence: too many members");
    lua_newtable(L);
    rt_present_array_mt(L);
    lua_setmetatable(L, -2);
    for (size_t at = 0, i = 1; at < b->len; i++) {
        int64_t count;
        size_t n;
        memcpy(&count, b->data + at, sizeof count);
        memcpy(&n, b->data + at + sizeof count, sizeof n);
        at += sizeof count + sizeof n;
        lua_createtable(L, 0, 2);
        lua_pushlstring(L, b->data + at, n);
        lua_setfield(L, -2, "label");
        lua_pushinteger(L, count);
        lua_setfield(L, -2, "count");
        lua_rawseti(L, -2, (lua_Integer)i);
        at += n;
    }
    return 1;
}

static const struct rt_lua_fn *const fns[] = { &events_emit,  &events_close,    &events_expel,
                                               &events_count, &events_presence, NULL };
const struct rt_lua_lib rt_lib_events = { "events", "Events to rooms of connected clients, after the commit.", fns };
