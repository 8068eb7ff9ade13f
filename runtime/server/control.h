/* SPDX-License-Identifier: Apache-2.0
 *
 * The socket through which commands reach the running server: <data>/perigee.sock, for its owner alone
 * (0600). One request per connection: a line, answered by a line with the exit status and the text to
 * print. It needs no other address, so commands find the server by the data folder. */
#ifndef RT_SERVER_CONTROL_H
#define RT_SERVER_CONTROL_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

enum { RT_CONTROL_LINE_MAX = 64 << 10 };

struct rt_control;

struct rt_control_request {
    int fd;
    unsigned uid;
    char who[64]; /* the system's name of the asking user */
    char *line;   /* without its end; the request's */
    size_t n;
};

/* Listens; the caller holds the data folder's lock, so a socket left by a former process is removed. */
int rt_control_open(const char *data, struct rt_control **ret, struct rt_err *err);
/* Stops listening and removes the socket. */
void rt_control_close(struct rt_control *c);
int rt_control_fd(const struct rt_control *c);
/* Takes one waiting request; false when there is none or its line did not come within a second. */
bool rt_control_take(struct rt_control *c, struct rt_control_request *ret);
/* Sends all of it; false when the other side is gone, or does not read within the socket's time limit. */
bool rt_control_send(int fd, const char *p, size_t n);
/* Sends the answer and ends the connection. */
void rt_control_answer(struct rt_control_request *r, int status, const char *text, size_t n);

/* The command's side: asks the server of `data`. RT_E_NOTFOUND when none runs there. */
int rt_control_ask(const char *data, const char *line, int *ret_status, struct rt_buf *ret_text, struct rt_err *err);
/* Connects only, for a conversation of its own; the caller closes the descriptor. */
int rt_control_connect(const char *data, int *ret_fd, struct rt_err *err);

#endif
