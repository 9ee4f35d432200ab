// SPDX-License-Identifier: Apache-2.0
#include "select.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum demand { DEMAND_IN, DEMAND_NOT_IN, DEMAND_EXISTS, DEMAND_ABSENT };

struct requirement {
    struct requirement *next;
    enum demand demand;
    bool is_label;
    char *name;    /* of a label, or a pointer */
    char **values; /* end in NULL */
    size_t count;
};

struct selector {
    struct requirement *first;
};

/* ── Matching ─────────────────────────────────────────────────────────────────────────────── */

static const char *value_of(const struct requirement *requirement, const json_t *object,
                            char number[32])
{
    const json_t *found =
        requirement->is_label
            ? json_object_get(json_at(object, "/metadata/labels"), requirement->name)
            : json_at(object, requirement->name);
    if (json_is_integer(found)) {
        snprintf(number, 32, "%lld", (long long)json_integer_value(found));
        return number;
    }
    if (json_is_boolean(found))
        return json_is_true(found) ? "true" : "false";
    return json_string_value(found);
}

/* A field that isn't there is an empty one. */
static const char *usual_of(const struct requirement *requirement)
{
    if (requirement->is_label)
        return NULL;
    return strcmp(requirement->name, "/spec/unschedulable") == 0 ? "false" : "";
}

static bool is_among(const struct requirement *requirement, const char *value)
{
    for (size_t i = 0; i < requirement->count; i++)
        if (strcmp(requirement->values[i], value) == 0)
            return true;
    return false;
}

static bool holds(const struct requirement *requirement, const json_t *object)
{
    char number[32];
    const char *value = value_of(requirement, object, number);
    if (!value)
        value = usual_of(requirement);
    switch (requirement->demand) {
    case DEMAND_EXISTS:
        return value;
    case DEMAND_ABSENT:
        return !value;
    case DEMAND_IN:
        return value && is_among(requirement, value);
    case DEMAND_NOT_IN:
        break;
    }
    return !value || !is_among(requirement, value);
}

static bool asks_for_name(const struct requirement *requirement)
{
    return !requirement->is_label && requirement->demand == DEMAND_IN &&
           strcmp(requirement->name, "/metadata/name") == 0;
}

bool selector_may_match(const struct selector *selector, const char *name)
{
    for (const struct requirement *at = selector ? selector->first : NULL; at; at = at->next)
        if (asks_for_name(at) && !is_among(at, name))
            return false;
    return true;
}

bool selector_matches(const struct selector *selector, const json_t *object)
{
    const struct requirement *at = selector ? selector->first : NULL;
    while (at && holds(at, object))
        at = at->next;
    return !at;
}

void selector_free(struct selector *selector)
{
    if (!selector)
        return;
    for (struct requirement *at = selector->first, *next; at; at = next) {
        next = at->next;
        for (size_t i = 0; i < at->count; i++)
            free(at->values[i]);
        free(at->values);
        free(at->name);
        free(at);
    }
    free(selector);
}

/* ── Reading ──────────────────────────────────────────────────────────────────────────────── */

static struct requirement *add(struct selector *selector, enum demand demand)
{
    struct requirement *requirement = mem_alloc(sizeof *requirement);
    requirement->demand = demand;
    requirement->next = selector->first;
    selector->first = requirement;
    return requirement;
}

static void add_value(struct requirement *requirement, const char *start, size_t length)
{
    size_t size = (requirement->count + 1) * sizeof(char *);
    requirement->values = mem_grow(requirement->values, size);
    requirement->values[requirement->count++] = str_copy_n(start, length);
}

static const char *skip_space(const char *at)
{
    while (isspace((unsigned char)*at))
        at++;
    return at;
}

static size_t word_length(const char *at)
{
    return strcspn(at, " \t,=!()");
}

/* "(a, b)"; what follows, or NULL when it isn't one. */
static const char *read_set(const char *at, struct requirement *requirement)
{
    at = skip_space(at);
    if (*at++ != '(')
        return NULL;
    for (;;) {
        at = skip_space(at);
        size_t length = word_length(at);
        add_value(requirement, at, length);
        at = skip_space(at + length);
        if (*at == ')')
            return at + 1;
        if (*at++ != ',')
            return NULL;
    }
}

static const char *read_operator(const char *at, struct requirement *requirement)
{
    bool negated = *at == '!';
    requirement->demand = negated ? DEMAND_NOT_IN : DEMAND_IN;
    at = skip_space(at + (negated || at[1] == '=' ? 2 : 1));
    add_value(requirement, at, word_length(at));
    return at + word_length(at);
}

/* One requirement: a, !a, a=b, a==b, a!=b, a in (b,c), a notin (b,c). */
static const char *read_label(const char *at, struct selector *selector)
{
    bool absent = *at == '!';
    at = skip_space(at + absent);
    size_t length = word_length(at);
    if (!length)
        return NULL;
    struct requirement *requirement = add(selector, absent ? DEMAND_ABSENT : DEMAND_EXISTS);
    requirement->is_label = true;
    requirement->name = str_copy_n(at, length);
    at = skip_space(at + length);
    if (absent || !*at || *at == ',')
        return at;
    if (*at == '=' || (at[0] == '!' && at[1] == '='))
        return read_operator(at, requirement);
    if (strncmp(at, "in", 2) == 0) {
        requirement->demand = DEMAND_IN;
        return read_set(at + 2, requirement);
    }
    if (strncmp(at, "notin", 5) != 0)
        return NULL;
    requirement->demand = DEMAND_NOT_IN;
    return read_set(at + 5, requirement);
}

static int read_labels(const char *text, struct selector *selector, struct failure *failure)
{
    const char *at = skip_space(text);
    while (*at) {
        at = read_label(at, selector);
        at = at ? skip_space(at) : NULL;
        if (!at || (*at && *at != ','))
            return fail(failure, 400, "BadRequest", "unable to parse requirement: %s", text);
        if (*at == ',')
            at = skip_space(at + 1);
    }
    return 0;
}

/* The fields that may be selected by, beside an object's name and namespace; NULL: no others. */
static const char *own_fields(const struct kind *kind)
{
    static const struct {
        const char *kind, *fields;
    } known[] = {
        {"Pod", " spec.nodeName spec.restartPolicy spec.schedulerName spec.serviceAccountName "
                "spec.hostNetwork status.phase status.podIP status.podIPs "
                "status.nominatedNodeName "},
        {"Event", " involvedObject.kind involvedObject.namespace involvedObject.name "
                  "involvedObject.uid involvedObject.apiVersion involvedObject.resourceVersion "
                  "involvedObject.fieldPath reason reportingComponent source type "},
        {"Namespace", " status.phase "},
        {"Node", " spec.unschedulable "},
        {"Secret", " type "},
        {"ReplicaSet", " status.replicas "},
        {"Service", " spec.clusterIP spec.type "},
    };
    for (size_t i = 0; !kind->custom && i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].kind, kind->name) == 0)
            return known[i].fields;
    return NULL;
}

static bool is_selectable(const struct kind *kind, const char *field)
{
    const char *own = own_fields(kind);
    char *word AUTO_FREE = str_format(" %s ", field);
    if (strcmp(field, "metadata.name") == 0 || strcmp(field, "metadata.namespace") == 0)
        return true;
    return own && strstr(own, word);
}

static char *pointer_of(const char *field)
{
    char *pointer = str_format("/%s", strcmp(field, "source") == 0 ? "source.component" : field);
    for (char *at = pointer; *at; at++)
        if (*at == '.')
            *at = '/';
    return pointer;
}

static int refuse_field(const struct kind *kind, const char *field, struct failure *failure)
{
    bool common = !kind->custom && !own_fields(kind);
    return fail(failure, 400, "BadRequest",
                common ? "\"%s\" is not a known field selector: only \"metadata.name\", "
                         "\"metadata.namespace\""
                       : "field label not supported: %s",
                field);
}

static int read_fields(const struct kind *kind, const char *text, struct selector *selector,
                       struct failure *failure)
{
    char *copy AUTO_FREE = str_copy(text), *rest = copy;
    for (char *term; (term = strsep(&rest, ","));) {
        char *sign = strchr(term, '=');
        if (!*term)
            continue;
        if (!sign)
            return fail(failure, 400, "BadRequest", "invalid selector: '%s'; can't understand '%s'",
                        text, term);
        bool negated = sign > term && sign[-1] == '!';
        const char *value = sign + 1 + (sign[1] == '=');
        sign[negated ? -1 : 0] = '\0';
        if (!is_selectable(kind, term))
            return refuse_field(kind, term, failure);
        struct requirement *requirement = add(selector, negated ? DEMAND_NOT_IN : DEMAND_IN);
        requirement->name = pointer_of(term);
        add_value(requirement, value, strlen(value));
    }
    return 0;
}

int selector_read(const struct kind *kind, const char *labels, const char *fields,
                  struct selector **ret_selector, struct failure *failure)
{
    struct selector *selector = mem_alloc(sizeof *selector);
    if ((labels && read_labels(labels, selector, failure) < 0) ||
        (fields && read_fields(kind, fields, selector, failure) < 0)) {
        selector_free(selector);
        return -1;
    }
    *ret_selector = selector->first ? selector : NULL;
    if (!selector->first)
        selector_free(selector);
    return 0;
}
