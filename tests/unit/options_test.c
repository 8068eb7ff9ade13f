/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings: precedence, every kind of value, messages, and that help, example and print agree with the table. */
#include "unit.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "config/options.h"

static struct rt_options o;
static struct rt_err err;
static char *args[16];
static int count;

/* Loads "perigee" and these words. */
static int load_for(const char *const *own, const char *words)
{
    static char copy[1024];
    snprintf(copy, sizeof(copy), "perigee %s", words);
    count = 0;
    for (char *rest = copy, *word; (word = strtok_r(rest, " ", &rest));)
        args[count++] = word;
    args[count] = NULL;
    rt_options_free(&o);
    return rt_options_load_for(&o, &count, args, own, &err);
}

static int load(const char *words) { return load_for(NULL, words); }

static int clear(void **state)
{
    (void)state;
    for (int i = 0; rt_option_name(i); i++) {
        char name[64];
        size_t n = (size_t)snprintf(name, sizeof(name), "PERIGEE_%s", rt_option_name(i));
        for (size_t k = 0; k < n; k++)
            name[k] = name[k] == '-' ? '_' : (char)toupper(name[k]);
        unsetenv(name);
    }
    rt_options_free(&o);
    return 0;
}

static char file[64];

static void write_file(const char *text)
{
    strcpy(file, "/tmp/options_test.XXXXXX");
    int fd = mkstemp(file);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

/* Loads with --config and a file of this text. */
static int load_file(const char *text, const char *words)
{
    char line[512];
    write_file(text);
    snprintf(line, sizeof(line), "--config %s %s", file, words);
    int rc = load(line);
    unlink(file);
    return rc;
}

static void assert_refused(const char *words, const char *message)
{
    assert_int_equal(load(words), RT_E_INVALID);
    assert_string_equal(err.msg, message);
    assert_null(o.host); /* nothing half-loaded */
}

static void has_the_documented_defaults(void **state)
{
    (void)state;
    assert_int_equal(load(""), 0);
    assert_string_equal(o.host, "127.0.0.1");
    assert_int_equal(o.port, 8000);
    assert_string_equal(o.data, "./var");
    assert_string_equal(o.scripts, "./scripts");
    assert_string_equal(o.db, "./db");
    assert_string_equal(o.apps, "");
    assert_int_equal(o.workers, 0);
    assert_int_equal(o.env, RT_ENV_PRODUCTION);
    assert_string_equal(o.log_level, "info");
    assert_string_equal(o.log_format, "auto");
    assert_true(o.access_log);
    assert_string_equal(o.cors_origins, "*");
    assert_string_equal(o.outbound_allow, "");
    assert_string_equal(o.public_url, "");
    assert_string_equal(o.jwt_secret, "");
    assert_string_equal(o.rate_limits, "on");
    assert_int_equal(o.body_bytes, 1 << 20);
    assert_int_equal(o.header_bytes, 8 << 10);
    assert_int_equal(o.url_bytes, 8 << 10);
    assert_int_equal(o.idle_seconds, 75);
    assert_int_equal(o.request_seconds, 30);
    assert_int_equal(o.connections, 10000);
    assert_int_equal(o.script_ms, 200);
    assert_int_equal(o.script_mb, 64);
    assert_int_equal(o.statement_ms, 5000);
    assert_int_equal(o.drain_seconds, 20);
    assert_int_equal(o.password_threads, 0);
    assert_int_equal(o.password_queue, 64);
    assert_false(o.demo);
    for (int i = 0; rt_option_name(i); i++)
        assert_int_equal(o.source[i], RT_FROM_DEFAULT);
}

static void takes_options_out_of_the_line(void **state)
{
    (void)state;
    assert_int_equal(load("serve --port 9000 extra --host=0.0.0.0 -e x --workers 2 -- --port 1 --odd"), 0);
    assert_int_equal(o.port, 9000);
    assert_string_equal(o.host, "0.0.0.0");
    assert_int_equal(o.workers, 2);
    static const char *const left[] = { "perigee", "serve", "extra", "-e", "x", "--port", "1", "--odd" };
    assert_int_equal(count, 8);
    for (int i = 0; i < 8; i++)
        assert_string_equal(args[i], left[i]);
    assert_null(args[8]);
}

static void the_last_one_on_the_line_wins(void **state)
{
    (void)state;
    assert_int_equal(load("--port 1 --port=2"), 0);
    assert_int_equal(o.port, 2);
}

static void follows_the_order_of_sources(void **state)
{
    (void)state;
    static const char text[] = "port=1\nworkers=1\nscript-ms=1\n";
    setenv("PERIGEE_PORT", "2", 1);
    setenv("PERIGEE_WORKERS", "2", 1);
    assert_int_equal(load_file(text, "--port 3"), 0);
    assert_int_equal(o.port, 3);
    assert_int_equal(o.workers, 2);
    assert_int_equal(o.script_ms, 1);
    assert_int_equal(o.script_mb, 64);
    for (int i = 0; rt_option_name(i); i++) {
        const char *name = rt_option_name(i);
        if (strcmp(name, "port") == 0 || strcmp(name, "config") == 0)
            assert_int_equal(o.source[i], RT_FROM_LINE);
        else if (strcmp(name, "workers") == 0)
            assert_int_equal(o.source[i], RT_FROM_ENV);
        else
            assert_int_equal(o.source[i], strcmp(name, "script-ms") == 0 ? RT_FROM_FILE : RT_FROM_DEFAULT);
    }
}

static void reads_booleans(void **state)
{
    (void)state;
    static const char *const yes[] = { "on", "true", "1", "ON", "True" }, *const no[] = { "off", "false", "0", "Off" };
    char line[64];
    for (int i = 0; i < 5; i++) {
        snprintf(line, sizeof(line), "--access-log=%s", yes[i]);
        assert_int_equal(load(line), 0);
        assert_true(o.access_log);
    }
    for (int i = 0; i < 4; i++) {
        snprintf(line, sizeof(line), "--access-log %s serve", no[i]);
        assert_int_equal(load(line), 0);
        assert_false(o.access_log);
        assert_int_equal(count, 2);
    }
    assert_int_equal(load("--env development --demo serve"), 0); /* a flag alone is on */
    assert_true(o.demo);
    assert_string_equal(args[1], "serve");
    assert_refused("--access-log=yes", "--access-log: \"yes\" is not on or off; the default is on");
    assert_refused("--access-log=", "--access-log: \"\" is not on or off; the default is on");
}

static void reads_numbers(void **state)
{
    (void)state;
    assert_int_equal(load("--body-bytes 2M --url-bytes=4KiB --header-bytes 32k --port 0"), 0);
    assert_int_equal(o.body_bytes, 2 << 20);
    assert_int_equal(o.url_bytes, 4096);
    assert_int_equal(o.header_bytes, 32768);
    assert_int_equal(o.port, 0);
    static const char *const bad[] = {
        "65536", "-1", "abc", "8000x", "8K", "0x10", "1.5", "99999999999999999999", "+1"
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char line[64], message[200];
        snprintf(line, sizeof(line), "--port %s", bad[i]);
        snprintf(message, sizeof(message), "--port: \"%s\" is not a whole number from 0 to 65535; the default is 8000",
                 bad[i]);
        assert_refused(line, message);
    }
    assert_int_equal(load("--body-bytes 99999999999G"), RT_E_INVALID);
    assert_int_equal(load("--body-bytes M"), RT_E_INVALID);
    assert_int_equal(load("--body-bytes 1"), RT_E_INVALID);
}

static void reads_choices(void **state)
{
    (void)state;
    assert_int_equal(load("--env development --log-level debug --log-format json"), 0);
    assert_int_equal(o.env, RT_ENV_DEVELOPMENT);
    assert_string_equal(o.log_level, "debug");
    assert_refused("--env dev", "--env: \"dev\" is not one of production, development; the default is production");
    assert_refused("--log-level loud",
                   "--log-level: \"loud\" is not one of debug, info, warn, error; the default is info");
}

static void reads_rate_limits_and_urls(void **state)
{
    (void)state;
    static const char *const good[] = { "on", "off", "10", "0.5" };
    static const char *const bad[] = { "0", "-1", "x", "10x", "nan", "1e9" };
    char line[64];
    for (int i = 0; i < 4; i++) {
        snprintf(line, sizeof(line), "--rate-limits %s", good[i]);
        assert_int_equal(load(line), 0);
        assert_string_equal(o.rate_limits, good[i]);
    }
    for (int i = 0; i < 6; i++) {
        snprintf(line, sizeof(line), "--rate-limits %s", bad[i]);
        assert_int_equal(load(line), RT_E_INVALID);
    }
    assert_int_equal(load("--public-url https://api.example.com"), 0);
    assert_int_equal(load("--public-url api.example.com"), RT_E_INVALID);
    assert_int_equal(load("--public-url https://"), RT_E_INVALID);
}

static void secrets_are_long_and_never_shown(void **state)
{
    (void)state;
    assert_int_equal(load("--jwt-secret 0123456789012345678901234567890"), RT_E_INVALID);
    assert_null(strstr(err.msg, "0123456789"));
    assert_non_null(strstr(err.msg, "32 characters"));
    assert_int_equal(load("--jwt-secret 01234567890123456789012345678901"), 0);
    assert_int_equal(strlen(o.jwt_secret), 32);
}

static void refuses_what_it_does_not_know(void **state)
{
    (void)state;
    assert_refused("--prot 80", "command line: unknown option \"prot\"; did you mean \"port\"?");
    assert_refused("--log-levl=info", "command line: unknown option \"log-levl\"; did you mean \"log-level\"?");
    assert_refused("--zzzzzzzz", "command line: unknown option \"zzzzzzzz\"; see --help");
    assert_refused("--worker 1", "command line: unknown option \"worker\"; did you mean \"workers\"?");
    assert_refused("--port", "--port needs a value; see --help");
    assert_refused("--port --host x", "--port needs a value; see --help");
    assert_refused("--host=", "--host: host must not be empty; the default is 127.0.0.1");
}

static void leaves_a_commands_own_flags(void **state)
{
    (void)state;
    static const char *const own[] = { "json", "to", NULL };
    assert_int_equal(load_for(own, "status --json --port 5 --to=x --help"), 0);
    assert_int_equal(count, 5);
    assert_string_equal(args[2], "--json");
    assert_string_equal(args[3], "--to=x");
    assert_string_equal(args[4], "--help");
    assert_int_equal(load("status --json"), RT_E_INVALID);
}

static void reads_the_environment(void **state)
{
    (void)state;
    setenv("PERIGEE_LOG_LEVEL", "warn", 1);
    setenv("PERIGEE_RATE_LIMITS", "off", 1);
    setenv("PERIGEE_PORT", "", 1); /* empty: not set */
    assert_int_equal(load(""), 0);
    assert_string_equal(o.log_level, "warn");
    assert_string_equal(o.rate_limits, "off");
    assert_int_equal(o.port, 8000);
    setenv("PERIGEE_PORT", "http", 1);
    assert_refused("", "PERIGEE_PORT: \"http\" is not a whole number from 0 to 65535; the default is 8000");
    assert_int_equal(load("--port 1"), 0); /* a stronger source: the bad value does not matter */
}

static void reads_files(void **state)
{
    (void)state;
    assert_int_equal(load_file("# comment\n\n  port = 81  \nPERIGEE_LOG_LEVEL=debug\nscript_ms=5\r\nhost=\"a b\"\n"
                               "cors-origins=\ndata=x=y",
                               ""),
                     0);
    assert_int_equal(o.port, 81);
    assert_string_equal(o.log_level, "debug");
    assert_int_equal(o.script_ms, 5);
    assert_string_equal(o.host, "a b");
    assert_string_equal(o.cors_origins, "");
    assert_string_equal(o.data, "x=y");
}

static void names_the_line_of_a_mistake(void **state)
{
    (void)state;
    char message[256];
    assert_int_equal(load_file("port=1\n\nport\n", ""), RT_E_INVALID);
    snprintf(message, sizeof(message), "%s:3: expected KEY=VALUE", file);
    assert_string_equal(err.msg, message);
    assert_int_equal(load_file("hots=x\n", ""), RT_E_INVALID);
    snprintf(message, sizeof(message), "%s:1: unknown option \"hots\"; did you mean \"host\"?", file);
    assert_string_equal(err.msg, message);
    assert_int_equal(load_file("\nport=x\n", ""), RT_E_INVALID);
    snprintf(message, sizeof(message), "%s:2: port: \"x\" is not a whole number from 0 to 65535; the default is 8000",
             file);
    assert_string_equal(err.msg, message);
    assert_int_equal(load_file("config=other\n", ""), RT_E_INVALID);
    assert_int_equal(load("--config /nonexistent/file"), RT_E_IO);
    char *big = malloc(6000);
    memset(big, 'x', 5999);
    big[5999] = '\0';
    assert_int_equal(load_file(big, ""), RT_E_LIMIT);
    free(big);
}

static void demo_belongs_to_development(void **state)
{
    (void)state;
    assert_int_equal(load("--env development"), 0);
    assert_true(o.demo);
    assert_int_equal(load("--env development --demo off"), 0);
    assert_false(o.demo);
    assert_int_equal(load("--demo off"), 0);
    assert_refused("--demo on", "demo data is for development only; set --demo off or --env development");
}

/* Everything that `print` writes to a FILE. */
static char *printed(int what, bool json)
{
    static char text[32768];
    FILE *f = tmpfile();
    if (what == 0)
        rt_options_help(f);
    else if (what == 1)
        rt_options_example(f);
    else
        rt_options_print(&o, f, json);
    rewind(f);
    text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
    fclose(f);
    return text;
}

static void help_names_every_option(void **state)
{
    (void)state;
    char *text = printed(0, false);
    for (int i = 0; rt_option_name(i); i++) {
        char name[64];
        snprintf(name, sizeof(name), "  --%s ", rt_option_name(i));
        assert_non_null(strstr(text, name));
    }
    assert_non_null(strstr(text, "[8000]"));
    assert_null(rt_option_name(-1));
}

static void the_example_has_the_defaults(void **state)
{
    (void)state;
    char *text = printed(1, false);
    int settings = 0;
    assert_int_equal(load_file(text, ""), 0); /* all comments */
    assert_int_equal(o.port, 8000);
    for (char *p = text; (p = strstr(p, "\n#PERIGEE_")); settings++)
        p[1] = ' ';
    assert_int_equal(load_file(text, ""), 0); /* every line set */
    for (int i = 0; rt_option_name(i); i++, settings--)
        assert_int_equal(o.source[i], i == 0 ? RT_FROM_LINE : RT_FROM_FILE);
    assert_int_equal(settings, -1); /* all but "config" */
    assert_int_equal(o.body_bytes, 1 << 20);
    assert_string_equal(o.cors_origins, "*");
}

static void prints_values_and_sources(void **state)
{
    (void)state;
    assert_int_equal(load("--port 81 --jwt-secret 01234567890123456789012345678901 --host a\"b"), 0);
    char *text = printed(2, true), first;
    struct rt_err why;
    assert_int_equal(rt_json_check(text, strlen(text), 2, &first, &why), 0);
    assert_non_null(strstr(text, "\"port\":{\"value\":81,\"source\":\"command line\"}"));
    assert_non_null(strstr(text, "\"jwt-secret\":{\"value\":\"set\","));
    assert_non_null(strstr(text, "\"access-log\":{\"value\":true,\"source\":\"default\"}"));
    assert_null(strstr(text, "0123456789"));
    text = printed(2, false);
    assert_null(strstr(text, "0123456789"));
    assert_non_null(strstr(text, "\nport              81                              command line\n"));
    assert_non_null(strstr(text, "\nenv               production                      default\n"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, clear, clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(has_the_documented_defaults),
        TEST(takes_options_out_of_the_line),
        TEST(the_last_one_on_the_line_wins),
        TEST(follows_the_order_of_sources),
        TEST(reads_booleans),
        TEST(reads_numbers),
        TEST(reads_choices),
        TEST(reads_rate_limits_and_urls),
        TEST(secrets_are_long_and_never_shown),
        TEST(refuses_what_it_does_not_know),
        TEST(leaves_a_commands_own_flags),
        TEST(reads_the_environment),
        TEST(reads_files),
        TEST(names_the_line_of_a_mistake),
        TEST(demo_belongs_to_development),
        TEST(help_names_every_option),
        TEST(the_example_has_the_defaults),
        TEST(prints_values_and_sources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
