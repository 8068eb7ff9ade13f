/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames, without any socket. Whatever is tested is tested in one piece and byte by byte. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "ws/ws_internal.h"

enum { LONGEST = 200 };

struct heard {
    struct rt_buf text; /* "T[hello]" "B[…]" "P[…]" "C[…]" in order */
};

static int message(void *arg, enum ws_opcode opcode, const char *p, size_t n)
{
    struct heard *h = arg;
    rt_buf_printf(&h->text, "%c[", opcode == WS_TEXT ? 'T' : 'B');
    rt_buf_put(&h->text, p, n);
    rt_buf_putc(&h->text, ']');
    return n == 4 && memcmp(p, "stop", 4) == 0 ? 1 : 0;
}

static int control(void *arg, enum ws_opcode opcode, const char *p, size_t n)
{
    struct heard *h = arg;
    rt_buf_printf(&h->text, "%c[", opcode == WS_PING ? 'P' : opcode == WS_PONG ? 'O' : 'C');
    rt_buf_put(&h->text, p, n);
    rt_buf_putc(&h->text, ']');
    return 0;
}

/* A client's frame; `start` is its first byte, `length_bytes` forces a longer form of the length. */
static void frame_as(struct rt_buf *out, int start, const char *p, size_t n, int length_bytes)
{
    static const char mask[4] = { 0x11, (char)0xA2, 0x33, (char)0xF4 };
    int bytes = length_bytes ? length_bytes : n < 126 ? 0 : n < 65536 ? 2 : 8;
    rt_buf_putc(out, (char)start);
    rt_buf_putc(out, (char)(0x80 | (bytes == 0 ? n : bytes == 2 ? 126 : 127)));
    for (int i = bytes - 1; i >= 0; i--)
        rt_buf_putc(out, (char)((uint64_t)n >> (8 * i)));
    rt_buf_put(out, mask, 4);
    for (size_t i = 0; i < n; i++)
        rt_buf_putc(out, (char)(p[i] ^ mask[i & 3]));
}

static void frame(struct rt_buf *out, int start, const char *text) { frame_as(out, start, text, strlen(text), 0); }

static int feed(const struct rt_buf *in, size_t step, struct heard *h)
{
    struct ws_frames f;
    struct ws_events events = { h, message, control };
    int rc = 0;
    ws__frames_init(&f, LONGEST);
    rt_buf_init(&h->text, 0);
    for (size_t at = 0; at < in->len && rc == 0; at += step) {
        size_t n = in->len - at < step ? in->len - at : step;
        char *piece = malloc(n); /* the parser may touch nothing else */
        memcpy(piece, in->data + at, n);
        rc = ws__frames_feed(&f, piece, n, &events);
        free(piece);
    }
    ws__frames_fini(&f);
    return rc;
}

static void expect(struct rt_buf *in, int code, const char *text)
{
    size_t steps[] = { in->len, 1, 2, 3, 7 };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct heard h;
        assert_int_equal(feed(in, steps[i], &h), code);
        assert_string_equal(rt_buf_cstr(&h.text), text);
        rt_buf_fini(&h.text);
    }
    rt_buf_fini(in);
    rt_buf_init(in, 0);
}

static void messages_come_whole_and_in_order(void **state)
{
    struct rt_buf in;
    char longer[LONGEST + 1], wanted[LONGEST + 8];
    (void)state;
    rt_buf_init(&in, 0);
    frame(&in, 0x81, "hello");
    frame(&in, 0x82, "\x01\xFF");
    frame(&in, 0x81, "");
    expect(&in, 0, "T[hello]B[\x01\xFF]T[]");
    frame(&in, 0x01, "one, ");
    frame(&in, 0x89, "are you there?");
    frame(&in, 0x00, "");
    frame(&in, 0x00, "two, ");
    frame(&in, 0x8A, "");
    frame(&in, 0x80, "three");
    frame(&in, 0x81, "next");
    expect(&in, 0, "P[are you there?]O[]T[one, two, three]T[next]");
    frame(&in, 0x01, "");
    frame(&in, 0x80, "");
    expect(&in, 0, "T[]");
    memset(longer, 'x', LONGEST);
    longer[LONGEST] = 0;
    snprintf(wanted, sizeof wanted, "T[%s]", longer);
    frame(&in, 0x81, longer);
    expect(&in, 0, wanted);
}

static void an_event_can_stop_the_parser(void **state)
{
    struct rt_buf in;
    (void)state;
    rt_buf_init(&in, 0);
    frame(&in, 0x81, "stop");
    frame(&in, 0x81, "never");
    expect(&in, 1, "T[stop]");
}

static void what_the_rfc_forbids_is_refused(void **state)
{
    struct rt_buf in;
    char large[130];
    (void)state;
    rt_buf_init(&in, 0);
    memset(large, 'a', sizeof large);
    rt_buf_put(&in, "\x81\x05hello", 7); /* no mask */
    expect(&in, RT_WS_PROTOCOL, "");
    for (int bit = 0x10; bit <= 0x40; bit <<= 1) { /* reserved bits */
        frame(&in, 0x81 | bit, "x");
        expect(&in, RT_WS_PROTOCOL, "");
    }
    for (int opcode = 3; opcode < 16; opcode++) /* unknown opcodes */
        if (opcode < 8 || opcode > 10) {
            frame(&in, 0x80 | opcode, "x");
            expect(&in, RT_WS_PROTOCOL, "");
        }
    frame(&in, 0x09, "x"); /* a control frame in pieces */
    expect(&in, RT_WS_PROTOCOL, "");
    frame_as(&in, 0x89, large, 126, 2); /* or too long */
    expect(&in, RT_WS_PROTOCOL, "");
    frame(&in, 0x80, "x"); /* nothing to continue */
    expect(&in, RT_WS_PROTOCOL, "");
    frame(&in, 0x01, "x"); /* not continued */
    frame(&in, 0x81, "y");
    expect(&in, RT_WS_PROTOCOL, "");
    frame_as(&in, 0x81, large, 125, 2); /* lengths longer than they need be */
    expect(&in, RT_WS_PROTOCOL, "");
    frame_as(&in, 0x81, large, 126, 8);
    expect(&in, RT_WS_PROTOCOL, "");
    rt_buf_put(&in, "\x81\xFF\x80\0\0\0\0\1\0\0abcd", 14); /* the sign bit */
    expect(&in, RT_WS_PROTOCOL, "");
}

static void a_message_too_long_is_refused_before_it_arrives(void **state)
{
    struct rt_buf in;
    char text[LONGEST + 1];
    (void)state;
    memset(text, 'a', sizeof text);
    rt_buf_init(&in, 0);
    frame_as(&in, 0x81, text, LONGEST + 1, 0);
    in.len = 8; /* its head alone */
    expect(&in, RT_WS_TOO_LONG, "");
    frame_as(&in, 0x01, text, LONGEST - 10, 0);
    frame_as(&in, 0x80, text, 11, 0);
    expect(&in, RT_WS_TOO_LONG, "");
    rt_buf_put(&in,
               "\x82\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"
               "abcd",
               14);
    expect(&in, RT_WS_TOO_LONG, "");
}

static void text_must_be_utf8_as_a_whole(void **state)
{
    struct rt_buf in;
    (void)state;
    rt_buf_init(&in, 0);
    frame(&in, 0x81, "caf\xC3");
    expect(&in, RT_WS_BAD_TEXT, "");
    frame(&in, 0x01, "caf\xC3"); /* a character may be cut */
    frame(&in, 0x80, "\xA9");
    expect(&in, 0, "T[caf\xC3\xA9]");
    frame(&in, 0x81, "\xED\xA0\x80");
    expect(&in, RT_WS_BAD_TEXT, "");
    frame(&in, 0x82, "\xED\xA0\x80"); /* not text */
    expect(&in, 0, "B[\xED\xA0\x80]");
}

static void a_close_frame_says_what_it_may(void **state)
{
    int reply;
    (void)state;
    assert_int_equal(ws__read_close("", 0, &reply), RT_WS_NO_STATUS);
    assert_int_equal(reply, 0);
    assert_int_equal(ws__read_close("\x03\xE8", 2, &reply), 1000);
    assert_int_equal(reply, 1000);
    assert_int_equal(ws__read_close("\x11\x94 bye", 6, &reply), 4500);
    assert_int_equal(reply, 4500);
    assert_int_equal(ws__read_close("\x03", 1, &reply), RT_WS_PROTOCOL);
    assert_int_equal(reply, RT_WS_PROTOCOL);
    assert_int_equal(ws__read_close("\x03\xE8\xFF", 3, &reply), RT_WS_BAD_TEXT);
    static const int bad[] = { 0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535 };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char p[2] = { (char)(bad[i] >> 8), (char)bad[i] };
        assert_int_equal(ws__read_close(p, 2, &reply), RT_WS_PROTOCOL);
        assert_false(rt_ws_code_valid(bad[i]));
    }
}

static void our_frames_have_the_shortest_head(void **state)
{
    char out[WS_HEAD_MAX];
    (void)state;
    assert_int_equal(ws__put_head(out, WS_TEXT, 125), 2);
    assert_memory_equal(out, "\x81\x7D", 2);
    assert_int_equal(ws__put_head(out, WS_TEXT, 126), 4);
    assert_memory_equal(out, "\x81\x7E\x00\x7E", 4);
    assert_int_equal(ws__put_head(out, WS_TEXT, 65535), 4);
    assert_int_equal(ws__put_head(out, WS_CLOSE, 65536), 10);
    assert_memory_equal(out, "\x88\x7F\0\0\0\0\0\1\0\0", 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_whole_and_in_order),
        cmocka_unit_test(an_event_can_stop_the_parser),
        cmocka_unit_test(what_the_rfc_forbids_is_refused),
        cmocka_unit_test(a_message_too_long_is_refused_before_it_arrives),
        cmocka_unit_test(text_must_be_utf8_as_a_whole),
        cmocka_unit_test(a_close_frame_says_what_it_may),
        cmocka_unit_test(our_frames_have_the_shortest_head),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
