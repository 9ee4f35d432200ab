// SPDX-License-Identifier: Apache-2.0
/*
 * sluice-adapter-check: does an adapter keep the contract, and do its own cases come out as they
 * say? Made to be read by the adapter's author.
 */
#include "accept.h"
#include "adapter/case.h"
#include "adapter/inprocess.h"
#include "apart.h"
#include "base/alloc.h"
#include "base/json.h"
#include "contract.h"
#include "trial.h"

#include <dirent.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_USAGE = 2, SECONDS_A_TRIAL = 30, NAME_SIZE = 256 };

static const char usage[] =
    "usage: sluice-adapter-check [--name NAME] [--host PROGRAM] [--only-cases] FILE.so [CASES]\n"
    "\n"
    "Loads an adapter as the controller does, runs the cases in the folder CASES, here and in a\n"
    "process of its own, and tries every rule of the contract with the requests in them.\n"
    "\n"
    "  --name NAME      what the config will call the adapter; by default its own name\n"
    "  --host PROGRAM   sluice-adapter-host, if it isn't where it was installed\n"
    "  --only-cases     leaves the rules of the contract out\n"
    "\n"
    "Ends with 0 when everything passed, 1 when something didn't, 2 when it was called wrongly.\n";

/* What is examined, and with what. */
struct exam {
    const char *file, *name; /* NULL: the name that the adapter has itself */
    const char *host;
    bool only_cases;
    struct specimens cases;
    char *own_name; /* written by the introduction, a trial */
};

struct score {
    int passed, failed;
};

/* One check that may crash, as trial_run() wants it. It loads the adapter itself: threads that an
 * adapter's runtime starts while it is loaded don't outlive a fork. */
struct attempt {
    const struct exam *exam;
    const struct specimen *specimen;
    const struct rule *rule; /* NULL: the case itself */
};

static int is_case(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
}

static int read_case(const char *folder, const char *name, struct specimen *ret_specimen)
{
    char *path AUTO_FREE = str_format("%s/%s", folder, name);
    json_error_t where;
    json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &where);
    if (!json) {
        fprintf(stderr, "%s:%d:%d: %s\n", path, where.line, where.column, where.text);
        return ERR_INVALID;
    }
    *ret_specimen = (struct specimen){.name = str_copy(name), .json = json};
    return OK;
}

static int cases_open(const char *folder, struct specimens *ret_cases)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_case, alphasort);
    if (count < 0) {
        perror(folder);
        return ERR_MISSING;
    }
    struct specimens cases = {.items = mem_alloc((size_t)count * sizeof(struct specimen))};
    int result = OK;
    for (int i = 0; i < count; i++) {
        if (result == OK)
            result = read_case(folder, entries[i]->d_name, &cases.items[cases.count]);
        if (result == OK)
            cases.count++;
        free(entries[i]);
    }
    free(entries);
    *ret_cases = cases;
    return result;
}

static void cases_done(struct specimens *cases)
{
    for (size_t i = 0; i < cases->count; i++) {
        free((void *)(uintptr_t)cases->items[i].name);
        json_decref((json_t *)(uintptr_t)cases->items[i].json);
    }
    free(cases->items);
}

static int run_case(const struct subject *subject, const struct specimen *specimen,
                    struct error *err)
{
    struct transport *transport =
        inprocess_new(subject->table, &call_limits_default, &inprocess_host);
    int result = case_run(transport, specimen->json, err);
    transport->free(transport);
    return result;
}

static int run_attempt(void *user, struct error *err)
{
    const struct attempt *attempt = user;
    struct subject subject;
    int result = subject_open(attempt->exam->file, attempt->exam->name, &subject, err);
    if (result < 0)
        return result;
    result = attempt->rule ? attempt->rule->check(&subject, attempt->specimen, err)
                           : run_case(&subject, attempt->specimen, err);
    subject_done(&subject);
    return result;
}

static void tell(struct score *score, const char *what, const char *fault)
{
    printf("  %-4s  %s%s%s\n", fault ? "FAIL" : "ok", what, fault ? ": " : "", fault ? fault : "");
    *(fault ? &score->failed : &score->passed) += 1;
}

/* One process runs them all, but the one that a case has failed in runs no other. */
static int run_apart(const struct apart_spec *spec, struct transport **transport,
                     const struct specimen *specimen, struct error *err)
{
    int result = *transport ? OK : apart_open(spec, transport, err);
    if (result == OK)
        result = case_run(*transport, specimen->json, err);
    if (result < 0 && *transport) {
        (*transport)->free(*transport);
        *transport = NULL;
    }
    return result;
}

static void run_cases_apart(const struct exam *exam, struct score *score)
{
    const struct apart_spec spec = {.file = exam->file, .name = exam->own_name, .host = exam->host};
    if (!exam->cases.count)
        return;
    if (!apart_possible(&spec)) {
        puts("note: sluice-adapter-host isn't installed, so no case was run in a process of its "
             "own");
        return;
    }
    struct transport *transport = NULL;
    puts("cases, in a process of its own");
    for (size_t i = 0; i < exam->cases.count; i++) {
        struct error err = {0};
        int result = run_apart(&spec, &transport, &exam->cases.items[i], &err);
        tell(score, exam->cases.items[i].name, result < 0 ? err.text : NULL);
    }
    if (transport)
        transport->free(transport);
}

static void run_cases(struct exam *exam, struct score *score)
{
    if (exam->cases.count)
        puts("cases");
    for (size_t i = 0; i < exam->cases.count; i++) {
        struct attempt attempt = {.exam = exam, .specimen = &exam->cases.items[i]};
        struct error err = {0};
        int result = trial_run(run_attempt, &attempt, SECONDS_A_TRIAL, &err);
        tell(score, attempt.specimen->name, result < 0 ? err.text : NULL);
        exam->cases.items[i].passed = result == OK;
        exam->cases.items[i].neighbours = &exam->cases;
    }
}

static bool concerns(const struct rule *rule, const struct specimen *specimen)
{
    struct case_plan plan;
    return !rule->calls ||
           (case_read(specimen->json, &plan, NULL) == OK && (rule->calls & 1u << plan.call));
}

/* A rule is tried with every case that it concerns, up to the first that breaks it. */
static void run_rule(const struct exam *exam, const struct rule *rule, struct score *score)
{
    struct error err = {0};
    int result = OK;
    for (size_t i = 0; result == OK && i < exam->cases.count; i++) {
        struct attempt attempt = {.exam = exam, .specimen = &exam->cases.items[i], .rule = rule};
        if (!concerns(rule, attempt.specimen))
            continue;
        result = trial_run(run_attempt, &attempt, SECONDS_A_TRIAL, &err);
        if (result < 0)
            error_prefix(&err, "with %s", attempt.specimen->name);
    }
    tell(score, rule->text, result < 0 ? err.text : NULL);
}

static void introduce(const struct subject *subject)
{
    printf("%s %s, contract %u.%u\n", subject->table->name, subject->table->version,
           subject->table->major, subject->table->minor);
    for (size_t i = 0; i < subject->manifest.kind_count; i++)
        printf("  handles %s %s\n", subject->manifest.kinds[i].api_version,
               subject->manifest.kinds[i].kind);
    if (!subject->manifest.kind_count)
        puts("  handles what its options say");
}

static bool cases_ask(const struct specimens *cases, const char *call)
{
    for (size_t i = 0; i < cases->count; i++)
        if (str_equal(json_string_at(cases->items[i].json, "/call"), call))
            return true;
    return false;
}

/* Without cases there is at least the request for a workload that doesn't exist. */
static void cases_default(struct specimens *cases)
{
    cases->items = mem_grow(cases->items, sizeof *cases->items);
    cases->items[0] =
        (struct specimen){.name = str_copy("the observation of nothing"),
                          .json = json_pack("{s:s, s:{s:n, s:{}}, s:[]}", "call", "observe",
                                            "request", "workload", "options", "emitted")};
    cases->count = 1;
}

/* What it would be a pity to find out later. */
static void advise(const struct subject *subject, const char *file, const struct specimens *cases)
{
    char *expected AUTO_FREE = str_format("%s.so", subject->table->name);
    const char *slash = strrchr(file, '/');
    const char *name = slash ? slash + 1 : file;
    struct error err = {0};
    if (accept_rights(subject, &err) < 0)
        printf("note: %s\n", err.text);
    if (strcmp(name, expected) != 0)
        printf("note: the config looks for %s; for %s it needs `file:`\n", expected, name);
    for (int call = 0; call < CALL_COUNT; call++)
        if (subject_has(subject, (enum call_kind)call) &&
            !cases_ask(cases, call_name((enum call_kind)call)))
            printf("note: no case asks %s, so hardly any of the contract is tried with it\n",
                   call_name((enum call_kind)call));
}

/* What the adapter says of itself. */
static int run_introduction(void *user, struct error *err)
{
    const struct exam *exam = user;
    struct subject subject;
    int result = subject_open(exam->file, exam->name, &subject, err);
    if (result < 0)
        return result;
    snprintf(exam->own_name, NAME_SIZE, "%s", subject.table->name);
    introduce(&subject);
    advise(&subject, exam->file, &exam->cases);
    fflush(stdout);
    subject_done(&subject);
    return OK;
}

static void run_rules(struct exam *exam, struct score *score)
{
    if (!exam->cases.count)
        cases_default(&exam->cases);
    puts("contract");
    for (const struct rule *rule = contract_rules; rule->text; rule++)
        run_rule(exam, rule, score);
}

static int examine(struct exam *exam)
{
    struct score score = {0};
    struct error err = {0};
    exam->own_name = trial_shared(NAME_SIZE);
    if (trial_run(run_introduction, exam, SECONDS_A_TRIAL, &err) < 0) {
        fprintf(stderr, "refused: %s\n", err.text);
        return EXIT_FAILURE;
    }
    run_cases(exam, &score);
    run_cases_apart(exam, &score);
    if (!exam->only_cases)
        run_rules(exam, &score);
    printf("%d passed, %d failed\n", score.passed, score.failed);
    return score.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* EXIT_SUCCESS, or what to end with at once, after saying why. */
static int read_arguments(int argc, char **argv, struct exam *ret_exam, const char **ret_folder,
                          bool *ret_stop)
{
    static const struct option options[] = {{"name", required_argument, NULL, 'n'},
                                            {"host", required_argument, NULL, 'p'},
                                            {"only-cases", no_argument, NULL, 'c'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct exam exam = {0};
    *ret_stop = true;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'n')
            exam.name = optarg;
        else if (option == 'p')
            exam.host = optarg;
        else if (option == 'c')
            exam.only_cases = true;
        else
            return fputs(usage, option == 'h' ? stdout : stderr), option == 'h' ? 0 : EXIT_USAGE;
    }
    if (argc - optind < 1 || argc - optind > 2) {
        fprintf(stderr, "expected a file and at most one folder, found %d arguments\n\n%s",
                argc - optind, usage);
        return EXIT_USAGE;
    }
    exam.file = argv[optind];
    *ret_folder = argv[optind + 1]; /* NULL ends the arguments */
    *ret_exam = exam;
    *ret_stop = false;
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct exam exam;
    const char *folder;
    bool stop;
    int status = read_arguments(argc, argv, &exam, &folder, &stop);
    if (stop)
        return status;
    status = EXIT_FAILURE;
    if (!folder || cases_open(folder, &exam.cases) == OK)
        status = examine(&exam);
    cases_done(&exam.cases);
    return status;
}
