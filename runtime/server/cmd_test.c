/* SPDX-License-Identifier: Apache-2.0
 *
 * `perigee test`: an app's specs against its real scripts and the real host. This process finds the files and shows
 * what happens; others run them (server/spec_jobs.h). */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/tree.h"
#include "lua/spec_run.h"
#include "server/command.h"
#include "server/spec_host.h"
#include "server/spec_jobs.h"

/* A block of a spec has more time than a request. */
enum { LONGER = 20, SCRIPT_MB = 256, ARGS_MAX = 2048 };

static int usage(void)
{
    fprintf(stderr,
            "usage: perigee test [APP] [PATTERN] [--spec FILE] [--jobs N] [--output text|tap|junit] [--list]\n");
    return 2;
}

/* ---- the worker: runs files and reports ---- */

static void report(void *arg, const char *line, size_t n)
{
    FILE *to = arg;
    fwrite(line, 1, n, to);
    fputc('\n', to);
    fflush(to);
}

static int run_files(struct rt_spec_host *s, const struct rt_spec_jobs *plan, char *const *files, int n_files, FILE *to,
                     struct rt_err *err)
{
    struct rt_services services = s->host.workers[0].services[0]; /* a state of its own, with more time and room */
    struct rt_spec_server server = { s, rt_spec_host_connect, rt_spec_host_limit, rt_spec_host_forget,
                                     rt_spec_host_round };
    const char *args[ARGS_MAX] = { "--output=perigee" };
    char text[300];
    int n = 1;
    struct rt_vm *vm = NULL;
    struct rt_app *app = NULL;
    services.script_ms *= LONGER;
    services.script_mb = SCRIPT_MB;
    services.limit_factor = 1;
    if (plan->list)
        args[n++] = "--list";
    if (plan->pattern) {
        snprintf(text, sizeof text, "--filter=%s", plan->pattern);
        args[n++] = text;
    }
    for (int i = 0; i < n_files && n < ARGS_MAX; i++)
        args[n++] = files[i];
    int rc = rt_vm_new(&services, rt_routing_now(&s->host)->release[0]->tree, &vm, err);
    if (rc == 0)
        rc = rt_app_load(vm, services.app->name, &app, err);
    struct rt_spec_run run = { s->options.scripts, args, n, &server, report, to };
    if (rc == 0)
        rc = rt_spec_run(vm, &run, err);
    rt_app_free(app);
    rt_vm_free(vm);
    return rc;
}

static int work(const struct rt_spec_jobs *plan, const char *app, char *const *files, int n, FILE *to)
{
    static struct rt_spec_host s;
    struct rt_err err;
    rt_log_setup(RT_LOG_WARN, RT_LOG_TEXT);
    int rc = rt_spec_host_open(&s, plan->options, app, &err);
    if (rc == 0)
        rc = rt_watchdog_start(&err);
    if (rc == 0)
        rc = run_files(&s, plan, files, n, to, &err);
    rt_watchdog_stop();
    rt_spec_host_close(&s);
    fclose(to);
    return rc == RT_E_INVALID && strcmp(err.msg, "specs failed") == 0 ? 1 : rc ? rt_command_failed(&err) : 0;
}

/* ---- the run ---- */

static int find_specs(struct rt_options *o, const char *app, const char *spec, struct rt_spec_files *apps, int *ret_n,
                      struct rt_err *err)
{
    static struct rt_host h;
    char folder[1024];
    h.options = o;
    int rc = rt_host_find_apps(&h, err);
    if (rc == 0)
        rc = rt_only_app(&h, app, err);
    for (int a = 0; rc == 0 && a < h.n_apps; a++) {
        snprintf(folder, sizeof folder, "%s/%s/spec", o->scripts, h.apps[a].shared.name);
        if (spec && access(spec, R_OK))
            return rt_err_set(err, RT_E_NOTFOUND, "there is no %s", spec);
        rc = rt_spec_files_find(&apps[(*ret_n)++], h.apps[a].shared.name, spec ? spec : folder, err);
    }
    return rc;
}

static bool read_output(const char *name, enum rt_spec_output *ret)
{
    static const char *const names[] = { "text", "tap", "junit" };
    for (int i = 0; name && i < 3; i++)
        if (strcmp(name, names[i]) == 0) {
            *ret = (enum rt_spec_output)i;
            return true;
        }
    return !name;
}

/* For the databases, which live for a second: memory is best. This process makes and removes it, however those that
 * use it end. */
static int make_folder(char *ret, size_t size, struct rt_err *err)
{
    static const char memory[] = "/dev/shm";
    const char *tmp = getenv("TMPDIR");
    if (!tmp || !tmp[0])
        tmp = access(memory, W_OK) == 0 ? memory : "/tmp";
    int n = snprintf(ret, size, "%s/perigee-test-XXXXXX", tmp);
    if (n < (int)size && mkdtemp(ret))
        return 0;
    int why = n < (int)size ? errno : ENAMETOOLONG;
    return rt_err_set(err, RT_E_IO, "cannot make a folder in %s: %s", tmp, strerror(why));
}

static int run(struct rt_options *o, const char *app, const char *spec, struct rt_spec_jobs *jobs,
               struct rt_spec_show *show)
{
    struct rt_spec_files apps[RT_SPEC_APPS];
    char folder[256];
    struct rt_options options = *o;
    struct rt_err err;
    int n = 0, rc = find_specs(o, app, spec, apps, &n, &err), stopped = 0;
    jobs->options = &options;
    options.data = folder;
    rt_spec_show_begin(show);
    if (rc == 0 && (rc = make_folder(folder, sizeof folder, &err)) == 0) {
        rc = rt_spec_jobs_run(jobs, apps, n, show, &stopped, &err);
        rt_tree_remove(folder);
    }
    if (stopped)
        raise(stopped);
    for (int a = 0; a < n; a++)
        rt_spec_files_free(&apps[a]);
    if (rc)
        return rt_command_failed(&err);
    bool none = show->number == 0 && jobs->pattern && !jobs->list;
    if (none)
        fprintf(stderr, "perigee: no test's name matches '%s' (--list has the names)\n", jobs->pattern);
    rt_spec_show_end(show);
    return show->failed > 0 || none;
}

int rt_cmd_test(struct rt_options *o, int argc, char **argv)
{
    struct rt_spec_show show = { .to = stdout, .colours = isatty(STDOUT_FILENO) && !getenv("NO_COLOR") };
    struct rt_spec_jobs jobs = { .work = work, .jobs = rt_cores() };
    const char *spec = rt_take_value(&argc, argv, "--spec"), *count = rt_take_value(&argc, argv, "--jobs");
    const char *output = rt_take_value(&argc, argv, "--output"), *filter = rt_take_value(&argc, argv, "--filter");
    jobs.list = show.list = rt_take_flag(&argc, argv, "--list");
    jobs.jobs = jobs.list ? 1 : jobs.jobs; /* in order */
    if (count)
        jobs.jobs = atoi(count);
    if (argc > 3 || (argc > 2 && filter) || jobs.jobs < 1 || !read_output(output, &show.output) ||
        (argc > 1 && argv[argc - 1][0] == '-'))
        return usage();
    jobs.pattern = argc > 2 ? argv[2] : filter;
    return run(o, argc > 1 ? argv[1] : NULL, spec, &jobs, &show);
}
