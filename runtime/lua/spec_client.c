/* SPDX-License-Identifier: Apache-2.0
 *
 * A request of a spec is bytes on a socket whose other end the server has, so nothing of its way is left out or made
 * up. Spec and server share a thread: whoever waits here is parked, and the loop serves the request meanwhile. */
#include "lua/spec_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "events/events.h"
#include "lua/api.h"
#include "lua/call.h"
#include "lua/room.h"

enum { ANSWER_MAX = 64 << 20 };

static const char server_key[] = "rt.spec_server", ear_type[] = "rt.spec_ear";

static const struct rt_spec_server *server_of(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, server_key);
    const struct rt_spec_server *s = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return s;
}

/* ---- requests ------------------------------------------------------------------------------------------------ */

struct exchange {
    struct rt_call *call;
    struct rt_loop *loop;
    struct rt_watch *watch;
    struct rt_message more; /* the rest of the request */
    const char *request;    /* the caller's string, on its stack */
    size_t n, sent;
    struct rt_buf answer;
    int fd;
    bool posted, ended;
};

static void finish(struct exchange *x)
{
    rt_watch_free(x->watch);
    close(x->fd);
    x->ended = true;
    if (!x->posted)
        rt_call_resume(x->call);
}

static void send_more(struct rt_message *m)
{
    struct exchange *x = (struct exchange *)((char *)m - offsetof(struct exchange, more));
    x->posted = false;
    if (x->ended) { /* answered before all of it was read */
        rt_call_resume(x->call);
        return;
    }
    ssize_t n = send(x->fd, x->request + x->sent, x->n - x->sent, MSG_NOSIGNAL);
    x->sent += n > 0 ? (size_t)n : 0;
    x->posted = x->sent < x->n && (n > 0 || errno == EAGAIN);
    if (x->posted)
        rt_loop_post(x->loop, &x->more);
}

static void read_answer(void *arg)
{
    struct exchange *x = arg;
    char part[16384];
    ssize_t n = recv(x->fd, part, sizeof part, 0);
    if (n > 0)
        rt_buf_put(&x->answer, part, (size_t)n);
    else if (n == 0 || errno != EAGAIN)
        finish(x);
}

static int take_answer(lua_State *L, int status, lua_KContext ctx)
{
    struct exchange *x = (struct exchange *)ctx;
    (void)status;
    if (x->answer.failed)
        lua_pushnil(L);
    else
        lua_pushlstring(L, x->answer.data ? x->answer.data : "", x->answer.len);
    rt_buf_fini(&x->answer);
    return 1;
}

/* host.exchange(bytes): what the server answers until it closes the connection; nil when that is too much. */
static int host_exchange(lua_State *L)
{
    const struct rt_spec_server *server = server_of(L);
    size_t n;
    const char *request = luaL_checklstring(L, 1, &n);
    struct rt_vm *vm = rt_vm_of(L);
    rt_park_check(L, "a request");
    struct exchange *x = lua_newuserdatauv(L, sizeof *x, 0);
    memset(x, 0, sizeof *x);
    x->call = rt_call_of(L);
    x->loop = vm->services->loop;
    x->request = request;
    x->n = n;
    x->more.run = send_more;
    rt_buf_init(&x->answer, ANSWER_MAX);
    if (server->connect(server->arg, &x->fd))
        return luaL_error(L, "the server takes no connection");
    if (rt_watch_new(x->loop, x->fd, read_answer, x, &x->watch, NULL)) {
        close(x->fd);
        return luaL_error(L, "not enough memory");
    }
    x->posted = true;
    rt_loop_post(x->loop, &x->more);
    return rt_park(L, "a request", take_answer, (lua_KContext)x);
}

static int host_limits(lua_State *L)
{
    const struct rt_spec_server *server = server_of(L);
    server->limit(server->arg, lua_toboolean(L, 1));
    return 0;
}

/* ---- what a block has written so far ------------------------------------------------------------------------- */

static int settled_code; /* blocks run one after the other */

static void settled(struct rt_tx *tx, int code)
{
    settled_code = code;
    rt_call_resume((struct rt_call *)((char *)tx - offsetof(struct rt_call, tx)));
}

static int after_settling(lua_State *L, int status, lua_KContext ctx)
{
    (void)status, (void)ctx;
    return settled_code ? luaL_error(L, "the commit failed: %s", rt_code_name(settled_code)) : 0;
}

/* host.settle(): commits what this block has written, so that others see it and it may wait again. */
static int host_settle(lua_State *L)
{
    struct rt_call *call = rt_call_of(L);
    struct rt_err err;
    if (call->in_transaction)
        return luaL_error(L, "not inside db.transaction: what it wrote cannot be seen yet");
    if (!call->turn)
        return 0;
    call->tx.done = settled;
    int rc = rt_call_end_turn(call, true, &err);
    if (rc < 0)
        return luaL_error(L, "the commit failed: %s", err.msg);
    return rc ? rt_park(L, "host.settle", after_settling, 0) : 0;
}

/* ---- the database -------------------------------------------------------------------------------------------- */

static const char TABLES[] = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
static const char filled_key[] = "rt.spec_filled";

static bool has_rows(struct rt_conn *c, const char *table)
{
    char sql[300];
    struct rt_stmt *s;
    int n = snprintf(sql, sizeof sql, "SELECT 1 FROM \"%s\" LIMIT 1", table);
    if (rt_conn_prepare(c, sql, (size_t)n, &s, NULL))
        return true;
    bool found = rt_stmt_step(s, NULL) == RT_STEP_ROW;
    rt_stmt_done(s);
    return found;
}

/* Pushes a table: name → whether migrations have filled it. */
static void push_tables(lua_State *L, struct rt_conn *c)
{
    struct rt_stmt *s;
    size_t n;
    lua_newtable(L);
    if (rt_conn_prepare(c, TABLES, sizeof TABLES - 1, &s, NULL))
        return;
    while (rt_stmt_step(s, NULL) == RT_STEP_ROW) {
        const char *name = rt_col_text(s, 0, &n);
        lua_pushboolean(L, has_rows(c, name));
        lua_setfield(L, -2, name);
    }
    rt_stmt_done(s);
}

/* host.wipe(), inside db.transaction: empties the tables that were empty after the migrations. */
static int host_wipe(lua_State *L)
{
    struct rt_conn *c = rt_vm_conn(rt_vm_of(L), L);
    struct rt_err err;
    if (lua_getfield(L, LUA_REGISTRYINDEX, filled_key) != LUA_TTABLE) {
        push_tables(L, c);
        lua_pushvalue(L, -1);
        lua_setfield(L, LUA_REGISTRYINDEX, filled_key);
        return 0; /* nothing has run yet */
    }
    int rc = rt_conn_exec(c, "PRAGMA defer_foreign_keys = ON", &err);
    for (lua_pushnil(L); rc == 0 && lua_next(L, -2); lua_pop(L, 1)) {
        char sql[300];
        snprintf(sql, sizeof sql, "DELETE FROM \"%s\"", lua_tostring(L, -2));
        rc = lua_toboolean(L, -1) ? 0 : rt_conn_exec(c, sql, &err);
    }
    if (rc == 0)
        rc = rt_conn_exec(c, "DELETE FROM sqlite_sequence", &err);
    return rc ? luaL_error(L, "the database cannot be emptied: %s", err.msg) : 0;
}

/* ---- rooms --------------------------------------------------------------------------------------------------- */

/* A connection to the hub that keeps what it hears of one room. */
struct ear {
    struct rt_hub_conn *conn;
    struct rt_buf heard; /* texts, each with a NUL */
};

static void hear(void *owner, struct rt_ws_text *text)
{
    struct ear *e = owner;
    size_t n;
    const char *p = rt_ws_text_get(text, &n);
    rt_buf_put(&e->heard, p, n);
    rt_buf_putc(&e->heard, 0);
}

static void close_ear(void *owner, int code, const char *reason)
{
    (void)owner, (void)code, (void)reason;
}

/* host.deafen(ear), and when nobody has it any more. */
static int free_ear(lua_State *L)
{
    struct ear *e = luaL_checkudata(L, 1, ear_type);
    if (e->conn)
        rt_hub_conn_free(e->conn);
    e->conn = NULL;
    rt_buf_fini(&e->heard);
    rt_buf_init(&e->heard, ANSWER_MAX);
    return 0;
}

static int host_ear(lua_State *L)
{
    static const struct rt_hub_handler handler = { hear, close_ear };
    const struct rt_services *services = rt_vm_of(L)->services;
    struct ear *e = lua_newuserdatauv(L, sizeof *e, 0);
    memset(e, 0, sizeof *e);
    rt_buf_init(&e->heard, ANSWER_MAX);
    luaL_setmetatable(L, ear_type);
    e->conn = rt_hub_conn_new(services->inbox, rt_events_app(services->app->events), &handler, e);
    return e->conn ? 1 : luaL_error(L, "not enough memory");
}

/* host.listen(ear, room): hears what is published there from now on. */
static int host_listen(lua_State *L)
{
    struct ear *e = luaL_checkudata(L, 1, ear_type);
    struct rt_room_want want = { .after = -1 };
    want.room.p = luaL_checklstring(L, 2, &want.room.n);
    return rt_room_join(L, e->conn, &want);
}

/* host.heard(ear): the texts, in order. */
static int host_heard(lua_State *L)
{
    struct ear *e = luaL_checkudata(L, 1, ear_type);
    lua_newtable(L);
    size_t at = 0;
    for (int i = 1; at < e->heard.len; i++) {
        size_t n = strlen(e->heard.data + at);
        lua_pushlstring(L, e->heard.data + at, n);
        lua_rawseti(L, -2, i);
        at += n + 1;
    }
    return 1;
}

void rt_spec_client_open(lua_State *L, const struct rt_spec_server *server)
{
    static const luaL_Reg fns[] = { { "exchange", host_exchange }, { "settle", host_settle },
                                    { "wipe", host_wipe },
                                    { "limits", host_limits },     { "ear", host_ear },
                                    { "listen", host_listen },     { "deafen", free_ear },
                                    { "heard", host_heard },       { NULL, NULL } };
    lua_pushlightuserdata(L, (void *)(uintptr_t)server);
    lua_setfield(L, LUA_REGISTRYINDEX, server_key);
    luaL_newmetatable(L, ear_type);
    lua_pushcfunction(L, free_ear);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    luaL_setfuncs(L, fns, 0);
}
