/* SPDX-License-Identifier: Apache-2.0
 *
 * Online copies of a database. Any thread, its own connections. */
#ifndef RT_DB_BACKUP_H
#define RT_DB_BACKUP_H

#include "base/err.h"

/* Copies a live database into a new file (0600), then opens the copy and runs an integrity check and
 * a foreign-key check. `progress` (nullable) is called with pages done and in all. The target must not exist. */
int rt_backup(const char *from, const char *to, void (*progress)(void *arg, int done, int all), void *arg,
              struct rt_err *err);

/* The checks of rt_backup() alone. */
int rt_db_verify(const char *path, struct rt_err *err);

#endif
