/* SPDX-License-Identifier: Apache-2.0
 *
 * Descriptors that a library left open when it failed. Closing them would be a trap: its FILE still knows
 * the number and writes its buffer there when the process ends, into whatever has that number by then. So
 * they are pointed at nothing instead, which frees their space on the disk. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/report_internal.h"

static bool below(int fd, const char *folder)
{
    char link[64], path[1200];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0)
        return false;
    path[n] = 0;
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && path[length] == '/';
}

static bool same_file(int fd, int other)
{
    struct stat a, b;
    return fd != other && fstat(fd, &a) == 0 && fstat(other, &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

void report__disarm(const char *folder, int file)
{
    char *real = realpath(folder, NULL);
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    DIR *d = real && nothing >= 0 ? opendir("/proc/self/fd") : NULL;
    for (struct dirent *e; d && (e = readdir(d));) {
        int fd = atoi(e->d_name);
        if (fd > 2 && fd != nothing && fd != dirfd(d) && (below(fd, real) || same_file(fd, file)))
            dup3(nothing, fd, O_CLOEXEC);
    }
    if (d)
        closedir(d);
    if (nothing >= 0)
        close(nothing);
    free(real);
}
