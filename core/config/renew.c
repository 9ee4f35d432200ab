// SPDX-License-Identifier: Apache-2.0
/* From one config to the next while the controller is running. */
#include "config/config.h"

#include "base/alloc.h"
#include "config/keys_private.h"

#include <string.h>

struct renewal {
    struct config *config, *next;
    config_change_fn *on_change;
    void *data;
};

static void swap(void *a, void *b, size_t size)
{
    char kept[sizeof(int64_t)];
    memcpy(kept, a, size);
    memcpy(a, b, size);
    memcpy(b, kept, size);
}

/* The size of the member that a key fills; 0: it fills none by itself. */
static size_t member_size(enum form form)
{
    switch (form) {
    case FORM_NAME:
    case FORM_PATH:
    case FORM_ADDRESS:
    case FORM_DIGEST:
        return sizeof(char *);
    case FORM_SECONDS:
    case FORM_MS:
    case FORM_MIB:
    case FORM_COUNT:
        return sizeof(int64_t);
    case FORM_ALLOW:
        return sizeof(struct allow *);
    case FORM_WINDOWS:
        return sizeof(struct windows *);
    case FORM_LEVEL:
    case FORM_PLACE:
        return sizeof(int);
    case FORM_SWITCH:
        return sizeof(bool);
    case FORM_OPTIONS:
    case FORM_LIST:
    case FORM_SECTION:
    case FORM_ENTRIES:
    case FORM_DAYS:
    case FORM_HOUR:
        break;
    }
    return 0;
}

static bool is_text(enum form form)
{
    return form == FORM_NAME || form == FORM_PATH || form == FORM_ADDRESS || form == FORM_DIGEST;
}

static bool same(enum form form, const void *a, const void *b)
{
    if (is_text(form))
        return str_equal(*(char *const *)a, *(char *const *)b);
    if (form == FORM_ALLOW)
        return allow_equal(*(struct allow *const *)a, *(struct allow *const *)b);
    if (form == FORM_WINDOWS)
        return windows_equal(*(struct windows *const *)a, *(struct windows *const *)b);
    return memcmp(a, b, member_size(form)) == 0;
}

static void renew_keys(const struct renewal *renewal, const struct key *keys, const char *prefix)
{
    for (const struct key *key = keys; key->name; key++) {
        char *name AUTO_FREE = str_format("%s%s%s", prefix, *prefix ? "." : "", key->name);
        void *now = (char *)renewal->config + key->offset;
        void *then = (char *)renewal->next + key->offset;
        if (key->form == FORM_SECTION)
            renew_keys(renewal, key->inside, name);
        else if (member_size(key->form) && !same(key->form, now, then)) {
            if (key->live)
                swap(now, then, member_size(key->form));
            renewal->on_change(renewal->data, name, key->live);
        }
    }
}

void config_renew_take(struct config *config, struct config *next, config_change_fn *on_change,
                       void *data)
{
    const struct renewal renewal = {config, next, on_change, data};
    renew_keys(&renewal, config_keys, "");
    swap(&config->adapters, &next->adapters, sizeof config->adapters);
    swap(&config->adapter_count, &next->adapter_count, sizeof config->adapter_count);
    config_done(next);
}
