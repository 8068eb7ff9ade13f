/* SPDX-License-Identifier: Apache-2.0
 *
 * Time without the C library's calendar: gmtime() and strptime() are slow, locale-dependent and take
 * a lock. The calendar works in days since 1970 with years that begin on 1 March, which puts the leap
 * day at the end and makes month lengths a linear formula. */
#include "base/clock.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

#define DAY         86400
#define ERA_DAYS    146097 /* days in 400 Gregorian years */
#define EPOCH_SHIFT 719468 /* 0000-03-01 to 1970-01-01 */

static _Atomic int64_t clock_shift;

int64_t rt_now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (ts.tv_sec + atomic_load_explicit(&clock_shift, memory_order_relaxed)) * 1000 + ts.tv_nsec / 1000000;
}

int64_t rt_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return ts.tv_sec + atomic_load_explicit(&clock_shift, memory_order_relaxed);
}

static uint64_t read_ns(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t rt_mono_ns(void) { return read_ns(CLOCK_MONOTONIC); }

uint64_t rt_thread_cpu_ns(void) { return read_ns(CLOCK_THREAD_CPUTIME_ID); }

void rt_clock_shift(int64_t seconds) { atomic_store(&clock_shift, seconds); }

int64_t rt_clock_shifted(void) { return atomic_load(&clock_shift); }

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

int64_t rt_days_from_civil(int year, int month, int day)
{
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = floor_div(y, 400), of_era = y - era * 400;
    int from_march = (month + 9) % 12;
    int64_t of_year = (153 * from_march + 2) / 5 + day - 1;
    return era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH_SHIFT;
}

void rt_civil_from_days(int64_t days, int *ret_year, int *ret_month, int *ret_day)
{
    days += EPOCH_SHIFT;
    int64_t era = floor_div(days, ERA_DAYS), of_era = days - era * ERA_DAYS;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int from_march = (int)((5 * of_year + 2) / 153);
    int month = from_march < 10 ? from_march + 3 : from_march - 9;
    *ret_year = (int)(year + era * 400 + (month <= 2));
    *ret_month = month;
    *ret_day = (int)(of_year - (153 * from_march + 2) / 5) + 1;
}

static void put2(char *out, int v)
{
    out[0] = (char)('0' + v / 10);
    out[1] = (char)('0' + v % 10);
}

void rt_date_write(int64_t days, char out[10])
{
    int64_t first = rt_days_from_civil(0, 1, 1), last = rt_days_from_civil(9999, 12, 31);
    int y, m, d;
    rt_civil_from_days(days < first ? first : days > last ? last : days, &y, &m, &d);
    put2(out, y / 100);
    put2(out + 2, y % 100);
    out[4] = out[7] = '-';
    put2(out + 5, m);
    put2(out + 8, d);
}

/* 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z */
#define YEAR_0        INT64_C(-62167219200)
#define YEAR_9999_END INT64_C(253402300799)

void rt_iso_write(int64_t t, char out[RT_ISO_LEN])
{
    /* Rows of a list are mostly of the same few days, so the last date is kept as text. */
    static _Thread_local struct {
        int64_t days;
        char text[10];
    } kept = { INT64_MIN, "" };
    t = t < YEAR_0 ? YEAR_0 : t > YEAR_9999_END ? YEAR_9999_END : t;
    int64_t days = floor_div(t, DAY);
    int s = (int)(t - days * DAY);
    if (days != kept.days) {
        rt_date_write(days, kept.text);
        kept.days = days;
    }
    memcpy(out, kept.text, sizeof kept.text);
    out[10] = 'T';
    put2(out + 11, s / 3600);
    out[13] = out[16] = ':';
    put2(out + 14, s / 60 % 60);
    put2(out + 17, s % 60);
    out[19] = 'Z';
}

/* Two digits at `p`, or -1. */
static int two(const char *p)
{
    if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
        return -1;
    return (p[0] - '0') * 10 + (p[1] - '0');
}

static int month_days(int year, int month)
{
    static const char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

bool rt_date_parse(const char *p, size_t n, int64_t *ret_days)
{
    if (n != 10 || p[4] != '-' || p[7] != '-')
        return false;
    int century = two(p), rest = two(p + 2), month = two(p + 5), day = two(p + 8);
    if (century < 0 || rest < 0 || month < 1 || month > 12 || day < 1)
        return false;
    int year = century * 100 + rest;
    if (day > month_days(year, month))
        return false;
    *ret_days = rt_days_from_civil(year, month, day);
    return true;
}

/* Reads the zone that must fill [p, end): the offset in seconds east of UTC. */
static bool parse_zone(const char *p, const char *end, int *ret)
{
    size_t n = (size_t)(end - p);
    if (n == 0 || (n == 1 && *p == 'Z')) {
        *ret = 0;
        return true;
    }
    if ((*p != '+' && *p != '-') || (n != 3 && n != 5 && n != 6) || (n == 6 && p[3] != ':'))
        return false;
    int hours = two(p + 1), minutes = n == 3 ? 0 : two(end - 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return false;
    int offset = hours * 3600 + minutes * 60;
    *ret = *p == '-' ? -offset : offset;
    return true;
}

bool rt_iso_parse(const char *p, size_t n, int64_t *ret)
{
    const char *end = p + n;
    int64_t days;
    if (n < 16 || !rt_date_parse(p, 10, &days) || (p[10] != 'T' && p[10] != ' ') || p[13] != ':')
        return false;
    int hour = two(p + 11), minute = two(p + 14), second = 0, offset;
    p += 16;
    if (end - p >= 3 && *p == ':') {
        second = two(p + 1);
        p += 3;
        if (end - p >= 2 && *p == '.' && p[1] >= '0' && p[1] <= '9')
            for (p++; p < end && *p >= '0' && *p <= '9';)
                p++;
    }
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
        return false;
    if (!parse_zone(p, end, &offset))
        return false;
    *ret = days * DAY + hour * 3600 + minute * 60 + second - offset;
    return true;
}

void rt_iso_week(int64_t days, int *ret_year, int *ret_week, int *ret_weekday)
{
    int64_t weekday = days + 3 - floor_div(days + 3, 7) * 7 + 1; /* 1970-01-01 was a Thursday */
    int64_t thursday = days - weekday + 4;                       /* its year is the week's year */
    int month, day;
    rt_civil_from_days(thursday, ret_year, &month, &day);
    *ret_week = (int)((thursday - rt_days_from_civil(*ret_year, 1, 1)) / 7) + 1;
    *ret_weekday = (int)weekday;
}

bool rt_iso_week_start(int year, int week, int64_t *ret_days)
{
    if (week < 1 || week > 53)
        return false;
    int y, w, weekday;
    int64_t fourth = rt_days_from_civil(year, 1, 4); /* always in week 1 */
    rt_iso_week(fourth, &y, &w, &weekday);
    int64_t start = fourth - (weekday - 1) + (int64_t)(week - 1) * 7;
    rt_iso_week(start, &y, &w, &weekday);
    if (y != year)
        return false;
    *ret_days = start;
    return true;
}
