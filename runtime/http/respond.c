/* SPDX-License-Identifier: Apache-2.0
 *
 * What a handler sees of a request and how it answers. Slices point into the library's buffer, which
 * stays as it is until the request ends. Headers of the answer wait in the request because the
 * library's response object cannot exist before its body does. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "http/http_internal.h"

struct rt_str rt_http_method(const struct rt_http_req *req) { return req->method; }

struct rt_str rt_http_path(const struct rt_http_req *req) { return req->path; }

struct rt_str rt_http_query(const struct rt_http_req *req) { return req->query; }

struct rt_str rt_http_body(const struct rt_http_req *req)
{
    return req->body.len ? (struct rt_str){ req->body.data, req->body.len } : RT_STR("");
}

struct rt_str rt_http_header(const struct rt_http_req *req, const char *name)
{
    const char *value = NULL;
    size_t n = 0;
    if (req->authority.n > 0 && strcasecmp(name, "Host") == 0)
        return req->authority; /* RFC 9112 section 3.2.2: it replaces the header */
    if (!MHD_lookup_connection_value_n(req->mhd, MHD_HEADER_KIND, name, strlen(name), &value, &n) || !value)
        return (struct rt_str){ NULL, 0 };
    while (n > 0 && (value[n - 1] == ' ' || value[n - 1] == '\t'))
        n--;
    return (struct rt_str){ value, n };
}

const char *rt_http_address(const struct rt_http_req *req) { return req->conn->address; }

uint64_t rt_http_started(const struct rt_http_req *req) { return req->started; }

void rt_http_set_context(struct rt_http_req *req, void *context) { req->context = context; }

void *rt_http_context(const struct rt_http_req *req) { return req->context; }

/* The host frames the message itself. */
static bool may_set(const char *name)
{
    return name[0] != '\0' && !strpbrk(name, " \t\r\n:") && strcasecmp(name, "Content-Length") != 0 &&
           strcasecmp(name, "Transfer-Encoding") != 0;
}

int rt_http_add_header(struct rt_http_req *req, const char *name, const char *value)
{
    if (!may_set(name) || strpbrk(value, "\r\n"))
        return RT_E_INVALID;
    if (value[0] == '\0')
        return 0; /* the library cannot send it */
    size_t name_size = strlen(name) + 1, value_size = strlen(value) + 1;
    struct http_field *field = rt_http_alloc(req, sizeof(*field) + name_size + value_size);
    if (!field)
        return RT_E_NOMEM;
    char *text = (char *)(field + 1);
    *field = (struct http_field){ NULL, text, text + name_size };
    memcpy(text, name, name_size);
    memcpy(text + name_size, value, value_size);
    *req->last_field = field;
    req->last_field = &field->next;
    return 0;
}

static void send_response(struct rt_http_req *req, int status, struct MHD_Response *response)
{
    struct rt_http *h = req->http;
    if (response) {
        for (const struct http_field *f = req->fields; f; f = f->next)
            MHD_add_response_header(response, f->name, f->value);
        if (req->refused || h->draining)
            MHD_add_response_header(response, "Connection", "close");
        req->queued = MHD_queue_response(req->mhd, (unsigned)status, response) == MHD_YES;
        MHD_destroy_response(response);
    }
    if (req->parked)
        http__list_append(&h->woken, &req->link); /* rt_http_run() resumes it; without an answer it is closed */
}

/* False when there is an answer already. */
static bool answer_now(struct rt_http_req *req)
{
    if (req->answered)
        return false;
    req->answered = true;
    req->http->active--;
    return true;
}

void rt_http_respond(struct rt_http_req *req, int status, char *body, size_t n)
{
    if (!answer_now(req)) {
        free(body);
        return;
    }
    if (!body || status == 204 || status == 205) {
        free(body);
        body = NULL;
        n = 0;
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(n, body, body ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
    if (!response)
        free(body);
    send_response(req, status, response);
}

void rt_http_respond_file(struct rt_http_req *req, int status, int fd, uint64_t size)
{
    if (!answer_now(req)) {
        close(fd);
        return;
    }
    struct MHD_Response *response = MHD_create_response_from_fd64(size, fd);
    if (!response)
        close(fd);
    send_response(req, status, response);
}
