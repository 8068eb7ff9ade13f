/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that an app serves as they are: an HTML page, its style, scripts and images. They are picked
 * from the release's files when it is built; nothing looks at the disk, so a request's path can only ever
 * name one of the files that were listed then. Read-only after loading: any thread. */
#ifndef RT_HTTP_PAGES_H
#define RT_HTTP_PAGES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "base/tree.h"

enum { RT_PAGES_BYTES_MAX = 8 << 20, RT_PAGES_MAX = 256, RT_PAGE_POLICY_MAX = 640 };

/* As an app declares it: one file under `path`, or all files below a folder, each under `path` (which ends in '/')
 * followed by its name. `file` and `folder` are relative to the app's folder. */
struct rt_page_declaration {
    const char *path, *file, *folder; /* `file` or `folder`, the other NULL */
    bool development;                 /* does not exist in production */
};

struct rt_page {
    char *path;
    const char *type; /* Content-Type */
    char tag[36];     /* a strong entity tag with its quotes */
    const char *data; /* in the tree */
    size_t n;
};

struct rt_pages {
    struct rt_page *page;
    int n;
    size_t bytes;
    struct rt_tree *tree;
};

/* Picks what the declarations name below `app` in `tree` (which is referenced). Without `development` those for
 * development are left out. RT_E_INVALID for a bad path, name or type, RT_E_NOTFOUND, RT_E_LIMIT for the caps above;
 * the message names the file. */
int rt_pages_load(struct rt_tree *tree, const char *app, const struct rt_page_declaration *declarations, int n,
                  bool development, struct rt_pages **ret, struct rt_err *err);
void rt_pages_free(struct rt_pages *pages);

/* The Content-Security-Policy of a page that was asked for at `host` (with port): everything from its own origin
 * only, nothing inline, no framing. Sockets of that host are named because not every browser counts them to 'self'. */
void rt_page_policy(struct rt_str host, char out[RT_PAGE_POLICY_MAX]);

#endif
