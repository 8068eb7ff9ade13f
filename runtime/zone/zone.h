/* SPDX-License-Identifier: Apache-2.0
 *
 * IANA time zones and local days (decision X-16): a local day is [first instant whose local date is
 * that date, first instant of a later local date). Days are rt_days_from_civil() numbers. Any thread;
 * zones are loaded once and never freed. C11 interface of a C++ library. */
#ifndef RT_ZONE_ZONE_H
#define RT_ZONE_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rt_zone;

/* NULL for a name that the zone database does not know ("" and file paths included). Aliases are accepted,
 * case matters. The first call for a zone reads a file; unknown names cost an open() each and no memory. */
const struct rt_zone *rt_zone_find(const char *name, size_t n);
const struct rt_zone *rt_zone_utc(void);
const char *rt_zone_name(const struct rt_zone *z);
/* Seconds east of UTC at an instant. */
int rt_zone_offset(const struct rt_zone *z, int64_t t);
/* The local day that holds an instant: the one whose bounds it lies in. That is its local date, except
 * where clocks are set back across midnight: the repeated minutes belong to the day that had begun. */
int64_t rt_zone_day(const struct rt_zone *z, int64_t t);
/* Hour of the local wall clock, 0–23. */
int rt_zone_hour(const struct rt_zone *z, int64_t t);
/* [*ret_start, *ret_end) of a local date. A date that was skipped (Apia 2011-12-30) is empty: start == end. */
void rt_zone_day_bounds(const struct rt_zone *z, int64_t day, int64_t *ret_start, int64_t *ret_end);
/* The instant of a local wall-clock time; in a gap the first instant after it, in an overlap the earlier one. */
int64_t rt_zone_instant(const struct rt_zone *z, int64_t day, int seconds_of_day);

#ifdef __cplusplus
}
#endif
#endif
