/* SPDX-License-Identifier: Apache-2.0
 *
 * Between writer.c and mailbox.c. */
#ifndef RT_DB_WRITER_INTERNAL_H
#define RT_DB_WRITER_INTERNAL_H

#include "db/writer.h"

/* Hands the transaction to its worker (any thread): a turn if tx->granted_now, else its outcome. False when the
 * mailbox is closed. */
bool mailbox__post(struct rt_mailbox *m, struct rt_tx *tx);
/* The worker received the turn: opens the savepoint and calls tx->granted. */
void writer__granted(struct rt_tx *tx);
/* The turn came too late for its worker: it goes to the next. */
void writer__declined(struct rt_tx *tx);

#endif
