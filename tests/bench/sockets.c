/* SPDX-License-Identifier: Apache-2.0
 *
 * Load for WebSockets: opens many, publishes over HTTP, and clocks every event at every socket. One thread and one
 * epoll, so that a time is taken when the byte is there. tests/bench/sockets starts a server and calls this.
 *
 *   sockets --port P --path /ws/a --hello '{"do":"join","room":"b"}' --connections N
 *           [--post /chat/b/lines --body '{"said":"x"}' --events E --rate R]   R per second; 0: the next when all have it
 *           [--get /chat/lines --gets G]                                       G requests per second meanwhile
 *           [--pid PID] [--hold SECONDS]
 *
 * Each socket sends --hello and is ready after one message. A message that ends in "seq":n} is event n. An event's
 * times: from its request to the last byte at the last socket, and from its answer (it is on disk) to there. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { OPENING = 256, TAIL = 48, EVENTS_MAX = 200000, GETS_MAX = 1000000 };

enum state { CONNECTING, SHAKING, JOINING, READY, DEAD };

struct peer {
    int fd;
    enum state state;
    uint8_t head[10], have;
    uint64_t left;
    char tail[TAIL]; /* the last bytes of the message that is coming in */
    uint8_t tail_n, newline;
    bool in_payload, is_text;
    int64_t last_seq;
    uint64_t events;
};

struct http {
    int fd;
    bool busy;
    uint64_t sent;
    char in[65536];
    size_t n;
};

struct event {
    uint64_t sent, answered, complete;
    int received;
};

static struct options {
    const char *path, *hello, *post, *body, *get;
    int port, connections, events, pid;
    double rate, gets, hold;
} opt = {
    .path = "/ws/a", .hello = "{\"do\":\"join\",\"room\":\"bench\"}", .body = "{\"said\":\"x\"}", .connections = 1000
};

static struct peer *peers;
static struct event *events;
static struct http poster = { .fd = -1 }, getter = { .fd = -1 };
static uint64_t gets[GETS_MAX];
static int epoll, opened, ready, dead, published, completed, n_gets, disorder;
static int64_t base = -1;

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int dial(bool wait)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons((uint16_t)opt.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | (wait ? 0 : SOCK_NONBLOCK), 0), on = 1;
    if (fd < 0)
        die("socket");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) && errno != EINPROGRESS)
        die("connect");
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void watch(int fd, void *what, uint32_t how)
{
    struct epoll_event e = { .events = how, .data.ptr = what };
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e))
        die("epoll_ctl");
}

static void send_all(int fd, const char *p, size_t n)
{
    if (send(fd, p, n, MSG_NOSIGNAL) != (ssize_t)n)
        die("send");
}

static void open_one(void)
{
    struct peer *p = &peers[opened++];
    char text[512];
    p->fd = dial(true);
    watch(p->fd, p, EPOLLIN);
    p->state = SHAKING;
    int n = snprintf(text, sizeof text,
                     "GET %s HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                     opt.path);
    send_all(p->fd, text, (size_t)n);
}

/* A frame with a mask of zeros. */
static void send_text(struct peer *p, const char *text, int opcode)
{
    char frame[200] = { (char)(0x80 | opcode), (char)(0x80 | strlen(text)) };
    if (strlen(text) > 120) {
        fprintf(stderr, "--hello is too long\n");
        exit(1);
    }
    memcpy(frame + 6, text, strlen(text));
    send_all(p->fd, frame, 6 + strlen(text));
}

static void got_event(struct peer *p, int64_t seq, uint64_t now)
{
    if (base < 0)
        base = seq;
    int64_t i = seq - base;
    if (i < 0 || i >= EVENTS_MAX || (p->last_seq && seq != p->last_seq + 1)) {
        disorder++;
        return;
    }
    p->last_seq = seq;
    p->events++;
    if (++events[i].received == opt.connections) {
        events[i].complete = now;
        completed++;
    }
}

static void got_message(struct peer *p, uint64_t now)
{
    int opcode = p->head[0] & 15;
    if (opcode == 8) {
        p->state = DEAD;
        dead++;
        return;
    }
    if (opcode == 9)
        send_text(p, "", 10);
    if (opcode != 1)
        return;
    if (p->state == JOINING) {
        p->state = READY;
        ready++;
        return;
    }
    p->tail[p->tail_n < TAIL ? p->tail_n : TAIL - 1] = 0;
    char *seq = strstr(p->tail, "\"seq\":");
    if (seq)
        got_event(p, strtoll(seq + 6, NULL, 10), now);
}

/* Keeps the last bytes only. */
static void keep_tail(struct peer *p, const uint8_t *data, size_t n)
{
    if (n >= TAIL - 1) {
        memcpy(p->tail, data + n - (TAIL - 1), TAIL - 1);
        p->tail_n = TAIL - 1;
        return;
    }
    size_t keep = p->tail_n + n > TAIL - 1 ? TAIL - 1 - n : p->tail_n;
    memmove(p->tail, p->tail + p->tail_n - keep, keep);
    memcpy(p->tail + keep, data, n);
    p->tail_n = (uint8_t)(keep + n);
}

static size_t head_need(const struct peer *p)
{
    int n = p->have < 2 ? 0 : p->head[1] & 127;
    return n == 126 ? 4 : n == 127 ? 10 : 2;
}

static void take(struct peer *p, const uint8_t *data, size_t n, uint64_t now)
{
    while (n > 0 && p->state != DEAD) {
        if (!p->in_payload) {
            p->head[p->have++] = *data++;
            n--;
            if (p->have < head_need(p))
                continue;
            size_t need = head_need(p);
            p->left = need == 2 ? p->head[1] & 127 : 0;
            for (size_t i = 2; i < need; i++)
                p->left = p->left << 8 | p->head[i];
            p->in_payload = true;
            p->tail_n = 0;
        }
        size_t k = p->left < n ? (size_t)p->left : n;
        keep_tail(p, data, k);
        data += k;
        n -= k;
        p->left -= k;
        if (p->left == 0) {
            got_message(p, now);
            p->in_payload = false;
            p->have = 0;
        }
    }
}

/* The end of the answer's head is looked for byte by byte. */
static size_t skip_head(struct peer *p, const uint8_t *data, size_t n)
{
    static const char end[] = "\r\n\r\n";
    for (size_t i = 0; i < n; i++) {
        p->newline = data[i] == (uint8_t)end[p->newline] ? p->newline + 1 : data[i] == '\r';
        if (i == 9 && data[i] != '1') {
            fprintf(stderr, "refused: %.*s\n", 40, (const char *)data);
            exit(1);
        }
        if (p->newline == 4) {
            p->state = JOINING;
            send_text(p, opt.hello, 1);
            return i + 1;
        }
    }
    return n;
}

static void read_peer(struct peer *p)
{
    static uint8_t data[65536];
    ssize_t n = recv(p->fd, data, sizeof data, 0);
    uint64_t now = now_ns();
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        if (p->state != DEAD)
            dead++;
        p->state = DEAD;
        close(p->fd);
        return;
    }
    size_t at = p->state == SHAKING ? skip_head(p, data, (size_t)n) : 0;
    take(p, data + at, (size_t)n - at, now);
}

static void ask(struct http *h, const char *method, const char *path, const char *body)
{
    char text[2048];
    int n = snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: bench\r\nContent-Length: %zu\r\n\r\n%s", method, path,
                     strlen(body), body);
    h->busy = true;
    h->sent = now_ns();
    send_all(h->fd, text, (size_t)n);
}

/* True when the answer is complete. */
static bool read_http(struct http *h)
{
    ssize_t n = recv(h->fd, h->in + h->n, sizeof h->in - 1 - h->n, 0);
    if (n <= 0) {
        if (n < 0 && errno == EAGAIN)
            return false;
        die("the server closed an HTTP connection");
    }
    h->n += (size_t)n;
    h->in[h->n] = 0;
    char *end = strstr(h->in, "\r\n\r\n"), *length = strcasestr(h->in, "\r\nContent-Length: ");
    if (!end || h->n < (size_t)(end + 4 - h->in) + (length ? (size_t)atoi(length + 18) : 0))
        return false;
    if (h->in[9] != '2') {
        fprintf(stderr, "%s\n", h->in);
        exit(1);
    }
    h->n = 0;
    h->busy = false;
    return true;
}

static void turn(int ms)
{
    struct epoll_event list[512];
    int n = epoll_wait(epoll, list, 512, ms);
    for (int i = 0; i < n; i++) {
        void *what = list[i].data.ptr;
        if (what == &poster) {
            if (read_http(&poster))
                events[published++].answered = now_ns();
        } else if (what == &getter) {
            if (read_http(&getter) && n_gets < GETS_MAX)
                gets[n_gets++] = now_ns() - getter.sent;
        } else {
            read_peer(what);
        }
    }
}

static long memory_kb(const char *file, const char *key)
{
    char line[256];
    long kb = -1;
    FILE *f = fopen(file, "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, key, strlen(key)) == 0)
            kb = atol(line + strlen(key));
    if (f)
        fclose(f);
    return kb;
}

static long server_kb(void)
{
    char file[64];
    snprintf(file, sizeof file, "/proc/%d/status", opt.pid);
    return opt.pid ? memory_kb(file, "VmRSS:") : 0;
}

/* Processor time of the server so far. */
static double server_seconds(void)
{
    char file[64], text[1024] = "";
    unsigned long user = 0, system = 0;
    snprintf(file, sizeof file, "/proc/%d/stat", opt.pid);
    FILE *f = opt.pid ? fopen(file, "r") : NULL;
    if (f && fgets(text, sizeof text, f) && strrchr(text, ')'))
        sscanf(strrchr(text, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    if (f)
        fclose(f);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static long kernel_pages(void)
{
    long pages = 0;
    char line[256];
    FILE *f = fopen("/proc/net/sockstat", "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "TCP:", 4) == 0 && strstr(line, "mem "))
            pages = atol(strstr(line, "mem ") + 4);
    if (f)
        fclose(f);
    return pages;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void spread(const char *name, uint64_t *v, int n)
{
    if (n == 0)
        return;
    qsort(v, (size_t)n, sizeof *v, by_value);
    printf("%-34s n=%d p50=%.2f ms p99=%.2f ms max=%.2f ms\n", name, n, (double)v[n / 2] / 1e6,
           (double)v[(int)((double)n * 0.99)] / 1e6, (double)v[n - 1] / 1e6);
}

static void open_all(void)
{
    long before = server_kb(), kernel = kernel_pages();
    uint64_t start = now_ns();
    while (ready < opt.connections) {
        while (opened < opt.connections && opened - ready - dead < OPENING)
            open_one();
        turn(1000);
        if (dead) {
            fprintf(stderr, "%d sockets were lost while opening\n", dead);
            exit(1);
        }
    }
    printf("opened %d in %.2f s", ready, (double)(now_ns() - start) / 1e9);
    if (opt.pid)
        printf("; server %ld -> %ld KB, %.2f KB per socket; kernel %.2f KB per socket (both ends)", before, server_kb(),
               (double)(server_kb() - before) / ready, (double)(kernel_pages() - kernel) * 4 / ready);
    printf("\n");
}

/* `rate` a second, until `until`, on time whatever the answers do. */
static bool due(double rate, uint64_t start, int done)
{
    return rate > 0 && (double)(now_ns() - start) / 1e9 * rate >= done;
}

static void get_when_due(uint64_t start, int from)
{
    if (opt.get && !getter.busy && due(opt.gets, start, n_gets - from))
        ask(&getter, "GET", opt.get, "");
}

static void baseline(double seconds)
{
    uint64_t start = now_ns();
    while ((double)(now_ns() - start) / 1e9 < seconds) {
        get_when_due(start, 0);
        turn(1);
    }
    spread("HTTP before", gets, n_gets);
    n_gets = 0;
}

static void publish(void)
{
    uint64_t start = now_ns(), quiet = start;
    double cpu = server_seconds();
    int asked = 0, seen = 0;
    while ((completed < opt.events || published < opt.events) && (double)(now_ns() - quiet) / 1e9 < 10) {
        bool may = opt.rate > 0 ? due(opt.rate, start, asked) : completed == asked && published == asked;
        if (asked < opt.events && !poster.busy && may) {
            events[asked++].sent = now_ns();
            ask(&poster, "POST", opt.post, opt.body);
        }
        get_when_due(start, 0);
        turn(opt.rate > 0 || opt.get ? 1 : 1000);
        if (completed != seen) {
            seen = completed;
            quiet = now_ns();
        }
    }
    double seconds = (double)(now_ns() - start) / 1e9;
    uint64_t *whole = calloc((size_t)opt.events, sizeof *whole), *after = calloc((size_t)opt.events, sizeof *after);
    int n = 0;
    for (int i = 0; i < opt.events; i++)
        if (events[i].complete) {
            whole[n] = events[i].complete - events[i].sent;
            after[n++] = events[i].complete > events[i].answered ? events[i].complete - events[i].answered : 0;
        }
    printf(
        "%d events to %d sockets in %.2f s: %.0f events/s, %.0f messages/s; incomplete %d, out of order %d, lost %d\n",
        published, ready, seconds, completed / seconds, (double)completed * ready / seconds, published - completed,
        disorder, dead);
    if (opt.pid)
        printf("server: %.1f us of processor time per message\n",
               (server_seconds() - cpu) * 1e6 / ((double)completed * ready + 1));
    spread("request to last byte of last", whole, n);
    spread("answer (on disk) to last of last", after, n);
    spread("HTTP meanwhile", gets, n_gets);
    free(whole);
    free(after);
}

static void read_options(int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *name = argv[i], *value = argv[i + 1];
        const struct {
            const char *name;
            const char **text;
            int *whole;
            double *number;
        } known[] = {
            { "--path", &opt.path, NULL, NULL },     { "--hello", &opt.hello, NULL, NULL },
            { "--post", &opt.post, NULL, NULL },     { "--body", &opt.body, NULL, NULL },
            { "--get", &opt.get, NULL, NULL },       { "--port", NULL, &opt.port, NULL },
            { "--pid", NULL, &opt.pid, NULL },       { "--connections", NULL, &opt.connections, NULL },
            { "--events", NULL, &opt.events, NULL }, { "--rate", NULL, NULL, &opt.rate },
            { "--gets", NULL, NULL, &opt.gets },     { "--hold", NULL, NULL, &opt.hold },
        };
        size_t k = 0, n = sizeof known / sizeof *known;
        while (k < n && strcmp(known[k].name, name) != 0)
            k++;
        if (k == n) {
            fprintf(stderr, "unknown option %s\n", name);
            exit(2);
        }
        if (known[k].text)
            *known[k].text = value;
        else if (known[k].whole)
            *known[k].whole = atoi(value);
        else
            *known[k].number = atof(value);
    }
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    struct rlimit r;
    getrlimit(RLIMIT_NOFILE, &r);
    r.rlim_cur = r.rlim_max;
    setrlimit(RLIMIT_NOFILE, &r);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    peers = calloc((size_t)opt.connections, sizeof *peers);
    events = calloc(EVENTS_MAX, sizeof *events);
    if (!peers || !events || opt.events > EVENTS_MAX)
        die("memory");
    open_all();
    if (opt.post)
        watch(poster.fd = dial(true), &poster, EPOLLIN);
    if (opt.get) {
        watch(getter.fd = dial(true), &getter, EPOLLIN);
        baseline(5);
    }
    if (opt.post)
        publish();
    for (uint64_t start = now_ns(); (double)(now_ns() - start) / 1e9 < opt.hold;)
        turn(100);
    if (opt.hold > 0)
        printf("after %.0f s: lost %d; server %ld KB\n", opt.hold, dead, server_kb());
    return dead || disorder || completed < (opt.post ? opt.events : 0);
}
