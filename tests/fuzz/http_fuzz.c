/* SPDX-License-Identifier: Apache-2.0
 *
 * The server with raw bytes from a client. The first byte decides how they are cut into pieces and
 * when answers are given. Whatever comes in, every request that was handed over ends exactly once, and
 * the server comes to rest. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/http.h"

static struct rt_http *http;
static struct rt_http_req *waiting;
static unsigned handed, ended;
static bool later;

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void answer(struct rt_http_req *req)
{
    struct rt_str path = rt_http_path(req), query = rt_http_query(req), body = rt_http_body(req);
    size_t n = path.n + query.n + body.n;
    char *text = malloc(n + 1);
    memcpy(text, path.p, path.n);
    memcpy(text + path.n, query.p, query.n);
    memcpy(text + path.n + query.n, body.p, body.n);
    require(!memchr(path.p, '\0', path.n) && !memchr(path.p, ' ', path.n) && !memchr(path.p, '?', path.n));
    require(rt_http_header(req, "host").n < 2000);
    rt_http_respond(req, 200, text, n);
}

static void on_request(void *arg, struct rt_http_req *req)
{
    (void)arg;
    handed++;
    if (!later)
        answer(req);
    else
        waiting = req;
}

static void on_refuse(void *arg, struct rt_http_req *req, int status, const char *message)
{
    (void)arg;
    handed++;
    require(status >= 400 && status < 500 && message);
    rt_http_respond(req, status, strdup(message), strlen(message));
}

static void on_ended(void *arg, void *context)
{
    (void)arg, (void)context;
    ended++;
}

static void settle(int fd)
{
    struct pollfd p = { rt_http_fd(http), POLLIN, 0 };
    char scrap[4096];
    for (int i = 0; waiting || rt_http_timeout(http) == 0 || poll(&p, 1, 0) > 0; i++) {
        require(i < 10000);
        if (waiting) {
            struct rt_http_req *req = waiting;
            waiting = NULL;
            answer(req);
        }
        rt_http_run(http);
        while (fd >= 0 && recv(fd, scrap, sizeof(scrap), MSG_DONTWAIT) > 0)
            ;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct rt_http_limits limits = { 2048, 1024, 4096, 3600, 3600, 4 };
    static const struct rt_http_handler handler = { NULL, on_request, on_refuse, on_ended };
    int pair[2];
    if (size == 0 || size > 20000)
        return 0;
    require(http || rt_http_new(&limits, &handler, &http, NULL) == 0);
    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
    later = data[0] & 1;
    size_t piece = data[0] >> 1 ? (size_t)(data[0] >> 1) : size;
    struct sockaddr local = { .sa_family = AF_UNIX };
    require(rt_http_adopt(http, pair[0], &local, sizeof(local.sa_family)) == 0);
    for (size_t at = 1; at < size; at += piece) {
        (void)!send(pair[1], data + at, size - at < piece ? size - at : piece, MSG_NOSIGNAL);
        settle(pair[1]);
    }
    close(pair[1]);
    settle(-1);
    rt_http_run(http); /* the library cleans up some failed connections one run later */
    settle(-1);
    require(rt_http_connections(http) == 0 && rt_http_active(http) == 0 && handed == ended);
    return 0;
}
