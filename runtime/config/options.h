/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings. One table (options.c) gives each option its name, type, default, unit and help text; from it
 * come --help, PERIGEE_* variables, the example file and the messages for bad values. Precedence: command
 * line, environment, file (--config, KEY=VALUE lines), default. */
#ifndef RT_CONFIG_OPTIONS_H
#define RT_CONFIG_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

enum rt_env { RT_ENV_PRODUCTION, RT_ENV_DEVELOPMENT };

#define RT_OPTIONS_MAX 64

struct rt_options {
    const char *config, *host, *data, *scripts, *db, *apps, *log_level, *log_format, *cors_origins, *outbound_allow,
        *public_url, *jwt_secret, *rate_limits, *trusted_proxies, *webhook_schedule, *smtp_url, *mail_from,
        *admin_token;
    int port, workers, env;
    int64_t body_bytes, header_bytes, url_bytes, idle_seconds, request_seconds, connections;
    int64_t socket_connections, socket_message_bytes, socket_queue_bytes, socket_ping_seconds;
    int64_t script_ms, script_share_us, script_mb, statement_ms, drain_seconds, password_threads, password_queue,
        event_window;
    int64_t webhook_timeout, webhook_disable_after, webhook_log_days;
    bool access_log, demo, watch, release_check, release_specs;
    unsigned char source[RT_OPTIONS_MAX]; /* enum rt_option_source of the option rt_option_name(i) */
};

/* Where an option's value came from, for `perigee config` and error messages. */
enum rt_option_source { RT_FROM_DEFAULT, RT_FROM_FILE, RT_FROM_ENV, RT_FROM_LINE };

/* Fills *o from argv[1..], environment and file; options are taken out of argv, the rest stays in order
 * (*argc is updated). "--" ends them. Errors name the option, the value, where it came from and the remedy. */
int rt_options_load(struct rt_options *o, int *argc, char **argv, struct rt_err *err);
/* The same for a command with "--" flags of its own: those named in `own` (without dashes, ended by NULL;
 * nullable) stay in argv, as --help and --version always do. Any other unknown "--" option is an error. */
int rt_options_load_for(struct rt_options *o, int *argc, char **argv, const char *const *own, struct rt_err *err);
void rt_options_free(struct rt_options *o);
/* The options' part of --help. */
void rt_options_help(FILE *out);
/* A commented example file with all defaults. */
void rt_options_example(FILE *out);
/* One line per option: name, value (secrets as "set"), source. `json`: one object. */
void rt_options_print(const struct rt_options *o, FILE *out, bool json);
/* The name of the option at `i` or NULL past the end; for tests and completion. */
const char *rt_option_name(int i);

#endif
