/* SPDX-License-Identifier: Apache-2.0
 *
 * A small file costs no disk, a large one no memory. O_TMPFILE makes a file that never had a name; where
 * the file system cannot do that, the name is taken away before the first byte is written. */
#include "report/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/tree.h"

struct rt_spool {
    struct rt_buf memory;
    int fd; /* -1: in memory */
    int failed;
    uint64_t size, max;
    char folder[];
};

struct rt_spool *rt_spool_new(const char *folder, uint64_t max)
{
    size_t n = strlen(folder) + 1;
    struct rt_spool *s = calloc(1, sizeof *s + n);
    if (!s)
        return NULL;
    memcpy(s->folder, folder, n);
    s->fd = -1;
    s->max = max ? max : RT_SPOOL_MAX;
    rt_buf_init(&s->memory, RT_SPOOL_MEMORY);
    return s;
}

void rt_spool_free(struct rt_spool *s)
{
    if (!s)
        return;
    rt_buf_fini(&s->memory);
    if (s->fd >= 0)
        close(s->fd);
    free(s);
}

static int io_error(struct rt_err *err, const char *what)
{
    int e = errno;
    bool full = e == ENOSPC || e == EDQUOT || e == EFBIG;
    return rt_err_set(err, full ? RT_E_FULL : RT_E_IO, "%s: %s", what, strerror(e));
}

int rt_spool_open(const char *folder, struct rt_err *err)
{
    char path[1024];
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
        return io_error(err, "a temporary file cannot be made");
    snprintf(path, sizeof path, "%s/spool-XXXXXX", folder);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return io_error(err, "a temporary file cannot be made");
    unlink(path);
    return fd;
}

static int write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t w = write(fd, p, n);
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return -1;
        p += w;
        n -= (size_t)w;
    }
    return 0;
}

int rt_spool_file(struct rt_spool *s, int *ret_fd, struct rt_err *err)
{
    if (s->fd < 0) {
        int fd = rt_spool_open(s->folder, err);
        if (fd < 0)
            return s->failed = fd;
        if (write_all(fd, s->memory.data, s->memory.len)) {
            s->failed = io_error(err, "a temporary file cannot be written");
            close(fd);
            return s->failed;
        }
        rt_buf_fini(&s->memory);
        rt_buf_init(&s->memory, RT_SPOOL_MEMORY);
        s->fd = fd;
    }
    if (ret_fd)
        *ret_fd = s->fd;
    return 0;
}

static int too_long(const struct rt_spool *s, struct rt_err *err)
{
    return rt_err_set(err, RT_E_LIMIT, "the file is longer than %llu bytes", (unsigned long long)s->max);
}

int rt_spool_write(struct rt_spool *s, const void *p, size_t n, struct rt_err *err)
{
    if (s->failed)
        return rt_err_set(err, s->failed, "the file could not be written");
    if (n > s->max - s->size)
        return s->failed = too_long(s, err);
    if (s->fd < 0 && s->size + n > RT_SPOOL_MEMORY) {
        int rc = rt_spool_file(s, NULL, err);
        if (rc)
            return rc;
    }
    if (s->fd < 0) {
        rt_buf_put(&s->memory, p, n);
        if (s->memory.failed)
            return s->failed = rt_err_set(err, RT_E_NOMEM, "no memory for a file");
    } else if (write_all(s->fd, p, n)) {
        return s->failed = io_error(err, "a temporary file cannot be written");
    }
    s->size += n;
    return 0;
}

uint64_t rt_spool_size(const struct rt_spool *s) { return s->size; }

bool rt_spool_in_memory(const struct rt_spool *s) { return s->fd < 0; }

static int read_back(const struct rt_spool *s, struct rt_buf *out, struct rt_err *err)
{
    if (s->size > out->max - out->len || !rt_buf_grow(out, s->size))
        return rt_err_set(err, RT_E_LIMIT, "the file is longer than %zu bytes", out->max);
    for (uint64_t at = 0; at < s->size;) {
        ssize_t n = pread(s->fd, out->data + out->len, s->size - at, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? io_error(err, "a temporary file cannot be read")
                         : rt_err_set(err, RT_E_IO, "a temporary file is too short");
        at += (uint64_t)n;
        out->len += (size_t)n;
    }
    return 0;
}

int rt_spool_settle(struct rt_spool *s, struct rt_err *err)
{
    struct stat st;
    if (s->fd < 0 || s->failed)
        return s->failed;
    if (fstat(s->fd, &st))
        return s->failed = io_error(err, "a temporary file cannot be measured");
    s->size = (uint64_t)st.st_size;
    if (s->size > s->max)
        return s->failed = too_long(s, err);
    if (s->size > RT_SPOOL_MEMORY)
        return 0;
    int rc = read_back(s, &s->memory, err);
    if (rc)
        return s->failed = rc;
    close(s->fd);
    s->fd = -1;
    return 0;
}

int rt_spool_copy(struct rt_spool *s, struct rt_buf *out, struct rt_err *err)
{
    if (s->failed)
        return rt_err_set(err, s->failed,
                          s->failed == RT_E_NOTFOUND ? "the file was sent already" : "the file could not be written");
    if (s->fd >= 0)
        return read_back(s, out, err);
    rt_buf_put(out, s->memory.data, s->memory.len);
    return out->failed ? rt_err_set(err, RT_E_LIMIT, "the file is longer than %zu bytes", out->max) : 0;
}

int rt_spool_take_file(struct rt_spool *s)
{
    int fd = s->fd;
    if (fd >= 0)
        s->failed = RT_E_NOTFOUND;
    s->fd = -1;
    return fd;
}

int rt_spool_folder(const char *folder, struct rt_err *err)
{
    if (mkdir(folder, 0700) && errno != EEXIST)
        return rt_err_set(err, RT_E_IO, "cannot make the folder %s: %s", folder, strerror(errno));
    DIR *d = opendir(folder);
    if (!d)
        return rt_err_set(err, RT_E_IO, "cannot read the folder %s: %s", folder, strerror(errno));
    for (struct dirent *e; (e = readdir(d));) {
        char path[1300];
        if (e->d_name[0] != '.' && snprintf(path, sizeof path, "%s/%s", folder, e->d_name) < (int)sizeof path)
            rt_tree_remove(path);
    }
    closedir(d);
    return 0;
}
