/* SPDX-License-Identifier: Apache-2.0
 *
 * A run of specs: which files there are, who runs them, what comes out. Files are shared out over processes, so that
 * one that ends its process or never ends takes nothing along but itself. */
#ifndef RT_SERVER_SPEC_JOBS_H
#define RT_SERVER_SPEC_JOBS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "base/json_read.h"
#include "config/options.h"

enum rt_spec_output { RT_SPEC_TEXT, RT_SPEC_TAP, RT_SPEC_JUNIT };
enum { RT_SPEC_APPS = 16 };

/* ---- spec_files.c ---- */

/* Spec files of one app, in order. */
struct rt_spec_files {
    char app[64];
    char **path;
    int n;
};

/* All files below `folder` whose names end in _spec.lua, or the file itself. None is no error. */
int rt_spec_files_find(struct rt_spec_files *f, const char *app, const char *folder, struct rt_err *err);
void rt_spec_files_free(struct rt_spec_files *f);

/* ---- spec_show.c ---- */

struct rt_spec_show {
    enum rt_spec_output output;
    bool colours, list;
    FILE *to;
    int passed, failed, pending, number, dots;
    struct rt_buf failures, cases; /* text: told in the end; JUnit: all of it */
    double seconds;
};

void rt_spec_show_begin(struct rt_spec_show *s);
/* A test has ended. The members of `test` are those of prelude/spec_report.lua. */
void rt_spec_show_test(struct rt_spec_show *s, const char *app, struct rt_json test);
/* Something failed that no test has told of. */
void rt_spec_show_broken(struct rt_spec_show *s, const char *app, const char *name, const char *message);
void rt_spec_show_end(struct rt_spec_show *s);

/* ---- spec_jobs.c ---- */

struct rt_spec_jobs {
    /* In a new process: runs these files and reports to `to`, which it closes; the exit status. */
    int (*work)(const struct rt_spec_jobs *plan, const char *app, char *const *files, int n, FILE *to);
    struct rt_options *options;
    const char *pattern; /* nullable */
    int jobs;            /* processes at a time */
    bool list;           /* names only */
};

/* Runs all files and shows what happens. 0, or RT_E_IO when no process can be started. When a signal asks this process
 * to end (also SIGPIPE: nobody reads), all others are ended first and *ret_signal is its number; raise it again. */
int rt_spec_jobs_run(const struct rt_spec_jobs *plan, const struct rt_spec_files *apps, int n,
                     struct rt_spec_show *show, int *ret_signal, struct rt_err *err);

#endif
