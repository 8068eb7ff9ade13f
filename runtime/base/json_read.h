/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a JSON document without building anything: a value is a piece of its text. Only for documents that
 * rt_json_check has accepted. Any thread. */
#ifndef RT_BASE_JSON_READ_H
#define RT_BASE_JSON_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* Borrowed from the document. n is 0 where there is no value; every function takes that for an answer. */
struct rt_json {
    const char *p;
    size_t n;
};

/* The document's value, without the white space around it. */
struct rt_json rt_json_document(const char *p, size_t n);
/* A member of an object: the first of that name. Names with escapes are not found. */
struct rt_json rt_json_member(struct rt_json object, const char *name);
/* The items of an array, one after the other: begin with rt_json_items, take until there is none. */
struct rt_json rt_json_items(struct rt_json array);
struct rt_json rt_json_take(struct rt_json *items);

/* Appends the text of a string; false and nothing when it is none. A surrogate pair becomes its character. */
bool rt_json_text(struct rt_json v, struct rt_buf *out);
/* The same into an array, with a NUL, cut to its size; false and `out` as it was when it is none. */
bool rt_json_copy(struct rt_json v, char *out, size_t size);
bool rt_json_text_is(struct rt_json v, const char *text); /* for texts without escapes */
int64_t rt_json_int(struct rt_json v, int64_t otherwise);
bool rt_json_true(struct rt_json v);

#endif
