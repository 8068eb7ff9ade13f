/* SPDX-License-Identifier: Apache-2.0
 *
 * time: instants are UTC seconds, local days are "YYYY-MM-DD" in an IANA zone (decision X-16). */
#include "base/clock.h"
#include "lua/api.h"
#include "lua/vm.h"
#include "zone/zone.h"

static const struct rt_zone *check_zone(lua_State *L, int i)
{
    size_t n;
    const char *name = luaL_checklstring(L, i, &n);
    const struct rt_zone *z = rt_zone_find(name, n);
    if (!z)
        luaL_argerror(L, i, lua_pushfstring(L, "unknown time zone '%s'", name));
    return z;
}

static int64_t check_date(lua_State *L, int i)
{
    size_t n;
    int64_t day;
    const char *p = luaL_checklstring(L, i, &n);
    if (!rt_date_parse(p, n, &day))
        luaL_argerror(L, i, "a date YYYY-MM-DD expected");
    return day;
}

static int push_date(lua_State *L, int64_t day)
{
    char out[10];
    rt_date_write(day, out);
    lua_pushlstring(L, out, 10);
    return 1;
}

L_FN(time_now, RT_ANY & ~RT_LOAD, "time.now(): integer",
     "The current time in Unix seconds (UTC). In a request, req.now is the same for the whole request.")
{
    lua_pushinteger(L, rt_now());
    return 1;
}

L_FN(time_iso, RT_ANY, "time.iso(t: integer): string", "An instant as \"YYYY-MM-DDTHH:MM:SSZ\".")
{
    char out[RT_ISO_LEN];
    rt_iso_write(luaL_checkinteger(L, 1), out);
    lua_pushlstring(L, out, RT_ISO_LEN);
    return 1;
}

L_FN(time_parse, RT_ANY, "time.parse(text: string): integer | nil",
     "Unix seconds of an ISO 8601 date-time (with Z, an offset, or none = UTC), or nil.")
{
    size_t n;
    int64_t t;
    const char *p = luaL_checklstring(L, 1, &n);
    if (!rt_iso_parse(p, n, &t))
        return 0;
    lua_pushinteger(L, t);
    return 1;
}

L_FN(time_zone, RT_ANY, "time.zone(name: string): string | nil",
     "The name if the IANA database knows this zone or alias, else nil.")
{
    size_t n;
    const char *name = luaL_checklstring(L, 1, &n);
    if (!rt_zone_find(name, n))
        return 0;
    lua_settop(L, 1);
    return 1;
}

L_FN(time_today, RT_ANY & ~RT_LOAD, "time.today(zone: string, t?: integer): string",
     "The local date of an instant (default: now) in a zone.")
{
    const struct rt_zone *z = check_zone(L, 1);
    return push_date(L, rt_zone_day(z, luaL_optinteger(L, 2, rt_now())));
}

L_FN(time_day, RT_ANY, "time.day(zone: string, date: string): integer, integer",
     "First instant of a local day and first instant after it, in Unix seconds.")
{
    int64_t a, b;
    rt_zone_day_bounds(check_zone(L, 1), check_date(L, 2), &a, &b);
    lua_pushinteger(L, a);
    lua_pushinteger(L, b);
    return 2;
}

L_FN(time_hour, RT_ANY, "time.hour(zone: string, t: integer): integer",
     "The hour (0 to 23) that a wall clock in the zone shows at an instant.")
{
    lua_pushinteger(L, rt_zone_hour(check_zone(L, 1), luaL_checkinteger(L, 2)));
    return 1;
}

L_FN(time_add_days, RT_ANY, "time.add_days(date: string, n: integer): string", "The date n days later (or earlier).")
{
    return push_date(L, check_date(L, 1) + luaL_checkinteger(L, 2));
}

L_FN(time_days_between, RT_ANY, "time.days_between(a: string, b: string): integer",
     "How many days date b is after date a; negative when it is before.")
{
    lua_pushinteger(L, check_date(L, 2) - check_date(L, 1));
    return 1;
}

L_FN(time_iso_week, RT_ANY, "time.iso_week(date: string): integer, integer, integer",
     "ISO 8601 year, week and weekday (1 = Monday) of a date.")
{
    int year, week, weekday;
    rt_iso_week(check_date(L, 1), &year, &week, &weekday);
    lua_pushinteger(L, year);
    lua_pushinteger(L, week);
    lua_pushinteger(L, weekday);
    return 3;
}

L_FN(time_week_start, RT_ANY, "time.week_start(year: integer, week: integer): string | nil",
     "The Monday of an ISO week, or nil when the ISO year has no such week.")
{
    int64_t day;
    lua_Integer year = luaL_checkinteger(L, 1), week = luaL_checkinteger(L, 2);
    if (year < 1 || year > 9998 || week < 1 || week > 53 || !rt_iso_week_start((int)year, (int)week, &day))
        return 0;
    return push_date(L, day);
}

L_FN(time_civil, RT_ANY, "time.civil(date: string): integer, integer, integer", "Year, month and day of a date.")
{
    int y, m, d;
    rt_civil_from_days(check_date(L, 1), &y, &m, &d);
    lua_pushinteger(L, y);
    lua_pushinteger(L, m);
    lua_pushinteger(L, d);
    return 3;
}

L_FN(time_date, RT_ANY, "time.date(year: integer, month: integer, day: integer): string | nil",
     "The date, or nil when there is none such (30 February).")
{
    lua_Integer y = luaL_checkinteger(L, 1), m = luaL_checkinteger(L, 2), d = luaL_checkinteger(L, 3);
    int yy, mm, dd;
    if (y < 1 || y > 9999 || m < 1 || m > 12 || d < 1 || d > 31)
        return 0;
    int64_t day = rt_days_from_civil((int)y, (int)m, (int)d);
    rt_civil_from_days(day, &yy, &mm, &dd);
    return mm == m && dd == d ? push_date(L, day) : 0;
}

L_FN(time_month_days, RT_ANY, "time.month_days(year: integer, month: integer): integer", "How many days a month has.")
{
    lua_Integer y = luaL_checkinteger(L, 1), m = luaL_checkinteger(L, 2);
    luaL_argcheck(L, y >= 1 && y <= 9999, 1, "a year from 1 to 9999 expected");
    luaL_argcheck(L, m >= 1 && m <= 12, 2, "a month from 1 to 12 expected");
    int64_t first = rt_days_from_civil((int)y, (int)m, 1);
    int64_t next = m == 12 ? rt_days_from_civil((int)y + 1, 1, 1) : rt_days_from_civil((int)y, (int)m + 1, 1);
    lua_pushinteger(L, next - first);
    return 1;
}

static const struct rt_lua_fn *const fns[] = { &time_now,      &time_iso,        &time_parse,
                                               &time_zone,     &time_today,      &time_day,
                                               &time_hour,     &time_add_days,   &time_days_between,
                                               &time_iso_week, &time_week_start, &time_civil,
                                               &time_date,     &time_month_days, NULL };
const struct rt_lua_lib rt_lib_time = { "time", "Instants, IANA zones, local days and ISO weeks.", fns };
