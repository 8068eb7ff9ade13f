/* SPDX-License-Identifier: Apache-2.0
 *
 * The server's side of consoles: conversations of administrators over the control socket (docs/CONSOLE.md, "The
 * protocol"). A conversation has a thread that reads frames and one with a loop, as a worker's, on which its lines
 * run, in a Lua state of its own: no line can delay a client, but for the turn to write while it has it. */
#ifndef RT_SERVER_CONSOLE_H
#define RT_SERVER_CONSOLE_H

#include "server/control.h"
#include "server/host.h"

/* The first line of a conversation is this word, a space and a JSON object. */
#define RT_CONSOLE_COMMAND "console "

enum { RT_CONSOLE_VERSION = 1, RT_CONSOLE_FRAME_MAX = 1 << 20, RT_CONSOLES_MAX = 16 };

/* Takes the request over. The thread of the commands. */
void rt_consoles_begin(struct rt_host *h, struct rt_control_request *q);
/* Ends all conversations; the commands' thread has ended, the workers still run. */
void rt_consoles_stop(struct rt_host *h);

/* console_audit.c: a line in <data>/console.log, on the disk when it returns. Any thread. */
struct rt_console_record {
    const char *event, *user, *sudo_user, *ssh, *app, *code, *outcome;
    int session, release;
    unsigned uid;
};
int rt_console_audit(const char *data, const struct rt_console_record *r, struct rt_err *err);

#endif
