/* SPDX-License-Identifier: Apache-2.0
 *
 * Which addresses outgoing requests may reach. Targets are chosen by clients of the APIs, so by default only the
 * public internet is one: not this machine, its networks, or a cloud's metadata service. The check is made on the
 * address that is about to be connected to, after the name was resolved; so it does not matter what a name meant
 * before. Pure; any thread. */
#ifndef RT_HTTP_TARGET_H
#define RT_HTTP_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct sockaddr;

enum { RT_TARGETS_MAX = 64, RT_TARGET_URL_MAX = 2048 };

/* Networks that may be reached though they are not public. */
struct rt_target_allow {
    struct rt_network {
        uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
        int bits;            /* of all 128 */
    } networks[RT_TARGETS_MAX];
    int n;
};

/* "127.0.0.1/32, 10.0.0.0/8, fd00::/8"; a lone address is a network of one. RT_E_INVALID names the bad entry. */
int rt_target_allow_parse(const char *list, struct rt_target_allow *ret, struct rt_err *err);

enum rt_target_kind { RT_TARGET_PUBLIC, RT_TARGET_LOCAL, RT_TARGET_PRIVATE, RT_TARGET_SPECIAL, RT_TARGET_UNKNOWN };

/* LOCAL: loopback, this host. PRIVATE: private, link-local, shared (carrier) networks, metadata services. SPECIAL:
 * multicast, reserved, documentation, benchmarks. UNKNOWN: neither IPv4 nor IPv6. IPv6 forms that carry an IPv4
 * address (mapped, compatible, translated, 6to4, Teredo) are what that address is. */
enum rt_target_kind rt_target_kind(const struct sockaddr *addr);
/* True when it is public or allowed. An IPv6 form that carries an IPv4 address is allowed where that address is. */
bool rt_target_allowed(const struct sockaddr *addr, const struct rt_target_allow *allow);

/* 0 for an absolute http or https URL with a host and without credentials, of at most RT_TARGET_URL_MAX printable
 * ASCII characters; else RT_E_INVALID with a sentence for whoever typed it. The parser is the client's own. */
int rt_target_url(struct rt_str url, struct rt_err *err);

#endif
