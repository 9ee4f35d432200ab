// SPDX-License-Identifier: Apache-2.0
/* Exchanges with an API server in this process. */
#include "cluster/cluster_private.h"
#include "cluster/exchange.h"

static void on_some(void *data, int status, const char *bytes, size_t count)
{
    struct exchange *exchange = data;
    exchange->good = status >= 200 && status < 300;
    exchange->too_large |= exchange->body.len + count > exchange->spec.body_limit;
    if (exchange->too_large)
        return;
    text_add(&exchange->body, bytes, count);
    exchange_tell_some(exchange);
}

static void on_end(void *data, const struct carried_end *ended)
{
    struct exchange *exchange = data;
    struct exchange_end end = {.status = ended->cut ? 0 : ended->status,
                               .retry_after_ms = ended->retry_after_s * 1000};
    exchange->carried = NULL;
    if (!end.status)
        error_set(&end.error, ERR_RETRY, "no answer: the connection was cut");
    if (exchange->too_large) {
        end.status = 0;
        exchange_too_large(exchange, &end.error);
    }
    exchange_release(exchange);
    exchange->on_end(exchange->data, &end);
}

void exchange_carry(struct exchange *exchange)
{
    static const struct carried_events events = {on_some, on_end};
    const struct exchange_spec *spec = &exchange->spec;
    const struct carrier *carrier = &exchange->cluster->carrier;
    const struct carried_request request = {
        .method = spec->method,
        .path = spec->path,
        .body = spec->body,
        .content_type = spec->content_type ? spec->content_type : "application/json",
        .accept = spec->accept ? spec->accept : "application/json",
        .user_agent = exchange->cluster->user_agent,
    };
    exchange->carried = carrier->start(carrier->server, &request, &events, exchange);
}
