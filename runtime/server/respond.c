/* SPDX-License-Identifier: Apache-2.0
 *
 * Sends answers with the headers that every app's answers have: request id, CORS, rate limit, entity
 * tag; counts them and writes the access log. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "http/query.h"
#include "server/conversation.h"
#include "server/recent.h"
#include "server/releaser.h"

static const char RELEASE_HEADER[] = "X-Perigee-Release";

static void add(struct rt_conversation *c, const char *name, const char *value)
{
    rt_http_add_header(c->http, name, value);
}

bool rt_origin_allowed(const char *allowed, struct rt_str origin)
{
    if (strcmp(allowed, "*") == 0)
        return true;
    for (const char *p = allowed; *p;) {
        size_t n = strcspn(p, ", ");
        if (n == origin.n && strncmp(p, origin.p, n) == 0)
            return true;
        p += n;
        p += strspn(p, ", ");
    }
    return false;
}

/* Answers are the same for every origin, so that `*` or the configured origin is enough (decision X-10). */
static void add_cors(struct rt_conversation *c)
{
    struct rt_str origin = rt_http_header(c->http, "Origin");
    const char *allowed = c->worker->host->options->cors_origins;
    if (!origin.p || !allowed || !allowed[0])
        return;
    char value[300];
    if (strcmp(allowed, "*") == 0) {
        snprintf(value, sizeof value, "*");
    } else {
        add(c, "Vary", "Origin");
        if (!rt_origin_allowed(allowed, origin))
            return;
        snprintf(value, sizeof value, "%.*s", (int)origin.n, origin.p);
    }
    add(c, "Access-Control-Allow-Origin", value);
    add(c, "Access-Control-Expose-Headers",
        "X-Request-Id, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After, ETag, "
        "Idempotent-Replayed, X-Perigee-Release");
}

static void add_limit(struct rt_conversation *c, int status)
{
    char text[32];
    if (!c->limit)
        return;
    text[rt_int_text(c->limit_state.limit, text)] = 0;
    add(c, "X-RateLimit-Limit", text);
    text[rt_int_text(c->limit_state.remaining, text)] = 0;
    add(c, "X-RateLimit-Remaining", text);
    if (c->x.app && c->x.app->reset_iso)
        rt_iso_write(c->limit_state.reset, text), text[RT_ISO_LEN] = 0;
    else
        text[rt_int_text(c->limit_state.reset, text)] = 0;
    add(c, "X-RateLimit-Reset", text);
    if (status == 429) {
        int64_t wait = c->limit_state.reset - c->now;
        text[rt_int_text(wait > 0 ? wait : 1, text)] = 0;
        add(c, "Retry-After", text);
    }
}

/* True when the client has this very answer already. */
static bool tag_matches(struct rt_str given, const char *tag)
{
    size_t n = strlen(tag);
    const char *p = given.p, *end = given.p + given.n;
    if (!p)
        return false;
    if (rt_str_is(rt_str_trim(given), "*"))
        return true;
    for (; p + n <= end; p++)
        if (memcmp(p, tag, n) == 0)
            return true;
    return false;
}

static bool is_read(struct rt_conversation *c)
{
    struct rt_str m = rt_http_method(c->http);
    return rt_str_is(m, "GET") || rt_str_is(m, "HEAD");
}

/* Adds the entity tag; a match becomes 304 and gives the quota back (decision X-14). */
static int tag_answer(struct rt_conversation *c, int status, const char *type, const char *body, size_t n)
{
    if (status != 200 || c->app < 0 || !type || strncmp(type, "application/json", 16) != 0 || !is_read(c))
        return status;
    char tag[40];
    tag[0] = '"';
    rt_hash128_hex(body, n, tag + 1);
    tag[33] = '"';
    tag[34] = 0;
    add(c, "ETag", tag);
    if (!tag_matches(rt_http_header(c->http, "If-None-Match"), tag))
        return status;
    if (c->limit && c->limit_taken)
        c->limit_state = rt_limit_give_back(c->worker->host->limits, c->limit_key, c->limit_key_n, c->limit_state.limit,
                                            c->limit->seconds, c->now);
    return 304;
}

static void write_access(struct rt_conversation *c, int status, size_t n, uint64_t ns)
{
    struct rt_buf *b = &c->worker->access;
    struct rt_str m = rt_http_method(c->http), p = rt_http_path(c->http);
    char time[RT_ISO_LEN];
    rt_iso_write(rt_now(), time);
    if (rt_log_json()) {
        rt_buf_printf(
            b, "{\"time\":\"%.20s\",\"level\":\"info\",\"message\":\"request\",\"request_id\":\"%s\",\"method\":", time,
            c->id);
        rt_json_put_string(b, m.p, m.n);
        rt_buf_puts(b, ",\"path\":");
        rt_json_put_string(b, p.p, p.n);
        rt_buf_printf(b, ",\"status\":%d,\"bytes\":%zu,\"ms\":%.3f,\"address\":\"%s\",\"user\":%lld}\n", status, n,
                      (double)ns / 1e6, c->address, (long long)c->x.user_id);
    } else {
        rt_buf_printf(b, "%.20s info  request %.*s %.*s %d %zuB %.2fms id=%s\n", time, (int)m.n, m.p, (int)p.n, p.p,
                      status, n, (double)ns / 1e6, c->id);
    }
    if (b->len > 32768) {
        rt_log_raw(b->data, b->len);
        rt_buf_reset(b);
    }
}

static void count(struct rt_conversation *c, int status, size_t n)
{
    uint64_t ns = rt_mono_ns() - c->started_ns;
    rt_metrics_count(c->stats, status, ns, c->has_exchange ? c->x.call.parked_ns : 0);
    rt_recent_add(c, status, ns);
    if (c->worker->host->options->access_log)
        write_access(c, status, n, ns);
}

/* A name beyond ASCII is given twice (RFC 6266): for old readers with _ in its place. */
static void add_file_name(struct rt_conversation *c, const char *name)
{
    char value[700], plain[128];
    bool ascii = true;
    size_t n = 0;
    for (; name[n] && n + 1 < sizeof plain; n++) {
        bool fits = (unsigned char)name[n] < 0x80;
        plain[n] = (char)(fits ? name[n] : '_');
        ascii = ascii && fits;
    }
    plain[n] = 0;
    struct rt_buf encoded;
    rt_buf_init(&encoded, 512);
    if (!ascii)
        rt_percent_encode(&encoded, rt_str_of(name));
    snprintf(value, sizeof value, "attachment; filename=\"%s\"%s%s", plain, ascii ? "" : "; filename*=UTF-8''",
             rt_buf_cstr(&encoded));
    rt_buf_fini(&encoded);
    add(c, "Content-Disposition", value);
}

/* Which scripts made the answer; for those who ask. */
static void add_release(struct rt_conversation *c)
{
    char text[32];
    text[rt_int_text(c->release ? c->release->number : rt_release_number(c->worker->host), text)] = 0;
    add(c, RELEASE_HEADER, text);
}

/* RFC 6750, 3: what is wanted, and whether something of the kind was given. */
static const char *challenge(struct rt_conversation *c)
{
    bool given = rt_bearer(rt_http_header(c->http, "Authorization")).p != NULL;
    return given ? "Bearer error=\"invalid_token\"" : "Bearer";
}

/* The headers that every answer has. */
static void add_headers(struct rt_conversation *c, int status, const char *type, const char *file_name)
{
    add(c, "X-Request-Id", c->id);
    add_cors(c);
    add_limit(c, status);
    if (type && type[0] && status != 304)
        add(c, "Content-Type", type);
    if (file_name && file_name[0])
        add_file_name(c, file_name);
    if (c->replayed)
        add(c, "Idempotent-Replayed", "true");
    if (status == 503)
        add(c, "Retry-After", "1");
    if (status == 401 && c->has_exchange && !c->x.route->anyone)
        add(c, "WWW-Authenticate", challenge(c));
    if (rt_http_header(c->http, RELEASE_HEADER).p)
        add_release(c);
}

void rt_respond(struct rt_conversation *c, int status, const char *type, const char *file_name, char *body, size_t n)
{
    status = tag_answer(c, status, type, body, n);
    add_headers(c, status, type, file_name);
    if (status == 204 || status == 205) { /* a 304 announces the length of what it stands for */
        free(body);
        body = NULL;
        n = 0;
    }
    count(c, status, n);
    rt_log_request(NULL);
    rt_http_respond(c->http, status, body, n);
}

void rt_respond_page(struct rt_conversation *c, const struct rt_page *page, struct rt_str host)
{
    char policy[RT_PAGE_POLICY_MAX];
    rt_page_policy(host, policy);
    add(c, "ETag", page->tag);
    add(c, "Cache-Control", "no-cache"); /* kept by browsers, but asked for again with the tag */
    add(c, "Content-Security-Policy", policy);
    add(c, "X-Content-Type-Options", "nosniff");
    add(c, "Referrer-Policy", "no-referrer");
    bool same = tag_matches(rt_http_header(c->http, "If-None-Match"), page->tag);
    char *body = malloc(page->n + 1);
    if (!body) {
        rt_respond(c, 503, NULL, NULL, NULL, 0);
        return;
    }
    memcpy(body, page->data, page->n);
    rt_respond(c, same ? 304 : 200, page->type, NULL, body, page->n);
}

void rt_respond_switched(struct rt_conversation *c)
{
    count(c, 101, 0);
    rt_log_request(NULL);
}

static const char *plain_code(int status)
{
    switch (status) {
    case 400: return "BAD_REQUEST";
    case 404: return "NOT_FOUND";
    case 405: return "METHOD_NOT_ALLOWED";
    case 413: return "PAYLOAD_TOO_LARGE";
    default: return status >= 500 ? "INTERNAL_ERROR" : "BAD_REQUEST";
    }
}

/* The route that was meant, whose errors may have a form of their own; NULL for none and for a page. */
static const struct rt_route *route_of(struct rt_conversation *c)
{
    bool found = c->release && !rt_release_page(c->release, c->match.route);
    return found ? &c->release->at[c->worker->index].app->routes[c->match.route] : NULL;
}

void rt_respond_error(struct rt_conversation *c, int status, const char *message)
{
    struct rt_buf b;
    rt_buf_init(&b, 1 << 20);
    if (c->app >= 0) {
        struct rt_release *r = c->release ? c->release : rt_routing_now(c->worker->host)->release[c->app];
        struct rt_app *app = r->at[c->worker->index].app;
        rt_app_envelope(app, route_of(c), status, NULL, message, -2, c->id, &b);
    } else {
        rt_buf_printf(&b, "{\"error\":{\"code\":\"%s\",\"message\":", plain_code(status));
        rt_json_put_string(&b, message, strlen(message));
        rt_buf_puts(&b, "}}");
    }
    size_t n;
    char *body = rt_buf_take(&b, &n);
    rt_buf_fini(&b);
    rt_respond(c, status, "application/json", NULL, body, n);
}

/* "Name: value\n" each. */
static void add_own_headers(struct rt_conversation *c)
{
    char *p = c->x.headers.len ? (char *)rt_buf_cstr(&c->x.headers) : NULL;
    for (char *value, *end; p && (end = strchr(p, '\n')); p = end + 1) {
        *end = 0;
        value = strchr(p, ':');
        *value = 0;
        add(c, p, value + 2);
    }
}

void rt_respond_exchange(struct rt_conversation *c)
{
    add_own_headers(c);
    if (c->x.route->secret)
        add(c, "Cache-Control", "no-store");
    if (c->x.file_fd >= 0) {
        add_headers(c, c->x.status, c->x.content_type, c->x.file_name);
        count(c, c->x.status, c->x.file_size);
        rt_log_request(NULL);
        int fd = c->x.file_fd;
        c->x.file_fd = -1;
        rt_http_respond_file(c->http, c->x.status, fd, c->x.file_size);
        return;
    }
    size_t n = c->x.body.len;
    char *body = rt_buf_take(&c->x.body, &n);
    rt_respond(c, c->x.status, c->x.content_type, c->x.file_name, body, n);
}
