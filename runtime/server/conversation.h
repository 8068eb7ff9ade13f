/* SPDX-License-Identifier: Apache-2.0
 *
 * One request and its answer, between the HTTP server and an app: what dispatch.c, respond.c and
 * keyed.c share. Lives in the request's own memory, on its worker's thread. */
#ifndef RT_SERVER_CONVERSATION_H
#define RT_SERVER_CONVERSATION_H

#include "limit/limit.h"
#include "lua/request.h"
#include "server/host.h"
#include "server/idempotency.h"

struct rt_keyed; /* the part of a request with an Idempotency-Key */

struct rt_conversation {
    struct rt_worker *worker;
    struct rt_http_req *http;
    struct rt_match match;
    int app;   /* -1: nobody's */
    struct rt_release *release;   /* that the request runs on; NULL without a route */
    struct rt_route_stats *stats; /* where it is counted */
    char id[132];
    char origin[300];
    char address[46]; /* the client's, as a trusted proxy says or as connected */
    bool proxied;     /* by a trusted proxy */
    int64_t now;
    uint64_t started_ns;
    const struct rt_limit_rule *limit;
    struct rt_limit_state limit_state;
    char limit_key[160];
    size_t limit_key_n;
    bool limit_taken, has_exchange, replayed;
    void *waits; /* memory of a built-in answer that is waited for, freed with this */
    struct rt_keyed *keyed;
    struct rt_exchange x;
};

/* respond.c: sends the answer that stands in `status`, `type`, `body` (malloc()ed, taken over). */
void rt_respond(struct rt_conversation *c, int status, const char *type, const char *file_name, char *body, size_t n);
/* The app's envelope (a plain one when the path is nobody's). */
void rt_respond_error(struct rt_conversation *c, int status, const char *message);
/* A file of the release; `host` as the client named it. */
void rt_respond_page(struct rt_conversation *c, const struct rt_page *page, struct rt_str host);
/* Counts and logs a request whose connection became a socket. */
void rt_respond_switched(struct rt_conversation *c);
/* `allowed` as in --cors-origins. */
bool rt_origin_allowed(const char *allowed, struct rt_str origin);
/* The exchange's answer. */
void rt_respond_exchange(struct rt_conversation *c);

/* keyed.c: 0 to go on, 1 when the kept outcome is in c->x and `replayed` is set, else a status to refuse with. */
int rt_keyed_begin(struct rt_conversation *c, struct rt_str key, const char **ret_message);
int rt_keyed_before_commit(struct rt_exchange *x, struct rt_conn *conn);
/* Keeps the outcome if that is still to be done, then responds. */
void rt_keyed_finish(struct rt_conversation *c);
void rt_keyed_leave(struct rt_conversation *c);

/* admin.c: /admin/reload and /admin/status, where --admin-token is set; false when it is none of them. */
bool rt_admin(struct rt_conversation *c);

/* index.c: the index of all apps at /-/, for development; false when the path is not one of its own. */
bool rt_index(struct rt_conversation *c);

/* builtin.c: the host's text as it stands (copied). */
void rt_respond_text(struct rt_conversation *c, int status, const char *type, const char *text);
/* builtin.c: /healthz, /readyz, /metrics and the development clock; false when it is none of them. */
bool rt_builtin(struct rt_conversation *c);

#endif
