// SPDX-License-Identifier: Apache-2.0
/* sluice-sandbox: a Kubernetes API in memory, on loopback, for trying things. */
#include "base/alloc.h"
#include "base/json.h"
#include "sandbox.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_USAGE = 2 };

static const char usage[] =
    "usage: sluice-sandbox [--listen ADDRESS] [--kubeconfig FILE] [--history COUNT]\n"
    "                      [--ready-after SECONDS] [--openkruise] [--nodes COUNT]\n"
    "                      [--faults FILE]\n"
    "\n"
    "Serves a Kubernetes API that lives in memory and ends with this program.\n"
    "\n"
    "  --listen ADDRESS   where; 127.0.0.1:0 unless said otherwise, a free port of this machine\n"
    "  --kubeconfig FILE  writes there how to reach it, when it can be reached\n"
    "  --history COUNT    how many versions are remembered for watches and lists; 100000\n"
    "  --ready-after SECONDS  runs pods: each is ready so long after it was made\n"
    "  --openkruise       knows CloneSets from the beginning, without their definition's being "
    "applied\n"
    "  --nodes COUNT      has so many nodes, node-1 and so on, and pods run on them\n"
    "  --faults FILE      what is to go wrong, as POST /sandbox/faults takes it\n";

struct arguments {
    struct sandbox_options options;
    const char *kubeconfig;
    const char *faults; /* a file */
};

/* "2", "0.5". */
static bool read_seconds(const char *text, int64_t *ret_ms)
{
    char *end;
    double seconds = strtod(text, &end);
    if (end == text || *end || !(seconds >= 0 && seconds < 1e6))
        return false;
    *ret_ms = (int64_t)(seconds * 1000);
    return true;
}

static int read_arguments(int argc, char **argv, struct arguments *ret_arguments)
{
    static const struct option options[] = {
        {"listen", required_argument, NULL, 'l'},
        {"kubeconfig", required_argument, NULL, 'k'},
        {"history", required_argument, NULL, 'H'},
        {"ready-after", required_argument, NULL, 'r'},
        {"openkruise", no_argument, NULL, 'o'},
        {"nodes", required_argument, NULL, 'n'},
        {"faults", required_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct arguments arguments = {.options.listen = "127.0.0.1:0"};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'l')
            arguments.options.listen = optarg;
        else if (option == 'k')
            arguments.kubeconfig = optarg;
        else if (option == 'H')
            arguments.options.history = strtoul(optarg, NULL, 10);
        else if (option == 'o')
            arguments.options.openkruise = true;
        else if (option == 'n')
            arguments.options.nodes = atoi(optarg);
        else if (option == 'f')
            arguments.faults = optarg;
        else if (option == 'r' && read_seconds(optarg, &arguments.options.ready_after_ms))
            arguments.options.runs_pods = true;
        else {
            fputs(usage, option == 'h' ? stdout : stderr);
            exit(option == 'h' ? EXIT_SUCCESS : EXIT_USAGE);
        }
    }
    *ret_arguments = arguments;
    return optind == argc ? OK : ERR_INVALID;
}

static int read_faults(struct sandbox *sandbox, const char *file, struct error *err)
{
    json_error_t where;
    json_t *rules AUTO_JSON = json_load_file(file, JSON_REJECT_DUPLICATES, &where);
    json_t *added AUTO_JSON = NULL;
    if (!rules)
        return error_set(err, ERR_INVALID, "%s:%d:%d: %s", file, where.line, where.column,
                         where.text);
    int code = sandbox_add_faults(sandbox, rules, &added, err);
    if (code < 0)
        error_prefix(err, "%s", file);
    return code;
}

/* JSON is YAML. Written beside and moved, so that whoever waits for the file finds all of it. */
static int write_kubeconfig(const char *path, int port, struct error *err)
{
    json_t *config AUTO_JSON = json_pack(
        "{ss ss ss s[{ss s{so}}] s[{ss s{}}] s[{ss s{ss ss}}]}", "apiVersion", "v1", "kind",
        "Config", "current-context", "sandbox", "clusters", "name", "sandbox", "cluster", "server",
        json_sprintf("http://127.0.0.1:%d", port), "users", "name", "sandbox", "user", "contexts",
        "name", "sandbox", "context", "cluster", "sandbox", "user", "sandbox");
    char *beside AUTO_FREE = str_format("%s.new", path);
    if (json_dump_file(config, beside, JSON_INDENT(2)) < 0 || rename(beside, path) < 0)
        return error_set(err, ERR_DENIED, "%s can't be written: %s", path, strerror(errno));
    return OK;
}

static void on_signal(void *data, int signal)
{
    (void)signal;
    loop_stop(data);
}

static int serve(struct loop *loop, const struct arguments *arguments, struct error *err)
{
    struct sandbox *sandbox = NULL;
    int code = loop_on_signal(loop, SIGTERM, on_signal, loop, err);
    if (code == OK)
        code = loop_on_signal(loop, SIGINT, on_signal, loop, err);
    if (code == OK)
        code = sandbox_new(loop, &arguments->options, &sandbox, err);
    if (code == OK && arguments->faults)
        code = read_faults(sandbox, arguments->faults, err);
    if (code == OK && arguments->kubeconfig)
        code = write_kubeconfig(arguments->kubeconfig, sandbox_port(sandbox), err);
    if (code == OK) {
        printf("http://127.0.0.1:%d\n", sandbox_port(sandbox));
        fflush(stdout);
        code = loop_run(loop, err);
    }
    sandbox_free(sandbox);
    return code;
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    struct error err = {0};
    struct loop *loop = NULL;
    if (read_arguments(argc, argv, &arguments) < 0) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    int code = loop_new(&loop, &err);
    if (code == OK)
        code = serve(loop, &arguments, &err);
    loop_free(loop);
    if (code < 0)
        fprintf(stderr, "sluice-sandbox: %s\n", err.text);
    return code < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
