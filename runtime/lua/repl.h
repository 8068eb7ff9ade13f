/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of a console in a state of its own: variables that stay, values put into words, completion, and writing that is
 * tried, undone, confirmed and done again. On the thread of the state's loop; rt_turn_abort() may come from any. */
#ifndef RT_LUA_REPL_H
#define RT_LUA_REPL_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/tree.h"
#include "lua/app.h"

struct rt_repl;
struct rt_spec_server;

enum rt_repl_end { RT_REPL_RESULT, RT_REPL_INCOMPLETE, RT_REPL_SYNTAX, RT_REPL_RUNTIME, RT_REPL_DEADLINE,
                   RT_REPL_INTERRUPTED, RT_REPL_REFUSED };

/* What the server does for it. */
struct rt_repl_host {
    void *arg;
    bool write; /* write(…) asks nobody */
    bool json;  /* values also as JSON */
    int write_ms; /* a transaction may run so long, as others wait for it */
    void (*print)(void *arg, const char *text, size_t n);
    /* To be answered with rt_repl_answer(), later. `effects` is a JSON array. */
    void (*confirm)(void *arg, const char *text, const char *effects);
    /* Another app from the next line on; false when there is none of that name. NULL: this one, as it is live now. */
    bool (*use)(void *arg, const char *app);
    void (*status)(void *arg, struct rt_buf *out); /* as text */
    /* The recent request of that id as JSON; false when it is not known. */
    bool (*why)(void *arg, const char *id, struct rt_buf *out);
    /* Tells of requests (status 0, app "": of all; status -1: of entries of the log) until rt_repl_answer(). */
    void (*watch)(void *arg, const char *app, int status);
    void (*watch_room)(void *arg, const char *room); /* of events, likewise; 1 to 200 bytes */
    /* A secret for one request as that principal (JSON); and a socket to the server (spec_client.h). */
    void (*assume)(void *arg, const char *principal, bool keep, char secret[33]);
    const struct rt_spec_server *server;
    /* As JSON. */
    void (*sessions)(void *arg, struct rt_buf *out);
    void (*releases)(void *arg, struct rt_buf *out);
    void (*apps)(void *arg, struct rt_buf *out);
    /* The line's end: `values` (a JSON array), or a message and a traceback. */
    void (*done)(void *arg, enum rt_repl_end end, const char *text, const char *traceback);
};

/* `app` and `tree` are borrowed until rt_repl_free(). */
int rt_repl_new(struct rt_app *app, const struct rt_tree *tree, const struct rt_repl_host *host, struct rt_repl **ret,
                struct rt_err *err);
/* No line may run. */
void rt_repl_free(struct rt_repl *r);
/* Runs a line; `done` is called exactly once, perhaps before this returns. */
void rt_repl_eval(struct rt_repl *r, const char *code, size_t n);
/* The answer to confirm; nothing when there was no question. */
void rt_repl_answer(struct rt_repl *r, bool yes);
/* Appends the members `"from":…,"items":[…]`. No line may run. */
void rt_repl_complete(struct rt_repl *r, const char *text, size_t n, struct rt_buf *out);

#endif
