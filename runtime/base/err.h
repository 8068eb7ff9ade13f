/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors. Every function that can fail returns 0 or a negative RT_E* code and, where its last
 * parameter is `struct rt_err *err` (nullable), a sentence for a person. Safe on any thread. */
#ifndef RT_BASE_ERR_H
#define RT_BASE_ERR_H

enum rt_code {
    RT_OK = 0,
    RT_E_NOMEM = -1,
    RT_E_INVALID = -2, /* the caller's data is wrong */
    RT_E_IO = -3,      /* the operating system said no */
    RT_E_NOTFOUND = -4,
    RT_E_EXISTS = -5,
    RT_E_BUSY = -6,       /* somebody else holds it */
    RT_E_CONSTRAINT = -7, /* a database constraint */
    RT_E_FULL = -8,       /* disk, queue or quota is full */
    RT_E_LIMIT = -9,      /* a size or depth limit */
    RT_E_DENIED = -10,
    RT_E_EXPIRED = -11,
    RT_E_INTERRUPTED = -12,
    RT_E_INTERNAL = -13,
};

struct rt_err {
    int code;
    char msg[2048]; /* all problems of a script, or its traceback */
};

/* Fills *err (nullable) and returns `code`, so that `return rt_err_set(err, RT_E_IO, …)` reads well. */
int rt_err_set(struct rt_err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The code's name in lower case ("constraint"), for logs. Static storage. */
const char *rt_code_name(int code);

#endif
