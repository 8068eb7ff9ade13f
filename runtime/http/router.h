/* SPDX-License-Identifier: Apache-2.0
 *
 * Finds the route of a request in one tree over the routes of all apps. Built once per release, then
 * read-only: any thread. Literal segments win over parameters from left to right; a route of the
 * right method anywhere wins over "wrong method" (decision X-3). No app's name is known here. */
#ifndef RT_HTTP_ROUTER_H
#define RT_HTTP_ROUTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum { RT_ROUTE_PARAMS = 8 }; /* parameters of one path */

struct rt_router;

/* `path` is "/api/v1/tasks/{id}/": `{name}` is a whole segment. `app` 0–31. `slash_free`: the form with
 * and the form without the trailing slash are the same resource. RT_E_EXISTS for a duplicate of the same
 * app, method and shape (of two apps the first added wins); RT_E_INVALID for a malformed path (the
 * message says what). */
int rt_router_add(struct rt_router *r, int app, const char *method, const char *path, bool slash_free, int route,
                  struct rt_err *err);
/* `prefix` (whole segments, `{x}` allowed) belongs to `app` when nothing matches (decision X-5). */
int rt_router_own(struct rt_router *r, int app, const char *prefix, struct rt_err *err);
/* A host (no port, any case) that shows only this app's routes. */
int rt_router_host(struct rt_router *r, int app, const char *host, struct rt_err *err);

struct rt_router *rt_router_new(void);
void rt_router_free(struct rt_router *r);

enum rt_match_kind { RT_MATCH_ROUTE, RT_MATCH_NO_PATH, RT_MATCH_NO_METHOD };
struct rt_match {
    enum rt_match_kind kind;
    int route; /* the number given to rt_router_add */
    int app;   /* of the route, else of the host, of the longest owned prefix, of a
                                             * route with another method; else -1 */
    int params;
    struct rt_str param[RT_ROUTE_PARAMS]; /* raw slices of the request's path, still percent-encoded */
    unsigned methods;                     /* RT_MATCH_NO_METHOD: what is allowed, bits of RT_METHOD_* */
};

enum { RT_METHOD_GET = 1, RT_METHOD_POST = 2, RT_METHOD_PUT = 4, RT_METHOD_PATCH = 8, RT_METHOD_DELETE = 16 };
/* 0 for a method that no route can have. HEAD is GET. */
unsigned rt_method_bit(struct rt_str method);
/* "GET, HEAD, POST, OPTIONS" for an Allow header; at least 64 bytes. */
void rt_method_list(unsigned methods, char *out);

void rt_router_match(const struct rt_router *r, struct rt_str host, struct rt_str method, struct rt_str path,
                     struct rt_match *ret);

#endif
