// SPDX-License-Identifier: Apache-2.0
#include "cli/redact.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "follow/history.h"
#include "follow/ledger.h"
#include "oam/asked.h"
#include "oam/revision.h"

#include <ctype.h>
#include <regex.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* What is done with what stands under a key. Of objects and lists it is the members that count. */
enum treatment {
    HIDDEN,  /* a text is left out; any key that isn't known */
    WORD,    /* a text stays */
    PROSE,   /* a text is searched for secrets */
    POINTER, /* a text stays if it is a JSON pointer, and those below it likewise */
    GONE,    /* nothing of it stays, not even that it was there */
    COUNTED, /* only how many there are */
    NAMES,   /* of a list's items only their names */
    MARKS,   /* of annotations only ours */
    LABELS,  /* of labels only those that tell revisions apart */
};

struct rule {
    enum treatment treatment;
    bool anywhere; /* in objects too whose fields are others' to name */
    const char *const *keys;
};

#define KEYS(...)                                                                                  \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

static const struct rule rules[] = {
    /* what every object has, and what workloads and their pods use to have */
    {WORD, true,
     KEYS("apiVersion", "kind", "name", "namespace", "uid", "resourceVersion", "type",
          "creationTimestamp", "deletionTimestamp", "finalizers")},
    {WORD, true,
     KEYS("status", "reason", "lastTransitionTime", "lastUpdateTime", "lastProbeTime", "phase",
          "startTime", "startedAt", "finishedAt", "updateRevision", "currentRevision")},
    {WORD, true,
     KEYS("image", "imageID", "imagePullPolicy", "partition", "maxSurge", "maxUnavailable",
          "replicas", "nodeName", "podManagementPolicy", "restartPolicy", "port", "targetPort",
          "protocol", "cpu", "memory", "podUpdatePolicy", "scheme")},
    {PROSE, true, KEYS("message")},
    {GONE, true, KEYS("managedFields", "data", "binaryData", "stringData", "selfLink")},
    {COUNTED, true,
     KEYS("command", "args", "volumes", "volumeMounts", "envFrom", "imagePullSecrets")},
    {NAMES, true, KEYS("env")},
    {MARKS, true, KEYS("annotations")},
    {LABELS, true, KEYS("labels")},
    /* rollouts, and what is told of them */
    {WORD, false,
     KEYS("targetAppRevisionName", "sourceAppRevisionName", "componentList", "component",
          "rolloutStrategy", "podList", "onFailure", "method")},
    {WORD, false,
     KEYS("rollingState", "batchRollingState", "targetGeneration", "answeredWish",
          "lastAppliedPodTemplateIdentifier", "lastTargetAppRevision", "LastSourceAppRevision",
          "stepTime", "retryAt", "source", "target", "began", "ended", "verdict", "batchBegan",
          "verb", "by", "at", "to", "event", "code", "field", "object", "since", "state")},
    {PROSE, false, KEYS("url", "expected", "found", "advice", "when")},
    /* Events and the Lease */
    {WORD, false,
     KEYS("reportingComponent", "firstTimestamp", "lastTimestamp", "eventTime", "holderIdentity",
          "acquireTime", "renewTime")},
    /* the program, its config and its adapters */
    {WORD, false, KEYS("version", "compiler", "libraries", "system", "platform", "made")},
    {WORD, false,
     KEYS("directory", "adapter", "file", "sha256", "isolation", "definitionNamespace", "service",
          "configuration", "program", "listen", "logLevel", "apiGroups", "resources", "verbs")},
    {PROSE, false,
     KEYS("access", "server", "what", "why", "readyz", "metrics", "log", "allow", "refusal")},
    {POINTER, false, KEYS("options")},
    {COUNTED, false, KEYS("native")},
};

static const char *const marks[] = {
    MARK_HOLDER, MARK_APPLIED, MARK_TEMPLATE,  MARK_REST,           MARK_ASKED,
    MARK_WISH,   MARK_BEFORE,  MARK_TEMPLATES, ANNOTATION_TEMPLATE, ANNOTATION_COMPONENTS,
    NULL};
static const char *const labels[] = {"controller-revision-hash",
                                     "pod-template-hash",
                                     "pod-template-generation",
                                     "apps.kruise.io/cloneset-instance-id",
                                     LABEL_APP,
                                     LABEL_COMPONENT,
                                     LABEL_REVISION,
                                     LABEL_REVISION_HASH,
                                     NULL};

enum { SHORTEST = 8 }; /* a text that is no longer isn't looked for in sentences */

struct redactor {
    json_t *shown, *hidden; /* sets: what stays as a word; what was left out */
    bool foreign;           /* within a workload, whose fields may be anybody's */
    bool hiding;            /* within something of which no text stays */
    regex_t secrets;
};

static bool is_one_of(const char *key, const char *const *keys)
{
    for (; *keys; keys++)
        if (strcmp(*keys, key) == 0)
            return true;
    return false;
}

static enum treatment treatment_of(const struct redactor *redactor, const char *key)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if ((rules[i].anywhere || !redactor->foreign) && is_one_of(key, rules[i].keys))
            return rules[i].treatment;
    return HIDDEN;
}

/* ---- texts ---- */

/* In any sentence: `password=…`, `"token": "…"`, `Bearer …`, `exec: "…"`, and a token of JSON. */
#define SECRETS                                                                                    \
    "([a-z0-9_-]*(passw(or)?d|token|secret|credential|api[_-]?key)[a-z0-9_-]*[\"']?[=:] ?[\"']?"   \
    "|bearer +|basic +|exec: *\\\\?\")[^] \"',;)}\\]+|eyJ[a-z0-9_-]{8,}[a-z0-9_.-]*"

static void set_add(json_t *set, const char *text)
{
    json_object_set_new(set, text, json_true());
}

static json_t *leave_out(struct redactor *redactor, const char *text)
{
    if (strlen(text) >= SHORTEST)
        set_add(redactor->hidden, text);
    return json_string(LEFT_OUT);
}

static json_t *show(struct redactor *redactor, const char *text)
{
    set_add(redactor->shown, text);
    return json_string(text);
}

/* 25% */
static bool is_percentage(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits && digits <= 3 && strcmp(text + digits, "%") == 0;
}

static bool is_pointer(const char *text)
{
    return (*text == '/' || strncmp(text, "-/", 2) == 0) &&
           strspn(text, "-/.=~_*"
                        "abcdefghijklmnopqrstuvwxyz"
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789") == strlen(text);
}

#define URL_END " \t\n\"'<>`"

/* Of each URL the user, the path and the query are left out: any of them may be a password. */
static void urls_cut(const char *from, struct text *to)
{
    const char *mark;
    while ((mark = strstr(from, "://"))) {
        const char *host = mark + 3, *end = host + strcspn(host, URL_END "/?#");
        for (const char *at = host; at < end; at++)
            if (*at == '@')
                host = at + 1;
        text_add(to, from, (size_t)(mark + 3 - from));
        text_add(to, host, (size_t)(end - host));
        from = end + strcspn(end, URL_END);
        if (from > end + 1)
            text_puts(to, "/…");
    }
    text_puts(to, from);
}

/* The query of a path without a host, which messages about requests have. */
static void queries_cut(const char *from, struct text *to)
{
    const char *mark;
    while ((mark = strchr(from, '?')) && mark[1] && !isspace((unsigned char)mark[1])) {
        text_add(to, from, (size_t)(mark + 1 - from));
        text_puts(to, "…");
        from = mark + 1 + strcspn(mark + 1, URL_END);
    }
    text_puts(to, from);
}

static void secrets_cut(const struct redactor *redactor, const char *from, struct text *to)
{
    regmatch_t found[2];
    while (regexec(&redactor->secrets, from, 2, found, 0) == 0) {
        /* What says that it is one stays. */
        regoff_t from_here = found[1].rm_so >= 0 ? found[1].rm_eo : found[0].rm_so;
        text_add(to, from, (size_t)from_here);
        text_puts(to, LEFT_OUT);
        from += found[0].rm_eo;
    }
    text_puts(to, from);
}

static void replace_all(struct text *text, const char *what)
{
    struct text made = {0};
    const char *from = text->at, *mark;
    for (; (mark = strstr(from, what)); from = mark + strlen(what)) {
        text_add(&made, from, (size_t)(mark - from));
        text_puts(&made, LEFT_OUT);
    }
    text_puts(&made, from);
    text_done(text);
    *text = made;
}

static void hidden_cut(const struct redactor *redactor, struct text *text)
{
    const char *secret;
    json_t *ignored;
    json_object_foreach (redactor->hidden, secret, ignored)
        if (!json_object_get(redactor->shown, secret) && strstr(text->at, secret))
            replace_all(text, secret);
}

static json_t *prose(const struct redactor *redactor, const char *sentence)
{
    struct text whole AUTO(text_done) = {0}, urls AUTO(text_done) = {0};
    struct text queries AUTO(text_done) = {0}, words AUTO(text_done) = {0};
    text_puts(&whole, sentence);
    hidden_cut(redactor, &whole);
    urls_cut(whole.at, &urls);
    queries_cut(urls.at, &queries);
    secrets_cut(redactor, queries.at, &words);
    return json_string(words.at);
}

static json_t *text_redacted(struct redactor *redactor, enum treatment treatment, const char *text)
{
    if (redactor->hiding)
        return leave_out(redactor, text);
    if (treatment == WORD || is_percentage(text) || (treatment == POINTER && is_pointer(text)))
        return show(redactor, text);
    return treatment == PROSE ? prose(redactor, text) : leave_out(redactor, text);
}

/* ---- objects and lists ---- */

static json_t *value_redacted(struct redactor *redactor, enum treatment treatment,
                              const json_t *value);

/* So many members, and no text of them. */
static json_t *hidden(struct redactor *redactor, const json_t *value)
{
    bool before = redactor->hiding;
    redactor->hiding = true;
    json_t *made = value_redacted(redactor, HIDDEN, value);
    redactor->hiding = before;
    return made;
}

static json_t *nothing_of(struct redactor *redactor, const json_t *value)
{
    json_decref(hidden(redactor, value));
    return NULL;
}

static json_t *counted(struct redactor *redactor, const json_t *value)
{
    nothing_of(redactor, value);
    return json_sprintf("%zu, left out", json_array_size(value));
}

static json_t *names(struct redactor *redactor, const json_t *list)
{
    json_t *made = json_array();
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_at(json_array_get(list, i), "/name");
        nothing_of(redactor, json_array_get(list, i));
        json_array_append_new(made, name ? show(redactor, name) : json_null());
    }
    return made;
}

/* One of ours: a sentence, or an object that is told like any other. */
static json_t *mark_redacted(struct redactor *redactor, const char *text)
{
    json_t *inside AUTO_JSON = json_loads(text, 0, NULL);
    return inside ? value_redacted(redactor, HIDDEN, inside) : prose(redactor, text);
}

static json_t *chosen(struct redactor *redactor, enum treatment treatment, const json_t *all)
{
    json_t *made = json_object(), *value;
    const char *key;
    json_object_foreach ((json_t *)(uintptr_t)all, key, value) {
        const char *text = json_string_value(value);
        if (!text)
            continue;
        if (treatment == LABELS && is_one_of(key, labels))
            json_object_set_new(made, key, show(redactor, text));
        else if (treatment == MARKS && is_one_of(key, marks))
            json_object_set_new(made, key, mark_redacted(redactor, text));
        else if (treatment == MARKS)
            nothing_of(redactor, value);
    }
    return made;
}

/* Who receives a hook may be told anything, and what a container has said last may be anything. */
static bool is_anything(const json_t *object, const char *key)
{
    return (strcmp(key, "metadata") == 0 && json_object_get(object, "url")) ||
           (strcmp(key, "message") == 0 && json_object_get(object, "exitCode"));
}

static json_t *member_redacted(struct redactor *redactor, const char *key, const json_t *value);

static json_t *object_redacted(struct redactor *redactor, const json_t *object)
{
    json_t *made = json_object(), *value;
    const char *key;
    json_object_foreach ((json_t *)(uintptr_t)object, key, value) {
        json_t *left = is_anything(object, key) ? hidden(redactor, value)
                                                : member_redacted(redactor, key, value);
        if (left)
            json_object_set_new(made, key, left);
    }
    return made;
}

static json_t *list_redacted(struct redactor *redactor, enum treatment treatment,
                             const json_t *list)
{
    json_t *made = json_array(), *value;
    size_t index;
    json_array_foreach (list, index, value) {
        json_array_append_new(made, value_redacted(redactor, treatment, value));
    }
    return made;
}

static json_t *pointers(struct redactor *redactor, const json_t *object)
{
    json_t *made = json_object(), *value;
    const char *key;
    json_object_foreach ((json_t *)(uintptr_t)object, key, value)
        json_object_set_new(made, key, value_redacted(redactor, POINTER, value));
    return made;
}

static json_t *value_redacted(struct redactor *redactor, enum treatment treatment,
                              const json_t *value)
{
    if (json_is_string(value))
        return text_redacted(redactor, treatment, json_string_value(value));
    if (json_is_array(value))
        return list_redacted(redactor, treatment, value);
    if (json_is_object(value))
        return treatment == POINTER ? pointers(redactor, value) : object_redacted(redactor, value);
    return json_copy((json_t *)(uintptr_t)value);
}

static json_t *workload_redacted(struct redactor *redactor, const json_t *workload)
{
    redactor->foreign = true;
    json_t *made = value_redacted(redactor, HIDDEN, workload);
    redactor->foreign = false;
    return made;
}

static json_t *member_redacted(struct redactor *redactor, const char *key, const json_t *value)
{
    enum treatment treatment = redactor->hiding ? HIDDEN : treatment_of(redactor, key);
    if (strcmp(key, "workload") == 0)
        return workload_redacted(redactor, value);
    switch (treatment) {
    case GONE:
        return nothing_of(redactor, value);
    case COUNTED:
        return counted(redactor, value);
    case NAMES:
        return names(redactor, value);
    case MARKS:
    case LABELS:
        return chosen(redactor, treatment, value);
    case HIDDEN:
    case WORD:
    case PROSE:
    case POINTER:
        break;
    }
    return value_redacted(redactor, treatment, value);
}

/* Twice over: the first time to learn what is left out anywhere, so that no sentence tells it. */
json_t *redact(const json_t *report)
{
    struct redactor redactor = {.shown = json_object(), .hidden = json_object()};
    regcomp(&redactor.secrets, SECRETS, REG_EXTENDED | REG_ICASE);
    json_decref(value_redacted(&redactor, HIDDEN, report));
    json_t *made = value_redacted(&redactor, HIDDEN, report);
    regfree(&redactor.secrets);
    json_decref(redactor.shown);
    json_decref(redactor.hidden);
    return made;
}
