// SPDX-License-Identifier: Apache-2.0
/* Where access comes from: a kubeconfig, or the service account of a Pod. */
#include "base/alloc.h"
#include "cluster/access_private.h"
#include "cluster/base64.h"
#include "cluster/kubeconfig.h"

#include <stdlib.h>
#include <string.h>

static const char service_account[] = "/var/run/secrets/kubernetes.io/serviceaccount";

/* One of a pair like client-key-data and client-key; the embedded one counts. */
static int material_read(struct file_text *ret_file, const json_t *object, const char *at,
                         const char *field, struct error *err)
{
    char *data_field AUTO_FREE = str_format("%s-data", field);
    const char *data, *path;
    int code = config_string(object, at, data_field, &data, err);
    if (code == OK)
        code = config_string(object, at, field, &path, err);
    if (code < 0)
        return code;
    if (data) {
        char *bytes, *where AUTO_FREE = str_format("%s.%s", at, data_field);
        size_t count;
        if (base64_decode(data, &bytes, &count) < 0)
            return error_at(err, ERR_INVALID, where, "%s is not base64", where);
        file_text_set_take(ret_file, bytes, count);
    } else if (path) {
        file_text_set_path(ret_file, path);
    }
    return OK;
}

static int cluster_read(struct access *access, const struct kubeconfig *config, struct error *err)
{
    const json_t *cluster = config->cluster;
    const char *at = config->cluster_at, *server, *tls_name, *proxy;
    int code = config_string(cluster, at, "server", &server, err);
    if (code == OK)
        code = config_string(cluster, at, "tls-server-name", &tls_name, err);
    if (code == OK)
        code = config_string(cluster, at, "proxy-url", &proxy, err);
    if (code == OK)
        code = config_bool(cluster, at, "insecure-skip-tls-verify", &access->insecure, err);
    if (code == OK)
        code = material_read(&access->ca, cluster, at, "certificate-authority", err);
    if (code < 0)
        return code;
    if (!server)
        return error_at(err, ERR_INVALID, at, "%s.server is missing", at);
    if (access->insecure && file_text_given(&access->ca))
        return error_at(err, ERR_INVALID, at,
                        "%s has both a certificate-authority and insecure-skip-tls-verify: "
                        "keep the authority",
                        at);
    access->proxy = str_copy(proxy);
    return access_set_server(access, server, tls_name, at, err);
}

static void impersonate_add(struct access *access, const char *header, const char *value)
{
    char *line AUTO_FREE = str_format("%s: %s", header, value);
    access->impersonate = curl_slist_append(access->impersonate, line);
}

/* as-user-extra: {key: [value, …]}; keys may hold what a header name may not. */
static void impersonate_extra(struct access *access, json_t *extra)
{
    const char *key;
    json_t *values, *value;
    size_t i;
    json_object_foreach (extra, key, values) {
        char *escaped = curl_easy_escape(NULL, key, 0);
        char *header AUTO_FREE = str_format("Impersonate-Extra-%s", escaped);
        curl_free(escaped);
        json_array_foreach (values, i, value)
            if (json_is_string(value))
                impersonate_add(access, header, json_string_value(value));
    }
}

static int impersonate_read(struct access *access, const json_t *user, const char *at,
                            struct error *err)
{
    const char *as, *uid;
    int code = config_string(user, at, "as", &as, err);
    if (code == OK)
        code = config_string(user, at, "as-uid", &uid, err);
    if (code < 0)
        return code;
    if (as)
        impersonate_add(access, "Impersonate-User", as);
    if (uid)
        impersonate_add(access, "Impersonate-Uid", uid);
    size_t i;
    json_t *group;
    json_array_foreach (json_object_get(user, "as-groups"), i, group)
        if (json_is_string(group))
            impersonate_add(access, "Impersonate-Group", json_string_value(group));
    impersonate_extra(access, json_object_get(user, "as-user-extra"));
    return OK;
}

/* As for kubectl, token stands in for a tokenFile that can't be read. */
static int token_read(struct access *access, const json_t *user, const char *at, struct error *err)
{
    const char *token, *path, *name, *password;
    int code = config_string(user, at, "token", &token, err);
    if (code == OK)
        code = config_string(user, at, "tokenFile", &path, err);
    if (code == OK)
        code = config_string(user, at, "username", &name, err);
    if (code == OK)
        code = config_string(user, at, "password", &password, err);
    if (code < 0)
        return code;
    if (token)
        file_text_set_take(&access->token, str_copy(token), strlen(token));
    if (path)
        file_text_set_path(&access->token, path);
    if (name)
        access->basic = str_format("%s:%s", name, password ? password : "");
    return OK;
}

static int user_read(struct access *access, const struct kubeconfig *config, struct error *err)
{
    const json_t *user = config->user;
    const char *at = config->user_at;
    if (json_object_get(user, "auth-provider"))
        return error_at(err, ERR_INVALID, at,
                        "%s.auth-provider was removed from Kubernetes: use exec", at);
    int code = material_read(&access->certificate, user, at, "client-certificate", err);
    if (code == OK)
        code = material_read(&access->key, user, at, "client-key", err);
    if (code == OK)
        code = token_read(access, user, at, err);
    if (code == OK)
        code = impersonate_read(access, user, at, err);
    if (code == OK && json_is_object(json_object_get(user, "exec")))
        code = exec_plugin_new(config, &access->exec, err);
    if (code < 0)
        return code;
    if (file_text_given(&access->certificate) != file_text_given(&access->key))
        return error_at(err, ERR_INVALID, at, "%s must have both client-certificate and client-key",
                        at);
    return OK;
}

static int open_kubeconfig(struct access *access, const char *files, const char *context,
                           struct error *err)
{
    struct kubeconfig config;
    int code = kubeconfig_load(files, context, &config, err);
    if (code < 0)
        return code;
    access->ns = str_copy(config.ns ? config.ns : "default");
    access->source = str_format("kubeconfig %s, context %s", files, config.context);
    code = cluster_read(access, &config, err);
    if (code == OK)
        code = user_read(access, &config, err);
    if (code < 0)
        error_prefix(err, "%s", files);
    kubeconfig_done(&config);
    return code;
}

static bool is_in_cluster(const char *folder)
{
    char *token AUTO_FREE = str_format("%s/token", folder);
    return getenv("KUBERNETES_SERVICE_HOST") && getenv("KUBERNETES_SERVICE_PORT") &&
           file_is_there(token);
}

static void open_namespace(struct access *access, const char *folder)
{
    char *path AUTO_FREE = str_format("%s/namespace", folder);
    size_t length;
    if (file_read(path, &access->ns, &length, NULL) == OK)
        access->ns[strcspn(access->ns, "\r\n")] = '\0';
    else
        access->ns = str_copy("default");
}

static int open_in_cluster(struct access *access, const char *folder, struct error *err)
{
    const char *host = getenv("KUBERNETES_SERVICE_HOST"), *port = getenv("KUBERNETES_SERVICE_PORT");
    bool ip6 = strchr(host, ':');
    char *server AUTO_FREE =
        str_format("https://%s%s%s:%s", ip6 ? "[" : "", host, ip6 ? "]" : "", port);
    char *token AUTO_FREE = str_format("%s/token", folder);
    char *ca AUTO_FREE = str_format("%s/ca.crt", folder);
    file_text_set_path(&access->token, token);
    file_text_set_path(&access->ca, ca);
    open_namespace(access, folder);
    access->source = str_format("the service account in %s", folder);
    return access_set_server(access, server, NULL, "KUBERNETES_SERVICE_HOST", err);
}

/* The first place that holds something: what was asked for, $KUBECONFIG, the Pod, the home. */
static int open_any(struct access *access, const struct access_options *options, struct error *err)
{
    const char *folder = options->service_account ? options->service_account : service_account;
    const char *files = options->kubeconfig ? options->kubeconfig : getenv("KUBECONFIG");
    if (files && *files)
        return open_kubeconfig(access, files, options->context, err);
    if (!options->context && is_in_cluster(folder))
        return open_in_cluster(access, folder, err);
    const char *home = getenv("HOME");
    char *file AUTO_FREE = str_format("%s/.kube/config", home ? home : "");
    if (!file_is_there(file))
        return error_set(err, ERR_MISSING,
                         "no way to the cluster: KUBECONFIG is not set, and there is neither a "
                         "service account in %s nor %s",
                         folder, file);
    return open_kubeconfig(access, file, options->context, err);
}

static struct access *access_new(void)
{
    struct access *access = mem_alloc(sizeof *access);
    list_init(&access->waiting);
    list_init(&access->serving);
    return access;
}

struct access *access_inside(void)
{
    struct access *access = access_new();
    access->server = str_copy("this process");
    access->url = str_copy("");
    access->source = str_copy("this process");
    access->ns = str_copy("default");
    return access;
}

int access_open(const struct access_options *options, struct access **ret_access, struct error *err)
{
    struct access *access = access_new();
    int code = open_any(access, options, err);
    if (code < 0) {
        access_free(access);
        return code;
    }
    *ret_access = access;
    return OK;
}
