/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the server share. One connection has at most one request at a time, since
 * HTTP/1.1 answers in order; a request is in exactly one phase and in at most one list. */
#ifndef RT_HTTP_INTERNAL_H
#define RT_HTTP_INTERNAL_H

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "http/http.h"

/* A member of a circular list, always the first member of its struct. Unlinked, it points to itself. */
struct http_link {
    struct http_link *prev, *next;
};

struct http_conn {
    struct http_link link; /* in `idle` or `busy`, ordered by `since` */
    struct rt_http *http;
    struct rt_http_req *req; /* the request in progress, NULL between two */
    uint64_t since;          /* when it entered its list */
    int fd;                  /* borrowed from the library */
    bool answered;           /* its last request, if any, ended well: closing needs no lingering */
    bool counted;            /* `consumed` is exact: no request had a body in chunks */
    uint64_t consumed;       /* bytes of all requests so far */
    char address[INET6_ADDRSTRLEN];
};

enum http_phase {
    HTTP_HEAD,   /* request line seen */
    HTTP_BODY,   /* headers accepted, body coming in */
    HTTP_HANDED, /* given to the handler */
};

struct http_field {
    struct http_field *next;
    const char *name, *value;
};

struct http_chunk;

struct rt_http_req {
    struct http_link link; /* in `parked` or `woken`; among the spare ones linked by `next` */
    struct rt_http *http;
    struct http_conn *conn;
    struct MHD_Connection *mhd;
    enum http_phase phase;
    bool answered; /* rt_http_respond() was called … */
    bool queued;   /* … and the library took the answer */
    bool parked;   /* suspended until the answer comes */
    bool refused;
    bool taken;      /* the connection goes to somebody else, who has its socket */
    bool oversized;  /* the body passed the limit, its rest is dropped */
    char *hidden_at; /* where on_uri() hid the query … */
    char hidden;     /* … and the character that was there */
    uint64_t started;
    struct rt_str method, target, path, query, authority;
    uint64_t length; /* Content-Length, 0 without */
    struct rt_buf body;
    void *context;
    struct http_field *fields, **last_field;
    struct http_chunk *chunks;
    size_t used; /* of `space`, or of the newest chunk */
    size_t room;
    char *bump;
    _Alignas(16) char space[2048];
};

struct http_linger;

struct rt_http {
    struct MHD_Daemon *daemon;
    int fd;
    struct rt_http_limits limits;
    struct rt_http_handler handler;
    uint64_t now;            /* of the latest look at the clock */
    struct http_link idle;   /* connections between requests, longest first */
    struct http_link busy;   /* connections whose request is incomplete, longest first */
    struct http_link parked; /* requests that wait for their answer */
    struct http_link woken;  /* parked requests whose answer came */
    struct rt_http_req *spare;
    unsigned spares;
    _Atomic unsigned connections, active; /* read by others for metrics */
    struct http_linger *lingers;
    unsigned linger_count;
    bool draining, stopping;
};

static inline void http__list_init(struct http_link *l) { l->prev = l->next = l; }

static inline bool http__list_empty(const struct http_link *head) { return head->next == head; }

static inline void http__list_remove(struct http_link *l)
{
    l->prev->next = l->next;
    l->next->prev = l->prev;
    http__list_init(l);
}

/* Moves `l` from wherever it is to the end of the list. */
static inline void http__list_append(struct http_link *head, struct http_link *l)
{
    http__list_remove(l);
    l->prev = head->prev;
    l->next = head;
    head->prev->next = l;
    head->prev = l;
}

/* conn.c */
void http__on_connection(void *cls, struct MHD_Connection *mhd, void **context,
                         enum MHD_ConnectionNotificationCode code);
struct http_conn *http__conn_of(struct MHD_Connection *mhd);
/* A request began, is complete (no list), or ended. */
void http__conn_busy(struct http_conn *conn, struct rt_http_req *req);
void http__conn_waits(struct http_conn *conn);
void http__conn_idle(struct http_conn *conn);
void http__sweep_at(struct rt_http *h, uint64_t now);

/* linger.c: keeps reading from a connection that the library closes while its client still sends. */
void http__linger_start(struct rt_http *h, int fd);
void http__linger_run(struct rt_http *h);
void http__linger_fini(struct rt_http *h);

/* request.c */
void *http__on_uri(void *cls, const char *uri, struct MHD_Connection *mhd);
size_t http__on_unescape(void *cls, struct MHD_Connection *mhd, char *text);
enum MHD_Result http__on_access(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
                                const char *version, const char *data, size_t *size, void **context);
void http__on_completed(void *cls, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code);
/* Tells the handler, if it has seen the request, and frees it. */
void http__end(struct rt_http_req *req);

/* head.c: fills in method, path, query and length; 0 or the status to refuse with (then *ret_why). */
int http__check_head(struct rt_http_req *req, const char *method, const char *version, const char **ret_why);

/* memory.c */
struct rt_http_req *http__req_new(struct rt_http *h);
void http__req_free(struct rt_http_req *req);
void http__spares_fini(struct rt_http *h);

#endif
