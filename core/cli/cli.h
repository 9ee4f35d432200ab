// SPDX-License-Identifier: Apache-2.0
/*
 * The frame for what people type: a verb says what it takes and what it does, once, and its options
 * are read, its help, the shell completions, the man pages and docs/cli.md are made from that.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/error.h"

#include <stdbool.h>

/* What scripts may rely on. */
enum exit_status {
    STATUS_DONE = 0,      /* done; what was waited for has succeeded */
    STATUS_REFUSED = 1,   /* an error was found, or something was refused or isn't there */
    STATUS_USAGE = 2,     /* called wrongly */
    STATUS_FAILED = 3,    /* the rollout has failed */
    STATUS_ABANDONED = 4, /* it has turned to another target, or was deleted */
    STATUS_TIMEOUT = 5,   /* the time ran out */
    STATUS_NO_LEASE = 6,  /* a controller doesn't hold its Lease any more */
};

/* An option, with or without a value. The last one given counts. */
struct flag {
    const char *name;           /* "namespace" */
    char letter;                /* 'n': -n too; 0: none */
    const char *value;          /* what the help calls its value; NULL: it has none */
    const char *text;           /* what it does, for --help */
    const char *const *choices; /* the values that there are, NULL-terminated; NULL: any */
};

struct arguments;

struct verb {
    const char *name;
    const char *summary;                /* what it does, in one line */
    const char *operands;               /* "FILE…"; NULL: none */
    const char *const *operand_choices; /* what the only operand may be; NULL: anything */
    int least, most;                    /* how many operands */
    const struct flag *const *flags;    /* NULL-terminated; NULL: none */
    const char *text; /* the rest of --help: paragraphs between empty lines; a line
                         that begins with a blank stands as it is */
    int (*run)(const struct arguments *arguments);
};

enum { FLAGS_MAX = 16, OPERANDS_MAX = 1000000 };

/* What was typed behind a verb. Borrowed from argv. */
struct arguments {
    const struct verb *verb;
    const char *values[FLAGS_MAX]; /* by the verb's flags; NULL: not given */
    char *const *operands;
    int operand_count;
};

/* The value of a flag, "" for one that has none; NULL when it wasn't given, or the verb doesn't
 * take it. */
const char *flag_value(const struct arguments *arguments, const struct flag *flag);

/* Says "sluice VERB: …" and where the help is. Returns STATUS_USAGE. */
int usage_error(const struct verb *verb, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Says "sluice VERB: …", what is wrong. Returns STATUS_REFUSED. */
int verb_refused(const struct verb *verb, const struct error *err);

/* Reads what was typed behind the verb, which is argv[0], and runs it. Returns the exit status. */
int verb_run(const struct verb *verb, int argc, char **argv);

/* Its summary as a sentence. The caller frees it. */
char *verb_summary(const struct verb *verb);

/* What is said about all verbs together, and what an exit status means (NULL-terminated). */
extern const char program_words[];
extern const char *const exit_meanings[];

/* The help of one verb, and of all. The caller frees it. */
char *verb_help(const struct verb *verb);
char *program_help(void);

/* All verbs, NULL-terminated, in the order of the help; and one by its name, or NULL. */
extern const struct verb *const all_verbs[];
const struct verb *verb_find(const char *name);

/* Says that there is no such verb, and which may have been meant. Returns STATUS_USAGE. */
int verb_unknown(const char *name);

/* Options that verbs share. CONFIG_FILE stands for a --config that isn't given. */
#define CONFIG_FILE "/etc/sluice/sluice.yaml"
extern const struct flag flag_config, flag_kubeconfig, flag_context;

extern const struct verb verb_abort, verb_adapters, verb_approve, verb_completion, verb_controller,
    verb_debug, verb_explain, verb_help_of, verb_history, verb_lint, verb_pause, verb_plan,
    verb_promote, verb_restart, verb_resume, verb_retry, verb_role, verb_rollback, verb_simulate,
    verb_states, verb_status, verb_version, verb_watch;

#endif
