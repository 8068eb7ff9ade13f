/* SPDX-License-Identifier: Apache-2.0
 *
 * Every value comes with its text, as the server prints it; colours only say what kind it is. */
#include <stdio.h>

#include "server/console_client.h"

/* What a value is called on a terminal: SGR parameters. */
static const char *colour_of(struct rt_json value)
{
    static const struct {
        const char *lua, *colour;
    } colours[] = { { "nil", "2" }, { "string", "32" }, { "number", "33" }, { "boolean", "35" }, { "function", "36" } };
    struct rt_json lua = rt_json_member(value, "lua");
    for (size_t i = 0; i < sizeof colours / sizeof *colours; i++)
        if (rt_json_text_is(lua, colours[i].lua))
            return colours[i].colour;
    return NULL;
}

static void print(FILE *to, bool colours, const char *colour, const char *text, size_t n)
{
    if (colours && colour)
        fprintf(to, "\033[%sm%.*s\033[0m", colour, (int)n, text);
    else
        fwrite(text, 1, n, to);
}

/* Its first line, the names of the columns, stands out. */
static void print_table(const struct rt_console *c, const char *text, size_t n)
{
    const char *end = memchr(text, '\n', n);
    size_t head = end ? (size_t)(end - text) : n;
    print(stdout, c->colours, "1", text, head);
    fwrite(text + head, 1, n - head, stdout);
}

static void show_value(const struct rt_console *c, struct rt_json value)
{
    struct rt_buf text;
    struct rt_json json = rt_json_member(value, "json");
    if (c->json) {
        printf("%.*s\n", json.n ? (int)json.n : 4, json.n ? json.p : "null");
        return;
    }
    rt_buf_init(&text, 0);
    if (rt_json_text(rt_json_member(value, "text"), &text) && text.len) {
        if (rt_json_text_is(rt_json_member(value, "kind"), "table"))
            print_table(c, text.data, text.len);
        else
            print(stdout, c->colours, colour_of(value), text.data, text.len);
        if (text.data[text.len - 1] != '\n')
            putchar('\n');
    }
    rt_buf_fini(&text);
}

void rt_console_show_values(const struct rt_console *c, struct rt_json values)
{
    struct rt_json items = rt_json_items(values);
    for (struct rt_json v; (v = rt_json_take(&items)).n;)
        show_value(c, v);
}

void rt_console_show_text(const struct rt_console *c, struct rt_json frame, const char *name, const char *colour)
{
    struct rt_buf text;
    struct rt_json v = rt_json_member(frame, name);
    rt_buf_init(&text, 0);
    if (!rt_json_text(v, &text))
        rt_buf_put(&text, v.p, v.n); /* a record */
    print(stdout, c->colours, colour, text.data, text.len);
    putchar('\n');
    rt_buf_fini(&text);
}

void rt_console_show_error(const struct rt_console *c, struct rt_json frame)
{
    struct rt_buf text;
    fflush(stdout);
    rt_buf_init(&text, 0);
    if (rt_json_text(rt_json_member(frame, "message"), &text))
        print(stderr, c->colours_err, "31", text.data, text.len);
    fputc('\n', stderr);
    rt_buf_reset(&text);
    if (rt_json_text(rt_json_member(frame, "traceback"), &text)) {
        print(stderr, c->colours_err, "2", text.data, text.len);
        fputc('\n', stderr);
    }
    rt_buf_fini(&text);
}
