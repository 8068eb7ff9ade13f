/* SPDX-License-Identifier: Apache-2.0
 *
 * Notices that something below a folder was saved, made, moved or removed (inotify). It says that, not
 * what: whoever asks reads the folder anew. One thread. */
#ifndef RT_SERVER_WATCH_H
#define RT_SERVER_WATCH_H

#include <stdbool.h>

#include "base/err.h"

struct rt_watcher;

int rt_watcher_new(const char *root, struct rt_watcher **ret, struct rt_err *err);
void rt_watcher_free(struct rt_watcher *w);
/* Readable when something happened. */
int rt_watcher_fd(const struct rt_watcher *w);
/* Takes what happened: true when it concerns a file that counts (not an editor's own). */
bool rt_watcher_take(struct rt_watcher *w);

#endif
