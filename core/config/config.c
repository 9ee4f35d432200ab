// SPDX-License-Identifier: Apache-2.0
#include "config/config.h"

#include "base/address.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "config/document.h"
#include "config/keys_private.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* The file that is being read. */
struct reader {
    struct document *document;
    struct config *config;
    struct error *err;
};

static const struct key adapter_keys[] = {
    {.name = "directory",
     .form = FORM_PATH,
     .offset = offsetof(struct config, adapter_directory),
     .live = true},
    {.name = "enabled", .form = FORM_ENTRIES},
    {.name = NULL},
};

static const struct key renderer_keys[] = {
    {.name = "program", .form = FORM_PATH, .offset = offsetof(struct config, renderer)},
    {.name = "timeoutSeconds",
     .form = FORM_SECONDS,
     .offset = offsetof(struct config, renderer_timeout_ms),
     .min = 1,
     .max = 300},
    {.name = "idleSeconds",
     .form = FORM_SECONDS,
     .offset = offsetof(struct config, renderer_idle_ms),
     .min = 1,
     .max = 86400},
    {.name = "memoryMiB",
     .form = FORM_MIB,
     .offset = offsetof(struct config, renderer_memory),
     .min = 64,
     .max = 65536},
    {.name = NULL},
};

static const struct key hook_keys[] = {
    {.name = "timeoutSeconds",
     .form = FORM_SECONDS,
     .offset = offsetof(struct config, hook_timeout_ms),
     .min = 1,
     .max = 300,
     .live = true},
    {.name = "allow",
     .form = FORM_ALLOW,
     .offset = offsetof(struct config, hook_allow),
     .live = true},
    {.name = NULL},
};

static const struct key roll_keys[] = {
    {.name = "atOnce",
     .form = FORM_COUNT,
     .offset = offsetof(struct config, rolls_at_once),
     .min = 1,
     .max = 1000000,
     .live = true},
    {.name = "atOncePerNamespace",
     .form = FORM_COUNT,
     .offset = offsetof(struct config, rolls_at_once_in_ns),
     .min = 1,
     .max = 1000000,
     .live = true},
    {.name = "windows",
     .form = FORM_WINDOWS,
     .offset = offsetof(struct config, windows),
     .live = true},
    {.name = NULL},
};

const struct key config_window_keys[] = {
    {.name = "days", .form = FORM_DAYS, .offset = offsetof(struct window, days)},
    {.name = "from", .form = FORM_HOUR, .offset = offsetof(struct window, from)},
    {.name = "to", .form = FORM_HOUR, .offset = offsetof(struct window, to)},
    {.name = NULL},
};

static const struct key serve_keys[] = {
    {.name = "listen", .form = FORM_ADDRESS, .offset = offsetof(struct config, serve_listen)},
    {.name = "rolloutMetrics",
     .form = FORM_SWITCH,
     .offset = offsetof(struct config, rollout_metrics),
     .live = true},
    {.name = NULL},
};

static const struct key admission_keys[] = {
    {.name = "listen", .form = FORM_ADDRESS, .offset = offsetof(struct config, admission_listen)},
    {.name = "service", .form = FORM_NAME, .offset = offsetof(struct config, admission_service)},
    {.name = "namespace",
     .form = FORM_NAME,
     .offset = offsetof(struct config, admission_namespace)},
    {.name = "configuration",
     .form = FORM_NAME,
     .offset = offsetof(struct config, admission_webhooks)},
    {.name = "certificateSeconds",
     .form = FORM_SECONDS,
     .offset = offsetof(struct config, admission_term_ms),
     .min = 10,
     .max = 31536000},
    {.name = NULL},
};

const struct key config_keys[] = {
    {.name = "adapters", .form = FORM_SECTION, .inside = adapter_keys},
    {.name = "namespace", .form = FORM_NAME, .offset = offsetof(struct config, namespace)},
    {.name = "definitionNamespace",
     .form = FORM_NAME,
     .offset = offsetof(struct config, definition_namespace)},
    {.name = "renderer", .form = FORM_SECTION, .inside = renderer_keys},
    {.name = "hooks", .form = FORM_SECTION, .inside = hook_keys},
    {.name = "rolls", .form = FORM_SECTION, .inside = roll_keys},
    {.name = "serve", .form = FORM_SECTION, .inside = serve_keys},
    {.name = "admission", .form = FORM_SECTION, .inside = admission_keys},
    {.name = "logLevel",
     .form = FORM_LEVEL,
     .offset = offsetof(struct config, log_level),
     .live = true},
    {.name = NULL},
};

const struct key config_entry_keys[] = {
    {.name = "name", .form = FORM_NAME, .offset = offsetof(struct adapter_entry, name)},
    {.name = "adapter", .form = FORM_NAME, .offset = offsetof(struct adapter_entry, adapter)},
    {.name = "file", .form = FORM_PATH, .offset = offsetof(struct adapter_entry, file)},
    {.name = "sha256", .form = FORM_DIGEST, .offset = offsetof(struct adapter_entry, sha256)},
    {.name = "options", .form = FORM_OPTIONS, .offset = offsetof(struct adapter_entry, options)},
    {.name = "native", .form = FORM_LIST, .offset = offsetof(struct adapter_entry, native)},
    {.name = "isolation", .form = FORM_PLACE, .offset = offsetof(struct adapter_entry, isolation)},
    {.name = "deadlineMs",
     .form = FORM_MS,
     .offset = offsetof(struct adapter_entry, deadline_ms),
     .min = 10,
     .max = 60000},
    {.name = "memoryMiB",
     .form = FORM_MIB,
     .offset = offsetof(struct adapter_entry, memory),
     .min = 16,
     .max = 65536},
    {.name = NULL},
};

/* ---- words ---- */

static int refuse_value(struct reader *reader, const yaml_node_t *value, const struct key *key,
                        const char *expected)
{
    char *found AUTO_FREE = document_describe(value);
    return document_refuse(reader->document, value, reader->err, "%s: expected %s, found %s",
                           key->name, expected, found);
}

static int smallest(int a, int b, int c)
{
    int least = a < b ? a : b;
    return least < c ? least : c;
}

/* How many letters must be put, taken or changed to make one word of the other. */
static int distance(const char *a, const char *b)
{
    enum { LONGEST = 40 };
    int row[LONGEST + 1];
    size_t length = strlen(b);
    if (length > LONGEST || strlen(a) > LONGEST)
        return LONGEST;
    for (size_t j = 0; j <= length; j++)
        row[j] = (int)j;
    for (size_t i = 1; a[i - 1]; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= length; j++) {
            int above = row[j];
            bool same = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]);
            row[j] = smallest(row[j] + 1, row[j - 1] + 1, diagonal + !same);
            diagonal = above;
        }
    }
    return row[length];
}

static int refuse_key(struct reader *reader, const yaml_node_t *node, const struct key *keys,
                      const char *found)
{
    enum { NEAR = 2 }; /* slips of the finger */
    struct text known AUTO(text_done) = {0};
    const char *near = NULL;
    for (; keys->name; keys++) {
        text_addf(&known, "%s%s", known.len ? ", " : "", keys->name);
        if (!near && distance(found, keys->name) <= NEAR)
            near = keys->name;
    }
    return document_refuse(
        reader->document, node, reader->err, "unknown key \"%.80s\"%s%s%s; known keys here: %s",
        found, near ? ", did you mean \"" : "", near ? near : "", near ? "\"?" : "", known.at);
}

/* ---- values ---- */

static bool is_name(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return length > 0 && length <= 63 && !text[length] && text[0] != '-' && text[length - 1] != '-';
}

static bool is_path(const char *text)
{
    return text[0] == '/';
}

static bool is_address(const char *text)
{
    union address address;
    return !*text || address_parse(text, &address, NULL) == OK;
}

static bool is_digest(const char *text)
{
    return strlen(text) == 64 && strspn(text, "0123456789abcdefABCDEF") == 64;
}

static int read_text(struct reader *reader, const yaml_node_t *value, const struct key *key,
                     char **place)
{
    static const struct {
        bool (*fits)(const char *text);
        const char *expected;
    } rules[] = {
        [FORM_NAME] = {is_name, "a name of lower-case letters, digits and '-'"},
        [FORM_PATH] = {is_path, "an absolute path"},
        [FORM_ADDRESS] = {is_address, "an address and a port, such as 127.0.0.1:8474, or \"\""},
        [FORM_DIGEST] = {is_digest, "64 hexadecimal digits"},
    };
    json_t *scalar AUTO_JSON = document_scalar(value);
    const char *text = json_string_value(scalar);
    if (!text || !rules[key->form].fits(text))
        return refuse_value(reader, value, key, rules[key->form].expected);
    str_replace(place, text);
    return OK;
}

static int read_number(struct reader *reader, const yaml_node_t *value, const struct key *key,
                       int64_t *ret_number)
{
    json_t *scalar AUTO_JSON = document_scalar(value);
    int64_t number = json_integer_value(scalar);
    if (!json_is_integer(scalar) || number < key->min || number > key->max) {
        char *expected AUTO_FREE = str_format("a whole number from %lld to %lld",
                                              (long long)key->min, (long long)key->max);
        return refuse_value(reader, value, key, expected);
    }
    *ret_number = number;
    return OK;
}

static int read_level(struct reader *reader, const yaml_node_t *value, const struct key *key,
                      int *ret_level)
{
    static const char *const names[] = {
        [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"};
    json_t *scalar AUTO_JSON = document_scalar(value);
    for (int i = 0; i <= LOG_ERROR; i++)
        if (str_equal(json_string_value(scalar), names[i])) {
            *ret_level = i;
            return OK;
        }
    return refuse_value(reader, value, key, "debug, info, warn or error");
}

static int read_switch(struct reader *reader, const yaml_node_t *value, const struct key *key,
                       bool *ret_on)
{
    json_t *scalar AUTO_JSON = document_scalar(value);
    if (!json_is_boolean(scalar))
        return refuse_value(reader, value, key, "true or false");
    *ret_on = json_is_true(scalar);
    return OK;
}

static int read_allowed(struct reader *reader, const yaml_node_t *value, struct allow *allow)
{
    struct error err = {0};
    json_t *scalar AUTO_JSON = document_scalar(value);
    const char *text = json_string_value(scalar);
    char *found AUTO_FREE = text ? NULL : document_describe(value);
    if (!text)
        return document_refuse(reader->document, value, reader->err,
                               "allow: expected a host, a URL or a range of addresses, found %s",
                               found);
    if (allow_add(allow, text, &err) < 0)
        return document_refuse(reader->document, value, reader->err, "allow: %s", err.text);
    return OK;
}

static int read_allow(struct reader *reader, const yaml_node_t *value, const struct key *key,
                      struct allow **place)
{
    if (value->type != YAML_SEQUENCE_NODE)
        return refuse_value(reader, value, key, "a list");
    *place = allow_new();
    for (const yaml_node_item_t *at = value->data.sequence.items.start;
         at < value->data.sequence.items.top; at++) {
        int result = read_allowed(reader, document_node(reader->document, *at), *place);
        if (result < 0)
            return result;
    }
    return OK;
}

static int read_days(struct reader *reader, const yaml_node_t *value, const struct key *key,
                     unsigned *ret_days)
{
    static const char expected[] = "a list of Mon, Tue, Wed, Thu, Fri, Sat and Sun";
    if (value->type != YAML_SEQUENCE_NODE ||
        value->data.sequence.items.start == value->data.sequence.items.top)
        return refuse_value(reader, value, key, expected);
    *ret_days = 0;
    for (const yaml_node_item_t *at = value->data.sequence.items.start;
         at < value->data.sequence.items.top; at++) {
        const yaml_node_t *item = document_node(reader->document, *at);
        int day = item->type == YAML_SCALAR_NODE
                      ? windows_day((const char *)item->data.scalar.value)
                      : -1;
        if (day < 0)
            return refuse_value(reader, item, key, expected);
        *ret_days |= 1U << day;
    }
    return OK;
}

static int read_hour(struct reader *reader, const yaml_node_t *value, const struct key *key,
                     int *ret_minute)
{
    int minute = value->type == YAML_SCALAR_NODE
                     ? windows_minute((const char *)value->data.scalar.value)
                     : -1;
    if (minute < 0)
        return refuse_value(reader, value, key, "a time of the day in UTC, such as \"22:00\"");
    *ret_minute = minute;
    return OK;
}

/* What an adapter's own part of the config says, as JSON: others check it. */
static int read_json(struct reader *reader, yaml_node_t *value, const struct key *key,
                     const json_t **ret_json)
{
    json_t *json;
    bool list = key->form == FORM_LIST;
    if (value->type != (list ? YAML_SEQUENCE_NODE : YAML_MAPPING_NODE))
        return refuse_value(reader, value, key, list ? "a list" : "a mapping");
    int result = document_json(reader->document, value, &json, reader->err);
    if (result == OK)
        *ret_json = json;
    return result;
}

/* ---- mappings ---- */

static int read_mapping(struct reader *reader, yaml_node_t *node, const struct key *keys,
                        void *target);
static int read_entries(struct reader *reader, yaml_node_t *node, const struct key *key);

static int read_window(struct reader *reader, yaml_node_t *node, struct window *ret_window)
{
    *ret_window = (struct window){.days = EVERY_DAY, .from = -1, .to = -1};
    if (node->type != YAML_MAPPING_NODE) {
        char *found AUTO_FREE = document_describe(node);
        return document_refuse(reader->document, node, reader->err,
                               "windows: expected a mapping with from and to, found %s", found);
    }
    int result = read_mapping(reader, node, config_window_keys, ret_window);
    if (result < 0)
        return result;
    if (ret_window->from < 0 || ret_window->to < 0)
        return document_refuse(reader->document, node, reader->err,
                               "windows: expected a window with from and to, found one without %s",
                               ret_window->from < 0 ? "from" : "to");
    if (ret_window->from == ret_window->to)
        return document_refuse(reader->document, node, reader->err,
                               "windows: expected two different times, found the same in from and "
                               "to; the whole day is from \"00:00\" to \"24:00\"");
    return OK;
}

static int read_windows(struct reader *reader, yaml_node_t *value, const struct key *key,
                        struct windows **place)
{
    if (value->type != YAML_SEQUENCE_NODE ||
        value->data.sequence.items.start == value->data.sequence.items.top)
        return refuse_value(reader, value, key, "a list of at least one window");
    const yaml_node_item_t *first = value->data.sequence.items.start;
    size_t count = (size_t)(value->data.sequence.items.top - first);
    *place = mem_alloc(sizeof **place + count * sizeof *(*place)->items);
    (*place)->count = count;
    for (size_t i = 0; i < count; i++) {
        yaml_node_t *node = document_node(reader->document, first[i]);
        int result = read_window(reader, node, &(*place)->items[i]);
        if (result < 0)
            return result;
    }
    return OK;
}

static int read_place(struct reader *reader, const yaml_node_t *value, const struct key *key,
                      enum isolation *ret_isolation)
{
    json_t *scalar AUTO_JSON = document_scalar(value);
    const char *text = json_string_value(scalar);
    bool apart = str_equal(text, "process");
    if (!apart && !str_equal(text, "inProcess"))
        return refuse_value(reader, value, key, "inProcess or process");
    *ret_isolation = apart ? ISOLATION_PROCESS : ISOLATION_IN_PROCESS;
    return OK;
}

static int read_value(struct reader *reader, yaml_node_t *value, const struct key *key,
                      void *target)
{
    void *place = (char *)target + key->offset;
    int64_t number = 0;
    int result = OK;
    switch (key->form) {
    case FORM_NAME:
    case FORM_PATH:
    case FORM_ADDRESS:
    case FORM_DIGEST:
        return read_text(reader, value, key, place);
    case FORM_SECONDS:
        if ((result = read_number(reader, value, key, &number)) == OK)
            *(int64_t *)place = number * 1000;
        return result;
    case FORM_MS:
    case FORM_COUNT:
        return read_number(reader, value, key, place);
    case FORM_MIB:
        if ((result = read_number(reader, value, key, &number)) == OK)
            *(uint64_t *)place = (uint64_t)number << 20;
        return result;
    case FORM_LEVEL:
        return read_level(reader, value, key, place);
    case FORM_SWITCH:
        return read_switch(reader, value, key, place);
    case FORM_PLACE:
        return read_place(reader, value, key, place);
    case FORM_OPTIONS:
    case FORM_LIST:
        return read_json(reader, value, key, place);
    case FORM_SECTION:
        if (value->type != YAML_MAPPING_NODE)
            return refuse_value(reader, value, key, "a mapping");
        return read_mapping(reader, value, key->inside, target);
    case FORM_ENTRIES:
        return read_entries(reader, value, key);
    case FORM_ALLOW:
        return read_allow(reader, value, key, place);
    case FORM_WINDOWS:
        return read_windows(reader, value, key, place);
    case FORM_DAYS:
        return read_days(reader, value, key, place);
    case FORM_HOUR:
        return read_hour(reader, value, key, place);
    }
    return OK;
}

static const char *key_text(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : "";
}

/* The same key above in the same mapping; NULL if there is none. */
static yaml_node_t *key_before(struct reader *reader, yaml_node_t *mapping,
                               const yaml_node_pair_t *pair, const char *name)
{
    for (yaml_node_pair_t *at = mapping->data.mapping.pairs.start; at < pair; at++) {
        yaml_node_t *key = document_node(reader->document, at->key);
        if (strcmp(key_text(key), name) == 0)
            return key;
    }
    return NULL;
}

static int read_mapping(struct reader *reader, yaml_node_t *node, const struct key *keys,
                        void *target)
{
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        yaml_node_t *name_node = document_node(reader->document, pair->key);
        const char *name = key_text(name_node);
        const yaml_node_t *before = key_before(reader, node, pair, name);
        const struct key *key = keys;
        while (key->name && strcmp(key->name, name) != 0)
            key++;
        if (!key->name)
            return refuse_key(reader, name_node, keys, name);
        if (before)
            return document_refuse(reader->document, name_node, reader->err,
                                   "duplicate key \"%s\", which stands in line %zu already", name,
                                   before->start_mark.line + 1);
        int result = read_value(reader, document_node(reader->document, pair->value), key, target);
        if (result < 0)
            return result;
    }
    return OK;
}

/* ---- adapters ---- */

static int read_entry(struct reader *reader, yaml_node_t *node, struct adapter_entry *entry)
{
    const struct config *config = reader->config;
    if (node->type != YAML_MAPPING_NODE) {
        char *found AUTO_FREE = document_describe(node);
        return document_refuse(reader->document, node, reader->err,
                               "enabled: expected a mapping with a name, found %s", found);
    }
    entry->isolation = ISOLATION_BY_PLACE;
    int result = read_mapping(reader, node, config_entry_keys, entry);
    if (result < 0)
        return result;
    if (!entry->name)
        return document_refuse(reader->document, node, reader->err,
                               "enabled: expected an adapter with a name, found none");
    for (struct adapter_entry *other = config->adapters; other < entry; other++)
        if (strcmp(other->name, entry->name) == 0)
            return document_refuse(reader->document, node, reader->err,
                                   "enabled: expected every adapter once, found \"%s\" twice",
                                   entry->name);
    return OK;
}

static int read_entries(struct reader *reader, yaml_node_t *node, const struct key *key)
{
    struct config *config = reader->config;
    if (node->type != YAML_SEQUENCE_NODE)
        return refuse_value(reader, node, key, "a list");
    yaml_node_item_t *first = node->data.sequence.items.start;
    size_t count = (size_t)(node->data.sequence.items.top - first);
    config->adapters = mem_alloc(count * sizeof *config->adapters);
    for (size_t i = 0; i < count; i++) {
        config->adapter_count = i + 1;
        int result =
            read_entry(reader, document_node(reader->document, first[i]), &config->adapters[i]);
        if (result < 0)
            return result;
    }
    return OK;
}

/* ---- the whole ---- */

struct config config_defaults(void)
{
    return (struct config){
        .adapter_directory = str_copy(SLUICE_ADAPTER_DIR),
        .definition_namespace = str_copy("vela-system"),
        .renderer = str_copy(SLUICE_HELPER_DIR "/sluice-cue"),
        .renderer_timeout_ms = 5000,
        .renderer_idle_ms = 60000,
        .renderer_memory = 256u << 20,
        .hook_timeout_ms = 10000,
        .serve_listen = str_copy("127.0.0.1:8474"),
        .admission_listen = str_copy(""),
        .admission_service = str_copy("sluice-admission"),
        .admission_namespace = str_copy("sluice-system"),
        .admission_webhooks = str_copy("sluice"),
        .admission_term_ms = (int64_t)7 * 24 * 3600 * 1000,
        .log_level = LOG_INFO,
    };
}

static int read_document(struct document *document, struct config *config, struct error *err)
{
    struct reader reader = {.document = document, .config = config, .err = err};
    yaml_node_t *root = document_root(document);
    if (!root)
        return OK;
    if (root->type != YAML_MAPPING_NODE) {
        char *found AUTO_FREE = document_describe(root);
        return document_refuse(document, root, err, "expected a mapping, found %s", found);
    }
    return read_mapping(&reader, root, config_keys, config);
}

int config_load(const char *file, struct config *ret_config, struct error *err)
{
    struct document document;
    int result = document_open(file, &document, err);
    if (result < 0)
        return result;
    struct config config = config_defaults();
    result = read_document(&document, &config, err);
    document_done(&document);
    if (result < 0)
        config_done(&config);
    else
        *ret_config = config;
    return result;
}

/* The entries are constant for those who read them; here they are released. */
static void entry_done(struct adapter_entry *entry)
{
    free((void *)(uintptr_t)entry->name);
    free((void *)(uintptr_t)entry->adapter);
    free((void *)(uintptr_t)entry->file);
    free((void *)(uintptr_t)entry->sha256);
    json_decref((json_t *)(uintptr_t)entry->options);
    json_decref((json_t *)(uintptr_t)entry->native);
}

void config_done(struct config *config)
{
    for (size_t i = 0; i < config->adapter_count; i++)
        entry_done(&config->adapters[i]);
    free(config->adapters);
    free(config->adapter_directory);
    free(config->namespace);
    free(config->definition_namespace);
    free(config->renderer);
    allow_unref(config->hook_allow);
    free(config->windows);
    free(config->serve_listen);
    free(config->admission_listen);
    free(config->admission_service);
    free(config->admission_namespace);
    free(config->admission_webhooks);
    *config = (struct config){0};
}
