/* SPDX-License-Identifier: Apache-2.0
 *
 * report: files for people, made in C row by row from what a script delivers. */
#include "lua/api.h"
#include "lua/file.h"
#include "report/csv.h"

enum { CSV_MAX = 64 << 20 };

struct csv_state {
    struct rt_buf out;
    struct rt_csv csv;
};

static int free_state(lua_State *L)
{
    rt_buf_fini(&((struct csv_state *)lua_touserdata(L, 1))->out);
    return 0;
}

static struct csv_state *push_state(lua_State *L)
{
    struct csv_state *s = lua_newuserdatauv(L, sizeof *s, 0);
    rt_buf_init(&s->out, CSV_MAX);
    rt_csv_init(&s->csv, &s->out);
    lua_createtable(L, 0, 2);
    lua_pushcfunction(L, free_state);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    return s;
}

static void put_cell(lua_State *L, struct rt_csv *csv, int idx)
{
    struct rt_str s;
    if (lua_isinteger(L, idx)) {
        rt_csv_int(csv, lua_tointeger(L, idx));
    } else if (lua_type(L, idx) == LUA_TNUMBER) {
        rt_csv_double(csv, lua_tonumber(L, idx));
    } else if (lua_isboolean(L, idx)) {
        rt_csv_text(csv, rt_str_of(lua_toboolean(L, idx) ? "true" : "false"));
    } else if (lua_type(L, idx) == LUA_TSTRING) {
        s.p = lua_tolstring(L, idx, &s.n);
        rt_csv_text(csv, s);
    } else {
        rt_csv_empty(csv);
    }
}

static void put_row(lua_State *L, struct rt_csv *csv, int row, lua_Integer columns)
{
    for (lua_Integer i = 1; i <= columns; i++) {
        lua_rawgeti(L, row, i);
        put_cell(L, csv, lua_gettop(L));
        lua_pop(L, 1);
    }
    rt_csv_end_row(csv);
}

L_FN(report_csv, RT_RUN, "report.csv(t: { name: string, columns: string[], rows: report_rows | fun(): any[]? }): file",
     "A CSV file: a header row of the columns, then the rows, or what rows() returns until it returns nil. Texts are made "
     "safe for spreadsheets. With rows that are not a function it waits: call it before db.transaction.")
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_getfield(L, 1, "name");
    lua_getfield(L, 1, "columns");
    lua_getfield(L, 1, "rows");
    const char *name = luaL_checkstring(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    luaL_checktype(L, 4, LUA_TFUNCTION);
    lua_Integer columns = (lua_Integer)lua_rawlen(L, 3);
    struct csv_state *s = push_state(L);
    put_row(L, &s->csv, 3, columns);
    for (;;) {
        lua_pushvalue(L, 4);
        lua_call(L, 0, 1);
        if (lua_isnil(L, -1))
            break;
        luaL_checktype(L, -1, LUA_TTABLE);
        put_row(L, &s->csv, lua_gettop(L), columns);
        lua_pop(L, 1);
        if (s->out.failed)
            return luaL_error(L, "report.csv: the file is longer than %d bytes", CSV_MAX);
    }
    size_t n;
    char *data = rt_buf_take(&s->out, &n);
    rt_file_push(L, name, "text/csv; charset=utf-8", data, n);
    return 1;
}

L_FN(report_xlsx, RT_RUN, "report.xlsx(t: report_workbook): file",
     "An Excel workbook: sheets with typed columns, a frozen header and filters. Texts are never formulas. Waits while "
     "it is written: call it before db.transaction.")
{
    return luaL_error(L, "report.xlsx is not there yet");
}

L_FN(report_pdf, RT_RUN, "report.pdf(t: report_paper): file",
     "A PDF for A4 paper: title, headline figures, a bar chart, tables over as many pages as they need. Waits while it "
     "is written: call it before db.transaction.")
{
    return luaL_error(L, "report.pdf is not there yet");
}

static const struct rt_lua_fn *const fns[] = { &report_csv, &report_xlsx, &report_pdf, NULL };
const struct rt_lua_lib rt_lib_report = { "report", "Files for people.", fns };
