/* SPDX-License-Identifier: Apache-2.0
 *
 * The frames that the server sends. A client that does not read for five seconds loses its conversation. */
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "server/console_session.h"

static bool send_all(int fd, struct rt_buf *b)
{
    rt_buf_putc(b, '\n');
    return !b->failed && rt_control_send(fd, b->data, b->len);
}

void console__send(struct rt_session *s, struct rt_buf *frame)
{
    if (!send_all(s->fd, frame))
        shutdown(s->fd, SHUT_RDWR); /* the reader sees it and ends the conversation */
    rt_buf_fini(frame);
}

void console__member(struct rt_buf *b, const char *name, const char *value)
{
    rt_buf_printf(b, ",\"%s\":", name);
    rt_json_put_string(b, value, strlen(value));
}

static void begin(struct rt_buf *b, const char *type, long long id)
{
    rt_buf_init(b, 0);
    rt_buf_printf(b, "{\"type\":\"%s\"", type);
    if (id >= 0)
        rt_buf_printf(b, ",\"id\":%lld", id);
}

static void finish(struct rt_session *s, struct rt_buf *b)
{
    rt_buf_putc(b, '}');
    console__send(s, b);
}

void console__hello(struct rt_session *s)
{
    struct rt_buf b;
    begin(&b, "hello", -1);
    rt_buf_printf(&b, ",\"version\":%d,\"release\":%d,\"write\":%s", RT_CONSOLE_VERSION, s->place->release,
                  s->write ? "true" : "false");
    console__member(&b, "server", PERIGEE_VERSION);
    console__member(&b, "user", s->user);
    console__member(&b, "app", s->place->app->name);
    rt_buf_puts(&b, ",\"apps\":[");
    for (int a = 0; a < s->host->n_apps; a++)
        rt_buf_printf(&b, "%s\"%s\"", a ? "," : "", s->host->apps[a].shared.name);
    rt_buf_putc(&b, ']');
    finish(s, &b);
}

void console__end(int fd, const char *reason)
{
    struct rt_buf b;
    begin(&b, "end", -1);
    console__member(&b, "reason", reason);
    rt_buf_putc(&b, '}');
    send_all(fd, &b);
    rt_buf_fini(&b);
}

void console__error(struct rt_session *s, long long id, const char *kind, const char *message, const char *traceback)
{
    struct rt_buf b;
    begin(&b, "error", id);
    console__member(&b, "kind", kind);
    console__member(&b, "message", message);
    if (traceback && *traceback)
        console__member(&b, "traceback", traceback);
    finish(s, &b);
}

void console__incomplete(struct rt_session *s)
{
    struct rt_buf b;
    begin(&b, "incomplete", s->id);
    finish(s, &b);
}

void console__result(struct rt_session *s, const char *values, int newer)
{
    struct rt_buf b;
    begin(&b, "result", s->id);
    rt_buf_printf(&b, ",\"values\":%s,\"release\":%d,\"ms\":%.3f", values, s->place->release,
                  (double)(rt_mono_ns() - s->began) / 1e6);
    if (newer)
        rt_buf_printf(&b, ",\"newer\":%d", newer);
    console__member(&b, "app", s->place->app->name);
    finish(s, &b);
}

void console__print(void *session, const char *text, size_t n)
{
    struct rt_session *s = session;
    struct rt_buf b;
    begin(&b, "print", s->id);
    rt_buf_puts(&b, ",\"text\":");
    rt_json_put_string(&b, text, n);
    finish(s, &b);
}

void console__confirm(void *session, const char *text, const char *effects)
{
    struct rt_session *s = session;
    struct rt_buf b;
    begin(&b, "confirm", s->id);
    console__member(&b, "text", text);
    rt_buf_printf(&b, ",\"effects\":%s", effects);
    finish(s, &b);
}

void console__watch(struct rt_session *s, struct rt_json record)
{
    static const char *const fields[] = { "at", "method", "path", "status", "ms", "id" };
    struct rt_buf b, text;
    struct rt_json line = rt_json_member(record, "line"), seq = rt_json_member(record, "seq");
    rt_buf_init(&text, 0);
    rt_json_text(line, &text);
    if (seq.n)
        rt_buf_put(&text, record.p, record.n);
    for (size_t i = 0; !line.n && !seq.n && i < sizeof fields / sizeof *fields; i++) {
        struct rt_json v = rt_json_member(record, fields[i]);
        rt_buf_puts(&text, i ? " " : "");
        if (!rt_json_text(v, &text))
            rt_buf_put(&text, v.p, v.n);
    }
    begin(&b, "watch", s->id);
    console__member(&b, "kind", line.n ? "log" : seq.n ? "event" : "request");
    console__member(&b, "text", rt_buf_cstr(&text));
    rt_buf_puts(&b, ",\"record\":");
    rt_buf_put(&b, record.p, record.n);
    rt_buf_fini(&text);
    finish(s, &b);
}
