/* SPDX-License-Identifier: Apache-2.0
 *
 * Fast hashing and randomness without a secret: tables, entity tags, request ids. Nothing here
 * protects anything; for that see crypto/. */
#ifndef RT_BASE_HASH_H
#define RT_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* 64-bit hash of bytes; good distribution, not stable across releases of the program. */
uint64_t rt_hash64(const void *p, size_t n, uint64_t seed);
/* 128-bit content hash as 32 lower-case hex digits (no NUL), for entity tags. */
void rt_hash128_hex(const void *p, size_t n, char out[32]);

/* A small per-thread generator (seeded from the kernel at first use). */
uint64_t rt_rand64(void);

#endif
