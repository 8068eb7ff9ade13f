/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON (RFC 8259) text: a strict check of incoming documents and the pieces to write outgoing ones.
 * Building values from a document is not done here. Any thread. */
#ifndef RT_BASE_JSON_H
#define RT_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* 0 when the bytes are exactly one JSON value: strict number grammar, valid UTF-8, no raw control
 * characters, no lone surrogate escapes, nesting at most `max_depth`. Else RT_E_INVALID (RT_E_LIMIT
 * for the depth) with "line L, column C: what". `ret_first` (nullable) gets the first significant byte. */
int rt_json_check(const char *p, size_t n, int max_depth, char *ret_first, struct rt_err *err);

/* Appends a quoted, escaped string; bytes that are not UTF-8 become U+FFFD. */
void rt_json_put_string(struct rt_buf *b, const char *p, size_t n);
/* Appends `,"name":"value"`, a member that is not the first; nothing for a value that is NULL or empty. */
void rt_json_put_member(struct rt_buf *b, const char *name, const char *value);
void rt_json_put_int(struct rt_buf *b, int64_t v);
/* Integral doubles are written without a fraction; NaN and infinities as null. */
void rt_json_put_double(struct rt_buf *b, double v);
/* "2025-01-20T10:00:00Z" with quotes. */
void rt_json_put_time(struct rt_buf *b, int64_t t);
static inline void rt_json_put_bool(struct rt_buf *b, bool v) { rt_buf_put(b, v ? "true" : "false", v ? 4 : 5); }
static inline void rt_json_put_null(struct rt_buf *b) { rt_buf_put(b, "null", 4); }

#endif
