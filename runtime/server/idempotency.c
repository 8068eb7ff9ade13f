/* SPDX-License-Identifier: Apache-2.0
 *
 * Kept outcomes are sealed as a whole, since any of them may show a token or a key. The plain form is
 * four lines (status, content type, file name, bytes of headers), the headers and the body. */
#include "server/idempotency.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "crypto/hash.h"

struct rt_idempotency {
    pthread_mutex_t mu;
    struct rt_map running;
};

struct rt_idempotency *rt_idempotency_new(void)
{
    struct rt_idempotency *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    pthread_mutex_init(&t->mu, NULL);
    rt_map_init(&t->running);
    return t;
}

void rt_idempotency_free(struct rt_idempotency *t)
{
    if (!t)
        return;
    rt_map_fini(&t->running, NULL);
    pthread_mutex_destroy(&t->mu);
    free(t);
}

static size_t join(struct rt_str scope, struct rt_str key, char *out, size_t size)
{
    int n = snprintf(out, size, "%.*s\n%.*s", (int)scope.n, scope.p, (int)key.n, key.p);
    return (size_t)n < size ? (size_t)n : size - 1;
}

bool rt_idempotency_enter(struct rt_idempotency *t, struct rt_str scope, struct rt_str key)
{
    char name[9000];
    size_t n = join(scope, key, name, sizeof name);
    pthread_mutex_lock(&t->mu);
    bool free_now = !rt_map_get(&t->running, name, n);
    if (free_now)
        rt_map_set(&t->running, name, n, t, NULL);
    pthread_mutex_unlock(&t->mu);
    return free_now;
}

void rt_idempotency_leave(struct rt_idempotency *t, struct rt_str scope, struct rt_str key)
{
    char name[9000];
    size_t n = join(scope, key, name, sizeof name);
    pthread_mutex_lock(&t->mu);
    rt_map_remove(&t->running, name, n);
    pthread_mutex_unlock(&t->mu);
}

static int parse(const char *p, size_t n, struct rt_outcome *o)
{
    const char *end = p + n, *line[4];
    for (int i = 0; i < 4; i++) {
        line[i] = p;
        p = memchr(p, '\n', (size_t)(end - p));
        if (!p)
            return RT_E_INTERNAL;
        p++;
    }
    o->status = atoi(line[0]);
    snprintf(o->content_type, sizeof o->content_type, "%.*s", (int)(line[2] - line[1] - 1), line[1]);
    snprintf(o->file_name, sizeof o->file_name, "%.*s", (int)(line[3] - line[2] - 1), line[2]);
    size_t headers = strtoul(line[3], NULL, 10);
    if (headers > (size_t)(end - p))
        return RT_E_INTERNAL;
    rt_buf_put(&o->headers, p, headers);
    rt_buf_put(&o->body, p + headers, (size_t)(end - p) - headers);
    return o->body.failed || o->headers.failed ? RT_E_NOMEM : 1;
}

static int unseal(struct rt_stmt *s, const uint8_t key[32], struct rt_outcome *o)
{
    size_t n;
    const void *sealed = rt_col_blob(s, 1, &n);
    if (n < RT_SEAL_EXTRA)
        return RT_E_INTERNAL;
    uint8_t *plain = malloc(n - RT_SEAL_EXTRA + 1);
    if (!plain)
        return RT_E_NOMEM;
    plain[n - RT_SEAL_EXTRA] = 0;    /* parse() reads a number from it */
    int rc = rt_unseal(key, sealed, n, plain) ? parse((const char *)plain, n - RT_SEAL_EXTRA, o) : RT_E_INTERNAL;
    free(plain);
    return rc;
}

static int prepare(struct rt_conn *c, const char *sql, struct rt_stmt **s, struct rt_err *err)
{
    return rt_conn_prepare(c, sql, strlen(sql), s, err);
}

int rt_idempotency_find(struct rt_conn *c, struct rt_str scope, struct rt_str key, const char body_hash[65],
                        const uint8_t seal_key[32], int64_t now, struct rt_outcome *ret, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc = prepare(
        c, "SELECT body_hash, sealed FROM perigee_idempotency WHERE scope = ? AND key = ? AND expires_at > ?", &s, err);
    if (rc)
        return rc;
    rt_bind_text(s, 1, scope.p, scope.n);
    rt_bind_text(s, 2, key.p, key.n);
    rt_bind_int(s, 3, now);
    rc = rt_stmt_step(s, err);
    if (rc == RT_STEP_ROW) {
        size_t n;
        const char *hash = rt_col_text(s, 0, &n);
        if (n != 64 || memcmp(hash, body_hash, 64) != 0)
            rc = rt_err_set(err, RT_E_INVALID, "the key was used with another body");
        else
            rc = unseal(s, seal_key, ret);
    }
    rt_stmt_done(s);
    return rc;
}

int rt_idempotency_keep(struct rt_conn *c, struct rt_str scope, struct rt_str key, const char body_hash[65],
                        const uint8_t seal_key[32], int64_t now, const struct rt_outcome *o, struct rt_err *err)
{
    struct rt_buf plain;
    rt_buf_init(&plain, 0);
    rt_buf_printf(&plain, "%d\n%s\n%s\n%zu\n", o->status, o->content_type, o->file_name, o->headers.len);
    rt_buf_put(&plain, o->headers.data, o->headers.len);
    rt_buf_put(&plain, o->body.data, o->body.len);
    uint8_t *sealed = plain.failed ? NULL : malloc(plain.len + RT_SEAL_EXTRA);
    struct rt_stmt *s = NULL;
    int rc = sealed ? 0 : rt_err_set(err, RT_E_NOMEM, "no memory to keep an outcome");
    if (rc == 0)
        rc = prepare(c,
                     "INSERT INTO perigee_idempotency(scope, key, body_hash, sealed, expires_at) VALUES (?,?,?,?,?) "
                     "ON CONFLICT (scope, key) DO UPDATE SET body_hash = excluded.body_hash, sealed = excluded.sealed, "
                     "expires_at = excluded.expires_at",
                     &s, err);
    if (rc == 0) {
        rt_seal(seal_key, plain.data, plain.len, sealed);
        rt_bind_text(s, 1, scope.p, scope.n);
        rt_bind_text(s, 2, key.p, key.n);
        rt_bind_text(s, 3, body_hash, 64);
        rt_bind_blob(s, 4, sealed, plain.len + RT_SEAL_EXTRA);
        rt_bind_int(s, 5, now + RT_IDEMPOTENCY_SECONDS);
        rc = rt_stmt_step(s, err);
        rt_stmt_done(s);
    }
    free(sealed);
    rt_buf_fini(&plain);
    return rc < 0 ? rc : 0;
}

int rt_idempotency_expire(struct rt_conn *c, int64_t now, struct rt_err *err)
{
    struct rt_stmt *s;
    int rc =
        prepare(c,
                "DELETE FROM perigee_idempotency WHERE (scope, key) IN "
                "(SELECT scope, key FROM perigee_idempotency WHERE expires_at <= ? ORDER BY expires_at LIMIT 1000)",
                &s, err);
    if (rc)
        return rc;
    rt_bind_int(s, 1, now);
    rc = rt_stmt_step(s, err);
    rt_stmt_done(s);
    return rc < 0 ? rc : 0;
}
