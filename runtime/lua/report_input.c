/* SPDX-License-Identifier: Apache-2.0
 *
 * A report leaves the script as a copy: its thread must not see Lua. Errors name the place by the words the
 * script used ("sheets[2].columns[1].type"), as a report is one large table and its author has one typo. */
#include "lua/report_input.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "lua/api.h"
#include "lua/app.h"

struct place {
    char text[100];
};

static struct place item(const struct place *in, const char *name, lua_Integer i)
{
    struct place p;
    const char *dot = in && in->text[0] ? "." : "";
    if (i > 0)
        snprintf(p.text, sizeof p.text, "%.60s%s%s[%lld]", in ? in->text : "", dot, name, (long long)i);
    else
        snprintf(p.text, sizeof p.text, "%.60s%s%s", in ? in->text : "", dot, name);
    return p;
}

static int wrong(lua_State *L, struct place p, const char *expected, int idx)
{
    return luaL_error(L, "%s: %s expected, got %s", p.text, expected, luaL_typename(L, idx));
}

static void *need(lua_State *L, void *p)
{
    if (!p)
        luaL_error(L, "not enough memory");
    return p;
}

static struct rt_str keep(lua_State *L, struct rt_document *d, int idx)
{
    struct rt_str s;
    s.p = luaL_tolstring(L, idx, &s.n);
    s = rt_document_text(d, s);
    need(L, (void *)s.p);
    lua_pop(L, 1);
    return s;
}

/* t[name] as text; numbers are taken too. */
static struct rt_str text_field(lua_State *L, struct rt_document *d, int t, const struct place *in, const char *name,
                                bool required)
{
    struct rt_str s = { "", 0 };
    int type = lua_getfield(L, t, name);
    if (type == LUA_TSTRING || type == LUA_TNUMBER)
        s = keep(L, d, -1);
    else if (type != LUA_TNIL || required)
        wrong(L, item(in, name, 0), "string", -1);
    lua_pop(L, 1);
    return s;
}

/* Pushes t[name], a list, and returns how many it has; nil counts as an empty one unless it is required. */
static lua_Integer list_field(lua_State *L, int t, const struct place *in, const char *name, bool required,
                              lua_Integer most)
{
    int type = lua_getfield(L, t, name);
    if (type != LUA_TTABLE && (type != LUA_TNIL || required))
        wrong(L, item(in, name, 0), "table", -1);
    lua_Integer n = type == LUA_TTABLE ? (lua_Integer)lua_rawlen(L, -1) : 0;
    if (n > most)
        luaL_error(L, "%s: at most %d, got %d", item(in, name, 0).text, (int)most, (int)n);
    return n;
}

/* ---- rows ---- */

bool rt_report_cell(lua_State *L, int idx, struct rt_cell *ret)
{
    *ret = (struct rt_cell){ .kind = RT_CELL_EMPTY };
    switch (lua_type(L, idx)) {
    case LUA_TNIL: return true;
    case LUA_TLIGHTUSERDATA: return lua_touserdata(L, idx) == NULL;
    case LUA_TBOOLEAN: *ret = (struct rt_cell){ .kind = RT_CELL_BOOL, .i = lua_toboolean(L, idx) }; return true;
    case LUA_TNUMBER:
        if (lua_isinteger(L, idx))
            *ret = (struct rt_cell){ .kind = RT_CELL_INT, .i = lua_tointeger(L, idx) };
        else
            *ret = (struct rt_cell){ .kind = RT_CELL_DOUBLE, .d = lua_tonumber(L, idx) };
        return true;
    case LUA_TSTRING:
        ret->kind = RT_CELL_TEXT;
        ret->s.p = lua_tolstring(L, idx, &ret->s.n);
        return true;
    default: return false;
    }
}

/* The first n values of the list at the top of the stack. */
static void put_cells(lua_State *L, struct rt_table *t, const struct place *where, lua_Integer n)
{
    struct rt_cell c;
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, -1, i);
        if (!rt_report_cell(L, -1, &c))
            wrong(L, item(where, "value", i), "text, number, boolean or nil", -1);
        rt_table_cell(t, &c);
        lua_pop(L, 1);
    }
}

/* True when the table at the top of the stack is a query; it is put on the tape. */
static bool put_query(lua_State *L, struct rt_document *d, struct rt_table *t, const struct place *where)
{
    struct rt_str sql;
    int type = lua_getfield(L, -1, "sql");
    if (type == LUA_TNIL) {
        lua_pop(L, 1);
        return false;
    }
    if (type != LUA_TSTRING)
        wrong(L, item(where, "sql", 0), "string", -1);
    sql.p = lua_tolstring(L, -1, &sql.n);
    lua_getfield(L, -2, "by_name");
    bool by_name = lua_toboolean(L, -1);
    lua_pop(L, 1);
    lua_Integer n = (lua_Integer)lua_rawlen(L, -2);
    rt_table_query(d, t, sql, by_name, (unsigned)n);
    lua_pop(L, 1);
    put_cells(L, t, where, n);
    return true;
}

static void read_rows(lua_State *L, struct rt_document *d, struct rt_table *t, int idx, const struct place *in)
{
    struct place where = item(in, "rows", 0);
    if (lua_getfield(L, idx, "rows") != LUA_TTABLE)
        wrong(L, where, "a list of rows or a query", -1);
    lua_Integer n = put_query(L, d, t, &where) ? 0 : (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = 1; i <= n; i++) {
        if (lua_rawgeti(L, -1, i) != LUA_TTABLE)
            wrong(L, item(in, "rows", i), "table", -1);
        where = item(in, "rows", i);
        if (!put_query(L, d, t, &where)) {
            rt_table_row(t);
            put_cells(L, t, &where, t->n_columns);
        }
        lua_pop(L, 1);
        if (t->tape.failed)
            luaL_error(L, "%s: the rows are longer than %d bytes; a query as rows has no such limit",
                       item(in, "rows", 0).text, RT_TAPE_MAX);
    }
    lua_pop(L, 1);
}

/* ---- columns and tables ---- */

static enum rt_column_type column_type(lua_State *L, const struct place *where)
{
    static const char *const names[] = {
        [RT_COLUMN_ANY] = "any",       [RT_COLUMN_TEXT] = "text",   [RT_COLUMN_INTEGER] = "integer",
        [RT_COLUMN_NUMBER] = "number", [RT_COLUMN_HOURS] = "hours", [RT_COLUMN_PERCENT] = "percent",
        [RT_COLUMN_DATE] = "date",     [RT_COLUMN_TIME] = "time",
    };
    if (lua_isnil(L, -1))
        return RT_COLUMN_ANY;
    for (int i = 0; lua_type(L, -1) == LUA_TSTRING && i <= RT_COLUMN_TIME; i++)
        if (strcmp(lua_tostring(L, -1), names[i]) == 0)
            return (enum rt_column_type)i;
    wrong(L, item(where, "type", 0), "text, integer, number, hours, percent, date or time", -1);
    return RT_COLUMN_ANY;
}

/* The column at the top of the stack: its title, or { title, type =, width = }. */
static void read_column(lua_State *L, struct rt_document *d, struct rt_column *c, const struct place *where)
{
    if (lua_type(L, -1) == LUA_TSTRING) {
        c->title = keep(L, d, -1);
        return;
    }
    if (!lua_istable(L, -1))
        wrong(L, *where, "string or table", -1);
    if (lua_rawgeti(L, -1, 1) != LUA_TSTRING)
        wrong(L, item(where, "title", 1), "string", -1);
    c->title = keep(L, d, -1);
    lua_getfield(L, -2, "type");
    c->type = column_type(L, where);
    lua_getfield(L, -3, "width");
    c->width = lua_tonumber(L, -1);
    if (!lua_isnil(L, -1) && !(c->width > 0 && c->width <= 255))
        luaL_error(L, "%s: more than 0, at most 255", item(where, "width", 0).text);
    lua_pop(L, 3);
}

static void read_columns(lua_State *L, struct rt_document *d, struct rt_table *t, int idx, const struct place *in,
                         lua_Integer least)
{
    lua_Integer n = list_field(L, idx, in, "columns", true, RT_COLUMNS_MAX);
    if (n < least)
        luaL_error(L, "%s: at least one", item(in, "columns", 0).text);
    t->columns = need(L, rt_document_alloc(d, (size_t)(n + 1) * sizeof *t->columns));
    t->n_columns = (int)n;
    for (int i = 0; i < n; i++) {
        struct place where = item(in, "columns", i + 1);
        lua_rawgeti(L, -1, i + 1);
        read_column(L, d, &t->columns[i], &where);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void read_tables(lua_State *L, struct rt_document *d, const char *list, const char *title, bool required)
{
    lua_Integer n = list_field(L, 1, NULL, list, required, RT_SHEETS_MAX);
    if (required && n == 0)
        luaL_error(L, "%s: at least one", list);
    for (int i = 1; i <= n; i++) {
        struct place where = item(NULL, list, i);
        struct rt_table *t = &d->tables[i - 1];
        if (lua_rawgeti(L, -1, i) != LUA_TTABLE)
            wrong(L, where, "table", -1);
        int idx = lua_gettop(L);
        t->title = text_field(L, d, idx, &where, title, required);
        read_columns(L, d, t, idx, &where, 1);
        read_rows(L, d, t, idx, &where);
        lua_pop(L, 1);
    }
    d->n_tables = (int)n;
    lua_pop(L, 1);
}

/* ---- what only paper has ---- */

static void read_facts(lua_State *L, struct rt_document *d)
{
    lua_Integer n = list_field(L, 1, NULL, "facts", false, RT_FACTS_MAX);
    for (int i = 1; i <= n; i++) {
        if (lua_rawgeti(L, -1, i) != LUA_TTABLE)
            wrong(L, item(NULL, "facts", i), "table", -1);
        lua_rawgeti(L, -1, 1);
        lua_rawgeti(L, -2, 2);
        d->facts[i - 1].label = keep(L, d, -2);
        d->facts[i - 1].value = keep(L, d, -1);
        lua_pop(L, 3);
    }
    d->n_facts = (int)n;
    lua_pop(L, 1);
}

static void read_bars(lua_State *L, struct rt_document *d, int idx, const struct place *in)
{
    struct rt_chart *c = &d->chart;
    lua_Integer n = list_field(L, idx, in, "labels", true, RT_BARS_MAX);
    if (list_field(L, idx, in, "values", true, RT_BARS_MAX) != n)
        luaL_error(L, "%s: as many values as labels", in->text);
    c->labels = need(L, rt_document_alloc(d, (size_t)(n + 1) * sizeof *c->labels));
    c->values = need(L, rt_document_alloc(d, (size_t)(n + 1) * sizeof *c->values));
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, -2, i);
        c->labels[i - 1] = keep(L, d, -1);
        lua_pop(L, 1);
        if (lua_rawgeti(L, -1, i) != LUA_TNUMBER)
            wrong(L, item(in, "values", i), "number", -1);
        c->values[i - 1] = lua_tonumber(L, -1);
        lua_pop(L, 1);
    }
    c->n = (int)n;
    lua_pop(L, 2);
}

static void read_chart(lua_State *L, struct rt_document *d)
{
    struct place where = item(NULL, "chart", 0);
    int type = lua_getfield(L, 1, "chart"), idx = lua_gettop(L);
    if (type == LUA_TTABLE) {
        struct rt_str kind = text_field(L, d, idx, &where, "kind", false);
        if (kind.n && !rt_str_is(kind, "bars"))
            luaL_error(L, "chart.kind: bars expected, got %s", kind.p);
        d->chart.title = text_field(L, d, idx, &where, "title", false);
        d->chart.unit = text_field(L, d, idx, &where, "unit", false);
        read_bars(L, d, idx, &where);
    } else if (type != LUA_TNIL) {
        wrong(L, where, "table", -1);
    }
    lua_pop(L, 1);
}

static void read_zone(lua_State *L, struct rt_document *d)
{
    struct rt_str name = text_field(L, d, 1, NULL, "zone", false);
    if (name.n == 0)
        return;
    d->zone = rt_zone_find(name.p, name.n);
    if (!d->zone)
        luaL_error(L, "zone: no time zone %s", name.p);
}

void rt_report_read(lua_State *L, struct rt_document *d)
{
    const struct rt_app *app = rt_vm_of(L)->app;
    d->now = rt_now();
    d->author = rt_document_text(d, rt_str_of(app && app->title ? app->title : ""));
    if (d->kind == RT_DOCUMENT_CSV) {
        read_columns(L, d, &d->tables[0], 1, NULL, 0);
        read_rows(L, d, &d->tables[0], 1, NULL);
        d->n_tables = 1;
        return;
    }
    read_zone(L, d);
    d->title = text_field(L, d, 1, NULL, "title", d->kind == RT_DOCUMENT_PDF);
    if (d->kind == RT_DOCUMENT_XLSX) {
        read_tables(L, d, "sheets", "name", true);
        return;
    }
    d->subtitle = text_field(L, d, 1, NULL, "subtitle", false);
    d->period = text_field(L, d, 1, NULL, "period", false);
    d->footer = text_field(L, d, 1, NULL, "footer", false);
    read_facts(L, d);
    read_chart(L, d);
    read_tables(L, d, "tables", "title", false);
}
