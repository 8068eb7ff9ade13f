/* SPDX-License-Identifier: Apache-2.0
 *
 * The console: conversations of administrators with the running server, over the control socket. A
 * conversation is a thread that reads and writes frames (docs/CONSOLE.md, "The protocol") and a Lua state
 * of its own, of the release that served when it began. All of these states run on one more thread with a
 * loop, as a worker's do: a line that never ends delays other consoles until its deadline, and no client. */
#ifndef RT_SERVER_CONSOLE_H
#define RT_SERVER_CONSOLE_H

#include "base/err.h"

/* The first line of a conversation is this word, a space and a JSON object. */
#define RT_CONSOLE_COMMAND "console"

enum { RT_CONSOLE_VERSION = 1, RT_CONSOLE_FRAME_MAX = 1 << 20, RT_CONSOLES_MAX = 16 };

#endif
