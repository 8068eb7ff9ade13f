/* SPDX-License-Identifier: Apache-2.0
 *
 * Reports are written on threads of their own: a large export takes seconds and fonts take milliseconds,
 * which no event loop has. A bounded queue; who finds it full is told so at once. */
#ifndef RT_REPORT_POOL_H
#define RT_REPORT_POOL_H

#include "base/pool.h"
#include "report/document.h"
#include "report/spool.h"

enum { RT_REPORT_SECONDS = 120 }; /* the longest report */

struct rt_report_pool;

/* `folder` for files that do not fit into memory (copied). */
int rt_report_pool_new(int threads, int queue, const char *folder, struct rt_report_pool **ret, struct rt_err *err);
/* Drops waiting jobs without calling them, ends running ones early and waits for them. */
void rt_report_pool_free(struct rt_report_pool *p);
const char *rt_report_folder(const struct rt_report_pool *p);

/* The caller's memory until `done`. */
struct rt_report_job {
    struct rt_task task;                     /* first */
    struct rt_document *document;            /* borrowed */
    const char *db_path;                     /* of its queries, which see the last committed state; borrowed */
    void (*done)(struct rt_report_job *job); /* on the report thread: hand it over, return */
    void *arg;
    struct rt_spool *file; /* the result, the caller's; NULL on failure */
    struct rt_err err;     /* err.code 0 on success */
};

/* RT_E_FULL when the queue is full, RT_E_INTERRUPTED while the pool closes. */
int rt_report_submit(struct rt_report_pool *p, struct rt_report_job *job);

#endif
