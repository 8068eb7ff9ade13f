/* SPDX-License-Identifier: Apache-2.0
 *
 * What the units of base/ share with each other and with nobody else. */
#ifndef RT_BASE_INTERNAL_H
#define RT_BASE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BASE_ONES 0x0101010101010101u
#define BASE_HIGH 0x8080808080808080u

static inline uint64_t base__load64(const void *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

/* Length (1–4) of the well-formed UTF-8 sequence at `p`, 0 when there is none; n >= 1. */
size_t str__utf8_step(const unsigned char *p, size_t n);

#endif
