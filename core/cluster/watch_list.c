// SPDX-License-Identifier: Apache-2.0
/* Listing, page by page; each item is decoded and told while it arrives. */
#include "base/alloc.h"
#include "base/json.h"
#include "cluster/object_text.h"
#include "cluster/watch_inside.h"

#include <malloc.h>
#include <string.h>

/* Items of built-in kinds don't say what they are: the list does. */
static void item_complete(const struct watch *watch, json_t *item)
{
    const char *kind = list_decode_kind(watch->decode);
    const char *version = list_decode_api_version(watch->decode);
    size_t length = strlen(kind);
    if (length > 4 && str_equal(kind + length - 4, "List") && !json_object_get(item, "kind"))
        json_object_set_new(item, "kind", json_stringn(kind, length - 4));
    if (*version && !json_object_get(item, "apiVersion"))
        json_object_set_new(item, "apiVersion", json_string(version));
}

static int on_item(void *data, const char *bytes, size_t count)
{
    struct watch *watch = data;
    json_t *item AUTO_JSON = object_parse(bytes, count);
    if (!item) {
        watch->cluster->counts.undecodable++;
        return OK;
    }
    item_complete(watch, item);
    watch_put(watch, item);
    return watch->closed ? ERR_GONE : OK;
}

bool list_take(struct watch *watch)
{
    struct error err = {0};
    struct text arrived AUTO(text_done) = watch->exchange.body;
    watch->exchange.body = (struct text){0};
    int code = list_decode_feed(watch->decode, arrived.at, arrived.len, &err);
    if (code == OK || watch->closed)
        return !watch->closed;
    exchange_stop(&watch->exchange);
    error_prefix(&err, "GET %s", watch->path);
    watch_trouble(watch, &err, 0);
    return false;
}

static void list_complete(struct watch *watch)
{
    str_replace(&watch->version, list_decode_version(watch->decode));
    str_replace(&watch->next_page, NULL);
    list_decode_free(watch->decode);
    watch->decode = NULL;
    watch->not_found = 0;
    watch_forget_old(watch);
    watch->synced = true;
    if (watch->known.count > WATCH_PAGE)
        malloc_trim(0); /* what the pages took */
    if (watch->events.on_synced && !watch->closed)
        watch->events.on_synced(watch->data);
    struct error fine = {0};
    watch_tell_state(watch, &fine);
    watch_begin_after(watch, 0);
}

void list_ended(struct watch *watch, const struct exchange_end *end)
{
    struct error err = {0};
    if (!watch_answer(watch, end) || !list_take(watch))
        return;
    if (list_decode_end(watch->decode, &err) < 0) {
        error_prefix(&err, "GET %s", watch->path);
        watch_trouble(watch, &err, 0);
        return;
    }
    if (!*list_decode_continue(watch->decode)) {
        list_complete(watch);
        return;
    }
    str_replace(&watch->next_page, list_decode_continue(watch->decode));
    watch_begin_after(watch, 0);
}

void list_begin(struct watch *watch)
{
    watch->phase = LISTING;
    list_decode_free(watch->decode);
    watch->decode = list_decode_new(watch->cluster->body_limit, on_item, watch);
    char *page = watch->next_page ? curl_easy_escape(NULL, watch->next_page, 0) : NULL;
    char *query AUTO_FREE =
        str_format("limit=%d%s%s", WATCH_PAGE, page ? "&continue=" : "", page ? page : "");
    curl_free(page);
    watch_send(watch,
               watch->metadata_only
                   ? "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
                   : NULL,
               query, watch->cluster->timeout_ms);
}
