// SPDX-License-Identifier: Apache-2.0
/* A config as JSON, for whoever wants to know what counts. */
#include "config/config.h"

#include "base/alloc.h"
#include "base/log.h"
#include "config/keys_private.h"

static json_t *level_about(int level)
{
    static const char *const names[] = {
        [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"};
    return json_string(names[level]);
}

static json_t *place_about(enum isolation isolation)
{
    static const char *const names[] = {[ISOLATION_IN_PROCESS] = "inProcess",
                                        [ISOLATION_PROCESS] = "process",
                                        [ISOLATION_BY_PLACE] = NULL};
    return json_string(names[isolation]);
}

static json_t *allow_about(const struct allow *allow)
{
    char *text AUTO_FREE = allow ? allow_text(allow) : NULL;
    return text ? json_string(text) : NULL;
}

static json_t *keys_about(const struct key *keys, const void *from);

static json_t *entries_about(const struct config *config)
{
    json_t *entries = json_array();
    for (size_t i = 0; i < config->adapter_count; i++)
        json_array_append_new(entries, keys_about(config_entry_keys, &config->adapters[i]));
    return entries;
}

static json_t *windows_about(const struct windows *windows)
{
    if (!windows)
        return NULL;
    json_t *list = json_array();
    for (size_t i = 0; i < windows->count; i++)
        json_array_append_new(list, keys_about(config_window_keys, &windows->items[i]));
    return list;
}

static json_t *days_about(unsigned days)
{
    json_t *list = json_array();
    for (int day = 0; day < DAYS; day++)
        if (days & 1U << day)
            json_array_append_new(list, json_string(window_days[day]));
    return list;
}

static json_t *hour_about(int minute)
{
    return json_sprintf("%02d:%02d", minute / 60, minute % 60);
}

/* NULL: it isn't given, and there is no default. */
static json_t *value_about(const struct key *key, const void *from)
{
    const void *place = (const char *)from + key->offset;
    switch (key->form) {
    case FORM_NAME:
    case FORM_PATH:
    case FORM_ADDRESS:
    case FORM_DIGEST:
        return json_string(*(char *const *)place);
    case FORM_SECONDS:
        return json_integer(*(const int64_t *)place / 1000);
    case FORM_MS:
    case FORM_COUNT:
        return *(const int64_t *)place ? json_integer(*(const int64_t *)place) : NULL;
    case FORM_MIB:
        return *(const uint64_t *)place ? json_integer((json_int_t)(*(const uint64_t *)place >> 20))
                                        : NULL;
    case FORM_LEVEL:
        return level_about(*(const int *)place);
    case FORM_SWITCH:
        return json_boolean(*(const bool *)place);
    case FORM_PLACE:
        return place_about(*(const enum isolation *)place);
    case FORM_OPTIONS:
    case FORM_LIST:
        return json_deep_copy(*(json_t *const *)place);
    case FORM_SECTION:
        return keys_about(key->inside, from);
    case FORM_ENTRIES:
        return entries_about(from);
    case FORM_ALLOW:
        return allow_about(*(struct allow *const *)place);
    case FORM_WINDOWS:
        return windows_about(*(struct windows *const *)place);
    case FORM_DAYS:
        return days_about(*(const unsigned *)place);
    case FORM_HOUR:
        return hour_about(*(const int *)place);
    }
    return NULL;
}

static json_t *keys_about(const struct key *keys, const void *from)
{
    json_t *about = json_object();
    for (const struct key *key = keys; key->name; key++) {
        json_t *value = value_about(key, from);
        if (value)
            json_object_set_new(about, key->name, value);
    }
    return about;
}

json_t *config_about(const struct config *config)
{
    return keys_about(config_keys, config);
}
