/* SPDX-License-Identifier: Apache-2.0
 *
 * Matching: depth first, literal child before parameter child, so the first route of the right method
 * is the one that the precedence rule wants, and the search goes on through every branch before the
 * answer is "wrong method". A node is visited at most once per match because its depth is the number
 * of segments consumed, so backtracking costs at most the size of the tree, and in practice the path's
 * length. Subtrees without a route of the visible apps are skipped by a bit mask. */
#include <string.h>

#include "http/router_internal.h"

struct search {
    struct rt_match *out;
    uint32_t apps; /* visible ones */
    unsigned method;
    unsigned methods; /* allowed on matching paths of other methods */
    int other_app;    /* of the first of those, -1 */
    struct rt_str param[RT_ROUTE_PARAMS];
    int params;
};

unsigned rt_method_bit(struct rt_str method)
{
    switch (method.n) {
    case 3:
        return memcmp(method.p, "GET", 3) == 0 ? RT_METHOD_GET : memcmp(method.p, "PUT", 3) == 0 ? RT_METHOD_PUT : 0;
    case 4:
        return memcmp(method.p, "POST", 4) == 0 ? RT_METHOD_POST : memcmp(method.p, "HEAD", 4) == 0 ? RT_METHOD_GET : 0;
    case 5: return memcmp(method.p, "PATCH", 5) == 0 ? RT_METHOD_PATCH : 0;
    case 6: return memcmp(method.p, "DELETE", 6) == 0 ? RT_METHOD_DELETE : 0;
    default: return 0;
    }
}

void rt_method_list(unsigned methods, char *out)
{
    static const struct {
        unsigned bit;
        const char *text;
    } names[] = {
        { RT_METHOD_GET, "GET, HEAD, " }, { RT_METHOD_POST, "POST, " },     { RT_METHOD_PUT, "PUT, " },
        { RT_METHOD_PATCH, "PATCH, " },   { RT_METHOD_DELETE, "DELETE, " },
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t n = methods & names[i].bit ? strlen(names[i].text) : 0;
        memcpy(out, names[i].text, n);
        out += n;
    }
    memcpy(out, "OPTIONS", sizeof("OPTIONS"));
}

unsigned router__find_child(const struct router_node *node, struct rt_str segment, bool *ret_found)
{
    unsigned low = 0, high = node->child_count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        const struct router_child *c = &node->children[middle];
        int order = c->n != segment.n ? (c->n < segment.n ? -1 : 1) : memcmp(c->text, segment.p, segment.n);
        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_found = false;
    return low;
}

static const struct router_node *literal_child(const struct router_node *node, struct rt_str segment)
{
    bool found;
    unsigned at = router__find_child(node, segment, &found);
    return found ? node->children[at].node : NULL;
}

/* Cuts "/segment" off the path. */
static struct rt_str take_segment(struct rt_str *rest)
{
    const char *start = rest->p + 1, *end = rest->p + rest->n;
    const char *slash = memchr(start, '/', (size_t)(end - start));
    struct rt_str segment = { start, (size_t)((slash ? slash : end) - start) };
    rest->p = segment.p + segment.n;
    rest->n = (size_t)(end - rest->p);
    return segment;
}

/* A parameter is never empty and never a relative segment. */
static bool can_be_param(struct rt_str segment)
{
    return segment.n > 0 && !(segment.p[0] == '.' && (segment.n == 1 || (segment.n == 2 && segment.p[1] == '.')));
}

static bool match_endpoint(struct search *s, const struct router_node *node, unsigned form)
{
    if (!(node->forms & form))
        return false;
    for (unsigned i = 0; i < node->endpoint_count; i++) {
        const struct router_endpoint *e = &node->endpoints[i];
        if (!(e->slash & form) || !(s->apps >> e->app & 1))
            continue;
        if (e->method == s->method) {
            s->out->kind = RT_MATCH_ROUTE;
            s->out->route = e->route;
            s->out->app = e->app;
            s->out->params = s->params;
            memcpy(s->out->param, s->param, (size_t)s->params * sizeof(s->param[0]));
            return true;
        }
        s->methods |= e->method;
        if (s->other_app < 0)
            s->other_app = e->app;
    }
    return false;
}

static bool match_below(struct search *s, const struct router_node *node, struct rt_str rest)
{
    if (!(node->apps & s->apps))
        return false;
    if (rest.n == 0)
        return match_endpoint(s, node, ROUTER_BARE);
    if (rest.n == 1)
        return match_endpoint(s, node, ROUTER_SLASH);
    struct rt_str segment = take_segment(&rest);
    const struct router_node *literal = literal_child(node, segment);
    if (literal && match_below(s, literal, rest))
        return true;
    if (!node->param || s->params == RT_ROUTE_PARAMS || !can_be_param(segment))
        return false;
    s->param[s->params++] = segment;
    bool found = match_below(s, node->param, rest);
    s->params--;
    return found;
}

/* The deepest owned node on any branch; of two equally deep ones the literal, which comes first. */
static void find_owner(const struct router_node *node, struct rt_str rest, int depth, int *best_depth, int *owner)
{
    if (node->owner >= 0 && depth > *best_depth) {
        *best_depth = depth;
        *owner = node->owner;
    }
    if (rest.n <= 1)
        return;
    struct rt_str segment = take_segment(&rest);
    const struct router_node *literal = literal_child(node, segment);
    if (literal)
        find_owner(literal, rest, depth + 1, best_depth, owner);
    if (node->param && can_be_param(segment))
        find_owner(node->param, rest, depth + 1, best_depth, owner);
}

/* "Example.COM.:8000" is the host "example.com". */
static int app_of_host(const struct rt_router *r, struct rt_str host)
{
    const char *colon = host.n ? memrchr(host.p, ':', host.n) : NULL;
    if (colon && host.p[0] != '[')
        host.n = (size_t)(colon - host.p);
    if (host.n > 0 && host.p[host.n - 1] == '.')
        host.n--;
    for (unsigned i = 0; i < r->host_count; i++)
        if (r->hosts[i].n == host.n && rt_str_ieq((struct rt_str){ r->hosts[i].name, r->hosts[i].n }, host))
            return r->hosts[i].app;
    return -1;
}

void rt_router_match(const struct rt_router *r, struct rt_str host, struct rt_str method, struct rt_str path,
                     struct rt_match *ret)
{
    int host_app = r->host_count ? app_of_host(r, host) : -1;
    struct search s = {
        .out = ret,
        .apps = host_app >= 0 ? (uint32_t)1 << host_app : UINT32_MAX,
        .method = rt_method_bit(method),
        .other_app = -1,
    };
    ret->kind = RT_MATCH_NO_PATH;
    ret->route = -1;
    ret->params = 0;
    ret->methods = 0;
    bool absolute = path.n > 0 && path.p[0] == '/';
    if (absolute && match_below(&s, &r->root, path))
        return;
    int depth = -1, owner = -1;
    if (absolute)
        find_owner(&r->root, path, 0, &depth, &owner);
    if (s.methods) {
        ret->kind = RT_MATCH_NO_METHOD;
        ret->methods = s.methods;
        owner = owner >= 0 ? owner : s.other_app;
    }
    ret->app = host_app >= 0 ? host_app : owner;
}
