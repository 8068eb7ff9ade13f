/* SPDX-License-Identifier: Apache-2.0
 *
 * The router against a slow one that follows the rule's words: of the routes whose pattern fits the
 * path and whose method fits, the one with a literal at the leftmost difference. The input's lines up
 * to an empty one are routes ("G/a/{b}"; method letter, then path), the rest are requests. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/router.h"

enum { ROUTES = 64 };

static const char *const methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE" };

struct route {
    char path[128];
    const char *method;
    int app;
    bool slash_free;
};

static struct route routes[ROUTES];
static int route_count;

static void require(bool ok)
{
    if (!ok)
        abort();
}

static const char *segment_end(const char *p) { return p + strcspn(p, "/"); }

/* Whether the pattern fits; *ret_shape gets one letter per segment, 'a' for a literal, 'b' for a parameter. */
static bool fits(const struct route *r, const char *path, char *shape)
{
    const char *pattern = r->path;
    while (pattern[0] == '/' && pattern[1] != '\0' && path[0] == '/' && path[1] != '\0') {
        const char *pe = segment_end(++pattern), *e = segment_end(++path);
        size_t n = (size_t)(e - path);
        bool dots = (n == 1 && path[0] == '.') || (n == 2 && path[0] == '.' && path[1] == '.');
        bool param = *pattern == '{';
        if (param ? n == 0 || dots : n != (size_t)(pe - pattern) || memcmp(path, pattern, n) != 0)
            return false;
        *shape++ = param ? 'b' : 'a';
        pattern = pe;
        path = e;
    }
    *shape = '\0';
    if (strlen(pattern) > 1 || strlen(path) > 1)
        return false;
    return strcmp(pattern, path) == 0 || (r->slash_free && strcmp(r->path, "/") != 0);
}

static void check(const struct rt_router *router, char kind, const char *path)
{
    const char *method = methods[(unsigned char)kind % 5];
    char best[130] = "", shape[130];
    int expected = -1;
    unsigned others = 0;
    for (int i = 0; i < route_count; i++) {
        if (!fits(&routes[i], path, shape))
            continue;
        if (strcmp(routes[i].method, method) != 0)
            others |= rt_method_bit(rt_str_of(routes[i].method));
        else if (expected < 0 || strcmp(shape, best) < 0)
            strcpy(best, shape), expected = i;
    }
    struct rt_match m;
    rt_router_match(router, rt_str_of("h"), rt_str_of(method), rt_str_of(path), &m);
    require(m.kind == (expected >= 0 ? RT_MATCH_ROUTE : others ? RT_MATCH_NO_METHOD : RT_MATCH_NO_PATH));
    require(expected < 0 || (m.route == expected && m.app == routes[expected].app));
    require(expected >= 0 || m.methods == others);
    for (int i = 0; i < m.params; i++)
        require(m.param[i].p > path && m.param[i].p + m.param[i].n <= path + strlen(path) && m.param[i].n > 0);
}

static void declare(struct rt_router *router, const char *line)
{
    struct route r = { .method = methods[(unsigned char)line[0] % 5], .app = line[0] & 3, .slash_free = line[0] & 16 };
    if (strlen(line) < 2 || strlen(line) > sizeof(r.path) || route_count == ROUTES)
        return;
    strcpy(r.path, line + 1);
    rt_router_own(router, r.app, r.path, NULL);
    if (rt_router_add(router, r.app, r.method, r.path, r.slash_free, route_count, NULL) == 0)
        routes[route_count++] = r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rt_router *router = rt_router_new();
    char *text = malloc(size + 1);
    bool declaring = true;
    memcpy(text, data, size);
    text[size] = '\0';
    route_count = 0;
    for (char *line = text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        if (declaring && *line)
            declare(router, line);
        else if (*line && strlen(line) < 128)
            check(router, line[0], line + 1);
        declaring = declaring && *line;
    }
    free(text);
    rt_router_free(router);
    return 0;
}
