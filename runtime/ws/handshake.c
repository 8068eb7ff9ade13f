/* SPDX-License-Identifier: Apache-2.0
 *
 * The opening handshake, RFC 6455 section 4.2. Method, host and the rest of the head were checked by the HTTP server;
 * a subprotocol or extension that a client offers is declined by not being named in the answer. */
#include <libwebsockets.h>

#include "ws/ws.h"

enum { KEY_CHARS = 24, KEY_MAX = 64, HASH_BYTES = 20 };

static const char GUID[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/* True when the list has the word, in any case. */
static bool names(struct rt_str list, const char *word)
{
    while (list.n > 0) {
        const char *comma = memchr(list.p, ',', list.n);
        size_t n = comma ? (size_t)(comma - list.p) : list.n;
        if (rt_str_ieq(rt_str_trim((struct rt_str){ list.p, n }), rt_str_of(word)))
            return true;
        n += comma != NULL;
        list = (struct rt_str){ list.p + n, list.n - n };
    }
    return false;
}

/* 16 bytes in base64. */
static bool is_key(struct rt_str key)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (key.n != KEY_CHARS || key.p[KEY_CHARS - 1] != '=' || key.p[KEY_CHARS - 2] != '=')
        return false;
    for (int i = 0; i < KEY_CHARS - 2; i++)
        if (!key.p[i] || !strchr(digits, key.p[i]))
            return false;
    return true;
}

static int refuse(int status, const char *why, const char **ret_why)
{
    *ret_why = why;
    return status;
}

int rt_ws_check(const struct rt_ws_hello *hello, const char **ret_why)
{
    if (!names(hello->upgrade, "websocket") || !rt_str_is(hello->method, "GET"))
        return refuse(426, "This address is a WebSocket", ret_why);
    if (!names(hello->connection, "Upgrade"))
        return refuse(400, "The Connection header does not say Upgrade", ret_why);
    if (!rt_str_is(rt_str_trim(hello->version), "13"))
        return refuse(426, "The version of the WebSocket protocol must be 13", ret_why);
    if (!is_key(rt_str_trim(hello->key)))
        return refuse(400, "The Sec-WebSocket-Key is not well-formed", ret_why);
    return 0;
}

void rt_ws_answer(struct rt_buf *out, struct rt_str key, const char *headers)
{
    unsigned char text[KEY_MAX + sizeof GUID], hash[HASH_BYTES];
    char accept[2 * HASH_BYTES];
    key = rt_str_trim(key);
    size_t n = key.n < KEY_MAX ? key.n : KEY_MAX;
    memcpy(text, key.p, n);
    memcpy(text + n, GUID, sizeof GUID - 1);
    lws_SHA1(text, n + sizeof GUID - 1, hash);
    lws_b64_encode_string((const char *)hash, HASH_BYTES, accept, sizeof accept);
    rt_buf_printf(out,
                  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Accept: %s\r\n%s\r\n",
                  accept, headers ? headers : "");
}
