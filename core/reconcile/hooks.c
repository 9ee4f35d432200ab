// SPDX-License-Identifier: Apache-2.0
#include "reconcile/hooks.h"

#include "base/address.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ANSWER_READ_MAX = 64 * 1024, /* what follows isn't read: the status has said enough */
    ANSWER_QUOTED = 200,
};

struct hook_call {
    hook_fn *on_done;
    void *data;
    char *method;
    char *shown_url; /* without what may be secret in it */
    int *expected;
    size_t expected_count;
    int64_t timeout_ms;

    struct allow *allow;
    enum allow_verdict verdict;
    char *refused; /* why it may not go where it would have; NULL: it may */

    struct loop *loop;
    struct timer pretended; /* instead of the transfer */
    int pretended_result;
    CURLU *url;
    CURL *easy;
    struct curl_slist *headers;
    struct transfer *transfer;
    char trouble[CURL_ERROR_SIZE];
    struct text answer; /* as much as may be quoted */
    size_t answer_read;
    bool cut; /* the rest of the answer wasn't read */
    bool ended;
};

static void hook_call_free(struct hook_call *call)
{
    curl_easy_cleanup(call->easy);
    curl_url_cleanup(call->url);
    allow_unref(call->allow);
    free(call->refused);
    curl_slist_free_all(call->headers);
    text_done(&call->answer);
    free(call->method);
    free(call->shown_url);
    free(call->expected);
    free(call);
}

/* Messages end up in statuses, Events and logs, and others read those: no password, no query. */
static char *url_for_show(const char *url)
{
    static const CURLUPart secret[] = {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS,
                                       CURLUPART_QUERY, CURLUPART_FRAGMENT};
    char *shown = NULL;
    CURLU *parts = curl_url();
    if (curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK) {
        for (size_t i = 0; i < sizeof secret / sizeof *secret; i++)
            curl_url_set(parts, secret[i], NULL, 0);
        curl_url_get(parts, CURLUPART_URL, &shown, 0);
    }
    char *copy = shown ? str_copy(shown) : str_copy_n(url, strcspn(url, "?#"));
    curl_free(shown);
    curl_url_cleanup(parts);
    return copy;
}

static bool continues_character(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* The beginning of the answer as a piece of one line that is certainly UTF-8. */
static char *answer_quote(const struct text *answer)
{
    size_t length = answer->len;
    if (length > ANSWER_QUOTED)
        length = ANSWER_QUOTED;
    while (length && length < answer->len && continues_character(answer->at[length]))
        length--;
    char *quote = str_copy_n(answer->at ? answer->at : "", length);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)quote[i] < ' ' || quote[i] == 0x7f)
            quote[i] = ' ';
    text_mend(quote);
    while (length && quote[length - 1] == ' ')
        quote[--length] = '\0';
    return quote;
}

static bool is_expected(const struct hook_call *call, long status)
{
    for (size_t i = 0; i < call->expected_count; i++)
        if (call->expected[i] == status)
            return true;
    return call->expected_count == 0 && status >= 200 && status < 300;
}

/* A redirection isn't followed: where the plan says is where we call, and nowhere else. Calling
 * again would give the same, so it is a no, like a 4xx. */
static int answer_result(const struct hook_call *call, long status)
{
    if (is_expected(call, status))
        return HOOK_PASSED;
    if (status == 408 || status == 429)
        return HOOK_TROUBLE;
    return status >= 300 && status < 500 ? HOOK_REJECTED : HOOK_TROUBLE;
}

static void add_expected(struct text *message, const struct hook_call *call)
{
    for (size_t i = 0; i < call->expected_count; i++) {
        bool last = i + 1 == call->expected_count;
        text_puts(message, i == 0 ? ", expected " : last ? " or " : ", ");
        text_addf(message, "%d", call->expected[i]);
    }
}

static char *answer_message(const struct hook_call *call, long status)
{
    struct text message = {0};
    text_addf(&message, "%s %s answered %ld", call->method, call->shown_url, status);
    if (!is_expected(call, status)) {
        char *quote AUTO_FREE = answer_quote(&call->answer);
        add_expected(&message, call);
        if (*quote)
            text_addf(&message, ": %s", quote);
    }
    return text_steal(&message);
}

static char *silence_message(const struct hook_call *call, CURLcode result)
{
    if (call->refused)
        return str_format("%s isn't called: %s", call->shown_url, call->refused);
    if (result == CURLE_OPERATION_TIMEDOUT)
        return str_format("no answer from %s within %g s", call->shown_url,
                          (double)call->timeout_ms / 1000);
    return str_format("no answer from %s: %s", call->shown_url,
                      *call->trouble ? call->trouble : curl_easy_strerror(result));
}

static void on_transfer_done(void *data, CURLcode result)
{
    struct hook_call *call = data;
    long status = 0;
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    bool answered = result == CURLE_OK || (result == CURLE_WRITE_ERROR && call->cut);
    char *message AUTO_FREE =
        answered ? answer_message(call, status) : silence_message(call, result);
    call->ended = true;
    call->on_done(call->data, answered ? answer_result(call, status) : HOOK_TROUBLE, message);
    hook_call_free(call);
}

static size_t on_answer(char *bytes, size_t one, size_t count, void *data)
{
    struct hook_call *call = data;
    /* One more than is quoted, to know where a character ends. */
    size_t room = ANSWER_QUOTED + 1 - call->answer.len;
    text_add(&call->answer, bytes, count < room ? count : room);
    call->answer_read += count;
    call->cut = call->answer_read > ANSWER_READ_MAX;
    return call->cut ? 0 : count;
}

static char *hook_body(const struct hook_spec *spec)
{
    json_t *metadata = spec->hook->metadata;
    json_t *body AUTO_JSON =
        json_pack("{s:s, s:s, s:s, s:o}", "name", spec->name, "namespace", spec->ns, "phase",
                  spec->phase, "metadata", metadata ? json_incref(metadata) : json_object());
    return json_text(body);
}

static void header_add(struct hook_call *call, const char *name, const char *value)
{
    char *line AUTO_FREE = str_format("%s: %s", name, value);
    call->headers = curl_slist_append(call->headers, line);
}

/* Made of what is recorded, so that a controller that goes on after another stays in the trace. The
 * flag asks for it to be kept: hooks are few, and most receivers keep what they are asked to. */
static void header_add_trace(struct hook_call *call, const struct hook_spec *spec)
{
    char trace[HASH_HEX_SIZE], span[HASH_HEX_SIZE];
    char *each AUTO_FREE = str_format("%s/%d", spec->idempotency_key, spec->attempt);
    hash_sha256(spec->roll, strlen(spec->roll), trace);
    hash_sha256(each, strlen(each), span);
    char *value AUTO_FREE = str_format("00-%.32s-%.16s-01", trace, span);
    header_add(call, "traceparent", value);
}

/* ---- where it may go ---- */

static void refuse_name(struct hook_call *call)
{
    char *allowed AUTO_FREE = allow_text(call->allow);
    call->refused = str_format("hooks.allow in the config lets hooks go to %.300s", allowed);
}

static void refuse_address(struct hook_call *call, const char *address, const char *kind)
{
    char *allowed AUTO_FREE = call->allow ? allow_text(call->allow) : NULL;
    free(call->refused);
    call->refused =
        str_format("%s is %s, and hooks.allow in the config %s%.300s", address, kind,
                   allowed ? "lets hooks go to " : "has no such address", allowed ? allowed : "");
}

static bool may_go(struct hook_call *call, const struct sockaddr *address)
{
    char shown[INET6_ADDRSTRLEN] = "?";
    const char *kind = allow_refusal(call->allow, call->verdict, address);
    if (!kind)
        return true;
    if (address->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr, shown,
                  sizeof shown);
    else if (address->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, shown,
                  sizeof shown);
    refuse_address(call, shown, kind);
    return false;
}

static curl_socket_t on_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
    if (!may_go(data, &address->addr))
        return CURL_SOCKET_BAD;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Before each request, on a connection that was there already too: another hook may have made it.
 */
static int on_connected(void *data, char *remote, char *local, int remote_port, int local_port)
{
    union address address = {0};
    if (inet_pton(AF_INET, remote, &address.v4.sin_addr) == 1)
        address.any.sa_family = AF_INET;
    else if (inet_pton(AF_INET6, remote, &address.v6.sin6_addr) == 1)
        address.any.sa_family = AF_INET6;
    return may_go(data, &address.any) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static void apply_limits(struct hook_call *call)
{
    CURL *easy = call->easy;
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, call);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
}

/* ---- the call ---- */

static void apply_connection(struct hook_call *call)
{
    CURL *easy = call->easy;
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)call->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_answer);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->trouble);
}

static void apply_request(struct hook_call *call, const struct hook_spec *spec)
{
    CURL *easy = call->easy;
    char attempt[16];
    snprintf(attempt, sizeof attempt, "%d", spec->attempt);
    header_add(call, "Idempotency-Key", spec->idempotency_key);
    header_add(call, "Sluice-Attempt", attempt);
    header_add_trace(call, spec);
    /* What was judged is what is called, by one reading of it. */
    if (call->url)
        curl_easy_setopt(easy, CURLOPT_CURLU, call->url);
    else
        curl_easy_setopt(easy, CURLOPT_URL, spec->hook->url);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "sluice/" SLUICE_VERSION);
    if (!str_equal(call->method, "GET")) {
        char *body AUTO_FREE = hook_body(spec);
        header_add(call, "Content-Type", "application/json");
        header_add(call, "Expect", "");
        curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, body);
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
}

static void on_pretended(void *data)
{
    struct hook_call *call = data;
    call->ended = true;
    call->on_done(call->data, call->pretended_result, "nobody was called");
    hook_call_free(call);
}

static void on_refused(void *data)
{
    on_transfer_done(data, CURLE_URL_MALFORMAT);
}

/* NULL: curl can't read it, and will say so. */
static CURLU *url_read(const char *text)
{
    CURLU *url = curl_url();
    if (curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK)
        return url;
    curl_url_cleanup(url);
    return NULL;
}

static struct hook_call *hook_call_new(struct loop *loop, const struct hook_spec *spec,
                                       hook_fn *on_done, void *data)
{
    const struct hook *hook = spec->hook;
    struct hook_call *call = mem_alloc(sizeof *call);
    call->loop = loop;
    call->on_done = on_done;
    call->data = data;
    call->method = str_copy(hook->method);
    call->shown_url = url_for_show(hook->url);
    call->expected = mem_copy(hook->expected, hook->expected_count * sizeof *hook->expected);
    call->expected_count = hook->expected_count;
    call->timeout_ms = spec->timeout_ms;
    call->allow = allow_ref(spec->allow);
    call->url = url_read(hook->url);
    call->verdict = call->url ? allow_url(call->allow, call->url) : ALLOW_BY_NAME;
    return call;
}

struct hook_call *hook_start(struct loop *loop, const struct hook_spec *spec, hook_fn *on_done,
                             void *data)
{
    struct hook_call *call = hook_call_new(loop, spec, on_done, data);
    call->easy = curl_easy_init();
    if (!call->easy)
        abort(); /* out of memory, like mem_alloc() */
    if (call->verdict == ALLOW_NOT) {
        refuse_name(call);
        timer_start(loop, &call->pretended, 0, on_refused, call);
        return call;
    }
    apply_connection(call);
    apply_limits(call);
    apply_request(call, spec);
    call->transfer = transfer_start(loop, LANE_REQUESTS, call->easy, on_transfer_done, call);
    return call;
}

struct hook_call *hook_pretend(struct loop *loop, int result, hook_fn *on_done, void *data)
{
    struct hook_call *call = mem_alloc(sizeof *call);
    call->loop = loop;
    call->on_done = on_done;
    call->data = data;
    call->pretended_result = result;
    timer_start(loop, &call->pretended, 0, on_pretended, call);
    return call;
}

void hook_cancel(struct hook_call *call)
{
    if (!call || call->ended)
        return;
    timer_stop(call->loop, &call->pretended);
    transfer_stop(call->transfer);
    hook_call_free(call);
}
