/* SPDX-License-Identifier: Apache-2.0
 *
 * analytics: facts are recorded in the transaction of the change; reports cost the days they cover. */
#include "analytics/analytics.h"
#include "base/clock.h"
#include "lua/api.h"
#include "lua/call.h"
#include "lua/fact.h"
#include "lua/field.h"

enum { MEASURES_MAX = 16, DAYS_MAX = 40000 };

struct rt_fact rt_fact_read(lua_State *L)
{
    lua_Integer detail;
    luaL_checktype(L, 1, LUA_TTABLE);
    struct rt_fact f = { .measure = rt_field_text(L, "measure"), .kind = rt_field_text(L, "kind") };
    f.id = rt_field_integer(L, "id");
    rt_field_optional_integer(L, "detail", &detail);
    f.detail = detail;
    f.from = rt_field_integer(L, "from");
    f.to = rt_field_integer(L, "to");
    f.value = rt_field_integer(L, "value");
    if (f.to < f.from)
        luaL_error(L, "the fact ends before it begins");
    return f;
}

L_FN(analytics_record, RT_RUN,
     "analytics.record(fact: { measure: string, kind: string, id: integer, detail?: integer, from: integer, to: "
     "integer, "
     "value: integer })",
     "Records a fact about a subject (kind, id), spread over from..to (Unix seconds); a negative value withdraws one.")
{
    struct rt_fact f = rt_fact_read(L);
    struct rt_call *call = rt_call_of(L);
    struct rt_err err;
    if (!call->in_transaction)
        return luaL_error(L, "analytics.record: only inside db.transaction");
    if (rt_analytics_record(rt_writer_conn(call->vm->services->app->writer), &f, &err))
        return luaL_error(L, "analytics.record: %s", err.msg);
    return 0;
}

/* ---- answers ---- */

static void push_integers(lua_State *L, const int64_t *values, size_t n)
{
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        lua_pushinteger(L, values[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static void push_series(lua_State *L, const struct rt_report *r, const struct rt_report_series *s, bool group)
{
    lua_createtable(L, 0, group ? 5 : 2);
    lua_pushinteger(L, s->total);
    lua_setfield(L, -2, "total");
    push_integers(L, s->by_day, (size_t)(r->last - r->first + 1));
    lua_setfield(L, -2, "days");
    if (!group)
        return;
    push_integers(L, s->by_subject, r->subjects);
    lua_setfield(L, -2, "subjects");
    push_integers(L, s->by_hour, 24);
    lua_setfield(L, -2, "hours");
    push_integers(L, s->days_by_hour, 24);
    lua_setfield(L, -2, "hour_days");
}

/* { { key =, <measure> =, … }, … }; for a group also count. */
static void push_breakdown(lua_State *L, const struct rt_report *r, const char *const *names, bool group)
{
    const int64_t *row = r->by_key;
    lua_createtable(L, (int)r->keys, 0);
    for (size_t i = 0; i < r->keys; i++, row += r->measures + 2) {
        lua_createtable(L, 0, r->measures + 2);
        lua_pushinteger(L, row[0]);
        lua_setfield(L, -2, "key");
        if (group) {
            lua_pushinteger(L, row[1]);
            lua_setfield(L, -2, "count");
        }
        for (int m = 0; m < r->measures; m++) {
            lua_pushinteger(L, row[m + 2]);
            lua_setfield(L, -2, names[m]);
        }
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static void push_report(lua_State *L, const struct rt_report *r, const char *const *names, bool group)
{
    lua_createtable(L, 0, r->measures + 3);
    for (int i = 0; i < r->measures; i++) {
        push_series(L, r, &r->series[i], group);
        lua_setfield(L, -2, names[i]);
    }
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
    q->kind = rt_field_text(L, "kind");
    q->n = rt_field_texts(L, "measures", names, MEASURES_MAX);
    q->measures = names;
    q->zone = rt_field_zone(L, "zone");
    q->first = rt_field_date(L, "first");
    q->last = rt_field_date(L, "last");
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
     "string, "
     "last: string }): table",
     "By measure: total and days (one value per local day from first to last). `by`: a list of { key = detail, "
     "<measure> = "
     "value, … }, largest value of the first measure first. With detail: of that one alone.")
{
    const char *names[MEASURES_MAX];
    struct rt_detail_range only;
    struct rt_report_query q = { .subjects = 1 };
    lua_Integer detail;
    luaL_checktype(L, 1, LUA_TTABLE);
    int64_t id = rt_field_integer(L, "id");
    q.ids = &id;
    if (rt_field_optional_integer(L, "detail", &detail)) {
        only = (struct rt_detail_range){ detail, detail };
        q.details = &only;
    }
    const struct rt_report *r = ask(L, "analytics.report", &q, names);
    push_report(L, r, names, false);
    push_breakdown(L, r, names, false);
    lua_setfield(L, -2, "by");
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
    q.ids = rt_field_integers(L, "ids", &q.subjects);
    const int64_t *range = rt_field_integers(L, "details", &n);
    struct rt_detail_range only = { 0, 0 };
    if (!q.ids)
        return luaL_error(L, "ids must be a list of integers");
    if (range && n != 2)
        return luaL_error(L, "details must be the first and the last one");
    if (range) {
        only = (struct rt_detail_range){ range[0], range[1] };
        q.details = &only;
    }
    bool keys = rt_field_optional_integer(L, "key_shift", &shift);
    q.key_shift = shift < 0 || shift > 62 ? 63 : (unsigned)shift;
    const struct rt_report *r = ask(L, "analytics.group", &q, names);
    push_report(L, r, names, true);
    push_integers(L, r->details_by_subject, r->subjects);
    lua_setfield(L, -2, "details");
    int64_t details = 0;
    for (size_t i = 0; i < r->keys; i++)
        details += r->by_key[i * ((size_t)r->measures + 2) + 1];
    lua_pushinteger(L, details);
    lua_setfield(L, -2, "detail_count");
    if (keys) {
        push_breakdown(L, r, names, true);
        lua_setfield(L, -2, "by");
    }
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
    const char *kind = rt_field_text(L, "kind"), *measure = rt_field_text(L, "measure");
    int64_t id = rt_field_integer(L, "id");
    bool current = rt_field_flag(L, "current");
    const struct rt_zone *zone = rt_field_zone(L, "zone");
    int64_t today = rt_field_date(L, "today");
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
