/* SPDX-License-Identifier: Apache-2.0
 *
 * All settings in one table. Help, environment names, the example file, `perigee config` and the
 * messages for bad values are made from it, so that they cannot disagree. A new option is one row here
 * and one member of struct rt_options. */
#include "config/options.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "config/config_internal.h"

static const char *const env_choices[] = { "production", "development", NULL }; /* as enum rt_env */
static const char *const level_choices[] = { "debug", "info", "warn", "error", NULL };
static const char *const format_choices[] = { "auto", "text", "json", NULL };

#define AT(member) offsetof(struct rt_options, member)
#define TEXT(member, name, def, min, unit, help)                                                                       \
    {                                                                                                                  \
        name, CONFIG_TEXT, def, min, 0, unit, help, AT(member), NULL                                                   \
    }
#define PICK(member, name, kind, def, choices, help)                                                                   \
    {                                                                                                                  \
        name, kind, def, 0, 0, NULL, help, AT(member), choices                                                         \
    }
#define NUM(member, name, kind, def, min, max, unit, help)                                                             \
    {                                                                                                                  \
        name, kind, def, min, max, unit, help, AT(member), NULL                                                        \
    }
#define FLAG(member, name, def, help)                                                                                  \
    {                                                                                                                  \
        name, CONFIG_BOOL, def, 0, 0, NULL, help, AT(member), NULL                                                     \
    }

const struct config_option config__table[] = {
    TEXT(config, "config", "", 0, "FILE", "read settings from this file, one KEY=VALUE per line"),
    TEXT(host, "host", "127.0.0.1", 1, "ADDRESS", "address to listen on; 0.0.0.0 for all"),
    NUM(port, "port", CONFIG_INT, "8000", 0, 65535, NULL, "port to listen on; 0 takes a free one"),
    TEXT(data, "data", "./var", 1, "FOLDER", "databases and keys"),
    TEXT(scripts, "scripts", "./scripts", 1, "FOLDER", "the apps' scripts"),
    TEXT(db, "db", "./db", 1, "FOLDER", "the apps' migrations"),
    TEXT(apps, "apps", "", 0, "LIST", "apps to serve, separated by commas; empty: all in the scripts folder"),
    NUM(workers, "workers", CONFIG_INT, "0", 0, 64, NULL, "threads that serve requests; 0: one per core"),
    PICK(env, "env", CONFIG_ENUM, "production", env_choices,
         "development fills in demo data and lets tests move the clock"),
    PICK(log_level, "log-level", CONFIG_CHOICE, "info", level_choices, "least important entries to log"),
    PICK(log_format, "log-format", CONFIG_CHOICE, "auto", format_choices, "auto: text on a terminal, else JSON"),
    FLAG(access_log, "access-log", "on", "log every request"),
    TEXT(cors_origins, "cors-origins", "*", 0, "LIST", "origins of web pages that may call the APIs; * for any"),
    TEXT(outbound_allow, "outbound-allow", "", 0, "LIST",
         "private networks (CIDR) that webhooks and fetches may reach, e.g. 127.0.0.1/32"),
    TEXT(trusted_proxies, "trusted-proxies", "", 0, "LIST",
         "proxies (addresses or CIDR) whose X-Forwarded-For and X-Forwarded-Proto are believed"),
    { "public-url", CONFIG_URL, "", 0, 0, "URL", "address that links begin with; empty: the request's Host",
      AT(public_url), NULL },
    { "jwt-secret", CONFIG_SECRET, "", 32, 0, "TEXT", "key of the access tokens; empty: a key file in the data folder",
      AT(jwt_secret), NULL },
    { "rate-limits", CONFIG_FACTOR, "on", 0, 0, "on|off|FACTOR",
      "request limits of the apps; 10 allows ten times as much", AT(rate_limits), NULL },
    NUM(body_bytes, "body-bytes", CONFIG_LONG, "1048576", 1024, 1 << 30, "bytes", "largest request body"),
    NUM(header_bytes, "header-bytes", CONFIG_LONG, "8192", 1024, 1 << 20, "bytes", "largest request header"),
    NUM(url_bytes, "url-bytes", CONFIG_LONG, "8192", 256, 1 << 20, "bytes", "longest request target"),
    NUM(idle_seconds, "idle-seconds", CONFIG_LONG, "75", 1, 86400, "seconds", "how long a connection may stay idle"),
    NUM(request_seconds, "request-seconds", CONFIG_LONG, "30", 1, 86400, "seconds", "how long a request may take"),
    NUM(connections, "connections", CONFIG_LONG, "10000", 1, 1000000, NULL, "most connections per worker"),
    NUM(socket_connections, "socket-connections", CONFIG_LONG, "10000", 1, 1000000, NULL,
        "most open WebSockets per worker"),
    NUM(socket_message_bytes, "socket-message-bytes", CONFIG_LONG, "65536", 128, 16 << 20, "bytes",
        "longest message of a WebSocket's client"),
    NUM(socket_queue_bytes, "socket-queue-bytes", CONFIG_LONG, "262144", 4096, 64 << 20, "bytes",
        "what may wait for a slow WebSocket before it is closed"),
    NUM(socket_ping_seconds, "socket-ping-seconds", CONFIG_LONG, "30", 1, 3600, "seconds",
        "how long a WebSocket may be silent before it is pinged; closed after twice that"),
    NUM(script_ms, "script-ms", CONFIG_LONG, "200", 1, 600000, "ms", "longest turn of a script before it is stopped"),
    NUM(script_share_us, "script-share-us", CONFIG_LONG, "5000", 0, 600000000, "us",
        "how long a script runs before others have their turn; 0: until it is done or stopped"),
    NUM(script_mb, "script-mb", CONFIG_LONG, "64", 1, 65536, "MiB", "memory for one app's scripts on one worker"),
    NUM(statement_ms, "statement-ms", CONFIG_LONG, "5000", 1, 600000, "ms",
        "longest statement before it is interrupted"),
    NUM(drain_seconds, "drain-seconds", CONFIG_LONG, "20", 0, 3600, "seconds",
        "how long running requests get at shutdown"),
    NUM(event_window, "event-window", CONFIG_LONG, "900", 1, 86400, "seconds",
        "how far back a client that reconnects gets the events it missed"),
    NUM(password_threads, "password-threads", CONFIG_LONG, "0", 0, 256, NULL,
        "threads that hash passwords; 0: one per core"),
    NUM(password_queue, "password-queue", CONFIG_LONG, "64", 1, 100000, NULL, "most passwords that wait for a thread"),
    FLAG(watch, "watch", NULL, "bring saved scripts live at once; on in development, off in production"),
    FLAG(release_check, "release-check", "on", "check an app's scripts, as `perigee check` does, before they go live"),
    FLAG(release_specs, "release-specs", "on", "run an app's specs before its scripts go live"),
    { "admin-token", CONFIG_SECRET, "", 32, 0, "TEXT",
      "lets its bearer reload and see the status over HTTP; empty: nobody", AT(admin_token), NULL },
    TEXT(webhook_schedule, "webhook-schedule", "0,5,300,1800,7200,18000,36000,50400,72000,86400", 1, "SECONDS",
         "delays before each attempt at a webhook's delivery, from the end of the one before"),
    NUM(webhook_timeout, "webhook-timeout", CONFIG_LONG, "15", 1, 300, "seconds", "how long a delivery may take"),
    NUM(webhook_disable_after, "webhook-disable-after", CONFIG_LONG, "432000", 60, 31536000, "seconds",
        "a webhook that has failed for so long without a success is disabled"),
    NUM(webhook_log_days, "webhook-log-days", CONFIG_LONG, "30", 1, 3650, "days",
        "how long the log of deliveries and sent mail is kept"),
    { "smtp-url", CONFIG_SECRET, "", 0, 0, "URL",
      "SMTP server, smtp://user:password@host:587 or smtps://…; without it mail waits, or in development is kept",
      AT(smtp_url), NULL },
    TEXT(mail_from, "mail-from", "", 0, "ADDRESS", "sender of mail, like \"Example <no-reply@example.com>\""),
    FLAG(demo, "demo", NULL, "fill new databases with demo data; on in development, not possible in production"),
};

const int config__count = sizeof(config__table) / sizeof(config__table[0]);

_Static_assert(sizeof(config__table) / sizeof(config__table[0]) <= RT_OPTIONS_MAX, "raise RT_OPTIONS_MAX");

const char *rt_option_name(int i) { return i >= 0 && i < config__count ? config__table[i].name : NULL; }

void config__env_name(const struct config_option *opt, char out[CONFIG_ENV_BYTES])
{
    size_t n = (size_t)snprintf(out, CONFIG_ENV_BYTES, "PERIGEE_%s", opt->name);
    for (size_t i = 0; i < n; i++)
        out[i] = out[i] == '-' ? '_' : (char)toupper((unsigned char)out[i]);
}

static void put_choices(struct rt_buf *b, const char *const *choices, const char *between)
{
    for (int i = 0; choices[i]; i++) {
        rt_buf_puts(b, i > 0 ? between : "");
        rt_buf_puts(b, choices[i]);
    }
}

/* What stands for the value in --help. */
static void put_placeholder(struct rt_buf *b, const struct config_option *opt)
{
    if (opt->choices)
        put_choices(b, opt->choices, "|");
    else if (opt->kind == CONFIG_BOOL)
        rt_buf_puts(b, "on|off");
    else if (config__is_text(opt))
        rt_buf_puts(b, opt->unit);
    else
        rt_buf_puts(b, "N");
}

static void put_help(struct rt_buf *b, const struct config_option *opt)
{
    bool number = opt->kind == CONFIG_INT || opt->kind == CONFIG_LONG;
    rt_buf_puts(b, opt->help);
    if (number && opt->unit)
        rt_buf_printf(b, " (%s, %lld to %lld)", opt->unit, (long long)opt->min, (long long)opt->max);
    else if (number)
        rt_buf_printf(b, " (%lld to %lld)", (long long)opt->min, (long long)opt->max);
    else if (opt->kind == CONFIG_SECRET && opt->min > 0)
        rt_buf_printf(b, " (at least %lld characters)", (long long)opt->min);
}

void rt_options_help(FILE *out)
{
    struct rt_buf b;
    rt_buf_init(&b, 0);
    for (int i = 0; i < config__count; i++) {
        const struct config_option *opt = &config__table[i];
        size_t from = b.len;
        rt_buf_printf(&b, "  --%s ", opt->name);
        put_placeholder(&b, opt);
        size_t used = b.len - from;
        if (used > 26)
            rt_buf_printf(&b, "\n%28s", "");
        else
            rt_buf_printf(&b, "%*s", (int)(28 - used), "");
        put_help(&b, opt);
        if (opt->def && *opt->def)
            rt_buf_printf(&b, " [%s]", opt->def);
        rt_buf_putc(&b, '\n');
    }
    rt_buf_puts(&b, "\nEach option can also be set in the environment (--log-level is PERIGEE_LOG_LEVEL) or in the\n"
                    "file of --config. The command line comes first, then the environment, then the file.\n"
                    "Sizes in bytes take K, M and G.\n");
    fputs(rt_buf_cstr(&b), out);
    rt_buf_fini(&b);
}

void rt_options_example(FILE *out)
{
    struct rt_buf b;
    rt_buf_init(&b, 0);
    rt_buf_puts(&b, "# Settings of perigee with their defaults. Use with --config FILE; remove the # of a line to "
                    "set it.\n");
    for (int i = 0; i < config__count; i++) {
        const struct config_option *opt = &config__table[i];
        char env[CONFIG_ENV_BYTES];
        if (opt->offset == AT(config))
            continue;
        config__env_name(opt, env);
        rt_buf_puts(&b, "\n# ");
        put_help(&b, opt);
        if (opt->choices) {
            rt_buf_puts(&b, ": ");
            put_choices(&b, opt->choices, ", ");
        }
        rt_buf_printf(&b, "\n#%s=%s\n", env, opt->def ? opt->def : "off");
    }
    fputs(rt_buf_cstr(&b), out);
    rt_buf_fini(&b);
}

/* The value as it would be written; secrets only say whether they are set. */
static void put_value(struct rt_buf *b, const struct rt_options *o, const struct config_option *opt, bool json)
{
    const void *at = config__at(o, opt);
    const char *text;
    switch (opt->kind) {
    case CONFIG_INT: rt_json_put_int(b, *(const int *)at); return;
    case CONFIG_LONG: rt_json_put_int(b, *(const int64_t *)at); return;
    case CONFIG_BOOL:
        if (json)
            rt_json_put_bool(b, *(const bool *)at);
        else
            rt_buf_puts(b, *(const bool *)at ? "on" : "off");
        return;
    case CONFIG_ENUM: text = opt->choices[*(const int *)at]; break;
    default: text = *(const char *const *)at; text = text ? text : "";
    }
    if (opt->kind == CONFIG_SECRET)
        text = *text ? "set" : "";
    if (json)
        rt_json_put_string(b, text, strlen(text));
    else
        rt_buf_puts(b, *text ? text : "-");
}

static void put_line(struct rt_buf *b, const struct rt_options *o, int i, bool json)
{
    static const char *const sources[] = { "default", "file", "environment", "command line" };
    const struct config_option *opt = &config__table[i];
    const char *source = sources[o->source[i] & 3];
    if (json) {
        rt_buf_printf(b, "%s\"%s\":{\"value\":", i > 0 ? "," : "", opt->name);
        put_value(b, o, opt, true);
        rt_buf_printf(b, ",\"source\":\"%s\"}", source);
        return;
    }
    rt_buf_printf(b, "%-18s", opt->name);
    size_t from = b->len;
    put_value(b, o, opt, false);
    size_t used = b->len - from;
    rt_buf_printf(b, "%*s  %s\n", used < 30 ? (int)(30 - used) : 0, "", source);
}

void rt_options_print(const struct rt_options *o, FILE *out, bool json)
{
    struct rt_buf b;
    rt_buf_init(&b, 0);
    if (json)
        rt_buf_putc(&b, '{');
    for (int i = 0; i < config__count; i++)
        put_line(&b, o, i, json);
    if (json)
        rt_buf_puts(&b, "}\n");
    fputs(rt_buf_cstr(&b), out);
    rt_buf_fini(&b);
}
