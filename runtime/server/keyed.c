/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests with an Idempotency-Key. The outcome of one that wrote something is kept in its own
 * transaction; that of one that was refused or wrote nothing gets a transaction of its own before the
 * answer leaves, so a client that saw an answer will see the same one again. That holds for files too: they
 * are answered from memory here, and one that is too long to be kept is an error before anything is stored. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "crypto/hash.h"
#include "server/conversation.h"

struct rt_keyed {
    struct rt_conversation *c;
    struct rt_tx tx;
    bool kept;
    char body_hash[65];
    size_t scope_n, key_n;
    char key[256];
    char scope[];
};

static struct rt_str scope_of(const struct rt_keyed *k) { return (struct rt_str){ k->scope, k->scope_n }; }

static struct rt_str key_of(const struct rt_keyed *k) { return (struct rt_str){ k->key, k->key_n }; }

static bool printable(struct rt_str s)
{
    if (s.n < 1 || s.n > 255)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x20 || s.p[i] > 0x7e)
            return false;
    return true;
}

/* Where the host knows nobody a route may still look at the credentials that came along: they belong to the request. */
static void hash_request(const struct rt_conversation *c, struct rt_str body, char out[65])
{
    uint8_t digest[32];
    struct rt_str credentials = rt_http_header(c->http, "Authorization");
    if (c->x.user_id == 0 && credentials.p)
        rt_hmac_sha256(credentials.p, credentials.n, body.p ? body.p : "", body.n, digest);
    else
        rt_sha256(body.p ? body.p : "", body.n, digest);
    rt_hex(digest, 32, out);
}

static struct rt_keyed *new_keyed(struct rt_conversation *c, struct rt_str key)
{
    struct rt_str method = rt_http_method(c->http), path = rt_http_path(c->http), body = rt_http_body(c->http);
    size_t room = path.n + method.n + 80;
    struct rt_keyed *k = rt_http_alloc(c->http, sizeof *k + room);
    if (!k)
        return NULL;
    memset(k, 0, sizeof *k);
    k->c = c;
    if (path.n > 1 && path.p[path.n - 1] == '/') /* both forms of a path are one resource */
        path.n--;
    int n = c->x.user_id
                ? snprintf(k->scope, room, "%lld %.*s %.*s", (long long)c->x.user_id, (int)method.n, method.p,
                           (int)path.n, path.p)
                : snprintf(k->scope, room, "@%s %.*s %.*s", c->address, (int)method.n, method.p, (int)path.n, path.p);
    k->scope_n = (size_t)n < room ? (size_t)n : room - 1;
    memcpy(k->key, key.p, key.n);
    k->key_n = key.n;
    hash_request(c, body, k->body_hash);
    return k;
}

static int replay(struct rt_conversation *c, struct rt_outcome *o)
{
    c->x.status = o->status;
    snprintf(c->x.content_type, sizeof c->x.content_type, "%s", o->content_type);
    snprintf(c->x.file_name, sizeof c->x.file_name, "%s", o->file_name);
    rt_buf_reset(&c->x.body);
    rt_buf_put(&c->x.body, o->body.data, o->body.len);
    rt_buf_put(&c->x.headers, o->headers.data, o->headers.len);
    c->replayed = true;
    return 1;
}

int rt_keyed_begin(struct rt_conversation *c, struct rt_str key, const char **ret_message)
{
    struct rt_hosted *app = &c->worker->host->apps[c->app];
    char code[64];
    if (!printable(key)) {
        *ret_message = "Idempotency-Key must be 1 to 255 printable characters";
        return 400;
    }
    struct rt_keyed *k = new_keyed(c, key);
    if (!k)
        return 503;
    if (!rt_idempotency_enter(app->idempotency, scope_of(k), key_of(k))) {
        *ret_message = "A request with this Idempotency-Key is still running";
        return 409;
    }
    c->keyed = k;
    c->x.keep_body = true;
    struct rt_outcome o = { 0 };
    struct rt_err err;
    rt_buf_init(&o.body, 0);
    rt_buf_init(&o.headers, 0);
    /* Whoever had the key a moment ago may have committed after this turn began to read. */
    struct rt_conn *conn = rt_vm_conn_now(c->x.app->vm, c->x.call.co);
    int rc = rt_idempotency_find(conn, scope_of(k), key_of(k), k->body_hash, app->shared.seal_key, c->now, &o, &err);
    if (rc == 1) {
        k->kept = true;
        rc = replay(c, &o);
    } else if (rc == RT_E_INVALID) {
        k->kept = true;
        *ret_message = "This Idempotency-Key was used with another body";
        rc = strcmp(rt_app_code(c->x.app, 422, code, sizeof code), "ERROR") == 0 ? 400 : 422;
    } else if (rc < 0) {
        rt_log(RT_LOG_ERROR, "kept outcomes cannot be read", "error", err.msg, NULL);
        rc = 503;
    }
    rt_buf_fini(&o.body);
    rt_buf_fini(&o.headers);
    return rc;
}

static bool to_be_kept(const struct rt_conversation *c)
{
    int s = c->x.status;
    return c->keyed && !c->keyed->kept && s < 500 && s != 429 && s != 401;
}

static int keep(struct rt_conversation *c, struct rt_conn *conn)
{
    struct rt_keyed *k = c->keyed;
    struct rt_err err;
    struct rt_outcome o = { .status = c->x.status, .body = c->x.body, .headers = c->x.headers };
    snprintf(o.content_type, sizeof o.content_type, "%s", c->x.content_type);
    snprintf(o.file_name, sizeof o.file_name, "%s", c->x.file_name);
    int rc = rt_idempotency_keep(conn, scope_of(k), key_of(k), k->body_hash,
                                 c->worker->host->apps[c->app].shared.seal_key, c->now, &o, &err);
    if (rc)
        rt_log(RT_LOG_ERROR, "an outcome cannot be kept", "error", err.msg, NULL);
    else
        k->kept = true;
    return rc;
}

int rt_keyed_before_commit(struct rt_exchange *x, struct rt_conn *conn)
{
    struct rt_conversation *c = x->owner;
    return to_be_kept(c) ? keep(c, conn) : 0;
}

static struct rt_keyed *keyed_of(struct rt_tx *tx)
{
    return (struct rt_keyed *)((char *)tx - offsetof(struct rt_keyed, tx));
}

static void leave_and_respond(struct rt_keyed *k, int code)
{
    struct rt_conversation *c = k->c;
    if (code)
        rt_exchange_fail(&c->x, 503, NULL, "The outcome could not be stored", -2);
    rt_keyed_leave(c);
    rt_respond_exchange(c);
}

static void kept(struct rt_tx *tx, int code) { leave_and_respond(keyed_of(tx), code); }

static void granted(struct rt_tx *tx)
{
    struct rt_keyed *k = keyed_of(tx);
    struct rt_writer *w = k->c->worker->host->apps[k->c->app].shared.writer;
    int rc = keep(k->c, rt_writer_conn(w));
    int end = rt_tx_end(w, tx, rc == 0, NULL);
    if (rc || end)
        leave_and_respond(k, rc ? rc : end);
}

void rt_keyed_finish(struct rt_conversation *c)
{
    if (!to_be_kept(c)) {
        rt_keyed_leave(c); /* before the client can send it again */
        rt_respond_exchange(c);
        return;
    }
    struct rt_keyed *k = c->keyed;
    k->tx = (struct rt_tx){ .granted = granted, .done = kept, .mailbox = c->worker->mailbox };
    int rc = rt_tx_begin(c->worker->host->apps[c->app].shared.writer, &k->tx, NULL);
    if (rc == RT_TX_GRANTED)
        granted(&k->tx);
    else if (rc < 0)
        leave_and_respond(k, rc);
}

void rt_keyed_leave(struct rt_conversation *c)
{
    if (c->keyed)
        rt_idempotency_leave(c->worker->host->apps[c->app].idempotency, scope_of(c->keyed), key_of(c->keyed));
    c->keyed = NULL;
}
