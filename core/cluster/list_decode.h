// SPDX-License-Identifier: Apache-2.0
/*
 * Takes a Kubernetes list apart while it arrives: bytes go in as they come, each element of the
 * top-level "items" comes out as soon as it is whole, and nothing of it is kept. So a list of any
 * length costs the memory of its largest item. Knows just enough JSON to find where things begin
 * and end; whoever gets an item parses it. Private to core/cluster.
 */
#ifndef CLUSTER_LIST_DECODE_H
#define CLUSTER_LIST_DECODE_H

#include "base/error.h"

#include <stddef.h>

struct list_decode;

/* One item, borrowed during the call. Anything but 0 stops the decoder, which then returns it. */
typedef int list_item_fn(void *data, const char *bytes, size_t count);

/* `limit` is the most that one item may have in bytes. The caller owns the decoder. */
struct list_decode *list_decode_new(size_t limit, list_item_fn *on_item, void *data);
void list_decode_free(struct list_decode *decode);

/* ERR_INVALID when this can't be a list, ERR_LIMIT when an item is too large, or what on_item said.
 * After a failure the decoder is only good for freeing. */
int list_decode_feed(struct list_decode *decode, const char *bytes, size_t count,
                     struct error *err);

/* To be called when no more will come: ERR_INVALID when the list has no end. */
int list_decode_end(struct list_decode *decode, struct error *err);

/* What stood around the items, as far as it has been seen; "" otherwise. Borrowed. Kubernetes puts
 * the metadata of built-in kinds in front of the items and that of custom resources behind. */
const char *list_decode_version(const struct list_decode *decode);  /* metadata.resourceVersion */
const char *list_decode_continue(const struct list_decode *decode); /* metadata.continue */
const char *list_decode_api_version(const struct list_decode *decode); /* apiVersion */
const char *list_decode_kind(const struct list_decode *decode);        /* "PodList" */

#endif
