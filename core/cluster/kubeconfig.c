// SPDX-License-Identifier: Apache-2.0
#include "cluster/kubeconfig.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/nearest.h"
#include "cluster/file_text.h"
#include "cluster/yaml_json.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void kubeconfig_done(struct kubeconfig *config)
{
    free(config->context);
    free(config->ns);
    free(config->cluster_at);
    free(config->user_at);
    json_decref(config->cluster);
    json_decref(config->user);
    *config = (struct kubeconfig){0};
}

int config_string(const json_t *object, const char *at, const char *field, const char **ret_text,
                  struct error *err)
{
    const json_t *value = json_object_get(object, field);
    if (value && !json_is_null(value) && !json_is_string(value)) {
        char *path AUTO_FREE = str_format("%s.%s", at, field);
        return error_at(err, ERR_INVALID, path, "%s must be a string (put it in quotes)", path);
    }
    const char *text = json_string_value(value);
    *ret_text = text && *text ? text : NULL;
    return OK;
}

int config_bool(const json_t *object, const char *at, const char *field, bool *ret_value,
                struct error *err)
{
    const json_t *value = json_object_get(object, field);
    if (value && !json_is_null(value) && !json_is_boolean(value)) {
        char *path AUTO_FREE = str_format("%s.%s", at, field);
        return error_at(err, ERR_INVALID, path, "%s must be true or false", path);
    }
    *ret_value = json_is_true(value);
    return OK;
}

/* The folder of a file, absolute, without a slash at its end. */
static char *folder_of(const char *file)
{
    const char *slash = strrchr(file, '/');
    char *folder = slash ? str_copy_n(file, (size_t)(slash - file)) : str_copy("");
    if (*file == '/')
        return folder;
    char *here AUTO_FREE = getcwd(NULL, 0);
    char *absolute = str_format("%s%s%s", here ? here : "", *folder ? "/" : "", folder);
    free(folder);
    return absolute;
}

static void path_resolve(json_t *object, const char *field, const char *folder)
{
    const char *path = json_string_value(json_object_get(object, field));
    if (!path || !*path || *path == '/')
        return;
    char *absolute AUTO_FREE = str_format("%s/%s", folder, path);
    json_object_set_new(object, field, json_string(absolute));
}

static void cluster_resolve(json_t *cluster, const char *folder)
{
    path_resolve(cluster, "certificate-authority", folder);
}

static void user_resolve(json_t *user, const char *folder)
{
    path_resolve(user, "client-certificate", folder);
    path_resolve(user, "client-key", folder);
    path_resolve(user, "tokenFile", folder);
    /* A command without a slash is searched for in PATH. */
    json_t *exec = json_object_get(user, "exec");
    const char *command = json_string_value(json_object_get(exec, "command"));
    if (command && strchr(command, '/'))
        path_resolve(exec, "command", folder);
}

/* One of the three lists of a kubeconfig: [{name, <inner>: {...}}, …]. */
struct section {
    const char *list, *inner;
    void (*resolve)(json_t *object, const char *folder);
};

static const struct section sections[] = {
    {"clusters", "cluster", cluster_resolve},
    {"users", "user", user_resolve},
    {"contexts", "context", NULL},
};

static int section_merge(json_t *all, const struct section *section, const json_t *list,
                         const char *file, struct error *err)
{
    if (!list || json_is_null(list))
        return OK;
    char *folder AUTO_FREE = folder_of(file);
    json_t *merged = json_object_get(all, section->list);
    size_t i;
    json_t *entry;
    if (!json_is_array(list))
        return error_at(err, ERR_INVALID, section->list, "%s: %s must be a list", file,
                        section->list);
    json_array_foreach (list, i, entry) {
        const char *name = json_string_value(json_object_get(entry, "name"));
        json_t *inner = json_object_get(entry, section->inner);
        if (!name || (inner && !json_is_object(inner) && !json_is_null(inner))) {
            char *path AUTO_FREE = str_format("%s[%zu]", section->list, i);
            return error_at(err, ERR_INVALID, path, "%s: %s must have a name and a %s", file, path,
                            section->inner);
        }
        if (json_object_get(merged, name))
            continue;
        json_t *kept = json_is_object(inner) ? json_incref(inner) : json_object();
        if (section->resolve)
            section->resolve(kept, folder);
        json_object_set_new(merged, name, kept);
    }
    return OK;
}

/* kubectl takes one that doesn't say its kind. */
static int check_kind(const json_t *config, const char *file, struct error *err)
{
    const char *kind = json_string_value(json_object_get(config, "kind"));
    if (!json_is_object(config) && !json_is_null(config))
        return error_set(err, ERR_INVALID, "%s is not a kubeconfig", file);
    if (kind && *kind && strcmp(kind, "Config") != 0)
        return error_at(err, ERR_INVALID, "kind",
                        "%s is not a kubeconfig: expected kind Config, found %s", file, kind);
    return OK;
}

static int file_merge(json_t *all, const char *file, struct error *err)
{
    char *text AUTO_FREE = NULL;
    size_t length;
    int code = file_read(file, &text, &length, err);
    if (code < 0)
        return code;
    json_t *config AUTO_JSON = NULL;
    code = yaml_to_json(file, text, length, &config, err);
    if (code == OK)
        code = check_kind(config, file, err);
    for (size_t i = 0; i < 3 && code == OK; i++)
        code =
            section_merge(all, &sections[i], json_object_get(config, sections[i].list), file, err);
    const char *current = json_string_value(json_object_get(config, "current-context"));
    if (current && *current && !json_object_get(all, "current-context"))
        json_object_set_new(all, "current-context", json_string(current));
    return code;
}

/* All files in one: {clusters: {name: {...}}, users: …, contexts: …, current-context}. */
static int files_merge(const char *files, json_t *all, struct error *err)
{
    char *list AUTO_FREE = str_copy(files);
    char *rest = NULL;
    int found = 0;
    for (char *file = strtok_r(list, ":", &rest); file; file = strtok_r(NULL, ":", &rest)) {
        int code = file_merge(all, file, err);
        if (code == ERR_MISSING && !file_is_there(file))
            continue;
        if (code < 0)
            return code;
        found++;
    }
    return found ? OK : error_set(err, ERR_MISSING, "there is no kubeconfig at %s", files);
}

/* What the context refers to in `list`; NULL with *ret_code set when it isn't there. */
static json_t *context_pick(const json_t *all, const char *list, const char *name)
{
    return name ? json_object_get(json_object_get(all, list), name) : NULL;
}

static int no_context(json_t *contexts, const char *context, struct error *err)
{
    const char **names AUTO_FREE = mem_alloc((json_object_size(contexts) + 1) * sizeof *names);
    const char *name;
    json_t *ignored;
    size_t count = 0;
    json_object_foreach (contexts, name, ignored)
        names[count++] = name;
    char *hint AUTO_FREE = nearest_hint(context, names);
    return error_at(err, ERR_INVALID, "contexts", "there is no context \"%s\"%s", context, hint);
}

static int context_select(const json_t *all, const char *context, struct kubeconfig *config,
                          struct error *err)
{
    const json_t *chosen = context_pick(all, "contexts", context);
    if (!chosen)
        return no_context(json_object_get(all, "contexts"), context, err);
    char *at AUTO_FREE = str_format("contexts[%s].context", context);
    const char *cluster = NULL, *user = NULL, *ns = NULL;
    int code = config_string(chosen, at, "cluster", &cluster, err);
    if (code == OK)
        code = config_string(chosen, at, "user", &user, err);
    if (code == OK)
        code = config_string(chosen, at, "namespace", &ns, err);
    if (code < 0)
        return code;
    config->context = str_copy(context);
    config->ns = str_copy(ns);
    config->cluster = json_incref(context_pick(all, "clusters", cluster));
    config->cluster_at = str_format("clusters[%s].cluster", cluster ? cluster : "");
    config->user = user ? json_incref(context_pick(all, "users", user)) : json_object();
    config->user_at = str_format("users[%s].user", user ? user : "");
    if (!config->cluster)
        return error_at(err, ERR_INVALID, at, "%s.cluster names \"%s\", which isn't among clusters",
                        at, cluster ? cluster : "");
    if (!config->user)
        return error_at(err, ERR_INVALID, at, "%s.user names \"%s\", which isn't among users", at,
                        user);
    return OK;
}

int kubeconfig_load(const char *files, const char *context, struct kubeconfig *ret_config,
                    struct error *err)
{
    json_t *all AUTO_JSON = json_pack("{s:{}, s:{}, s:{}}", "clusters", "users", "contexts");
    int code = files_merge(files, all, err);
    if (code < 0)
        return code;
    if (!context)
        context = json_string_value(json_object_get(all, "current-context"));
    if (!context)
        return error_at(err, ERR_INVALID, "current-context",
                        "%s has no current-context and none was asked for", files);
    struct kubeconfig config = {0};
    code = context_select(all, context, &config, err);
    if (code < 0) {
        error_prefix(err, "%s", files);
        kubeconfig_done(&config);
        return code;
    }
    *ret_config = config;
    return OK;
}
