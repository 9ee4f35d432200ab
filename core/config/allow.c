// SPDX-License-Identifier: Apache-2.0
#include "config/allow.h"

#include "base/alloc.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* IPv4 stands in it as IPv6 writes it, ::ffff:a.b.c.d, so that there is one way to compare. */
struct range {
    struct in6_addr base;
    int bits; /* of the base that count */
};

enum entry_kind { ENTRY_HOST, ENTRY_SUFFIX, ENTRY_URL, ENTRY_RANGE };

struct entry {
    enum entry_kind kind;
    char *text;                            /* as it was written */
    char *host;                            /* of a host; a suffix begins with its dot */
    char *scheme, *url_host, *port, *path; /* of a URL */
    struct range range;                    /* of a range */
};

struct allow {
    int references;
    struct entry *entries;
    size_t count;
};

/* ---- addresses ---- */

enum { V4_BITS = 32, V6_BITS = 128, V4_AT = 12, V4_PREFIX = V6_BITS - V4_BITS };

static struct in6_addr mapped(const struct in_addr *v4)
{
    struct in6_addr address = {.s6_addr = {[10] = 0xff, [11] = 0xff}};
    memcpy(&address.s6_addr[V4_AT], v4, sizeof *v4);
    return address;
}

static bool within(const struct range *range, const struct in6_addr *address)
{
    int bytes = range->bits / 8, rest = range->bits % 8;
    if (memcmp(range->base.s6_addr, address->s6_addr, (size_t)bytes) != 0)
        return false;
    unsigned mask = 0xffu << (8 - rest) & 0xffu;
    return !rest || ((range->base.s6_addr[bytes] ^ address->s6_addr[bytes]) & mask) == 0;
}

static bool address_read(const char *text, struct in6_addr *ret_address, bool *ret_v4)
{
    struct in_addr v4;
    *ret_v4 = inet_pton(AF_INET, text, &v4) == 1;
    if (*ret_v4)
        *ret_address = mapped(&v4);
    return *ret_v4 || inet_pton(AF_INET6, text, ret_address) == 1;
}

/* "10.0.0.0/8", "fd00::/8", or one address. */
static bool range_read(const char *text, struct range *ret_range)
{
    size_t length = strcspn(text, "/");
    char *base AUTO_FREE = str_copy_n(text, length);
    const char *number = text[length] ? text + length + 1 : NULL;
    bool v4;
    if (!address_read(base, &ret_range->base, &v4))
        return false;
    int most = v4 ? V4_BITS : V6_BITS, bits = most;
    if (number) {
        size_t digits = strspn(number, "0123456789");
        if (digits < 1 || digits > 3 || number[digits] || atoi(number) > most)
            return false;
        bits = atoi(number);
    }
    ret_range->bits = v4 ? V4_PREFIX + bits : bits;
    return true;
}

/* Addresses that a name must never lead to: what answers there trusts whoever reaches it. */
static const char *closed_kind(const struct in6_addr *address)
{
    static const struct {
        const char *range, *kind;
    } closed[] = {
        {"127.0.0.0/8", "a loopback address"},
        {"::1", "a loopback address"},
        {"0.0.0.0/8", "this machine's own address"},
        {"::", "this machine's own address"},
        {"169.254.0.0/16", "a link-local address"},
        {"fe80::/10", "a link-local address"},
        {"fd00:ec2::254", "a cloud's metadata address"},
        {"100.100.100.200", "a cloud's metadata address"},
    };
    for (size_t i = 0; i < sizeof closed / sizeof *closed; i++) {
        struct range range;
        if (range_read(closed[i].range, &range) && within(&range, address))
            return closed[i].kind;
    }
    return NULL;
}

/* IPv4 can also be written into addresses that a gateway translates (RFC 6052). */
static struct in6_addr plain(const struct sockaddr *any)
{
    struct range translated;
    if (any->sa_family == AF_INET)
        return mapped(&((const struct sockaddr_in *)(const void *)any)->sin_addr);
    struct in6_addr address = ((const struct sockaddr_in6 *)(const void *)any)->sin6_addr;
    if (range_read("64:ff9b::/96", &translated) && within(&translated, &address)) {
        struct in_addr v4;
        memcpy(&v4, &address.s6_addr[V4_AT], sizeof v4);
        return mapped(&v4);
    }
    return address;
}

/* ---- entries ---- */

static void entry_done(struct entry *entry)
{
    free(entry->text);
    free(entry->host);
    curl_free(entry->scheme);
    curl_free(entry->url_host);
    curl_free(entry->port);
    curl_free(entry->path);
}

static bool is_host(const char *text)
{
    size_t length =
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");
    return length > 0 && length <= 253 && !text[length] && text[0] != '.' && text[0] != '-';
}

/* A part of a URL; the caller frees it with curl_free(). NULL: it has none. */
static char *url_part(CURLU *url, CURLUPart part, unsigned flags)
{
    char *text = NULL;
    return curl_url_get(url, part, &text, flags) == CURLUE_OK ? text : NULL;
}

/* As one writes it: an IPv6 address without its brackets, a name without the dot at its end. */
static void host_trim(char *host)
{
    size_t length = strlen(host);
    if (host[0] == '[' && length > 2) {
        memmove(host, host + 1, length - 2);
        host[length - 2] = '\0';
    } else if (length > 1 && host[length - 1] == '.')
        host[length - 1] = '\0';
}

static bool has_part(CURLU *url, CURLUPart part)
{
    char *text = url_part(url, part, 0);
    curl_free(text);
    return text != NULL;
}

static bool url_read(const char *text, struct entry *entry)
{
    CURLU *url = curl_url();
    bool read = curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
                !has_part(url, CURLUPART_USER) && !has_part(url, CURLUPART_PASSWORD) &&
                !has_part(url, CURLUPART_QUERY) && !has_part(url, CURLUPART_FRAGMENT);
    if (read) {
        entry->scheme = url_part(url, CURLUPART_SCHEME, 0);
        entry->url_host = url_part(url, CURLUPART_HOST, 0);
        entry->port = url_part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
        entry->path = url_part(url, CURLUPART_PATH, 0);
    }
    curl_url_cleanup(url);
    if (!entry->scheme || !entry->url_host || !entry->port || !entry->path)
        return false;
    host_trim(entry->url_host);
    return str_equal(entry->scheme, "http") || str_equal(entry->scheme, "https");
}

static bool entry_read(const char *text, struct entry *entry)
{
    if (strstr(text, "://")) {
        entry->kind = ENTRY_URL;
        return url_read(text, entry);
    }
    if (range_read(text, &entry->range)) {
        entry->kind = ENTRY_RANGE;
        return true;
    }
    bool suffix = strncmp(text, "*.", 2) == 0;
    entry->kind = suffix ? ENTRY_SUFFIX : ENTRY_HOST;
    entry->host = str_copy(text + (suffix ? 1 : 0));
    host_trim(entry->host);
    return is_host(text + (suffix ? 2 : 0));
}

int allow_add(struct allow *allow, const char *text, struct error *err)
{
    struct entry entry = {0};
    if (!entry_read(text, &entry)) {
        entry_done(&entry);
        return error_set(err, ERR_INVALID,
                         "expected a host (gates.shop.svc or *.shop.svc), the beginning of a URL "
                         "(https://gates.example.com/rollouts/) or a range of addresses "
                         "(10.0.0.0/8), found \"%.80s\"",
                         text);
    }
    entry.text = str_copy(text);
    allow->entries = mem_grow(allow->entries, (allow->count + 1) * sizeof *allow->entries);
    allow->entries[allow->count++] = entry;
    return OK;
}

/* ---- the list ---- */

struct allow *allow_new(void)
{
    struct allow *allow = mem_alloc(sizeof *allow);
    allow->references = 1;
    return allow;
}

struct allow *allow_ref(struct allow *allow)
{
    if (allow)
        allow->references++;
    return allow;
}

void allow_unref(struct allow *allow)
{
    if (!allow || --allow->references)
        return;
    for (size_t i = 0; i < allow->count; i++)
        entry_done(&allow->entries[i]);
    free(allow->entries);
    free(allow);
}

bool allow_equal(const struct allow *a, const struct allow *b)
{
    if (!a || !b || a->count != b->count)
        return a == b;
    for (size_t i = 0; i < a->count; i++)
        if (!str_equal(a->entries[i].text, b->entries[i].text))
            return false;
    return true;
}

char *allow_text(const struct allow *allow)
{
    struct text text = {0};
    for (size_t i = 0; i < allow->count; i++)
        text_addf(&text, "%s%s", i ? ", " : "", allow->entries[i].text);
    return text.len ? text_steal(&text) : str_copy("nothing");
}

/* ---- judging ---- */

/* The parts of a URL that is to be called, by the same parser that will call it. */
struct parts {
    char *scheme, *host, *port, *path;
};

static bool parts_get(CURLU *url, struct parts *parts)
{
    parts->scheme = url_part(url, CURLUPART_SCHEME, 0);
    parts->host = url_part(url, CURLUPART_HOST, 0);
    parts->port = url_part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    parts->path = url_part(url, CURLUPART_PATH, 0);
    if (!parts->scheme || !parts->host || !parts->port || !parts->path)
        return false;
    host_trim(parts->host);
    return true;
}

static void parts_done(struct parts *parts)
{
    curl_free(parts->scheme);
    curl_free(parts->host);
    curl_free(parts->port);
    curl_free(parts->path);
}

static bool ends_with(const char *host, const char *suffix)
{
    size_t length = strlen(host), end = strlen(suffix);
    return length > end && strcasecmp(host + length - end, suffix) == 0;
}

/* curl has taken out "..", but servers may read it, and a slash, out of other spellings. */
static bool may_climb(const char *path)
{
    return strcasestr(path, "%2e") || strcasestr(path, "%2f") || strcasestr(path, "%5c") ||
           strchr(path, '\\') || strstr(path, "..");
}

static bool path_begins(const char *path, const char *prefix)
{
    size_t length = strlen(prefix);
    if (strcmp(prefix, "/") == 0)
        return true;
    if (strncmp(path, prefix, length) != 0 || may_climb(path))
        return false;
    return prefix[length - 1] == '/' || path[length] == '/' || path[length] == '\0';
}

static bool url_matches(const struct entry *entry, const struct parts *parts)
{
    return strcasecmp(entry->scheme, parts->scheme) == 0 &&
           strcasecmp(entry->url_host, parts->host) == 0 && str_equal(entry->port, parts->port) &&
           path_begins(parts->path, entry->path);
}

/* An address that is written out is matched by ranges, and by URLs that have it. */
static bool matches(const struct entry *entry, const struct parts *parts, bool literal)
{
    if (literal && entry->kind != ENTRY_URL)
        return false;
    switch (entry->kind) {
    case ENTRY_HOST:
        return strcasecmp(entry->host, parts->host) == 0;
    case ENTRY_SUFFIX:
        return ends_with(parts->host, entry->host);
    case ENTRY_URL:
        return url_matches(entry, parts);
    case ENTRY_RANGE:
        return false; /* judged by the address that a name turns out to have */
    }
    return false;
}

static enum allow_verdict judge(const struct allow *allow, const struct parts *parts)
{
    enum allow_verdict verdict = ALLOW_NOT;
    struct in6_addr address;
    bool v4, literal = address_read(parts->host, &address, &v4);
    for (size_t i = 0; i < allow->count; i++) {
        const struct entry *entry = &allow->entries[i];
        if (matches(entry, parts, literal))
            return literal ? ALLOW_THIS_ADDRESS : ALLOW_BY_NAME;
        if (entry->kind == ENTRY_RANGE)
            verdict = ALLOW_BY_ADDRESS;
    }
    return verdict;
}

enum allow_verdict allow_url(const struct allow *allow, CURLU *url)
{
    struct parts parts = {0};
    enum allow_verdict verdict = ALLOW_NOT;
    if (!allow)
        return ALLOW_BY_NAME;
    if (parts_get(url, &parts))
        verdict = judge(allow, &parts);
    parts_done(&parts);
    return verdict;
}

static bool in_a_range(const struct allow *allow, const struct in6_addr *address)
{
    for (size_t i = 0; allow && i < allow->count; i++)
        if (allow->entries[i].kind == ENTRY_RANGE && within(&allow->entries[i].range, address))
            return true;
    return false;
}

const char *allow_refusal(const struct allow *allow, enum allow_verdict verdict,
                          const struct sockaddr *any)
{
    if (any->sa_family != AF_INET && any->sa_family != AF_INET6)
        return "no address of the Internet";
    const struct in6_addr address = plain(any);
    if (verdict == ALLOW_THIS_ADDRESS || in_a_range(allow, &address))
        return NULL;
    return verdict == ALLOW_BY_NAME ? closed_kind(&address) : "an address outside of its ranges";
}
