/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors carry a code for the program and a sentence for a person, in the caller's memory: no
 * allocation on the error path and nothing global, so a failure in one thread never shows in another. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

int rt_err_set(struct rt_err *err, int code, const char *fmt, ...)
{
    if (!err)
        return code;
    /* The arguments may point into err->msg ("while opening: %s"), so the text is made aside. */
    char msg[sizeof(err->msg)];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof(msg), fmt, ap);
    va_end(ap);
    err->code = code;
    snprintf(err->msg, sizeof(err->msg), "%s", msg);
    return code;
}

const char *rt_code_name(int code)
{
    static const char *const names[] = {
        "ok",         "nomem", "invalid", "io",     "notfound", "exists",      "busy",
        "constraint", "full",  "limit",   "denied", "expired",  "interrupted", "internal",
    };
    if (code > 0 || code <= -(int)(sizeof(names) / sizeof(names[0])))
        return "unknown";
    return names[-code];
}
