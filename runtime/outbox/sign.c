/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets of both forms are in use: those made for Standard Webhooks stand for bytes, those that people
 * choose are text (decision X-15). */
#include "outbox/sign.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "crypto/hash.h"

static size_t signing_key(struct rt_str secret, uint8_t out[RT_SECRET_MAX])
{
    static const char prefix[] = "whsec_";
    size_t skip = sizeof prefix - 1;
    if (secret.n > skip && memcmp(secret.p, prefix, skip) == 0) {
        long n = rt_base64_decode(secret.p + skip, secret.n - skip, out);
        if (n > 0)
            return (size_t)n;
    }
    memcpy(out, secret.p, secret.n);
    return secret.n;
}

int rt_sign_webhook(struct rt_str secret, struct rt_str id, int64_t timestamp, struct rt_str body,
                    char out[RT_SIGNATURE_BYTES])
{
    uint8_t key[RT_SECRET_MAX], mac[32];
    struct rt_buf text;
    if (secret.n > RT_SECRET_MAX)
        return RT_E_LIMIT;
    rt_buf_init(&text, 0);
    rt_buf_put(&text, id.p, id.n);
    rt_buf_printf(&text, ".%lld.", (long long)timestamp);
    rt_buf_put(&text, body.p, body.n);
    int rc = text.failed ? RT_E_NOMEM : 0;
    if (rc == 0) {
        rt_hmac_sha256(key, signing_key(secret, key), text.data, text.len, mac);
        memcpy(out, "v1,", 3);
        rt_base64(mac, sizeof mac, out + 3);
    }
    rt_buf_fini(&text);
    return rc;
}
