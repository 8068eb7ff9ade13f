/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames of RFC 6455, section 5, as a server reads them. Written here because libwebsockets 4.1.6 lets clients send
 * frames without a mask, drops a connection in silence where the RFC has a close code, and keeps a receive buffer for
 * every idle connection. This one is strict, keeps nothing between two messages and copies nothing when a message
 * came in one piece. Fuzzed (tests/fuzz/frame_fuzz.c). */
#include <string.h>

#include "ws/ws_internal.h"

#define FIN      0x80
#define RESERVED 0x70
#define MASKED   0x80

size_t ws__put_head(char *out, enum ws_opcode opcode, size_t n)
{
    int bytes = n < 126 ? 0 : n < 65536 ? 2 : 8;
    out[0] = (char)(FIN | opcode);
    out[1] = (char)(bytes == 0 ? n : bytes == 2 ? 126 : 127);
    for (int i = 0; i < bytes; i++)
        out[2 + i] = (char)(n >> (8 * (bytes - 1 - i)));
    return (size_t)(2 + bytes);
}

bool rt_ws_code_valid(int code)
{
    return (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) || (code >= 3000 && code <= 4999);
}

int ws__read_close(const char *p, size_t n, int *ret_reply)
{
    int code = n >= 2 ? (unsigned char)p[0] << 8 | (unsigned char)p[1] : RT_WS_NO_STATUS;
    *ret_reply = n == 0 ? 0 : code;
    if (n == 1 || (n >= 2 && !rt_ws_code_valid(code)))
        code = *ret_reply = RT_WS_PROTOCOL;
    else if (n > 2 && !rt_utf8_valid(p + 2, n - 2))
        code = *ret_reply = RT_WS_BAD_TEXT;
    return code;
}

void ws__frames_init(struct ws_frames *f, size_t message_bytes)
{
    memset(f, 0, sizeof *f);
    f->need = 2;
    rt_buf_init(&f->parts, message_bytes);
    rt_buf_init(&f->control, WS_CONTROL_MAX);
}

void ws__frames_fini(struct ws_frames *f)
{
    rt_buf_fini(&f->parts);
    rt_buf_fini(&f->control);
}

static enum ws_opcode opcode_of(const struct ws_frames *f) { return f->head[0] & 0x0F; }

static bool is_control(const struct ws_frames *f) { return f->head[0] & 8; }

/* The first two bytes of a frame are there. */
static int check_start(struct ws_frames *f)
{
    enum ws_opcode opcode = opcode_of(f);
    unsigned length = f->head[1] & 0x7F;
    if (f->head[0] & RESERVED || !(f->head[1] & MASKED))
        return RT_WS_PROTOCOL;
    if (is_control(f)) {
        if (opcode > WS_PONG || !(f->head[0] & FIN) || length > WS_CONTROL_MAX)
            return RT_WS_PROTOCOL;
    } else if (opcode > WS_BINARY || (opcode == WS_CONTINUATION) != (f->message != 0)) {
        return RT_WS_PROTOCOL;
    }
    f->need = (uint8_t)(2 + (length == 126 ? 2 : length == 127 ? 8 : 0) + 4);
    return 0;
}

/* The whole head is there. */
static int begin_payload(struct ws_frames *f)
{
    int bytes = f->need - 6;
    uint64_t length = f->head[1] & 0x7F;
    if (bytes) {
        length = 0;
        for (int i = 0; i < bytes; i++)
            length = length << 8 | f->head[2 + i];
        if (length < (bytes == 2 ? 126 : 65536) || length >> 63)
            return RT_WS_PROTOCOL;
    }
    if (!is_control(f)) {
        if (length > f->parts.max - f->parts.len)
            return RT_WS_TOO_LONG;
        if (opcode_of(f) != WS_CONTINUATION)
            f->message = opcode_of(f);
    }
    f->left = length;
    f->turn = 0;
    f->in_payload = true;
    return 0;
}

/* Takes what belongs to the head; the number of bytes. */
static size_t take_head(struct ws_frames *f, const char *p, size_t n, int *ret_code)
{
    size_t used = 0;
    *ret_code = 0;
    while (used < n && f->have < f->need && *ret_code == 0) {
        f->head[f->have++] = (uint8_t)p[used++];
        if (f->have == 2)
            *ret_code = check_start(f);
    }
    if (*ret_code == 0 && f->have == f->need)
        *ret_code = begin_payload(f);
    return used;
}

static void unmask(struct ws_frames *f, char *p, size_t n)
{
    const uint8_t *mask = f->head + f->need - 4;
    for (size_t i = 0; i < n; i++)
        p[i] ^= (char)mask[(f->turn + i) & 3];
    f->turn = (uint8_t)((f->turn + n) & 3);
}

static int deliver(struct ws_frames *f, const char *p, size_t n, const struct ws_events *events)
{
    if (is_control(f))
        return events->control(events->arg, opcode_of(f), p, n);
    enum ws_opcode opcode = f->message;
    f->message = 0;
    if (opcode == WS_TEXT && !rt_utf8_valid(p, n))
        return RT_WS_BAD_TEXT;
    return events->message(events->arg, opcode, p, n);
}

/* A piece of the payload, `f->left` being what follows it. */
static int take_payload(struct ws_frames *f, char *p, size_t n, const struct ws_events *events)
{
    struct rt_buf *whole = is_control(f) ? &f->control : &f->parts;
    bool last = f->left == 0 && f->head[0] & FIN;
    unmask(f, p, n);
    if (last && whole->len == 0)
        return deliver(f, p, n, events);
    rt_buf_put(whole, p, n);
    if (whole->failed)
        return RT_WS_TOO_LONG;
    if (!last)
        return 0;
    int rc = deliver(f, whole->data ? whole->data : "", whole->len, events);
    size_t max = whole->max;
    rt_buf_fini(whole);
    rt_buf_init(whole, max);
    return rc;
}

int ws__frames_feed(struct ws_frames *f, char *p, size_t n, const struct ws_events *events)
{
    while (n > 0) {
        int rc = 0;
        if (!f->in_payload) {
            size_t used = take_head(f, p, n, &rc);
            p += used;
            n -= used;
        }
        if (rc)
            return rc;
        if (!f->in_payload)
            return 0;
        size_t take = f->left < n ? (size_t)f->left : n;
        f->left -= take;
        if (take || f->left == 0)
            rc = take_payload(f, p, take, events);
        p += take;
        n -= take;
        if (f->left == 0) {
            f->in_payload = false;
            f->have = 0;
            f->need = 2;
        }
        if (rc)
            return rc;
    }
    return 0;
}
