/* SPDX-License-Identifier: Apache-2.0
 *
 * The ustar format, so that an operator can look into a backup with tar. Files are mapped, not read: a
 * digest needs all of one, and databases are large. */
#include "server/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "crypto/hash.h"

enum { BLOCK = 512, END = 2 * BLOCK, NAME_MAX_ = 99 };

static const char sums_name[] = "SHA256SUMS";

struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100], magic[6], version[2],
        rest[247];
};
_Static_assert(sizeof(struct header) == BLOCK, "a tar header is one block");

struct mapped {
    const char *p;
    size_t n;
};

static int map_file(const char *path, struct mapped *ret, struct rt_err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *p = MAP_FAILED;
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
        p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    int why = fd < 0 || p == MAP_FAILED ? errno : 0;
    if (fd >= 0)
        close(fd);
    if (p == MAP_FAILED)
        return rt_err_set(err, RT_E_IO, "cannot read %s: %s", path, why ? strerror(why) : "not a file with content");
    *ret = (struct mapped){ p, (size_t)st.st_size };
    return 0;
}

static unsigned checksum(const struct header *h)
{
    const unsigned char *p = (const unsigned char *)h;
    unsigned sum = 0;
    for (size_t i = 0; i < BLOCK; i++)
        sum += i >= offsetof(struct header, sum) && i < offsetof(struct header, type) ? ' ' : p[i];
    return sum;
}

/* Octal; beyond 8 GiB the binary form that every tar reads. */
static void put_size(char out[12], uint64_t n)
{
    if (n < 1ull << 33) {
        char text[24];
        snprintf(text, sizeof text, "%011llo", (unsigned long long)n);
        memcpy(out, text, 12);
        return;
    }
    memset(out, 0, 12);
    out[0] = (char)0x80;
    for (int i = 11; i > 3; i--, n >>= 8)
        out[i] = (char)(n & 0xff);
}

static uint64_t get_size(const char in[12])
{
    uint64_t n = 0;
    if ((unsigned char)in[0] != 0x80)
        return strtoull(in, NULL, 8);
    for (int i = 4; i < 12; i++)
        n = n << 8 | (unsigned char)in[i];
    return n;
}

static bool write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t w = write(fd, p, n < (1u << 30) ? n : 1u << 30);
        if (w <= 0 && errno != EINTR)
            return false;
        p += w > 0 ? w : 0;
        n -= w > 0 ? (size_t)w : 0;
    }
    return true;
}

static bool put_member(int fd, const char *name, const char *p, size_t n)
{
    static const char zeros[END];
    struct header h = { .mode = "0000600",
                        .uid = "0000000",
                        .gid = "0000000",
                        .mtime = "00000000000",
                        .type = '0',
                        .magic = "ustar",
                        .version = { '0', '0' } };
    snprintf(h.name, sizeof h.name, "%s", name);
    put_size(h.size, n);
    snprintf(h.sum, sizeof h.sum, "%06o", checksum(&h));
    h.sum[7] = ' ';
    return write_all(fd, (const char *)&h, BLOCK) && write_all(fd, p, n) && write_all(fd, zeros, -n % BLOCK);
}

static void put_sum(struct rt_buf *sums, const char *name, const char *p, size_t n)
{
    uint8_t digest[32];
    char hex[65];
    rt_sha256(p, n, digest);
    rt_hex(digest, 32, hex);
    rt_buf_printf(sums, "%s  %s\n", hex, name);
}

static int pack_file(int fd, const char *folder, const char *name, struct rt_buf *sums, struct rt_err *err)
{
    char path[1300];
    struct mapped m;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int rc = map_file(path, &m, err);
    if (rc)
        return rc;
    if (!put_member(fd, name, m.p, m.n))
        rc = rt_err_set(err, RT_E_IO, "cannot write the backup: %s", strerror(errno));
    put_sum(sums, name, m.p, m.n);
    munmap((void *)m.p, m.n);
    return rc;
}

int rt_archive_pack(const char *path, const char *folder, const char *const *names, int n, struct rt_err *err)
{
    static const char zeros[END];
    struct rt_buf sums;
    int rc = 0, fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return rt_err_set(err, RT_E_IO, "cannot make %s: %s", path, strerror(errno));
    rt_buf_init(&sums, 0);
    for (int i = 0; rc == 0 && i < n; i++)
        rc = pack_file(fd, folder, names[i], &sums, err);
    if (rc == 0 && (!put_member(fd, sums_name, sums.data, sums.len) || !write_all(fd, zeros, END) || fsync(fd)))
        rc = rt_err_set(err, RT_E_IO, "cannot write %s: %s", path, strerror(errno));
    rt_buf_fini(&sums);
    close(fd);
    if (rc)
        unlink(path);
    return rc;
}

/* 1 and the member at *at, which moves on; 0 at the end; RT_E_INVALID for what is no archive or was cut. */
static int next_member(const struct mapped *m, size_t *at, char name[100], struct mapped *ret)
{
    static const char zeros[END];
    struct header h;
    if (m->n - *at < END)
        return RT_E_INVALID;
    if (memcmp(m->p + *at, zeros, END) == 0)
        return m->n - *at == END ? 0 : RT_E_INVALID;
    memcpy(&h, m->p + *at, BLOCK);
    uint64_t size = get_size(h.size);
    h.name[NAME_MAX_] = 0;
    if (memcmp(h.magic, "ustar", 6) != 0 || strtoul(h.sum, NULL, 8) != checksum(&h) || h.type != '0' ||
        size > m->n - *at - BLOCK)
        return RT_E_INVALID;
    size_t n = strlen(h.name);
    if (n == 0 || h.name[0] == '.' ||
        strspn(h.name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") != n)
        return RT_E_INVALID;
    snprintf(name, 100, "%s", h.name);
    *ret = (struct mapped){ m->p + *at + BLOCK, size };
    *at += BLOCK + size;
    *at += -*at % BLOCK;
    return *at <= m->n ? 1 : RT_E_INVALID;
}

static int check_sums(const struct mapped *m)
{
    struct rt_buf sums;
    struct mapped member;
    char name[100];
    size_t at = 0;
    int rc;
    bool same = false;
    rt_buf_init(&sums, 0);
    while ((rc = next_member(m, &at, name, &member)) > 0) {
        same = strcmp(name, sums_name) == 0 && member.n == sums.len && memcmp(member.p, sums.data, member.n) == 0;
        if (!same)
            put_sum(&sums, name, member.p, member.n);
    }
    rt_buf_fini(&sums);
    return rc < 0 || !same ? RT_E_INVALID : 0;
}

static int unpack_member(const char *folder, const char *name, const struct mapped *m, struct rt_err *err)
{
    char path[1300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write_all(fd, m->p, m->n) && fsync(fd) == 0;
    int why = errno;
    if (fd >= 0)
        close(fd);
    return good ? 0 : rt_err_set(err, RT_E_IO, "cannot write %s: %s", path, strerror(why));
}

int rt_archive_unpack(const char *path, const char *folder, struct rt_err *err)
{
    struct mapped m, member;
    char name[100];
    size_t at = 0;
    int rc = map_file(path, &m, err);
    if (rc)
        return rc;
    if (check_sums(&m))
        rc = rt_err_set(err, RT_E_INVALID, "%s is not a backup, or it is damaged", path);
    while (rc == 0 && next_member(&m, &at, name, &member) > 0)
        if (strcmp(name, sums_name) != 0)
            rc = unpack_member(folder, name, &member, err);
    munmap((void *)m.p, m.n);
    return rc;
}
