/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames are taken one by one out of what has come; one that is not JSON, or too long, ends the conversation: nothing
 * that follows it could be trusted. */
#include "server/console_client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "server/console.h"

enum { FRAME_MAX = 4 << 20, DEPTH_MAX = 64, HELLO_MS = 10000 };

static int send_hello(struct rt_console *c, const struct rt_console_options *o, struct rt_err *err)
{
    struct rt_buf hello;
    rt_buf_init(&hello, 0);
    rt_buf_printf(&hello, RT_CONSOLE_COMMAND "{\"version\":%d,\"write\":%s,\"json\":%s", RT_CONSOLE_VERSION,
                  o->write ? "true" : "false", o->json ? "true" : "false");
    rt_json_put_member(&hello, "app", o->app);
    rt_json_put_member(&hello, "sudo_user", getenv("SUDO_USER"));
    rt_json_put_member(&hello, "ssh", getenv("SSH_CONNECTION"));
    rt_buf_putc(&hello, '}');
    int rc = rt_console_send(c, &hello, err);
    rt_buf_fini(&hello);
    return rc;
}

static int take_hello(struct rt_console *c, struct rt_err *err)
{
    struct rt_json f;
    int rc = rt_console_next(c, HELLO_MS, &f, err);
    if (rc)
        return rc;
    if (!rt_json_text_is(rt_json_member(f, "type"), "hello")) {
        char reason[200] = "the server does not know consoles";
        rt_json_copy(rt_json_member(f, "reason"), reason, sizeof reason);
        rt_json_copy(rt_json_member(f, "message"), reason, sizeof reason);
        return rt_err_set(err, RT_E_DENIED, "%s", reason);
    }
    rt_json_copy(rt_json_member(f, "app"), c->app, sizeof c->app);
    rt_json_copy(rt_json_member(f, "user"), c->user, sizeof c->user);
    c->release = rt_json_int(rt_json_member(f, "release"), 0);
    return 0;
}

int rt_console_open(struct rt_console *c, const struct rt_console_options *o, struct rt_err *err)
{
    memset(c, 0, sizeof *c);
    rt_buf_init(&c->in, FRAME_MAX);
    c->json = o->json;
    c->colours = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    c->colours_err = isatty(STDERR_FILENO) && !getenv("NO_COLOR");
    int rc = rt_control_connect(o->data, &c->fd, err);
    if (rc) {
        c->fd = -1;
        return rc;
    }
    rc = send_hello(c, o, err);
    if (rc == 0)
        rc = take_hello(c, err);
    if (rc)
        rt_console_close(c);
    return rc;
}

void rt_console_close(struct rt_console *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    rt_buf_fini(&c->in);
}

int rt_console_send(struct rt_console *c, struct rt_buf *frame, struct rt_err *err)
{
    rt_buf_putc(frame, '\n');
    if (frame->failed)
        return rt_err_set(err, RT_E_NOMEM, "no memory for a line that long");
    bool sent = rt_control_send(c->fd, frame->data, frame->len);
    return sent ? 0 : rt_err_set(err, RT_E_IO, "the server is gone");
}

/* A whole frame at the beginning of what has come: its length with the newline, else 0. */
static size_t frame_length(const struct rt_console *c)
{
    const char *end = c->in.len ? memchr(c->in.data, '\n', c->in.len) : NULL;
    return end ? (size_t)(end - c->in.data) + 1 : 0;
}

int rt_console_wait(int fd, int ms)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    struct timespec limit = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
    sigset_t mask;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    sigdelset(&mask, SIGINT);
    return ppoll(&p, 1, ms < 0 ? NULL : &limit, &mask);
}

static int read_more(struct rt_console *c, int ms, struct rt_err *err)
{
    char part[16384];
    int n = rt_console_wait(c->fd, ms);
    if (n == 0)
        return rt_err_set(err, RT_E_EXPIRED, "the server does not answer");
    ssize_t got = n > 0 ? read(c->fd, part, sizeof part) : -1;
    if (got < 0 && errno == EINTR)
        return rt_err_set(err, RT_E_INTERRUPTED, "interrupted");
    if (got <= 0)
        return rt_err_set(err, RT_E_IO, "the server went away");
    rt_buf_put(&c->in, part, (size_t)got);
    return c->in.failed ? rt_err_set(err, RT_E_LIMIT, "the server sends a line that never ends") : 0;
}

int rt_console_next(struct rt_console *c, int ms, struct rt_json *ret, struct rt_err *err)
{
    struct rt_err why;
    uint64_t end = rt_mono_ns() + (uint64_t)(ms < 0 ? 0 : ms) * 1000000u;
    rt_buf_cut(&c->in, c->taken);
    c->taken = 0;
    while ((c->taken = frame_length(c)) == 0) {
        uint64_t now = rt_mono_ns();
        int rc = read_more(c, ms < 0 ? -1 : now < end ? (int)((end - now) / 1000000) + 1 : 0, err);
        if (rc)
            return rc;
    }
    if (rt_json_check(c->in.data, c->taken - 1, DEPTH_MAX, NULL, &why))
        return rt_err_set(err, RT_E_INVALID, "the server does not speak this client's protocol: %s", why.msg);
    *ret = rt_json_document(c->in.data, c->taken - 1);
    return 0;
}
