/* SPDX-License-Identifier: Apache-2.0
 *
 * A `perigee check` that stays between candidates. Reading files takes most of a check, and a save changes one of a
 * hundred: this process knows the others. Whoever saves nothing for a while has none. The releaser's thread. */
#ifndef RT_SERVER_CHECKER_H
#define RT_SERVER_CHECKER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* Where a check's exit status comes, a byte, when all that it says has been said; the process stays. One that cannot
 * go on ends instead. */
enum { RT_CHECKER_FD = 3 };

struct rt_checker {
    pid_t pid; /* 0: there is none */
    int to, output, verdict;
    int questions; /* that it was asked */
};

/* Asks for a check of `app` whose scripts are in `folder`, with the migrations in `db`; starts the process, at home in
 * `home`, when there is none. The check before must have had its verdict. */
int rt_checker_ask(struct rt_checker *k, const char *home, const char *app, const char *db, const char *folder,
                   struct rt_err *err);
/* Ends it, unless it has ended: its status as of waitpid(). */
int rt_checker_stop(struct rt_checker *k);
/* In the process: the next question, as it was asked; false at the end. The texts are good until the next call. */
bool rt_checker_question(const char **ret_app, const char **ret_db, const char **ret_folder);

#endif
