/* SPDX-License-Identifier: Apache-2.0
 *
 * The client's side of a console: frames on the control socket (docs/CONSOLE.md, "The protocol"), what is
 * typed and what is shown. One thread. */
#ifndef RT_SERVER_CONSOLE_CLIENT_H
#define RT_SERVER_CONSOLE_CLIENT_H

#include <signal.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/json_read.h"

enum { RT_CONSOLE_NAME = 64 };

struct rt_console {
    int fd;
    struct rt_buf in;  /* what has come and was not taken yet */
    size_t taken;      /* of it, by the frame that was returned last */
    int64_t id;        /* of the latest line */
    bool json;         /* values as JSON */
    bool colours, colours_err;
    bool answers;      /* somebody is there to be asked */
    char app[RT_CONSOLE_NAME], user[RT_CONSOLE_NAME];
    int64_t release;
};

struct rt_console_options {
    const char *data, *app; /* app nullable: the first one */
    bool write, json;
};

/* Connects and says hello. The caller closes. RT_E_NOTFOUND when no server runs there. */
int rt_console_open(struct rt_console *c, const struct rt_console_options *o, struct rt_err *err);
void rt_console_close(struct rt_console *c);

/* Sends one frame: its text without the newline. */
int rt_console_send(struct rt_console *c, struct rt_buf *frame, struct rt_err *err);
/* The next frame, within `ms` (negative: whenever it comes), valid until the next call. RT_E_EXPIRED when none came,
 * RT_E_INTERRUPTED when a signal did, RT_E_IO when the server is gone. */
int rt_console_next(struct rt_console *c, int ms, struct rt_json *ret, struct rt_err *err);

/* Waits until there is something to read, or `ms` are over (negative: never), or SIGINT has come: as poll() returns. */
int rt_console_wait(int fd, int ms);

/* ---- console_eval.c: one line, from the question to the answer ---- */

enum rt_console_end { RT_CONSOLE_DONE, RT_CONSOLE_FAILED, RT_CONSOLE_MORE, RT_CONSOLE_GONE };

/* Has `code` run and shows what comes. MORE: it is the beginning of something. GONE: so is the server; it was said why.
 * SIGINT (rt_console_interrupted) aborts the line on the server and nothing else. */
enum rt_console_end rt_console_eval(struct rt_console *c, const char *code, size_t n);
extern volatile sig_atomic_t rt_console_interrupted;
/* From here on SIGINT is noticed in rt_console_wait() alone: elsewhere it could come just before a wait and be lost. */
void rt_console_catch_interrupts(void);

/* ---- console_show.c ---- */

void rt_console_show_values(const struct rt_console *c, struct rt_json values);
void rt_console_show_error(const struct rt_console *c, struct rt_json frame);
/* The text member `name` of a frame and a newline, in a colour of the terminal (an SGR parameter) or NULL. */
void rt_console_show_text(const struct rt_console *c, struct rt_json frame, const char *name, const char *colour);

/* ---- console_edit.c: lines from a terminal ---- */

/* Reads lines and has them run until the end of the input or of the server. Returns the exit status. */
int rt_console_edit(struct rt_console *c);

#endif
