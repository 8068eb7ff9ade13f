/* SPDX-License-Identifier: Apache-2.0
 *
 * Who typed what: a line of JSON each, appended and synced before the code runs. What cannot be recorded is not run.
 * At 16 MiB the file becomes console.log.1, older ones .2 and .3; the oldest goes. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "server/console.h"

enum { KEEP_BYTES = 16 << 20, KEEP_FILES = 3 };

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;

static void rotate(const char *path)
{
    char from[600], to[600];
    for (int i = KEEP_FILES; i >= 1; i--) {
        snprintf(from, sizeof from, i > 1 ? "%s.%d" : "%s", path, i - 1);
        snprintf(to, sizeof to, "%s.%d", path, i);
        rename(from, to);
    }
}

static int append(const char *path, const struct rt_buf *line)
{
    struct stat st;
    if (stat(path, &st) == 0 && st.st_size > KEEP_BYTES)
        rotate(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -1;
    bool good = write(fd, line->data, line->len) == (ssize_t)line->len && fdatasync(fd) == 0;
    int why = errno;
    close(fd);
    errno = why;
    return good ? 0 : -1;
}

int rt_console_audit(const char *data, const struct rt_console_record *r, struct rt_err *err)
{
    struct rt_buf b;
    char path[512], at[RT_ISO_LEN + 1];
    rt_buf_init(&b, 0);
    snprintf(path, sizeof path, "%s/console.log", data);
    rt_iso_write(rt_now(), at);
    at[RT_ISO_LEN] = 0;
    rt_buf_printf(&b, "{\"at\":\"%s\",\"event\":\"%s\",\"session\":%d,\"uid\":%u", at, r->event, r->session, r->uid);
    rt_json_put_member(&b, "user", r->user);
    rt_json_put_member(&b, "sudo_user", r->sudo_user);
    rt_json_put_member(&b, "ssh", r->ssh);
    rt_json_put_member(&b, "app", r->app);
    rt_buf_printf(&b, ",\"release\":%d", r->release);
    rt_json_put_member(&b, "code", r->code);
    rt_json_put_member(&b, "outcome", r->outcome);
    rt_buf_puts(&b, "}\n");
    pthread_mutex_lock(&mu);
    int rc = b.failed || append(path, &b) ? RT_E_IO : 0;
    if (rc)
        rt_err_set(err, rc, "not run, as it cannot be recorded in %s: %s", path, strerror(errno));
    pthread_mutex_unlock(&mu);
    rt_buf_fini(&b);
    return rc;
}
