/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes of a file that is being made: in memory up to RT_SPOOL_MEMORY, beyond it in a file that has no
 * name, so that nothing is left behind however the process ends. One thread at a time. */
#ifndef RT_REPORT_SPOOL_H
#define RT_REPORT_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum { RT_SPOOL_MEMORY = 1 << 20 };
#define RT_SPOOL_MAX ((uint64_t)1 << 30)

struct rt_spool;

/* `folder` for the file (copied); `max` bytes, 0 = RT_SPOOL_MAX. NULL without memory. */
struct rt_spool *rt_spool_new(const char *folder, uint64_t max);
void rt_spool_free(struct rt_spool *s);

/* Appends. RT_E_FULL: the disk is full; RT_E_LIMIT: longer than max; RT_E_IO. Every later write fails the same way. */
int rt_spool_write(struct rt_spool *s, const void *p, size_t n, struct rt_err *err);
uint64_t rt_spool_size(const struct rt_spool *s);

/* Moves what there is into the file, for a library that writes to descriptors. Borrowed. */
int rt_spool_file(struct rt_spool *s, int *ret_fd, struct rt_err *err);
/* After others wrote to the descriptor: measures it, and takes a small file back into memory. */
int rt_spool_settle(struct rt_spool *s, struct rt_err *err);

/* True while everything is in memory. */
bool rt_spool_in_memory(const struct rt_spool *s);
/* Appends all bytes to `out`; RT_E_LIMIT when they do not fit there. */
int rt_spool_copy(struct rt_spool *s, struct rt_buf *out, struct rt_err *err);
/* Moves the file's descriptor out, for an answer (the caller closes it); -1 while everything is in memory. What is left
 * is RT_E_NOTFOUND to those who ask again: a large file is sent once and its space is free at once. */
int rt_spool_take_file(struct rt_spool *s);

/* Makes a folder for spools (0700), or empties it of what an older process left. */
int rt_spool_folder(const char *folder, struct rt_err *err);
/* A new file without a name, 0600; negative on failure. */
int rt_spool_open(const char *folder, struct rt_err *err);

#endif
