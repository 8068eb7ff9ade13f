/* SPDX-License-Identifier: Apache-2.0
 *
 * Outgoing transfers, many at once on one thread: requests to addresses that somebody else chose, and mail to the
 * operator's SMTP server. A request cannot be used against us: only http and https, only allowed addresses
 * (target.h), no redirects, no proxy of the environment, a deadline for the whole, and of an answer a bounded part is
 * read and a small one kept. Everything but rt_client_wake() belongs to one thread. */
#ifndef RT_HTTP_CLIENT_H
#define RT_HTTP_CLIENT_H

#include "base/buf.h"
#include "base/err.h"
#include "http/target.h"

struct rt_client;

enum { RT_CLIENT_EXCERPT = 1024, RT_CLIENT_BODY_MAX = 64 << 10, RT_CLIENT_HEADERS_MAX = 64 << 10 };

/* What came of a transfer; valid during the call that delivers it. */
struct rt_client_result {
    int status;          /* of HTTP or SMTP; 0: none came */
    int64_t retry_after; /* seconds, -1: not said */
    int64_t latency_ms;
    struct rt_str excerpt; /* the first bytes of the body, as they came */
    const char *error;     /* why it did not work, for people; NULL when there is an answer (mail: it was taken) */
    bool permanent;        /* mail: the server refuses for good */
};
typedef void rt_client_done(void *arg, const struct rt_client_result *r);

struct rt_client_limits {
    int64_t timeout_ms;
    struct rt_target_allow allow;
};

/* Once per process before the first client; not thread-safe. */
int rt_client_global(struct rt_err *err);
/* Certificates are checked against the system's authorities, or those in the file that SSL_CERT_FILE names. */
int rt_client_new(const struct rt_client_limits *limits, struct rt_client **ret, struct rt_err *err);
/* Running transfers are dropped without a call of `done`. */
void rt_client_free(struct rt_client *c);

/* POSTs a body. `headers`: "Name: value" lines. url, headers and body are borrowed until `done`, which is called
 * once, from rt_client_run(), unless this fails. */
struct rt_client_post {
    const char *url;
    struct rt_str headers, body;
    int64_t now; /* Unix seconds: what a date in Retry-After is compared with */
};
int rt_client_post(struct rt_client *c, const struct rt_client_post *p, rt_client_done *done, void *arg,
                   struct rt_err *err);

/* Hands a message to an SMTP server: `url` "smtp://user:password@host:port" or "smtps://…", encrypted when the server
 * offers it; its certificate is checked when the URL has a password or is smtps. Borrowed until `done`. */
struct rt_client_mail {
    const char *url, *from, *to; /* bare addresses */
    struct rt_str message;
};
int rt_client_mail(struct rt_client *c, const struct rt_client_mail *m, rt_client_done *done, void *arg,
                   struct rt_err *err);
/* 0 for an smtp or smtps URL with a host. */
int rt_client_mail_url(const char *url, struct rt_err *err);

/* Waits at most `ms` for something to happen or a wake-up, moves transfers on, calls `done` of those that ended. */
void rt_client_run(struct rt_client *c, int ms);
/* Any thread: ends the wait. */
void rt_client_wake(struct rt_client *c);
unsigned rt_client_running(const struct rt_client *c);

/* "120" or an HTTP date: seconds from `now`, at least 0; -1 when it is neither. */
int64_t rt_client_retry_after(struct rt_str value, int64_t now);

#endif
