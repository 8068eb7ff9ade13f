/* SPDX-License-Identifier: Apache-2.0
 *
 * Closing a socket with unread bytes in it makes the kernel send a reset, which can destroy an answer
 * that the client has not read yet: whoever uploads too much would see a broken connection instead of
 * the 413. So such a connection's sending side is shut down and a duplicate of the socket is read for a
 * while, until the client is done. Few at a time, a few seconds each, looked at in every run. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/http_internal.h"

enum { LINGERS = 64, SECONDS = 5, ROUNDS = 16, PIECE = 32 * 1024 };

struct http_linger {
    struct http_linger *next;
    uint64_t until;
    int fd;
};

/* Reads what is there; false when the client has finished. */
static bool discard(int fd, int rounds)
{
    char scrap[PIECE];
    while (rounds-- > 0) {
        ssize_t n = recv(fd, scrap, sizeof(scrap), MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return false;
        if (n < 0)
            break;
    }
    return true;
}

void http__linger_start(struct rt_http *h, int fd)
{
    if (h->stopping || h->linger_count >= LINGERS || shutdown(fd, SHUT_WR) != 0 || !discard(fd, 1))
        return;
    struct http_linger *l = malloc(sizeof(*l));
    int copy = l ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (copy < 0) {
        free(l);
        return;
    }
    *l = (struct http_linger){ h->lingers, h->now + SECONDS * (uint64_t)1000000000, copy };
    h->lingers = l;
    h->linger_count++;
}

void http__linger_run(struct rt_http *h)
{
    for (struct http_linger **at = &h->lingers; *at;) {
        struct http_linger *l = *at;
        if (h->now < l->until && discard(l->fd, ROUNDS)) {
            at = &l->next;
            continue;
        }
        *at = l->next;
        close(l->fd);
        free(l);
        h->linger_count--;
    }
}

void http__linger_fini(struct rt_http *h)
{
    h->now = UINT64_MAX;
    http__linger_run(h);
}
