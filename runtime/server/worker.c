/* SPDX-License-Identifier: Apache-2.0
 *
 * A worker: one thread with its own event loop, its own listening socket on the shared port, its own
 * HTTP server and its own Lua states. Nothing of a request ever leaves its worker but transactions that
 * wait for their commit, passwords for their hash and reports for being written; all come back by message. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/sockets.h"

enum { ACCEPT_PER_ROUND = 256, SWEEP_MS = 1000, DRAIN_LOOK_MS = 20, PAIR_BUFFER = 1 << 20 };

static void run_http(void *arg)
{
    struct rt_worker *w = arg;
    rt_http_run(w->http);
}

/* Accepts what waits; the loop comes back for more. */
static void accept_some(void *arg)
{
    struct rt_worker *w = arg;
    for (int i = 0; i < ACCEPT_PER_ROUND; i++) {
        struct sockaddr_storage addr;
        socklen_t len = sizeof addr;
        int fd = accept4(w->listen_fd, (struct sockaddr *)&addr, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            break;
        rt_http_adopt(w->http, fd, (struct sockaddr *)&addr, len);
    }
    rt_http_run(w->http);
}

void rt_worker_round(void *worker)
{
    struct rt_worker *w = worker;
    struct rt_host *h = w->host;
    struct rt_routing *g = rt_routing_now(h);
    for (int a = 0; a < h->n_apps; a++) {
        rt_vm_idle(g->release[a]->at[w->index].vm);
        rt_writer_flush(h->apps[a].shared.writer);
    }
    for (struct rt_release *r = w->retired; r; r = r->at[w->index].next)
        rt_vm_idle(r->at[w->index].vm);
    if (w->retired)
        rt_releases_sweep(h, w->index);
    rt_sockets_flush(w);
    if (w->access.len) {
        rt_log_raw(w->access.data, w->access.len);
        rt_buf_reset(&w->access);
    }
    int ms = rt_http_timeout(w->http);
    if (ms >= 0)
        rt_alarm_set(w->http_alarm, (uint64_t)ms);
}

static void finish_drain(struct rt_worker *w)
{
    bool quiet = rt_http_active(w->http) == 0 && rt_http_connections(w->http) == 0 && !rt_sockets_busy(w);
    for (int a = 0; w->index == 0 && a < w->host->n_apps; a++) /* timers run on the first worker */
        quiet = quiet && !rt_scheduler_is_busy(w->host->schedulers[a]);
    if (quiet || rt_mono_ns() > w->drain_until_ns)
        rt_loop_stop(w->loop);
}

static void sweep(void *arg)
{
    struct rt_worker *w = arg;
    struct rt_routing *g = rt_routing_now(w->host);
    for (int a = 0; a < w->host->n_apps; a++)
        rt_vm_rest(g->release[a]->at[w->index].vm);
    rt_http_sweep(w->http);
    rt_sockets_sweep(w);
    if (w->draining)
        finish_drain(w);
    rt_alarm_set(w->sweep_alarm, w->draining ? DRAIN_LOOK_MS : SWEEP_MS);
}

static void read_mail(struct rt_message *m)
{
    struct rt_worker *w = (struct rt_worker *)((char *)m - offsetof(struct rt_worker, mail));
    atomic_store(&w->mail_posted, false);
    rt_mailbox_run(w->mailbox);
    rt_http_run(w->http);
}

static void read_news(struct rt_message *m)
{
    struct rt_worker *w = (struct rt_worker *)((char *)m - offsetof(struct rt_worker, news));
    rt_inbox_run(w->inbox);
}

static void wake_for_news(void *arg)
{
    struct rt_worker *w = arg;
    rt_loop_post(w->loop, &w->news);
}

static void wake(void *arg)
{
    struct rt_worker *w = arg;
    if (!atomic_exchange(&w->mail_posted, true))
        rt_loop_post(w->loop, &w->mail);
}

static void begin_listening(struct rt_message *m)
{
    struct rt_worker *w = (struct rt_worker *)((char *)m - offsetof(struct rt_worker, begin));
    struct rt_err err;
    if (rt_watch_new(w->loop, w->listen_fd, accept_some, w, &w->listen_watch, &err))
        rt_log(RT_LOG_ERROR, "a worker cannot listen", "error", err.msg, NULL);
    w->listening = true;
}

static void begin_drain(struct rt_message *m)
{
    struct rt_worker *w = (struct rt_worker *)((char *)m - offsetof(struct rt_worker, drain));
    w->draining = true;
    w->drain_until_ns = rt_mono_ns() + (uint64_t)w->host->options->drain_seconds * 1000000000u;
    if (w->listening) {
        accept_some(w); /* what the kernel has accepted is served too */
        rt_watch_free(w->listen_watch);
    }
    w->listen_watch = NULL;
    close(w->listen_fd);
    w->listen_fd = -1;
    rt_http_drain(w->http);
    rt_http_run(w->http);
    rt_sockets_drain(w);
    rt_alarm_set(w->sweep_alarm, 1);
}

static int listen_on(struct rt_host *h, bool shared, int *ret, struct rt_err *err)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *list;
    char port[16];
    snprintf(port, sizeof port, "%d", h->options->port);
    int rc = getaddrinfo(h->options->host, port, &hints, &list);
    if (rc)
        return rt_err_set(err, RT_E_INVALID, "host %s: %s", h->options->host, gai_strerror(rc));
    int fd = socket(list->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (shared)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    rc = fd < 0 || bind(fd, list->ai_addr, list->ai_addrlen) || listen(fd, 4096) ? errno : 0;
    freeaddrinfo(list);
    if (rc) {
        if (fd >= 0)
            close(fd);
        return rt_err_set(err, rc == EADDRINUSE ? RT_E_BUSY : RT_E_IO, "cannot listen on %s:%d: %s", h->options->host,
                          h->options->port, strerror(rc));
    }
    *ret = fd;
    return 0;
}

/* The kernel's choice for port 0 is the same for all workers. */
static void learn_port(struct rt_host *h, int fd)
{
    struct sockaddr_storage a;
    socklen_t n = sizeof a;
    if (h->options->port == 0 && getsockname(fd, (struct sockaddr *)&a, &n) == 0)
        h->options->port = ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&a)->sin6_port
                                                         : ((struct sockaddr_in *)&a)->sin_port);
}

static int open_socket(struct rt_worker *w, struct rt_err *err)
{
    struct rt_host *h = w->host;
    if (w->index == 0 && h->n_workers > 1) {
        /* A port of somebody else's would be shared silently: try it alone first. */
        int probe, rc = listen_on(h, false, &probe, err);
        if (rc)
            return rc;
        learn_port(h, probe);
        close(probe);
    }
    int rc = listen_on(h, h->n_workers > 1, &w->listen_fd, err);
    if (rc == 0)
        learn_port(h, w->listen_fd);
    return rc;
}

static void fill_services(struct rt_worker *w)
{
    struct rt_host *h = w->host;
    for (int a = 0; a < h->n_apps; a++)
        w->services[a] = (struct rt_services){ .app = &h->apps[a].shared,
                                               .loop = w->loop,
                                               .mailbox = w->mailbox,
                                               .passwords = h->passwords,
                                               .reports = h->reports,
                                               .limits = h->limits,
                                               .cache = h->cache,
                                               .inbox = w->inbox,
                                               .channel_stats = &w->channel_stats[a],
                                               .limit_factor = h->limit_factor,
                                               .strict = h->options->env == RT_ENV_DEVELOPMENT,
                                               .script_ms = (int)h->options->script_ms,
                                               .script_mb = (int)h->options->script_mb,
                                               .share_us = (int)h->options->script_share_us,
                                               .statement_ms = (int)h->options->statement_ms,
                                               .setting = rt_host_setting };
}

int rt_worker_init(struct rt_host *h, int index, struct rt_err *err)
{
    struct rt_worker *w = &h->workers[index];
    const struct rt_options *o = h->options;
    w->host = h;
    w->index = index;
    w->listen_fd = -1;
    w->mail.run = read_mail;
    w->news.run = read_news;
    w->begin.run = begin_listening;
    w->drain.run = begin_drain;
    rt_buf_init(&w->access, 1 << 20);
    struct rt_http_limits limits = { .header_bytes = (size_t)o->header_bytes,
                                     .url_bytes = (size_t)o->url_bytes,
                                     .body_bytes = (size_t)o->body_bytes,
                                     .idle_seconds = (unsigned)o->idle_seconds,
                                     .request_seconds = (unsigned)o->request_seconds,
                                     .connections = (unsigned)o->connections };
    struct rt_http_handler handler = {
        .arg = w, .request = rt_dispatch_request, .refuse = rt_dispatch_refuse, .ended = rt_dispatch_ended
    };
    int rc = o->port == RT_NO_PORT ? 0 : open_socket(w, err);
    if (rc == 0)
        rc = rt_loop_new(&w->loop, err);
    if (rc == 0)
        rc = rt_http_new(&limits, &handler, &w->http, err);
    if (rc == 0)
        rc = rt_watch_new(w->loop, rt_http_fd(w->http), run_http, w, &w->http_watch, err);
    if (rc == 0)
        rc = rt_alarm_new(w->loop, run_http, w, &w->http_alarm, err);
    if (rc == 0)
        rc = rt_alarm_new(w->loop, sweep, w, &w->sweep_alarm, err);
    if (rc == 0)
        rc = rt_sockets_new(w, err);
    w->mailbox = rc ? NULL : rt_mailbox_new(wake, w);
    if (rc == 0 && !w->mailbox)
        rc = rt_err_set(err, RT_E_NOMEM, "no memory for a worker");
    if (rc == 0) {
        w->inbox = rt_hub_inbox(h->hub, index, wake_for_news, w);
        fill_services(w);
    }
    return rc;
}

static void *work(void *arg)
{
    struct rt_worker *w = arg;
    char name[16];
    snprintf(name, sizeof name, "worker %d", w->index);
    pthread_setname_np(pthread_self(), name);
    rt_alarm_set(w->sweep_alarm, SWEEP_MS);
    rt_loop_run(w->loop);
    return NULL;
}

int rt_worker_start(struct rt_worker *w, struct rt_err *err)
{
    rt_loop_each(w->loop, rt_worker_round, w);
    if (pthread_create(&w->thread, NULL, work, w))
        return rt_err_set(err, RT_E_IO, "cannot start a worker thread");
    return 0;
}

int rt_worker_connect(struct rt_worker *w, int *ret_fd)
{
    struct sockaddr_in peer = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int ends[2], size = PAIR_BUFFER;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends))
        return RT_E_IO;
    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    int rc = rt_http_adopt(w->http, ends[1], (struct sockaddr *)&peer, sizeof peer);
    if (rc)
        close(ends[0]);
    else
        *ret_fd = ends[0];
    return rc;
}

void rt_worker_drain(struct rt_worker *w) { rt_loop_post(w->loop, &w->drain); }

void rt_worker_join(struct rt_worker *w)
{
    if (w->thread)
        pthread_join(w->thread, NULL);
    w->thread = 0;
}

void rt_worker_fini(struct rt_worker *w)
{
    rt_http_free(w->http);
    rt_watch_free(w->http_watch);
    rt_alarm_free(w->http_alarm);
    rt_alarm_free(w->sweep_alarm);
    if (w->listen_fd >= 0)
        close(w->listen_fd);
    if (w->loop) {
        rt_loop_each(w->loop, NULL, NULL);
        rt_loop_free(w->loop);
    }
    rt_sockets_free(w);
    rt_mailbox_free(w->mailbox);
    rt_buf_fini(&w->access);
}
