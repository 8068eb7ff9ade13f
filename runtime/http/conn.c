/* SPDX-License-Identifier: Apache-2.0
 *
 * Connections and their time limits. The library's own timeout starts anew with every byte, so a
 * client that sends one byte now and then would live forever. Here a connection is in one of two
 * lists that are ordered by time because every limit is one constant: the sweep looks at the heads
 * only, whatever the number of connections. A connection whose request waits for its answer is in
 * neither. Ending one means shutting its socket down; the library then sees the end and cleans up. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "http/http_internal.h"

#define SECOND 1000000000u

struct http_conn *http__conn_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void write_address(const struct sockaddr *addr, char out[INET6_ADDRSTRLEN])
{
    const void *bytes = NULL;
    int family = addr ? addr->sa_family : AF_UNSPEC;
    if (family == AF_INET) {
        bytes = &((const struct sockaddr_in *)addr)->sin_addr;
    } else if (family == AF_INET6) {
        const struct in6_addr *six = &((const struct sockaddr_in6 *)addr)->sin6_addr;
        bool mapped = IN6_IS_ADDR_V4MAPPED(six);
        family = mapped ? AF_INET : AF_INET6;
        bytes = six->s6_addr + (mapped ? 12 : 0);
    }
    if (!bytes || !inet_ntop(family, bytes, out, INET6_ADDRSTRLEN))
        memcpy(out, "local", sizeof("local"));
}

static struct http_conn *conn_new(struct rt_http *h, struct MHD_Connection *mhd)
{
    struct http_conn *conn = calloc(1, sizeof(*conn));
    if (!conn)
        return NULL;
    http__list_init(&conn->link);
    conn->http = h;
    conn->counted = true;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    conn->fd = info ? info->connect_fd : -1;
    info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    write_address(info ? info->client_addr : NULL, conn->address);
    h->now = rt_mono_ns();
    http__conn_busy(conn, NULL);
    return conn;
}

void http__on_connection(void *cls, struct MHD_Connection *mhd, void **context,
                         enum MHD_ConnectionNotificationCode code)
{
    struct rt_http *h = cls;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        h->connections++;
        *context = conn_new(h, mhd);
        return;
    }
    h->connections--;
    struct http_conn *conn = *context;
    if (!conn)
        return;
    if (conn->req)
        http__end(conn->req); /* in one of its error paths the library reports only the connection */
    if (!conn->answered)
        http__linger_start(h, conn->fd);
    http__list_remove(&conn->link);
    free(conn);
}

static void enter(struct http_link *list, struct http_conn *conn)
{
    conn->since = conn->http->now;
    http__list_append(list, &conn->link);
}

void http__conn_busy(struct http_conn *conn, struct rt_http_req *req)
{
    conn->req = req;
    conn->answered = false;
    enter(&conn->http->busy, conn);
}

void http__conn_waits(struct http_conn *conn) { http__list_remove(&conn->link); }

void http__conn_idle(struct http_conn *conn)
{
    conn->req = NULL;
    enter(&conn->http->idle, conn);
}

static void close_older(struct http_link *list, uint64_t now, unsigned seconds)
{
    while (!http__list_empty(list)) {
        struct http_conn *conn = (struct http_conn *)list->next;
        if (conn->since + (uint64_t)seconds * SECOND >= now)
            return;
        shutdown(conn->fd, SHUT_RDWR);
        http__list_remove(&conn->link);
    }
}

/* A request may just be on its way in, so a connection with something to read is left alone. */
static void close_quiet(struct http_link *list)
{
    for (struct http_link *l = list->next, *next; l != list; l = next) {
        struct http_conn *conn = (struct http_conn *)l;
        char byte;
        next = l->next;
        if (conn->req || recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN)
            continue;
        shutdown(conn->fd, SHUT_RDWR);
        http__list_remove(l);
    }
}

/* The library now and then overlooks the end of a client that had sent only a part of its request. */
static void close_half_sent(struct http_link *list)
{
    for (struct http_link *l = list->next, *next; l != list; l = next) {
        struct http_conn *conn = (struct http_conn *)l;
        char byte;
        next = l->next;
        if (recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 0)
            continue;
        shutdown(conn->fd, SHUT_RDWR);
        http__list_remove(l);
    }
}

void http__sweep_at(struct rt_http *h, uint64_t now)
{
    h->now = now;
    if (h->limits.idle_seconds)
        close_older(&h->idle, now, h->limits.idle_seconds);
    if (h->limits.request_seconds)
        close_older(&h->busy, now, h->limits.request_seconds);
    close_half_sent(&h->busy);
    if (h->draining)
        close_quiet(&h->idle);
    http__linger_run(h);
}

void rt_http_sweep(struct rt_http *h) { http__sweep_at(h, rt_mono_ns()); }

void rt_http_drain(struct rt_http *h)
{
    h->draining = true;
    close_quiet(&h->idle);
    close_quiet(&h->busy);
}
