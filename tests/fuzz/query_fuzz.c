/* SPDX-License-Identifier: Apache-2.0
 *
 * Query strings: splitting loses nothing, decoding yields text, encoding is undone by decoding. */
#include <stdlib.h>
#include <string.h>

#include "http/query.h"

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void check_text(struct rt_str s, bool plus_is_blank)
{
    char *out = malloc(s.n + 1);
    long n = rt_percent_decode(s, plus_is_blank, out);
    if (n >= 0) {
        struct rt_buf b;
        require((size_t)n <= s.n && rt_utf8_valid(out, (size_t)n) && !memchr(out, '\0', (size_t)n));
        rt_buf_init(&b, 0);
        rt_percent_encode(&b, (struct rt_str){ out, (size_t)n });
        char *again = malloc(b.len + 1);
        require(rt_percent_decode((struct rt_str){ b.data, b.len }, plus_is_blank, again) == n);
        require(memcmp(again, out, (size_t)n) == 0);
        free(again);
        rt_buf_fini(&b);
    }
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rt_str rest = { (const char *)data, size }, name, value;
    const char *start = rest.p, *end = rest.p + size;
    while (rt_query_next(&rest, &name, &value)) {
        require(name.p >= start && value.p >= name.p + name.n && value.p + value.n <= end && rest.p > start);
        require(!memchr(name.p, '=', name.n) && !memchr(name.p, '&', name.n) && !memchr(value.p, '&', value.n));
        check_text(name, true);
        check_text(value, false);
        start = rest.p;
    }
    require(rest.n == 0 && rest.p == end);
    return 0;
}
