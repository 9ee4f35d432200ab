// SPDX-License-Identifier: Apache-2.0
#include "faults.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/list.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

struct rule {
    struct list link;
    enum fault_scope scope;
    struct fault fault;
    json_t *said; /* as it was sent, with its id */
    double probability;
    int64_t skip, times; /* times -1: without end */
    int64_t seen, done;  /* what has fitted, and what of it has gone wrong */
    uint64_t chance;     /* the state of its dice */
};

struct faults {
    struct list rules;  /* in the order in which they came */
    const char *spared; /* agent; NULL: none */
    int64_t ids;
};

struct faults *faults_new(void)
{
    struct faults *faults = mem_alloc(sizeof *faults);
    list_init(&faults->rules);
    return faults;
}

static void rule_free(struct rule *rule)
{
    list_remove(&rule->link);
    json_decref(rule->said);
    free(rule);
}

void faults_clear(struct faults *faults)
{
    while (!list_empty(&faults->rules))
        rule_free(list_entry(faults->rules.next, struct rule, link));
}

void faults_free(struct faults *faults)
{
    if (!faults)
        return;
    faults_clear(faults);
    free(faults);
}

/* ── Reading rules ────────────────────────────────────────────────────────────────────────── */

/* Which fields a rule may have: those about what it fits go by the scope, others by the kind. */
enum {
    FIELD_OF_REQUESTS = 1 << FAULTS_OF_REQUESTS,
    FIELD_OF_EVENTS = 1 << FAULTS_OF_EVENTS,
    FIELD_OF_PODS = 1 << FAULTS_OF_PODS,
    FIELD_OF_NODES = 1 << FAULTS_OF_NODES,
    FIELD_OF_ALL_BUT_NODES = FIELD_OF_REQUESTS | FIELD_OF_EVENTS | FIELD_OF_PODS,
};

static const struct {
    const char *name;
    unsigned scopes;
} general_fields[] = {
    {"fault", FIELD_OF_ALL_BUT_NODES | FIELD_OF_NODES},
    {"verb", FIELD_OF_REQUESTS},
    {"resource", FIELD_OF_REQUESTS | FIELD_OF_EVENTS},
    {"namespace", FIELD_OF_ALL_BUT_NODES},
    {"name", FIELD_OF_ALL_BUT_NODES | FIELD_OF_NODES},
    {"agent", FIELD_OF_REQUESTS | FIELD_OF_EVENTS},
    {"skip", FIELD_OF_ALL_BUT_NODES},
    {"times", FIELD_OF_ALL_BUT_NODES},
    {"probability", FIELD_OF_ALL_BUT_NODES},
    {"seed", FIELD_OF_ALL_BUT_NODES},
};

static const struct {
    const char *name;
    enum fault_scope scope;
    const char *needs, *takes; /* fields of its own; NULL: none */
} faults_known[] = {
    [FAULT_SLOW] = {"slow", FAULTS_OF_REQUESTS, "seconds", NULL},
    [FAULT_ANSWER] = {"answer", FAULTS_OF_REQUESTS, "code", "retryAfterSeconds"},
    [FAULT_CUT] = {"cut", FAULTS_OF_REQUESTS, "where", NULL},
    [FAULT_WATCH_CUT] = {"watchCut", FAULTS_OF_EVENTS, NULL, NULL},
    [FAULT_WATCH_GONE] = {"watchGone", FAULTS_OF_EVENTS, NULL, NULL},
    [FAULT_WATCH_TWICE] = {"watchTwice", FAULTS_OF_EVENTS, NULL, NULL},
    [FAULT_WATCH_LATE] = {"watchLate", FAULTS_OF_EVENTS, "seconds", NULL},
    [FAULT_POD_NEVER_READY] = {"podNeverReady", FAULTS_OF_PODS, NULL, NULL},
    [FAULT_NODE_DEAD] = {"nodeDead", FAULTS_OF_NODES, "name", NULL},
};
enum { FAULTS_KNOWN = sizeof faults_known / sizeof *faults_known };

/* A rule while it is read, and where it stands: "faults[1]". */
struct reading {
    const json_t *json;
    const char *at;
    struct error *err;
};

static int wrong(const struct reading *reading, const char *field, const char *expected)
{
    const json_t *found = json_object_get(reading->json, field);
    char *text AUTO_FREE = found ? json_text(found) : str_copy("nothing");
    return error_set(reading->err, ERR_INVALID, "%s%s: expected %s, found %s", reading->at, field,
                     expected, text);
}

static int read_kind(const struct reading *reading, struct rule *rule)
{
    const char *name = json_string_value(json_object_get(reading->json, "fault"));
    for (int i = 0; i < FAULTS_KNOWN; i++)
        if (str_equal(name, faults_known[i].name)) {
            rule->fault.kind = (enum fault_kind)i;
            rule->scope = faults_known[i].scope;
            return OK;
        }
    return wrong(reading, "fault",
                 "slow, answer, cut, watchCut, watchGone, watchTwice, watchLate, podNeverReady or "
                 "nodeDead");
}

static bool is_field_of(const struct rule *rule, const char *name)
{
    enum fault_kind kind = rule->fault.kind;
    for (size_t i = 0; i < sizeof general_fields / sizeof *general_fields; i++)
        if (strcmp(name, general_fields[i].name) == 0)
            return general_fields[i].scopes & (1U << rule->scope);
    return str_equal(name, faults_known[kind].needs) || str_equal(name, faults_known[kind].takes);
}

static int check_fields(const struct reading *reading, const struct rule *rule)
{
    const char *name, *kind = faults_known[rule->fault.kind].name;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)reading->json, name, value)
        if (!is_field_of(rule, name))
            return error_set(reading->err, ERR_INVALID, "%s%s: %s takes no such field", reading->at,
                             name, kind);
    return OK;
}

static int check_patterns(const struct reading *reading, const struct rule *rule)
{
    static const char *const patterns[] = {"verb", "resource", "namespace", "name", "agent"};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        const json_t *value = json_object_get(reading->json, patterns[i]);
        if (value && (!json_is_string(value) || !*json_string_value(value)))
            return wrong(reading, patterns[i], "a name or a pattern");
    }
    if (rule->fault.kind == FAULT_NODE_DEAD && !json_object_get(reading->json, "name"))
        return wrong(reading, "name", "a name or a pattern");
    return OK;
}

/* A whole number that may be absent. */
static int read_count(const struct reading *reading, const char *field, int64_t least,
                      const char *expected, int64_t *ret_count)
{
    const json_t *value = json_object_get(reading->json, field);
    if (!value)
        return OK;
    if (!json_is_integer(value) || json_integer_value(value) < least)
        return wrong(reading, field, expected);
    *ret_count = json_integer_value(value);
    return OK;
}

static int read_how_often(const struct reading *reading, struct rule *rule)
{
    const json_t *probability = json_object_get(reading->json, "probability");
    int64_t seed = 0;
    rule->times = -1;
    rule->probability = probability ? json_number_value(probability) : 1;
    if (probability &&
        !(json_is_number(probability) && rule->probability > 0 && rule->probability <= 1))
        return wrong(reading, "probability", "a number above 0 and up to 1");
    if (read_count(reading, "skip", 0, "a whole number from 0", &rule->skip) < 0 ||
        read_count(reading, "times", 1, "a whole number from 1", &rule->times) < 0 ||
        read_count(reading, "seed", INT64_MIN, "a whole number", &seed) < 0)
        return ERR_INVALID;
    rule->chance = (uint64_t)seed;
    return OK;
}

static int read_delay(const struct reading *reading, struct rule *rule)
{
    const json_t *value = json_object_get(reading->json, "seconds");
    double seconds = json_number_value(value);
    if (!json_is_number(value) || !(seconds > 0 && seconds <= 3600))
        return wrong(reading, "seconds", "a number above 0 and up to 3600");
    rule->fault.delay_ms = (int64_t)(seconds * 1000);
    return OK;
}

static int read_answer(const struct reading *reading, struct rule *rule)
{
    static const char *const expected = "a number from 400 to 599";
    int64_t code = 0;
    if (read_count(reading, "code", 400, expected, &code) < 0)
        return ERR_INVALID;
    if (code < 400 || code > 599)
        return wrong(reading, "code", expected);
    rule->fault.code = (unsigned)code;
    return read_count(reading, "retryAfterSeconds", 1, "a whole number from 1",
                      &rule->fault.retry_after_s);
}

static int read_cut(const struct reading *reading, struct rule *rule)
{
    static const char *const places[] = {
        [CUT_REQUEST] = "request", [CUT_ANSWER] = "answer", [CUT_BODY] = "body"};
    const char *where = json_string_value(json_object_get(reading->json, "where"));
    for (int i = CUT_REQUEST; i <= CUT_BODY; i++)
        if (str_equal(where, places[i])) {
            rule->fault.cut = (enum fault_cut)i;
            return OK;
        }
    return wrong(reading, "where", "request, answer or body");
}

static int read_own(const struct reading *reading, struct rule *rule)
{
    switch (rule->fault.kind) {
    case FAULT_SLOW:
    case FAULT_WATCH_LATE:
        return read_delay(reading, rule);
    case FAULT_ANSWER:
        return read_answer(reading, rule);
    case FAULT_CUT:
        return read_cut(reading, rule);
    case FAULT_WATCH_CUT:
    case FAULT_WATCH_GONE:
    case FAULT_WATCH_TWICE:
    case FAULT_POD_NEVER_READY:
    case FAULT_NODE_DEAD:
        break;
    }
    return OK;
}

static int read_rule(const struct reading *reading, struct rule *rule)
{
    if (!json_is_object(reading->json)) {
        char *text AUTO_FREE = json_text(reading->json);
        return error_set(reading->err, ERR_INVALID, "%sexpected a rule, found %s", reading->at,
                         text);
    }
    if (read_kind(reading, rule) < 0 || check_fields(reading, rule) < 0 ||
        check_patterns(reading, rule) < 0 || read_how_often(reading, rule) < 0)
        return ERR_INVALID;
    return read_own(reading, rule);
}

static int add_rule(struct list *rules, const json_t *json, const char *at, struct error *err)
{
    struct rule *rule = mem_alloc(sizeof *rule);
    const struct reading reading = {json, at, err};
    list_append(rules, &rule->link);
    rule->said = json_copy((json_t *)(uintptr_t)json);
    return read_rule(&reading, rule);
}

static int add_rules(struct list *rules, const json_t *list, struct error *err)
{
    size_t i;
    json_t *json;
    json_array_foreach (list, i, json) {
        char *at AUTO_FREE = str_format(json_is_object(json) ? "faults[%zu]." : "faults[%zu]: ", i);
        int code = add_rule(rules, json, at, err);
        if (code < 0)
            return code;
    }
    return OK;
}

static json_t *rule_json(const struct rule *rule)
{
    json_t *json = json_copy(rule->said);
    json_object_set_new(json, "seen", json_integer(rule->seen));
    json_object_set_new(json, "done", json_integer(rule->done));
    return json;
}

static json_t *rules_json(const struct list *rules)
{
    json_t *list = json_array();
    for (struct list *at = rules->next; at != rules; at = at->next)
        json_array_append_new(list, rule_json(list_entry(at, struct rule, link)));
    return json_pack("{so}", "faults", list);
}

static void take_over(struct faults *faults, struct list *rules)
{
    while (!list_empty(rules)) {
        struct rule *rule = list_entry(rules->next, struct rule, link);
        list_remove(&rule->link);
        list_append(&faults->rules, &rule->link);
    }
}

int faults_add(struct faults *faults, const json_t *rules, json_t **ret_added, struct error *err)
{
    const json_t *list = json_object_get(rules, "faults");
    struct faults fresh = {.ids = faults->ids};
    list_init(&fresh.rules);
    int code = list && !json_is_array(list)
                   ? error_set(err, ERR_INVALID, "faults: expected an array of rules")
               : list ? add_rules(&fresh.rules, list, err)
                      : add_rule(&fresh.rules, rules, "", err);
    if (code < 0) {
        faults_clear(&fresh);
        return code;
    }
    for (struct list *at = fresh.rules.next; at != &fresh.rules; at = at->next)
        json_object_set_new(list_entry(at, struct rule, link)->said, "id",
                            json_integer(++faults->ids));
    *ret_added = rules_json(&fresh.rules);
    take_over(faults, &fresh.rules);
    return OK;
}

json_t *faults_list(const struct faults *faults)
{
    return rules_json(&faults->rules);
}

bool faults_remove(struct faults *faults, int64_t id)
{
    for (struct list *at = faults->rules.next; at != &faults->rules; at = at->next) {
        struct rule *rule = list_entry(at, struct rule, link);
        if (json_int_at(rule->said, "/id", 0) == id) {
            rule_free(rule);
            return true;
        }
    }
    return false;
}

void faults_spare(struct faults *faults, const char *agent)
{
    faults->spared = agent;
}

/* ── Picking ──────────────────────────────────────────────────────────────────────────────── */

static bool fits_word(const struct rule *rule, const char *field, const char *word)
{
    const char *pattern = json_string_value(json_object_get(rule->said, field));
    return !pattern || fnmatch(pattern, word ? word : "", 0) == 0;
}

static bool fits(const struct rule *rule, enum fault_scope scope,
                 const struct fault_subject *subject)
{
    return rule->scope == scope && fits_word(rule, "verb", subject->verb) &&
           fits_word(rule, "resource", subject->resource) &&
           fits_word(rule, "namespace", subject->ns) && fits_word(rule, "name", subject->name) &&
           fits_word(rule, "agent", subject->agent);
}

/* From 0 up to 1, by the sequence that is called splitmix64. */
static double throw_dice(struct rule *rule)
{
    uint64_t mixed = rule->chance += 0x9e3779b97f4a7c15U;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebU;
    mixed ^= mixed >> 31;
    return (double)(mixed >> 11) / (double)(1ULL << 53);
}

static bool strikes(struct rule *rule)
{
    rule->seen++;
    if (rule->seen <= rule->skip || rule->done == rule->times)
        return false;
    if (rule->probability < 1 && throw_dice(rule) >= rule->probability)
        return false;
    rule->done++;
    return true;
}

const struct fault *faults_pick(struct faults *faults, enum fault_scope scope,
                                const struct fault_subject *subject)
{
    if (faults->spared && str_equal(faults->spared, subject->agent))
        return NULL;
    for (struct list *at = faults->rules.next; at != &faults->rules; at = at->next) {
        struct rule *rule = list_entry(at, struct rule, link);
        if (fits(rule, scope, subject) && strikes(rule))
            return &rule->fault;
    }
    return NULL;
}
