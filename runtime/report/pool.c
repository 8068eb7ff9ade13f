/* SPDX-License-Identifier: Apache-2.0
 *
 * Each thread keeps its fonts and opens a database for one job only: a snapshot that outlives its report
 * would keep the write-ahead log from being emptied. */
#include "report/pool.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "report/csv.h"
#include "report/pdf.h"
#include "report/xlsx.h"

enum { NICE = 10 };

struct rt_report_pool {
    struct rt_pool *threads;
    atomic_bool stopping; /* what is being written ends early */
    char folder[1024];
};

static int write_pdf(const struct rt_document *d, const struct rt_source *source, struct rt_pdf_fonts **fonts,
                     struct rt_spool *out, struct rt_err *err)
{
    int rc = *fonts ? 0 : rt_pdf_fonts_new(fonts, err);
    return rc ? rc : rt_pdf_write(d, source, *fonts, out, err);
}

static int write_file(struct rt_report_pool *p, struct rt_report_job *job, const struct rt_source *source,
                      struct rt_pdf_fonts **fonts, struct rt_spool *out)
{
    switch (job->document->kind) {
    case RT_DOCUMENT_CSV: return rt_csv_write(job->document, source, out, &job->err);
    case RT_DOCUMENT_XLSX: return rt_xlsx_write(job->document, source, p->folder, out, &job->err);
    default: return write_pdf(job->document, source, fonts, out, &job->err);
    }
}

static int open_source(const struct rt_report_job *job, struct rt_source *s, struct rt_err *err)
{
    if (!job->document->queries)
        return 0;
    int rc = rt_conn_open(job->db_path, RT_CONN_READ, &s->conn, err);
    return rc ? rc : rt_conn_snapshot(s->conn, err);
}

static void run_job(void *arg, void **fonts, struct rt_task *task)
{
    struct rt_report_pool *p = arg;
    struct rt_report_job *job = (struct rt_report_job *)task;
    struct rt_source source = { .stop = &p->stopping,
                                .deadline_ns = rt_mono_ns() + (uint64_t)RT_REPORT_SECONDS * 1000000000u };
    struct rt_spool *out = rt_spool_new(p->folder, 0);
    int rc = out ? open_source(job, &source, &job->err) : rt_err_set(&job->err, RT_E_NOMEM, "no memory for a file");
    if (rc == 0)
        rc = write_file(p, job, &source, (struct rt_pdf_fonts **)fonts, out);
    if (source.conn) {
        rt_conn_release(source.conn);
        rt_conn_close(source.conn);
    }
    if (rc) {
        rt_spool_free(out);
        out = NULL;
    }
    job->err.code = rc;
    job->file = out;
    job->done(job);
}

/* Of this thread alone: requests come first. */
static void be_nice(void *arg, void **fonts)
{
    (void)arg, (void)fonts;
    setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
}

static void free_fonts(void *arg, void **fonts)
{
    (void)arg;
    rt_pdf_fonts_free(*fonts);
}

int rt_report_pool_new(int threads, int queue, const char *folder, struct rt_report_pool **ret, struct rt_err *err)
{
    struct rt_report_pool *p = strlen(folder) < sizeof p->folder ? calloc(1, sizeof *p) : NULL;
    if (!p)
        return rt_err_set(err, RT_E_NOMEM, "no memory for reports, or the folder's name is too long");
    memcpy(p->folder, folder, strlen(folder) + 1);
    struct rt_pool_work work = { .begin = be_nice, .run = run_job, .end = free_fonts, .arg = p };
    int rc = rt_pool_new(threads, queue, &work, &p->threads, err);
    if (rc)
        free(p);
    else
        *ret = p;
    return rc;
}

void rt_report_pool_free(struct rt_report_pool *p)
{
    if (!p)
        return;
    atomic_store(&p->stopping, true);
    rt_pool_free(p->threads);
    free(p);
}

const char *rt_report_folder(const struct rt_report_pool *p) { return p->folder; }

int rt_report_submit(struct rt_report_pool *p, struct rt_report_job *job)
{
    job->file = NULL;
    job->err.code = 0;
    return rt_pool_put(p->threads, &job->task);
}
