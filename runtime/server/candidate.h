/* SPDX-License-Identifier: Apache-2.0
 *
 * Scripts that may go live: read, compared with what serves, loaded, tested. Each app stands for itself:
 * a broken one keeps its old release and does not stop the others. The releaser's thread. */
#ifndef RT_SERVER_CANDIDATE_H
#define RT_SERVER_CANDIDATE_H

#include "server/history.h"
#include "server/host.h"

struct rt_checker;

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
    bool trial;                 /* is to be held; true at first */
    struct rt_checker *checker; /* for the trial */
    /* Asked now and then during trials: true ends them, as nobody needs their outcome any more. Nullable. */
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
/* Builds what has changed, checks its migrations and timers and puts it on trial. */
void rt_candidate_build(struct rt_candidate *c);
/* App `a` does not go live, for this reason. */
void rt_candidate_refuse(struct rt_candidate *c, int a, int code, const char *why);

/* ---- candidate_trial.c: check and specs, each in a process of its own, while the candidate is built. The check's
 * stays for the next candidate (server/checker.h). ---- */

enum { RT_TRIAL_CHECK, RT_TRIAL_SPECS, RT_TRIALS };

struct rt_trial {
    char folder[1024]; /* the candidate's files */
    struct rt_trial_process {
        int pid; /* 0: is not held */
        int fd;  /* what it prints */
        int status;
        struct rt_buf output;
    } process[RT_TRIALS];
    struct rt_checker *checker; /* the check's process, while it is asked */
};

/* Starts what the options ask for; what was started has to be finished or dropped. */
int rt_trial_start(struct rt_candidate *c, int a, struct rt_trial *trial, struct rt_err *err);
/* Waits for the end. What those printed that failed, shortened to its end, is in `out`. RT_E_INVALID when one failed,
 * RT_E_EXPIRED when it did not end, RT_E_INTERRUPTED when it was over. */
int rt_trial_finish(struct rt_candidate *c, int a, struct rt_trial *trial, struct rt_buf *out, struct rt_err *err);
/* Ends it: nobody needs the outcome. */
void rt_trial_drop(struct rt_trial *trial);
/* Starts this program again: in `folder`, where it also may write, at a lower priority, in a process group of its own,
 * with descriptors `fds` as 0, 1, … (-1: /dev/null). 0 or an errno. */
int rt_trial_spawn(const char *const *argv, const char *folder, const int *fds, int n, pid_t *ret);

#endif
