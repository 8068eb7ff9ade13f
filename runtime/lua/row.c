/* SPDX-License-Identifier: Apache-2.0
 *
 * A list that needs no Lua per row costs half as much when it goes from columns to JSON here, so the
 * key texts are made once per statement and a row is a run of memcpy and number formatting. */
#include "lua/row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

enum kind { PLAIN, BOOL, TIME, JSON };

struct column {
    char name[64];  /* inside its group */
    char group[64]; /* "" outside groups */
    int group_end;  /* first column behind this one's group */
    enum kind kind;
    char key[140];  /* "name": with the comma, if one stands before it */
    char open[140]; /* first of a group: "group": with the comma */
    unsigned key_n, open_n;
};

struct rt_plan {
    int n;
    struct column col[];
};

static enum kind take_suffix(char *name)
{
    static const struct {
        const char *suffix;
        enum kind kind;
    } all[] = { { ":bool", BOOL }, { ":time", TIME }, { ":json", JSON } };
    size_t n = strlen(name);
    for (size_t i = 0; i < 3; i++)
        if (n > 5 && strcmp(name + n - 5, all[i].suffix) == 0) {
            name[n - 5] = 0;
            return all[i].kind;
        }
    return PLAIN;
}

static unsigned key_text(char *out, size_t size, bool comma, const char *name)
{
    struct rt_buf b;
    rt_buf_init(&b, 0);
    if (comma)
        rt_buf_putc(&b, ',');
    rt_json_put_string(&b, name, strlen(name));
    rt_buf_putc(&b, ':');
    int n = snprintf(out, size, "%s", rt_buf_cstr(&b));
    rt_buf_fini(&b);
    return n < (int)size ? (unsigned)n : (unsigned)size - 1;
}

static void read_name(struct column *c, const char *alias)
{
    char text[128];
    snprintf(text, sizeof text, "%s", alias);
    c->kind = take_suffix(text);
    char *dot = strchr(text, '.');
    if (dot && dot > text) {
        *dot = 0;
        snprintf(c->group, sizeof c->group, "%.63s", text);
        snprintf(c->name, sizeof c->name, "%.63s", dot + 1);
    } else {
        snprintf(c->name, sizeof c->name, "%.63s", text);
    }
}

const struct rt_plan *rt_row_plan(struct rt_stmt *s)
{
    struct rt_plan *plan = rt_stmt_note(s);
    if (plan)
        return plan;
    int n = rt_stmt_columns(s);
    plan = calloc(1, sizeof *plan + (size_t)n * sizeof *plan->col);
    if (!plan)
        return NULL;
    plan->n = n;
    for (int i = 0; i < n; i++)
        read_name(&plan->col[i], rt_stmt_name(s, i));
    for (int i = n - 1; i >= 0; i--) {
        struct column *c = &plan->col[i];
        bool same_as_next = i + 1 < n && c->group[0] && strcmp(c->group, plan->col[i + 1].group) == 0;
        bool same_as_last = i > 0 && c->group[0] && strcmp(c->group, plan->col[i - 1].group) == 0;
        c->group_end = same_as_next ? plan->col[i + 1].group_end : i + 1;
        c->key_n = key_text(c->key, sizeof c->key, c->group[0] ? same_as_last : i > 0, c->name);
        if (c->group[0] && !same_as_last)
            c->open_n = key_text(c->open, sizeof c->open, i > 0, c->group);
    }
    rt_stmt_set_note(s, plan, free);
    return plan;
}

static void put_value(const struct rt_value *v, enum kind kind, struct rt_buf *out)
{
    switch (v->type) {
    case RT_NULL: rt_json_put_null(out); return;
    case RT_INT:
        if (kind == BOOL)
            rt_json_put_bool(out, v->i != 0);
        else if (kind == TIME)
            rt_json_put_time(out, v->i);
        else
            rt_json_put_int(out, v->i);
        return;
    case RT_DOUBLE: rt_json_put_double(out, v->d); return;
    default:
        if (kind == JSON)
            rt_buf_put(out, v->p, v->n);
        else
            rt_json_put_string(out, v->p, v->n);
    }
}

void rt_row_json(const struct rt_plan *plan, struct rt_stmt *s, struct rt_buf *out)
{
    struct rt_value v;
    rt_buf_putc(out, '{');
    for (int i = 0; i < plan->n; i++) {
        const struct column *c = &plan->col[i];
        rt_col_get(s, i, &v);
        if (c->open_n) {
            rt_buf_put(out, c->open, c->open_n);
            if (v.type == RT_NULL) {
                rt_json_put_null(out);
                i = c->group_end - 1;
                continue;
            }
            rt_buf_putc(out, '{');
        }
        rt_buf_put(out, c->key, c->key_n);
        put_value(&v, c->kind, out);
        if (c->group[0] && i + 1 == c->group_end)
            rt_buf_putc(out, '}');
    }
    rt_buf_putc(out, '}');
}

static void push_value(lua_State *L, const struct rt_value *v, enum kind kind)
{
    switch (v->type) {
    case RT_NULL: lua_pushnil(L); return;
    case RT_INT:
        if (kind == BOOL)
            lua_pushboolean(L, v->i != 0);
        else
            lua_pushinteger(L, v->i);
        return;
    case RT_DOUBLE: lua_pushnumber(L, v->d); return;
    default: lua_pushlstring(L, v->p, v->n);
    }
}

void rt_row_push_column(lua_State *L, const struct rt_plan *plan, struct rt_stmt *s, int i)
{
    struct rt_value v;
    rt_col_get(s, i, &v);
    push_value(L, &v, plan->col[i].kind);
}

void rt_row_push(lua_State *L, const struct rt_plan *plan, struct rt_stmt *s)
{
    struct rt_value v;
    lua_createtable(L, 0, plan->n);
    for (int i = 0; i < plan->n; i++) {
        const struct column *c = &plan->col[i];
        rt_col_get(s, i, &v);
        if (c->open_n) {
            if (v.type == RT_NULL) {
                i = c->group_end - 1;
                continue;
            }
            lua_createtable(L, 0, c->group_end - i);
        }
        push_value(L, &v, c->kind);
        lua_setfield(L, -2, c->name);
        if (c->group[0] && i + 1 == c->group_end)
            lua_setfield(L, -2, c->group);
    }
}
