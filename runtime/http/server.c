/* SPDX-License-Identifier: Apache-2.0
 *
 * The daemon of one worker: libmicrohttpd without listen socket and without threads, driven by its
 * epoll descriptor. With TURBO a new connection is read at once instead of after a round through
 * epoll. With external polling the library has no way to announce that a suspended connection was
 * resumed, so answers to parked requests are collected and rt_http_timeout() asks for a run. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/http_internal.h"

enum { LINGER_MS = 10 };

/* One pool holds the head, the library's index of it and the head of the answer. It is cleared
 * after every request, so it should not be larger than needed. */
static size_t pool_bytes(const struct rt_http_limits *limits) { return limits->header_bytes + 8192; }

static struct MHD_Daemon *start_daemon(struct rt_http *h)
{
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_TURBO;
    /* clang-format off */
    return MHD_start_daemon(flags, 0, NULL, NULL, http__on_access, h,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, pool_bytes(&h->limits),
                            MHD_OPTION_CONNECTION_LIMIT, h->limits.connections,
                            MHD_OPTION_CONNECTION_TIMEOUT, h->limits.idle_seconds,
                            MHD_OPTION_URI_LOG_CALLBACK, http__on_uri, h,
                            MHD_OPTION_UNESCAPE_CALLBACK, http__on_unescape, h,
                            MHD_OPTION_NOTIFY_COMPLETED, http__on_completed, h,
                            MHD_OPTION_NOTIFY_CONNECTION, http__on_connection, h,
                            MHD_OPTION_END);
    /* clang-format on */
}

int rt_http_new(const struct rt_http_limits *limits, const struct rt_http_handler *handler, struct rt_http **ret,
                struct rt_err *err)
{
    if (limits->header_bytes < 256 || limits->connections == 0)
        return rt_err_set(err, RT_E_INVALID, "the HTTP limits leave no room for a request");
    struct rt_http *h = calloc(1, sizeof(*h));
    if (!h)
        return rt_err_set(err, RT_E_NOMEM, "no memory for the HTTP server");
    h->limits = *limits;
    h->handler = *handler;
    h->now = rt_mono_ns();
    http__list_init(&h->idle);
    http__list_init(&h->busy);
    http__list_init(&h->parked);
    http__list_init(&h->woken);
    h->daemon = start_daemon(h);
    const union MHD_DaemonInfo *info = h->daemon ? MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info) {
        if (h->daemon)
            MHD_stop_daemon(h->daemon);
        free(h);
        return rt_err_set(err, RT_E_IO, "the HTTP server does not start");
    }
    h->fd = info->epoll_fd;
    *ret = h;
    return 0;
}

static void resume_all(struct http_link *list)
{
    for (struct http_link *l = list->next; l != list; l = l->next)
        MHD_resume_connection(((struct rt_http_req *)l)->mhd);
}

void rt_http_free(struct rt_http *h)
{
    if (!h)
        return;
    h->stopping = true;
    resume_all(&h->parked);
    resume_all(&h->woken);
    MHD_stop_daemon(h->daemon); /* ends every request */
    http__linger_fini(h);
    http__spares_fini(h);
    free(h);
}

int rt_http_adopt(struct rt_http *h, int fd, const struct sockaddr *addr, socklen_t len)
{
    if (h->connections >= h->limits.connections) {
        close(fd);
        return RT_E_FULL;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    return MHD_add_connection(h->daemon, fd, addr, len) == MHD_YES ? 0 : RT_E_IO;
}

int rt_http_fd(const struct rt_http *h) { return h->fd; }

/* An answer given during this run, to another parked request, waits for the next one. */
void rt_http_run(struct rt_http *h)
{
    struct http_link resumed;
    http__list_init(&resumed);
    while (!http__list_empty(&h->woken)) {
        struct http_link *l = h->woken.next;
        http__list_append(&resumed, l);
        MHD_resume_connection(((struct rt_http_req *)l)->mhd);
    }
    h->now = rt_mono_ns();
    MHD_run(h->daemon);
    while (!http__list_empty(&resumed)) {
        struct rt_http_req *req = (struct rt_http_req *)resumed.next;
        http__list_remove(&req->link);
        MHD_set_connection_option(req->mhd, MHD_CONNECTION_OPTION_TIMEOUT, h->limits.idle_seconds);
        req->parked = false;
    }
    if (h->lingers)
        http__linger_run(h);
}

int rt_http_timeout(struct rt_http *h)
{
    if (!http__list_empty(&h->woken))
        return 0;
    MHD_UNSIGNED_LONG_LONG ms;
    int timeout = -1;
    if (MHD_get_timeout(h->daemon, &ms) == MHD_YES)
        timeout = ms > 3600000 ? 3600000 : (int)ms;
    if (h->lingers && (timeout < 0 || timeout > LINGER_MS))
        timeout = LINGER_MS;
    return timeout;
}

unsigned rt_http_connections(const struct rt_http *h) { return h->connections; }

unsigned rt_http_active(const struct rt_http *h) { return h->active; }
