/* SPDX-License-Identifier: Apache-2.0
 *
 * Loads an app: its manifest is checked by the declaration words' own code (prelude/manifest.lua), then
 * read into C structs here. Their strings are those of the checked table, which stays referenced. */
#include "lua/app.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lua/api.h"
#include "lua/channel.h"
#include "lua/prelude.h"
#include "lua/schema.h"

/* All functions here run on the main state with the normalised manifest at index `t`. */

static const char *text_field(lua_State *L, int t, const char *key)
{
    lua_getfield(L, t, key);
    const char *s = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    lua_pop(L, 1);
    return s;
}

static int ref_field(lua_State *L, int t, const char *key)
{
    if (lua_getfield(L, t, key) == LUA_TNIL) {
        lua_pop(L, 1);
        return LUA_NOREF;
    }
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

static bool flag_field(lua_State *L, int t, const char *key)
{
    lua_getfield(L, t, key);
    bool on = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return on;
}

static lua_Integer int_field(lua_State *L, int t, const char *key)
{
    lua_getfield(L, t, key);
    lua_Integer v = lua_tointeger(L, -1);
    lua_pop(L, 1);
    return v;
}

static void *must(lua_State *L, void *p)
{
    if (!p)
        luaL_error(L, "not enough memory");
    return p;
}

static const char **read_texts(lua_State *L, int t, const char *key)
{
    lua_getfield(L, t, key);
    int n = (int)lua_rawlen(L, -1);
    const char **out = must(L, calloc((size_t)n + 1, sizeof *out));
    for (int i = 0; i < n; i++) {
        lua_rawgeti(L, -1, i + 1);
        out[i] = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return out;
}

static enum rt_limit_per limit_per(const char *per, bool scope)
{
    if (scope)
        return RT_PER_SCOPE;
    return strcmp(per, "address") == 0 ? RT_PER_ADDRESS : strcmp(per, "token") == 0 ? RT_PER_TOKEN : RT_PER_USER;
}

static int limit_index(const struct rt_app *app, const char *name)
{
    for (int i = 0; name && i < app->n_limits; i++)
        if (strcmp(app->limits[i].name, name) == 0)
            return i;
    return -1;
}

/* Once all limits have their places: those that name another one. */
static void link_limits(lua_State *L, struct rt_app *app, int limits)
{
    for (int i = 0; i < app->n_limits; i++) {
        lua_getfield(L, limits, app->limits[i].name);
        app->limits[i].strangers = limit_index(app, text_field(L, -1, "strangers"));
        lua_pop(L, 1);
    }
}

static void read_limits(lua_State *L, struct rt_app *app, int t)
{
    lua_getfield(L, t, "limits");
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        app->limits = must(L, realloc(app->limits, (size_t)(app->n_limits + 1) * sizeof *app->limits));
        struct rt_limit_rule *r = &app->limits[app->n_limits++];
        const char *per = text_field(L, -1, "per");
        bool scope = flag_field(L, -1, "of_scope");
        *r = (struct rt_limit_rule){ .name = lua_tostring(L, -2),
                                     .count = int_field(L, lua_gettop(L), "count"),
                                     .seconds = int_field(L, lua_gettop(L), "seconds"),
                                     .per = limit_per(per, scope),
                                     .scope = scope ? per : NULL };
        lua_pop(L, 1);
    }
    link_limits(L, app, lua_gettop(L));
    lua_pop(L, 1);
}

static void read_docs(lua_State *L, struct rt_app *app, int t)
{
    lua_getfield(L, t, "docs");
    app->n_docs = (int)lua_rawlen(L, -1);
    app->docs = must(L, calloc((size_t)app->n_docs + 1, sizeof *app->docs));
    for (int i = 0; i < app->n_docs; i++) {
        lua_rawgeti(L, -1, i + 1);
        int d = lua_gettop(L);
        app->docs[i] = (struct rt_doc_page){ .path = text_field(L, d, "path"),
                                             .title = text_field(L, d, "title"),
                                             .version = text_field(L, d, "version"),
                                             .prefix = text_field(L, d, "prefix") };
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void read_pages(lua_State *L, struct rt_app *app, int t)
{
    lua_getfield(L, t, "pages");
    app->n_pages = (int)lua_rawlen(L, -1);
    app->pages = must(L, calloc((size_t)app->n_pages + 1, sizeof *app->pages));
    for (int i = 0; i < app->n_pages; i++) {
        lua_rawgeti(L, -1, i + 1);
        int p = lua_gettop(L);
        app->pages[i] = (struct rt_page_declaration){ .path = text_field(L, p, "path"),
                                                      .file = text_field(L, p, "file"),
                                                      .folder = text_field(L, p, "folder"),
                                                      .development = flag_field(L, p, "development") };
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void read_models(lua_State *L, struct rt_app *app, int t)
{
    struct rt_err err;
    app->models = must(L, rt_schema_set_new());
    lua_getfield(L, t, "models");
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        if (rt_schema_set_add(L, app->models, lua_tostring(L, -2), lua_gettop(L), &err))
            luaL_error(L, "model %s: %s", lua_tostring(L, -2), err.msg);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    app->messages = must(L, calloc(1, sizeof *app->messages));
    lua_getfield(L, t, "messages");
    if (rt_messages_load(L, lua_gettop(L), app->messages, &err))
        luaL_error(L, "messages: %s", err.msg);
    lua_pop(L, 1);
}

static struct rt_schema *read_schema(lua_State *L, struct rt_app *app, int r, const char *key, const char *line)
{
    struct rt_schema *s = NULL;
    struct rt_err err;
    if (lua_getfield(L, r, key) != LUA_TNIL && rt_schema_compile(L, lua_gettop(L), app->models, &s, &err))
        luaL_error(L, "%s: %s: %s", line, key, err.msg);
    lua_pop(L, 1);
    return s;
}

/* returns[status] = "none" | "file" | "html" | a model's name | a type */
static void read_returns(lua_State *L, struct rt_app *app, struct rt_route *route, int r)
{
    struct rt_err err;
    lua_getfield(L, r, "returns");
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        if (route->n_returns == RT_RETURNS_MAX)
            luaL_error(L, "%s: more than %d statuses in returns", route->line, RT_RETURNS_MAX);
        struct rt_returns *out = &route->returns[route->n_returns++];
        *out = (struct rt_returns){ .status = (int)lua_tointeger(L, -2), .kind = RT_BODY_JSON };
        const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
        struct rt_schema *s = NULL;
        if (!name) {
            if (rt_schema_compile(L, lua_gettop(L), app->models, &s, &err))
                luaL_error(L, "%s: returns: %s", route->line, err.msg);
            out->schema = out->own = s;
        } else if (strcmp(name, "none") == 0) {
            out->kind = RT_BODY_NONE;
        } else if (strcmp(name, "file") == 0) {
            out->kind = RT_BODY_FILE;
        } else if (strcmp(name, "html") == 0) {
            out->kind = RT_BODY_HTML;
        } else {
            out->schema = rt_schema_set_find(app->models, name);
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static int ref_of(lua_State *L, int t, const char *table, const char *key)
{
    if (!key)
        return LUA_NOREF;
    lua_getfield(L, t, table);
    int ref = ref_field(L, lua_gettop(L), key);
    lua_pop(L, 1);
    return ref;
}

static void read_socket(lua_State *L, struct rt_route *route, int r)
{
    route->open_ref = route->message_ref = route->closed_ref = route->timeout_ref = LUA_NOREF;
    if (lua_getfield(L, r, "socket") == LUA_TTABLE) {
        int s = lua_gettop(L);
        route->socket = true;
        route->open_ref = ref_field(L, s, "open");
        route->message_ref = ref_field(L, s, "message");
        route->closed_ref = ref_field(L, s, "closed");
        route->timeout_ref = ref_field(L, s, "timeout");
        route->token_query = text_field(L, s, "token_query");
    }
    lua_pop(L, 1);
}

static void read_route(lua_State *L, struct rt_app *app, struct rt_route *route, int t, int r)
{
    *route = (struct rt_route){ .method = text_field(L, r, "method"),
                                .path = text_field(L, r, "path"),
                                .unit = text_field(L, r, "unit"),
                                .summary = text_field(L, r, "summary"),
                                .who = text_field(L, r, "who"),
                                .line = text_field(L, r, "line"),
                                .can = text_field(L, r, "can"),
                                .within = text_field(L, r, "within"),
                                .limit = limit_index(app, text_field(L, r, "limit")),
                                .secret = flag_field(L, r, "secret"),
                                .guests = flag_field(L, r, "guests"),
                                .form = flag_field(L, r, "form"),
                                .invalid_status = (int)int_field(L, r, "invalid"),
                                .envelope_ref = ref_field(L, r, "envelope"),
                                .check_ref = ref_field(L, r, "check"),
                                .run_ref = ref_field(L, r, "run"),
                                .doc = -1 };
    if (!route->line)
        route->line = route->path;
    route->anyone = strcmp(route->who, "anyone") == 0;
    route->principal_ref = route->anyone ? LUA_NOREF : ref_of(L, t, "principals", route->who);
    route->can_ref = ref_of(L, t, "rules", route->can);
    route->scope_ref = ref_of(L, t, "scopes", route->within);
    route->params = read_schema(L, app, r, "params", route->line);
    route->query = read_schema(L, app, r, "query", route->line);
    route->body = read_schema(L, app, r, "body", route->line);
    read_returns(L, app, route, r);
    read_socket(L, route, r);
}

static void read_routes(lua_State *L, struct rt_app *app, int t)
{
    lua_getfield(L, t, "routes");
    int n = (int)lua_rawlen(L, -1);
    app->routes = must(L, calloc((size_t)(n + app->n_docs), sizeof *app->routes));
    for (int i = 0; i < n; i++) {
        lua_rawgeti(L, -1, i + 1);
        read_route(L, app, &app->routes[i], t, lua_gettop(L));
        app->n_routes = i + 1;
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    for (int i = 0; i < app->n_docs; i++)
        app->routes[app->n_routes++] = (struct rt_route){ .method = "GET",
                                                          .path = app->docs[i].path,
                                                          .unit = "docs",
                                                          .summary = app->docs[i].title,
                                                          .who = "anyone",
                                                          .line = "app.lua",
                                                          .limit = -1,
                                                          .check_ref = LUA_NOREF,
                                                          .envelope_ref = LUA_NOREF,
                                                          .anyone = true,
                                                          .doc = i };
}

/* The app's settings: given as text by the environment, checked like a query, else the default. */
static void read_config(lua_State *L, struct rt_app *app, int t)
{
    const struct rt_services *sv = app->vm->services;
    struct rt_err err;
    lua_newtable(L);
    int out = lua_gettop(L);
    lua_getfield(L, t, "config");
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        const char *name = lua_tostring(L, -2);
        const char *text = sv->setting ? sv->setting(sv->setting_arg, app->name, name) : NULL;
        if (text) {
            struct rt_schema *s;
            if (rt_schema_compile(L, lua_gettop(L), app->models, &s, &err))
                luaL_error(L, "config.%s: %s", name, err.msg);
            lua_pushstring(L, text);
            int bad = rt_schema_check(L, s, -1, RT_SOURCE_TEXT, app->messages);
            rt_schema_free(L, s);
            if (bad)
                luaL_error(L, "config.%s: the value '%s' does not fit its declaration", name, text);
            lua_remove(L, -2);
        } else {
            lua_getfield(L, -1, "default");
        }
        lua_setfield(L, out, name);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "rt.config");
}

static int load(lua_State *L)
{
    struct rt_app *app = lua_touserdata(L, 1);
    struct rt_err err;
    lua_getfield(L, LUA_REGISTRYINDEX, "rt.declare");
    lua_getfield(L, -1, "normalise");
    rt_vm_require(L, "app");
    lua_replace(L, -2); /* the modules table below what require pushed */
    lua_call(L, 1, 1);
    int t = lua_gettop(L);
    lua_pushvalue(L, t);
    app->table_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    app->name = text_field(L, t, "name");
    app->title = text_field(L, t, "title");
    app->version = text_field(L, t, "version");
    app->demo_login = text_field(L, t, "demo_login");
    app->trailing_slash = flag_field(L, t, "trailing_slash");
    app->invalid_status = (int)int_field(L, t, "invalid");
    app->reset_iso = strcmp(text_field(L, t, "limit_reset"), "iso") == 0;
    app->envelope_ref = ref_field(L, t, "envelope");
    app->timers_ref = ref_field(L, t, "timers");
    app->recount_ref = ref_field(L, t, "recount");
    app->demo_ref = ref_field(L, t, "demo");
    app->webhooks_ref = ref_field(L, t, "webhooks");
    app->hosts = read_texts(L, t, "hosts");
    app->prefixes = read_texts(L, t, "prefixes");
    read_limits(L, app, t);
    read_docs(L, app, t);
    read_pages(L, app, t);
    read_models(L, app, t);
    read_config(L, app, t);
    read_routes(L, app, t);
    rt_scripts_load(L, app);
    if (rt_schema_set_resolve(app->models, &err))
        luaL_error(L, "%s", err.msg);
    if (strcmp(app->name, app->vm->services->app->name) != 0)
        luaL_error(L, "the folder is called %s but its app.lua says name = \"%s\"", app->vm->services->app->name,
                   app->name);
    return 0;
}

int rt_app_load(struct rt_vm *vm, const char *name, struct rt_app **ret, struct rt_err *err)
{
    struct rt_app *app = calloc(1, sizeof *app);
    if (!app)
        return rt_err_set(err, RT_E_NOMEM, "no memory for the app %s", name);
    app->vm = vm;
    int rc = rt_vm_protected(vm, RT_LOAD, load, app, err);
    if (rc) {
        rt_app_free(app);
        return rc;
    }
    lua_gc(vm->L, LUA_GCCOLLECT);
    vm->app = app;
    *ret = app;
    return 0;
}

void rt_app_free(struct rt_app *app)
{
    if (!app)
        return;
    lua_State *L = app->vm->L;
    rt_channels_fini(app->vm);
    app->vm->app = NULL;
    for (int i = 0; i < app->n_routes; i++) {
        struct rt_route *r = &app->routes[i];
        rt_schema_free(L, r->params);
        rt_schema_free(L, r->query);
        rt_schema_free(L, r->body);
        for (int k = 0; k < r->n_returns; k++)
            rt_schema_free(L, r->returns[k].own);
    }
    rt_schema_set_free(L, app->models);
    if (app->messages)
        rt_messages_fini(app->messages);
    free(app->messages);
    rt_scripts_free(&app->scripts);
    free(app->routes);
    free(app->limits);
    free(app->docs);
    free(app->pages);
    free(app->hosts);
    free(app->prefixes);
    free(app);
}
