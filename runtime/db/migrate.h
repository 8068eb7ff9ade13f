/* SPDX-License-Identifier: Apache-2.0
 *
 * Migrations: NNNN_verb_noun.sql files of a folder, applied in order, each in one transaction,
 * remembered with a checksum in perigee_migrations (set, number, name, checksum, applied_at). */
#ifndef RT_DB_MIGRATE_H
#define RT_DB_MIGRATE_H

#include "db/db.h"

/* Applies what is missing of `folder` under the name `set` ("runtime", an app). An applied file that
 * changed or vanished, a gap in the numbers or a broken statement is an error with file name and
 * statement line; nothing of that file is kept. `ret_applied` (nullable): how many were applied now. */
int rt_migrate(struct rt_conn *c, const char *set, const char *folder, int *ret_applied, struct rt_err *err);

/* 0 when everything in `folder` is applied, RT_E_NOTFOUND when some are missing. */
int rt_migrate_check(struct rt_conn *c, const char *set, const char *folder, struct rt_err *err);

#endif
