/* SPDX-License-Identifier: Apache-2.0
 *
 * report: files for people. Written on the report threads while the call is parked; only the rows that a
 * script's own function delivers are written here, one by one. */
#include <string.h>

#include "base/log.h"
#include "lua/api.h"
#include "lua/call.h"
#include "lua/file.h"
#include "lua/report_input.h"
#include "lua/request.h"
#include "report/csv.h"
#include "report/pool.h"

enum { ROW_MAX = 64 << 20, GC_STEP_KB = 8 << 10 };

#define CSV_TYPE  "text/csv; charset=utf-8"
#define XLSX_TYPE "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

/* What a function of this library owns while it runs; collected if it raises. */
struct work {
    struct rt_report_job job;
    struct rt_call *call;
    struct rt_document *document;
    struct rt_spool *file;
    struct rt_buf out;
    struct rt_csv csv;
    const char *what, *type;
};

static void forget(struct work *w)
{
    rt_document_free(w->document);
    rt_spool_free(w->job.file);
    rt_spool_free(w->file);
    rt_buf_fini(&w->out);
    w->document = NULL;
    w->job.file = w->file = NULL;
}

static int collect(lua_State *L)
{
    forget(lua_touserdata(L, 1));
    return 0;
}

static struct work *push_work(lua_State *L, const char *what, const char *type)
{
    struct work *w = lua_newuserdatauv(L, sizeof *w, 0);
    memset(w, 0, sizeof *w);
    rt_buf_init(&w->out, ROW_MAX);
    w->what = what;
    w->type = type;
    if (luaL_newmetatable(L, "rt.report.work")) {
        lua_pushcfunction(L, collect);
        lua_setfield(L, -2, "__gc");
        lua_pushcfunction(L, collect);
        lua_setfield(L, -2, "__close");
    }
    lua_setmetatable(L, -2);
    return w;
}

static struct rt_report_pool *pool_of(lua_State *L, const char *what)
{
    struct rt_report_pool *pool = rt_vm_of(L)->services->reports;
    if (!pool)
        luaL_error(L, "%s: not in this command", what);
    return pool;
}

/* What a client can do something about is a failure of the request, the rest the script's error. */
static int raise(lua_State *L, const struct work *w, const struct rt_err *err)
{
    switch (err->code) {
    case RT_E_FULL:
    case RT_E_IO:
    case RT_E_INTERRUPTED:
        rt_log(RT_LOG_ERROR, "a report could not be written", "function", w->what, "error", err->msg, NULL);
        return rt_raise_failure(L, 503, NULL,
                                err->code == RT_E_INTERRUPTED ? "The file took too long to make"
                                                              : "The file could not be stored");
    case RT_E_LIMIT:
        lua_pushfstring(L, "The file would be too large: %s", err->msg);
        return rt_raise_failure(L, 400, NULL, lua_tostring(L, -1));
    default: return luaL_error(L, "%s: %s", w->what, err->msg);
    }
}

static int push_file(lua_State *L, const struct work *w, struct rt_spool **file)
{
    lua_getfield(L, 1, "name");
    struct rt_file *f = rt_file_push(L, lua_tostring(L, -1), w->type);
    f->bytes = *file;
    *file = NULL;
    if (!rt_spool_in_memory(f->bytes)) /* the collector does not see how large it is; others may be garbage by now */
        lua_gc(L, LUA_GCSTEP, GC_STEP_KB);
    return 1;
}

static void written(struct rt_report_job *job) { rt_call_post(((struct work *)job->arg)->call); }

static int take_file(lua_State *L, int status, lua_KContext ctx)
{
    struct work *w = (struct work *)ctx;
    (void)status;
    rt_document_free(w->document);
    w->document = NULL;
    return w->job.err.code ? raise(L, w, &w->job.err) : push_file(L, w, &w->job.file);
}

/* The table of fields at index 1, alone on the stack, with its `name`. */
static void check_table(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    if (lua_getfield(L, 1, "name") != LUA_TSTRING)
        luaL_error(L, "name: string expected, got %s", luaL_typename(L, -1));
    lua_pop(L, 1);
}

static int write_parked(lua_State *L, enum rt_document_kind kind, const char *what, const char *type)
{
    struct rt_report_pool *pool = pool_of(L, what);
    rt_park_check(L, what);
    struct work *w = push_work(L, what, type);
    w->document = rt_document_new(kind);
    if (!w->document)
        return luaL_error(L, "not enough memory");
    rt_report_read(L, w->document);
    w->call = rt_call_of(L);
    w->job.document = w->document;
    w->job.db_path = rt_vm_of(L)->services->app->db_path;
    w->job.done = written;
    w->job.arg = w;
    if (rt_report_submit(pool, &w->job))
        return rt_raise_failure(L, 503, NULL, "Too many reports at once, try again in a moment");
    return rt_park(L, what, take_file, (lua_KContext)w);
}

static void put_row(lua_State *L, struct rt_csv *csv, int row, lua_Integer columns)
{
    struct rt_cell c;
    for (lua_Integer i = 1; i <= columns; i++) {
        lua_rawgeti(L, row, i);
        rt_report_cell(L, -1, &c);
        rt_csv_cell(csv, &c);
        lua_pop(L, 1);
    }
    rt_csv_end_row(csv);
}

/* What rows() returned is on top: writes it and asks for the next. */
static int row_given(lua_State *L, int status, lua_KContext ctx)
{
    struct work *w = (struct work *)ctx;
    struct rt_err err;
    (void)status;
    for (; !lua_isnil(L, -1); lua_callk(L, 0, 1, ctx, row_given)) {
        luaL_checktype(L, -1, LUA_TTABLE);
        put_row(L, &w->csv, lua_gettop(L), (lua_Integer)lua_rawlen(L, 2));
        lua_pop(L, 1);
        if (rt_csv_flush(&w->csv, w->file, false, &err))
            return raise(L, w, &err);
        lua_pushvalue(L, 3);
    }
    if (rt_csv_flush(&w->csv, w->file, true, &err))
        return raise(L, w, &err);
    return push_file(L, w, &w->file);
}

/* With rows from the script's function at index 3. */
static int write_here(lua_State *L)
{
    struct work *w = push_work(L, "report.csv", CSV_TYPE);
    lua_toclose(L, -1); /* when rows() raises, the disk space is not left to the collector */
    w->file = rt_spool_new(rt_report_folder(pool_of(L, w->what)), 0);
    if (!w->file)
        return luaL_error(L, "not enough memory");
    rt_csv_init(&w->csv, &w->out);
    put_row(L, &w->csv, 2, (lua_Integer)lua_rawlen(L, 2));
    lua_pushvalue(L, 3);
    lua_callk(L, 0, 1, (lua_KContext)w, row_given);
    return row_given(L, LUA_OK, (lua_KContext)w);
}

L_FN(report_csv, RT_RUN, "report.csv(t: { name: string, columns: string[], rows: report_rows | fun(): any[]? }): file",
     "A CSV file: a header row of the columns, then the rows, or what rows() returns until it returns nil. Texts are "
     "made "
     "safe for spreadsheets. With rows that are not a function it waits: call it before db.transaction.")
{
    check_table(L);
    if (lua_getfield(L, 1, "columns") != LUA_TTABLE)
        luaL_error(L, "columns: table expected, got %s", luaL_typename(L, -1));
    if (lua_getfield(L, 1, "rows") == LUA_TFUNCTION)
        return write_here(L);
    lua_settop(L, 1);
    return write_parked(L, RT_DOCUMENT_CSV, "report.csv", CSV_TYPE);
}

L_FN(report_xlsx, RT_RUN, "report.xlsx(t: report_workbook): file",
     "An Excel workbook: sheets with typed columns, a frozen header and filters. Texts are never formulas. Waits while "
     "it is written: call it before db.transaction.")
{
    check_table(L);
    return write_parked(L, RT_DOCUMENT_XLSX, "report.xlsx", XLSX_TYPE);
}

L_FN(report_pdf, RT_RUN, "report.pdf(t: report_paper): file",
     "A PDF for A4 paper: title, headline figures, a bar chart, tables over as many pages as they need. Waits while it "
     "is written: call it before db.transaction.")
{
    check_table(L);
    return write_parked(L, RT_DOCUMENT_PDF, "report.pdf", "application/pdf");
}

static const struct rt_lua_fn *const fns[] = { &report_csv, &report_xlsx, &report_pdf, NULL };
const struct rt_lua_lib rt_lib_report = { "report", "Files for people.", fns };
