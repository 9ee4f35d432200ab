// SPDX-License-Identifier: Apache-2.0
/* Helpers for tests that load adapters: one adapter at a time, and JSON from text. */
#ifndef TEST_ADAPTERS_H
#define TEST_ADAPTERS_H

#include "adapter/adapter.h"

#include <jansson.h>

/* Parses, and fails the test when the text isn't JSON. The caller owns it. */
json_t *json(const char *text);

/* One adapter, loaded from HOSTILE_DIR or an absolute file. `options` is JSON text or NULL. */
struct loaded {
    struct adapters *set;
    json_t *options;
    struct adapter *adapter;
};
struct loaded loaded_open(const char *name, const char *file, const char *options);

/* The same, in a process of its own, with limits. A call that ends, ends long before its deadline.
 */
enum { APART_LONG_MS = 60 * 1000, APART_BRIEF_MS = 2000, APART_MEMORY_MIB = 64 };
struct loaded apart_open(const char *name, const char *file, const char *options,
                         int64_t deadline_ms);

void loaded_close(struct loaded *loaded);

/* Fails the test unless `text` contains `part`. */
void assert_contains(const char *text, const char *part);

#endif
