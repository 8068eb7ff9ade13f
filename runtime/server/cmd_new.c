/* SPDX-License-Identifier: Apache-2.0
 *
 * `perigee new`: an app to begin with, from the templates of scaffold/. Everything is written aside and takes its name
 * at the end, the scripts last: there is a whole app or none. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/embedded.h"
#include "base/tree.h"
#include "server/command.h"

enum { NAME_MAX_BYTES = 40 };

static const struct {
    const char *template, *path;
    bool db;
} places[] = {
    { "app", "app.lua", false },
    { "tokens", "tokens.lua", false },
    { "users", "routes/users.lua", false },
    { "notes", "routes/notes.lua", false },
    { "rules", "rules/notes.lua", false },
    { "spec", "spec/notes_spec.lua", false },
    { "migration", "0001_create_tables.sql", true },
};
enum { PLACES = sizeof places / sizeof *places };

struct scaffold {
    const char *app, *title;
    char path[NAME_MAX_BYTES + 1]; /* as in addresses: with dashes */
    char folder[2][512];           /* scripts/<app> and db/<app> … */
    char aside[2][512];            /* … and where they are made, "" when they are not */
};

static int check_name(const char *name, struct rt_err *err)
{
    static const char *const taken[] = { "lib", "types", "runtime", "releases" };
    size_t n = strlen(name);
    if (n < 2 || n > NAME_MAX_BYTES || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != n ||
        !(name[0] >= 'a' && name[0] <= 'z') || name[n - 1] == '_')
        return rt_err_set(err, RT_E_INVALID,
                          "an app's name has 2 to %d small letters, digits and underscores, begins with a letter and "
                          "ends with none of the latter: '%s' is none", NAME_MAX_BYTES, name);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (strcmp(name, taken[i]) == 0)
            return rt_err_set(err, RT_E_INVALID, "an app cannot be called %s: that name is the host's", name);
    return 0;
}

/* It stands in a comment and in a text of Lua. */
static int check_title(const char *title, struct rt_err *err)
{
    size_t n = strlen(title);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)title[i] < ' ' || title[i] == '"' || title[i] == '\\')
            n = 0;
    return n >= 1 && n <= 80 ? 0 : rt_err_set(err, RT_E_INVALID, "a title has 1 to 80 bytes and no quotes in it");
}

/* "focus_time" → "Focus time". */
static void make_title(const char *app, char *out)
{
    for (size_t i = 0; (out[i] = app[i] == '_' ? ' ' : app[i]) != 0; i++)
        ;
    out[0] = (char)(out[0] - 'a' + 'A');
}

static void fill_in(const struct scaffold *s, const struct rt_embedded *f, struct rt_buf *out)
{
    const struct {
        const char *mark, *text;
    } marks[] = { { "@APP@", s->app }, { "@PATH@", s->path }, { "@TITLE@", s->title } };
    for (const char *p = f->text, *end = f->text + f->bytes; p < end;) {
        size_t k = 0;
        while (k < 3 && strncmp(p, marks[k].mark, strlen(marks[k].mark)) != 0)
            k++;
        if (k < 3)
            rt_buf_puts(out, marks[k].text);
        else
            rt_buf_putc(out, *p);
        p += k < 3 ? strlen(marks[k].mark) : 1;
    }
}

static int write_file(const char *path, const struct rt_buf *text, struct rt_err *err)
{
    FILE *f = text->failed ? NULL : fopen(path, "wx");
    bool good = f && fwrite(text->data, 1, text->len, f) == text->len;
    good = (!f || fclose(f) == 0) && good;
    return good ? 0 : rt_err_set(err, RT_E_IO, "%s: %s", path, strerror(errno));
}

/* The files that lie below scripts/<app> or db/<app>, into the folder that stands for it so far. */
static int put_files(const struct scaffold *s, bool db, struct rt_err *err)
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < PLACES; i++) {
        char path[600];
        struct rt_buf text;
        if (places[i].db != db)
            continue;
        snprintf(path, sizeof path, "%s/%s", s->aside[db], places[i].path);
        char *slash = strrchr(path, '/');
        *slash = 0;
        mkdir(path, 0777); /* one level at most; what is wrong shows when the file is opened */
        *slash = '/';
        rt_buf_init(&text, 0);
        fill_in(s, rt_embedded_find(rt_scaffold_files, places[i].template), &text);
        rc = write_file(path, &text, err);
        rt_buf_fini(&text);
    }
    return rc;
}

static int prepare(struct scaffold *s, const char *top, bool db, struct rt_err *err)
{
    char aside[sizeof s->aside[0]];
    snprintf(s->folder[db], sizeof s->folder[db], "%s/%s", top, s->app);
    struct stat st;
    if (lstat(s->folder[db], &st) == 0)
        return rt_err_set(err, RT_E_INVALID, "%s is there already", s->folder[db]);
    snprintf(aside, sizeof aside, "%s/.new-%s", top, s->app);
    if ((mkdir(top, 0777) && errno != EEXIST) || mkdir(aside, 0777))
        return rt_err_set(err, RT_E_IO, "%s: %s", aside, strerror(errno));
    memcpy(s->aside[db], aside, sizeof aside);
    return put_files(s, db, err);
}

static int put_in_place(struct scaffold *s, bool db, struct rt_err *err)
{
    if (rename(s->aside[db], s->folder[db]))
        return rt_err_set(err, RT_E_IO, "%s: %s", s->folder[db], strerror(errno));
    s->aside[db][0] = 0;
    return 0;
}

static int make(struct scaffold *s, const struct rt_options *o, struct rt_err *err)
{
    int rc = prepare(s, o->scripts, false, err);
    if (rc == 0)
        rc = prepare(s, o->db, true, err);
    if (rc == 0)
        rc = put_in_place(s, true, err);
    if (rc == 0)
        rc = put_in_place(s, false, err);
    for (int i = 0; i < 2; i++)
        if (s->aside[i][0])
            rt_tree_remove(s->aside[i]);
    return rc;
}

static void tell(const struct scaffold *s, const struct rt_options *o)
{
    for (int i = 0; i < PLACES; i++)
        printf("%s/%s\n", s->folder[places[i].db], places[i].path);
    printf("\nNext:\n"
           "  perigee check %s\n"
           "  perigee test %s\n"
           "  perigee serve --env development --apps %s\n"
           "  curl -d '{\"name\":\"ada\",\"password\":\"SecurePass123!\"}' http://127.0.0.1:%d/%s/users\n"
           "A server that runs already serves it after a restart; from then on what you save goes live at once.\n",
           s->app, s->app, s->app, (int)o->port, s->path);
}

int rt_cmd_new(struct rt_options *o, int argc, char **argv)
{
    struct scaffold s = { .title = rt_take_value(&argc, argv, "--title") };
    char title[NAME_MAX_BYTES + 1];
    struct rt_err err;
    if (argc != 2) {
        fprintf(stderr, "usage: perigee new APP [--title TITLE]\n");
        return 2;
    }
    s.app = argv[1];
    if (check_name(s.app, &err) || (s.title && check_title(s.title, &err))) {
        rt_command_failed(&err);
        return 2;
    }
    for (size_t i = 0; (s.path[i] = s.app[i] == '_' ? '-' : s.app[i]) != 0; i++)
        ;
    if (!s.title) {
        make_title(s.app, title);
        s.title = title;
    }
    if (make(&s, o, &err))
        return rt_command_failed(&err);
    tell(&s, o);
    return 0;
}
