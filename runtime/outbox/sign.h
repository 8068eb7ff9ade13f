/* SPDX-License-Identifier: Apache-2.0
 *
 * The signature of Standard Webhooks (v1): HMAC-SHA256 over "id.timestamp.body". Any thread. */
#ifndef RT_OUTBOX_SIGN_H
#define RT_OUTBOX_SIGN_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum { RT_SIGNATURE_BYTES = 3 + 44 + 1, RT_SECRET_MAX = 255 };

/* "v1,<base64>", terminated. The key is what "whsec_" and base64 stand for, else the secret's own bytes. */
int rt_sign_webhook(struct rt_str secret, struct rt_str id, int64_t timestamp, struct rt_str body,
                    char out[RT_SIGNATURE_BYTES]);

#endif
