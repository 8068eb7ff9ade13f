/* SPDX-License-Identifier: Apache-2.0
 *
 * analytics: facts are recorded in the transaction of the change; reports cost the days they cover. */
#include "analytics/analytics.h"
#include "base/clock.h"
#include "lua/api.h"
#include "lua/call.h"
#include "lua/fact.h"
#include "lua/field.h"
#include "lua/report_table.h"

enum { MEASURES_MAX = 16, FACTS_AT_ONCE = 16, DAYS_MAX = 40000 };

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

static int close_report(lua_State *L)
{
    struct rt_report **box = lua_touserdata(L, 1);
    rt_report_free(*box);
    *box = NULL;
    return 0;
}

/* Asks, and leaves the report in a box that is closed when the function returns or raises. */
static const struct rt_report *ask(lua_State *L, const char *name, struct rt_report_query *q, const char **names)
{
    struct rt_err err;
    q->kind = rt_field_text(L, 1, "kind");
    q->n = rt_field_texts(L, 1, "measures", names, MEASURES_MAX);
    q->measures = names;
    q->zone = rt_field_zone(L, 1, "zone");
    q->first = rt_field_date(L, 1, "first");
    q->last = rt_field_date(L, 1, "last");
    if (q->last < q->first || q->last - q->first >= DAYS_MAX)
        luaL_error(L, "%s: the range must have 1 to %d days", name, DAYS_MAX);
    struct rt_conn *conn = rt_vm_conn(rt_vm_of(L), L);
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
    if (rt_analytics_report(conn, q, box, &err))
        luaL_error(L, "%s: %s", name, err.msg);
    return *box;
}

L_FN(analytics_report, RT_RUN,
     "analytics.report(q: { kind: string, id: integer, detail?: integer, measures: string[], zone: string, first: "
     "string, last: string }): table",
     "By measure: total and days (one value per local day from first to last). `by`: a list of { key = detail, "
     "<measure> = value, … }, largest value of the first measure first. With detail: of that one alone.")
{
    const char *names[MEASURES_MAX];
    struct rt_detail_range only;
    struct rt_report_query q = { .subjects = 1, .keys = true };
    lua_Integer detail;
    luaL_checktype(L, 1, LUA_TTABLE);
    int64_t id = rt_field_integer(L, 1, "id");
    q.ids = &id;
    if (rt_field_optional_integer(L, 1, "detail", &detail)) {
        only = (struct rt_detail_range){ detail, detail };
        q.details = &only;
    }
    rt_report_push(L, ask(L, "analytics.report", &q, names), names);
    return 1;
}

L_FN(analytics_group, RT_RUN,
     "analytics.group(q: { kind: string, ids: integer[], details?: integer[], key_shift?: integer, measures: "
     "string[], zone: string, first: string, last: string }): table",
     "Many subjects of a kind. By measure: total, days, subjects (one value per id), hours (24 values, by hour of the "
     "local clock) and hour_days (in how many days of how many subjects that hour has a figure). details: how many "
     "details each id has; details = { first, last } asks for those alone. With key_shift, by = { { key = detail >> "
     "key_shift, count = details, <measure> = value, … }, … }, as in a report.")
{
    const char *names[MEASURES_MAX];
    struct rt_report_query q = { .hours = true };
    lua_Integer shift;
    size_t n = 0;
    luaL_checktype(L, 1, LUA_TTABLE);
    q.ids = rt_field_integers(L, 1, "ids", &q.subjects);
    const int64_t *range = rt_field_integers(L, 1, "details", &n);
    struct rt_detail_range only = { 0, 0 };
    if (!q.ids)
        return luaL_error(L, "ids must be a list of integers");
    if (range && n != 2)
        return luaL_error(L, "details must be the first and the last one");
    if (range) {
        only = (struct rt_detail_range){ range[0], range[1] };
        q.details = &only;
    }
    q.keys = rt_field_optional_integer(L, 1, "key_shift", &shift);
    q.key_shift = shift < 0 || shift > 62 ? 63 : (unsigned)shift;
    rt_report_push_group(L, ask(L, "analytics.group", &q, names), names, q.keys);
    return 1;
}

L_FN(analytics_streak, RT_RUN,
     "analytics.streak(q: { kind: string, id: integer, measure: string, zone: string, today: string, current?: "
     "boolean }): table",
     "Runs of local days on which the measure is above 0: current, longest, active_days, start (date or nil). With "
     "current = true only current and start are looked for, which reads little more than that run.")
{
    struct rt_err err;
    struct rt_streak s;
    luaL_checktype(L, 1, LUA_TTABLE);
    const char *kind = rt_field_text(L, 1, "kind"), *measure = rt_field_text(L, 1, "measure");
    int64_t id = rt_field_integer(L, 1, "id");
    bool current = rt_field_flag(L, 1, "current");
    const struct rt_zone *zone = rt_field_zone(L, 1, "zone");
    int64_t today = rt_field_date(L, 1, "today");
    struct rt_conn *conn = rt_vm_conn(rt_vm_of(L), L);
    int rc = current ? rt_analytics_current_streak(conn, kind, id, measure, zone, today, &s, &err)
                     : rt_analytics_streak(conn, kind, id, measure, zone, today, &s, &err);
    if (rc)
        return luaL_error(L, "analytics.streak: %s", err.msg);
    lua_createtable(L, 0, 4);
    lua_pushinteger(L, s.current);
    lua_setfield(L, -2, "current");
    if (!current) {
        lua_pushinteger(L, s.longest);
        lua_setfield(L, -2, "longest");
        lua_pushinteger(L, s.active_days);
        lua_setfield(L, -2, "active_days");
    }
    if (s.current > 0) {
        char date[10];
        rt_date_write(s.current_start, date);
        lua_pushlstring(L, date, 10);
        lua_setfield(L, -2, "start");
    }
    return 1;
}

static const struct rt_lua_fn *const fns[] = { &analytics_record, &analytics_report, &analytics_group,
                                               &analytics_streak, NULL };
const struct rt_lua_lib rt_lib_analytics = { "analytics", "Facts and reports.", fns };
