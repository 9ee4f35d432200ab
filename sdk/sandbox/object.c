// SPDX-License-Identifier: Apache-2.0
#include "object.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "rules.h"

#include <stdlib.h>
#include <string.h>

/* ── Versions ─────────────────────────────────────────────────────────────────────────────── */

char *object_text(const struct kind *kind, const struct version *version)
{
    return str_format("%s%s", kind->head, version->text);
}

json_t *object_of(const struct kind *kind, const struct version *version)
{
    char *text AUTO_FREE = object_text(kind, version);
    return json_loads(text, 0, NULL);
}

/* What the store keeps: without the first brace, kind and apiVersion. */
static char *stored_text(struct sandbox *sandbox, json_t *object)
{
    json_t *kept AUTO_JSON = json_copy(object);
    json_t *revision = json_sprintf("%lld", (long long)store_revision(sandbox->store) + 1);
    json_put_take(object, "/metadata/resourceVersion", revision);
    json_object_del(kept, "kind");
    json_object_del(kept, "apiVersion");
    char *text AUTO_FREE = json_text(kept);
    return str_copy(text + 1);
}

static char *key_of(const struct kind *kind, const json_t *object)
{
    return object_key(kind->namespaced ? json_string_at(object, "/metadata/namespace") : NULL,
                      json_string_at(object, "/metadata/name"));
}

const struct version *object_write(struct sandbox *sandbox, const struct kind *kind, json_t *object)
{
    char *key AUTO_FREE = key_of(kind, object);
    return collection_put_take(kind->collection, key, stored_text(sandbox, object));
}

void object_end(struct sandbox *sandbox, const struct kind *kind, json_t *object)
{
    char *key AUTO_FREE = key_of(kind, object);
    collection_delete_take(kind->collection, key, stored_text(sandbox, object));
}

json_t *time_now(void)
{
    char text[CLOCK_TEXT_SIZE];
    clock_format(clock_wall_ms(), text);
    return json_string(text);
}

/* ── What clients send ────────────────────────────────────────────────────────────────────── */

int strictness_of(const struct request *request, enum strictness *ret_strictness,
                  struct failure *failure)
{
    const char *word = request_query(request, "fieldValidation");
    if (!word || !*word || strcmp(word, "Warn") == 0)
        *ret_strictness = STRICT_WARN;
    else if (strcmp(word, "Ignore") == 0)
        *ret_strictness = STRICT_IGNORE;
    else if (strcmp(word, "Strict") == 0)
        *ret_strictness = STRICT_REFUSE;
    else
        return fail(failure, 422, "Invalid",
                    "fieldValidation: Unsupported value: \"%s\": supported values: \"\", "
                    "\"Ignore\", \"Strict\", \"Warn\"",
                    word);
    return 0;
}

/* An object of a built-in kind need not say what it is. */
static void name_kind(const struct kind *kind, json_t *object)
{
    if (!json_object_get(object, "kind"))
        json_object_set_new(object, "kind", json_string(kind->name));
    if (!json_object_get(object, "apiVersion"))
        json_object_set_new(object, "apiVersion", json_string(kind->api_version));
}

static int fail_version(struct failure *failure, const struct kind *kind, const char *name,
                        const char *version)
{
    if (kind->custom)
        return fail(failure, 400, "BadRequest",
                    "the API version in the data (%s) does not match the expected API version (%s)",
                    version, kind->api_version);
    return fail(failure, 400, "BadRequest",
                "%s in version \"%s\" cannot be handled as a %s: no kind \"%s\" is registered for "
                "version \"%s\" in scheme \"pkg/runtime/scheme.go:110\"",
                name, version, kind->name, name, version);
}

static int check_kind(const struct kind *kind, json_t *object, struct failure *failure)
{
    char *text AUTO_FREE = json_text(object);
    if (!kind->custom)
        name_kind(kind, object);
    const char *name = json_string_at(object, "/kind");
    const char *version = json_string_at(object, "/apiVersion");
    if (!name || !*name)
        return fail(failure, 400, "BadRequest", "Object 'Kind' is missing in '%s'", text);
    if (!str_equal(version, kind->api_version))
        return fail_version(failure, kind, name, version ? version : "");
    if (strcmp(name, kind->name) != 0)
        return fail(
            failure, 400, "BadRequest",
            "%s in version \"%s\" cannot be handled as a %s: converting (%s.%s) to (%s.%s): "
            "unknown conversion",
            name, kind->version, kind->name, kind->version, name,
            *kind->group ? kind->group : "core", kind->name);
    return 0;
}

static int tell_unknown(const struct kind *kind, const json_t *unknown, enum strictness strictness,
                        struct text *warnings, struct failure *failure)
{
    struct text words AUTO(text_done) = {0};
    size_t i;
    json_t *path;
    json_array_foreach (unknown, i, path) {
        text_addf(&words, "%sunknown field \"%s\"", i ? ", " : "", json_string_value(path));
        if (strictness == STRICT_WARN)
            text_addf(warnings, "299 - \"unknown field \\\"%s\\\"\"\n", json_string_value(path));
    }
    if (strictness != STRICT_REFUSE || !words.len)
        return 0;
    return fail(failure, 400, "BadRequest",
                "%s in version \"%s\" cannot be handled as a %s: strict decoding error: %s",
                kind->name, kind->version, kind->name, words.at);
}

/* A null is as good as nothing to Go's types. */
static void drop_nulls(json_t *value)
{
    const char *name;
    json_t *member;
    void *next;
    size_t i;
    if (json_is_array(value))
        json_array_foreach (value, i, member)
            drop_nulls(member);
    json_object_foreach_safe (value, next, name, member) {
        if (json_is_null(member))
            json_object_del(value, name);
        else
            drop_nulls(member);
    }
}

int object_take(const struct kind *kind, json_t *object, enum strictness strictness,
                struct text *warnings, struct failure *failure)
{
    json_t *unknown AUTO_JSON = json_array();
    if (check_kind(kind, object, failure) < 0)
        return -1;
    struct schema decoded = kind->schema;
    if (kind->custom)
        decoded = schema_member(kind->schema, "metadata");
    json_t *checked = kind->custom ? json_object_get(object, "metadata") : object;
    char *mistyped AUTO_FREE = checked ? schema_mistyped(decoded, checked, kind->name) : NULL;
    if (mistyped)
        return fail(failure, 400, "BadRequest",
                    "%s in version \"%s\" cannot be handled as a %s: %s", kind->name, kind->version,
                    kind->name, mistyped);
    schema_prune(kind->schema, object, unknown);
    if (!kind->custom)
        drop_nulls(object);
    if (!json_object_get(object, "metadata"))
        json_object_set_new(object, "metadata", json_object());
    return tell_unknown(kind, unknown, strictness, warnings, failure);
}

void object_complete(const struct kind *kind, json_t *object)
{
    schema_complete(kind->schema, object);
    rules_complete(kind, object);
}

int object_check(const struct kind *kind, const json_t *object, const json_t *old,
                 struct failure *failure)
{
    json_t *causes = json_array();
    if (kind->custom)
        schema_find_faults(kind->schema, object, causes);
    rules_check(kind, object, old, causes);
    if (json_array_size(causes))
        return fail_invalid_take(failure, kind, json_string_at(object, "/metadata/name"), causes);
    json_decref(causes);
    return 0;
}
