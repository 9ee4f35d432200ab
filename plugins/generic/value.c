// SPDX-License-Identifier: Apache-2.0
/* What a value of the options comes to in a workload. */
#include "generic.h"

#include <ctype.h>

const char *found_words(json_t *value, char *ret_words, size_t size)
{
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    if (!value)
        snprintf(ret_words, size, "nothing");
    else
        snprintf(ret_words, size, "%s%.100s",
                 json_is_string(value)   ? "the text "
                 : json_is_number(value) ? "the number "
                                         : "",
                 text ? text : "something else");
    free(text);
    return ret_words;
}

/* ---- pointers ---- */

static json_t *array_item(json_t *array, const char *step)
{
    const char *equals = strchr(step, '=');
    char key[256];
    size_t i;
    json_t *item;
    if (!equals)
        return isdigit((unsigned char)*step) ? json_array_get(array, strtoul(step, NULL, 10))
                                             : NULL;
    snprintf(key, sizeof key, "%.*s", (int)(equals - step), step);
    json_array_foreach (array, i, item) {
        const char *found = json_string_value(json_object_get(item, key));
        if (found && strcmp(found, equals + 1) == 0)
            return item;
    }
    return NULL;
}

json_t *value_at(json_t *root, const char *pointer)
{
    char step[256];
    json_t *at = root;
    while (at && *pointer == '/') {
        pointer = sluice_pointer_step(pointer, step, sizeof step);
        at = json_is_array(at) ? array_item(at, step) : json_object_get(at, step);
    }
    return json_is_null(at) ? NULL : at;
}

/* ---- kinds of values ---- */

static int32_t refuse(const struct subject *subject, const struct value *value,
                      const char *expected, json_t *found)
{
    char words[160], where[300] = "/workload", *form = json_dumps(value->json, JSON_ENCODE_ANY);
    if (json_is_string(value->json))
        snprintf(where, sizeof where, "/workload%s", json_string_value(value->json));
    if (json_is_object(value->json))
        snprintf(where, sizeof where, "/native/%s", sluice_string(value->json, "/native"));
    sluice_fail(subject->request, SLUICE_INVALID, where,
                "options.%s, which is %.150s: expected %s in the %s, found %s", value->name,
                form ? form : "", expected, kind_of(subject),
                found_words(found, words, sizeof words));
    free(form);
    return SLUICE_INVALID;
}

static bool is_count(json_t *value)
{
    return json_is_integer(value) && json_integer_value(value) >= 0 &&
           json_integer_value(value) <= INT32_MAX;
}

/* One pointer of a sum; what isn't there counts nothing. */
static int32_t summand(const struct subject *subject, const struct value *value, const char *term,
                       json_int_t *sum)
{
    bool taken = *term == '-';
    json_t *found = value_at(subject->workload, term + taken);
    if (found && !is_count(found))
        return refuse(subject, value, "whole numbers from 0 on", found);
    *sum += taken ? -json_integer_value(found) : json_integer_value(found);
    return SLUICE_OK;
}

static int32_t sum_take(const struct subject *subject, const struct value *value, json_t **ret_json)
{
    json_int_t sum = 0;
    size_t i;
    json_t *term;
    int32_t result = SLUICE_OK;
    json_array_foreach (value->json, i, term) {
        const char *text = json_string_value(term);
        if (result == SLUICE_OK && text)
            result = summand(subject, value, text, &sum);
    }
    if (result == SLUICE_OK)
        *ret_json = json_integer(sum);
    return result;
}

/* What a native function said of the workload before this call. Borrowed; NULL: nothing. */
static json_t *native_result(const struct subject *subject, const struct value *value)
{
    json_t *said = json_object_get(sluice_at(subject->request->json, "/native"),
                                   sluice_string(value->json, "/native"));
    return json_is_null(said) ? NULL : said;
}

/* Whatever it comes to. The caller owns *ret_json, which is NULL for what isn't there. */
static int32_t value_read(const struct subject *subject, const struct value *value,
                          json_t **ret_json)
{
    *ret_json = NULL;
    if (json_is_array(value->json))
        return sum_take(subject, value, ret_json);
    if (json_is_string(value->json))
        *ret_json = json_incref(value_at(subject->workload, json_string_value(value->json)));
    else if (json_is_object(value->json))
        *ret_json = json_incref(native_result(subject, value));
    else
        *ret_json = json_incref(value->json);
    return SLUICE_OK;
}

int32_t value_count(const struct subject *subject, const struct value *value, int *ret_count)
{
    json_t *found;
    int32_t result = value_read(subject, value, &found);
    /* What is subtracted may be the newer count for a moment. */
    bool below = json_is_array(value->json) && json_integer_value(found) < 0;
    if (result == SLUICE_OK && found && !below && !is_count(found))
        result = refuse(subject, value, "a whole number from 0 on", found);
    if (result == SLUICE_OK)
        *ret_count = below ? 0 : (int)json_integer_value(found);
    json_decref(found);
    return result;
}

/* Conditions of Kubernetes say "True", others say true, and C says 1. */
int32_t value_truth(const struct subject *subject, const struct value *value, bool *ret_truth)
{
    json_t *found;
    int32_t result = value_read(subject, value, &found);
    const char *text = json_string_value(found);
    if (result == SLUICE_OK)
        *ret_truth = json_is_true(found) || json_integer_value(found) != 0 ||
                     (text && (strcmp(text, "True") == 0 || strcmp(text, "true") == 0));
    json_decref(found);
    return result;
}

/* The text, or what a number looks like. */
int32_t value_text(const struct subject *subject, const struct value *value, char **ret_text)
{
    json_t *found;
    char number[32];
    int32_t result = value_read(subject, value, &found);
    if (result == SLUICE_OK && found && !json_is_string(found) && !json_is_integer(found))
        result = refuse(subject, value, "a text", found);
    snprintf(number, sizeof number, "%lld", (long long)json_integer_value(found));
    if (result == SLUICE_OK)
        *ret_text = strdup(json_is_string(found) ? json_string_value(found) : found ? number : "");
    json_decref(found);
    return result;
}
