/* SPDX-License-Identifier: Apache-2.0
 *
 * What a client sends is decoded and checked here, all of it before anything is said about a part: violations of
 * query, body and the route's own check come together. */
#include "lua/input.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "http/query.h"
#include "lua/api.h"
#include "lua/schema.h"

enum { JSON_DEPTH = 32 };

/* A validation failure with the table of messages at the top of the stack as details. */
static int raise_invalid(lua_State *L, int status)
{
    lua_createtable(L, 0, 3);
    lua_insert(L, -2);
    lua_setfield(L, -2, "details");
    lua_pushinteger(L, status);
    lua_setfield(L, -2, "status");
    lua_pushliteral(L, "Invalid input data");
    lua_setfield(L, -2, "message");
    return lua_error(L);
}

/* Pushes a decoded piece of a URL; raises a failure with `status` when its encoding is broken. */
void rt_push_decoded(lua_State *L, struct rt_str s, bool plus, int status)
{
    luaL_Buffer b;
    char *out = luaL_buffinitsize(L, &b, s.n + 1);
    long n = rt_percent_decode(s, plus, out);
    if (n < 0)
        rt_raise_failure(L, status, NULL, status == 404 ? "Resource not found" : "Malformed percent-encoding");
    luaL_pushresultsize(&b, (size_t)n);
}

/* The names of the path's parameters stand in the route's path, the values in the match. */
static void push_path_params(lua_State *L, const struct rt_exchange *x)
{
    lua_createtable(L, 0, x->match->params);
    const char *p = x->route->path;
    for (int i = 0; i < x->match->params; i++) {
        p = strchr(p, '{') + 1;
        lua_pushlstring(L, p, strcspn(p, "}"));
        rt_push_decoded(L, x->match->param[i], false, 404);
        lua_rawset(L, -3);
    }
}

static void push_query(lua_State *L, struct rt_str query)
{
    struct rt_str name, value;
    lua_newtable(L);
    while (rt_query_next(&query, &name, &value)) {
        rt_push_decoded(L, name, true, 400);
        rt_push_decoded(L, value, true, 400);
        lua_rawset(L, -3);
    }
}

/* A list of messages of one: what a field has in `details`. */
static void push_message(lua_State *L, const char *message)
{
    lua_createtable(L, 1, 0);
    lua_pushstring(L, message);
    lua_rawseti(L, -2, 1);
}

/* With a status of its own for what breaks the declarations, text that cannot be read at all is another failure. */
static int invalid_body(lua_State *L, const char *message)
{
    if (rt_vm_of(L)->app->invalid_status != 400)
        return rt_raise_failure(L, 400, NULL, message);
    lua_createtable(L, 0, 1);
    push_message(L, message);
    lua_setfield(L, -2, "non_field_errors");
    return raise_invalid(L, 400);
}

/* Pushes the decoded body; an empty one counts as {} (decision X-6). */
void rt_push_json(lua_State *L, struct rt_str text)
{
    struct rt_err err;
    char first = 0;
    if (rt_str_trim(text).n == 0) {
        lua_newtable(L);
        return;
    }
    if (rt_json_check(text.p, text.n, JSON_DEPTH, &first, &err)) {
        char message[sizeof err.msg + 40];
        snprintf(message, sizeof message, "The body is not valid JSON: %s.", err.msg);
        invalid_body(L, message);
    }
    if (first != '{')
        invalid_body(L, "A JSON object is required.");
    lua_getfield(L, LUA_REGISTRYINDEX, "rt.cjson");
    lua_getfield(L, -1, "decode");
    lua_pushlstring(L, text.p, text.n);
    lua_call(L, 1, 1);
    lua_remove(L, -2);
}

static bool starts(struct rt_str s, const char *word)
{
    size_t n = strlen(word);
    return s.n >= n && strncasecmp(s.p, word, n) == 0;
}

/* Whether the body says of itself that it is a form; raises for one in another charset than UTF-8. */
static bool is_form(lua_State *L, const struct rt_http_req *http)
{
    static const char type[] = "application/x-www-form-urlencoded";
    struct rt_str given = rt_str_trim(rt_http_header(http, "Content-Type"));
    if (!given.p || !starts(given, type))
        return false;
    struct rt_str rest = rt_str_trim((struct rt_str){ given.p + sizeof type - 1, given.n - (sizeof type - 1) });
    if (rest.n > 0 && rest.p[0] != ';')
        return false;
    while (rest.n > 0) {
        rest = rt_str_trim((struct rt_str){ rest.p + 1, rest.n - 1 });
        struct rt_str utf8 = { rest.p + 8, rest.n > 8 ? rest.n - 8 : 0 };
        if (starts(rest, "charset=") && !starts(utf8, "utf-8") && !starts(utf8, "\"utf-8\""))
            invalid_body(L, "Only the charset UTF-8 is understood.");
        while (rest.n > 0 && rest.p[0] != ';')
            rest = (struct rt_str){ rest.p + 1, rest.n - 1 };
    }
    return true;
}

/* Pushes the fields of a form. Of a name that occurs twice nobody knows which value is meant: a violation, counted. */
static int push_form(lua_State *L, struct rt_str text, int errors)
{
    struct rt_str name, value;
    int repeated = 0;
    lua_newtable(L);
    while (rt_query_next(&text, &name, &value)) {
        rt_push_decoded(L, name, true, 400);
        lua_pushvalue(L, -1);
        if (lua_rawget(L, -3) != LUA_TNIL) {
            lua_pop(L, 1);
            push_message(L, "This field was given more than once.");
            lua_rawset(L, errors);
            repeated++;
            continue;
        }
        lua_pop(L, 1);
        rt_push_decoded(L, value, true, 400);
        lua_rawset(L, -3);
    }
    return repeated;
}

/* Adds the messages at the top of the stack to the table at `errors`. */
static void merge(lua_State *L, int errors)
{
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, errors);
    }
    lua_pop(L, 1);
}

/* req[field] = the checked value, without what is in error; violations go to the table at `errors`. */
static int check_part(lua_State *L, struct rt_exchange *x, int req, const char *field, const struct rt_schema *schema,
                      int source, int errors)
{
    int bad = rt_schema_check_all(L, schema, -1, source, x->app->messages);
    lua_setfield(L, req, field);
    if (bad)
        merge(L, errors);
    else
        lua_pop(L, 1);
    lua_pop(L, 1);
    return bad;
}

int rt_input_add(lua_State *L, int errors)
{
    int n = 0;
    if (!lua_toboolean(L, -1))
        return lua_pop(L, 1), 0;
    luaL_checktype(L, -1, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, -2); n++) {
        if (lua_type(L, -1) == LUA_TSTRING) {
            lua_createtable(L, 1, 0);
            lua_insert(L, -2);
            lua_rawseti(L, -2, 1);
        }
        lua_pushvalue(L, -2);
        if (lua_rawget(L, errors) == LUA_TNIL) { /* what the types say of a field comes first */
            lua_pushvalue(L, -3);
            lua_pushvalue(L, -3);
            lua_rawset(L, errors);
        }
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
    return n;
}

void rt_input_params(lua_State *L, struct rt_exchange *x, int req)
{
    const struct rt_route *r = x->route;
    if (!r->params)
        return;
    push_path_params(L, x);
    if (rt_schema_check(L, r->params, -1, RT_SOURCE_TEXT, x->app->messages))
        rt_raise_failure(L, 404, NULL, "Resource not found");
    lua_remove(L, -2);
    lua_setfield(L, req, "params");
}

int rt_input_read(lua_State *L, struct rt_exchange *x, int req)
{
    const struct rt_route *r = x->route;
    int bad = 0;
    if (!r->query && !r->body && r->check_ref == LUA_NOREF)
        return 0;
    lua_newtable(L);
    int errors = lua_gettop(L);
    if (r->query) {
        push_query(L, rt_http_query(x->http));
        bad += check_part(L, x, req, "query", r->query, RT_SOURCE_TEXT, errors);
    }
    if (r->body) {
        bool form = r->form && is_form(L, x->http);
        if (form)
            bad += push_form(L, rt_http_body(x->http), errors);
        else
            rt_push_json(L, rt_http_body(x->http));
        bad += check_part(L, x, req, "body", r->body, form ? RT_SOURCE_TEXT : RT_SOURCE_JSON, errors);
    }
    return bad;
}

void rt_input_judge(lua_State *L, const struct rt_exchange *x)
{
    if (x->violations)
        raise_invalid(L, x->route->invalid_status);
}
