/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests on behalf of a user, from the console: bytes on a socket pair, so that they take the way of all requests. A
 * header with a secret of 128 bits, good once, stands for the principal; what it writes is rolled back unless kept. */
#ifndef RT_SERVER_ASSUME_H
#define RT_SERVER_ASSUME_H

#include "server/conversation.h"

#define RT_ASSUME_HEADER "X-Perigee-Assume"

enum { RT_ASSUME_SECRET = 33 };

/* Any thread. `principal` is a JSON object. The secret is forgotten once used, or with the oldest of 64. */
void rt_assume_put(const char *principal, bool keep, char secret[RT_ASSUME_SECRET]);
/* The worker's thread: whether the request is such a one; the exchange then has the principal. */
bool rt_assume_take(struct rt_conversation *c);

#endif
