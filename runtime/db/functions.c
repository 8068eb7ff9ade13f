/* SPDX-License-Identifier: Apache-2.0
 *
 * SQL functions beside the engine's own. LIKE knows the case of ASCII letters only, and a pattern needs
 * escapes; contains_nocase(text, part) knows all letters and takes the part as it is. The part is folded
 * once per statement; and memmem() stays fast on repetitive text. */
#include <stdlib.h>
#include <string.h>

#include "base/fold.h"
#include "db/db_internal.h"

enum { ON_STACK = 2048 };

struct folded {
    size_t n;
    char text[];
};

static struct folded *fold(sqlite3_value *v)
{
    const char *p = (const char *)sqlite3_value_text(v);
    size_t n = (size_t)sqlite3_value_bytes(v);
    struct folded *f = malloc(sizeof *f + 2 * n + 1);
    if (f)
        f->n = rt_utf8_fold(p ? p : "", p ? n : 0, f->text);
    return f;
}

static const struct folded *part_of(sqlite3_context *ctx, sqlite3_value *v)
{
    struct folded *part = sqlite3_get_auxdata(ctx, 1);
    if (part)
        return part;
    part = fold(v);
    if (part)
        sqlite3_set_auxdata(ctx, 1, part, free); /* may free it at once */
    return part ? sqlite3_get_auxdata(ctx, 1) : NULL;
}

static void contains_nocase(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    char stack[2 * ON_STACK];
    (void)argc;
    if (sqlite3_value_type(argv[0]) == SQLITE_NULL || sqlite3_value_type(argv[1]) == SQLITE_NULL)
        return;
    const struct folded *part = part_of(ctx, argv[1]);
    const char *p = (const char *)sqlite3_value_text(argv[0]);
    size_t n = (size_t)sqlite3_value_bytes(argv[0]);
    char *text = n <= ON_STACK ? stack : malloc(2 * n);
    if (!part || !p || !text)
        sqlite3_result_error_nomem(ctx);
    else
        sqlite3_result_int(ctx, memmem(text, rt_utf8_fold(p, n, text), part->text, part->n) != NULL);
    if (text != stack)
        free(text);
}

int db__add_functions(struct rt_conn *c)
{
    return sqlite3_create_function_v2(c->db, "contains_nocase", 2,
                                      SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, NULL, contains_nocase,
                                      NULL, NULL, NULL);
}
