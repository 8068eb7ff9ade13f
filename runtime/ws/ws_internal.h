/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of ws/ share: the parser of frames, the connection. */
#ifndef RT_WS_INTERNAL_H
#define RT_WS_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "ws/ws.h"

enum ws_opcode { WS_CONTINUATION = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

enum { WS_HEAD_MAX = 10, WS_CONTROL_MAX = 125 };

/* Writes the head of a server's whole frame to `out` (WS_HEAD_MAX bytes); its length. */
size_t ws__put_head(char *out, enum ws_opcode opcode, size_t n);

/* frame.c: takes the bytes of a client apart, however they are cut. */
struct ws_frames {
    uint8_t head[14]; /* of the frame that is coming in: 2 to 8 bytes of length, 4 of the mask */
    uint8_t have, need;
    bool in_payload;
    uint8_t message;     /* opcode of the message that is coming in, 0 between two */
    uint8_t turn;        /* which byte of the mask is next */
    uint64_t left;       /* bytes of the payload that are to come */
    struct rt_buf parts; /* of a message or control frame that came in pieces; empty while nothing is half there */
    struct rt_buf control;
};

struct ws_events {
    void *arg;
    /* A whole message, or a control frame's payload. Non-zero stops the parser, which returns it. */
    int (*message)(void *arg, enum ws_opcode opcode, const char *p, size_t n);
    int (*control)(void *arg, enum ws_opcode opcode, const char *p, size_t n);
};

void ws__frames_init(struct ws_frames *f, size_t message_bytes);
void ws__frames_fini(struct ws_frames *f);
/* What a peer's close frame means: the code for rt_ws_handler.closed, and in *ret_reply what to answer (0: no code). */
int ws__read_close(const char *p, size_t n, int *ret_reply);
/* Unmasks in place. 0, or the close code of what is wrong, or what an event returned. */
int ws__frames_feed(struct ws_frames *f, char *p, size_t n, const struct ws_events *events);

/* A member of a circular list, the first of its struct. Unlinked, it points to itself. */
struct ws_link {
    struct ws_link *prev, *next;
};

struct ws_item {
    struct ws_item *next;
    struct rt_ws_text *text;
};

enum ws_state {
    WS_OPEN,
    WS_CLOSING, /* our close frame is on its way, the peer's is awaited */
    WS_ENDING,  /* nothing is awaited but the end: what still comes is dropped */
};

struct rt_ws_conn {
    struct ws_link link;   /* in `quiet` while open, else in `ending`; ordered by `since` */
    struct ws_link unsent; /* in the list of that name while there is something that could be written */
    struct rt_ws *ws;
    struct lws *wsi;
    void *user;
    uint64_t since;
    struct ws_frames frames;
    struct ws_item *head, **tail; /* waits to be sent */
    struct rt_ws_text *pong;      /* the answer to the latest ping, while it cannot be sent */
    size_t waiting, held;         /* bytes in the queue; of the message that the library holds back */
    int code;                     /* the first that was named, 0 none */
    enum ws_state state;
    bool pinged, paused, choked, told;
};

struct lws_context;
struct lws_vhost;

struct rt_ws {
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct rt_ws_limits limits;
    struct rt_ws_handler handler;
    struct ws_link quiet, ending, unsent;
    struct rt_buf piece; /* messages on their way into one write */
    uint64_t now;
    atomic_uint connections;
    _Atomic uint64_t overflows;
    bool draining;
};

/* text.c: any frame as a message to be sent. */
struct rt_ws_text *ws__text_frame(enum ws_opcode opcode, const char *p, size_t n);
/* Bytes that are no frame. */
struct rt_ws_text *ws__text_raw(struct rt_str bytes);
struct rt_str ws__text_bytes(const struct rt_ws_text *t); /* as they go on the wire */

/* conn.c. What the library reports: bytes (non-zero: close it now), room to write, the end. */
struct rt_ws_conn *ws__conn_new(struct rt_ws *ws, void *user);
int ws__conn_read(struct rt_ws_conn *c, char *p, size_t n);
void ws__conn_writable(struct rt_ws_conn *c);
void ws__conn_over(struct rt_ws_conn *c);
/* Sends `t`, whose reference is taken over (NULL: no memory, the connection ends). */
void ws__conn_push(struct rt_ws_conn *c, struct rt_ws_text *t);
void ws__sweep_at(struct rt_ws *ws, uint64_t now);

/* ws.c, over the library. */
/* Sends or lets the library keep what the kernel does not take; false when the connection is broken. */
bool ws__write(struct rt_ws_conn *c, struct rt_str bytes);
bool ws__held_back(const struct rt_ws_conn *c); /* the library still has bytes of the latest write */
void ws__reading(struct rt_ws_conn *c, bool on);
void ws__shut(struct rt_ws_conn *c); /* no more is sent; the peer sees the end */
void ws__kill(struct rt_ws_conn *c); /* ws__conn_over() is called before it returns */

#endif
