/* SPDX-License-Identifier: Apache-2.0
 *
 * One HTTP request on its way through an app: authentication, validation, rule, handler, presentation,
 * commit. The server fills the first part of the exchange, calls rt_exchange_run() and gets the answer
 * through `ready`, at once or later, when everything it promises is on disk. */
#ifndef RT_LUA_REQUEST_H
#define RT_LUA_REQUEST_H

#include "base/buf.h"
#include "http/http.h"
#include "http/router.h"
#include "lua/app.h"
#include "lua/call.h"

enum { RT_ANSWERED = -1 };

struct rt_principal_want {
    const char *who;     /* the manifest's name for it */
    int fn;              /* where the app's function for it stands */
    struct rt_str token; /* borrowed until the end */
    int64_t now;         /* UTC seconds */
    int64_t id;          /* the principal's, at the end */
    uint64_t epoch;      /* private */
};

struct rt_exchange {
    /* From the server. */
    struct rt_app *app;
    const struct rt_route *route;
    struct rt_http_req *http;
    const struct rt_match *match;
    const char *id;      /* request id */
    const char *origin;  /* "http://host" */
    const char *address; /* the client's */
    int64_t now;         /* UTC seconds */
    void *owner;
    /* After authentication, before anything costs: 0 to go on, else the status to refuse with. */
    int (*admit)(struct rt_exchange *x);
    /* Authentication failed: 0 to say so (401), else the status to refuse with instead. */
    int (*stranger)(struct rt_exchange *x);
    /* The route's scope has let the request in: 0, or the status to refuse with. */
    int (*entered)(struct rt_exchange *x);
    /* The route's rule, too, before the input is looked at: as above, or RT_ANSWERED when the answer stands in the
     * exchange already. */
    int (*allowed)(struct rt_exchange *x);
    /* The answer is written and the transaction still open: adds to it. Non-zero fails the request. */
    int (*before_commit)(struct rt_exchange *x, struct rt_conn *conn);
    /* The answer: status, body, type. Nothing of a transaction is pending any more. */
    void (*ready)(struct rt_exchange *x);

    /* For the server. */
    int64_t user_id;     /* principal's id, 0 when anyone */
    int64_t scope_id;    /* the scope's id, 0 without one */
    bool known;          /* authentication is over, and the request may go on */
    struct rt_str token; /* that the principal came with; only for `admit` */
    int status;
    struct rt_buf body;
    int file_fd; /* the body when it is not negative, `file_size` bytes of it; closed with the exchange */
    uint64_t file_size;
    bool keep_body; /* set by `allowed`: the answer will be kept, so it has to stand in `body` */
    char content_type[96];
    char file_name[128];   /* an attachment's name or "" */
    struct rt_buf headers; /* of the script's own: "Name: value\n" each */
    char *assume;          /* a principal as JSON that needs no token; freed with the exchange */
    bool rehearse;         /* what it writes is rolled back, its answer is as if it had been kept */
    char *error;           /* what was raised, with its traceback; freed with the exchange */
    bool failed;           /* raised: a 5xx was logged */
    const char *refusal;   /* the functions above may set the message */
    bool upgrade;          /* a socket's handshake that is to be accepted (rt_exchange_take_request) */

    /* Private. */
    struct rt_call call;
    int step;
    struct rt_principal_want want;
    int violations; /* of the input */
    const struct rt_returns *returns;
    int request_ref; /* of an upgrade: the table `req`, complete */
};

/* Starts it. `ready` is called exactly once. */
void rt_exchange_run(struct rt_exchange *x);
/* Fills the answer with the app's error envelope. */
void rt_exchange_fail(struct rt_exchange *x, int status, const char *code, const char *message, int details_ref);
/* After an upgrade: a registry reference to `req`, the caller's from now on. */
int rt_exchange_take_request(struct rt_exchange *x);
/* After the answer was sent: gives memory back. */
void rt_exchange_fini(struct rt_exchange *x);

/* req.c. Once per state: the metatable of `req`. */
void rt_request_open(struct lua_State *L);

/* Pushes the principal that the token stands for when it is known: true. Else pushes the app's function and its
 * argument: the caller calls it for three results and has rt_principal_take() put the principal in their place. Both
 * raise a failure with status 401. */
bool rt_principal_push(struct lua_State *L, struct rt_principal_want *want);
void rt_principal_take(struct lua_State *L, struct rt_principal_want *want);
/* A Lua function: who, token → the principal. */
int rt_principal_ask(struct lua_State *L);
/* The token of an Authorization header; p is NULL when it has none. */
struct rt_str rt_bearer(struct rt_str authorization);
/* Raises { status =, message = } and, when code is not NULL, code. */
int rt_raise_failure(struct lua_State *L, int status, const char *code, const char *message);

#endif
