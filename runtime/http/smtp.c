/* SPDX-License-Identifier: Apache-2.0
 *
 * Mail over the client's transfers. The server is the operator's choice, so its address is not checked; that
 * it may stand in a private network is the rule. */
#include <string.h>

#include "http/client_internal.h"

enum { ADDRESS_MAX = 254 };

static size_t send_message(char *out, size_t size, size_t n, void *arg)
{
    struct client_transfer *t = arg;
    size_t bytes = size * n < t->message.n ? size * n : t->message.n;
    memcpy(out, t->message.p, bytes);
    t->message.p += bytes;
    t->message.n -= bytes;
    return bytes;
}

int rt_client_mail_url(const char *url, struct rt_err *err)
{
    char *scheme = NULL, *host = NULL;
    CURLU *u = curl_url();
    bool good = u && !curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) &&
                !curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) && !curl_url_get(u, CURLUPART_HOST, &host, 0) && *host &&
                (strcmp(scheme, "smtp") == 0 || strcmp(scheme, "smtps") == 0);
    curl_free(scheme);
    curl_free(host);
    curl_url_cleanup(u);
    return good ? 0 : rt_err_set(err, RT_E_INVALID, "not an address like smtp://user:password@host:587");
}

static bool has_password(const char *url)
{
    char *password = NULL;
    CURLU *u = curl_url();
    bool has = u && !curl_url_set(u, CURLUPART_URL, url, 0) && !curl_url_get(u, CURLUPART_PASSWORD, &password, 0);
    curl_free(password);
    curl_url_cleanup(u);
    return has;
}

int rt_client_mail(struct rt_client *c, const struct rt_client_mail *m, rt_client_done *done, void *arg,
                   struct rt_err *err)
{
    char from[ADDRESS_MAX + 3], to[ADDRESS_MAX + 3];
    struct client_transfer *t = client__new(c, done, arg);
    snprintf(from, sizeof from, "<%s>", m->from);
    snprintf(to, sizeof to, "<%s>", m->to);
    if (!t || !(t->list = curl_slist_append(NULL, to))) {
        client__drop(t);
        return rt_err_set(err, RT_E_NOMEM, "no memory for a mail");
    }
    bool checked = strncmp(m->url, "smtps:", 6) == 0 || has_password(m->url);
    t->mail = true;
    t->message = m->message;
    curl_easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(t->easy, CURLOPT_USE_SSL, (long)CURLUSESSL_TRY);
    curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYPEER, checked ? 1L : 0L);
    curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYHOST, checked ? 2L : 0L);
    curl_easy_setopt(t->easy, CURLOPT_MAIL_FROM, from);
    curl_easy_setopt(t->easy, CURLOPT_MAIL_RCPT, t->list);
    curl_easy_setopt(t->easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(t->easy, CURLOPT_READFUNCTION, send_message);
    curl_easy_setopt(t->easy, CURLOPT_READDATA, t);
    int rc = curl_easy_setopt(t->easy, CURLOPT_URL, m->url) ? rt_err_set(err, RT_E_NOMEM, "no memory for a mail")
                                                            : client__start(t, err);
    if (rc)
        client__drop(t);
    return rc;
}
