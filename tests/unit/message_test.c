/* SPDX-License-Identifier: Apache-2.0
 *
 * Mail as bytes: headers, encodings, line lengths, and nothing that begins a header of its own. */
#include <string.h>

#include "outbox/message.h"
#include "unit.h"

static struct rt_buf out;
static struct rt_mail m;

static int fresh(void **state)
{
    (void)state;
    rt_buf_init(&out, 0);
    rt_mail_init(&m);
    rt_buf_puts(&m.to, "ada@example.com");
    rt_buf_puts(&m.subject, "Hello");
    return 0;
}

static int done(void **state)
{
    (void)state;
    rt_buf_fini(&out);
    rt_mail_fini(&m);
    return 0;
}

static const char *written(const char *from)
{
    rt_buf_reset(&out);
    struct rt_err err;
    if (rt_message_write(&out, &m, rt_str_of(from), "msg_1", 1737363600, &err))
        fail_msg("%s", err.msg);
    return rt_buf_cstr(&out);
}

static void a_text(void **state)
{
    (void)state;
    rt_buf_puts(&m.text, "One\nTwo\r\nä=\n");
    assert_string_equal(written("Example <no-reply@example.org>"),
                        "Date: Mon, 20 Jan 2025 09:00:00 +0000\r\n"
                        "From: \"Example\" <no-reply@example.org>\r\n"
                        "To: ada@example.com\r\n"
                        "Subject: Hello\r\n"
                        "Message-ID: <msg_1@example.org>\r\n"
                        "Auto-Submitted: auto-generated\r\n"
                        "MIME-Version: 1.0\r\n"
                        "Content-Type: text/plain; charset=utf-8\r\n"
                        "Content-Transfer-Encoding: quoted-printable\r\n"
                        "\r\n"
                        "One\r\nTwo\r\n=C3=A4=3D\r\n");
}

static void text_and_page(void **state)
{
    (void)state;
    rt_buf_puts(&m.text, "T");
    rt_buf_puts(&m.html, "<p>H</p>");
    assert_non_null(strstr(written("a@b.de"),
                           "MIME-Version: 1.0\r\n"
                           "Content-Type: multipart/alternative; boundary=\"=_msg_1\"\r\n"
                           "\r\n"
                           "--=_msg_1\r\n"
                           "Content-Type: text/plain; charset=utf-8\r\n"
                           "Content-Transfer-Encoding: quoted-printable\r\n"
                           "\r\n"
                           "T\r\n"
                           "\r\n"
                           "--=_msg_1\r\n"
                           "Content-Type: text/html; charset=utf-8\r\n"
                           "Content-Transfer-Encoding: quoted-printable\r\n"
                           "\r\n"
                           "<p>H</p>\r\n"
                           "\r\n"
                           "--=_msg_1--\r\n"));
}

static void subject_becomes(const char *subject, const char *header)
{
    rt_buf_reset(&m.subject);
    rt_buf_puts(&m.subject, subject);
    const char *at = strstr(written("a@b.de"), "\r\nSubject: ");
    assert_non_null(at);
    assert_memory_equal(at + 11, header, strlen(header));
}

static void subjects(void **state)
{
    (void)state;
    subject_becomes("Plain, as it is: 7 #", "Plain, as it is: 7 #\r\nMessage-ID");
    subject_becomes("Grüße", "=?UTF-8?B?R3LDvMOfZQ==?=\r\nMessage-ID");
    subject_becomes("=?UTF-8?B?Qm9v?=", "=?UTF-8?B?PT9VVEYtOD9CP1FtOXY/PQ==?=\r\n");
    /* 38 and 2 bytes and more: words are cut between characters */
    subject_becomes("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaübbb",
                    "=?UTF-8?B?YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=?=\r\n =?UTF-8?B?w7xiYmI=?=\r\n");
}

static void no_line_is_longer_than_allowed(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        rt_buf_puts(&m.text, i % 7 ? "wörds and blänks " : "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\t");
        if (i < 20)
            rt_buf_puts(&m.subject, " Ümläute");
    }
    const char *p = written("Ein langer Name mit Umlauten: ÄÖÜ und noch mehr davon, weil es geht <a@b.de>");
    for (const char *end; (end = strstr(p, "\r\n")); p = end + 2)
        if (end - p > 76)
            fail_msg("a line of %d characters: %.*s", (int)(end - p), (int)(end - p), p);
    assert_int_equal(*p, 0);
}

static void blanks_at_the_end_of_a_line_survive(void **state)
{
    (void)state;
    rt_buf_puts(&m.text, "a \nb\t\r\n c \n\n.\nx\ry");
    rt_buf_put(&m.text, "\0", 1);
    assert_non_null(strstr(written("a@b.de"), "\r\n\r\na=20\r\nb=09\r\n c=20\r\n\r\n.\r\nx=0Dy=00\r\n"));
}

static void senders(void **state)
{
    struct rt_str name, address = rt_message_address(RT_STR(" Example Inc <a@b.de> "), &name);
    (void)state;
    assert_true(rt_str_is(address, "a@b.de") && rt_str_is(name, "Example Inc"));
    address = rt_message_address(RT_STR("a@b.de"), &name);
    assert_true(rt_str_is(address, "a@b.de") && name.n == 0);
    assert_int_equal(rt_message_address(RT_STR("nobody"), NULL).n, 0);
    assert_int_equal(rt_message_address(RT_STR("X <a b@c.de>"), NULL).n, 0);
    assert_int_equal(rt_message_address(RT_STR(""), NULL).n, 0);
    assert_int_equal(rt_message_address(RT_STR("X <"), NULL).n, 0);
    rt_buf_puts(&m.text, "T");
    assert_non_null(strstr(written("M\xc3\xbcller <a@b.de>"), "\r\nFrom: =?UTF-8?B?TcO8bGxlcg==?=\r\n <a@b.de>\r\n"));
    assert_non_null(strstr(written("a\"b\\c <a@b.de>"), "\r\nFrom: =?UTF-8?B?YSJiXGM=?=\r\n <a@b.de>\r\n"));
    assert_int_equal(rt_message_write(&out, &m, RT_STR("nobody"), "i", 0, NULL), RT_E_INVALID);
    rt_buf_puts(&m.to, "\r\nBcc: x@y.z");
    assert_int_equal(rt_message_write(&out, &m, RT_STR("a@b.de"), "i", 0, NULL), RT_E_INVALID);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_text), TEST(text_and_page), TEST(subjects), TEST(no_line_is_longer_than_allowed),
        TEST(blanks_at_the_end_of_a_line_survive), TEST(senders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
