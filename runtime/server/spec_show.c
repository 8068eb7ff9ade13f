/* SPDX-License-Identifier: Apache-2.0
 *
 * Results for people, for TAP (version 13) and for readers of JUnit's XML. */
#include <stdio.h>
#include <string.h>

#include "server/spec_jobs.h"

enum { DOTS = 100 };

struct test {
    struct rt_buf name, file, status, place, message;
    double seconds;
};

static void read_test(struct test *t, struct rt_json v)
{
    static const char *const members[] = { "name", "file", "status", "place", "message" };
    struct rt_buf *to[] = { &t->name, &t->file, &t->status, &t->place, &t->message };
    for (size_t i = 0; i < sizeof to / sizeof *to; i++) {
        rt_buf_init(to[i], 0);
        rt_json_text(rt_json_member(v, members[i]), to[i]);
        rt_buf_cstr(to[i]);
    }
    t->seconds = (double)rt_json_int(rt_json_member(v, "ms"), 0) / 1000;
}

static void free_test(struct test *t)
{
    struct rt_buf *all[] = { &t->name, &t->file, &t->status, &t->place, &t->message };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        rt_buf_fini(all[i]);
}

static const char *text(struct rt_buf *b) { return rt_buf_cstr(b); }

/* Each line with something before it. */
static void put_lines(struct rt_buf *out, const char *before, const char *lines)
{
    while (*lines) {
        size_t n = strcspn(lines, "\n");
        rt_buf_printf(out, "%s%.*s\n", before, (int)n, lines);
        lines += n + (lines[n] == '\n');
    }
}

static void put_xml(struct rt_buf *out, const char *p)
{
    for (; *p; p++) {
        switch (*p) {
        case '<': rt_buf_puts(out, "&lt;"); break;
        case '>': rt_buf_puts(out, "&gt;"); break;
        case '&': rt_buf_puts(out, "&amp;"); break;
        case '"': rt_buf_puts(out, "&quot;"); break;
        case '\n': rt_buf_puts(out, "&#10;"); break;
        default:
            if ((unsigned char)*p >= ' ' || *p == '\t') /* others have no place in XML */
                rt_buf_putc(out, *p);
        }
    }
}

/* ---- text ---- */

static void dot(struct rt_spec_show *s, const char *sign, const char *colour)
{
    if (s->colours)
        fprintf(s->to, "\033[%sm%s\033[0m", colour, sign);
    else
        fputs(sign, s->to);
    if (++s->dots % DOTS == 0)
        fputc('\n', s->to);
    fflush(s->to);
}

/* Messages of assertions begin with their place, which is better than the test's. */
static void put_failure(struct rt_spec_show *s, const char *app, struct test *t)
{
    bool placed = strstr(text(&t->message), ".lua:") != NULL;
    rt_buf_printf(&s->failures, s->colours ? "\n\033[31m✗\033[0m %s: \033[1m%s\033[0m\n" : "\n✗ %s: %s\n", app,
                  text(&t->name));
    if (!placed && t->place.len)
        rt_buf_printf(&s->failures, "  %s:\n", text(&t->place));
    put_lines(&s->failures, "  ", text(&t->message));
}

static void show_text(struct rt_spec_show *s, const char *app, struct test *t, bool passed, bool pending)
{
    if (pending)
        dot(s, "-", "33");
    else if (passed)
        dot(s, ".", "32");
    else
        dot(s, "F", "31");
    if (!passed && !pending)
        put_failure(s, app, t);
}

/* ---- TAP ---- */

static void show_tap(struct rt_spec_show *s, const char *app, struct test *t, bool passed, bool pending)
{
    struct rt_buf name, block;
    rt_buf_init(&name, 0);
    rt_buf_init(&block, 0);
    for (const char *p = text(&t->name); *p; p++) /* # would begin a directive */
        rt_buf_printf(&name, *p == '#' || *p == '\\' ? "\\%c" : "%c", *p);
    fprintf(s->to, "%sok %d - %s: %s%s\n", passed || pending ? "" : "not ", s->number, app, rt_buf_cstr(&name),
            pending ? " # SKIP" : "");
    if (!passed && !pending) {
        rt_buf_printf(&block, "  ---\n  at: %s\n  message: |\n", text(&t->place));
        put_lines(&block, "    ", text(&t->message));
        fprintf(s->to, "%s  ...\n", rt_buf_cstr(&block));
    }
    fflush(s->to);
    rt_buf_fini(&name);
    rt_buf_fini(&block);
}

/* ---- JUnit ---- */

static void put_case(struct rt_spec_show *s, const char *app, struct test *t, bool passed, bool pending)
{
    struct rt_buf *out = &s->cases;
    rt_buf_puts(out, "    <testcase classname=\"");
    put_xml(out, app);
    rt_buf_puts(out, "\" name=\"");
    put_xml(out, text(&t->name));
    rt_buf_puts(out, "\" file=\"");
    put_xml(out, text(&t->file));
    rt_buf_printf(out, "\" time=\"%.3f\"", t->seconds);
    if (passed) {
        rt_buf_puts(out, "/>\n");
        return;
    }
    rt_buf_puts(out, pending ? "><skipped message=\"" : "><failure message=\"");
    put_xml(out, text(&t->message));
    rt_buf_puts(out, "\"/></testcase>\n");
}

/* ---- all ---- */

void rt_spec_show_begin(struct rt_spec_show *s)
{
    rt_buf_init(&s->failures, 0);
    rt_buf_init(&s->cases, 0);
    if (s->output == RT_SPEC_TAP && !s->list)
        fputs("TAP version 13\n", s->to);
}

static void show(struct rt_spec_show *s, const char *app, struct test *t)
{
    bool passed = strcmp(text(&t->status), "success") == 0, pending = strcmp(text(&t->status), "pending") == 0;
    s->number++;
    s->passed += passed;
    s->pending += pending;
    s->failed += !passed && !pending;
    s->seconds += t->seconds;
    if (s->output == RT_SPEC_TEXT)
        show_text(s, app, t, passed, pending);
    else if (s->output == RT_SPEC_TAP)
        show_tap(s, app, t, passed, pending);
    else
        put_case(s, app, t, passed, pending);
}

void rt_spec_show_test(struct rt_spec_show *s, const char *app, struct rt_json v)
{
    struct test t;
    read_test(&t, v);
    show(s, app, &t);
    free_test(&t);
}

void rt_spec_show_broken(struct rt_spec_show *s, const char *app, const char *name, const char *message)
{
    struct test t;
    read_test(&t, (struct rt_json){ 0 });
    rt_buf_puts(&t.name, name);
    rt_buf_puts(&t.status, "error");
    rt_buf_puts(&t.message, message);
    s->list = false;
    show(s, app, &t);
    free_test(&t);
}

static void end_text(struct rt_spec_show *s)
{
    if (s->dots % DOTS)
        fputc('\n', s->to);
    fwrite(rt_buf_cstr(&s->failures), 1, s->failures.len, s->to);
    fprintf(s->to, "%s%d passed, %d failed", s->failures.len ? "\n" : "", s->passed, s->failed);
    if (s->pending)
        fprintf(s->to, ", %d pending", s->pending);
    fputc('\n', s->to);
}

static void end_junit(struct rt_spec_show *s)
{
    char numbers[160];
    snprintf(numbers, sizeof numbers, "tests=\"%d\" failures=\"%d\" errors=\"0\" skipped=\"%d\" time=\"%.3f\"",
             s->number, s->failed, s->pending, s->seconds);
    fprintf(s->to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites %s>\n  <testsuite name=\"perigee\" %s>\n",
            numbers, numbers);
    fprintf(s->to, "%s  </testsuite>\n</testsuites>\n", rt_buf_cstr(&s->cases));
}

void rt_spec_show_end(struct rt_spec_show *s)
{
    if (s->list && !s->failed) /* the names are out already */
        ;
    else if (s->output == RT_SPEC_TEXT)
        end_text(s);
    else if (s->output == RT_SPEC_TAP)
        fprintf(s->to, "1..%d\n", s->number);
    else
        end_junit(s);
    fflush(s->to);
    rt_buf_fini(&s->failures);
    rt_buf_fini(&s->cases);
}
