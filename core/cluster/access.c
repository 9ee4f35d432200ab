// SPDX-License-Identifier: Apache-2.0
#include "base/alloc.h"
#include "cluster/access_private.h"

#include <stdlib.h>
#include <string.h>

/* Somebody who waits for the credentials to be renewed. */
struct access_waiter {
    struct list link;
    access_fn *on_ready;
    void *data;
};

static void waiters_drop(struct list *head, const void *data)
{
    for (struct list *at = head->next, *next; at != head; at = next) {
        struct access_waiter *waiter = list_entry(at, struct access_waiter, link);
        next = at->next;
        if (data && waiter->data != data)
            continue;
        list_remove(at);
        free(waiter);
    }
}

void access_free(struct access *access)
{
    if (!access)
        return;
    exec_plugin_free(access->exec);
    waiters_drop(&access->waiting, NULL);
    waiters_drop(&access->serving, NULL);
    file_text_done(&access->ca);
    file_text_done(&access->certificate);
    file_text_done(&access->key);
    file_text_done(&access->token);
    curl_slist_free_all(access->impersonate);
    free(access->server);
    free(access->ns);
    free(access->source);
    free(access->url);
    curl_slist_free_all(access->connect_to);
    free(access->host);
    free(access->proxy);
    free(access->basic);
    free(access);
}

const char *access_server(const struct access *access)
{
    return access->server;
}

const char *access_source(const struct access *access)
{
    return access->source;
}

const char *access_namespace(const struct access *access)
{
    return access->ns;
}

const char *access_url(const struct access *access)
{
    return access->url;
}

/* The parts of the server's URL; each is freed with curl_free(). */
struct url_parts {
    char *scheme, *host, *port, *path;
};

static void url_parts_done(struct url_parts *parts)
{
    curl_free(parts->scheme);
    curl_free(parts->host);
    curl_free(parts->port);
    curl_free(parts->path);
}

static bool url_split(const char *url, struct url_parts *parts)
{
    CURLU *handle = curl_url();
    bool good =
        curl_url_set(handle, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(handle, CURLUPART_SCHEME, &parts->scheme, 0) == CURLUE_OK &&
        curl_url_get(handle, CURLUPART_HOST, &parts->host, 0) == CURLUE_OK &&
        curl_url_get(handle, CURLUPART_PORT, &parts->port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
        curl_url_get(handle, CURLUPART_PATH, &parts->path, 0) == CURLUE_OK;
    curl_url_cleanup(handle);
    return good && (str_equal(parts->scheme, "https") || str_equal(parts->scheme, "http"));
}

static bool is_loopback(const char *host)
{
    return str_equal(host, "localhost") || str_equal(host, "[::1]") ||
           strncmp(host, "127.", 4) == 0;
}

/* curl takes the name that it verifies and sends as SNI from the URL, so under another TLS name
 * the URL carries that, and curl is told where to connect instead. */
static void server_rename(struct access *access, const struct url_parts *parts,
                          const char *tls_name)
{
    access->url = str_format("%s://%s:%s%s", parts->scheme, tls_name, parts->port, parts->path);
    char *place AUTO_FREE =
        str_format("%s:%s:%s:%s", tls_name, parts->port, parts->host, parts->port);
    access->connect_to = curl_slist_append(NULL, place);
    access->host = str_format("Host: %s:%s", parts->host, parts->port);
}

int access_set_server(struct access *access, const char *server, const char *tls_name,
                      const char *at, struct error *err)
{
    struct url_parts parts AUTO(url_parts_done) = {0};
    char *text AUTO_FREE =
        strstr(server, "://") ? str_copy(server) : str_format("https://%s", server);
    if (!url_split(text, &parts))
        return error_at(err, ERR_INVALID, at,
                        "%s: \"%s\" is not the URL of a server, such as https://10.0.0.1:6443", at,
                        server);
    for (size_t end = strlen(parts.path); end && parts.path[end - 1] == '/'; end--)
        parts.path[end - 1] = '\0';
    access->server = str_format("%s://%s:%s%s", parts.scheme, parts.host, parts.port, parts.path);
    access->loopback = is_loopback(parts.host);
    if (tls_name && str_equal(parts.scheme, "https"))
        server_rename(access, &parts, tls_name);
    else
        access->url = str_copy(access->server);
    return OK;
}

/* Answers everybody who waits. What they start themselves waits for the next run. */
static void on_exec_end(void *data, const struct error *err)
{
    struct access *access = data;
    struct list *serving = &access->serving;
    while (!list_empty(&access->waiting)) {
        struct list *first = access->waiting.next;
        list_remove(first);
        list_append(serving, first);
    }
    while (!list_empty(serving)) {
        struct access_waiter *waiter = list_entry(serving->next, struct access_waiter, link);
        struct access_waiter answer = *waiter;
        list_remove(&waiter->link);
        free(waiter);
        answer.on_ready(answer.data, err);
    }
}

bool access_renewable(const struct access *access)
{
    return access->exec || access->token.path || access->certificate.path;
}

void access_renew(struct access *access, struct loop *loop, bool rejected, access_fn *on_ready,
                  void *data)
{
    struct error fine = {0};
    if (rejected) {
        file_text_refresh(&access->token);
        file_text_refresh(&access->certificate);
        file_text_refresh(&access->key);
    }
    if (!access->exec || !exec_plugin_due(access->exec, rejected)) {
        on_ready(data, &fine);
        return;
    }
    struct access_waiter *waiter = mem_alloc(sizeof *waiter);
    waiter->on_ready = on_ready;
    waiter->data = data;
    list_append(&access->waiting, &waiter->link);
    exec_plugin_run(access->exec, loop, on_exec_end, access);
}

void access_forget(struct access *access, void *data)
{
    waiters_drop(&access->waiting, data);
    waiters_drop(&access->serving, data);
}

static void apply_blob(CURL *easy, CURLoption option, const char *bytes, size_t count)
{
    union {
        const char *in;
        void *out;
    } at = {.in = bytes};
    struct curl_blob blob = {.data = at.out, .len = count, .flags = CURL_BLOB_COPY};
    curl_easy_setopt(easy, option, &blob);
}

static int apply_file(CURL *easy, CURLoption option, struct file_text *file, struct error *err)
{
    const char *text;
    size_t length;
    if (!file_text_given(file))
        return OK;
    int code = file_text_get(file, &text, &length, err);
    if (code == OK)
        apply_blob(easy, option, text, length);
    return code;
}

static int apply_certificate(struct access *access, CURL *easy, struct error *err)
{
    const struct exec_credential *exec = access->exec ? exec_plugin_credential(access->exec) : NULL;
    curl_easy_setopt(easy, CURLOPT_SSLCERTTYPE, "PEM");
    curl_easy_setopt(easy, CURLOPT_SSLKEYTYPE, "PEM");
    /* An encrypted key must fail, not make OpenSSL ask on the terminal. */
    curl_easy_setopt(easy, CURLOPT_KEYPASSWD, "");
    if (exec && exec->certificate) {
        apply_blob(easy, CURLOPT_SSLCERT_BLOB, exec->certificate, strlen(exec->certificate));
        apply_blob(easy, CURLOPT_SSLKEY_BLOB, exec->key, strlen(exec->key));
        return OK;
    }
    int code = apply_file(easy, CURLOPT_SSLCERT_BLOB, &access->certificate, err);
    return code == OK ? apply_file(easy, CURLOPT_SSLKEY_BLOB, &access->key, err) : code;
}

static int apply_tls(struct access *access, CURL *easy, struct error *err)
{
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, access->insecure ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, access->insecure ? 0L : 2L);
    int code = apply_file(easy, CURLOPT_CAINFO_BLOB, &access->ca, err);
    return code == OK ? apply_certificate(access, easy, err) : code;
}

static int apply_bearer(const char *token, struct curl_slist **headers, struct error *err)
{
    token += strspn(token, " \t\r\n");
    size_t length = strcspn(token, " \t\r\n");
    if (token[length + strspn(token + length, " \t\r\n")])
        return error_set(err, ERR_INVALID, "the token contains white space");
    char *line AUTO_FREE = str_format("Authorization: Bearer %.*s", (int)length, token);
    *headers = curl_slist_append(*headers, line);
    return OK;
}

static int apply_authorization(struct access *access, CURL *easy, struct curl_slist **headers,
                               struct error *err)
{
    const struct exec_credential *exec = access->exec ? exec_plugin_credential(access->exec) : NULL;
    if (exec && exec->token)
        return apply_bearer(exec->token, headers, err);
    if (file_text_given(&access->token)) {
        const char *token;
        size_t length;
        int code = file_text_get(&access->token, &token, &length, err);
        return code == OK ? apply_bearer(token, headers, err) : code;
    }
    if (access->basic) {
        curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(easy, CURLOPT_USERPWD, access->basic);
    }
    return OK;
}

int access_apply(struct access *access, CURL *easy, struct curl_slist **headers, struct error *err)
{
    int code = apply_tls(access, easy, err);
    if (code == OK)
        code = apply_authorization(access, easy, headers, err);
    if (code < 0)
        return code;
    for (struct curl_slist *line = access->impersonate; line; line = line->next)
        *headers = curl_slist_append(*headers, line->data);
    if (access->connect_to) {
        curl_easy_setopt(easy, CURLOPT_CONNECT_TO, access->connect_to);
        *headers = curl_slist_append(*headers, access->host);
    }
    if (access->proxy)
        curl_easy_setopt(easy, CURLOPT_PROXY, access->proxy);
    else if (access->loopback)
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    return OK;
}
