/* SPDX-License-Identifier: Apache-2.0
 *
 * A line is a call like a request's. What is typed is compiled here, with the session's variables as its globals; what
 * it means for people (help, tables, words) is prelude/repl*.lua. */
#include "lua/repl.h"

#include <stdlib.h>
#include <string.h>

#include "lua/api.h"
#include "lua/call.h"
#include "lua/prelude.h"
#include "lua/spec_client.h"
#include "lua/tx.h"

struct rt_repl {
    struct rt_call call;
    struct rt_app *app;
    struct rt_vm *vm;
    const struct rt_tree *tree;
    const struct rt_repl_host *host;
    int main_ref, env_ref, effects_ref;
    bool asking, watching, yes;
    int commit_code;
};

static const char self_key[] = "rt.repl";

static struct rt_repl *repl_of(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, self_key);
    struct rt_repl *r = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return r;
}

/* host.load(code): a function, or nil, what is wrong, and whether more text would help. */
static int host_load(lua_State *L)
{
    size_t n, len;
    const char *code = luaL_checklstring(L, 1, &n);
    if (luaL_loadbufferx(L, code, n, "=console", "t") == LUA_OK) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, repl_of(L)->env_ref);
        lua_setupvalue(L, -2, 1);
        return 1;
    }
    const char *why = lua_tolstring(L, -1, &len);
    bool more = len >= 5 && strcmp(why + len - 5, "<eof>") == 0;
    lua_pushnil(L);
    lua_insert(L, -2);
    lua_pushboolean(L, more);
    return 3;
}

static int host_print(lua_State *L)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    repl_of(L)->host->print(repl_of(L)->host->arg, text, n);
    return 0;
}

/* host.real(t): the table behind a read-only view, or t itself; to be looked at, not given away. */
static int host_real(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    if (lua_getmetatable(L, 1)) {
        lua_pushliteral(L, "__metatable");
        if (lua_rawget(L, -2) == LUA_TSTRING && strcmp(lua_tostring(L, -1), "read-only") == 0) {
            lua_pushliteral(L, "__index");
            if (lua_rawget(L, -3) == LUA_TTABLE)
                return 1;
        }
    }
    lua_settop(L, 1);
    return 1;
}

/* host.where(fn): its file and line. */
static int host_where(lua_State *L)
{
    lua_Debug ar;
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_getinfo(L, ">S", &ar);
    lua_pushstring(L, ar.short_src);
    lua_pushinteger(L, ar.linedefined);
    return 2;
}

/* host.source(file): its text. */
static int host_source(lua_State *L)
{
    const struct rt_tree_file *f = rt_tree_find(repl_of(L)->tree, luaL_checkstring(L, 1));
    if (!f)
        return 0;
    lua_pushlstring(L, f->text, f->n);
    return 1;
}

/* host.rule(fn, user, req): what a rule answers, as it would in a request. */
static int host_rule(lua_State *L)
{
    struct rt_vm *vm = rt_vm_of(L);
    vm->phase = RT_RULE;
    int status = lua_pcall(L, lua_gettop(L) - 1, 2, 0);
    vm->phase = RT_CONSOLE;
    return status == LUA_OK ? 2 : lua_error(L);
}

static int host_functions(lua_State *L)
{
    lua_newtable(L);
    for (int i = 0, n = 0; rt_lua_libs[i]; i++)
        for (int k = 0; rt_lua_libs[i]->fns[k]; k++) {
            lua_createtable(L, 0, 3);
            lua_pushstring(L, rt_lua_libs[i]->fns[k]->sig);
            lua_setfield(L, -2, "signature");
            lua_pushstring(L, rt_lua_libs[i]->fns[k]->doc);
            lua_setfield(L, -2, "doc");
            lua_rawseti(L, -2, ++n);
        }
    return 1;
}

static int host_use(lua_State *L)
{
    const struct rt_repl_host *h = repl_of(L)->host;
    lua_pushboolean(L, h->use(h->arg, luaL_optstring(L, 1, NULL)));
    return 1;
}

static int push_text(lua_State *L, void (*fill)(void *arg, struct rt_buf *out))
{
    struct rt_buf *b = &rt_vm_of(L)->scratch;
    rt_buf_reset(b);
    fill(repl_of(L)->host->arg, b);
    lua_pushlstring(L, b->len ? b->data : "", b->len);
    return 1;
}

static int host_status(lua_State *L) { return push_text(L, repl_of(L)->host->status); }
static int host_sessions(lua_State *L) { return push_text(L, repl_of(L)->host->sessions); }
static int host_releases(lua_State *L) { return push_text(L, repl_of(L)->host->releases); }
static int host_apps(lua_State *L) { return push_text(L, repl_of(L)->host->apps); }

/* host.why(id): the request as JSON, or nil. */
static int host_why(lua_State *L)
{
    struct rt_buf *b = &rt_vm_of(L)->scratch;
    rt_buf_reset(b);
    if (!repl_of(L)->host->why(repl_of(L)->host->arg, luaL_checkstring(L, 1), b))
        return 0;
    lua_pushlstring(L, b->data, b->len);
    return 1;
}

/* host.assume(principal, keep): a secret. */
static int host_assume(lua_State *L)
{
    char secret[33];
    const struct rt_repl_host *h = repl_of(L)->host;
    h->assume(h->arg, luaL_checkstring(L, 1), lua_toboolean(L, 2), secret);
    lua_pushstring(L, secret);
    return 1;
}

static int watched(lua_State *L, int status, lua_KContext ctx)
{
    (void)L, (void)status, (void)ctx;
    return 0;
}

/* host.watch(app, status): returns when it is interrupted. */
static int host_watch(lua_State *L)
{
    struct rt_repl *r = repl_of(L);
    const char *app = luaL_checkstring(L, 1);
    int status = (int)luaL_checkinteger(L, 2);
    rt_park_check(L, "watching");
    r->asking = r->watching = true;
    r->host->watch(r->host->arg, app, status);
    return rt_park(L, "watching", watched, 0);
}

/* host.watch_room(name): likewise. */
static int host_watch_room(lua_State *L)
{
    struct rt_repl *r = repl_of(L);
    size_t n;
    const char *room = luaL_checklstring(L, 1, &n);
    luaL_argcheck(L, n >= 1 && n <= RT_HUB_NAME_MAX, 1, "the name of a room has 1 to 200 bytes");
    rt_park_check(L, "watching");
    r->asking = r->watching = true;
    r->host->watch_room(r->host->arg, room);
    return rt_park(L, "watching", watched, 0);
}

/* ---- writing ------------------------------------------------------------------------------------------------- */

static void note_effect(lua_State *L, const char *sql, int64_t rows)
{
    struct rt_repl *r = repl_of(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, r->effects_ref);
    lua_createtable(L, 0, 2);
    lua_pushstring(L, sql);
    lua_setfield(L, -2, "statement");
    lua_pushinteger(L, rows);
    lua_setfield(L, -2, "rows");
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_pop(L, 1);
}

static int host_effects(lua_State *L)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, repl_of(L)->effects_ref);
    return 1;
}

static void committed(struct rt_tx *tx, int code)
{
    struct rt_repl *r = (struct rt_repl *)((char *)tx - offsetof(struct rt_repl, call.tx));
    r->commit_code = code;
    rt_call_resume(&r->call);
}

static int after_commit(lua_State *L, int status, lua_KContext ctx)
{
    struct rt_repl *r = (struct rt_repl *)ctx;
    (void)status;
    r->call.revoke = false;
    r->call.timer_due = 0;
    r->call.outbox = 0;
    if (r->commit_code)
        return luaL_error(L, "the commit failed: %s", rt_code_name(r->commit_code));
    return lua_gettop(L);
}

/* The function stands at 1, whether to keep at 2. */
static int write_now(lua_State *L, int status, lua_KContext ctx)
{
    struct rt_repl *r = (struct rt_repl *)ctx;
    struct rt_err err;
    bool keep = lua_toboolean(L, 2);
    lua_settop(L, 1);
    lua_newtable(L);
    lua_rawseti(L, LUA_REGISTRYINDEX, r->effects_ref);
    lua_pushcfunction(L, rt_tx_nested);
    lua_insert(L, 1);
    r->call.note = note_effect;
    r->vm->phase = RT_CONSOLE_WRITE;
    rt_turn_limit(r->vm, (uint64_t)r->host->write_ms * 1000000u, 0);
    status = lua_pcall(L, 1, LUA_MULTRET, 0);
    r->vm->phase = RT_CONSOLE;
    if (status != LUA_OK || !keep) {
        rt_call_end_turn(&r->call, false, NULL);
        return status == LUA_OK ? lua_gettop(L) : lua_error(L);
    }
    r->call.tx.done = committed;
    int rc = rt_call_end_turn(&r->call, true, &err);
    if (rc < 0)
        return luaL_error(L, "the commit failed: %s", err.msg);
    return rc ? rt_park(L, "write", after_commit, ctx) : lua_gettop(L);
}

/* host.transaction(fn, keep): runs it in a transaction of its own, which has ended when this returns. */
static int host_transaction(lua_State *L)
{
    struct rt_repl *r = repl_of(L);
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 2);
    if (r->call.in_transaction)
        return luaL_error(L, "write is used inside write");
    if (!rt_call_take_turn(L, &r->call)) {
        r->call.parked = true;
        return lua_yieldk(L, 0, (lua_KContext)r, write_now);
    }
    return write_now(L, LUA_OK, (lua_KContext)r);
}

static int answered(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    lua_pushboolean(L, ((struct rt_repl *)ctx)->yes);
    return 1;
}

/* host.confirm(text, effects): what the person says. */
static int host_confirm(lua_State *L)
{
    struct rt_repl *r = repl_of(L);
    const char *text = luaL_checkstring(L, 1), *effects = luaL_checkstring(L, 2);
    rt_park_check(L, "a question");
    r->asking = true;
    r->host->confirm(r->host->arg, text, effects);
    return rt_park(L, "a question", answered, (lua_KContext)r);
}

void rt_repl_answer(struct rt_repl *r, bool yes)
{
    if (!r->asking)
        return;
    if (r->watching) /* its interruption is its end */
        atomic_store(&r->vm->aborted, false);
    r->asking = r->watching = false;
    r->yes = yes;
    rt_call_resume(&r->call);
}

/* ---- lines --------------------------------------------------------------------------------------------------- */

struct outcome {
    struct rt_repl *r;
    int n;
    enum rt_repl_end end;
    struct rt_buf text, traceback;
};

/* The host's own functions around the line are of no interest. */
static void put_traceback(struct rt_buf *out, const char *text)
{
    for (const char *end; *text; text = *end ? end + 1 : end) {
        end = text + strcspn(text, "\n");
        const char *ours = strstr(text, "[host]/");
        if (!ours || ours >= end)
            rt_buf_put(out, text, (size_t)(end - text) + (*end != 0));
    }
}

static void describe_error(lua_State *L, struct outcome *o)
{
    char text[2048];
    lua_State *co = o->r->call.co;
    rt_error_text(co, -1, text, sizeof text);
    o->end = o->r->call.overran ? RT_REPL_DEADLINE : RT_REPL_RUNTIME;
    if (lua_istable(co, -1)) {
        lua_pushliteral(co, "refused");
        if (lua_rawget(co, -2) == LUA_TBOOLEAN && o->end == RT_REPL_RUNTIME)
            o->end = RT_REPL_REFUSED;
        lua_pop(co, 1);
    }
    rt_buf_puts(&o->text, text);
    rt_traceback(L, co, text, 0);
    put_traceback(&o->traceback, lua_tostring(L, -1));
}

static int describe(lua_State *L)
{
    struct outcome *o = lua_touserdata(L, 1);
    lua_State *co = o->r->call.co;
    if (o->n < 0) {
        describe_error(L, o);
        return 0;
    }
    const char *kind = lua_tostring(co, -2);
    o->end = strcmp(kind, "result") == 0 ? RT_REPL_RESULT : strcmp(kind, "syntax") == 0 ? RT_REPL_SYNTAX
                                                                                        : RT_REPL_INCOMPLETE;
    rt_buf_puts(&o->text, lua_tostring(co, -1));
    return 0;
}

static void returned(struct rt_call *call, int n)
{
    struct rt_repl *r = call->owner;
    struct outcome o = { .r = r, .n = n, .end = RT_REPL_RUNTIME };
    struct rt_err err;
    rt_buf_init(&o.text, 0);
    rt_buf_init(&o.traceback, 0);
    bool was_aborted = atomic_load(&r->vm->aborted);
    if (n < 0)
        r->vm->memory.limit += 4 << 20; /* room to say that there is no room */
    atomic_store(&r->vm->aborted, false); /* the words about it may be found */
    if (rt_vm_protected(r->vm, RT_RULE, describe, &o, &err))
        rt_buf_puts(&o.text, err.msg);
    if (n < 0)
        r->vm->memory.limit -= 4 << 20;
    if (n < 0 && was_aborted && o.end != RT_REPL_REFUSED)
        o.end = RT_REPL_INTERRUPTED;
    rt_call_end_turn(call, false, NULL);
    rt_call_fini(call);
    r->host->done(r->host->arg, o.end, rt_buf_cstr(&o.text), rt_buf_cstr(&o.traceback));
    rt_buf_fini(&o.text);
    rt_buf_fini(&o.traceback);
}

struct line {
    struct rt_repl *r;
    const char *text;
    size_t n;
    struct rt_buf *out;
};

static int push_line(lua_State *L)
{
    struct line *x = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, x->r->main_ref);
    lua_getfield(L, -1, "eval");
    lua_pushlstring(L, x->text, x->n);
    lua_xmove(L, x->r->call.co, 2);
    return 0;
}

void rt_repl_eval(struct rt_repl *r, const char *code, size_t n)
{
    struct line x = { r, code, n, NULL };
    struct rt_err err;
    atomic_store(&r->vm->aborted, false);
    int rc = rt_call_init(&r->call, r->vm, RT_CONSOLE, returned, r);
    if (rc == 0 && rt_vm_protected(r->vm, RT_RULE, push_line, &x, &err)) {
        rt_call_fini(&r->call);
        rc = RT_E_NOMEM;
    }
    if (rc)
        r->host->done(r->host->arg, RT_REPL_RUNTIME, "not enough memory", "");
    else
        rt_call_start(&r->call, 1);
}

static int complete(lua_State *L)
{
    struct line *x = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, x->r->main_ref);
    lua_getfield(L, -1, "complete");
    lua_pushlstring(L, x->text, x->n);
    lua_call(L, 1, 1);
    rt_buf_puts(x->out, lua_tostring(L, -1));
    return 0;
}

void rt_repl_complete(struct rt_repl *r, const char *text, size_t n, struct rt_buf *out)
{
    struct line x = { r, text, n, out };
    atomic_store(&r->vm->aborted, false);
    if (rt_vm_protected(r->vm, RT_RULE, complete, &x, NULL))
        rt_buf_printf(out, "\"from\":%zu,\"items\":[]", n);
}

static int open_repl(lua_State *L)
{
    static const luaL_Reg fns[] = {
        { "load", host_load },   { "print", host_print },         { "real", host_real },       { "where", host_where },
        { "use", host_use },     { "functions", host_functions }, { "status", host_status },   { "rule", host_rule },
        { "source", host_source }, { "sessions", host_sessions }, { "releases", host_releases }, { "apps", host_apps },
        { "watch_room", host_watch_room },
        { "why", host_why }, { "assume", host_assume },
        { "watch", host_watch }, { "effects", host_effects }, { "confirm", host_confirm },
        { "transaction", host_transaction }, { NULL, NULL },
    };
    struct rt_repl *r = lua_touserdata(L, 1);
    lua_pushlightuserdata(L, r);
    lua_setfield(L, LUA_REGISTRYINDEX, self_key);
    lua_newtable(L);
    r->effects_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    r->env_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    rt_prelude_load(L, "repl");
    luaL_newlib(L, fns);
    lua_newtable(L);
    rt_spec_client_open(L, r->host->server);
    lua_getfield(L, -1, "exchange");
    lua_setfield(L, -3, "exchange");
    lua_pop(L, 1);
    lua_pushboolean(L, r->host->write);
    lua_setfield(L, -2, "keep");
    lua_pushboolean(L, r->host->json);
    lua_setfield(L, -2, "json");
    lua_pushvalue(L, 2);
    lua_setfield(L, -2, "env");
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_setfield(L, -2, "globals");
    lua_rawgeti(L, LUA_REGISTRYINDEX, r->app->table_ref);
    lua_setfield(L, -2, "app");
    rt_prelude_load(L, "repl_as");
    lua_setfield(L, -2, "as");
    rt_prelude_load(L, "repl_show");
    lua_setfield(L, -2, "show");
    rt_prelude_load(L, "repl_tutorial");
    lua_setfield(L, -2, "tutorial");
    lua_call(L, 1, 1);
    r->main_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

int rt_repl_new(struct rt_app *app, const struct rt_tree *tree, const struct rt_repl_host *host, struct rt_repl **ret,
                struct rt_err *err)
{
    struct rt_repl *r = calloc(1, sizeof *r);
    if (!r)
        return rt_err_set(err, RT_E_NOMEM, "no memory for a console");
    r->app = app;
    r->vm = app->vm;
    r->tree = tree;
    r->host = host;
    int rc = rt_vm_protected(r->vm, RT_LOAD, open_repl, r, err);
    if (rc) {
        free(r);
        return rc;
    }
    *ret = r;
    return 0;
}

void rt_repl_free(struct rt_repl *r) { free(r); }
