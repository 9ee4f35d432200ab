// SPDX-License-Identifier: Apache-2.0
#include "cluster/exchange.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "cluster/access_private.h"
#include "cluster/cluster_private.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum {
    CONNECT_MS = 5 * 1000,
    /* A connection whose other end has vanished is given up by the kernel: sent data that stays
     * unacknowledged, or probes of an idle connection that stay unanswered, for this long. HTTP/2
     * pings would do more, but curl has none for multi handles; sockets.h does the rest. */
    DEAD_AFTER_MS = 15 * 1000,
    PROBE_AFTER_S = 15,
    PROBE_EACH_S = 5,
    READ_BYTES = 16 * 1024,
};

void exchange_release(struct exchange *exchange)
{
    if (exchange->carried)
        exchange->cluster->carrier.stop(exchange->carried);
    exchange->carried = NULL;
    transfer_stop(exchange->transfer);
    exchange->transfer = NULL;
    timer_stop(cluster_loop(exchange->cluster), &exchange->some);
    curl_easy_cleanup(exchange->easy);
    exchange->easy = NULL;
    curl_slist_free_all(exchange->headers);
    exchange->headers = NULL;
    free(exchange->trouble);
    exchange->trouble = NULL;
}

void exchange_stop(struct exchange *exchange)
{
    if (!exchange->cluster)
        return;
    if (exchange->renewing)
        access_forget(exchange->cluster->access, exchange);
    exchange->renewing = false;
    exchange_release(exchange);
    timer_stop(cluster_loop(exchange->cluster), &exchange->failed);
    free(exchange->failure);
    exchange->failure = NULL;
    text_done(&exchange->body);
}

static void on_some_timer(void *data)
{
    struct exchange *exchange = data;
    exchange->on_some(exchange->data);
}

void exchange_tell_some(struct exchange *exchange)
{
    if (exchange->good && exchange->on_some && !timer_running(&exchange->some))
        timer_start(cluster_loop(exchange->cluster), &exchange->some, 0, on_some_timer, exchange);
}

/* curl's callbacks run inside curl, where nothing may be started or stopped: they only collect, and
 * the owner is told by a timer. */
static void exchange_tell(struct exchange *exchange)
{
    long status = 0;
    curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    exchange->good = status >= 200 && status < 300;
    exchange_tell_some(exchange);
}

static size_t on_curl_write(char *bytes, size_t one, size_t count, void *data)
{
    struct exchange *exchange = data;
    if (exchange->body.len + count > exchange->spec.body_limit) {
        exchange->too_large = true;
        return 0;
    }
    text_add(&exchange->body, bytes, count);
    exchange_tell(exchange);
    return count;
}

static size_t on_curl_header(char *bytes, size_t one, size_t count, void *data)
{
    if (count == 2 && bytes[0] == '\r')
        exchange_tell(data);
    return count;
}

static int on_curl_socket(void *data, curl_socket_t fd, curlsocktype purpose)
{
    struct cluster *cluster = data;
    unsigned dead_after = DEAD_AFTER_MS;
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead_after, sizeof dead_after);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    sockets_add(&cluster->sockets, fd);
    return CURL_SOCKOPT_OK;
}

static void exchange_fail(struct exchange *exchange, const struct error *err);

/* Whether curl failed before a request can have left. */
static bool is_unsent(CURLcode result)
{
    switch ((int)result) {
    case CURLE_FAILED_INIT:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
        return true;
    default:
        return false;
    }
}

static bool is_untrusted(CURLcode result)
{
    switch ((int)result) {
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return true;
    default:
        return false;
    }
}

void exchange_too_large(const struct exchange *exchange, struct error *err)
{
    error_set(err, ERR_LIMIT, "the answer is larger than %zu bytes", exchange->spec.body_limit);
}

static bool is_held_back(const struct exchange *exchange)
{
    return exchange->spec.fenced && !cluster_may_write(exchange->cluster);
}

/* The connection is there, however long that took, and what curl does next is to send the request:
 * no process can be stopped for long between this look and the write but by being stopped right
 * here. */
static int on_curl_before_request(void *data, char *address, char *own_address, int port,
                                  int own_port)
{
    (void)address;
    (void)own_address;
    (void)port;
    (void)own_port;
    return is_held_back(data) ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static void no_answer(const struct exchange *exchange, CURLcode result, struct exchange_end *end)
{
    const char *trouble = exchange->trouble;
    if (!trouble || !*trouble)
        trouble = curl_easy_strerror(result);
    end->status = 0;
    end->untrusted = is_untrusted(result);
    end->fenced = result == CURLE_ABORTED_BY_CALLBACK;
    end->unsent = end->untrusted || end->fenced || is_unsent(result);
    end->timed_out = result == CURLE_OPERATION_TIMEDOUT;
    if (exchange->too_large)
        exchange_too_large(exchange, &end->error);
    else
        error_set(&end->error, ERR_RETRY, "no answer from %s: %s",
                  access_server(exchange->cluster->access), trouble);
}

static void exchange_go(struct exchange *exchange);

static void on_renewed(void *data, const struct error *err)
{
    struct exchange *exchange = data;
    exchange->renewing = false;
    if (err->code < 0)
        exchange_fail(exchange, err);
    else
        exchange_go(exchange);
}

static void exchange_renew(struct exchange *exchange, bool rejected)
{
    exchange->renewing = true;
    exchange->renewed = rejected;
    access_renew(exchange->cluster->access, cluster_loop(exchange->cluster), rejected, on_renewed,
                 exchange);
}

static void on_transfer_done(void *data, CURLcode result)
{
    struct exchange *exchange = data;
    struct exchange_end end = {0};
    long status = 0;
    curl_off_t retry_after = 0;
    exchange->transfer = NULL;
    curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(exchange->easy, CURLINFO_RETRY_AFTER, &retry_after);
    end.status = (int)status;
    end.retry_after_ms = retry_after > 0 ? retry_after * 1000 : 0;
    /* A refusal counts even when its body is lost: the API server closes the connection behind a
     * 401, and curl 7.88 then drops what it hasn't read yet. */
    if (result != CURLE_OK && status >= 400)
        text_clear(&exchange->body);
    else if (result != CURLE_OK)
        no_answer(exchange, result, &end);
    if (result == CURLE_OPERATION_TIMEDOUT)
        sockets_drop_silent(&exchange->cluster->sockets, clock_monotonic_ms() - exchange->began_ms);
    exchange_release(exchange);
    if (end.status == 401 && !exchange->renewed && access_renewable(exchange->cluster->access)) {
        text_clear(&exchange->body);
        exchange_renew(exchange, true);
        return;
    }
    exchange->on_end(exchange->data, &end);
}

static void on_failed_timer(void *data)
{
    struct exchange *exchange = data;
    struct exchange_end end = {.unsent = true, .error = *exchange->failure};
    end.fenced = is_held_back(exchange);
    free(exchange->failure);
    exchange->failure = NULL;
    exchange->on_end(exchange->data, &end);
}

/* Ends it in the next turn: whoever started it expects to be told later. */
static void exchange_fail(struct exchange *exchange, const struct error *err)
{
    exchange_release(exchange);
    exchange->failure = mem_copy(err, sizeof *err);
    timer_start(cluster_loop(exchange->cluster), &exchange->failed, 0, on_failed_timer, exchange);
}

static void header_add(struct exchange *exchange, const char *name, const char *value)
{
    char *line AUTO_FREE = str_format("%s: %s", name, value);
    exchange->headers = curl_slist_append(exchange->headers, line);
}

/* Over TLS the handshake tells whether requests can share the connection that is being made, and so
 * it is worth waiting for. Without TLS only the first answer would, and that may take for ever. */
static void apply_version(struct exchange *exchange)
{
    bool tls = strncmp(access_url(exchange->cluster->access), "https:", 6) == 0;
    curl_easy_setopt(exchange->easy, CURLOPT_HTTP_VERSION,
                     (long)(tls ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(exchange->easy, CURLOPT_PIPEWAIT, tls ? 1L : 0L);
}

static void apply_connection(struct exchange *exchange)
{
    CURL *easy = exchange->easy;
    apply_version(exchange);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)exchange->spec.timeout_ms);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, (long)PROBE_AFTER_S);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, (long)PROBE_EACH_S);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_curl_socket);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, exchange->cluster);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_curl_before_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)READ_BYTES);
}

static void apply_request(struct exchange *exchange)
{
    const struct exchange_spec *spec = &exchange->spec;
    CURL *easy = exchange->easy;
    char *url AUTO_FREE = str_format("%s%s", access_url(exchange->cluster->access), spec->path);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L); /* a name may say ".." */
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, spec->method);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, exchange->cluster->user_agent);
    header_add(exchange, "Accept", spec->accept ? spec->accept : "application/json");
    if (spec->body) {
        header_add(exchange, "Content-Type",
                   spec->content_type ? spec->content_type : "application/json");
        header_add(exchange, "Expect", "");
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(spec->body));
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, spec->body);
    }
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_curl_write);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_curl_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    exchange->trouble = mem_alloc(CURL_ERROR_SIZE);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->trouble);
}

static void exchange_go(struct exchange *exchange)
{
    struct error err = {0};
    if (is_held_back(exchange)) {
        error_set(&err, ERR_RETRY, "not the time to write");
        exchange_fail(exchange, &err);
        return;
    }
    if (exchange->cluster->carrier.start) {
        exchange_carry(exchange);
        return;
    }
    exchange->easy = curl_easy_init();
    if (!exchange->easy) {
        error_set(&err, ERR_RETRY, "curl_easy_init failed");
        exchange_fail(exchange, &err);
        return;
    }
    apply_connection(exchange);
    apply_request(exchange);
    if (access_apply(exchange->cluster->access, exchange->easy, &exchange->headers, &err) < 0) {
        exchange_fail(exchange, &err);
        return;
    }
    curl_easy_setopt(exchange->easy, CURLOPT_HTTPHEADER, exchange->headers);
    exchange->began_ms = clock_monotonic_ms();
    exchange->transfer = transfer_start(cluster_loop(exchange->cluster), exchange->spec.lane,
                                        exchange->easy, on_transfer_done, exchange);
}

void exchange_start(struct exchange *exchange)
{
    exchange->too_large = exchange->good = false;
    text_clear(&exchange->body);
    exchange_renew(exchange, false);
}
