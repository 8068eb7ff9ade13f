/* SPDX-License-Identifier: Apache-2.0
 *
 * A request's way through libmicrohttpd: on_uri (request line), on_access (head, body pieces, end),
 * on_completed. An answer in the first call of on_access would close the connection, so only refusals
 * are given there. When the handler answers at once the answer is queued in the same call; otherwise
 * the connection is suspended. The library's own reading of the query is switched off by hiding it:
 * it is wasted work, and many arguments exhaust its pool, whereupon it closes without an answer. */
#include <string.h>

#include "base/clock.h"
#include "http/http_internal.h"

enum { FIRST_BODY = 64 * 1024 };

/* The library splits the query into arguments after this call; `uri` lies in its buffer and is followed
 * by the version. A NUL inside the target is refused later, but its arguments must be hidden, too. */
static void hide_query(struct rt_http_req *req, char *uri)
{
    for (char *s = uri;; s += strlen(s) + 1) {
        char *mark = strchr(s, '?');
        if (mark) {
            req->hidden_at = mark + 1;
            req->hidden = mark[1];
            mark[1] = '\0';
            return;
        }
        if (memcmp(s + strlen(s) + 1, "HTTP/1.", 7) == 0)
            return;
    }
}

void *http__on_uri(void *cls, const char *uri, struct MHD_Connection *mhd)
{
    struct rt_http *h = cls;
    struct http_conn *conn = http__conn_of(mhd);
    struct rt_http_req *req = conn && uri ? http__req_new(h) : NULL;
    if (!req)
        return NULL; /* on_access() closes the connection */
    req->conn = conn;
    req->mhd = mhd;
    req->started = h->now = rt_mono_ns();
    req->target.p = uri;
    hide_query(req, (char *)uri);
    http__conn_busy(conn, req);
    return req;
}

/* Nothing is decoded here. */
size_t http__on_unescape(void *cls, struct MHD_Connection *mhd, char *text)
{
    (void)cls, (void)mhd;
    return strlen(text);
}

static enum MHD_Result refuse(struct rt_http_req *req, int status, const char *why)
{
    struct rt_http *h = req->http;
    req->phase = HTTP_HANDED;
    req->refused = true;
    rt_buf_fini(&req->body);
    http__conn_waits(req->conn);
    h->active++;
    h->handler.refuse(h->handler.arg, req, status, why);
    return req->queued ? MHD_YES : MHD_NO;
}

static enum MHD_Result take_head(struct rt_http_req *req, const char *method, const char *version)
{
    const char *why;
    int status = http__check_head(req, method, version, &why);
    if (status)
        return refuse(req, status, why);
    req->phase = HTTP_BODY;
    return MHD_YES;
}

/* The library cannot answer in the middle of a body, so the rest of one that is too large is read and dropped. */
static enum MHD_Result take_body(struct rt_http_req *req, const char *data, size_t n)
{
    struct rt_buf *body = &req->body;
    if (req->oversized)
        return MHD_YES;
    if (n > req->http->limits.body_bytes - body->len) {
        req->oversized = true;
        rt_buf_fini(body);
        return MHD_YES;
    }
    if (body->len == 0)
        rt_buf_grow(body, req->length < FIRST_BODY ? (size_t)req->length : FIRST_BODY);
    rt_buf_put(body, data, n);
    return body->failed ? MHD_NO : MHD_YES;
}

/* The connection's timeout differs from the daemon's for two reasons: the library serves such
 * connections before it reads from them again, which spares a needless read and keeps a client that
 * has shut down its sending side from being taken for gone; rt_http_run() sets it back. */
static void park(struct rt_http_req *req)
{
    struct rt_http *h = req->http;
    req->parked = true;
    http__list_append(&h->parked, &req->link);
    MHD_suspend_connection(req->mhd);
    MHD_set_connection_option(req->mhd, MHD_CONNECTION_OPTION_TIMEOUT, h->limits.idle_seconds + 1);
}

static enum MHD_Result hand_over(struct rt_http_req *req)
{
    struct rt_http *h = req->http;
    if (req->oversized)
        return refuse(req, 413, "The body is too large.");
    req->phase = HTTP_HANDED;
    http__conn_waits(req->conn);
    h->active++;
    h->handler.request(h->handler.arg, req);
    if (req->answered)
        return req->queued ? MHD_YES : MHD_NO;
    park(req);
    return MHD_YES;
}

enum MHD_Result http__on_access(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
                                const char *version, const char *data, size_t *size, void **context)
{
    struct rt_http_req *req = *context;
    (void)cls, (void)mhd, (void)url;
    if (!req)
        return MHD_NO;
    if (req->phase == HTTP_HEAD)
        return take_head(req, method, version);
    if (req->phase == HTTP_HANDED)
        return req->queued ? MHD_YES : MHD_NO;
    if (*size == 0)
        return hand_over(req);
    size_t n = *size;
    *size = 0;
    return take_body(req, data, n);
}

void http__end(struct rt_http_req *req)
{
    struct rt_http *h = req->http;
    if (req->phase == HTTP_HANDED) {
        if (!req->answered)
            h->active--;
        h->handler.ended(h->handler.arg, req->context);
    }
    http__conn_idle(req->conn);
    http__req_free(req);
}

void http__on_completed(void *cls, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code)
{
    struct rt_http *h = cls;
    struct rt_http_req *req = *context;
    if (!req)
        return;
    *context = NULL;
    if (req->parked)
        MHD_set_connection_option(mhd, MHD_CONNECTION_OPTION_TIMEOUT, h->limits.idle_seconds);
    req->conn->answered = req->taken || (code == MHD_REQUEST_TERMINATED_COMPLETED_OK && !req->refused);
    http__end(req);
}
