// SPDX-License-Identifier: Apache-2.0
#include "read.h"

#include "base/alloc.h"
#include "base/json.h"
#include "object.h"
#include "select.h"
#include "view.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

int read_object(struct sandbox *sandbox, const struct target *target, const struct request *request,
                struct answer *answer, struct failure *failure)
{
    const struct version *version = collection_get(target->kind->collection, target->key);
    struct view view;
    (void)sandbox;
    if (view_or_fail(request, &view, failure) < 0)
        return -1;
    if (!version)
        return fail_not_found(failure, target->kind, target->name);
    answer->type = view_type(view, false);
    view_object(view, target->kind, version->text, &answer->body);
    return 0;
}

#define BAD_REVISION                                                                               \
    "resourceVersion: Invalid value: \"%s\": strconv.ParseUint: parsing \"%s\": invalid syntax"

int64_t revision_read(const char *text, struct failure *failure)
{
    char *end;
    if (!text || !*text)
        return 0;
    long long revision = strtoll(text, &end, 10);
    if (isdigit((unsigned char)*text) && !*end)
        return revision;
    return fail(failure, 500, "", BAD_REVISION, text, text);
}

/* ── Lists ────────────────────────────────────────────────────────────────────────────────── */

struct listing {
    const struct kind *kind;
    struct selector *selector;
    struct view view;
    char *prefix;     /* of the keys */
    char *after;      /* the last key of the page before; or the prefix */
    char *last;       /* key of the page that is being made */
    int64_t revision; /* what is listed is as it was then */
    size_t limit, count;
    size_t left; /* objects after the page */
};

static void listing_done(struct listing *listing)
{
    selector_free(listing->selector);
    free(listing->prefix);
    free(listing->after);
    free(listing->last);
}

static int expired(struct failure *failure)
{
    return fail(failure, 410, "Expired", "The resourceVersion for the provided list is too old.");
}

/* "revision.key" */
static int take_token(struct listing *listing, const char *token, struct failure *failure)
{
    char *end;
    listing->revision = strtoll(token, &end, 10);
    if (*end != '.' || strncmp(end + 1, listing->prefix, strlen(listing->prefix)) != 0)
        return fail(failure, 400, "BadRequest", "continue key is not valid: %s", token);
    str_replace(&listing->after, end + 1);
    return 0;
}

/* A list tells of a bad version in other words than a watch does. */
static int as_bad_request(struct failure *failure)
{
    char *words AUTO_FREE = str_format("invalid resource version: %s", failure->message);
    str_replace(&failure->message, words);
    failure->code = 400;
    failure->reason = "BadRequest";
    return -1;
}

static int take_revision(struct listing *listing, const struct sandbox *sandbox,
                         const struct request *request, struct failure *failure)
{
    const char *match = request_query(request, "resourceVersionMatch");
    int64_t revision = revision_read(request_query(request, "resourceVersion"), failure);
    int64_t newest = store_revision(sandbox->store);
    if (revision < 0)
        return as_bad_request(failure);
    listing->revision = newest;
    if (revision > newest)
        return fail(failure, 504, "Timeout", "Too large resource version: %lld, current: %lld",
                    (long long)revision, (long long)newest);
    if (str_equal(match, "Exact"))
        listing->revision = revision;
    return 0;
}

static int listing_read(struct listing *listing, const struct sandbox *sandbox,
                        const struct target *target, const struct request *request,
                        struct failure *failure)
{
    const char *limit = request_query(request, "limit");
    const char *token = request_query(request, "continue");
    listing->kind = target->kind;
    listing->limit = limit ? strtoul(limit, NULL, 10) : 0;
    listing->prefix = target->ns ? str_format("%s/", target->ns) : str_copy("");
    listing->after = str_copy(listing->prefix);
    if (view_or_fail(request, &listing->view, failure) < 0 ||
        selector_read(target->kind, request_query(request, "labelSelector"),
                      request_query(request, "fieldSelector"), &listing->selector, failure) < 0)
        return -1;
    if (token && *token ? take_token(listing, token, failure) < 0
                        : take_revision(listing, sandbox, request, failure) < 0)
        return -1;
    return listing->revision < store_horizon(sandbox->store) ? expired(failure) : 0;
}

static bool is_wanted(const struct listing *listing, const struct version *version)
{
    if (!listing->selector)
        return true;
    const char *key = version->entry->key, *slash = strrchr(key, '/');
    if (!selector_may_match(listing->selector, slash ? slash + 1 : key))
        return false;
    json_t *object AUTO_JSON = object_of(listing->kind, version);
    return selector_matches(listing->selector, object);
}

/* Adds one, or counts what comes after a full page. */
static void listing_visit(struct listing *listing, const struct version *version,
                          struct text *items)
{
    if (listing->limit && listing->count == listing->limit) {
        listing->left++;
        return;
    }
    str_replace(&listing->last, version->entry->key);
    if (!is_wanted(listing, version))
        return;
    if (listing->count++)
        text_puts(items, ",");
    view_item(listing->view, listing->kind, version->text, items);
}

static void listing_walk(struct listing *listing, struct text *items)
{
    struct collection *collection = listing->kind->collection;
    size_t length = strlen(listing->prefix);
    for (size_t at = collection_after(collection, listing->after); at < collection_size(collection);
         at++) {
        const struct entry *entry = collection_at(collection, at);
        if (strncmp(entry->key, listing->prefix, length) != 0)
            break;
        const struct version *version = entry_at_revision(entry, listing->revision);
        if (version)
            listing_visit(listing, version, items);
    }
}

static char *listing_meta(const struct listing *listing)
{
    json_t *meta AUTO_JSON = json_object();
    json_object_set_new(meta, "resourceVersion",
                        json_sprintf("%lld", (long long)listing->revision));
    if (listing->left)
        json_object_set_new(meta, "continue",
                            json_sprintf("%lld.%s", (long long)listing->revision, listing->last));
    else if (listing->kind->custom && listing->view.form == VIEW_WHOLE)
        json_object_set_new(meta, "continue", json_string(""));
    if (listing->left && !listing->selector)
        json_object_set_new(meta, "remainingItemCount", json_integer((json_int_t)listing->left));
    return json_text(meta);
}

static void listing_tell(struct listing *listing, struct text *out)
{
    struct text items AUTO(text_done) = {0};
    listing_walk(listing, &items);
    char *meta AUTO_FREE = listing_meta(listing);
    view_open(listing->view, listing->kind, meta, out);
    text_add(out, items.at, items.len);
    view_close(out);
}

int read_list(struct sandbox *sandbox, const struct target *target, const struct request *request,
              struct answer *answer, struct failure *failure)
{
    struct listing listing AUTO(listing_done) = {0};
    if (listing_read(&listing, sandbox, target, request, failure) < 0)
        return -1;
    answer->type = view_type(listing.view, true);
    listing_tell(&listing, &answer->body);
    return 0;
}

int read_metadata(struct sandbox *sandbox, const struct target *target,
                  const struct request *request, struct text *out, struct failure *failure)
{
    struct listing listing AUTO(listing_done) = {0};
    if (listing_read(&listing, sandbox, target, request, failure) < 0)
        return -1;
    listing.view = (struct view){.form = VIEW_METADATA};
    listing_tell(&listing, out);
    return 0;
}
