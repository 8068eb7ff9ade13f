/* SPDX-License-Identifier: Apache-2.0
 *
 * Building the tree. It happens once per release, so it is written for clear errors, not for speed;
 * children are kept sorted as they come in, and nothing needs to be finished before the first match.
 * A failed addition leaves nodes without endpoints behind, which never match. */
#include <stdlib.h>
#include <string.h>

#include "http/router_internal.h"

struct rt_router *rt_router_new(void)
{
    struct rt_router *r = calloc(1, sizeof(*r));
    if (r)
        r->root.owner = -1;
    return r;
}

static void node_fini(struct router_node *node)
{
    for (unsigned i = 0; i < node->child_count; i++) {
        node_fini(node->children[i].node);
        free(node->children[i].node);
        free(node->children[i].text);
    }
    if (node->param) {
        node_fini(node->param);
        free(node->param);
    }
    free(node->children);
    free(node->endpoints);
}

void rt_router_free(struct rt_router *r)
{
    if (!r)
        return;
    node_fini(&r->root);
    for (unsigned i = 0; i < r->host_count; i++)
        free(r->hosts[i].name);
    free(r->hosts);
    free(r);
}

static struct router_node *node_new(void)
{
    struct router_node *node = calloc(1, sizeof(*node));
    if (node)
        node->owner = -1;
    return node;
}

/* The literal child, made when it is not there; NULL without memory. */
static struct router_node *demand_child(struct router_node *node, struct rt_str segment)
{
    bool found;
    unsigned at = router__find_child(node, segment, &found);
    if (found)
        return node->children[at].node;
    struct router_child *children = realloc(node->children, (node->child_count + 1) * sizeof(*children));
    if (!children)
        return NULL;
    node->children = children;
    struct router_child made = { strndup(segment.p, segment.n), segment.n, node_new() };
    if (!made.text || !made.node) {
        free(made.text);
        free(made.node);
        return NULL;
    }
    memmove(children + at + 1, children + at, (node->child_count - at) * sizeof(*children));
    children[at] = made;
    node->child_count++;
    return made.node;
}

static struct router_node *demand_param(struct router_node *node)
{
    if (!node->param)
        node->param = node_new();
    return node->param;
}

static bool is_name(struct rt_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (i > 0 && c >= '0' && c <= '9')))
            return false;
    }
    return s.n > 0;
}

static bool is_param(struct rt_str segment) { return segment.n > 0 && segment.p[0] == '{'; }

/* What is wrong with one segment of a declared path; NULL when nothing is. */
static const char *segment_fault(struct rt_str s)
{
    if (s.n == 0)
        return "has an empty segment";
    if (is_param(s))
        return s.n > 2 && s.p[s.n - 1] == '}' && is_name((struct rt_str){ s.p + 1, s.n - 2 })
                   ? NULL
                   : "has a malformed parameter: write {name} as a whole segment";
    if (s.p[0] == '.' && (s.n == 1 || (s.n == 2 && s.p[1] == '.')))
        return "has a relative segment";
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '{' || c == '}')
            return "has a malformed parameter: write {name} as a whole segment";
        if (c <= ' ' || c >= 0x7F || c == '?' || c == '#')
            return "has a character that a path cannot have";
    }
    return NULL;
}

struct pattern {
    struct rt_str segment[ROUTER_SEGMENTS];
    int count;
    bool slash; /* ends in one */
};

/* Splits into segments; the message names the first fault. */
static int parse_pattern(const char *path, struct pattern *out, struct rt_err *err)
{
    struct rt_str rest = rt_str_of(path);
    int params = 0;
    *out = (struct pattern){ 0 };
    if (rest.n == 0 || rest.p[0] != '/')
        return rt_err_set(err, RT_E_INVALID, "path '%s' does not begin with '/'", path);
    while (rest.n > 1) {
        const char *start = rest.p + 1, *slash = memchr(start, '/', rest.n - 1);
        struct rt_str s = { start, slash ? (size_t)(slash - start) : rest.n - 1 };
        const char *fault = segment_fault(s);
        if (fault)
            return rt_err_set(err, RT_E_INVALID, "path '%s' %s", path, fault);
        params += is_param(s);
        if (out->count == ROUTER_SEGMENTS || params > RT_ROUTE_PARAMS)
            return rt_err_set(err, RT_E_INVALID, "path '%s' has more than %d segments or %d parameters", path,
                              ROUTER_SEGMENTS, RT_ROUTE_PARAMS);
        for (int i = 0; is_param(s) && i < out->count; i++)
            if (rt_str_eq(out->segment[i], s))
                return rt_err_set(err, RT_E_INVALID, "path '%s' names a parameter twice", path);
        out->segment[out->count++] = s;
        rest.p += 1 + s.n;
        rest.n -= 1 + s.n;
    }
    out->slash = rest.n == 1;
    return 0;
}

static struct router_node *demand_node(struct rt_router *r, const struct pattern *p)
{
    struct router_node *node = &r->root;
    for (int i = 0; node && i < p->count; i++)
        node = is_param(p->segment[i]) ? demand_param(node) : demand_child(node, p->segment[i]);
    return node;
}

/* Only after the endpoint is in, so that a failed addition stays invisible. */
static void mark_apps(struct rt_router *r, const struct pattern *p, int app)
{
    struct router_node *node = &r->root;
    node->apps |= (uint32_t)1 << app;
    for (int i = 0; i < p->count; i++) {
        bool found;
        node = is_param(p->segment[i]) ? node->param
                                       : node->children[router__find_child(node, p->segment[i], &found)].node;
        node->apps |= (uint32_t)1 << app;
    }
}

static int check_app(int app, struct rt_err *err)
{
    return app >= 0 && app < 32 ? 0 : rt_err_set(err, RT_E_INVALID, "app number %d is not 0 to 31", app);
}

static int add_endpoint(struct router_node *node, const struct router_endpoint *made)
{
    for (unsigned i = 0; i < node->endpoint_count; i++) {
        const struct router_endpoint *e = &node->endpoints[i];
        if (e->app == made->app && e->method == made->method && (e->slash & made->slash))
            return RT_E_EXISTS;
    }
    struct router_endpoint *endpoints = realloc(node->endpoints, (node->endpoint_count + 1) * sizeof(*endpoints));
    if (!endpoints)
        return RT_E_NOMEM;
    node->endpoints = endpoints;
    endpoints[node->endpoint_count++] = *made;
    node->forms |= made->slash;
    return 0;
}

int rt_router_add(struct rt_router *r, int app, const char *method, const char *path, bool slash_free, int route,
                  struct rt_err *err)
{
    struct pattern p;
    unsigned bit = strcmp(method, "HEAD") == 0 ? 0 : rt_method_bit(rt_str_of(method));
    int rc = check_app(app, err);
    if (rc == 0 && !bit)
        rc = rt_err_set(err, RT_E_INVALID, "'%s' is not a method that a route can have", method);
    if (rc == 0)
        rc = parse_pattern(path, &p, err);
    if (rc != 0)
        return rc;
    struct router_endpoint made = { .app = app, .route = route, .method = bit };
    bool both = slash_free && p.count > 0; /* the root has but one form */
    made.slash = both ? ROUTER_BARE | ROUTER_SLASH : p.slash ? ROUTER_SLASH : ROUTER_BARE;
    struct router_node *node = demand_node(r, &p);
    rc = node ? add_endpoint(node, &made) : RT_E_NOMEM;
    if (rc == RT_E_EXISTS)
        return rt_err_set(err, rc, "%s %s is declared twice", method, path);
    if (rc != 0)
        return rt_err_set(err, rc, "no memory for the route %s %s", method, path);
    mark_apps(r, &p, app);
    return 0;
}

int rt_router_own(struct rt_router *r, int app, const char *prefix, struct rt_err *err)
{
    struct pattern p;
    int rc = check_app(app, err);
    if (rc == 0)
        rc = parse_pattern(prefix, &p, err);
    if (rc != 0)
        return rc;
    struct router_node *node = demand_node(r, &p);
    if (!node)
        return rt_err_set(err, RT_E_NOMEM, "no memory for the prefix %s", prefix);
    if (node->owner >= 0 && node->owner != app)
        return rt_err_set(err, RT_E_EXISTS, "the prefix %s belongs to two apps", prefix);
    node->owner = app;
    return 0;
}

int rt_router_host(struct rt_router *r, int app, const char *host, struct rt_err *err)
{
    struct rt_str name = rt_str_of(host);
    int rc = check_app(app, err);
    if (rc != 0)
        return rc;
    if (name.n == 0 || strpbrk(host, " /:,\t"))
        return rt_err_set(err, RT_E_INVALID, "'%s' is not a host name (without port)", host);
    for (unsigned i = 0; i < r->host_count; i++) {
        if (!rt_str_ieq(rt_str_of(r->hosts[i].name), name))
            continue;
        return r->hosts[i].app == app ? 0 : rt_err_set(err, RT_E_EXISTS, "the host %s belongs to two apps", host);
    }
    struct router_host *hosts = realloc(r->hosts, (r->host_count + 1) * sizeof(*hosts));
    if (hosts)
        r->hosts = hosts;
    char *copy = hosts ? strdup(host) : NULL;
    if (!copy)
        return rt_err_set(err, RT_E_NOMEM, "no memory for the host %s", host);
    hosts[r->host_count++] = (struct router_host){ copy, name.n, app };
    return 0;
}
