// SPDX-License-Identifier: Apache-2.0
/*
 * Who are we? Asks a real API server, prints the user's name or what failed, and does it again for
 * each line of standard input:
 *
 *     access_live [--kubeconfig FILE] [--context NAME] [--service-account FOLDER]
 */
#include "base/json.h"
#include "cluster/cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_reply(void *data, const struct reply *reply)
{
    if (reply->error.code < 0)
        printf("%s: %s\n", err_name(reply->error.code), reply->error.text);
    else
        puts(json_string_at(reply->body, "/status/userInfo/username"));
    fflush(stdout);
    *(bool *)data = true;
}

static void ask(struct loop *loop, struct cluster *cluster)
{
    struct call_spec spec = {
        .method = "POST",
        .path = "/apis/authentication.k8s.io/v1/selfsubjectreviews",
        .body = "{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"SelfSubjectReview\"}"};
    bool done = false;
    struct error err = {0};
    cluster_call(cluster, &spec, on_reply, &done);
    if (loop_run_until(loop, &done, 60 * 1000, &err) < 0) {
        puts(err.text);
        exit(1);
    }
}

static const char *option(int argc, char **argv, const char *name)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return argv[i + 1];
    return NULL;
}

int main(int argc, char **argv)
{
    struct loop *loop;
    struct access *access;
    struct cluster *cluster;
    struct error err = {0};
    struct access_options from = {.kubeconfig = option(argc, argv, "--kubeconfig"),
                                  .context = option(argc, argv, "--context"),
                                  .service_account = option(argc, argv, "--service-account")};
    struct cluster_options options = {.timeout_ms = 1500};
    if (loop_new(&loop, &err) < 0 || access_open(&from, &access, &err) < 0 ||
        cluster_new_take(loop, access, &options, &cluster, &err) < 0) {
        printf("%s: %s\n", err_name(err.code), err.text);
        return 1;
    }
    char line[16];
    do
        ask(loop, cluster);
    while (fgets(line, sizeof line, stdin));
    cluster_free(cluster);
    loop_free(loop);
    return 0;
}
