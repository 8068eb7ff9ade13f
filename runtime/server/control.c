/* SPDX-License-Identifier: Apache-2.0
 *
 * A socket's address holds about a hundred characters and data folders may lie deeper, so the folder is
 * opened and the address goes through its descriptor. */
#include "server/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

static const char name[] = "perigee.sock";

enum { BACKLOG = 16, LINE_MS = 1000, ANSWER_SECONDS = 5 };

struct rt_control {
    int fd, folder;
};

static int open_folder(const char *data, struct sockaddr_un *a, struct rt_err *err)
{
    int folder = open(data, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return rt_err_set(err, errno == ENOENT ? RT_E_NOTFOUND : RT_E_IO, "the data folder %s: %s", data,
                          strerror(errno));
    *a = (struct sockaddr_un){ .sun_family = AF_UNIX };
    snprintf(a->sun_path, sizeof a->sun_path, "/proc/self/fd/%d/%s", folder, name);
    return folder;
}

int rt_control_open(const char *data, struct rt_control **ret, struct rt_err *err)
{
    struct sockaddr_un a;
    int folder = open_folder(data, &a, err);
    if (folder < 0)
        return folder;
    unlinkat(folder, name, 0);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* The socket's own mode becomes that of its name: no umask, which threads share, and no moment of openness. */
    int bad = fd < 0 || fchmod(fd, 0600) || bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, BACKLOG);
    struct rt_control *c = bad ? NULL : calloc(1, sizeof *c);
    if (!c) {
        int why = errno;
        if (fd >= 0)
            close(fd);
        close(folder);
        return rt_err_set(err, RT_E_IO, "cannot listen on %s/%s: %s", data, name, strerror(why));
    }
    *c = (struct rt_control){ fd, folder };
    *ret = c;
    return 0;
}

void rt_control_close(struct rt_control *c)
{
    if (!c)
        return;
    close(c->fd);
    unlinkat(c->folder, name, 0);
    close(c->folder);
    free(c);
}

int rt_control_fd(const struct rt_control *c) { return c->fd; }

static unsigned name_peer(int fd, char *out, size_t size)
{
    struct ucred peer = { 0 };
    socklen_t n = sizeof peer;
    struct passwd entry, *found = NULL;
    char buf[2048];
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0)
        getpwuid_r(peer.uid, &entry, buf, sizeof buf, &found);
    if (found)
        snprintf(out, size, "%s", found->pw_name);
    else
        snprintf(out, size, "uid %u", (unsigned)peer.uid);
    return peer.uid;
}

/* Up to the line's end and no further: what follows belongs to a conversation. */
static bool read_line(int fd, struct rt_buf *line)
{
    uint64_t end = rt_mono_ns() + LINE_MS * 1000000ull;
    for (char c;;) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        uint64_t now = rt_mono_ns();
        if (now >= end || poll(&p, 1, (int)((end - now) / 1000000) + 1) != 1 || read(fd, &c, 1) != 1)
            return false;
        if (c == '\n')
            return !line->failed;
        rt_buf_putc(line, c);
    }
}

bool rt_control_take(struct rt_control *c, struct rt_control_request *ret)
{
    int fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC);
    struct timeval limit = { .tv_sec = ANSWER_SECONDS };
    struct rt_buf line;
    if (fd < 0)
        return false;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    rt_buf_init(&line, RT_CONTROL_LINE_MAX);
    if (!read_line(fd, &line)) {
        rt_buf_fini(&line);
        close(fd);
        return false;
    }
    *ret = (struct rt_control_request){ .fd = fd };
    ret->uid = name_peer(fd, ret->who, sizeof ret->who);
    rt_buf_cstr(&line);
    ret->line = rt_buf_take(&line, &ret->n);
    if (!ret->line)
        ret->line = calloc(1, 1);
    return true;
}

bool rt_control_send(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t w = send(fd, p, n, MSG_NOSIGNAL);
        if (w <= 0 && errno != EINTR)
            return false;
        p += w > 0 ? w : 0;
        n -= w > 0 ? (size_t)w : 0;
    }
    return true;
}

void rt_control_answer(struct rt_control_request *r, int status, const char *text, size_t n)
{
    char head[16];
    int head_n = snprintf(head, sizeof head, "%d\n", status);
    if (rt_control_send(r->fd, head, (size_t)head_n))
        rt_control_send(r->fd, text, n);
    close(r->fd);
    free(r->line);
    r->line = NULL;
}

int rt_control_connect(const char *data, int *ret_fd, struct rt_err *err)
{
    struct sockaddr_un a;
    int folder = open_folder(data, &a, err);
    if (folder < 0)
        return folder;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int why = fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) ? errno : 0;
    close(folder);
    if (why) {
        if (fd >= 0)
            close(fd);
        return rt_err_set(err, why == EACCES ? RT_E_DENIED : RT_E_NOTFOUND,
                          why == EACCES ? "the server of %s belongs to another user"
                                        : "no server runs on the data folder %s (--data or PERIGEE_DATA names another)",
                          data);
    }
    *ret_fd = fd;
    return 0;
}

int rt_control_ask(const char *data, const char *line, int *ret_status, struct rt_buf *ret_text, struct rt_err *err)
{
    int fd, rc = rt_control_connect(data, &fd, err);
    struct rt_buf status;
    char part[8192];
    ssize_t n = 0;
    if (rc)
        return rc;
    rt_buf_init(&status, 16);
    bool good = rt_control_send(fd, line, strlen(line)) && rt_control_send(fd, "\n", 1);
    for (char c = 0; good && c != '\n';) {
        good = read(fd, &c, 1) == 1;
        rt_buf_putc(&status, c);
    }
    while (good && (n = read(fd, part, sizeof part)) > 0)
        rt_buf_put(ret_text, part, (size_t)n);
    close(fd);
    if (good && n == 0)
        *ret_status = atoi(rt_buf_cstr(&status));
    else
        rc = rt_err_set(err, RT_E_IO, "the server went away before it had answered");
    rt_buf_fini(&status);
    return rc;
}
