/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads settings from the command line, the environment and a file. Every value goes through
 * config__set_value(), which keeps the source that wins; so the order of reading does not matter and the
 * command line can be read first, to learn the file's name. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "config/config_internal.h"

#define LINE_BYTES 4096

static int find_option(struct rt_str name)
{
    for (int i = 0; i < config__count; i++)
        if (rt_str_is(name, config__table[i].name))
            return i;
    return -1;
}

/* Edits (insert, delete, replace) that turn one name into the other; long names count as far. */
static int distance(struct rt_str a, const char *b)
{
    int row[33], m = (int)strlen(b);
    if (a.n > 32 || m > 32)
        return 99;
    for (int j = 0; j <= m; j++)
        row[j] = j;
    for (int i = 1; i <= (int)a.n; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= m; j++) {
            int replace = diagonal + (a.p[i - 1] != b[j - 1]);
            int other = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = replace < other ? replace : other;
        }
    }
    return row[m];
}

static int unknown_option(struct rt_str name, const char *where, struct rt_err *err)
{
    const char *nearest = NULL;
    int least = (int)name.n / 3 + 2;
    for (int i = 0; i < config__count; i++) {
        int d = distance(name, config__table[i].name);
        if (d < least) {
            least = d;
            nearest = config__table[i].name;
        }
    }
    int shown = name.n > 60 ? 60 : (int)name.n;
    if (nearest)
        return rt_err_set(err, RT_E_INVALID, "%s: unknown option \"%.*s\"; did you mean \"%s\"?", where, shown, name.p,
                          nearest);
    return rt_err_set(err, RT_E_INVALID, "%s: unknown option \"%.*s\"; see --help", where, shown, name.p);
}

static bool is_own(struct rt_str name, const char *const *own)
{
    if (rt_str_is(name, "help") || rt_str_is(name, "version"))
        return true;
    for (; own && *own; own++)
        if (rt_str_is(name, *own))
            return true;
    return false;
}

/* The option at argv[at]; *ret_used is how many arguments it takes, 0 when it is the command's own. */
static int read_argument(struct rt_options *o, char **argv, int at, int argc, const char *const *own, int *ret_used,
                         struct rt_err *err)
{
    const char *arg = argv[at] + 2, *equals = strchr(arg, '=');
    struct rt_str name = { arg, equals ? (size_t)(equals - arg) : strlen(arg) };
    const char *value = equals ? equals + 1 : NULL, *next = at + 1 < argc ? argv[at + 1] : NULL;
    int i = find_option(name);
    *ret_used = 0;
    if (i < 0)
        return is_own(name, own) ? 0 : unknown_option(name, "command line", err);
    *ret_used = 1;
    bool flag = config__table[i].kind == CONFIG_BOOL;
    if (!value && flag && !(next && config__parse_bool(rt_str_of(next)) >= 0)) {
        value = "on";
    } else if (!value) {
        if (!next || strncmp(next, "--", 2) == 0)
            return rt_err_set(err, RT_E_INVALID, "--%s needs a value; see --help", config__table[i].name);
        value = next;
        *ret_used = 2;
    }
    return config__set_value(o, i, value, &(struct config_origin){ .source = RT_FROM_LINE }, err);
}

static int read_line(struct rt_options *o, int *argc, char **argv, const char *const *own, struct rt_err *err)
{
    int kept = *argc > 0, at = kept, used;
    while (at < *argc) {
        if (strncmp(argv[at], "--", 2) != 0) {
            argv[kept++] = argv[at++];
            continue;
        }
        if (argv[at][2] == '\0') {
            at++;
            break;
        }
        int rc = read_argument(o, argv, at, *argc, own, &used, err);
        if (rc < 0)
            return rc;
        if (used == 0)
            argv[kept++] = argv[at++];
        at += used;
    }
    while (at < *argc)
        argv[kept++] = argv[at++];
    argv[kept] = NULL;
    *argc = kept;
    return 0;
}

/* An empty variable counts as not set, which is what "PORT=${PORT}" in a compose file means. */
static int read_env(struct rt_options *o, struct rt_err *err)
{
    for (int i = 0; i < config__count; i++) {
        char name[CONFIG_ENV_BYTES];
        config__env_name(&config__table[i], name);
        const char *v = getenv(name);
        if (!v || !*v)
            continue;
        int rc = config__set_value(o, i, v, &(struct config_origin){ .source = RT_FROM_ENV }, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* "PERIGEE_LOG_LEVEL", "log_level" and "log-level" are the same key. */
static int find_key(struct rt_str key)
{
    char name[64];
    if (key.n > 8 && rt_str_ieq((struct rt_str){ key.p, 8 }, RT_STR("PERIGEE_")))
        key = (struct rt_str){ key.p + 8, key.n - 8 };
    if (key.n > sizeof(name))
        return -1;
    for (size_t i = 0; i < key.n; i++)
        name[i] = key.p[i] == '_' ? '-' : (char)tolower((unsigned char)key.p[i]);
    return find_option((struct rt_str){ name, key.n });
}

static int read_setting(struct rt_options *o, char *text, const struct config_origin *from, struct rt_err *err)
{
    struct rt_str line = rt_str_trim(rt_str_of(text));
    char where[256];
    if (line.n == 0 || line.p[0] == '#')
        return 0;
    snprintf(where, sizeof(where), "%s:%d", from->file, from->line);
    const char *equals = memchr(line.p, '=', line.n);
    if (!equals)
        return rt_err_set(err, RT_E_INVALID, "%s: expected KEY=VALUE", where);
    struct rt_str key = rt_str_trim((struct rt_str){ line.p, (size_t)(equals - line.p) });
    struct rt_str v = rt_str_trim((struct rt_str){ equals + 1, line.n - (size_t)(equals - line.p) - 1 });
    if (v.n >= 2 && v.p[0] == '"' && v.p[v.n - 1] == '"')
        v = (struct rt_str){ v.p + 1, v.n - 2 };
    int i = find_key(key);
    if (i < 0)
        return unknown_option(key, where, err);
    if (config__table[i].offset == offsetof(struct rt_options, config))
        return rt_err_set(err, RT_E_INVALID, "%s: a file of settings cannot name another one", where);
    text[v.p + v.n - text] = '\0';
    return config__set_value(o, i, v.p, from, err);
}

static int read_file(struct rt_options *o, struct rt_err *err)
{
    char text[LINE_BYTES];
    struct config_origin from = { .source = RT_FROM_FILE, .file = o->config };
    int rc = 0;
    FILE *f = fopen(o->config, "re");
    if (!f)
        return rt_err_set(err, RT_E_IO, "settings file %s: %s", o->config, strerror(errno));
    while (rc == 0 && fgets(text, sizeof(text), f)) {
        from.line++;
        if (!strchr(text, '\n') && !feof(f))
            rc = rt_err_set(err, RT_E_LIMIT, "%s:%d: the line is too long", from.file, from.line);
        else
            rc = read_setting(o, text, &from, err);
    }
    if (rc == 0 && ferror(f))
        rc = rt_err_set(err, RT_E_IO, "settings file %s: %s", o->config, strerror(errno));
    fclose(f);
    return rc;
}

static int read_defaults(struct rt_options *o, struct rt_err *err)
{
    static const struct config_origin from = { .source = RT_FROM_DEFAULT };
    for (int i = 0; i < config__count; i++) {
        if (!config__table[i].def)
            continue;
        int rc = config__set_value(o, i, config__table[i].def, &from, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* What depends on other options. */
static int settle(struct rt_options *o, struct rt_err *err)
{
    if (o->source[find_option(RT_STR("demo"))] == RT_FROM_DEFAULT)
        o->demo = o->env == RT_ENV_DEVELOPMENT;
    if (o->source[find_option(RT_STR("watch"))] == RT_FROM_DEFAULT)
        o->watch = o->env == RT_ENV_DEVELOPMENT;
    if (o->demo && o->env != RT_ENV_DEVELOPMENT)
        return rt_err_set(err, RT_E_INVALID, "demo data is for development only; set --demo off or --env development");
    return 0;
}

int rt_options_load_for(struct rt_options *o, int *argc, char **argv, const char *const *own, struct rt_err *err)
{
    *o = (struct rt_options){ 0 };
    int rc = read_defaults(o, err);
    if (rc == 0)
        rc = read_line(o, argc, argv, own, err);
    if (rc == 0)
        rc = read_env(o, err);
    if (rc == 0 && *o->config)
        rc = read_file(o, err);
    if (rc == 0)
        rc = settle(o, err);
    if (rc < 0)
        rt_options_free(o);
    return rc;
}

int rt_options_load(struct rt_options *o, int *argc, char **argv, struct rt_err *err)
{
    return rt_options_load_for(o, argc, argv, NULL, err);
}

void rt_options_free(struct rt_options *o)
{
    for (int i = 0; i < config__count; i++)
        if (config__is_text(&config__table[i]))
            free((char *)*(const char **)((char *)o + config__table[i].offset));
    *o = (struct rt_options){ 0 };
}
