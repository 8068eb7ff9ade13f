/* SPDX-License-Identifier: Apache-2.0
 *
 * analytics: facts are recorded in the transaction of the change; reports cost the days they cover. */
#include "analytics/analytics.h"
#include "base/clock.h"
#include "lua/api.h"
#include "lua/call.h"
#include "lua/fact.h"

enum { MEASURES_MAX = 16, FACTS_AT_ONCE = 16 };

static void record(lua_State *L, struct rt_conn *conn, const struct rt_fact *facts, size_t n)
{
    struct rt_err err;
    if (rt_analytics_record(conn, facts, n, &err))
        luaL_error(L, "analytics.record: %s", err.msg);
    lua_settop(L, 1);
}

/* The array at 1, a handful at a time: their texts wait on the stack. */
static void record_list(lua_State *L, struct rt_conn *conn)
{
    struct rt_fact facts[FACTS_AT_ONCE];
    lua_Integer n = (lua_Integer)lua_rawlen(L, 1);
    luaL_checkstack(L, FACTS_AT_ONCE * 3 + 4, NULL);
    for (lua_Integer i = 1; i <= n;) {
        size_t count = 0;
        for (; i <= n && count < FACTS_AT_ONCE; i++) {
            lua_rawgeti(L, 1, i);
            facts[count++] = rt_fact_read(L, lua_gettop(L));
        }
        record(L, conn, facts, count);
    }
}

static bool is_list(lua_State *L)
{
    lua_pushnil(L);
    bool list = lua_rawlen(L, 1) > 0 || !lua_next(L, 1);
    lua_settop(L, 1);
    return list;
}

L_FN(analytics_record, RT_RUN,
     "analytics.record(fact: { measure: string, kind: string, id: integer, detail?: integer, from: integer, to: "
     "integer, value: integer } | table[])",
     "Records a fact about a subject (kind, id), spread over from..to (Unix seconds); a negative value withdraws one. "
     "An array of facts costs less than one call each.")
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    struct rt_call *call = rt_call_of(L);
    if (!call->in_transaction)
        return luaL_error(L, "analytics.record: only inside db.transaction");
    struct rt_conn *conn = rt_writer_conn(call->vm->services->app->writer);
    if (is_list(L)) {
        record_list(L, conn);
    } else {
        struct rt_fact f = rt_fact_read(L, 1);
        record(L, conn, &f, 1);
    }
    return 0;
}

static const struct rt_zone *zone_field(lua_State *L)
{
    size_t n;
    rt_field_text(L, 1, "zone");
    const char *name = lua_tolstring(L, -1, &n);
    const struct rt_zone *z = rt_zone_find(name, n);
    if (!z)
        luaL_error(L, "unknown time zone '%s'", name);
    return z;
}

static int64_t date_field(lua_State *L, const char *name)
{
    size_t n;
    int64_t day;
    rt_field_text(L, 1, name);
    const char *p = lua_tolstring(L, -1, &n);
    if (!rt_date_parse(p, n, &day))
        luaL_error(L, "%s must be a date YYYY-MM-DD", name);
    return day;
}

static int measures_field(lua_State *L, const char *names[MEASURES_MAX])
{
    if (lua_getfield(L, 1, "measures") != LUA_TTABLE)
        luaL_error(L, "measures must be a list of names");
    int n = (int)lua_rawlen(L, -1);
    if (n < 1 || n > MEASURES_MAX)
        luaL_error(L, "measures must have 1 to %d names", MEASURES_MAX);
    luaL_checkstack(L, n, NULL);
    int list = lua_gettop(L);
    for (int i = 0; i < n; i++) {
        if (lua_rawgeti(L, list, i + 1) != LUA_TSTRING)
            luaL_error(L, "measures must be a list of names");
        names[i] = lua_tostring(L, -1);
    }
    return n;
}

static void push_series(lua_State *L, const struct rt_report_series *s, int64_t days)
{
    lua_createtable(L, 0, 2);
    lua_pushinteger(L, s->total);
    lua_setfield(L, -2, "total");
    lua_createtable(L, (int)days, 0);
    for (int64_t i = 0; i < days; i++) {
        lua_pushinteger(L, s->by_day[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "days");
}

/* by = { { key =, <measure> =, … }, … } */
static void push_breakdown(lua_State *L, const struct rt_report *r, const char *const *names)
{
    size_t width = (size_t)r->measures + 1;
    int64_t *rows = lua_newuserdatauv(L, (rt_report_details(r) + 1) * width * sizeof *rows, 0);
    size_t n = rt_report_breakdown(r, rows);
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++, rows += width) {
        lua_createtable(L, 0, (int)width);
        lua_pushinteger(L, rows[0]);
        lua_setfield(L, -2, "key");
        for (int m = 0; m < r->measures; m++) {
            lua_pushinteger(L, rows[m + 1]);
            lua_setfield(L, -2, names[m]);
        }
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_remove(L, -2);
}

static int close_report(lua_State *L)
{
    struct rt_report **box = lua_touserdata(L, 1);
    rt_report_free(*box);
    *box = NULL;
    return 0;
}

/* A closed-at-return box, so that a Lua error frees the report. */
static struct rt_report **push_box(lua_State *L)
{
    struct rt_report **box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = NULL;
    if (luaL_newmetatable(L, "rt.report")) {
        lua_pushcfunction(L, close_report);
        lua_setfield(L, -2, "__close");
        lua_pushcfunction(L, close_report);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    lua_toclose(L, -1);
    return box;
}

L_FN(analytics_report, RT_RUN,
     "analytics.report(q: { kind: string, id: integer, detail?: integer, measures: string[], zone: string, first: "
     "string, last: string }): table",
     "By measure: total and days (one value per local day from first to last). `by`: a list of { key = detail, "
     "<measure> = value, … }, largest value of the first measure first. With detail: of that one alone.")
{
    const char *names[MEASURES_MAX];
    struct rt_err err;
    luaL_checktype(L, 1, LUA_TTABLE);
    const char *kind = rt_field_text(L, 1, "kind");
    int64_t id = rt_field_integer(L, 1, "id", false), detail = rt_field_integer(L, 1, "detail", true);
    bool one = lua_getfield(L, 1, "detail") != LUA_TNIL;
    int n = measures_field(L, names);
    const struct rt_zone *zone = zone_field(L);
    int64_t first = date_field(L, "first"), last = date_field(L, "last");
    if (last < first || last - first >= 40000)
        return luaL_error(L, "analytics.report: the range must have 1 to 40000 days");
    struct rt_conn *conn = rt_vm_conn(rt_vm_of(L), L);
    struct rt_report **box = push_box(L);
    if (rt_analytics_report(conn, kind, id, one ? &detail : NULL, names, n, zone, first, last, box, &err))
        return luaL_error(L, "analytics.report: %s", err.msg);
    lua_createtable(L, 0, n);
    for (int i = 0; i < n; i++) {
        push_series(L, &(*box)->series[i], last - first + 1);
        lua_setfield(L, -2, names[i]);
    }
    push_breakdown(L, *box, names);
    lua_setfield(L, -2, "by");
    return 1;
}

L_FN(analytics_streak, RT_RUN,
     "analytics.streak(q: { kind: string, id: integer, measure: string, zone: string, today: string }): table",
     "Runs of local days on which the measure is above 0: current, longest, active_days, start (date or nil).")
{
    struct rt_err err;
    struct rt_streak s;
    luaL_checktype(L, 1, LUA_TTABLE);
    const char *kind = rt_field_text(L, 1, "kind"), *measure = rt_field_text(L, 1, "measure");
    int64_t id = rt_field_integer(L, 1, "id", false);
    const struct rt_zone *zone = zone_field(L);
    int64_t today = date_field(L, "today");
    if (rt_analytics_streak(rt_vm_conn(rt_vm_of(L), L), kind, id, measure, zone, today, &s, &err))
        return luaL_error(L, "analytics.streak: %s", err.msg);
    lua_createtable(L, 0, 4);
    lua_pushinteger(L, s.current);
    lua_setfield(L, -2, "current");
    lua_pushinteger(L, s.longest);
    lua_setfield(L, -2, "longest");
    lua_pushinteger(L, s.active_days);
    lua_setfield(L, -2, "active_days");
    if (s.current > 0) {
        char date[10];
        rt_date_write(s.current_start, date);
        lua_pushlstring(L, date, 10);
        lua_setfield(L, -2, "start");
    }
    return 1;
}

static const struct rt_lua_fn *const fns[] = { &analytics_record, &analytics_report, &analytics_streak, NULL };
const struct rt_lua_lib rt_lib_analytics = { "analytics", "Facts and reports.", fns };
