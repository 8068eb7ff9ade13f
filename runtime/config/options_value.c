/* SPDX-License-Identifier: Apache-2.0
 *
 * One value: is it good, where does it go, what to say when it is bad. A bad value stops the start,
 * since a server that runs with a setting other than the one asked for is worse than none. The text of
 * a secret is never part of a message. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "config/config_internal.h"

static void where_text(const struct config_option *opt, const struct config_origin *from, char *out, size_t size)
{
    char env[CONFIG_ENV_BYTES];
    config__env_name(opt, env);
    switch (from->source) {
    case RT_FROM_FILE: snprintf(out, size, "%s:%d: %s", from->file, from->line, opt->name); break;
    case RT_FROM_ENV: snprintf(out, size, "%s", env); break;
    case RT_FROM_LINE: snprintf(out, size, "--%s", opt->name); break;
    default: snprintf(out, size, "the default of %s", opt->name);
    }
}

/* "PERIGEE_PORT: "99999" is not …; for example: 8000" */
static int bad_value(const struct config_option *opt, const struct config_origin *from, struct rt_str v,
                     struct rt_err *err)
{
    char where[256], what[128] = "";
    where_text(opt, from, where, sizeof(where));
    if (opt->kind == CONFIG_SECRET)
        return rt_err_set(err, RT_E_INVALID, "%s: %s has at least %lld characters; leave it empty to use a key file",
                          where, opt->name, (long long)opt->min);
    switch (opt->kind) {
    case CONFIG_CHOICE:
    case CONFIG_ENUM:
        for (int i = 0; opt->choices[i]; i++) {
            size_t n = strlen(what);
            snprintf(what + n, sizeof(what) - n, "%s%s", i == 0 ? "one of " : ", ", opt->choices[i]);
        }
        break;
    case CONFIG_BOOL: snprintf(what, sizeof(what), "on or off"); break;
    case CONFIG_FACTOR: snprintf(what, sizeof(what), "on, off or a positive number"); break;
    case CONFIG_URL: snprintf(what, sizeof(what), "a URL that begins with http:// or https://"); break;
    case CONFIG_TEXT:
        return rt_err_set(err, RT_E_INVALID, "%s: %s must not be empty; the default is %s", where, opt->name, opt->def);
    default: snprintf(what, sizeof(what), "a whole number from %lld to %lld", (long long)opt->min, (long long)opt->max);
    }
    return rt_err_set(err, RT_E_INVALID, "%s: \"%.*s\" is not %s; the default is %s", where, v.n > 80 ? 80 : (int)v.n,
                      v.p, what, opt->def ? opt->def : "off");
}

int config__parse_bool(struct rt_str v)
{
    static const char *const words[] = { "off", "on", "false", "true", "0", "1" };
    for (int i = 0; i < 6; i++)
        if (rt_str_ieq(v, rt_str_of(words[i])))
            return i & 1;
    return -1;
}

static bool parse_number(const struct config_option *opt, struct rt_str v, int64_t *ret)
{
    int shift = 0;
    if (opt->unit && strcmp(opt->unit, "bytes") == 0 && v.n > 1) {
        if (v.n > 3 && rt_str_ieq((struct rt_str){ v.p + v.n - 2, 2 }, RT_STR("ib")))
            v.n -= 2;
        static const char units[] = "kmg";
        const char *unit = memchr(units, tolower((unsigned char)v.p[v.n - 1]), 3);
        shift = unit ? 10 * (int)(unit - units + 1) : 0;
        v.n -= unit != NULL;
    }
    int64_t n;
    if (!rt_str_int(v, &n) || n < 0 || __builtin_mul_overflow(n, (int64_t)1 << shift, &n))
        return false;
    *ret = n;
    return n >= opt->min && n <= opt->max;
}

static bool good_factor(const char *v)
{
    char *end;
    if (strcmp(v, "on") == 0 || strcmp(v, "off") == 0)
        return true;
    if (*v < '0' || *v > '9')
        return false;
    double f = strtod(v, &end);
    return *end == '\0' && f > 0 && f <= 1e6 && !strpbrk(v, "xX");
}

static bool good_text(const struct config_option *opt, const char *v)
{
    size_t n = strlen(v);
    switch (opt->kind) {
    case CONFIG_CHOICE:
        for (int i = 0; opt->choices[i]; i++)
            if (strcmp(v, opt->choices[i]) == 0)
                return true;
        return false;
    case CONFIG_FACTOR: return good_factor(v);
    case CONFIG_URL:
        return n == 0 || (strncmp(v, "http://", 7) == 0 && n > 7) || (strncmp(v, "https://", 8) == 0 && n > 8);
    case CONFIG_SECRET: return n == 0 || n >= (size_t)opt->min;
    default: return n >= (size_t)opt->min;
    }
}

static int set_text(struct rt_options *o, const struct config_option *opt, const char *v, struct rt_err *err)
{
    const char **at = (const char **)((char *)o + opt->offset);
    char *copy = strdup(v);
    if (!copy)
        return rt_err_set(err, RT_E_NOMEM, "no memory for the settings");
    free((char *)*at);
    *at = copy;
    return 0;
}

static int enum_index(const struct config_option *opt, const char *v)
{
    for (int i = 0; opt->choices[i]; i++)
        if (strcmp(v, opt->choices[i]) == 0)
            return i;
    return -1;
}

int config__set_value(struct rt_options *o, int i, const char *v, const struct config_origin *from, struct rt_err *err)
{
    const struct config_option *opt = &config__table[i];
    struct rt_str s = rt_str_of(v);
    void *at = (char *)o + opt->offset;
    int64_t number = 0;
    int small;
    if (from->source < o->source[i])
        return 0;
    if (config__is_text(opt)) {
        int rc = good_text(opt, v) ? set_text(o, opt, v, err) : bad_value(opt, from, s, err);
        if (rc < 0)
            return rc;
    } else if (opt->kind == CONFIG_BOOL || opt->kind == CONFIG_ENUM) {
        small = opt->kind == CONFIG_BOOL ? config__parse_bool(s) : enum_index(opt, v);
        if (small < 0)
            return bad_value(opt, from, s, err);
        if (opt->kind == CONFIG_BOOL)
            *(bool *)at = small;
        else
            *(int *)at = small;
    } else {
        if (!parse_number(opt, s, &number))
            return bad_value(opt, from, s, err);
        if (opt->kind == CONFIG_INT)
            *(int *)at = (int)number;
        else
            *(int64_t *)at = number;
    }
    o->source[i] = (unsigned char)from->source;
    return 0;
}
