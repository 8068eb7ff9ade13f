/* SPDX-License-Identifier: Apache-2.0
 *
 * What the host itself says in an app's name: error envelopes, the OpenAPI document, the docs page. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "lua/api.h"
#include "lua/app.h"
#include "lua/prelude.h"
#include "lua/present.h"

const char *rt_app_code(struct rt_app *app, int status, char *out, size_t size)
{
    lua_State *L = app->vm->L;
    int top = lua_gettop(L);
    snprintf(out, size, "%s", status >= 500 ? "INTERNAL_ERROR" : "ERROR");
    lua_rawgeti(L, LUA_REGISTRYINDEX, app->table_ref);
    lua_getfield(L, -1, "codes");
    if (lua_rawgeti(L, -1, status) == LUA_TSTRING)
        snprintf(out, size, "%s", lua_tostring(L, -1));
    lua_settop(L, top);
    return out;
}

struct envelope {
    struct rt_app *app;
    int envelope_ref, status, details_ref;
    const char *code, *message, *request_id;
    struct rt_buf *out;
};

/* Writes nothing where the function returns nil. */
static int make_envelope(lua_State *L)
{
    const struct envelope *e = lua_touserdata(L, 1);
    char code[64];
    struct rt_err err;
    lua_rawgeti(L, LUA_REGISTRYINDEX, e->envelope_ref);
    lua_createtable(L, 0, 5);
    lua_pushinteger(L, e->status);
    lua_setfield(L, -2, "status");
    lua_pushstring(L, e->code ? e->code : rt_app_code(e->app, e->status, code, sizeof code));
    lua_setfield(L, -2, "code");
    lua_pushstring(L, e->message);
    lua_setfield(L, -2, "message");
    lua_pushstring(L, e->request_id);
    lua_setfield(L, -2, "request_id");
    if (e->details_ref == LUA_NOREF)
        lua_newtable(L);
    else
        lua_rawgeti(L, LUA_REGISTRYINDEX, e->details_ref);
    lua_setfield(L, -2, "details");
    if (e->app->vm->services->share_us)
        rt_turn_share(e->app->vm, true);
    rt_script_call(L, e->app->envelope_script, 1, 1);
    if (!lua_isnil(L, -1) && rt_present(L, -1, NULL, e->out, &err))
        return luaL_error(L, "envelope: %s", err.msg);
    return 0;
}

static int call_envelope(struct envelope *e)
{
    struct rt_vm *vm = e->app->vm;
    struct rt_err err;
    rt_script_begin(vm, RT_SCRIPT_NONE);
    size_t limit = vm->memory.limit;
    int rc = rt_vm_protected(vm, RT_RULE, make_envelope, e, &err);
    vm->memory.limit = limit;
    rt_script_end(vm);
    if (rc == 0)
        return 0;
    rt_script_failed_as(vm, e->app->envelope_script,
                        vm->overran        ? RT_SCRIPT_DEADLINE
                        : rc == RT_E_NOMEM ? RT_SCRIPT_MEMORY
                                           : RT_SCRIPT_ERROR);
    rt_log(RT_LOG_ERROR, "an envelope failed", "app", e->app->name, "error", err.msg, NULL);
    return rc;
}

/* True when the function at the reference made a body. */
static bool made_by(struct envelope *e, int envelope_ref)
{
    e->envelope_ref = envelope_ref;
    rt_buf_reset(e->out);
    if (envelope_ref == LUA_NOREF)
        return false;
    if (call_envelope(e) == 0)
        return e->out->len > 0;
    rt_buf_reset(e->out);
    return false;
}

void rt_app_envelope(struct rt_app *app, const struct rt_route *route, int status, const char *code,
                     const char *message, int details_ref, const char *request_id, struct rt_buf *out)
{
    struct envelope e = { app, LUA_NOREF, status, details_ref, code, message, request_id, out };
    if ((route && made_by(&e, route->envelope_ref)) || made_by(&e, app->envelope_ref))
        return;
    char text[64];
    rt_buf_puts(out, "{\"error\":{\"code\":");
    rt_app_code(app, status, text, sizeof text);
    rt_json_put_string(out, code ? code : text, strlen(code ? code : text));
    rt_buf_puts(out, ",\"message\":");
    rt_json_put_string(out, message, strlen(message));
    rt_buf_puts(out, ",\"details\":{}}}");
}

struct docs {
    struct rt_app *app;
    int page;
    enum rt_docs_form form;
    const char *origin;
    struct rt_buf *out;
};

static int json_array(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    rt_present_array_mt(L);
    lua_setmetatable(L, 1);
    return 1;
}

/* The options that all makers share, on the stack. */
static void push_options(lua_State *L, const struct docs *d)
{
    const struct rt_app *app = d->app;
    const struct rt_doc_page whole = { .title = app->title, .version = app->version, .prefix = "/" };
    const struct rt_doc_page *page = d->page < 0 ? &whole : &app->docs[d->page];
    const char *const fields[][2] = {
        { "prefix", page->prefix }, { "title", page->title }, { "version", page->version }, { "origin", d->origin }
    };
    lua_createtable(L, 0, 6);
    lua_pushcfunction(L, json_array);
    lua_setfield(L, -2, "array");
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        lua_pushstring(L, fields[i][1]);
        lua_setfield(L, -2, fields[i][0]);
    }
}

/* openapi(app, options) → table, order; docs_page(table, options) → HTML; postman(table, options) → table */
static int make_docs(lua_State *L)
{
    const struct docs *d = lua_touserdata(L, 1);
    struct rt_err err;
    push_options(L, d);
    int options = lua_gettop(L);
    rt_prelude_load(L, "openapi");
    lua_rawgeti(L, LUA_REGISTRYINDEX, d->app->table_ref);
    lua_pushvalue(L, options);
    lua_call(L, 2, 2);
    lua_setfield(L, options, "order");
    if (d->form != RT_DOCS_OPENAPI) {
        rt_prelude_load(L, d->form == RT_DOCS_HTML ? "docs_page" : "postman");
        lua_insert(L, -2);
        lua_pushvalue(L, options);
        lua_call(L, 2, 1);
    }
    if (d->form != RT_DOCS_HTML)
        return rt_present(L, -1, NULL, d->out, &err) ? luaL_error(L, "documentation: %s", err.msg) : 0;
    size_t n;
    const char *p = luaL_checklstring(L, -1, &n);
    rt_buf_put(d->out, p, n);
    return 0;
}

int rt_app_docs(struct rt_app *app, int i, enum rt_docs_form form, const char *origin, struct rt_buf *out,
                struct rt_err *err)
{
    struct docs d = { app, i, form, origin, out };
    return rt_vm_protected(app->vm, RT_LOAD, make_docs, &d, err);
}

int rt_app_routes_json(struct rt_app *app, struct rt_buf *out, struct rt_err *err)
{
    (void)err;
    static const char *const names[] = { "method", "path", "unit", "who", "summary", "line", "within", "can" };
    for (int i = 0; i < app->n_routes; i++) {
        const struct rt_route *r = &app->routes[i];
        const char *values[] = { r->method, r->path, r->unit, r->who, r->summary, r->line, r->within, r->can };
        rt_buf_puts(out, out->len ? ",\n{\"app\":" : "{\"app\":");
        rt_json_put_string(out, app->name, strlen(app->name));
        for (size_t k = 0; k < sizeof values / sizeof values[0]; k++) {
            rt_buf_printf(out, ",\"%s\":", names[k]);
            rt_json_put_string(out, values[k] ? values[k] : "", values[k] ? strlen(values[k]) : 0);
        }
        rt_buf_putc(out, '}');
    }
    return out->failed ? RT_E_NOMEM : 0;
}
