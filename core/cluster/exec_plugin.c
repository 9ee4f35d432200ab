// SPDX-License-Identifier: Apache-2.0
#include "cluster/exec_plugin.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "cluster/base64.h"
#include "cluster/child.h"
#include "cluster/file_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RUN_LIMIT_MS = 60 * 1000,
    EARLY_MS = 10 * 1000, /* a credential is renewed this long before it expires, … */
    PAUSE_MS = 5 * 1000,  /* … but a plugin that still hands out the old one is given a rest */
};

struct exec_plugin {
    char *at; /* "users[name].user.exec" */
    char *api_version, *hint;
    char **command, **environment;
    struct exec_credential credential;
    bool has_credential;
    int64_t ended_ms; /* the last run, monotonic */
    struct child *run;
    exec_fn *on_end;
    void *data;
};

static void strings_free(char **strings)
{
    for (size_t i = 0; strings && strings[i]; i++)
        free(strings[i]);
    free(strings);
}

static void credential_done(struct exec_credential *credential)
{
    free(credential->token);
    free(credential->certificate);
    free(credential->key);
    *credential = (struct exec_credential){0};
}

void exec_plugin_free(struct exec_plugin *plugin)
{
    if (!plugin)
        return;
    child_free(plugin->run);
    credential_done(&plugin->credential);
    strings_free(plugin->command);
    strings_free(plugin->environment);
    free(plugin->at);
    free(plugin->api_version);
    free(plugin->hint);
    free(plugin);
}

/* What provideClusterInfo tells the plugin about the cluster. */
static json_t *cluster_info(const json_t *cluster)
{
    static const char *const passed[] = {"server", "tls-server-name", "insecure-skip-tls-verify",
                                         "certificate-authority-data", "proxy-url"};
    json_t *info = json_object();
    for (size_t i = 0; i < sizeof passed / sizeof *passed; i++)
        json_object_set(info, passed[i], json_object_get(cluster, passed[i]));
    const char *file = json_string_value(json_object_get(cluster, "certificate-authority"));
    char *text AUTO_FREE = NULL;
    size_t length;
    if (file && file_read(file, &text, &length, NULL) == OK) {
        char *encoded AUTO_FREE = base64_encode(text, length);
        json_object_set_new(info, "certificate-authority-data", json_string(encoded));
    }
    size_t i;
    json_t *extension;
    json_array_foreach (json_object_get(cluster, "extensions"), i, extension)
        if (str_equal(json_string_at(extension, "/name"), "client.authentication.k8s.io/exec"))
            json_object_set(info, "config", json_object_get(extension, "extension"));
    return info;
}

static char *exec_info(const struct exec_plugin *plugin, const struct kubeconfig *config,
                       bool with_cluster)
{
    json_t *info AUTO_JSON = json_pack("{s:s, s:s, s:{s:b}}", "kind", "ExecCredential",
                                       "apiVersion", plugin->api_version, "spec", "interactive", 0);
    if (with_cluster)
        json_put_take(info, "/spec/cluster", cluster_info(config->cluster));
    char *text AUTO_FREE = json_text(info);
    return str_format("KUBERNETES_EXEC_INFO=%s", text);
}

static int bad_field(const struct exec_plugin *plugin, const char *field, const char *wrong,
                     struct error *err)
{
    char *path AUTO_FREE = str_format("%s.%s", plugin->at, field);
    return error_at(err, ERR_INVALID, path, "%s %s", path, wrong);
}

static int command_read(struct exec_plugin *plugin, const json_t *exec, struct error *err)
{
    const char *command;
    int code = config_string(exec, plugin->at, "command", &command, err);
    if (code < 0)
        return code;
    if (!command)
        return bad_field(plugin, "command", "is missing", err);
    const json_t *args = json_object_get(exec, "args");
    plugin->command = mem_alloc((json_array_size(args) + 2) * sizeof(char *));
    plugin->command[0] = str_copy(command);
    for (size_t i = 0; i < json_array_size(args); i++) {
        const char *arg = json_string_value(json_array_get(args, i));
        if (!arg)
            return bad_field(plugin, "args", "must be a list of strings", err);
        plugin->command[i + 1] = str_copy(arg);
    }
    return OK;
}

static int environment_read(struct exec_plugin *plugin, const json_t *exec,
                            const struct kubeconfig *config, struct error *err)
{
    const json_t *env = json_object_get(exec, "env");
    bool with_cluster;
    int code = config_bool(exec, plugin->at, "provideClusterInfo", &with_cluster, err);
    if (code < 0)
        return code;
    size_t count = json_array_size(env);
    plugin->environment = mem_alloc((count + 2) * sizeof(char *));
    for (size_t i = 0; i < count; i++) {
        const json_t *entry = json_array_get(env, i);
        const char *name = json_string_at(entry, "/name"), *value = json_string_at(entry, "/value");
        if (!name || !value)
            return bad_field(plugin, "env", "must be a list of names and values", err);
        plugin->environment[i] = str_format("%s=%s", name, value);
    }
    plugin->environment[count] = exec_info(plugin, config, with_cluster);
    return OK;
}

static int version_read(struct exec_plugin *plugin, const json_t *exec, struct error *err)
{
    const char *version, *mode, *hint;
    int code = config_string(exec, plugin->at, "apiVersion", &version, err);
    if (code == OK)
        code = config_string(exec, plugin->at, "interactiveMode", &mode, err);
    if (code == OK)
        code = config_string(exec, plugin->at, "installHint", &hint, err);
    if (code < 0)
        return code;
    if (!str_equal(version, "client.authentication.k8s.io/v1") &&
        !str_equal(version, "client.authentication.k8s.io/v1beta1"))
        return bad_field(plugin, "apiVersion", "must be client.authentication.k8s.io/v1 or v1beta1",
                         err);
    if (str_equal(mode, "Always"))
        return bad_field(plugin, "interactiveMode", "is Always, but there is no terminal here",
                         err);
    plugin->api_version = str_copy(version);
    plugin->hint = str_copy(hint);
    return OK;
}

int exec_plugin_new(const struct kubeconfig *config, struct exec_plugin **ret_plugin,
                    struct error *err)
{
    const json_t *exec = json_object_get(config->user, "exec");
    struct exec_plugin *plugin = mem_alloc(sizeof *plugin);
    plugin->at = str_format("%s.exec", config->user_at);
    int code = version_read(plugin, exec, err);
    if (code == OK)
        code = command_read(plugin, exec, err);
    if (code == OK)
        code = environment_read(plugin, exec, config, err);
    if (code < 0) {
        exec_plugin_free(plugin);
        return code;
    }
    *ret_plugin = plugin;
    return OK;
}

const struct exec_credential *exec_plugin_credential(const struct exec_plugin *plugin)
{
    return plugin->has_credential ? &plugin->credential : NULL;
}

static bool is_expiring(const struct exec_credential *credential, int64_t early_ms)
{
    return credential->expires_ms && credential->expires_ms - early_ms <= clock_wall_ms();
}

bool exec_plugin_due(const struct exec_plugin *plugin, bool rejected)
{
    if (plugin->run || !plugin->has_credential)
        return true;
    /* A 401 just after a run answers a request that was sent before it. */
    if (clock_monotonic_ms() - plugin->ended_ms < PAUSE_MS && !is_expiring(&plugin->credential, 0))
        return false;
    return rejected || is_expiring(&plugin->credential, EARLY_MS);
}

/* The offset of a time such as "2026-01-31T12:00:00+02:00" from UTC. */
static int64_t zone_ms(const char *text)
{
    size_t length = strlen(text);
    int hours, minutes;
    char sign;
    if (length < 6 || sscanf(text + length - 6, "%c%2d:%2d", &sign, &hours, &minutes) != 3 ||
        (sign != '+' && sign != '-'))
        return 0;
    return (sign == '+' ? 1 : -1) * (hours * 60 + minutes) * 60 * 1000;
}

/* An expiry in a form we can't read must not make the credential last for ever. */
static int64_t expiry_read(const json_t *status)
{
    const char *text = json_string_at(status, "/expirationTimestamp");
    int64_t at = clock_parse(text);
    if (!text)
        return 0;
    return at ? at - zone_ms(text) : clock_wall_ms() + 60 * 1000;
}

static int answer_read(struct exec_plugin *plugin, const struct child_end *end, struct error *err)
{
    json_t *answer AUTO_JSON = NULL;
    int code = json_parse(end->out, end->out_length, &answer, err);
    if (code < 0) {
        error_prefix(err, "%s: \"%s\" printed no JSON", plugin->at, plugin->command[0]);
        return code;
    }
    const char *version = json_string_at(answer, "/apiVersion");
    if (!str_equal(version, plugin->api_version))
        return bad_field(plugin, "apiVersion", "isn't the one that the plugin answered with", err);
    const json_t *status = json_object_get(answer, "status");
    struct exec_credential credential = {
        .token = str_copy(json_string_at(status, "/token")),
        .certificate = str_copy(json_string_at(status, "/clientCertificateData")),
        .key = str_copy(json_string_at(status, "/clientKeyData")),
        .expires_ms = expiry_read(status),
    };
    if (!credential.certificate != !credential.key ||
        (!credential.token && !credential.certificate)) {
        credential_done(&credential);
        return error_at(err, ERR_INVALID, plugin->at,
                        "%s: \"%s\" printed neither a token nor a certificate with its key",
                        plugin->at, plugin->command[0]);
    }
    credential_done(&plugin->credential);
    plugin->credential = credential;
    plugin->has_credential = true;
    return OK;
}

static void on_child_end(void *data, const struct child_end *end)
{
    struct exec_plugin *plugin = data;
    struct error err = {0};
    plugin->run = NULL;
    plugin->ended_ms = clock_monotonic_ms();
    if (end->trouble)
        error_set(&err, ERR_RETRY, "%s: \"%s\" %s%s%s%s%s", plugin->at, plugin->command[0],
                  end->trouble, *end->err ? ": " : "", end->err, plugin->hint ? "; " : "",
                  plugin->hint ? plugin->hint : "");
    else
        answer_read(plugin, end, &err);
    plugin->on_end(plugin->data, &err);
}

void exec_plugin_run(struct exec_plugin *plugin, struct loop *loop, exec_fn *on_end, void *data)
{
    if (plugin->run)
        return;
    plugin->on_end = on_end;
    plugin->data = data;
    struct child_spec spec = {
        .command = plugin->command, .environment = plugin->environment, .limit_ms = RUN_LIMIT_MS};
    plugin->run = child_start(loop, &spec, on_child_end, plugin);
}
