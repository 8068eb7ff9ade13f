/* SPDX-License-Identifier: Apache-2.0
 *
 * From a complete HTTP request to an app's route and back: request id, route, rate limit, the exchange
 * (lua/request.h), the answer. Runs on the worker that owns the connection. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "http/query.h"
#include "server/assume.h"
#include "server/conversation.h"
#include "server/proxy.h"
#include "server/sockets.h"

enum { NOBODY = -1, DOCS_SECONDS = 3600 };

static const char TOO_MANY[] = "Too many requests";

/* The client's id is kept when it is harmless (decision X-14), else one is made. */
static void choose_id(struct rt_conversation *c)
{
    struct rt_str given = rt_http_header(c->http, "X-Request-Id");
    static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    bool usable = given.n >= 8 && given.n <= 128;
    for (size_t i = 0; usable && i < given.n; i++)
        usable = strchr(good, given.p[i]) != NULL && given.p[i] != 0;
    if (usable) {
        memcpy(c->id, given.p, given.n);
        c->id[given.n] = 0;
        return;
    }
    static const char hex[] = "0123456789abcdef";
    uint64_t r = rt_rand64();
    for (int i = 0; i < 16; i++, r >>= 4)
        c->id[i] = hex[r & 15];
    c->id[16] = 0;
}

static struct rt_str host_name(struct rt_str host)
{
    for (size_t i = host.n; i > 0; i--) {
        if (host.p[i - 1] == ']')
            break;
        if (host.p[i - 1] == ':')
            return (struct rt_str){ host.p, i - 1 };
    }
    return host;
}

/* Links point at the host of the request, or at the configured public address. */
static void set_origin(struct rt_conversation *c, struct rt_str host)
{
    const char *public = c->worker->host->options->public_url;
    if (public && public[0]) {
        snprintf(c->origin, sizeof c->origin, "%s", public);
        return;
    }
    struct rt_str proto = rt_http_header(c->http, "X-Forwarded-Proto");
    memcpy(c->origin, "https://", 9);
    size_t n = c->proxied && rt_str_is(proto, "https") ? 8 : (memcpy(c->origin, "http://", 8), 7);
    size_t room = sizeof c->origin - n - 1;
    memcpy(c->origin + n, host.p ? host.p : "localhost", host.p ? (host.n < room ? host.n : room) : 9);
    c->origin[n + (host.p ? (host.n < room ? host.n : room) : 9)] = 0;
}

/* The peer's address, or the one that a trusted proxy saw. */
static void choose_address(struct rt_conversation *c)
{
    const char *peer = rt_http_address(c->http);
    c->proxied = rt_proxy_trusted(c->worker->host->options->trusted_proxies, peer);
    if (!c->proxied || !rt_proxy_client(rt_http_header(c->http, "X-Forwarded-For"), c->address, sizeof c->address))
        snprintf(c->address, sizeof c->address, "%s", peer);
}

static struct rt_conversation *begin(struct rt_worker *w, struct rt_http_req *req)
{
    struct rt_conversation *c = rt_http_alloc(req, sizeof *c);
    if (!c) {
        rt_http_respond(req, 503, NULL, 0);
        return NULL;
    }
    memset(c, 0, sizeof *c);
    c->worker = w;
    c->http = req;
    c->app = NOBODY;
    c->stats = &w->others;
    c->now = rt_now();
    c->started_ns = rt_http_started(req);
    rt_http_set_context(req, c);
    choose_id(c);
    choose_address(c);
    rt_log_request(c->id);
    return c;
}

static int64_t limit_count(struct rt_conversation *c, const struct rt_limit_rule *rule)
{
    int64_t count = llround((double)rule->count * c->worker->host->limit_factor);
    return count > 0 ? count : 1;
}

/* Takes one from the route's counter for this user, scope or, with id 0, address: 0 or 429. */
static int take_limit(struct rt_conversation *c, const struct rt_limit_rule *rule, char kind, int64_t id)
{
    struct rt_host *h = c->worker->host;
    struct rt_app_shared *a = &h->apps[c->app].shared;
    int n = id ? snprintf(c->limit_key, sizeof c->limit_key, "%s.%s%c%lld", a->name, rule->name, kind, (long long)id)
               : snprintf(c->limit_key, sizeof c->limit_key, "%s.%s@%s", a->name, rule->name, c->address);
    c->limit_key_n = (size_t)n < sizeof c->limit_key ? (size_t)n : sizeof c->limit_key - 1;
    c->limit = rule;
    c->limit_state =
        rt_limit_take(h->limits, c->limit_key, c->limit_key_n, limit_count(c, rule), rule->seconds, c->now);
    c->limit_taken = c->limit_state.allowed;
    return c->limit_state.allowed ? 0 : 429;
}

/* Nobody is known whose counter it could be (401), or limits are off: the headers show a full one. */
static void show_limit(struct rt_conversation *c, const struct rt_limit_rule *rule)
{
    int64_t count = c->worker->host->limit_factor > 0 ? limit_count(c, rule) : rule->count;
    c->limit = rule;
    c->limit_state = (struct rt_limit_state){
        .allowed = true, .limit = count, .remaining = count, .reset = c->now - c->now % rule->seconds + rule->seconds
    };
}

/* A token's counter is named by a keyed hash, so that no list of counters has tokens in it. */
static int64_t token_number(struct rt_conversation *c, struct rt_str token)
{
    uint64_t seed;
    memcpy(&seed, c->worker->host->apps[c->app].shared.seal_key, sizeof seed);
    uint64_t number = rt_hash64(token.p, token.n, seed) >> 1;
    return number ? (int64_t)number : 1;
}

static const struct rt_limit_rule *rule_of(struct rt_conversation *c)
{
    const struct rt_route *r = c->x.route;
    return r->limit < 0 || c->worker->host->limit_factor <= 0 ? NULL : &c->x.app->limits[r->limit];
}

static int refuse_limit(struct rt_exchange *x, int status)
{
    if (status)
        x->refusal = TOO_MANY;
    return status;
}

/* A request without a good token counts for its address where the route's limit says so. */
static int stranger(struct rt_exchange *x)
{
    struct rt_conversation *c = x->owner;
    const struct rt_limit_rule *rule = rule_of(c);
    if (!rule || rule->strangers < 0)
        return 0;
    return refuse_limit(x, take_limit(c, &x->app->limits[rule->strangers], '@', 0));
}

static int admit(struct rt_exchange *x)
{
    struct rt_conversation *c = x->owner;
    const struct rt_limit_rule *rule = rule_of(c);
    if (x->assume || !rule || rule->per == RT_PER_ADDRESS)
        return 0;
    if (!x->user_id && rule->strangers >= 0)
        return stranger(x);
    bool per_token = rule->per == RT_PER_TOKEN && x->token.p;
    return refuse_limit(x, per_token ? take_limit(c, rule, '#', token_number(c, x->token))
                                     : take_limit(c, rule, ':', x->user_id));
}

/* A kept answer is for who may still ask for it: a member who was removed is refused like anybody. */
static int allowed(struct rt_exchange *x)
{
    struct rt_conversation *c = x->owner;
    struct rt_str key = rt_http_header(c->http, "Idempotency-Key");
    unsigned method = rt_method_bit(rt_http_method(c->http));
    if (!key.p || !(method & (RT_METHOD_POST | RT_METHOD_PUT | RT_METHOD_PATCH)))
        return 0;
    int rc = rt_keyed_begin(c, key, &x->refusal);
    return rc == 1 ? RT_ANSWERED : rc;
}

/* A counter of a scope belongs to all who are in it. Until the scope has let the request in, it counted for its user
 * alone: else anybody could use up what belongs to an organization that refuses him. */
static int entered(struct rt_exchange *x)
{
    struct rt_conversation *c = x->owner;
    const struct rt_limit_rule *rule = rule_of(c);
    if (x->assume || !rule || rule->per != RT_PER_SCOPE || strcmp(rule->scope, x->route->within) != 0)
        return 0;
    rt_limit_give_back(c->worker->host->limits, c->limit_key, c->limit_key_n, limit_count(c, rule), rule->seconds,
                       c->now);
    x->refusal = TOO_MANY;
    return take_limit(c, rule, '/', x->scope_id);
}

static void ready(struct rt_exchange *x)
{
    if (x->upgrade)
        rt_sockets_accept(x->owner);
    else
        rt_keyed_finish(x->owner);
}

/* Anybody may ask for these pages and each takes milliseconds to make, so they are kept. */
static int make_docs(struct rt_conversation *c, int page, enum rt_docs_form form, struct rt_buf *out,
                     struct rt_err *err)
{
    struct rt_host *h = c->worker->host;
    char key[500];
    int n = snprintf(key, sizeof key, "docs %d %d %d %d %s", c->release->number, c->app, page, form, c->origin);
    struct rt_str name = { key, (size_t)n < sizeof key ? (size_t)n : sizeof key - 1 };
    if (rt_cache_get(h->cache, name, c->now, out))
        return 0;
    int rc = rt_app_docs(c->x.app, page, form, c->origin, out, err);
    if (rc == 0)
        rt_cache_set(h->cache, name, (struct rt_str){ out->data, out->len }, c->now + DOCS_SECONDS);
    return rc;
}

/* ?format=…, else the page; -1 for an unknown one. */
static int docs_form(struct rt_conversation *c)
{
    static const char *const names[] = {
        [RT_DOCS_HTML] = "html", [RT_DOCS_OPENAPI] = "openapi", [RT_DOCS_POSTMAN] = "postman"
    };
    struct rt_str query = rt_http_query(c->http), name, value;
    int form = RT_DOCS_HTML;
    while (rt_query_next(&query, &name, &value))
        if (rt_str_is(name, "format")) {
            form = RT_DOCS_POSTMAN;
            while (form >= 0 && !rt_str_is(value, names[form]))
                form--;
        }
    return form;
}

static void run_docs(struct rt_conversation *c, int page)
{
    int form = docs_form(c);
    if (form < 0) {
        rt_respond_error(c, 400, "format is html, openapi or postman");
        return;
    }
    struct rt_buf b;
    struct rt_err err;
    rt_buf_init(&b, 0);
    if (make_docs(c, page, (enum rt_docs_form)form, &b, &err)) {
        rt_log(RT_LOG_ERROR, "the docs page failed", "error", err.msg, NULL);
        rt_buf_fini(&b);
        rt_respond_error(c, 500, "Internal server error");
        return;
    }
    size_t n;
    char *body = rt_buf_take(&b, &n);
    rt_respond(c, 200, form == RT_DOCS_HTML ? "text/html; charset=utf-8" : "application/json", NULL, body, n);
}

static void run_route(struct rt_conversation *c)
{
    struct rt_exchange *x = &c->x;
    x->app = c->release->at[c->worker->index].app;
    x->route = &x->app->routes[c->match.route];
    x->http = c->http;
    x->match = &c->match;
    x->id = c->id;
    x->origin = c->origin;
    x->address = c->address;
    x->now = c->now;
    x->owner = c;
    x->admit = admit;
    x->stranger = stranger;
    x->entered = entered;
    x->allowed = allowed;
    x->before_commit = rt_keyed_before_commit;
    x->ready = ready;
    bool assumed = rt_assume_take(c); /* a user's limits are not for who looks after him */
    if (x->route->socket && !rt_sockets_check(c))
        return;
    const struct rt_limit_rule *rule = rule_of(c);
    if (!assumed && rule && rule->per == RT_PER_ADDRESS && take_limit(c, rule, '@', 0)) {
        rt_respond_error(c, 429, TOO_MANY);
        return;
    }
    if (x->route->limit >= 0 && !c->limit)
        show_limit(c, &x->app->limits[x->route->limit]);
    if (x->route->doc >= 0) {
        run_docs(c, x->route->doc);
        return;
    }
    c->has_exchange = true;
    rt_exchange_run(x);
}

/* From here on the request stays with the release that serves now, until it has ended. */
static void enter_release(struct rt_conversation *c, struct rt_release *r)
{
    rt_release_enter(r, c->worker->index);
    c->release = r;
    c->stats = &r->at[c->worker->index].stats[c->match.route];
}

static void preflight(struct rt_conversation *c)
{
    struct rt_str asked = rt_http_header(c->http, "Access-Control-Request-Headers");
    char headers[512] = "Authorization, Content-Type, Idempotency-Key, If-None-Match, X-Request-Id";
    if (asked.p && asked.n < sizeof headers)
        snprintf(headers, sizeof headers, "%.*s", (int)asked.n, asked.p);
    rt_http_add_header(c->http, "Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    rt_http_add_header(c->http, "Access-Control-Allow-Headers", headers);
    rt_http_add_header(c->http, "Access-Control-Max-Age", "86400");
    rt_respond(c, 204, NULL, NULL, NULL, 0);
}

static void no_method(struct rt_conversation *c)
{
    char allow[80];
    rt_method_list(c->match.methods, allow);
    rt_http_add_header(c->http, "Allow", allow);
    rt_respond_error(c, 405, "Method not allowed");
}

void rt_dispatch_request(void *worker, struct rt_http_req *req)
{
    struct rt_worker *w = worker;
    if (rt_mailbox_has_mail(w->mailbox))    /* a round may serve dozens: writes that wait do not wait for all of them */
        rt_mailbox_run(w->mailbox);
    struct rt_conversation *c = begin(w, req);
    if (!c || rt_builtin(c))
        return;
    struct rt_str host = rt_http_header(req, "Host");
    set_origin(c, host);
    struct rt_routing *routing = rt_routing_now(w->host);
    rt_router_match(routing->router, host_name(host), rt_http_method(req), rt_http_path(req), &c->match);
    c->app = c->match.app;
    if (rt_str_is(rt_http_method(req), "OPTIONS") && c->match.kind != RT_MATCH_NO_PATH) {
        preflight(c);
    } else if (c->match.kind == RT_MATCH_NO_PATH) {
        rt_respond_error(c, 404, "Resource not found");
    } else if (c->match.kind == RT_MATCH_NO_METHOD) {
        no_method(c);
    } else {
        enter_release(c, routing->release[c->app]);
        const struct rt_page *page = rt_release_page(c->release, c->match.route);
        if (page)
            rt_respond_page(c, page, host);
        else
            run_route(c);
    }
}

void rt_dispatch_refuse(void *worker, struct rt_http_req *req, int status, const char *message)
{
    struct rt_worker *w = worker;
    struct rt_conversation *c = begin(w, req);
    if (!c)
        return;
    struct rt_str path = rt_http_path(req);
    if (path.n) {
        struct rt_routing *routing = rt_routing_now(w->host);
        rt_router_match(routing->router, host_name(rt_http_header(req, "Host")), rt_http_method(req), path, &c->match);
        c->app = c->match.app;
        if (c->match.kind == RT_MATCH_ROUTE)
            enter_release(c, routing->release[c->app]);
    }
    rt_respond_error(c, status, message);
}

void rt_dispatch_ended(void *worker, void *context)
{
    struct rt_conversation *c = context;
    if (!c)
        return;
    rt_keyed_leave(c);
    free(c->waits);
    if (c->has_exchange)
        rt_exchange_fini(&c->x);
    else
        free(c->x.assume);
    if (c->release)
        rt_release_leave(c->release, ((struct rt_worker *)worker)->index);
}
