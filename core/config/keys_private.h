// SPDX-License-Identifier: Apache-2.0
/* The keys of the config file, as a table. Private to core/config. */
#ifndef CONFIG_KEYS_PRIVATE_H
#define CONFIG_KEYS_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the value of a key must be. */
enum form {
    FORM_NAME,    /* a Kubernetes name */
    FORM_PATH,    /* an absolute path */
    FORM_ADDRESS, /* address and port; empty: none */
    FORM_DIGEST,  /* a SHA-256 in hexadecimal */
    FORM_SECONDS, /* kept in milliseconds */
    FORM_MS,      /* milliseconds */
    FORM_COUNT,   /* how many */
    FORM_MIB,     /* kept in bytes */
    FORM_LEVEL,   /* of the log */
    FORM_SWITCH,  /* true or false */
    FORM_PLACE,   /* where an adapter runs: enum isolation */
    FORM_OPTIONS, /* a mapping, kept as JSON */
    FORM_LIST,    /* a list, kept as JSON */
    FORM_SECTION, /* a mapping with keys of its own, in the same struct */
    FORM_ENTRIES, /* the list of adapters */
    FORM_ALLOW,   /* a list of where hooks may go */
    FORM_WINDOWS, /* a list of maintenance windows */
    FORM_DAYS,    /* a list of weekdays, kept as bits */
    FORM_HOUR,    /* a time of the day, kept in minutes */
};

struct key {
    const char *name;
    enum form form;
    size_t offset;            /* of the member that is filled */
    int64_t min, max;         /* of a number */
    bool live;                /* a change can be applied while running */
    const struct key *inside; /* of a section; ends in a key without name */
};

/* Those of the whole file; ends in a key without name. */
extern const struct key config_keys[];

/* Those of an entry of adapters.enabled, which fill a struct adapter_entry. */
extern const struct key config_entry_keys[];

/* Those of an entry of rolls.windows, which fill a struct window. */
extern const struct key config_window_keys[];

#endif
