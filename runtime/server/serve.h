/* SPDX-License-Identifier: Apache-2.0
 *
 * The server itself, as one call. */
#ifndef RT_SERVER_SERVE_H
#define RT_SERVER_SERVE_H

#include "config/options.h"

/* Serves until SIGTERM or SIGINT; 0 after an orderly stop. Blocks these signals. */
int rt_serve(struct rt_options *options, struct rt_err *err);

#endif
