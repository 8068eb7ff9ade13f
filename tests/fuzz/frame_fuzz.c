/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames of a client. The first byte says how the rest is cut; what comes out must be the same as in one piece. */
#include <stdlib.h>
#include <string.h>

#include "ws/ws_internal.h"

enum { LONGEST = 4096 };

static int put(void *arg, enum ws_opcode opcode, const char *p, size_t n)
{
    struct rt_buf *out = arg;
    if (opcode == WS_TEXT && !rt_utf8_valid(p, n))
        abort();
    if (n > (opcode & 8 ? (size_t)WS_CONTROL_MAX : (size_t)LONGEST))
        abort();
    rt_buf_printf(out, "%d:%zu:", opcode, n);
    rt_buf_put(out, p, n);
    int reply;
    if (opcode == WS_CLOSE && rt_ws_code_valid(ws__read_close(p, n, &reply)) && n == 0)
        abort();
    return opcode == WS_CLOSE;
}

static int feed(const uint8_t *data, size_t n, size_t step, struct rt_buf *out)
{
    struct ws_frames f;
    struct ws_events events = { out, put, put };
    int rc = 0;
    ws__frames_init(&f, LONGEST);
    for (size_t at = 0; at < n && rc == 0; at += step) {
        size_t piece = n - at < step ? n - at : step;
        char *copy = malloc(piece);
        memcpy(copy, data + at, piece);
        rc = ws__frames_feed(&f, copy, piece, &events);
        free(copy);
    }
    ws__frames_fini(&f);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct rt_buf whole, pieces;
    if (n < 2)
        return 0;
    rt_buf_init(&whole, 0);
    rt_buf_init(&pieces, 0);
    int a = feed(data + 1, n - 1, n - 1, &whole), b = feed(data + 1, n - 1, data[0] + 1u, &pieces);
    if (a != b || whole.len != pieces.len || (whole.len && memcmp(whole.data, pieces.data, whole.len) != 0))
        abort();
    rt_buf_fini(&whole);
    rt_buf_fini(&pieces);
    return 0;
}
