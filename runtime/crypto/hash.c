/* SPDX-License-Identifier: Apache-2.0
 *
 * Thin wrappers over libsodium that fix every choice: SHA-256 and its HMAC because webhooks and tokens
 * are specified with them, XChaCha20-Poly1305 for sealing since its nonce is long enough to be random. */
#include "crypto/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG   crypto_aead_xchacha20poly1305_ietf_ABYTES

_Static_assert(NONCE + TAG == RT_SEAL_EXTRA, "RT_SEAL_EXTRA is nonce and tag");
_Static_assert(RT_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "one key size");

int rt_crypto_init(struct rt_err *err)
{
    if (sodium_init() < 0)
        return rt_err_set(err, RT_E_INTERNAL, "libsodium could not be initialised");
    return 0;
}

void rt_sha256(const void *p, size_t n, uint8_t out[32]) { crypto_hash_sha256(out, p, n); }

void rt_hmac_sha256(const void *key, size_t key_n, const void *p, size_t n, uint8_t out[32])
{
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key, key_n);
    crypto_auth_hmacsha256_update(&state, p, n);
    crypto_auth_hmacsha256_final(&state, out);
    sodium_memzero(&state, sizeof(state));
}

void rt_derive_key(const uint8_t master[RT_KEY_BYTES], const char *purpose, uint8_t out[RT_KEY_BYTES])
{
    rt_hmac_sha256(master, RT_KEY_BYTES, purpose, strlen(purpose), out);
}

bool rt_equal_constant_time(const void *a, size_t a_n, const void *b, size_t b_n)
{
    return a_n == b_n && (a_n == 0 || sodium_memcmp(a, b, a_n) == 0);
}

void rt_random(void *out, size_t n) { randombytes_buf(out, n); }

void rt_random_text(char *out, size_t n)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    uint8_t pool[64];
    size_t left = 0;
    for (size_t i = 0; i < n;) {
        if (left == 0) {
            randombytes_buf(pool, sizeof(pool));
            left = sizeof(pool);
        }
        uint8_t r = pool[--left];
        if (r < 62 * 4) /* the rest would favour some letters */
            out[i++] = alphabet[r % 62];
    }
    out[n] = '\0';
    sodium_memzero(pool, sizeof(pool));
}

void rt_uuid4(char out[37])
{
    uint8_t r[16];
    char hex[33];
    randombytes_buf(r, sizeof(r));
    r[6] = (uint8_t)((r[6] & 0x0F) | 0x40);
    r[8] = (uint8_t)((r[8] & 0x3F) | 0x80);
    rt_hex(r, sizeof(r), hex);
    for (size_t i = 0, o = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            out[o++] = '-';
        out[o++] = hex[i];
    }
    out[36] = '\0';
}

void rt_hex(const void *p, size_t n, char *out)
{
    const uint8_t *s = p;
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = "0123456789abcdef"[s[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[s[i] & 15];
    }
    out[2 * n] = '\0';
}

size_t rt_base64url_size(size_t n) { return n / 3 * 4 + (n % 3 ? n % 3 + 1 : 0) + 1; }

size_t rt_base64url(const void *p, size_t n, char *out)
{
    size_t size = rt_base64url_size(n);
    sodium_bin2base64(out, size, p, n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return size - 1;
}

long rt_base64url_decode(const char *p, size_t n, void *out)
{
    size_t len = 0;
    if (n == 0)
        return 0;
    if (sodium_base642bin(out, n, p, n, NULL, &len, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return -1;
    return (long)len;
}

size_t rt_base64(const void *p, size_t n, char *out)
{
    sodium_bin2base64(out, rt_base64_size(n), p, n, sodium_base64_VARIANT_ORIGINAL);
    return rt_base64_size(n) - 1;
}

long rt_base64_decode(const char *p, size_t n, void *out)
{
    size_t len = 0;
    int variant = n % 4 == 0 ? sodium_base64_VARIANT_ORIGINAL : sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
    if (n == 0)
        return 0;
    return sodium_base642bin(out, n, p, n, NULL, &len, NULL, variant) == 0 ? (long)len : -1;
}

void rt_seal(const uint8_t key[RT_KEY_BYTES], const void *p, size_t n, uint8_t *out)
{
    randombytes_buf(out, NONCE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE, NULL, p, n, NULL, 0, NULL, out, key);
}

bool rt_unseal(const uint8_t key[RT_KEY_BYTES], const void *p, size_t n, uint8_t *out)
{
    const uint8_t *box = p;
    if (n < RT_SEAL_EXTRA)
        return false;
    return crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, box + NONCE, n - NONCE, NULL, 0, box, key) == 0;
}

static int read_key(int fd, const char *path, uint8_t out[RT_KEY_BYTES], struct rt_err *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return rt_err_set(err, RT_E_IO, "key file %s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode) || st.st_size != RT_KEY_BYTES)
        return rt_err_set(err, RT_E_INVALID, "key file %s is not a file of %d bytes", path, RT_KEY_BYTES);
    if (st.st_mode & 077)
        return rt_err_set(err, RT_E_DENIED, "key file %s can be read by others; run: chmod 600 %s", path, path);
    uint8_t key[RT_KEY_BYTES];
    ssize_t n = read(fd, key, sizeof(key));
    if (n == (ssize_t)sizeof(key))
        memcpy(out, key, sizeof(key));
    sodium_memzero(key, sizeof(key));
    if (n != (ssize_t)sizeof(key))
        return rt_err_set(err, RT_E_IO, "key file %s: %s", path, n < 0 ? strerror(errno) : "too short");
    return 0;
}

/* Syncs the folder of `path`, so that the new name survives a power cut. */
static int sync_folder(const char *path)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    int n = slash ? (int)(slash - path) : 0;
    snprintf(folder, sizeof(folder), "%.*s", slash ? (n ? n : 1) : 1, slash ? path : ".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int rc = fsync(fd);
    close(fd);
    return rc;
}

/* Writes a fresh key beside `path` and links it there: no reader ever sees half a key, and of two
 * processes that start at once one wins and both use its key. */
static int make_key(const char *path, struct rt_err *err)
{
    char temp[4096], unique[9];
    uint8_t key[RT_KEY_BYTES];
    rt_random_text(unique, sizeof(unique) - 1);
    if (snprintf(temp, sizeof(temp), "%s.%s", path, unique) >= (int)sizeof(temp))
        return rt_err_set(err, RT_E_INVALID, "key file: the path is too long");
    int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return rt_err_set(err, RT_E_IO, "key file %s: %s", path, strerror(errno));
    randombytes_buf(key, sizeof(key));
    bool ok = write(fd, key, sizeof(key)) == (ssize_t)sizeof(key) && fsync(fd) == 0;
    int why = errno;
    sodium_memzero(key, sizeof(key));
    close(fd);
    if (ok && link(temp, path) < 0 && errno != EEXIST) {
        why = errno;
        ok = false;
    }
    unlink(temp);
    if (ok && sync_folder(path) < 0) {
        why = errno;
        ok = false;
    }
    return ok ? 0 : rt_err_set(err, RT_E_IO, "key file %s: %s", path, strerror(why));
}

int rt_key_file(const char *path, uint8_t out[RT_KEY_BYTES], struct rt_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT) {
        int rc = make_key(path, err);
        if (rc < 0)
            return rc;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    }
    if (fd < 0)
        return rt_err_set(err, RT_E_IO, "key file %s: %s", path, strerror(errno));
    int rc = read_key(fd, path, out, err);
    close(fd);
    return rc;
}
