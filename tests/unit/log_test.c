/* SPDX-License-Identifier: Apache-2.0
 *
 * The log: what arrives on standard error, as JSON and as text; many threads at once. */
#include "unit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"

static FILE *stream;
static int file, saved;
static char *text;

static int begin(void **state)
{
    (void)state;
    stream = tmpfile();
    if (!stream)
        return -1;
    file = fileno(stream);
    saved = dup(STDERR_FILENO);
    return saved < 0 || dup2(file, STDERR_FILENO) < 0;
}

static int end(void **state)
{
    (void)state;
    dup2(saved, STDERR_FILENO);
    close(saved);
    fclose(stream);
    free(text);
    text = NULL;
    rt_log_request(NULL);
    return 0;
}

/* All that was logged since begin(). */
static const char *logged(void)
{
    off_t n = lseek(file, 0, SEEK_END);
    free(text);
    text = calloc(1, (size_t)n + 1);
    if (pread(file, text, (size_t)n, 0) != n)
        fail_msg("the log could not be read back");
    return text;
}

/* Every line is a JSON object; returns how many there are. */
static int json_lines(const char *p)
{
    int lines = 0;
    for (const char *nl; (nl = strchr(p, '\n')); p = nl + 1, lines++) {
        struct rt_err err;
        char first;
        if (rt_json_check(p, (size_t)(nl - p), 1, &first, &err) != 0 || first != '{')
            fail_msg("%s in %s", err.msg, p);
    }
    assert_string_equal(p, "");
    return lines;
}

static void writes_json(void **state)
{
    (void)state;
    rt_log_setup(RT_LOG_INFO, RT_LOG_AUTO); /* not a terminal: JSON */
    assert_true(rt_log_json());
    rt_log_request("r-1");
    rt_log(RT_LOG_WARN, "slow \"statement\"", "app", "a\nb", "none", NULL, "ms", "12", NULL);
    const char *line = logged();
    assert_int_equal(json_lines(line), 1);
    assert_memory_equal(line, "{\"time\":\"2", 10);
    assert_non_null(strstr(line, "Z\",\"level\":\"warn\",\"message\":\"slow \\\"statement\\\"\",\"request_id\":\"r-1\","
                                 "\"app\":\"a\\nb\",\"none\":null,\"ms\":\"12\"}\n"));
}

static void leaves_out_what_is_less_important(void **state)
{
    (void)state;
    rt_log_setup(RT_LOG_WARN, RT_LOG_JSON);
    assert_false(rt_log_enabled(RT_LOG_INFO));
    assert_true(rt_log_enabled(RT_LOG_ERROR));
    rt_log(RT_LOG_INFO, "no", NULL);
    rt_logf(RT_LOG_DEBUG, "no %d", 1);
    assert_string_equal(logged(), "");
    rt_logf(RT_LOG_ERROR, "yes %d", 1);
    assert_non_null(strstr(logged(), "\"message\":\"yes 1\"}\n"));
    assert_null(strstr(logged(), "request_id"));
}

static void writes_text_that_cannot_forge_lines(void **state)
{
    (void)state;
    rt_log_setup(RT_LOG_DEBUG, RT_LOG_TEXT);
    assert_false(rt_log_json());
    rt_log(RT_LOG_INFO, "hello\x1b[31m\nworld", "path", "/a\n2025 error", "plain", "x-1", "none", NULL, "empty", "",
           NULL);
    const char *line = logged();
    assert_non_null(
        strstr(line, "Z info  hello [31m\n    world path=\"/a\\n2025 error\" plain=x-1 none=- empty=\"\"\n"));
    assert_null(strchr(line, '\x1b')); /* no colours outside a terminal */
}

static void says_when_an_entry_is_too_long(void **state)
{
    (void)state;
    rt_log_setup(RT_LOG_INFO, RT_LOG_JSON);
    size_t n = 1 << 20;
    char *big = malloc(n + 1);
    memset(big, 'x', n);
    big[n] = '\0';
    rt_log(RT_LOG_INFO, "big", "value", big, NULL);
    free(big);
    assert_int_equal(json_lines(logged()), 1);
    assert_non_null(strstr(logged(), "too long"));
}

static void writes_raw_lines(void **state)
{
    (void)state;
    rt_log_raw("GET / 200\n", 10);
    assert_string_equal(logged(), "GET / 200\n");
}

static void *talk(void *arg)
{
    char id[16];
    snprintf(id, sizeof(id), "t%d", *(int *)arg);
    rt_log_request(id);
    for (int i = 0; i < 500; i++)
        rt_log(RT_LOG_INFO, "message", "id", id, NULL);
    rt_log_request(NULL);
    return NULL;
}

static void threads_do_not_mix(void **state)
{
    (void)state;
    rt_log_setup(RT_LOG_INFO, RT_LOG_JSON);
    pthread_t threads[4];
    int names[4] = { 0, 1, 2, 3 };
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, talk, &names[i]), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    const char *p = logged();
    assert_int_equal(json_lines(p), 2000);
    for (int i = 0; i < 2000; i++) {
        const char *request = strstr(p, "\"request_id\":\"") + 14, *id = strstr(p, "\"id\":\"") + 6;
        assert_memory_equal(request, id, 3); /* each thread has a request id of its own */
        p = strchr(p, '\n') + 1;
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(writes_json),
        TEST(leaves_out_what_is_less_important),
        TEST(writes_text_that_cannot_forge_lines),
        TEST(says_when_an_entry_is_too_long),
        TEST(writes_raw_lines),
        TEST(threads_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
