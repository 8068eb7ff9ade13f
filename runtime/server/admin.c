/* SPDX-License-Identifier: Apache-2.0
 *
 * The releases over HTTP, for a deployment that has no shell on the machine: POST /admin/reload and
 * GET /admin/status with `Authorization: Bearer <--admin-token>`. Without that setting they do not exist. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "crypto/hash.h"
#include "server/conversation.h"
#include "server/releaser.h"

/* A request that waits for a release. It stays where it is until it is answered. */
struct waiting {
    struct rt_reload reload;
    struct rt_message message;
    struct rt_conversation *c;
    int status;
    char *text;
};

static void refuse(struct rt_conversation *c, int status, const char *code, const char *message)
{
    char body[300];
    snprintf(body, sizeof body, "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}", code, message);
    rt_respond_text(c, status, "application/json", body);
}

static bool is_admin(struct rt_conversation *c)
{
    static const char scheme[] = "bearer ";
    const char *token = c->worker->host->options->admin_token;
    struct rt_str given = rt_http_header(c->http, "Authorization");
    size_t n = sizeof scheme - 1;
    return given.n > n && strncasecmp(given.p, scheme, n) == 0 &&
           rt_equal_constant_time(given.p + n, given.n - n, token, strlen(token));
}

static void show_status(struct rt_conversation *c)
{
    struct rt_buf out;
    rt_buf_init(&out, 0);
    rt_releaser_status(c->worker->host, true, &out);
    rt_http_add_header(c->http, "Cache-Control", "no-store");
    rt_respond_text(c, 200, "application/json", rt_buf_cstr(&out));
    rt_buf_fini(&out);
}

/* On the request's worker. */
static void answer(struct rt_message *m)
{
    struct waiting *w = (struct waiting *)((char *)m - offsetof(struct waiting, message));
    struct rt_host *h = w->c->worker->host;
    const char *text = w->text ? w->text : "";
    int status = w->status == 0 ? 200 : atomic_load(&h->draining) ? 503 : 409;
    struct rt_buf out;
    rt_buf_init(&out, 0);
    rt_buf_printf(&out, "{\"release\":%d,", rt_release_number(h));
    rt_buf_puts(&out, status == 200 ? "\"message\":" : "\"error\":{\"code\":\"RELEASE_REFUSED\",\"message\":");
    rt_json_put_string(&out, text, strlen(text));
    rt_buf_puts(&out, status == 200 ? "}" : "}}");
    rt_respond_text(w->c, status, "application/json", rt_buf_cstr(&out));
    rt_buf_fini(&out);
    free(w->text);
    free(w);
}

static void done(struct rt_reload *reload, int status, const char *text)
{
    struct waiting *w = (struct waiting *)reload;
    w->status = status;
    w->text = strdup(text);
    w->message.run = answer;
    rt_loop_post(w->c->worker->loop, &w->message);
}

static void reload(struct rt_conversation *c)
{
    struct waiting *w = calloc(1, sizeof *w);
    if (!w) {
        refuse(c, 503, "UNAVAILABLE", "No memory");
        return;
    }
    w->c = c;
    w->reload.done = done;
    snprintf(w->reload.who, sizeof w->reload.who, "http %s", c->address);
    rt_releaser_ask(c->worker->host, &w->reload);
}

bool rt_admin(struct rt_conversation *c)
{
    const char *token = c->worker->host->options->admin_token;
    struct rt_str path = rt_http_path(c->http);
    bool reloads = rt_str_is(path, "/admin/reload");
    if (!token || !token[0] || (!reloads && !rt_str_is(path, "/admin/status")))
        return false;
    if (!is_admin(c)) {
        rt_http_add_header(c->http, "WWW-Authenticate", "Bearer");
        refuse(c, 401, "UNAUTHORIZED", "The admin token is missing or wrong");
    } else if (!rt_str_is(rt_http_method(c->http), reloads ? "POST" : "GET")) {
        rt_http_add_header(c->http, "Allow", reloads ? "POST" : "GET");
        refuse(c, 405, "METHOD_NOT_ALLOWED", "Method not allowed");
    } else if (reloads) {
        reload(c);
    } else {
        show_status(c);
    }
    return true;
}
