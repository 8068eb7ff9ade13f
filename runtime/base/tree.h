/* SPDX-License-Identifier: Apache-2.0
 *
 * The files below some folders as they were at one instant, in memory: what a release is made from, so
 * that all of its states see the same text whatever happens on the disk meanwhile. Ordered by path.
 * Counted; read-only once it is shared, then any thread. */
#ifndef RT_BASE_TREE_H
#define RT_BASE_TREE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

enum { RT_TREE_FILE_MAX = 1 << 20, RT_TREE_BYTES_MAX = 32 << 20, RT_TREE_FILES_MAX = 4000 };

struct rt_tree_file {
    char *path; /* relative to the root, "app/rules/x.lua" */
    char *text; /* followed by a NUL that does not count */
    size_t n;
};

struct rt_tree {
    _Atomic int refs;
    struct rt_tree_file *file;
    int n;
    size_t bytes;
};

/* Reads root/folder/… for each of `folders` (ended by NULL; one that does not exist is empty). Names that begin with
 * '.' or '#' or end in '~' are editors' and are left out. Files that change while they are read are read again.
 * RT_E_LIMIT above the sizes, RT_E_INVALID for links and devices, RT_E_IO; the message names the file. RT_E_BUSY when
 * they do not come to rest. The caller has the only reference. */
int rt_tree_read(const char *root, const char *const *folders, struct rt_tree **ret, struct rt_err *err);
/* Whether a file or folder of that name is left out, as an editor's own. */
bool rt_tree_ignores(const char *name);
/* An empty one to be filled with rt_tree_add() in any order (text is copied), then put in order. */
struct rt_tree *rt_tree_new(void);
int rt_tree_add(struct rt_tree *t, const char *path, const char *text, size_t n, struct rt_err *err);
void rt_tree_sort(struct rt_tree *t);
struct rt_tree *rt_tree_ref(struct rt_tree *t);
void rt_tree_unref(struct rt_tree *t);
/* How many files are in one of them only or differ. */
int rt_tree_differences(const struct rt_tree *a, const struct rt_tree *b);
/* Writes all files below `folder`, which exists, making folders as needed (0700, files 0600). */
int rt_tree_write(const struct rt_tree *t, const char *folder, struct rt_err *err);
/* Removes a folder with all that is in it; links are not followed. False when something stayed. */
bool rt_tree_remove(const char *folder);
/* NULL when there is no such file. */
const struct rt_tree_file *rt_tree_find(const struct rt_tree *t, const char *path);
/* The first file whose path begins with `prefix`, as an index; t->n when there is none. They stand side by side. */
int rt_tree_first(const struct rt_tree *t, const char *prefix);

#endif
