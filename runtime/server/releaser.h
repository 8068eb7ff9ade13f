/* SPDX-License-Identifier: Apache-2.0
 *
 * Brings changed scripts live: reads the folder, loads what has changed beside what serves, runs its specs,
 * keeps it in the history, swaps. What is broken changes nothing and is reported until it is mended or
 * gone. A thread of its own does this, when a file is saved (development), for a signal, for a command. */
#ifndef RT_SERVER_RELEASER_H
#define RT_SERVER_RELEASER_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct rt_host;
struct rt_releaser;

/* Before the workers start: loads the first release of every app and makes it h->routing. */
int rt_releaser_open(struct rt_host *h, struct rt_err *err);
/* Starts the threads, with the control socket and, in development, the watching. They wait until the host is ready. */
int rt_releaser_start(struct rt_host *h, struct rt_err *err);
/* Any thread: the host has become ready; or (`reload`) SIGHUP came. */
void rt_releaser_wake(struct rt_host *h, bool reload);
/* Ends the threads; nothing is swapped any more, whoever waits for a reload is told so. */
void rt_releaser_stop(struct rt_host *h);
/* Frees what rt_releaser_open() made and every release. The workers have stopped. */
void rt_releaser_close(struct rt_host *h);

/* Any thread. The number of the release that serves. */
int rt_release_number(struct rt_host *h);
/* Any thread: the state as JSON ({"release":…, "apps":[…], "error":…}) or as lines for a person. */
void rt_releaser_status(struct rt_host *h, bool json, struct rt_buf *out);

/* Somebody wants the scripts folder, or an earlier release, to serve. */
struct rt_reload {
    char who[64];
    int number; /* of the release to go back to; 0: the scripts folder */
    /* Called once, on any thread, with an exit status (0: what was asked for serves) and the text to show. */
    void (*done)(struct rt_reload *r, int status, const char *text);
    struct rt_reload *next;
};
/* Any thread; returns at once. One is done after the other. */
void rt_releaser_ask(struct rt_host *h, struct rt_reload *r);

#endif
