/* SPDX-License-Identifier: Apache-2.0
 *
 * All addresses are compared as 16 bytes, IPv4 in its mapped form, against one table of what is not public
 * (IANA's special-purpose registries). In IPv6 only 2000::/3 is given out, so everything else is refused. */
#include "http/target.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <string.h>

/* IPv4 */
static const struct special {
    const char *network;
    int bits;
    enum rt_target_kind kind;
} specials4[] = {
    { "0.0.0.0", 8, RT_TARGET_LOCAL },          { "10.0.0.0", 8, RT_TARGET_PRIVATE },
    { "100.64.0.0", 10, RT_TARGET_PRIVATE },    { "127.0.0.0", 8, RT_TARGET_LOCAL },
    { "168.63.129.16", 32, RT_TARGET_PRIVATE }, { "169.254.0.0", 16, RT_TARGET_PRIVATE },
    { "172.16.0.0", 12, RT_TARGET_PRIVATE },    { "192.0.0.0", 24, RT_TARGET_SPECIAL },
    { "192.0.2.0", 24, RT_TARGET_SPECIAL },     { "192.31.196.0", 24, RT_TARGET_SPECIAL },
    { "192.52.193.0", 24, RT_TARGET_SPECIAL },  { "192.88.99.0", 24, RT_TARGET_SPECIAL },
    { "192.168.0.0", 16, RT_TARGET_PRIVATE },   { "192.175.48.0", 24, RT_TARGET_SPECIAL },
    { "198.18.0.0", 15, RT_TARGET_SPECIAL },    { "198.51.100.0", 24, RT_TARGET_SPECIAL },
    { "203.0.113.0", 24, RT_TARGET_SPECIAL },   { "224.0.0.0", 3, RT_TARGET_SPECIAL },
};

/* IPv6 */
static const struct special specials6[] = {
    { "::", 128, RT_TARGET_LOCAL },
    { "::1", 128, RT_TARGET_LOCAL },
    { "fc00::", 7, RT_TARGET_PRIVATE },
    { "fe80::", 10, RT_TARGET_PRIVATE },
    { "fec0::", 10, RT_TARGET_PRIVATE },
    { "2001:db8::", 32, RT_TARGET_SPECIAL },
    { "3fff::", 20, RT_TARGET_SPECIAL },
    { "2001::", 23, RT_TARGET_SPECIAL },
    { "2620:4f:8000::", 48, RT_TARGET_SPECIAL },
};

/* IPv6 networks whose addresses carry an IPv4 address, and where; Teredo's is inverted. */
static const struct carrier {
    const char *network;
    int bits, at;
    uint8_t mask;
} carriers[] = {
    { "::", 96, 12, 0 },    { "::ffff:0:0:0", 96, 12, 0 }, { "64:ff9b::", 96, 12, 0 },
    { "2002::", 16, 2, 0 }, { "2001::", 32, 12, 0xff },
};

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static bool within(const uint8_t *a, const uint8_t *b, int bits)
{
    int whole = bits / 8, rest = bits % 8;
    if (memcmp(a, b, (size_t)whole) != 0)
        return false;
    return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

static bool bytes_of(const struct sockaddr *addr, uint8_t out[16])
{
    if (addr->sa_family == AF_INET) {
        memcpy(out, mapped, 12);
        memcpy(out + 12, &((const struct sockaddr_in *)addr)->sin_addr, 4);
        return true;
    }
    if (addr->sa_family == AF_INET6)
        memcpy(out, &((const struct sockaddr_in6 *)addr)->sin6_addr, 16);
    return addr->sa_family == AF_INET6;
}

static enum rt_target_kind kind4(const uint8_t a[4])
{
    for (size_t i = 0; i < sizeof specials4 / sizeof *specials4; i++) {
        uint8_t network[4];
        inet_pton(AF_INET, specials4[i].network, network);
        if (within(a, network, specials4[i].bits))
            return specials4[i].kind;
    }
    return RT_TARGET_PUBLIC;
}

/* The IPv4 address that an IPv6 address stands for. :: and ::1 stand for themselves. */
static bool carried(const uint8_t a[16], uint8_t out[4])
{
    static const uint8_t nothing[15];
    if (memcmp(a, nothing, 15) == 0 && a[15] <= 1)
        return false;
    if (memcmp(a, mapped, 12) == 0) {
        memcpy(out, a + 12, 4);
        return true;
    }
    for (size_t i = 0; i < sizeof carriers / sizeof *carriers; i++) {
        uint8_t network[16];
        inet_pton(AF_INET6, carriers[i].network, network);
        if (!within(a, network, carriers[i].bits))
            continue;
        for (int k = 0; k < 4; k++)
            out[k] = a[carriers[i].at + k] ^ carriers[i].mask;
        return true;
    }
    return false;
}

static enum rt_target_kind kind6(const uint8_t a[16])
{
    uint8_t inner[4];
    if (carried(a, inner))
        return kind4(inner);
    for (size_t i = 0; i < sizeof specials6 / sizeof *specials6; i++) {
        uint8_t network[16];
        inet_pton(AF_INET6, specials6[i].network, network);
        if (within(a, network, specials6[i].bits))
            return specials6[i].kind;
    }
    return (a[0] & 0xe0) == 0x20 ? RT_TARGET_PUBLIC : RT_TARGET_SPECIAL;
}

enum rt_target_kind rt_target_kind(const struct sockaddr *addr)
{
    uint8_t bytes[16];
    return bytes_of(addr, bytes) ? kind6(bytes) : RT_TARGET_UNKNOWN;
}

static bool listed(const uint8_t a[16], const struct rt_target_allow *allow)
{
    for (int i = 0; i < allow->n; i++)
        if (within(a, allow->networks[i].address, allow->networks[i].bits))
            return true;
    return false;
}

bool rt_target_allowed(const struct sockaddr *addr, const struct rt_target_allow *allow)
{
    uint8_t bytes[16], inner[16];
    if (!bytes_of(addr, bytes))
        return false;
    if (kind6(bytes) == RT_TARGET_PUBLIC || listed(bytes, allow))
        return true;
    memcpy(inner, mapped, 12);
    return carried(bytes, inner + 12) && listed(inner, allow);
}

static bool parse_network(struct rt_str item, struct rt_network *ret)
{
    char text[64];
    struct in_addr v4;
    int64_t bits;
    const char *slash = memchr(item.p, '/', item.n);
    size_t n = slash ? (size_t)(slash - item.p) : item.n;
    if (n >= sizeof text)
        return false;
    memcpy(text, item.p, n);
    text[n] = 0;
    bool is4 = inet_pton(AF_INET, text, &v4) == 1;
    if (!is4 && inet_pton(AF_INET6, text, ret->address) != 1)
        return false;
    if (is4) {
        memcpy(ret->address, mapped, 12);
        memcpy(ret->address + 12, &v4, 4);
    }
    int most = is4 ? 32 : 128;
    bits = most;
    if (slash && (!rt_str_int((struct rt_str){ slash + 1, item.n - n - 1 }, &bits) || bits < 0 || bits > most))
        return false;
    ret->bits = (int)bits + (is4 ? 96 : 0);
    return true;
}

int rt_target_allow_parse(const char *list, struct rt_target_allow *ret, struct rt_err *err)
{
    struct rt_target_allow a = { .n = 0 };
    for (const char *p = list ? list : ""; *p;) {
        size_t n = strcspn(p, ", \t");
        if (n > 0 && a.n == RT_TARGETS_MAX)
            return rt_err_set(err, RT_E_LIMIT, "more than %d networks", RT_TARGETS_MAX);
        if (n > 0 && !parse_network((struct rt_str){ p, n }, &a.networks[a.n++]))
            return rt_err_set(err, RT_E_INVALID, "\"%.*s\" is not a network like 127.0.0.1/32 or fd00::/8",
                              n > 80 ? 80 : (int)n, p);
        p += n;
        p += strspn(p, ", \t");
    }
    *ret = a;
    return 0;
}

/* The library forgives that and takes the path's first part. */
static bool no_host(const char *url)
{
    const char *end = strstr(url, "://");
    return end && end[3] == '/';
}

static const char *wrong_with(const char *url)
{
    const char *wrong = NULL;
    char *scheme = NULL, *host = NULL, *user = NULL;
    CURLU *u = curl_url();
    if (!u || curl_url_set(u, CURLUPART_URL, url, 0) || curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) ||
        curl_url_get(u, CURLUPART_HOST, &host, 0) || !*host || no_host(url))
        wrong = "the url must be an absolute address, like https://example.com/hooks";
    else if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
        wrong = "the url must begin with http:// or https://";
    else if (curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_OK)
        wrong = "the url must not contain a user name or password";
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    curl_url_cleanup(u);
    return wrong;
}

int rt_target_url(struct rt_str url, struct rt_err *err)
{
    char text[RT_TARGET_URL_MAX + 1];
    if (url.n == 0 || url.n > RT_TARGET_URL_MAX)
        return rt_err_set(err, RT_E_INVALID, "the url must have 1 to %d characters", RT_TARGET_URL_MAX);
    for (size_t i = 0; i < url.n; i++)
        if (url.p[i] <= ' ' || url.p[i] >= 127)
            return rt_err_set(err, RT_E_INVALID, "the url must not contain blanks, control or non-ASCII characters");
    memcpy(text, url.p, url.n);
    text[url.n] = 0;
    const char *wrong = wrong_with(text);
    return wrong ? rt_err_set(err, RT_E_INVALID, "%s", wrong) : 0;
}
