/* SPDX-License-Identifier: Apache-2.0
 *
 * The tree that router_build.c makes and router.c walks. A node stands for the segments that lead to
 * it; whether a path may end in a slash is a property of the endpoint, not a node of its own. */
#ifndef RT_HTTP_ROUTER_INTERNAL_H
#define RT_HTTP_ROUTER_INTERNAL_H

#include <stdint.h>

#include "http/router.h"

enum { ROUTER_SEGMENTS = 32 }; /* of one path: bounds the recursion of a match */
enum { ROUTER_BARE = 1, ROUTER_SLASH = 2 };

struct router_endpoint {
    int app, route;
    unsigned method; /* one RT_METHOD_* bit */
    unsigned slash;  /* ROUTER_BARE | ROUTER_SLASH: the forms it answers to */
};

struct router_child;

struct router_node {
    struct router_child *children; /* literal segments, sorted by length, then bytes */
    struct router_node *param;
    struct router_endpoint *endpoints;
    unsigned child_count, endpoint_count;
    uint32_t apps;  /* with an endpoint here or below */
    uint32_t forms; /* of all endpoints: a quick no */
    int owner;      /* app that owns this prefix, -1 */
};

struct router_child {
    char *text;
    size_t n;
    struct router_node *node;
};

struct router_host {
    char *name;
    size_t n;
    int app;
};

struct rt_router {
    struct router_node root;
    struct router_host *hosts;
    unsigned host_count;
};

/* Position of the segment in the sorted children; *ret_found says whether it is there. */
unsigned router__find_child(const struct router_node *node, struct rt_str segment, bool *ret_found);

#endif
