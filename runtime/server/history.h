/* SPDX-License-Identifier: Apache-2.0
 *
 * The releases that were live, with their scripts, in <data>/releases.db: what can be listed, compared
 * and gone back to. One thread at a time has it open for writing; commands open it for themselves. */
#ifndef RT_SERVER_HISTORY_H
#define RT_SERVER_HISTORY_H

#include "base/buf.h"
#include "base/tree.h"

enum { RT_HISTORY_KEEP = 200, RT_TREE_HASH = 65 };

struct rt_history;

/* One app's part of a release. */
struct rt_history_app {
    char name[64];
    char hash[RT_TREE_HASH]; /* of its tree, in hex */
};

struct rt_history_entry {
    int number;
    int64_t at; /* UTC seconds */
    char who[64], reason[64];
    struct rt_history_app app[16];
    int n_apps;
};

/* SHA-256 over the paths and texts. */
void rt_tree_hash(const struct rt_tree *t, char out[RT_TREE_HASH]);

/* For the server: opens <data>/releases.db, making it when it is not there. */
int rt_history_open(const char *data, struct rt_history **ret, struct rt_err *err);
/* For commands: RT_E_NOTFOUND when nothing was released from this data folder yet. */
int rt_history_open_read(const char *data, struct rt_history **ret, struct rt_err *err);
void rt_history_close(struct rt_history *h);
/* Keeps a release under the number after the last one, which is written to e->number; drops the oldest above
 * RT_HISTORY_KEEP. trees[i] belongs to e->app[i]. On disk when it returns. */
int rt_history_add(struct rt_history *h, struct rt_history_entry *e, struct rt_tree *const *trees, struct rt_err *err);
/* The latest `limit` releases, newest first; the caller frees *ret. */
int rt_history_list(struct rt_history *h, int limit, struct rt_history_entry **ret, int *ret_n, struct rt_err *err);
/* RT_E_NOTFOUND when there is no such release. */
int rt_history_get(struct rt_history *h, int number, struct rt_history_entry *ret, struct rt_err *err);
int rt_history_tree(struct rt_history *h, const char *hash, struct rt_tree **ret, struct rt_err *err);

#endif
