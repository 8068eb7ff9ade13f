/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose address a request really comes from when a proxy stands in front (--trusted-proxies). */
#ifndef RT_SERVER_PROXY_H
#define RT_SERVER_PROXY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* True when `address` is in the list of addresses and networks ("127.0.0.1, 10.0.0.0/8, ::1"). */
bool rt_proxy_trusted(const char *list, const char *address);
/* The last address of an X-Forwarded-For header, which is the one that the trusted proxy saw; false when it is none. */
bool rt_proxy_client(struct rt_str forwarded_for, char *out, size_t size);

#endif
