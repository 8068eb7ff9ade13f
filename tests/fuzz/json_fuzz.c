/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON check and the string writer on arbitrary bytes. What is accepted must stay accepted inside an
 * array one level deeper; what is written must be accepted. Abort is the report. */
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/str.h"

#define DEPTH 32

static void require(int truth)
{
    if (!truth)
        abort();
}

static void check_wrapped(const char *p, size_t n, int rc)
{
    struct rt_buf b;
    rt_buf_init(&b, 0);
    rt_buf_putc(&b, '[');
    rt_buf_put(&b, p, n);
    rt_buf_puts(&b, ",null]");
    int wrapped = rt_json_check(b.data, b.len, DEPTH + 1, NULL, NULL);
    require(rc == 0 ? wrapped == 0 : 1);
    require(rc == RT_E_LIMIT ? wrapped == RT_E_LIMIT : 1);
    rt_buf_fini(&b);
}

static void check_written(const char *p, size_t n)
{
    struct rt_buf b;
    rt_buf_init(&b, 0);
    rt_json_put_string(&b, p, n);
    require(!b.failed);
    require(rt_json_check(b.data, b.len, 0, NULL, NULL) == 0);
    require(rt_utf8_valid(b.data, b.len));
    rt_buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *p = (const char *)data;
    struct rt_err err = { 0 };
    char first = 0;
    int rc = rt_json_check(p, size, DEPTH, &first, &err);
    require(rc == 0 || rc == RT_E_INVALID || rc == RT_E_LIMIT);
    require(rc == 0 ? first != 0 && rt_utf8_valid(p, size) : err.code == rc && err.msg[0] != '\0');
    check_wrapped(p, size, rc);
    check_written(p, size);
    return 0;
}
