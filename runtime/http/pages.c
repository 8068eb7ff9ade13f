/* SPDX-License-Identifier: Apache-2.0
 *
 * Loading is strict rather than lenient: a name that would need escaping, a type that browsers would have to
 * guess, are mistakes that the author hears of before anything is served. */
#include "http/pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { PATH_MAX_BYTES = 512 };

static const char name_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

static const struct {
    const char *extension, *type;
} types[] = {
    { "html", "text/html; charset=utf-8" },
    { "css", "text/css; charset=utf-8" },
    { "js", "text/javascript; charset=utf-8" },
    { "json", "application/json" },
    { "txt", "text/plain; charset=utf-8" },
    { "svg", "image/svg+xml" },
    { "png", "image/png" },
    { "jpg", "image/jpeg" },
    { "gif", "image/gif" },
    { "webp", "image/webp" },
    { "ico", "image/x-icon" },
    { "woff2", "font/woff2" },
    { "webmanifest", "application/manifest+json" },
};

static const char *type_of(const char *name)
{
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof types[0]; i++)
        if (strcmp(dot + 1, types[i].extension) == 0)
            return types[i].type;
    return NULL;
}

/* One segment that needs no escaping and is not hidden, so never "." or "..". */
static bool is_name(const char *s, size_t n) { return n > 0 && s[0] != '.' && strspn(s, name_chars) >= n; }

static bool is_relative(const char *path)
{
    for (const char *p = path;; p++) {
        size_t n = strcspn(p, "/");
        if (!is_name(p, n))
            return false;
        p += n;
        if (!*p)
            return true;
    }
}

/* "/", "/a", "/a/": what a browser sends as it is. */
static bool is_url_path(const char *path)
{
    if (path[0] != '/')
        return false;
    size_t n = strlen(path);
    char copy[PATH_MAX_BYTES];
    if (n == 1)
        return true;
    if (n >= sizeof copy)
        return false;
    memcpy(copy, path + 1, n);
    if (copy[n - 2] == '/')
        copy[n - 2] = 0;
    return is_relative(copy);
}

/* The next place, already counted, so that rt_pages_free() finds what it holds. */
static int add_page(struct rt_pages *pages, const char *path, struct rt_page **ret, struct rt_err *err)
{
    if (pages->n == RT_PAGES_MAX)
        return rt_err_set(err, RT_E_LIMIT, "page %s: more than %d files", path, RT_PAGES_MAX);
    struct rt_page *page = &pages->page[pages->n];
    *page = (struct rt_page){ .path = strdup(path) };
    if (!page->path)
        return rt_err_set(err, RT_E_NOMEM, "no memory for the page %s", path);
    pages->n++;
    *ret = page;
    return 0;
}

/* `name` is for messages and the type. */
static int load_file(struct rt_pages *pages, const struct rt_tree_file *f, const char *name, const char *path,
                     struct rt_err *err)
{
    const char *type = type_of(name);
    if (!type)
        return rt_err_set(err, RT_E_INVALID, "%s: files of this type are not served", name);
    struct rt_page *page = NULL;
    int rc = add_page(pages, path, &page, err);
    if (rc)
        return rc;
    page->data = f->text;
    page->n = f->n;
    pages->bytes += page->n;
    if (pages->bytes > RT_PAGES_BYTES_MAX)
        return rt_err_set(err, RT_E_LIMIT, "%s: all files together have more than %d bytes", name, RT_PAGES_BYTES_MAX);
    page->type = type;
    page->tag[0] = '"';
    rt_hash128_hex(page->data, page->n, page->tag + 1);
    memcpy(page->tag + 33, "\"", 2);
    return 0;
}

/* Every file below the folder; `skip` characters of a file's path are the app's folder. */
static int load_folder(struct rt_pages *pages, size_t skip, const char *full, const struct rt_page_declaration *d,
                       struct rt_err *err)
{
    int i = rt_tree_first(pages->tree, full), rc = 0;
    if (i == pages->tree->n)
        return rt_err_set(err, RT_E_NOTFOUND, "page %s: there is no folder %s with files", d->path, d->folder);
    for (size_t n = strlen(full); rc == 0 && i < pages->tree->n; i++) {
        const struct rt_tree_file *f = &pages->tree->file[i];
        char path[PATH_MAX_BYTES];
        if (strncmp(f->path, full, n) != 0)
            break;
        if (!is_relative(f->path + n) || snprintf(path, sizeof path, "%s%s", d->path, f->path + n) >= PATH_MAX_BYTES)
            rc = rt_err_set(err, RT_E_INVALID, "%s: a file's name has letters, digits, '.', '_' and '-' only",
                            f->path + skip);
        else
            rc = load_file(pages, f, f->path + skip, path, err);
    }
    return rc;
}

static int load_declared(struct rt_pages *pages, const char *app, const struct rt_page_declaration *d,
                         struct rt_err *err)
{
    const char *name = d->file ? d->file : d->folder;
    char full[PATH_MAX_BYTES];
    if (!is_url_path(d->path))
        return rt_err_set(err, RT_E_INVALID, "page '%s': a path has '/' and names of letters, digits, '.', '_' and '-'",
                          d->path);
    if (!is_relative(name))
        return rt_err_set(err, RT_E_INVALID, "page %s: '%s' is not a name inside the app's folder", d->path, name);
    if (snprintf(full, sizeof full, "%s/%s%s", app, name, d->folder ? "/" : "") >= PATH_MAX_BYTES)
        return rt_err_set(err, RT_E_INVALID, "page %s: the name is too long", d->path);
    size_t skip = strlen(app) + 1;
    if (d->file) {
        const struct rt_tree_file *f = rt_tree_find(pages->tree, full);
        return f ? load_file(pages, f, name, d->path, err)
                 : rt_err_set(err, RT_E_NOTFOUND, "page %s: there is no file %s", d->path, name);
    }
    if (d->path[strlen(d->path) - 1] != '/')
        return rt_err_set(err, RT_E_INVALID, "page %s: the path of a folder ends in '/'", d->path);
    return load_folder(pages, skip, full, d, err);
}

int rt_pages_load(struct rt_tree *tree, const char *app, const struct rt_page_declaration *declarations, int n,
                  bool development, struct rt_pages **ret, struct rt_err *err)
{
    struct rt_pages *pages = calloc(1, sizeof *pages);
    if (pages)
        pages->page = calloc(RT_PAGES_MAX, sizeof *pages->page);
    if (!pages || !pages->page) {
        free(pages);
        return rt_err_set(err, RT_E_NOMEM, "no memory for pages");
    }
    pages->tree = rt_tree_ref(tree);
    int rc = 0;
    for (int i = 0; rc == 0 && i < n; i++)
        if (development || !declarations[i].development)
            rc = load_declared(pages, app, &declarations[i], err);
    if (rc) {
        rt_pages_free(pages);
        return rc;
    }
    *ret = pages;
    return 0;
}

void rt_pages_free(struct rt_pages *pages)
{
    if (!pages)
        return;
    for (int i = 0; i < pages->n; i++)
        free(pages->page[i].path);
    rt_tree_unref(pages->tree);
    free(pages->page);
    free(pages);
}

void rt_page_policy(struct rt_str host, char out[RT_PAGE_POLICY_MAX])
{
    static const char rest[] = "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
    bool plain = host.n > 0 && host.n <= 200;
    for (size_t i = 0; plain && i < host.n; i++)
        plain = host.p[i] != 0 && (strchr(name_chars, host.p[i]) || strchr(":[]", host.p[i]));
    if (plain)
        snprintf(out, RT_PAGE_POLICY_MAX, "default-src 'self'; connect-src 'self' ws://%.*s wss://%.*s; %s",
                 (int)host.n, host.p, (int)host.n, host.p, rest);
    else
        snprintf(out, RT_PAGE_POLICY_MAX, "default-src 'self'; %s", rest);
}
