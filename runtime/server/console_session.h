/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of a conversation share: its threads (console.c), its frames (console_frames.c). */
#ifndef RT_SERVER_CONSOLE_SESSION_H
#define RT_SERVER_CONSOLE_SESSION_H

#include "base/json_read.h"
#include "lua/repl.h"
#include "lua/spec_client.h"
#include "server/console.h"
#include "server/recent.h"

/* An app's scripts in a state of this conversation alone. */
struct console_place {
    struct rt_services services;
    struct rt_tree *tree;
    struct rt_vm *vm;
    struct rt_app *app;
    struct rt_repl *repl;
    int release;
};

struct rt_session {
    struct rt_host *host;
    int number, fd;
    unsigned uid;
    char user[64], sudo_user[64], ssh[128];
    bool write, json;
    pthread_t thread, reader;
    _Atomic bool used, ended; /* used: the slot; ended: to be joined */
    struct rt_loop *loop;
    struct rt_mailbox *mailbox;
    struct rt_message mail;
    _Atomic bool mail_posted;
    pthread_mutex_t mu; /* guards `place` while the reader aborts its line */
    int app, want;      /* want: the app of the next line, -1 as it is */
    struct console_place *place;
    struct rt_repl_host repl_host;
    struct rt_spec_server server;
    bool running, leaving, watching;
    struct rt_recent_watch watch;
    struct console_room *room; /* whose events are watched */
    long long id; /* of the running line */
    uint64_t began;
};

/* console_frames.c, the loop's thread. */
void console__send(struct rt_session *s, struct rt_buf *frame);
void console__member(struct rt_buf *b, const char *name, const char *value);
void console__hello(struct rt_session *s);
void console__end(int fd, const char *reason);
void console__error(struct rt_session *s, long long id, const char *kind, const char *message, const char *traceback);
void console__incomplete(struct rt_session *s);
void console__result(struct rt_session *s, const char *values, int newer);
void console__print(void *session, const char *text, size_t n);
void console__confirm(void *session, const char *text, const char *effects);

/* A request, an entry of the log or an event. */
void console__watch(struct rt_session *s, struct rt_json record);

/* console.c, any thread: `run` gets the frame on the session's loop, with console__frame(). */
struct console_frame {
    struct rt_message message;
    struct rt_session *s;
    size_t n;
    char text[];
};
void console__post(struct rt_session *s, const char *text, size_t n, void (*run)(struct rt_message *m));
struct console_frame *console__frame(struct rt_message *m); /* to be freed */

/* console_watch.c, the loop's thread: what rt_repl_host names, and the end of whatever is watched. */
void console__watch_requests(void *session, const char *app, int status);
void console__watch_room(void *session, const char *room);
void console__unwatch(struct rt_session *s);

/* console_list.c, the loop's thread: what rt_repl_host names, as JSON. */
void console__sessions(void *session, struct rt_buf *out);
void console__releases(void *session, struct rt_buf *out);
void console__apps(void *session, struct rt_buf *out);
int console__count(void); /* console.c: how many there are */

#endif
