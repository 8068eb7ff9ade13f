/* SPDX-License-Identifier: Apache-2.0
 *
 * A backup in one file: a tar archive of plain files, the last of which lists the digests of the others. */
#ifndef RT_SERVER_ARCHIVE_H
#define RT_SERVER_ARCHIVE_H

#include "base/err.h"

/* Packs `folder`/name for each of the n names into the new file `path` (0600), synced. */
int rt_archive_pack(const char *path, const char *folder, const char *const *names, int n, struct rt_err *err);
/* Writes every member into `folder`, which must be empty, after all digests were compared. RT_E_INVALID for anything
 * that is not a whole archive of ours. */
int rt_archive_unpack(const char *path, const char *folder, struct rt_err *err);

#endif
