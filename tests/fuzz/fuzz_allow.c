// SPDX-License-Identifier: Apache-2.0
/* Where hooks may go: the first line is an entry of the list, the second a URL. A URL that the list
 * refuses by its name isn't called at any address. */
#include "bytes.h"

#include "base/alloc.h"
#include "config/allow.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static void ask(const struct allow *allow, const char *text)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CURLU *url = curl_url();
    if (curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK) {
        enum allow_verdict verdict = allow_url(allow, url);
        const char *refusal = allow_refusal(allow, verdict, (const struct sockaddr *)&address);
        if (verdict == ALLOW_NOT && !refusal)
            abort();
    }
    curl_url_cleanup(url);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    char *entry AUTO_FREE = bytes_text(bytes, count);
    char *text = strchr(entry, '\n');
    struct allow *allow = allow_new();
    struct error err = {0};
    if (text)
        *text++ = '\0';
    bytes_judge(allow_add(allow, entry, &err), &err);
    free(allow_text(allow));
    if (text)
        ask(allow, text);
    allow_unref(allow);
    return 0;
}
