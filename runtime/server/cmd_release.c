/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands on releases. Those that change something ask the running server; the others read the history,
 * so they also work when no server runs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "server/command.h"
#include "server/control.h"
#include "server/history.h"

/* Prints the server's answer and returns its status. */
static int ask(struct rt_options *o, const char *line)
{
    struct rt_buf text;
    struct rt_err err;
    int status = 1;
    rt_buf_init(&text, 0);
    int rc = rt_control_ask(o->data, line, &status, &text, &err);
    if (rc)
        status = rt_command_failed(&err);
    else
        fwrite(text.data ? text.data : "", 1, text.len, status ? stderr : stdout);
    rt_buf_fini(&text);
    return status;
}

int rt_cmd_status(struct rt_options *o, int argc, char **argv)
{
    return ask(o, rt_take_flag(&argc, argv, "--json") ? "status --json" : "status");
}

int rt_cmd_reload(struct rt_options *o, int argc, char **argv)
{
    if (argc > 1) {
        fprintf(stderr, "perigee reload: what is '%s'? It takes no arguments\n", argv[1]);
        return 2;
    }
    return ask(o, "reload");
}

static bool read_number(const char *text, int *ret)
{
    char *end;
    long n = strtol(text, &end, 10);
    *ret = (int)n;
    return *text && !*end && n > 0 && n < 1000000000;
}

int rt_cmd_rollback(struct rt_options *o, int argc, char **argv)
{
    char line[40];
    int number;
    if (argc != 2 || !read_number(argv[1], &number)) {
        fprintf(stderr, "usage: perigee rollback N (`perigee releases` lists the numbers)\n");
        return 2;
    }
    snprintf(line, sizeof line, "rollback %d", number);
    return ask(o, line);
}

static void put_iso(int64_t at, char out[RT_ISO_LEN + 1])
{
    rt_iso_write(at, out);
    out[RT_ISO_LEN] = 0;
}

/* What differs from the release before: how many files, and of which apps. */
static int count_changes(struct rt_history *h, const struct rt_history_entry *e, const struct rt_history_entry *before,
                         const char *app)
{
    const char *hash[2] = { NULL, NULL };
    struct rt_tree *tree[2] = { NULL, NULL };
    int n = 0;
    for (int i = 0; i < e->n_apps; i++)
        if (strcmp(e->app[i].name, app) == 0)
            hash[0] = e->app[i].hash;
    for (int i = 0; before && i < before->n_apps; i++)
        if (strcmp(before->app[i].name, app) == 0)
            hash[1] = before->app[i].hash;
    if (hash[0] && hash[1] && strcmp(hash[0], hash[1]) == 0)
        return 0;
    for (int i = 0; i < 2; i++)
        if (hash[i])
            rt_history_tree(h, hash[i], &tree[i], NULL);
    if (tree[0] && tree[1])
        n = rt_tree_differences(tree[0], tree[1]);
    else if (tree[0])
        n = tree[0]->n;
    rt_tree_unref(tree[0]);
    rt_tree_unref(tree[1]);
    return n;
}

static void print_one(struct rt_history *h, const struct rt_history_entry *e, const struct rt_history_entry *before,
                      bool json, bool first)
{
    struct rt_buf b;
    char at[RT_ISO_LEN + 1];
    rt_buf_init(&b, 0);
    put_iso(e->at, at);
    if (json) {
        rt_buf_printf(&b, "%s{\"number\":%d,\"at\":\"%s\",\"who\":", first ? "[" : ",\n ", e->number, at);
        rt_json_put_string(&b, e->who, strlen(e->who));
        rt_buf_puts(&b, ",\"reason\":");
        rt_json_put_string(&b, e->reason, strlen(e->reason));
        rt_buf_puts(&b, ",\"apps\":[");
    } else {
        rt_buf_printf(&b, "%6d  %s  %-12s %-16s", e->number, at, e->who, e->reason);
    }
    for (int i = 0; i < e->n_apps; i++) {
        int n = count_changes(h, e, before, e->app[i].name);
        if (json)
            rt_buf_printf(&b, "%s{\"name\":\"%s\",\"hash\":\"%s\",\"files_changed\":%d}", i ? "," : "", e->app[i].name,
                          e->app[i].hash, n);
        else if (n > 0)
            rt_buf_printf(&b, " %s %.12s (%d %s)", e->app[i].name, e->app[i].hash, n, n == 1 ? "file" : "files");
    }
    rt_buf_puts(&b, json ? "]}" : "\n");
    fputs(rt_buf_cstr(&b), stdout);
    rt_buf_fini(&b);
}

int rt_cmd_releases(struct rt_options *o, int argc, char **argv)
{
    bool json = rt_take_flag(&argc, argv, "--json");
    struct rt_history *h;
    struct rt_history_entry *list;
    struct rt_err err;
    int n;
    if (rt_history_open_read(o->data, &h, &err))
        return rt_command_failed(&err);
    int rc = rt_history_list(h, RT_HISTORY_KEEP, &list, &n, &err);
    for (int i = 0; rc == 0 && i < n; i++)
        print_one(h, &list[i], i + 1 < n ? &list[i + 1] : NULL, json, i == 0);
    if (rc == 0 && json)
        puts(n ? "]" : "[]");
    if (rc == 0)
        free(list);
    rt_history_close(h);
    return rc ? rt_command_failed(&err) : 0;
}

static int write_release(struct rt_history *h, int number, const char *folder, struct rt_err *err)
{
    struct rt_history_entry e;
    int rc = rt_history_get(h, number, &e, err);
    for (int i = 0; rc == 0 && i < e.n_apps; i++) {
        struct rt_tree *t;
        rc = rt_history_tree(h, e.app[i].hash, &t, err);
        if (rc == 0) {
            rc = rt_tree_write(t, folder, err);
            rt_tree_unref(t);
        }
    }
    return rc;
}

/* The apps of that release as they lie in the scripts folder. */
static int write_folder(struct rt_options *o, struct rt_history *h, int number, const char *folder, struct rt_err *err)
{
    struct rt_history_entry e;
    int rc = rt_history_get(h, number, &e, err);
    for (int i = 0; rc == 0 && i < e.n_apps; i++) {
        struct rt_tree *t;
        rc = rt_scripts_read(o->scripts, e.app[i].name, &t, err);
        if (rc == 0) {
            rc = rt_tree_write(t, folder, err);
            rt_tree_unref(t);
        }
    }
    return rc;
}

/* diff(1) knows how to show it: 0 the same, 1 different; both are answers. */
static int show_diff(const char *folder, const char *a, const char *b)
{
    int status = 0;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        if (chdir(folder) == 0)
            execlp("diff", "diff", isatty(STDOUT_FILENO) ? "--color=always" : "--color=never", "-Nru", a, b, NULL);
        fprintf(stderr, "perigee: cannot run diff: %s\n", strerror(errno));
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) < 2 ? 0 : 1;
}

/* A release, or the scripts folder. */
struct side {
    const char *number;
    bool folder;
    char name[40];
};

static int make_side(struct rt_options *o, struct rt_history *h, const char *root, const struct side *s,
                     struct rt_err *err)
{
    char folder[512];
    int n = 0;
    snprintf(folder, sizeof folder, "%s/%s", root, s->name);
    if (mkdir(folder, 0700))
        return rt_err_set(err, RT_E_IO, "cannot make the folder %s: %s", folder, strerror(errno));
    if (!read_number(s->number, &n))
        return rt_err_set(err, RT_E_INVALID, "'%s' is not the number of a release", s->number);
    return s->folder ? write_folder(o, h, n, folder, err) : write_release(h, n, folder, err);
}

static int make_diff(struct rt_options *o, struct rt_history *h, const char *first, const char *second)
{
    char root[] = "/tmp/perigee-diff-XXXXXX";
    struct side a = { .number = first }, b = { .number = second ? second : first, .folder = !second };
    struct rt_err err;
    snprintf(a.name, sizeof a.name, "release-%.20s", first);
    snprintf(b.name, sizeof b.name, second ? "release-%.20s" : "scripts", b.number);
    if (strcmp(a.name, b.name) == 0)
        return 0;
    if (!mkdtemp(root))
        return fprintf(stderr, "perigee: cannot make the folder %s: %s\n", root, strerror(errno)), 1;
    int rc = make_side(o, h, root, &a, &err);
    if (rc == 0)
        rc = make_side(o, h, root, &b, &err);
    int status = rc ? rt_command_failed(&err) : show_diff(root, a.name, b.name);
    rt_tree_remove(root);
    return status;
}

int rt_cmd_diff(struct rt_options *o, int argc, char **argv)
{
    struct rt_history *h;
    struct rt_err err;
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: perigee diff A [B] (numbers of releases; without B: the scripts folder)\n");
        return 2;
    }
    if (rt_history_open_read(o->data, &h, &err))
        return rt_command_failed(&err);
    int status = make_diff(o, h, argv[1], argc == 3 ? argv[2] : NULL);
    rt_history_close(h);
    return status;
}
