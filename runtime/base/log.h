/* SPDX-License-Identifier: Apache-2.0
 *
 * The structured log: one line per entry on standard error, text on a terminal, JSON otherwise.
 * Fields follow as alternating names and values, ended by NULL. The calling thread's request id
 * (rt_log_request) is on every line. Secrets never go in. Any thread; lines do not interleave. */
#ifndef RT_BASE_LOG_H
#define RT_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum rt_log_level { RT_LOG_DEBUG, RT_LOG_INFO, RT_LOG_WARN, RT_LOG_ERROR };
enum rt_log_format { RT_LOG_AUTO, RT_LOG_TEXT, RT_LOG_JSON };

void rt_log_setup(enum rt_log_level level, enum rt_log_format format);
bool rt_log_enabled(enum rt_log_level level);
/* The request id of what this thread is doing now; NULL clears it. Borrowed until replaced. */
void rt_log_request(const char *id);
const char *rt_log_requested(void);
/* rt_log(RT_LOG_WARN, "slow statement", "app", app, "ms", "12", NULL); NULL values are written as null. */
void rt_log(enum rt_log_level level, const char *message, ...) __attribute__((sentinel));
/* The same with printf and no fields. */
void rt_logf(enum rt_log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A complete line made by the caller (with its newline), written at once. For the access log. */
void rt_log_raw(const char *line, size_t n);
/* True when lines are JSON. */
bool rt_log_json(void);

/* Also given every entry, on the thread that logs: must be short and not log. Set once, before other threads. */
void rt_log_tap(void (*tap)(const char *line, size_t n));

#endif
