/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests and their memory. Request structs are kept in a last-in-first-out list of spares, so a busy
 * worker uses the same few over and over and their cache lines stay warm; idle connections hold none.
 * What a request allocates is bumped from a block inside the struct, which suffices for nearly all. */
#include <stdlib.h>
#include <string.h>

#include "http/http_internal.h"

enum { SPARES = 64, CHUNK = 4096 };

struct http_chunk {
    struct http_chunk *next;
    _Alignas(16) char data[];
};

struct rt_http_req *http__req_new(struct rt_http *h)
{
    struct rt_http_req *req = h->spare;
    if (req) {
        h->spare = (struct rt_http_req *)req->link.next;
        h->spares--;
    } else {
        req = malloc(sizeof(*req));
        if (!req)
            return NULL;
    }
    memset(req, 0, offsetof(struct rt_http_req, space));
    http__list_init(&req->link);
    req->http = h;
    req->last_field = &req->fields;
    req->bump = req->space;
    req->room = sizeof(req->space);
    rt_buf_init(&req->body, h->limits.body_bytes);
    return req;
}

void http__req_free(struct rt_http_req *req)
{
    struct rt_http *h = req->http;
    while (req->chunks) {
        struct http_chunk *chunk = req->chunks;
        req->chunks = chunk->next;
        free(chunk);
    }
    rt_buf_fini(&req->body);
    http__list_remove(&req->link);
    if (h->spares == SPARES) {
        free(req);
        return;
    }
    req->link.next = (struct http_link *)h->spare;
    h->spare = req;
    h->spares++;
}

void http__spares_fini(struct rt_http *h)
{
    while (h->spare) {
        struct rt_http_req *req = h->spare;
        h->spare = (struct rt_http_req *)req->link.next;
        free(req);
    }
}

void *rt_http_alloc(struct rt_http_req *req, size_t n)
{
    if (n > SIZE_MAX - 16 - sizeof(struct http_chunk))
        return NULL;
    n = (n + 15) & ~(size_t)15;
    if (n > req->room - req->used) {
        size_t room = n > CHUNK ? n : CHUNK;
        struct http_chunk *chunk = malloc(sizeof(*chunk) + room);
        if (!chunk)
            return NULL;
        chunk->next = req->chunks;
        req->chunks = chunk;
        req->bump = chunk->data;
        req->room = room;
        req->used = 0;
    }
    void *p = req->bump + req->used;
    req->used += n;
    return p;
}
