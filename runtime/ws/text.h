/* SPDX-License-Identifier: Apache-2.0
 *
 * A finished message that many sockets on many threads send: made once, counted, never changed after it
 * was handed to somebody else. It holds the frame's head as well, since that is the same for everybody. */
#ifndef RT_WS_TEXT_H
#define RT_WS_TEXT_H

#include <stddef.h>

struct rt_ws_text;

/* A copy of `n` bytes with one reference, the caller's; NULL without memory. `p` NULL leaves them to be written
 * through rt_ws_text_room() before anybody else has the text. */
struct rt_ws_text *rt_ws_text_new(const char *p, size_t n);
char *rt_ws_text_room(struct rt_ws_text *t);
/* Any thread. */
struct rt_ws_text *rt_ws_text_ref(struct rt_ws_text *t);
void rt_ws_text_unref(struct rt_ws_text *t);                           /* NULL is fine */
const char *rt_ws_text_get(const struct rt_ws_text *t, size_t *ret_n); /* not terminated */

#endif
