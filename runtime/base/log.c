/* SPDX-License-Identifier: Apache-2.0
 *
 * Each entry is made in memory of its own and goes out in one write(2), so lines of different threads
 * do not mix and a crash loses nothing that was logged. Values are always escaped: what a client sent
 * can neither start a line of its own nor move the terminal's cursor. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"

#define LINE_MAX_BYTES (256u << 10)

static _Atomic int log_level = RT_LOG_INFO;
static _Atomic int log_format = RT_LOG_AUTO;
static _Atomic int log_terminal = -1; /* -1: not looked at yet */
static _Thread_local const char *log_request;

static const char *const level_names[] = { "debug", "info", "warn", "error" };

static bool on_terminal(void)
{
    int t = atomic_load_explicit(&log_terminal, memory_order_relaxed);
    if (t < 0) {
        t = isatty(STDERR_FILENO) ? 1 : 0;
        atomic_store(&log_terminal, t);
    }
    return t == 1;
}

void rt_log_setup(enum rt_log_level level, enum rt_log_format format)
{
    atomic_store(&log_level, (int)level);
    atomic_store(&log_format, (int)format);
    atomic_store(&log_terminal, -1);
}

bool rt_log_enabled(enum rt_log_level level)
{
    return (int)level >= atomic_load_explicit(&log_level, memory_order_relaxed);
}

bool rt_log_json(void)
{
    int format = atomic_load_explicit(&log_format, memory_order_relaxed);
    return format == RT_LOG_AUTO ? !on_terminal() : format == RT_LOG_JSON;
}

void rt_log_request(const char *id) { log_request = id; }

const char *rt_log_requested(void) { return log_request; }

void rt_log_raw(const char *line, size_t n)
{
    while (n > 0) {
        ssize_t k = write(STDERR_FILENO, line, n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return; /* nowhere to complain */
        line += k;
        n -= (size_t)k;
    }
}

/* Logs say when something happened in the world: a shifted clock does not show here. */
static void put_time(struct rt_buf *b)
{
    char iso[RT_ISO_LEN];
    int64_t ms = rt_now_ms() - rt_clock_shifted() * 1000;
    rt_iso_write(ms / 1000, iso);
    rt_buf_put(b, iso, RT_ISO_LEN - 1);
    rt_buf_printf(b, ".%03dZ", (int)(ms % 1000));
}

static void put_json_field(struct rt_buf *b, const char *name, const char *value)
{
    rt_buf_putc(b, ',');
    rt_json_put_string(b, name, strlen(name));
    rt_buf_putc(b, ':');
    if (value)
        rt_json_put_string(b, value, strlen(value));
    else
        rt_json_put_null(b);
}

static bool needs_quotes(const char *s)
{
    if (!*s)
        return true;
    for (; *s; s++)
        if ((unsigned char)*s <= ' ' || (unsigned char)*s >= 0x7F || strchr("\"\\=", *s))
            return true;
    return false;
}

static void put_text_field(struct rt_buf *b, const char *name, const char *value)
{
    rt_buf_putc(b, ' ');
    rt_buf_puts(b, name);
    rt_buf_putc(b, '=');
    if (!value)
        rt_buf_putc(b, '-');
    else if (needs_quotes(value))
        rt_json_put_string(b, value, strlen(value));
    else
        rt_buf_puts(b, value);
}

/* The message of a text line: control characters become blanks; a traceback keeps its lines, indented. */
static void put_text_message(struct rt_buf *b, const char *message)
{
    for (; *message; message++) {
        unsigned char c = (unsigned char)*message;
        if (c == '\n')
            rt_buf_puts(b, "\n    ");
        else
            rt_buf_putc(b, c < 0x20 || c == 0x7F ? ' ' : (char)c);
    }
}

static void begin_line(struct rt_buf *b, enum rt_log_level level, const char *message, bool json)
{
    static const char *const colours[] = { "\033[2m", "\033[32m", "\033[33m", "\033[31m" };
    if (json) {
        rt_buf_puts(b, "{\"time\":\"");
        put_time(b);
        rt_buf_printf(b, "\",\"level\":\"%s\",\"message\":", level_names[level]);
        rt_json_put_string(b, message, strlen(message));
        if (log_request)
            put_json_field(b, "request_id", log_request);
        return;
    }
    bool colour = on_terminal();
    put_time(b);
    rt_buf_printf(b, " %s%-5s%s ", colour ? colours[level] : "", level_names[level], colour ? "\033[0m" : "");
    put_text_message(b, message);
    if (log_request)
        put_text_field(b, "request_id", log_request);
}

static void (*log_tap)(const char *line, size_t n);

void rt_log_tap(void (*tap)(const char *line, size_t n)) { log_tap = tap; }

static void end_line(struct rt_buf *b, bool json)
{
    rt_buf_puts(b, json ? "}\n" : "\n");
    if (b->failed) {
        static const char lost[] =
            "{\"level\":\"error\",\"message\":\"a log entry was too long or found no memory\"}\n";
        rt_log_raw(lost, sizeof(lost) - 1);
    } else {
        rt_log_raw(b->data, b->len);
        if (log_tap)
            log_tap(b->data, b->len);
    }
    rt_buf_fini(b);
}

void rt_log(enum rt_log_level level, const char *message, ...)
{
    if (!rt_log_enabled(level))
        return;
    bool json = rt_log_json();
    struct rt_buf b;
    rt_buf_init(&b, LINE_MAX_BYTES);
    begin_line(&b, level, message ? message : "", json);
    va_list ap;
    va_start(ap, message);
    for (const char *name; (name = va_arg(ap, const char *));) {
        const char *value = va_arg(ap, const char *);
        if (json)
            put_json_field(&b, name, value);
        else
            put_text_field(&b, name, value);
    }
    va_end(ap);
    end_line(&b, json);
}

void rt_logf(enum rt_log_level level, const char *fmt, ...)
{
    if (!rt_log_enabled(level))
        return;
    char message[2048];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    rt_log(level, message, NULL);
}
