/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of options as its reader (options_load.c) and its printers (options.c) see it. */
#ifndef RT_CONFIG_INTERNAL_H
#define RT_CONFIG_INTERNAL_H

#include <stddef.h>

#include "base/str.h"
#include "config/options.h"

enum config_kind {
    CONFIG_TEXT,   /* const char *; at least `min` characters */
    CONFIG_CHOICE, /* const char *, one of `choices` */
    CONFIG_ENUM,   /* int, the index in `choices` */
    CONFIG_INT,    /* int from `min` to `max` */
    CONFIG_LONG,   /* int64_t from `min` to `max` */
    CONFIG_BOOL,   /* bool */
    CONFIG_FACTOR, /* const char *: on, off or a positive number */
    CONFIG_URL,    /* const char *: empty or http(s)://… */
    CONFIG_SECRET, /* const char *: empty or at least `min` characters; never shown */
};

struct config_option {
    const char *name;
    enum config_kind kind;
    const char *def; /* as it would be written; NULL: depends on other options (see `help`) */
    int64_t min, max;
    const char *unit; /* of a number; for text what stands in --help for the value */
    const char *help;
    size_t offset; /* in struct rt_options */
    const char *const *choices;
};

extern const struct config_option config__table[];
extern const int config__count;

/* "log-level" -> "PERIGEE_LOG_LEVEL". */
#define CONFIG_ENV_BYTES 64
void config__env_name(const struct config_option *opt, char out[CONFIG_ENV_BYTES]);

/* Where a value was found. */
struct config_origin {
    enum rt_option_source source;
    const char *file; /* of RT_FROM_FILE, like `line` */
    int line;
};

/* Stores the value of option `i` unless a stronger source has set it. */
int config__set_value(struct rt_options *o, int i, const char *v, const struct config_origin *from, struct rt_err *err);
/* 1, 0, or -1 when the text is not a boolean. */
int config__parse_bool(struct rt_str v);

static inline const void *config__at(const struct rt_options *o, const struct config_option *opt)
{
    return (const char *)o + opt->offset;
}

static inline bool config__is_text(const struct config_option *opt)
{
    return opt->kind == CONFIG_TEXT || opt->kind == CONFIG_CHOICE || opt->kind == CONFIG_FACTOR ||
           opt->kind == CONFIG_URL || opt->kind == CONFIG_SECRET;
}

#endif
