/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables are made with their size known: a year of days is one allocation. */
#include "lua/report_table.h"

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

static void push_measures(lua_State *L, const struct rt_report *r, const char *const *names, bool group)
{
    lua_createtable(L, 0, r->measures + 3);
    for (int i = 0; i < r->measures; i++) {
        push_series(L, r, &r->series[i], group);
        lua_setfield(L, -2, names[i]);
    }
}

void rt_report_push(lua_State *L, const struct rt_report *r, const char *const *names)
{
    push_measures(L, r, names, false);
    push_breakdown(L, r, names, false);
    lua_setfield(L, -2, "by");
}

void rt_report_push_group(lua_State *L, const struct rt_report *r, const char *const *names, bool keys)
{
    push_measures(L, r, names, true);
    push_integers(L, r->details_by_subject, r->subjects);
    lua_setfield(L, -2, "details");
    lua_pushinteger(L, r->details);
    lua_setfield(L, -2, "detail_count");
    if (keys) {
        push_breakdown(L, r, names, true);
        lua_setfield(L, -2, "by");
    }
}
