/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines from a terminal, with libedit: it edits and remembers as people are used to from their shell, and its licence
 * lets the program be given to others, which readline's would not. Ctrl-C is an ordinary key while a line is edited, so
 * it cannot meet the library in the middle of something. */
#include <errno.h>
#include <fcntl.h>
#include <histedit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "server/console_client.h"

enum { REMEMBERED = 2000, HISTORY_BYTES = 1 << 20, COMPLETE_MS = 2000, SHOWN = 60 };

struct editor {
    struct rt_console *console;
    EditLine *el;
    History *history;
    char path[1024]; /* of the history, "" without one */
    char prompt[160];
    struct rt_buf code; /* the lines so far of one that goes on */
    bool interrupted;   /* Ctrl-C was pressed */
    bool gone;          /* the server */
};

static struct editor *of(EditLine *el)
{
    void *e = NULL;
    el_get(el, EL_CLIENTDATA, &e);
    return e;
}

/* ---- the history: one line per entry, as libedit reads it ---- */

/* Each console adds its own lines to the end, so that two at once lose nothing. */
static void append(const char *path, const char *line, size_t n)
{
    struct rt_buf out;
    struct stat st;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return;
    flock(fd, LOCK_EX);
    rt_buf_init(&out, 0);
    if (fstat(fd, &st) == 0 && st.st_size == 0)
        rt_buf_puts(&out, "_HiStOrY_V2_\n");
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)line[i] <= ' ' || line[i] == '\\' || line[i] == 127)
            rt_buf_printf(&out, "\\%03o", (unsigned char)line[i]);
        else
            rt_buf_putc(&out, line[i]);
    rt_buf_putc(&out, '\n');
    if (!out.failed && write(fd, out.data, out.len) < 0)
        fprintf(stderr, "the history %s cannot be written: %s\n", path, strerror(errno));
    rt_buf_fini(&out);
    close(fd);
}

static void open_history(struct editor *e)
{
    HistEvent ev;
    struct stat st;
    const char *home = getenv("HOME");
    e->history = history_init();
    history(e->history, &ev, H_SETSIZE, REMEMBERED);
    history(e->history, &ev, H_SETUNIQUE, 1);
    if (!home || !*home || snprintf(e->path, sizeof e->path, "%s/.perigee_history", home) >= (int)sizeof e->path) {
        e->path[0] = 0;
        return;
    }
    history(e->history, &ev, H_LOAD, e->path);
    if (stat(e->path, &st) == 0 && st.st_size > HISTORY_BYTES)
        history(e->history, &ev, H_SAVE, e->path); /* what was loaded is the newest part */
}

/* A line that begins with a blank is not kept, as in a shell: it may hold a secret. */
static void remember(struct editor *e)
{
    HistEvent ev;
    size_t n = e->code.len;
    while (n > 0 && e->code.data[n - 1] == '\n')
        n--;
    if (n == 0 || e->code.data[0] == ' ')
        return;
    e->code.len = n;
    history(e->history, &ev, H_ENTER, rt_buf_cstr(&e->code));
    if (e->path[0])
        append(e->path, e->code.data, n);
}

/* ---- completion: the server knows what there is ---- */

static int send_complete(struct editor *e, const LineInfo *line, struct rt_err *err)
{
    struct rt_buf text, f;
    rt_buf_init(&text, 0);
    rt_buf_init(&f, 0);
    rt_buf_put(&text, e->code.data, e->code.len);
    rt_buf_put(&text, line->buffer, (size_t)(line->cursor - line->buffer));
    rt_buf_printf(&f, "{\"type\":\"complete\",\"id\":%lld,\"cursor\":%zu,\"text\":", (long long)++e->console->id,
                  text.len);
    rt_json_put_string(&f, text.data, text.len);
    rt_buf_putc(&f, '}');
    int rc = rt_console_send(e->console, &f, err);
    rt_buf_fini(&text);
    rt_buf_fini(&f);
    return rc;
}

static int await_completions(struct editor *e, struct rt_json *ret, struct rt_err *err)
{
    int rc;
    do
        rc = rt_console_next(e->console, COMPLETE_MS, ret, err);
    while (rc == 0 && !(rt_json_text_is(rt_json_member(*ret, "type"), "completions") &&
                        rt_json_int(rt_json_member(*ret, "id"), -1) == e->console->id));
    return rc;
}

static size_t shared(const char *a, size_t n, const char *b, size_t m)
{
    size_t i = 0;
    while (i < n && i < m && a[i] == b[i])
        i++;
    while (i > 0 && i < n && ((unsigned char)a[i] & 0xC0) == 0x80)
        i--; /* whole characters */
    return i;
}

/* What all items begin with; returns how many there are. */
static int beginning(struct rt_json items, struct rt_buf *out)
{
    struct rt_buf text;
    int n = 0;
    rt_buf_init(&text, 0);
    items = rt_json_items(items);
    for (struct rt_json v; (v = rt_json_take(&items)).n; n++) {
        rt_buf_reset(&text);
        rt_json_text(rt_json_member(v, "text"), &text);
        if (n == 0)
            rt_buf_put(out, text.data, text.len);
        else
            out->len = shared(out->data, out->len, text.data, text.len);
    }
    rt_buf_fini(&text);
    return n;
}

static void list(struct editor *e, struct rt_json items)
{
    struct rt_buf line;
    int n = 0;
    rt_buf_init(&line, 0);
    putchar('\n');
    items = rt_json_items(items);
    for (struct rt_json v; (v = rt_json_take(&items)).n; n++) {
        if (n >= SHOWN)
            continue;
        rt_buf_reset(&line);
        rt_json_text(rt_json_member(v, "text"), &line);
        printf("  %-28s", rt_buf_cstr(&line));
        rt_buf_reset(&line);
        if (rt_json_text(rt_json_member(v, "hint"), &line))
            printf(e->console->colours ? "  \033[2m%s\033[0m" : "  %s", rt_buf_cstr(&line));
        putchar('\n');
    }
    if (n > SHOWN)
        printf("  … and %d more\n", n - SHOWN);
    fflush(stdout);
    rt_buf_fini(&line);
}

static int characters(const char *p, const char *end)
{
    int n = 0;
    for (; p < end; p++)
        n += ((unsigned char)*p & 0xC0) != 0x80;
    return n;
}

static unsigned char complete(EditLine *el, int key)
{
    (void)key;
    struct editor *e = of(el);
    const LineInfo *line = el_line(el);
    struct rt_json f;
    struct rt_err err;
    if (send_complete(e, line, &err) || await_completions(e, &f, &err))
        return CC_ERROR;
    size_t typed = (size_t)(line->cursor - line->buffer);
    int64_t from = rt_json_int(rt_json_member(f, "from"), 0) - (int64_t)e->code.len;
    struct rt_buf start;
    rt_buf_init(&start, 0);
    int n = beginning(rt_json_member(f, "items"), &start);
    unsigned char result = CC_ERROR; /* nothing to offer: the terminal says so */
    if (n > 0 && from >= 0 && (size_t)from <= typed) {
        const char *begun = line->buffer + from;
        result = CC_REFRESH;
        if (start.len > typed - (size_t)from) {
            el_deletestr(el, characters(begun, line->cursor));
            el_insertstr(el, rt_buf_cstr(&start));
        } else if (n > 1) {
            list(e, rt_json_member(f, "items"));
            result = CC_REDISPLAY;
        }
    }
    rt_buf_fini(&start);
    return result;
}

/* ---- the terminal ---- */

static unsigned char interrupt(EditLine *el, int key)
{
    (void)key;
    of(el)->interrupted = true;
    return CC_EOF;
}

static char *prompt(EditLine *el)
{
    struct editor *e = of(el);
    const char *on = e->console->colours ? "\1\033[1m\1" : "", *off = e->console->colours ? "\1\033[0m\1" : "";
    if (e->code.len)
        snprintf(e->prompt, sizeof e->prompt, "%s%*s%s ", on, (int)strlen(e->console->app) + 1, "…", off);
    else
        snprintf(e->prompt, sizeof e->prompt, "%s%s>%s ", on, e->console->app, off);
    return e->prompt;
}

static void open_editor(struct editor *e)
{
    e->el = el_init("perigee", stdin, stdout, stderr);
    el_set(e->el, EL_CLIENTDATA, e);
    el_set(e->el, EL_PROMPT_ESC, prompt, '\1');
    el_set(e->el, EL_EDITOR, "emacs");
    el_set(e->el, EL_HIST, history, e->history);
    /* The narrow el_set() would copy these names and never free them. */
    el_wset(e->el, EL_ADDFN, L"perigee-complete", L"what may stand here", complete);
    el_wset(e->el, EL_ADDFN, L"perigee-interrupt", L"leave this line", interrupt);
    el_set(e->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_source(e->el, NULL); /* ~/.editrc */
    el_set(e->el, EL_BIND, "^I", "perigee-complete", NULL);
    el_set(e->el, EL_SETTY, "-d", "-isig", NULL);
    el_set(e->el, EL_BIND, "^C", "perigee-interrupt", NULL);
}

static bool is_farewell(const char *line, int n)
{
    static const char *const words[] = { "exit", "quit", "exit()", "quit()", NULL };
    while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == ' '))
        n--;
    for (int i = 0; words[i]; i++)
        if ((int)strlen(words[i]) == n && memcmp(line, words[i], (size_t)n) == 0)
            return true;
    return false;
}

static bool is_blank(const struct rt_buf *b)
{
    for (size_t i = 0; i < b->len; i++)
        if (!strchr(" \t\r\n", b->data[i]))
            return false;
    return true;
}

/* One line from the terminal; false when the console ends. */
static bool step(struct editor *e)
{
    int n = 0;
    e->interrupted = false;
    el_set(e->el, EL_PREP_TERM, 1); /* before the prompt: from then on Ctrl-C is a key, not a signal */
    const char *line = el_gets(e->el, &n);
    if (e->interrupted) {
        puts("^C");
        rt_buf_reset(&e->code);
        return true;
    }
    if (!line || n <= 0 || (e->code.len == 0 && is_farewell(line, n))) {
        if (!line || n <= 0)
            putchar('\n');
        return false;
    }
    rt_buf_put(&e->code, line, (size_t)n);
    enum rt_console_end end = is_blank(&e->code) ? RT_CONSOLE_DONE
                                                 : rt_console_eval(e->console, e->code.data, e->code.len);
    if (end != RT_CONSOLE_MORE) {
        remember(e);
        rt_buf_reset(&e->code);
    }
    e->gone = end == RT_CONSOLE_GONE;
    return !e->gone;
}

int rt_console_edit(struct rt_console *c)
{
    struct editor e = { .console = c };
    rt_console_catch_interrupts();
    c->answers = true;
    rt_buf_init(&e.code, 0);
    printf("Perigee, release %lld, as %s. help() says what there is, tutorial() shows it; Ctrl-D ends.\n",
           (long long)c->release, c->user);
    open_history(&e);
    open_editor(&e);
    while (step(&e))
        ;
    el_end(e.el);
    history_end(e.history);
    rt_buf_fini(&e.code);
    return e.gone ? 1 : 0;
}
