/* SPDX-License-Identifier: Apache-2.0
 *
 * Time. Wall-clock time is UTC seconds since 1970 as int64; a development server can shift it
 * (tests move the clock, they do not sleep). Durations are measured with the monotonic clock. Any thread. */
#ifndef RT_BASE_CLOCK_H
#define RT_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int64_t rt_now(void);                 /* wall clock, UTC seconds, shift included */
int64_t rt_now_ms(void);              /* the same in milliseconds */
uint64_t rt_mono_ns(void);            /* CLOCK_MONOTONIC, never shifted */
uint64_t rt_thread_cpu_ns(void);      /* what the calling thread has had of a processor */
void rt_clock_shift(int64_t seconds); /* sets the shift of rt_now()/rt_now_ms(); atomic */
int64_t rt_clock_shifted(void);       /* the shift in force, seconds */

#define RT_ISO_LEN 20
/* "YYYY-MM-DDTHH:MM:SSZ" (20 bytes, no NUL) for years 0000–9999; other instants are clamped. */
void rt_iso_write(int64_t t, char out[RT_ISO_LEN]);
/* Reads an ISO 8601 date-time: 'T' or blank, seconds optional, fraction dropped, 'Z', ±HH:MM, ±HHMM, ±HH or
 * none (= UTC). */
bool rt_iso_parse(const char *p, size_t n, int64_t *ret);

/* Proleptic Gregorian calendar days since 1970-01-01. */
int64_t rt_days_from_civil(int year, int month, int day);
void rt_civil_from_days(int64_t days, int *ret_year, int *ret_month, int *ret_day);
/* "YYYY-MM-DD", exactly 10 bytes, a date that exists. */
bool rt_date_parse(const char *p, size_t n, int64_t *ret_days);
void rt_date_write(int64_t days, char out[10]);
/* ISO 8601: weekday 1 = Monday … 7 = Sunday. */
void rt_iso_week(int64_t days, int *ret_year, int *ret_week, int *ret_weekday);
/* First day (Monday) of an ISO week; false when the ISO year has no such week. */
bool rt_iso_week_start(int year, int week, int64_t *ret_days);

#endif
