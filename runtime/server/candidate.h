/* SPDX-License-Identifier: Apache-2.0
 *
 * Scripts that may go live: read, compared with what serves, loaded, tested. Each app stands for itself:
 * a broken one keeps its old release and does not stop the others. The releaser's thread. */
#ifndef RT_SERVER_CANDIDATE_H
#define RT_SERVER_CANDIDATE_H

#include "server/history.h"
#include "server/host.h"

struct rt_candidate {
    struct rt_host *host;
    struct rt_candidate_app {
        struct rt_tree *tree; /* NULL: not considered */
        bool changed;         /* differs from what serves */
        struct rt_release *built;
        int code;          /* 0, or why it cannot go live … */
        struct rt_buf why; /* … in full, with file:line */
        int files;         /* that differ from what serves */
    } app[RT_APPS_MAX];
    int failed;
    bool specs; /* are to be run; true at first */
    /* Asked now and then while specs run: true ends them, as nobody needs their outcome any more. Nullable. */
    bool (*over)(void *arg);
    void *over_arg;
    bool given_up; /* it was over: nothing of it may go live */
};

void rt_candidate_init(struct rt_candidate *c, struct rt_host *h);
/* Frees trees, and releases that did not go live. */
void rt_candidate_fini(struct rt_candidate *c);
/* Reads the scripts folder for app `a`. */
void rt_candidate_read(struct rt_candidate *c, int a);
/* Takes `tree` (referenced) for app `a`. */
void rt_candidate_take(struct rt_candidate *c, int a, struct rt_tree *tree);
/* Builds what has changed, checks its migrations and timers and runs its specs. */
void rt_candidate_build(struct rt_candidate *c);
/* App `a` does not go live, for this reason. */
void rt_candidate_refuse(struct rt_candidate *c, int a, int code, const char *why);

/* ---- candidate_specs.c: specs run in a process of their own, while the candidate is built ---- */

struct rt_candidate_specs {
    int pid;
    int output; /* what it prints */
    char folder[1024];
};

/* Starts the specs of app `a`; what was started has to be finished or dropped. */
int rt_candidate_specs_start(struct rt_candidate *c, int a, struct rt_candidate_specs *specs, struct rt_err *err);
/* Waits for their end. What they print, shortened to its end, is in `out`. RT_E_INVALID when they failed, RT_E_EXPIRED
 * when they did not end, RT_E_INTERRUPTED when it was over. */
int rt_candidate_specs_finish(struct rt_candidate *c, int a, struct rt_candidate_specs *specs, struct rt_buf *out,
                              struct rt_err *err);
/* Ends them: nobody needs their outcome. */
void rt_candidate_specs_drop(struct rt_candidate_specs *specs);

#endif
