// SPDX-License-Identifier: Apache-2.0
#include "cli/yaml_text.h"

#include "base/alloc.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

static int on_bytes(void *data, unsigned char *bytes, size_t count)
{
    text_add(data, bytes, count);
    return 1;
}

/* Would a reader take it for the text that it is when it stands without quotes? */
static bool plain_is_text(const char *text)
{
    static const char *const others[] = {"true", "false", "null", "yes", "no",
                                         "on",   "off",   "y",    "n",   NULL};
    for (size_t i = 0; others[i]; i++)
        if (strcasecmp(text, others[i]) == 0)
            return false;
    return isalpha((unsigned char)*text) || *text == '/';
}

static void emit_scalar(yaml_emitter_t *emitter, const char *text, bool plain)
{
    yaml_event_t event;
    yaml_scalar_event_initialize(
        &event, NULL, NULL, (const yaml_char_t *)text, (int)strlen(text), plain, 1,
        strchr(text, '\n') ? YAML_LITERAL_SCALAR_STYLE : YAML_ANY_SCALAR_STYLE);
    yaml_emitter_emit(emitter, &event);
}

static void emit_text(yaml_emitter_t *emitter, const char *text)
{
    emit_scalar(emitter, text, plain_is_text(text));
}

static void emit_value(yaml_emitter_t *emitter, const json_t *json);

static void emit_object(yaml_emitter_t *emitter, const json_t *json)
{
    yaml_event_t event;
    const char *key;
    json_t *value;
    yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE);
    yaml_emitter_emit(emitter, &event);
    json_object_foreach ((json_t *)(uintptr_t)json, key, value) {
        emit_text(emitter, key);
        emit_value(emitter, value);
    }
    yaml_mapping_end_event_initialize(&event);
    yaml_emitter_emit(emitter, &event);
}

static void emit_array(yaml_emitter_t *emitter, const json_t *json)
{
    yaml_event_t event;
    size_t index;
    json_t *value;
    yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE);
    yaml_emitter_emit(emitter, &event);
    json_array_foreach (json, index, value) {
        emit_value(emitter, value);
    }
    yaml_sequence_end_event_initialize(&event);
    yaml_emitter_emit(emitter, &event);
}

static void emit_value(yaml_emitter_t *emitter, const json_t *json)
{
    if (json_is_object(json)) {
        emit_object(emitter, json);
    } else if (json_is_array(json)) {
        emit_array(emitter, json);
    } else if (json_is_string(json)) {
        emit_text(emitter, json_string_value(json));
    } else {
        char *text AUTO_FREE = json_dumps(json, JSON_ENCODE_ANY);
        emit_scalar(emitter, text, true);
    }
}

static void emit_document(yaml_emitter_t *emitter, const json_t *json)
{
    yaml_event_t event;
    yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1);
    yaml_emitter_emit(emitter, &event);
    emit_value(emitter, json);
    yaml_document_end_event_initialize(&event, 1);
    yaml_emitter_emit(emitter, &event);
}

void yaml_text(const json_t *json, struct text *to)
{
    yaml_emitter_t emitter;
    yaml_event_t event;
    yaml_emitter_initialize(&emitter);
    yaml_emitter_set_output(&emitter, on_bytes, to);
    yaml_emitter_set_unicode(&emitter, 1);
    yaml_emitter_set_width(&emitter, -1);
    yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING);
    yaml_emitter_emit(&emitter, &event);
    emit_document(&emitter, json);
    yaml_stream_end_event_initialize(&event);
    yaml_emitter_emit(&emitter, &event);
    yaml_emitter_delete(&emitter);
}
