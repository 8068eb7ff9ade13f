/* SPDX-License-Identifier: Apache-2.0
 *
 * The sockets of a worker on its event loop, carried by libwebsockets: one context per worker, which adopts each
 * connection as a raw one, watches it, reads, writes and keeps the rest of a write that the kernel did not take. The
 * frames are ours (frame.c says why).
 *
 * What one has to know of 4.1.6: its table of connections is indexed by descriptor and sized by the process's limit of
 * open files, which serve.c therefore keeps near to what is needed (with a limit of its own the table is searched for
 * each event). While it holds the rest of a write it does not read, but stays woken by what there is to read: so
 * reading is switched off then (ws__reading). */
#include "ws/ws.h"

#include <errno.h>
#include <libwebsockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "ws/ws_internal.h"

enum {
    READ_BYTES = 8192,
    WRITE_BYTES = 1 << 20,
    /* What the kernel may keep for one connection. Left to itself it allows a slow reader 4 MB. */
    KERNEL_BYTES = 64 * 1024
};

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t n)
{
    struct rt_ws_conn *c;
    (void)user;
    switch (reason) {
    case LWS_CALLBACK_RAW_RX: c = lws_get_opaque_user_data(wsi); return c ? ws__conn_read(c, in, n) : -1;
    case LWS_CALLBACK_RAW_WRITEABLE:
        c = lws_get_opaque_user_data(wsi);
        if (c)
            ws__conn_writable(c);
        return 0;
    case LWS_CALLBACK_RAW_CLOSE:
        c = lws_get_opaque_user_data(wsi);
        lws_set_opaque_user_data(wsi, NULL);
        if (c)
            ws__conn_over(c);
        return 0;
    default: return 0;
    }
}

static const struct lws_protocols protocols[] = {
    { .name = "raw", .callback = on_event, .rx_buffer_size = READ_BYTES, .tx_packet_size = WRITE_BYTES },
    { .name = NULL },
};

static void on_log(int level, const char *line)
{
    (void)level;
    rt_log(RT_LOG_WARN, "libwebsockets", "message", line, NULL);
}

int rt_ws_new(void *loop, const struct rt_ws_limits *limits, const struct rt_ws_handler *handler, struct rt_ws **ret,
              struct rt_err *err)
{
    struct rt_ws *ws = calloc(1, sizeof *ws);
    if (!ws)
        return rt_err_set(err, RT_E_NOMEM, "no memory for sockets");
    ws->limits = *limits;
    ws->handler = *handler;
    ws->quiet.prev = ws->quiet.next = &ws->quiet;
    ws->ending.prev = ws->ending.next = &ws->ending;
    ws->unsent.prev = ws->unsent.next = &ws->unsent;
    rt_buf_init(&ws->piece, 0);
    void *loops[] = { loop };
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_LIBUV,
        .foreign_loops = loops,
        .count_threads = 1,
        .pt_serv_buf_size = READ_BYTES,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
        .vhost_name = "sockets",
    };
    lws_set_log_level(LLL_ERR | LLL_WARN, on_log);
    ws->context = lws_create_context(&info);
    ws->vhost = ws->context ? lws_get_vhost_by_name(ws->context, "sockets") : NULL;
    if (!ws->vhost) {
        free(ws); /* there is no context, or one that cannot go before the loop runs */
        return rt_err_set(err, RT_E_IO, "sockets cannot be set up: is libwebsockets-evlib-uv installed?");
    }
    *ret = ws;
    return 0;
}

static void kill_all(struct ws_link *list)
{
    while (list->next != list)
        ws__kill((struct rt_ws_conn *)list->next);
}

void rt_ws_stop(struct rt_ws *ws)
{
    if (!ws)
        return;
    ws->draining = true;
    kill_all(&ws->quiet);
    kill_all(&ws->ending);
    lws_context_destroy(ws->context);
}

void rt_ws_free(struct rt_ws *ws)
{
    if (!ws)
        return;
    lws_context_destroy(ws->context);
    rt_buf_fini(&ws->piece);
    free(ws);
}

static void set_up(int fd)
{
    int on = 1, bytes = KERNEL_BYTES;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

int rt_ws_adopt(struct rt_ws *ws, int fd, struct rt_str answer, void *user, struct rt_ws_conn **ret, struct rt_err *err)
{
    int rc = rt_ws_room(ws);
    if (rc) {
        close(fd);
        return rt_err_set(err, rc, "no more sockets now");
    }
    struct rt_ws_conn *c = ws__conn_new(ws, user);
    if (!c) {
        close(fd);
        return rt_err_set(err, RT_E_NOMEM, "no memory for a socket");
    }
    set_up(fd);
    lws_adopt_desc_t what = { .vh = ws->vhost, .type = LWS_ADOPT_SOCKET, .fd.sockfd = fd, .vh_prot_name = "raw" };
    c->wsi = lws_adopt_descriptor_vhost_via_info(&what);
    if (!c->wsi) {
        c->told = true;
        ws__conn_over(c);
        return rt_err_set(err, RT_E_IO, "the socket could not be taken over");
    }
    lws_set_opaque_user_data(c->wsi, c);
    ws__conn_push(c, ws__text_raw(answer));
    *ret = c;
    return 0;
}

int rt_ws_room(const struct rt_ws *ws)
{
    return ws->draining ? RT_E_BUSY : rt_ws_connections(ws) >= ws->limits.connections ? RT_E_FULL : 0;
}

uint64_t rt_ws_overflows(const struct rt_ws *ws)
{
    return atomic_load_explicit(&((struct rt_ws *)ws)->overflows, memory_order_relaxed);
}

unsigned rt_ws_connections(const struct rt_ws *ws)
{
    return atomic_load_explicit(&((struct rt_ws *)ws)->connections, memory_order_relaxed);
}

bool ws__write(struct rt_ws_conn *c, struct rt_str bytes)
{
    return lws_write(c->wsi, (unsigned char *)bytes.p, bytes.n, LWS_WRITE_RAW) >= 0;
}

bool ws__held_back(const struct rt_ws_conn *c) { return lws_partial_buffered(c->wsi); }

void ws__reading(struct rt_ws_conn *c, bool on) { lws_rx_flow_control(c->wsi, on); }

void ws__shut(struct rt_ws_conn *c) { shutdown(lws_get_socket_fd(c->wsi), SHUT_WR); }

void ws__kill(struct rt_ws_conn *c) { lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC); }
