/* SPDX-License-Identifier: Apache-2.0
 *
 * Digests, MACs, random bytes, sealed boxes and text encodings. Any thread after rt_crypto_init(). */
#ifndef RT_CRYPTO_HASH_H
#define RT_CRYPTO_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define RT_KEY_BYTES 32

/* Once, before anything else of this folder. */
int rt_crypto_init(struct rt_err *err);

void rt_sha256(const void *p, size_t n, uint8_t out[32]);
void rt_hmac_sha256(const void *key, size_t key_n, const void *p, size_t n, uint8_t out[32]);
/* A key of its own for each purpose and app, from one master key. */
void rt_derive_key(const uint8_t master[RT_KEY_BYTES], const char *purpose, uint8_t out[RT_KEY_BYTES]);
bool rt_equal_constant_time(const void *a, size_t a_n, const void *b, size_t b_n);

void rt_random(void *out, size_t n);
/* `n` characters of [A-Za-z0-9] with full entropy each, terminated: `out` has n + 1 bytes. */
void rt_random_text(char *out, size_t n);
void rt_uuid4(char out[37]);

void rt_hex(const void *p, size_t n, char *out); /* 2n + 1 bytes */
size_t rt_base64url_size(size_t n);              /* without padding, plus NUL */
size_t rt_base64url(const void *p, size_t n, char *out);
/* Strict, no padding. `out` at least n; the length or -1. */
long rt_base64url_decode(const char *p, size_t n, void *out);
/* The usual alphabet with padding; `out` has rt_base64_size(n) bytes. Decoding takes it with and without padding. */
#define rt_base64_size(n) (((n) + 2) / 3 * 4 + 1)
size_t rt_base64(const void *p, size_t n, char *out);
long rt_base64_decode(const char *p, size_t n, void *out);

/* Authenticated encryption; a sealed text is n + RT_SEAL_EXTRA bytes. */
#define RT_SEAL_EXTRA 40
void rt_seal(const uint8_t key[RT_KEY_BYTES], const void *p, size_t n, uint8_t *out);
bool rt_unseal(const uint8_t key[RT_KEY_BYTES], const void *p, size_t n, uint8_t *out); /* n - RT_SEAL_EXTRA bytes */

/* Reads RT_KEY_BYTES from a 0600 file, making it (synced) when it does not exist. */
int rt_key_file(const char *path, uint8_t out[RT_KEY_BYTES], struct rt_err *err);

#endif
