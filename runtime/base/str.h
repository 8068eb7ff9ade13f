/* SPDX-License-Identifier: Apache-2.0
 *
 * Text: slices, UTF-8, numbers. Nothing here allocates; slices borrow. Any thread. */
#ifndef RT_BASE_STR_H
#define RT_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A borrowed piece of text, not terminated. */
struct rt_str {
    const char *p;
    size_t n;
};

#define RT_STR(lit) ((struct rt_str){ (lit), sizeof(lit) - 1 })
struct rt_str rt_str_of(const char *cstr); /* NULL gives an empty slice */
bool rt_str_eq(struct rt_str a, struct rt_str b);
bool rt_str_is(struct rt_str a, const char *cstr);
bool rt_str_ieq(struct rt_str a, struct rt_str b); /* ASCII case ignored */
/* Without leading and trailing white space as Unicode defines it (White_Space). */
struct rt_str rt_str_trim(struct rt_str s);

/* True for well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool rt_utf8_valid(const char *p, size_t n);
/* Code points of well-formed UTF-8. */
size_t rt_utf8_len(const char *p, size_t n);

/* A decimal integer that fills the whole slice, optional '-', no '+', no blanks. False when it is not one or
 * overflows. */
bool rt_str_int(struct rt_str s, int64_t *ret);
/* Appends nothing but digits: writes `v` to `out` (at least 21 bytes), returns the length. */
size_t rt_int_text(int64_t v, char *out);
/* Shortest text that reads back as the same finite double ("0.1", "1e300"); at least 32 bytes; returns the length. */
size_t rt_double_text(double v, char *out);

#endif
