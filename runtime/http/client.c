/* SPDX-License-Identifier: Apache-2.0
 *
 * libcurl's multi interface on a thread of its own: it knows every odd server there is, and its hooks let us
 * look at each address before a socket is made for it. Reused connections were looked at when they began. */
#include "http/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/client_internal.h"

enum { CONNECT_MS = 10000, IDLE_CONNECTIONS = 256 };

struct rt_client {
    CURLM *multi;
    struct rt_client_limits limits;
    const char *authorities; /* a file of certificates to trust, NULL: the system's */
    struct client_transfer *transfers;
    unsigned running;
};

int rt_client_global(struct rt_err *err)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) ? rt_err_set(err, RT_E_IO, "outgoing requests cannot be set up") : 0;
}

int rt_client_new(const struct rt_client_limits *limits, struct rt_client **ret, struct rt_err *err)
{
    struct rt_client *c = calloc(1, sizeof *c);
    if (!c || !(c->multi = curl_multi_init())) {
        free(c);
        return rt_err_set(err, RT_E_NOMEM, "no memory for outgoing requests");
    }
    c->limits = *limits;
    c->authorities = getenv("SSL_CERT_FILE");
    curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)IDLE_CONNECTIONS);
    *ret = c;
    return 0;
}

/* The address is final here: what the name resolves to later is of no interest. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct client_transfer *t = arg;
    (void)purpose;
    if (!rt_target_allowed(&a->addr, &t->client->limits.allow)) {
        t->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static bool is_header(struct rt_str line, const char *name, struct rt_str *ret_value)
{
    size_t n = strlen(name);
    if (line.n <= n || line.p[n] != ':' || strncasecmp(line.p, name, n) != 0)
        return false;
    *ret_value = rt_str_trim((struct rt_str){ line.p + n + 1, line.n - n - 1 });
    return true;
}

static size_t take_header(char *p, size_t size, size_t n, void *arg)
{
    struct client_transfer *t = arg;
    struct rt_str line = { p, size * n }, value;
    t->header_bytes += line.n;
    t->head_ended = line.n <= 2;
    if (line.n > 5 && memcmp(line.p, "HTTP/", 5) == 0)
        t->retry_after = -1; /* of an interim answer */
    if (is_header(line, "retry-after", &value))
        t->retry_after = rt_client_retry_after(value, t->now);
    return t->header_bytes <= RT_CLIENT_HEADERS_MAX ? line.n : 0;
}

static size_t take_body(char *p, size_t size, size_t n, void *arg)
{
    struct client_transfer *t = arg;
    size_t bytes = size * n, room = sizeof t->excerpt - t->excerpt_n;
    memcpy(t->excerpt + t->excerpt_n, p, bytes < room ? bytes : room);
    t->excerpt_n += bytes < room ? bytes : room;
    t->body_bytes += bytes;
    return t->body_bytes > RT_CLIENT_BODY_MAX ? 0 : bytes;
}

struct client_transfer *client__new(struct rt_client *c, rt_client_done *done, void *arg)
{
    struct client_transfer *t = calloc(1, sizeof *t);
    if (!t || !(t->easy = curl_easy_init())) {
        free(t);
        return NULL;
    }
    t->client = c;
    t->done = done;
    t->arg = arg;
    t->retry_after = -1;
    curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
    curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(t->easy, CURLOPT_PROXY, ""); /* not even one of the environment */
    curl_easy_setopt(t->easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(t->easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, (long)c->limits.timeout_ms);
    curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    /* A name server that does not answer must not hold up everybody when its transfer is given up. */
    curl_easy_setopt(t->easy, CURLOPT_QUICK_EXIT, 1L);
    if (c->authorities)
        curl_easy_setopt(t->easy, CURLOPT_CAINFO, c->authorities);
    curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_USERAGENT, "Perigee/" PERIGEE_VERSION);
    return t;
}

static void unlink_transfer(struct client_transfer *t)
{
    if (!t->back)
        return;
    *t->back = t->next;
    if (t->next)
        t->next->back = t->back;
    t->client->running--;
    curl_multi_remove_handle(t->client->multi, t->easy);
}

void client__drop(struct client_transfer *t)
{
    if (!t)
        return;
    unlink_transfer(t);
    curl_easy_cleanup(t->easy);
    curl_slist_free_all(t->list);
    free(t);
}

int client__start(struct client_transfer *t, struct rt_err *err)
{
    struct rt_client *c = t->client;
    if (curl_multi_add_handle(c->multi, t->easy))
        return rt_err_set(err, RT_E_NOMEM, "a transfer cannot be started");
    t->back = &c->transfers;
    t->next = c->transfers;
    if (t->next)
        t->next->back = &t->next;
    c->transfers = t;
    c->running++;
    return 0;
}

void rt_client_free(struct rt_client *c)
{
    if (!c)
        return;
    while (c->transfers)
        client__drop(c->transfers);
    curl_multi_cleanup(c->multi);
    free(c);
}

static bool add_line(struct client_transfer *t, const char *line)
{
    struct curl_slist *list = curl_slist_append(t->list, line);
    t->list = list ? list : t->list;
    return list != NULL;
}

/* "Name: value" lines; the two first are what the library would add of its own. */
static bool add_headers(struct client_transfer *t, struct rt_str lines)
{
    char line[8192];
    bool ok = add_line(t, "Expect:") && add_line(t, "Accept: */*"), typed = false;
    while (ok && lines.n > 0) {
        const char *end = memchr(lines.p, '\n', lines.n);
        size_t n = end ? (size_t)(end - lines.p) : lines.n;
        if (n >= sizeof line)
            return false;
        memcpy(line, lines.p, n);
        line[n] = 0;
        typed = typed || strncasecmp(line, "content-type:", 13) == 0;
        ok = add_line(t, line);
        lines.p += n + (end != NULL);
        lines.n -= n + (end != NULL);
    }
    return ok && (typed || add_line(t, "Content-Type: application/json"));
}

int rt_client_post(struct rt_client *c, const struct rt_client_post *p, rt_client_done *done, void *arg,
                   struct rt_err *err)
{
    struct client_transfer *t = client__new(c, done, arg);
    if (!t || !add_headers(t, p->headers)) {
        client__drop(t);
        return rt_err_set(err, RT_E_NOMEM, "no memory for a request");
    }
    t->now = p->now;
    curl_easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(t->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->list);
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)p->body.n);
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, p->body.n ? p->body.p : "");
    int rc = curl_easy_setopt(t->easy, CURLOPT_URL, p->url) ? rt_err_set(err, RT_E_NOMEM, "no memory for a request")
                                                            : client__start(t, err);
    if (rc)
        client__drop(t);
    return rc;
}

/* What went wrong, without anything that a stranger should not learn about our network. */
static const char *reason(const struct client_transfer *t, CURLcode code)
{
    if (t->refused)
        return "the address is not allowed: it is not a public one";
    if (t->header_bytes > RT_CLIENT_HEADERS_MAX)
        return "the answer's header is too long";
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT: return "no answer in time";
    case CURLE_COULDNT_RESOLVE_HOST: return "the host name cannot be resolved";
    case CURLE_COULDNT_CONNECT: return "the connection was refused";
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR: return "the connection was closed without an answer";
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE: return "the certificate is not trusted";
    case CURLE_SSL_CONNECT_ERROR: return "no encrypted connection could be made";
    default: return curl_easy_strerror(code);
    }
}

/* The status decides, once the head of the answer is there: a body that never ends changes nothing. */
static void fill_http(const struct client_transfer *t, CURLcode code, struct rt_client_result *r)
{
    bool head_is_there = t->head_ended && r->status >= 200 && t->header_bytes <= RT_CLIENT_HEADERS_MAX;
    if (code != CURLE_OK && !head_is_there) {
        r->error = reason(t, code);
        r->status = 0;
    }
}

static void fill_mail(const struct client_transfer *t, CURLcode code, struct rt_client_result *r)
{
    if (code == CURLE_OK)
        return;
    bool login = code == CURLE_LOGIN_DENIED || r->status == 530 || (r->status >= 534 && r->status <= 538);
    r->permanent = r->status >= 500 && r->status <= 599 && !login;
    r->error = login              ? "the SMTP server refuses the user or password"
               : r->permanent     ? "the SMTP server refuses this mail"
               : r->status >= 400 ? "the SMTP server cannot take this mail now"
                                  : reason(t, code);
    r->status = r->status >= 400 ? r->status : 0;
}

static void end(struct client_transfer *t, CURLcode code)
{
    long status = 0;
    curl_off_t us = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(t->easy, CURLINFO_TOTAL_TIME_T, &us);
    struct rt_client_result r = { .status = (int)status,
                                  .retry_after = t->retry_after,
                                  .latency_ms = (us + 999) / 1000,
                                  .excerpt = { t->excerpt, t->excerpt_n } };
    if (t->mail)
        fill_mail(t, code, &r);
    else
        fill_http(t, code, &r);
    unlink_transfer(t);
    t->back = NULL;
    t->done(t->arg, &r);
    client__drop(t);
}

void rt_client_run(struct rt_client *c, int ms)
{
    int active, left;
    struct CURLMsg *m;
    curl_multi_poll(c->multi, NULL, 0, ms, NULL);
    curl_multi_perform(c->multi, &active);
    while ((m = curl_multi_info_read(c->multi, &left)))
        if (m->msg == CURLMSG_DONE) {
            struct client_transfer *t;
            CURLcode code = m->data.result;
            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
            end(t, code);
        }
}

void rt_client_wake(struct rt_client *c) { curl_multi_wakeup(c->multi); }

unsigned rt_client_running(const struct rt_client *c) { return c->running; }

int64_t rt_client_retry_after(struct rt_str value, int64_t now)
{
    char text[64];
    int64_t seconds;
    if (rt_str_int(value, &seconds))
        return seconds >= 0 ? seconds : -1;
    bool name_first = value.n >= 20 && value.n < sizeof text && value.p[0] >= 'A' && value.p[0] <= 'Z';
    if (!name_first)
        return -1;
    memcpy(text, value.p, value.n);
    text[value.n] = 0;
    time_t at = curl_getdate(text, NULL);
    return at < 0 ? -1 : at > now ? at - now : 0;
}
