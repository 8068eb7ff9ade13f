/* SPDX-License-Identifier: Apache-2.0
 *
 * A question is three texts, each ended by a NUL, as paths may have anything else in them. */
#include "server/checker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/candidate.h"

static void close_ends(int *ends, int n)
{
    for (int i = 0; i < n; i++)
        if (ends[i] >= 0)
            close(ends[i]);
}

static int start(struct rt_checker *k, const char *home, struct rt_err *err)
{
    static const char *const argv[] = { "perigee", "check", "--standing", "--scripts", ".", NULL };
    int ends[6] = { -1, -1, -1, -1, -1, -1 }; /* of its input, its output, its verdict */
    int rc = 0;
    for (int i = 0; rc == 0 && i < 6; i += 2)
        rc = pipe2(ends + i, O_CLOEXEC) ? errno : 0;
    if (rc == 0)
        rc = rt_trial_spawn(argv, home, (int[]){ ends[0], ends[3], ends[3], ends[5] }, 4, &k->pid);
    if (rc) {
        k->pid = 0;
        close_ends(ends, 6);
        return rt_err_set(err, RT_E_IO, "`perigee check` cannot be started: %s", strerror(rc));
    }
    close_ends((int[]){ ends[0], ends[3], ends[5] }, 3);
    k->to = ends[1];
    k->output = ends[2];
    k->verdict = ends[4];
    k->questions = 0;
    return 0;
}

/* Somebody else may have ended it meanwhile. */
static void bury(struct rt_checker *k)
{
    if (k->pid && waitpid(k->pid, NULL, WNOHANG) != 0) {
        close_ends((int[]){ k->to, k->output, k->verdict }, 3);
        k->pid = 0;
    }
}

int rt_checker_ask(struct rt_checker *k, const char *home, const char *app, const char *db, const char *folder,
                   struct rt_err *err)
{
    char text[4096];
    int n = snprintf(text, sizeof text, "%s%c%s%c%s%c", app, 0, db, 0, folder, 0);
    bury(k);
    int rc = k->pid ? 0 : start(k, home, err);
    if (rc)
        return rc;
    k->questions++;
    bool asked = n < (int)sizeof text && write(k->to, text, (size_t)n) == n;
    if (!asked && k->questions == 1) /* an older one may be ending: who waits for its verdict sees that */
        return rt_err_set(err, RT_E_IO, "`perigee check` cannot be asked");
    return 0;
}

int rt_checker_stop(struct rt_checker *k)
{
    int status = 0;
    if (!k->pid)
        return 0;
    kill(-k->pid, SIGKILL); /* one that has ended keeps its own status */
    close_ends((int[]){ k->to, k->output, k->verdict }, 3);
    while (waitpid(k->pid, &status, 0) < 0 && errno == EINTR)
        ;
    k->pid = 0;
    return status;
}

bool rt_checker_question(const char **ret_app, const char **ret_db, const char **ret_folder)
{
    static char *part[3];
    static size_t size[3];
    for (int i = 0; i < 3; i++)
        if (getdelim(&part[i], &size[i], 0, stdin) < 1)
            return false;
    *ret_app = part[0];
    *ret_db = part[1];
    *ret_folder = part[2];
    return true;
}
