/* SPDX-License-Identifier: Apache-2.0
 *
 * What the library lets through but a proxy in front may read differently is refused here: that is
 * how requests are smuggled. libmicrohttpd 0.9.75 parses the head in place and writes NULs over the
 * separators, so the head must be a gapless chain of method, target, version, names and values up to
 * the size that the library reports. A folded line, a NUL, a lone LF, a second blank: each breaks the
 * chain, and whatever breaks it was not understood by the library as it was written. */
#include <string.h>
#include <strings.h>

#include "http/http_internal.h"

/* RFC 9110 section 5.6.2 */
static const bool token_char[256] = {
    ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['!'] = true, ['#'] = true, ['$'] = true,
    ['%'] = true,         ['&'] = true,         ['\''] = true,        ['*'] = true, ['+'] = true, ['-'] = true,
    ['.'] = true,         ['^'] = true,         ['_'] = true,         ['`'] = true, ['|'] = true, ['~'] = true,
};

struct head {
    const char *next; /* where the next field must begin */
    const char *why;
    unsigned hosts, lengths, codings;
    struct rt_str host, coding, length;
};

static bool is_token(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!token_char[(unsigned char)p[i]])
            return false;
    return n > 0;
}

static enum MHD_Result fault(struct head *head, const char *why)
{
    head->why = why;
    return MHD_NO;
}

static enum MHD_Result check_field(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_size,
                                   const char *value, size_t value_size)
{
    struct head *head = cls;
    (void)kind;
    if (name != head->next || !value || value <= name + name_size)
        return fault(head, "The header is not well-formed.");
    for (const char *p = name + name_size + 1; p < value; p++)
        if (*p != ' ' && *p != '\t')
            return fault(head, "The header is not well-formed.");
    if (!is_token(name, name_size))
        return fault(head, "A header's name is not well-formed.");
    if (memchr(value, '\r', value_size))
        return fault(head, "A header's value is not well-formed.");
    head->next = value + value_size + 2;
    struct rt_str text = { value, value_size };
    if (name_size == 4 && strncasecmp(name, "Host", 4) == 0) {
        head->hosts++;
        head->host = text;
    } else if (name_size == 14 && strncasecmp(name, "Content-Length", 14) == 0) {
        head->lengths++;
        head->length = text;
    } else if (name_size == 17 && strncasecmp(name, "Transfer-Encoding", 17) == 0) {
        head->codings++;
        head->coding = text;
    }
    return MHD_YES;
}

/* Characters of a host with an optional port, IPv6 in brackets included. */
static bool is_host(struct rt_str host)
{
    for (size_t i = 0; i < host.n; i++)
        if (!token_char[(unsigned char)host.p[i]] && !strchr(":[]();,=", host.p[i]))
            return false;
    return true;
}

static const char *check_framing(const struct head *head, bool old)
{
    if (head->lengths && head->codings)
        return "Content-Length and Transfer-Encoding exclude each other.";
    if (head->lengths > 1)
        return "There is more than one Content-Length.";
    if (head->codings > 1 || (head->codings && (old || !rt_str_ieq(head->coding, RT_STR("chunked")))))
        return "Transfer-Encoding can be nothing but \"chunked\".";
    if (head->hosts > 1 || (head->hosts == 0 && !old))
        return "There must be exactly one Host header.";
    return is_host(head->host) ? NULL : "The Host header is not well-formed.";
}

/* "http://host" of an absolute target: moved to `authority`, *t is what follows. */
static bool take_authority(struct rt_http_req *req, struct rt_str *t)
{
    size_t scheme = strncasecmp(t->p, "http://", 7) == 0 ? 7 : strncasecmp(t->p, "https://", 8) == 0 ? 8 : 0;
    size_t host = scheme ? strcspn(t->p + scheme, "/?#") : 0;
    req->authority = (struct rt_str){ t->p + scheme, host };
    t->p += scheme + host;
    t->n -= scheme + host;
    return host > 0 && is_host(req->authority) && (t->n == 0 || t->p[0] != '#');
}

/* Splits "/path?query", "http://host/path?query" or "*". */
static bool split_target(struct rt_http_req *req)
{
    struct rt_str t = req->target;
    for (size_t i = 0; i < t.n; i++)
        if ((unsigned char)t.p[i] <= ' ' || t.p[i] == 0x7F)
            return false;
    bool star = rt_str_is(t, "*") && rt_str_is(req->method, "OPTIONS");
    if (!star && (t.n == 0 || t.p[0] != '/') && !take_authority(req, &t))
        return false;
    const char *mark = t.n ? memchr(t.p, '?', t.n) : NULL;
    size_t path = mark ? (size_t)(mark - t.p) : t.n;
    req->path = path ? (struct rt_str){ t.p, path } : RT_STR("/");
    req->query = mark ? (struct rt_str){ mark + 1, t.n - path - 1 } : RT_STR("");
    return true;
}

/* on_uri() ended the target at its '?'. */
static void reveal_target(struct rt_http_req *req)
{
    if (req->hidden_at) {
        req->hidden_at[-1] = '?';
        req->hidden_at[0] = req->hidden;
    }
    req->target.n = strlen(req->target.p);
}

static uint64_t number(struct rt_str digits)
{
    uint64_t v = 0;
    for (size_t i = 0; i < digits.n; i++)
        v = v * 10 + (uint64_t)(digits.p[i] - '0');
    return v;
}

int http__check_head(struct rt_http_req *req, const char *method, const char *version, const char **ret_why)
{
    struct rt_http *h = req->http;
    reveal_target(req);
    req->method = rt_str_of(method);
    struct head head = { .next = version + 10 };
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(req->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    const char *end = method + (info ? info->header_size : 0);
    *ret_why = "The request line is not well-formed.";
    if (!is_token(method, req->method.n) || req->target.p != method + req->method.n + 1 ||
        version != req->target.p + req->target.n + 1 || !split_target(req))
        return 400;
    MHD_get_connection_values_n(req->mhd, MHD_HEADER_KIND, check_field, &head);
    if (!head.why && head.next + 2 != end)
        head.why = "The header is not well-formed.";
    if (!head.why)
        head.why = check_framing(&head, strcmp(version, "HTTP/1.0") == 0);
    *ret_why = head.why;
    if (head.why)
        return 400;
    *ret_why = "The URL is too long.";
    if (req->target.n > h->limits.url_bytes)
        return 414;
    *ret_why = "The header is too large.";
    if ((size_t)(end - method) > h->limits.header_bytes)
        return 431;
    *ret_why = "The body is too large.";
    req->length = number(head.length); /* the library has seen that these are digits */
    req->conn->counted &= head.codings == 0;
    req->conn->consumed += (uint64_t)(end - method) + req->length;
    return req->length > h->limits.body_bytes ? 413 : 0;
}
