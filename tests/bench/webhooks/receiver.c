/* SPDX-License-Identifier: Apache-2.0
 *
 * The receiver of the webhook benchmark: one thread, keep-alive, as little work per request as possible, so that what
 * is measured is the sender. One port answers 200 at once, another takes requests and never answers.
 * Prints both ports; on SIGTERM how much came, from the first to the last, and the time from "t" in the body (Unix
 * microseconds, written by whoever caused the event) to the arrival. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 4096, REQUEST = 65536, SAMPLES = 1 << 22, EVENTS = 256 };

struct conn {
    int fd, hangs;
    size_t n;
    char data[REQUEST];
};

static struct conn *conns[CONNECTIONS];
static int64_t *samples, first, last;
static size_t n_samples, n_hanging;
static volatile sig_atomic_t stop;

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static int listen_on(int epoll, int *ret_port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, 1024) ||
        getsockname(fd, (struct sockaddr *)&a, &n) || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e))
        exit(1);
    *ret_port = ntohs(a.sin_port);
    return fd;
}

static void take(int epoll, int listener, int hangs)
{
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };
        if (fd >= CONNECTIONS || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e)) {
            close(fd);
            continue;
        }
        conns[fd] = calloc(1, sizeof **conns);
        conns[fd]->fd = fd;
        conns[fd]->hangs = hangs;
    }
}

static void drop(struct conn *c)
{
    conns[c->fd] = NULL;
    close(c->fd);
    free(c);
}

/* The length of a complete request at the beginning of the data, or 0. */
static size_t complete(struct conn *c)
{
    char *end = memmem(c->data, c->n, "\r\n\r\n", 4);
    if (!end)
        return 0;
    *end = 0;
    char *length = strcasestr(c->data, "\r\ncontent-length:");
    size_t whole = (size_t)(end - c->data) + 4 + (length ? strtoul(length + 17, NULL, 10) : 0);
    *end = '\r';
    return whole <= c->n ? whole : 0;
}

static void count(const char *request, size_t n)
{
    const char *t = memmem(request, n, "\"t\":", 4);
    int64_t now = now_us();
    first = first ? first : now;
    last = now;
    if (n_samples < SAMPLES)
        samples[n_samples++] = t ? now - strtoll(t + 4, NULL, 10) : 0;
}

static void serve(struct conn *c)
{
    static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    ssize_t got = read(c->fd, c->data + c->n, sizeof c->data - c->n);
    if (got <= 0) {
        drop(c);
        return;
    }
    c->n += (size_t)got;
    for (size_t whole; (whole = complete(c)) > 0;) {
        n_hanging += c->hangs;
        if (!c->hangs) {
            count(c->data, whole);
            if (write(c->fd, ok, sizeof ok - 1) < 0) {
                drop(c);
                return;
            }
        }
        memmove(c->data, c->data + whole, c->n - whole);
        c->n -= whole;
    }
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void report(void)
{
    qsort(samples, n_samples, sizeof *samples, by_value);
    double seconds = (double)(last - first) / 1e6;
    printf("%zu deliveries in %.2f s: %.0f/s; %zu requests hang", n_samples, seconds,
           seconds > 0 ? (double)n_samples / seconds : 0, n_hanging);
    if (n_samples)
        printf("; event to arrival p50 %.1f ms, p95 %.1f ms, p99 %.1f ms, most %.1f ms",
               (double)samples[n_samples / 2] / 1e3, (double)samples[n_samples * 95 / 100] / 1e3,
               (double)samples[n_samples * 99 / 100] / 1e3, (double)samples[n_samples - 1] / 1e3);
    printf("\n");
}

static void end(int sig)
{
    (void)sig;
    stop = 1;
}

int main(void)
{
    struct epoll_event events[EVENTS];
    struct sigaction action = { .sa_handler = end };
    int epoll = epoll_create1(0), fast_port, hang_port;
    int fast = listen_on(epoll, &fast_port), hang = listen_on(epoll, &hang_port);
    samples = malloc(sizeof *samples * SAMPLES);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    printf("%d %d\n", fast_port, hang_port);
    fflush(stdout);
    while (!stop) {
        int n = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == fast || fd == hang)
                take(epoll, fd, fd == hang);
            else if (conns[fd])
                serve(conns[fd]);
        }
    }
    report();
    return 0;
}
