/* SPDX-License-Identifier: Apache-2.0
 *
 * Each thread keeps its fonts and opens a database for one job only: a snapshot that outlives its report
 * would keep the write-ahead log from being emptied. */
#include "report/pool.h"

#include <pthread.h>
#include <signal.h>
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
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct rt_report_job *head, **tail;
    int waiting, queue, threads;
    atomic_bool stopping;
    char folder[1024];
    pthread_t ids[];
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

static void run_job(struct rt_report_pool *p, struct rt_report_job *job, struct rt_pdf_fonts **fonts)
{
    struct rt_source source = { .stop = &p->stopping,
                                .deadline_ns = rt_mono_ns() + (uint64_t)RT_REPORT_SECONDS * 1000000000u };
    struct rt_spool *out = rt_spool_new(p->folder, 0);
    int rc = out ? open_source(job, &source, &job->err) : rt_err_set(&job->err, RT_E_NOMEM, "no memory for a file");
    if (rc == 0)
        rc = write_file(p, job, &source, fonts, out);
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

static void *writer(void *arg)
{
    struct rt_report_pool *p = arg;
    struct rt_pdf_fonts *fonts = NULL;
    setpriority(PRIO_PROCESS, (id_t)gettid(), NICE); /* of this thread alone: requests come first */
    pthread_mutex_lock(&p->lock);
    while (!atomic_load(&p->stopping)) {
        struct rt_report_job *job = p->head;
        if (!job) {
            pthread_cond_wait(&p->wake, &p->lock);
            continue;
        }
        p->head = job->next;
        if (!p->head)
            p->tail = &p->head;
        p->waiting--;
        pthread_mutex_unlock(&p->lock);
        run_job(p, job, &fonts);
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    rt_pdf_fonts_free(fonts);
    return NULL;
}

int rt_report_pool_new(int threads, int queue, const char *folder, struct rt_report_pool **ret, struct rt_err *err)
{
    if (threads < 1 || queue < 1 || strlen(folder) >= sizeof((struct rt_report_pool *)0)->folder)
        return rt_err_set(err, RT_E_INVALID, "reports need a thread, a place in the queue and a folder");
    struct rt_report_pool *p = calloc(1, sizeof(*p) + (size_t)threads * sizeof(p->ids[0]));
    if (!p)
        return rt_err_set(err, RT_E_NOMEM, "no memory for reports");
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    p->tail = &p->head;
    p->queue = queue;
    memcpy(p->folder, folder, strlen(folder) + 1);
    sigset_t all, before; /* signals are for the main thread */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (p->threads < threads && pthread_create(&p->ids[p->threads], NULL, writer, p) == 0)
        p->threads++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (p->threads < threads) {
        rt_report_pool_free(p);
        return rt_err_set(err, RT_E_IO, "could not start the report threads");
    }
    *ret = p;
    return 0;
}

void rt_report_pool_free(struct rt_report_pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    atomic_store(&p->stopping, true);
    p->head = NULL;
    p->tail = &p->head;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->threads; i++)
        pthread_join(p->ids[i], NULL);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

const char *rt_report_folder(const struct rt_report_pool *p) { return p->folder; }

int rt_report_submit(struct rt_report_pool *p, struct rt_report_job *job)
{
    job->next = NULL;
    job->file = NULL;
    job->err.code = 0;
    pthread_mutex_lock(&p->lock);
    int rc = atomic_load(&p->stopping) ? RT_E_INTERRUPTED : p->waiting >= p->queue ? RT_E_FULL : 0;
    if (rc == 0) {
        *p->tail = job;
        p->tail = &job->next;
        p->waiting++;
        pthread_cond_signal(&p->wake);
    }
    pthread_mutex_unlock(&p->lock);
    return rc;
}
