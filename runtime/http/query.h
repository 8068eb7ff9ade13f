/* SPDX-License-Identifier: Apache-2.0
 *
 * Query strings and percent-encoding (application/x-www-form-urlencoded reading: '+' is a blank). */
#ifndef RT_HTTP_QUERY_H
#define RT_HTTP_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

/* Steps through "a=1&b=2". `rest` starts as the whole query; false at the end. Slices are still encoded. */
bool rt_query_next(struct rt_str *rest, struct rt_str *ret_name, struct rt_str *ret_value);
/* Decodes into `out` (at least s.n bytes), returns the length, -1 for a broken escape, a NUL or text that is
 * not UTF-8. */
long rt_percent_decode(struct rt_str s, bool plus_is_blank, char *out);
/* Appends with everything but unreserved characters encoded. */
void rt_percent_encode(struct rt_buf *b, struct rt_str s);

#endif
