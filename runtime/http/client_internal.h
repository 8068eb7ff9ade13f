/* SPDX-License-Identifier: Apache-2.0
 *
 * A transfer, as client.c runs it and smtp.c sets it up for mail. */
#ifndef RT_HTTP_CLIENT_INTERNAL_H
#define RT_HTTP_CLIENT_INTERNAL_H

#include <curl/curl.h>

#include "http/client.h"

struct client_transfer {
    struct rt_client *client;
    CURL *easy;
    struct curl_slist *list; /* headers, or recipients */
    rt_client_done *done;
    void *arg;
    int64_t now, retry_after;
    size_t header_bytes, body_bytes, excerpt_n;
    char excerpt[RT_CLIENT_EXCERPT];
    bool refused;    /* an address was not allowed */
    bool head_ended; /* the head of the answer is complete (perhaps an interim one) */
    bool mail;
    struct rt_str message; /* of mail: what is left to send */
    struct client_transfer *next, **back;
};

/* A transfer with the options that all share, or NULL; given to client__start() or client__drop(). */
struct client_transfer *client__new(struct rt_client *c, rt_client_done *done, void *arg);
int client__start(struct client_transfer *t, struct rt_err *err);
void client__drop(struct client_transfer *t);

#endif
