/* SPDX-License-Identifier: Apache-2.0
 *
 * The host's own index of its APIs at /-/: titles, documentation, collections, sockets, what serves and what was
 * refused. It names what production has no reason to tell, so it exists in development only. It has no script, and
 * its style and icon are addresses of their own, so that the strict policy of pages holds. */
#include <string.h>
#include <strings.h>

#include "base/hash.h"
#include "server/conversation.h"
#include "server/releaser.h"

static const char ICON[] = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 16 16\"><circle cx=\"8\" cy=\"8\" "
                           "r=\"6\" fill=\"none\" stroke=\"#4a7ddb\" stroke-width=\"2\"/><circle cx=\"8\" cy=\"2\" "
                           "r=\"2\" fill=\"#4a7ddb\"/></svg>";

static const char STYLE[] =
    ":root{color-scheme:light dark;--text:#1c2430;--soft:#566070;--back:#f6f7f9;--card:#fff;--line:#d9dee6;"
    "--link:#1a56b8}\n"
    "@media(prefers-color-scheme:dark){:root{--text:#e6eaf0;--soft:#a3adbb;--back:#12161c;--card:#1a2029;"
    "--line:#333c49;--link:#8ab4ff}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;max-width:64rem;padding:1.5rem;font:1rem/1.5 system-ui,sans-serif;color:var(--text);"
    "background:var(--back)}\n"
    "a{color:var(--link)}a:focus-visible{outline:2px solid var(--link);outline-offset:2px}\n"
    "main{display:grid;gap:1rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,20rem),1fr))}\n"
    "section{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:1rem 1.25rem}\n"
    "h1{font-size:1.5rem;margin:0}h2{font-size:1.15rem;margin:0}\n"
    "h3{font-size:.9rem;margin:.75rem 0 0;color:var(--soft)}\n"
    "p{margin:.25rem 0}ul{margin:0;padding-left:1.1rem}.soft{color:var(--soft)}header{margin-bottom:1rem}\n"
    "code,pre{font:.9em/1.5 ui-monospace,monospace;overflow-wrap:anywhere}pre{white-space:pre-wrap}\n";

static void put(struct rt_buf *b, const char *text)
{
    for (const char *p = text ? text : ""; *p; p++)
        switch (*p) {
        case '<': rt_buf_puts(b, "&lt;"); break;
        case '>': rt_buf_puts(b, "&gt;"); break;
        case '&': rt_buf_puts(b, "&amp;"); break;
        case '"': rt_buf_puts(b, "&quot;"); break;
        default: rt_buf_putc(b, *p);
        }
}

static void put_link(struct rt_buf *b, const char *path, const char *query, const char *text)
{
    rt_buf_puts(b, "<a href=\"");
    put(b, path);
    rt_buf_printf(b, "%s\">", query);
    put(b, text);
    rt_buf_puts(b, "</a>");
}

static void put_docs(struct rt_buf *b, const struct rt_app *app)
{
    rt_buf_puts(b, "<h3>Documentation</h3><ul>");
    for (int i = 0; i < app->n_docs; i++) {
        const struct rt_doc_page *page = &app->docs[i];
        rt_buf_puts(b, "<li>");
        put_link(b, page->path, "", page->path);
        rt_buf_puts(b, " version ");
        put(b, page->version);
        rt_buf_puts(b, " · ");
        put_link(b, page->path, "?format=openapi", "OpenAPI");
        rt_buf_puts(b, " · ");
        put_link(b, page->path, "?format=postman", "Postman");
        rt_buf_puts(b, "</li>");
    }
    rt_buf_puts(b, app->n_docs ? "</ul>" : "<li>none: app.lua has no docs</li></ul>");
}

static void put_pages(struct rt_buf *b, const struct rt_app *app)
{
    int n = 0;
    for (int i = 0; i < app->n_pages; i++)
        if (app->pages[i].file) {
            rt_buf_puts(b, n++ ? "<li>" : "<h3>Pages</h3><ul><li>");
            put_link(b, app->pages[i].path, "", app->pages[i].path);
            rt_buf_puts(b, "</li>");
        }
    rt_buf_puts(b, n ? "</ul>" : "");
    n = 0;
    for (int i = 0; i < app->n_routes; i++)
        if (app->routes[i].socket) {
            rt_buf_puts(b, n++ ? "<li><code>" : "<h3>WebSockets</h3><ul><li><code>");
            put(b, app->routes[i].path);
            rt_buf_puts(b, "</code></li>");
        }
    rt_buf_puts(b, n ? "</ul>" : "");
}

static void put_app(struct rt_buf *b, const struct rt_app *app, int number, bool demo)
{
    rt_buf_printf(b, "<section id=\"app-%s\" aria-labelledby=\"title-%s\"><h2 id=\"title-%s\">", app->name, app->name,
                  app->name);
    put(b, app->title);
    rt_buf_printf(b, "</h2><p class=\"soft\">%s · release %d · %d routes</p>", app->name, number, app->n_routes);
    for (int i = 0; app->hosts[i]; i++) {
        rt_buf_puts(b, i ? ", <code>" : "<p>Alone at <code>");
        put(b, app->hosts[i]);
        rt_buf_puts(b, "</code>");
    }
    rt_buf_puts(b, app->hosts[0] ? "</p>" : "");
    if (demo && app->demo_login) {
        rt_buf_puts(b, "<p>Demo login <code>");
        put(b, app->demo_login);
        rt_buf_puts(b, "</code></p>");
    }
    put_docs(b, app);
    put_pages(b, app);
    rt_buf_puts(b, "</section>\n");
}

static bool has_host(const struct rt_app *app, struct rt_str host)
{
    for (int i = 0; app->hosts[i]; i++) {
        size_t n = strlen(app->hosts[i]);
        if (host.n >= n && strncasecmp(host.p, app->hosts[i], n) == 0 && (host.n == n || host.p[n] == ':'))
            return true;
    }
    return false;
}

/* On a host of one app the others do not exist. */
static void put_apps(struct rt_buf *b, struct rt_worker *w, struct rt_str host)
{
    struct rt_routing *routing = rt_routing_now(w->host);
    const struct rt_app *app[RT_APPS_MAX];
    int only = -1;
    for (int i = 0; i < routing->n_apps; i++) {
        app[i] = routing->release[i]->at[w->index].app;
        if (only < 0 && has_host(app[i], host))
            only = i;
    }
    for (int i = 0; i < routing->n_apps; i++)
        if (only < 0 || only == i)
            put_app(b, app[i], routing->release[i]->number, w->host->options->demo);
}

static void write_page(struct rt_buf *b, struct rt_worker *w, struct rt_str host)
{
    struct rt_buf status;
    rt_buf_puts(b, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>APIs of this server</title>"
                   "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
                   "<link rel=\"icon\" href=\"/-/icon.svg\"><link rel=\"stylesheet\" href=\"/-/index.css\"></head>\n"
                   "<body><header><h1>APIs of this server</h1><p>Shown in development only. ");
    put_link(b, "/healthz", "", "Health");
    rt_buf_puts(b, " · ");
    put_link(b, "/readyz", "", "Readiness");
    rt_buf_puts(b, " · ");
    put_link(b, "/metrics", "", "Metrics");
    rt_buf_puts(b, "</p></header>\n<main>");
    put_apps(b, w, host);
    rt_buf_puts(b, "<section id=\"status\" aria-labelledby=\"title-status\"><h2 id=\"title-status\">Status</h2><pre>");
    rt_buf_init(&status, 0);
    rt_releaser_status(w->host, false, &status);
    put(b, rt_buf_cstr(&status));
    rt_buf_fini(&status);
    rt_buf_puts(b, "</pre></section></main></body></html>\n");
}

bool rt_index(struct rt_conversation *c)
{
    struct rt_str path = rt_http_path(c->http), host = rt_http_header(c->http, "Host");
    struct rt_page page = { .type = "text/html; charset=utf-8" };
    struct rt_buf b;
    rt_buf_init(&b, 0);
    if (rt_str_is(path, "/-/")) {
        write_page(&b, c->worker, host);
    } else if (rt_str_is(path, "/-/index.css")) {
        page.type = "text/css; charset=utf-8";
        rt_buf_puts(&b, STYLE);
    } else if (rt_str_is(path, "/-/icon.svg")) {
        page.type = "image/svg+xml";
        rt_buf_puts(&b, ICON);
    } else {
        return false;
    }
    page.data = rt_buf_cstr(&b);
    page.n = b.len;
    page.tag[0] = '"';
    rt_hash128_hex(page.data, page.n, page.tag + 1);
    memcpy(page.tag + 33, "\"", 2);
    rt_respond_page(c, &page, host);
    rt_buf_fini(&b);
    return true;
}
