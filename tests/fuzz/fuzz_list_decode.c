// SPDX-License-Identifier: Apache-2.0
/*
 * The list decoder must take anything. The first byte says how long the chunks are; the rest is fed
 * once in such chunks and once as a whole, and both must come to the same.
 */
#include "base/text.h"
#include "cluster/list_decode.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static int on_item(void *data, const char *bytes, size_t count)
{
    struct text *items = data;
    if (count < 2 || bytes[0] != '{') /* its inside is its parser's to judge */
        abort();
    text_add(items, bytes, count);
    text_puts(items, "\n");
    return OK;
}

static int decode(const char *bytes, size_t count, size_t chunk, struct text *items)
{
    struct list_decode *decoder = list_decode_new(1000, on_item, items);
    struct error err = {0};
    int code = OK;
    for (size_t at = 0; at < count && code == OK; at += chunk)
        code = list_decode_feed(decoder, bytes + at, count - at < chunk ? count - at : chunk, &err);
    if (code == OK)
        code = list_decode_end(decoder, &err);
    if (code == OK)
        text_addf(items, "%s %s %s %s", list_decode_version(decoder), list_decode_continue(decoder),
                  list_decode_kind(decoder), list_decode_api_version(decoder));
    if (err.code != code)
        abort();
    list_decode_free(decoder);
    return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    if (count < 1)
        return 0;
    struct text some = {0}, all = {0};
    const char *list = (const char *)bytes + 1;
    int code = decode(list, count - 1, bytes[0] % 64 + 1, &some);
    if (decode(list, count - 1, count, &all) != code)
        abort();
    if (some.len != all.len || (some.len && memcmp(some.at, all.at, some.len) != 0))
        abort();
    text_done(&some);
    text_done(&all);
    return 0;
}
