/* SPDX-License-Identifier: Apache-2.0
 *
 * A whole server for specs: one worker that runs on the caller's thread, no port, no release history, nothing that
 * leaves the process, databases in a folder that goes with it. Requests are real ones, over socket pairs. */
#ifndef RT_SERVER_SPEC_HOST_H
#define RT_SERVER_SPEC_HOST_H

#include "server/host.h"

struct rt_spec_host {
    struct rt_host host;
    struct rt_options options; /* the caller's, with what specs need */
    char folder[256];
};

/* Finds the apps (only `app` unless NULL), migrates empty databases and loads everybody's scripts. To be closed also
 * when it fails. */
int rt_spec_host_open(struct rt_spec_host *s, const struct rt_options *options, const char *app, struct rt_err *err);
void rt_spec_host_close(struct rt_spec_host *s);

/* A connection to the worker's HTTP server: the client's end, non-blocking, the caller's. */
int rt_spec_host_connect(void *spec_host, int *ret_fd);
/* At the end of each round of the worker's loop. */
void rt_spec_host_round(void *spec_host);
/* Whether rate limits count, from now on. */
void rt_spec_host_limit(void *spec_host, bool on);

#endif
