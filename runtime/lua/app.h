/* SPDX-License-Identifier: Apache-2.0
 *
 * An app as loaded into one state: its manifest checked, its routes with compiled schemas and references
 * to handlers. Read-only after rt_app_load(); belongs to the state. */
#ifndef RT_LUA_APP_H
#define RT_LUA_APP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "http/pages.h"
#include "lua/vm.h"

struct rt_schema;
struct rt_schema_set;

enum { RT_RETURNS_MAX = 6 };
enum rt_body_kind { RT_BODY_JSON, RT_BODY_NONE, RT_BODY_FILE, RT_BODY_HTML };

struct rt_returns {
    int status;
    enum rt_body_kind kind;
    const struct rt_schema *schema; /* RT_BODY_JSON */
    struct rt_schema *own;          /* the same when it is not a model */
};

struct rt_route {
    const char *method, *path, *unit, *summary, *who, *line, *can, *within;
    int limit; /* index into limits or -1 */
    int principal_ref, scope_ref, can_ref, check_ref, run_ref;
    int envelope_ref; /* of its own errors, LUA_NOREF: the app's */
    struct rt_schema *params, *query, *body;
    struct rt_returns returns[RT_RETURNS_MAX];
    int n_returns;
    bool secret, anyone;
    bool guests;        /* a request without a token comes in, too; then it has no user */
    bool form;          /* the body may be form-encoded */
    int invalid_status; /* of input that breaks its declaration */
    bool socket;        /* its handshake; then these handlers, LUA_NOREF for none */
    int open_ref, message_ref, closed_ref, timeout_ref;
    const char *token_query; /* a query parameter that may hold the token instead of the header, or NULL */
    int doc;                 /* index into docs when the host itself answers, else -1 */
    int script, rule_script, scope_script, principal_script, handler_script[RT_SCRIPT_HANDLERS]; /* in scripts */
};

/* What a counter belongs to. A scope's falls back to the user's where a route is not within that scope. */
enum rt_limit_per { RT_PER_USER, RT_PER_ADDRESS, RT_PER_TOKEN, RT_PER_SCOPE };

struct rt_limit_rule {
    const char *name;
    int64_t count, seconds;
    enum rt_limit_per per;
    const char *scope; /* RT_PER_SCOPE */
    int strangers;     /* index of the limit per address for requests without a good token, or -1 */
};

struct rt_doc_page {
    const char *path, *title, *version, *prefix;
};

struct rt_app {
    struct rt_vm *vm;
    const char *name, *title, *version;
    struct rt_route *routes;
    int n_routes;
    struct rt_limit_rule *limits;
    int n_limits;
    struct rt_doc_page *docs;
    int n_docs;
    struct rt_page_declaration *pages;
    int n_pages;
    const char *demo_login;         /* how to log in to the demo data, for a person, or NULL */
    const char **hosts, **prefixes; /* ended by NULL */
    bool trailing_slash, reset_iso;
    int invalid_status; /* of input that breaks its declaration; text that is no JSON is 400 in any case */
    int table_ref;      /* the normalised manifest */
    int envelope_ref, timers_ref, recount_ref, demo_ref, webhooks_ref;
    struct rt_schema_set *models;
    struct rt_messages *messages;
    struct rt_scripts scripts;
    int webhook_script, envelope_script;
};

/* Loads scripts/<name>/app.lua into the state. The error has every problem, with file:line. */
int rt_app_load(struct rt_vm *vm, const char *name, struct rt_app **ret, struct rt_err *err);
void rt_app_free(struct rt_app *app);

/* Fills `out` with the error envelope of the route, if it has one and gives a body, else of the app, as JSON. `route`
 * may be NULL. `code` NULL: from the manifest's codes. `details`: a registry reference or LUA_NOREF. Falls back to a
 * plain envelope when the functions fail. */
void rt_app_envelope(struct rt_app *app, const struct rt_route *route, int status, const char *code,
                     const char *message, int details_ref, const char *request_id, struct rt_buf *out);
const char *rt_app_code(struct rt_app *app, int status, char *out, size_t size);

enum rt_docs_form { RT_DOCS_HTML, RT_DOCS_OPENAPI, RT_DOCS_POSTMAN };

/* The page, the OpenAPI document or the Postman collection of docs[i], with i -1 of the whole app. `origin`
 * "http://host" for the servers list. */
int rt_app_docs(struct rt_app *app, int i, enum rt_docs_form form, const char *origin, struct rt_buf *out,
                struct rt_err *err);
/* Appends the routes as members of a JSON array, for `perigee routes --json`. */
int rt_app_routes_json(struct rt_app *app, struct rt_buf *out, struct rt_err *err);

#endif
