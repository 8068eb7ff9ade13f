/* SPDX-License-Identifier: Apache-2.0
 *
 * Only the last entry of X-Forwarded-For was written by the proxy itself; those before it are what the
 * client claimed. */
#include "server/proxy.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int parse(const char *text, unsigned char out[16])
{
    if (inet_pton(AF_INET, text, out) == 1)
        return 4;
    return inet_pton(AF_INET6, text, out) == 1 ? 16 : 0;
}

static bool same_network(const unsigned char *a, const unsigned char *b, int bits)
{
    int whole = bits / 8, rest = bits % 8;
    if (memcmp(a, b, (size_t)whole) != 0)
        return false;
    return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

static bool matches(const char *item, const unsigned char *address, int size)
{
    char network[64];
    unsigned char bytes[16];
    const char *slash = strchr(item, '/');
    snprintf(network, sizeof network, "%.*s", (int)(slash ? slash - item : (long)strlen(item)), item);
    if (parse(network, bytes) != size)
        return false;
    int bits = slash ? atoi(slash + 1) : size * 8;
    return bits >= 0 && bits <= size * 8 && same_network(address, bytes, bits);
}

bool rt_proxy_trusted(const char *list, const char *address)
{
    unsigned char bytes[16];
    char item[80];
    int size = list && list[0] ? parse(address, bytes) : 0;
    while (size && *list) {
        list += strspn(list, ", ");
        size_t n = strcspn(list, ", ");
        snprintf(item, sizeof item, "%.*s", (int)(n < sizeof item ? n : 0), list);
        if (n > 0 && matches(item, bytes, size))
            return true;
        list += n;
    }
    return false;
}

bool rt_proxy_client(struct rt_str forwarded_for, char *out, size_t size)
{
    unsigned char bytes[16];
    size_t start = forwarded_for.n;
    while (start > 0 && forwarded_for.p[start - 1] != ',')
        start--;
    struct rt_str last = rt_str_trim((struct rt_str){ forwarded_for.p + start, forwarded_for.n - start });
    if (last.n == 0 || last.n >= size)
        return false;
    memcpy(out, last.p, last.n);
    out[last.n] = 0;
    return parse(out, bytes) != 0;
}
