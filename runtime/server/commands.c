/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of commands, what they share, and those that are a few lines. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <unistd.h>

#include "crypto/password.h"
#include "lua/fn.h"
#include "server/command.h"
#include "server/serve.h"

static const char *const no_flags[] = { NULL };
static const char *const new_flags[] = { "title", NULL };
static const char *const json_flag[] = { "json", NULL };
static const char *const check_flags[] = { "json", "standing", NULL };
static const char *const openapi_flags[] = { "json", "postman", NULL };
static const char *const fix_flags[] = { "json", "app", NULL };
static const char *const console_flags[] = { "write", "json", NULL };
static const char *const test_flags[] = { "spec", "filter", "jobs", "output", "list", NULL };

const struct rt_command rt_commands[] = {
    { "serve", "", "Serve the apps until SIGTERM", no_flags, rt_cmd_serve },
    { "new", "APP [--title TITLE] ", "Make an app to begin with: users, a resource, a rule, specs, tables", new_flags,
      rt_cmd_new },
    { "check", "[APP] [--json] ", "Report every problem that can be known before running, as file:line:column",
      check_flags, rt_cmd_check },
    { "apps", "[--json] ", "List the apps with their docs pages and demo logins", json_flag, rt_cmd_apps },
    { "routes", "[APP] [--json] ", "List the routes", json_flag, rt_cmd_routes },
    { "openapi", "[APP [PAGE] [--postman]] [--json] ",
      "Print the OpenAPI document (or Postman collection) of an app's docs page 1, 2, …; without APP list them",
      openapi_flags, rt_cmd_openapi },
    { "test", "[APP] [PATTERN] [--list] ", "Run the specs of an app, or of all, inside the host", test_flags,
      rt_cmd_test },
    { "status", "[--json] ", "What the running server serves, and the latest refused release", json_flag,
      rt_cmd_status },
    { "reload", "", "Bring changed scripts live on the running server", no_flags, rt_cmd_reload },
    { "releases", "[--json] ", "List the releases that were live, newest first", json_flag, rt_cmd_releases },
    { "diff", "A [B] ", "Compare the scripts of two releases, or of a release with the scripts folder", no_flags,
      rt_cmd_diff },
    { "rollback", "N ", "Bring release N live again on the running server", no_flags, rt_cmd_rollback },
    { "console", "[APP] [-e CODE] [--write] [--json] ", "Work on the running server with Lua", console_flags,
      rt_cmd_console },
    { "api", "", "Print the host functions of scripts as JSON", no_flags, rt_cmd_api },
    { "migrate", "", "Bring the databases to the newest schema", no_flags, rt_cmd_migrate },
    { "backup", "FILE ", "Copy all databases of a running or stopped server into one file, verified", no_flags,
      rt_cmd_backup },
    { "restore", "FILE ", "Put a backup in the place of a stopped server's databases", no_flags, rt_cmd_restore },
    { "analytics", "verify|rebuild [APP] ", "Compare aggregates with the raw rows, or compute them anew", fix_flags,
      rt_cmd_analytics },
    { "hash-passwords", "", "Read passwords from standard input, write their hashes, one per line", no_flags,
      rt_cmd_hash_passwords },
    { "config", "[--json] ", "Print the settings in force and where they come from", json_flag, rt_cmd_config },
    { "health", "", "Ask the server on --host and --port whether it is ready", no_flags, rt_cmd_health },
    { "version", "", "Print the version", no_flags, rt_cmd_version },
    { NULL, NULL, NULL, NULL, NULL },
};

const char *rt_command_details(const struct rt_command *c)
{
    if (c->run == rt_cmd_console)
        return "  -e CODE          run this and end; - reads it from standard input\n"
               "  --write          what write(…) does is kept without a question\n"
               "  --json           print values as JSON, one per line\n";
    if (c->run == rt_cmd_test)
        return "  PATTERN          run the tests whose full name matches this Lua pattern\n"
               "  --spec FILE      these specs (or a folder of them) instead of scripts/APP/spec\n"
               "  --jobs N         processes at a time; otherwise one per core\n"
               "  --output FORMAT  text (for people), tap (version 13) or junit (XML)\n"
               "  --list           print the names of the tests, run none\n";
    return "";
}

bool rt_take_flag(int *argc, char **argv, const char *name)
{
    for (int i = 1; i < *argc; i++)
        if (strcmp(argv[i], name) == 0) {
            memmove(argv + i, argv + i + 1, (size_t)(*argc - i) * sizeof *argv);
            (*argc)--;
            return true;
        }
    return false;
}

const char *rt_take_value(int *argc, char **argv, const char *name)
{
    for (int i = 1; i + 1 < *argc; i++)
        if (strcmp(argv[i], name) == 0) {
            const char *value = argv[i + 1];
            memmove(argv + i, argv + i + 2, (size_t)(*argc - i - 1) * sizeof *argv);
            *argc -= 2;
            return value;
        }
    return NULL;
}

int rt_command_failed(const struct rt_err *err)
{
    fprintf(stderr, "perigee: %s\n", err->msg);
    return 1;
}

int rt_cmd_serve(struct rt_options *o, int argc, char **argv)
{
    struct rt_err err;
    if (argc > 1) {
        fprintf(stderr, "perigee serve: what is '%s'? Settings are written --name value\n", argv[1]);
        return 2;
    }
    return rt_serve(o, &err) ? rt_command_failed(&err) : 0;
}

int rt_cmd_hash_passwords(struct rt_options *o, int argc, char **argv)
{
    char *line = NULL, hash[RT_PASSWORD_HASH_BYTES];
    size_t size = 0;
    ssize_t n;
    (void)o, (void)argc, (void)argv;
    while ((n = getline(&line, &size, stdin)) > 0) {
        if (line[n - 1] == '\n')
            n--;
        if (rt_password_hash(line, (size_t)n, hash)) {
            fprintf(stderr, "perigee: not enough memory to hash a password\n");
            free(line);
            return 1;
        }
        puts(hash);
    }
    free(line);
    return 0;
}

int rt_cmd_config(struct rt_options *o, int argc, char **argv)
{
    rt_options_print(o, stdout, rt_take_flag(&argc, argv, "--json"));
    return 0;
}

int rt_cmd_version(struct rt_options *o, int argc, char **argv)
{
    (void)o, (void)argc, (void)argv;
    printf("perigee %s (%s)\n", PERIGEE_VERSION, rt_lua_release());
    return 0;
}

int rt_cmd_health(struct rt_options *o, int argc, char **argv)
{
    (void)argc, (void)argv;
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)o->port) };
    if (inet_pton(AF_INET, strcmp(o->host, "0.0.0.0") == 0 ? "127.0.0.1" : o->host, &a.sin_addr) != 1)
        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval limit = { .tv_sec = 3 };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    static const char ask[] = "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    char answer[64] = "";
    bool good = fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0 && write(fd, ask, sizeof ask - 1) > 0 &&
                read(fd, answer, sizeof answer - 1) > 0 && strncmp(answer, "HTTP/1.1 200", 12) == 0;
    if (fd >= 0)
        close(fd);
    puts(good ? "ready" : "not ready");
    return good ? 0 : 1;
}
