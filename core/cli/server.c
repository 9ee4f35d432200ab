// SPDX-License-Identifier: Apache-2.0
#include "cli/server.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"

#include <curl/curl.h>

#define PORT_DEFAULT "8474"

const struct flag flag_server = {
    .name = "server",
    .letter = 's',
    .value = "ADDRESS",
    .text =
        "where the controller answers, as serve.listen in its config says (default: " SERVER_DEFAULT
        ")",
};

enum { TIMEOUT_MS = 10 * 1000, ANSWER_LIMIT = 16 << 20 };

/* The caller frees *ret_url with curl_free(). */
static int make_url(const char *server, const char *path, char **ret_url, struct error *err)
{
    CURLU *url = curl_url();
    char *port = NULL;
    CURLUcode code = curl_url_set(url, CURLUPART_URL, server, CURLU_DEFAULT_SCHEME);
    if (code == CURLUE_OK)
        code = curl_url_set(url, CURLUPART_SCHEME, "http", 0);
    if (code == CURLUE_OK)
        code = curl_url_set(url, CURLUPART_PATH, path, 0);
    if (code == CURLUE_OK && curl_url_get(url, CURLUPART_PORT, &port, 0) != CURLUE_OK)
        code = curl_url_set(url, CURLUPART_PORT, PORT_DEFAULT, 0);
    if (code == CURLUE_OK)
        code = curl_url_get(url, CURLUPART_URL, ret_url, 0);
    curl_free(port);
    curl_url_cleanup(url);
    if (code == CURLUE_OK)
        return OK;
    return error_set(err, ERR_INVALID,
                     "expected an address and a port, such as " SERVER_DEFAULT ", found \"%s\"",
                     server);
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *data)
{
    struct text *body = data;
    if (body->len + size * count > ANSWER_LIMIT)
        return 0;
    text_add(body, bytes, size * count);
    return size * count;
}

static CURLcode fetch(CURL *curl, const char *url, struct text *body, long *ret_status)
{
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, ret_status);
    return code;
}

int server_text(const char *server, const char *path, struct text *ret_body, struct error *err)
{
    char *url = NULL, words[CURL_ERROR_SIZE] = "";
    struct text body AUTO(text_done) = {0};
    long status = 0;
    int code = make_url(server, path, &url, err);
    if (code < 0)
        return code;
    CURL *curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, words);
    CURLcode result = fetch(curl, url, &body, &status);
    if (result != CURLE_OK)
        code = error_set(err, ERR_RETRY, "GET %s: %s", url,
                         *words ? words : curl_easy_strerror(result));
    else if (status != 200)
        code = error_set(err, ERR_MISSING, "GET %s: answered with status %ld, expected 200", url,
                         status);
    curl_easy_cleanup(curl);
    curl_free(url);
    if (code == OK)
        text_add(ret_body, body.at ? body.at : "", body.len);
    return code;
}

int server_get(const char *server, const char *path, json_t **ret_answer, struct error *err)
{
    struct text body AUTO(text_done) = {0};
    int code = server_text(server, path, &body, err);
    if (code == OK && json_parse(body.at, body.len, ret_answer, err) < 0) {
        error_prefix(err, "GET %s from %s: expected the JSON of a controller", path, server);
        code = err->code = ERR_MISSING;
    }
    return code;
}
