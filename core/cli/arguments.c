// SPDX-License-Identifier: Apache-2.0
/* From what was typed to struct arguments. */
#include "base/alloc.h"
#include "base/nearest.h"
#include "cli/cli.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FOUND_FLAG = 256, FOUND_HELP = FOUND_FLAG + FLAGS_MAX };

const char *flag_value(const struct arguments *arguments, const struct flag *flag)
{
    const struct flag *const *flags = arguments->verb->flags;
    for (size_t i = 0; flags && flags[i]; i++)
        if (flags[i] == flag)
            return arguments->values[i];
    return NULL;
}

int usage_error(const struct verb *verb, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text AUTO_FREE = str_format_v(format, args);
    va_end(args);
    fprintf(stderr, "sluice %s: %s\n`sluice %s --help` tells how it is called.\n", verb->name, text,
            verb->name);
    return STATUS_USAGE;
}

int verb_refused(const struct verb *verb, const struct error *err)
{
    fprintf(stderr, "sluice %s: %s\n", verb->name, err->text);
    return STATUS_REFUSED;
}

/* A verb's flags as getopt wants them. */
struct known {
    struct option options[FLAGS_MAX + 2];
    char letters[2 * FLAGS_MAX + 4];
    const char *names[FLAGS_MAX + 2];
};

static void known_add(struct known *known, int at, const char *name, char letter, bool value,
                      int found)
{
    int has = value ? required_argument : no_argument;
    known->options[at] = (struct option){.name = name, .has_arg = has, .val = found};
    known->names[at] = name;
    size_t used = strlen(known->letters);
    if (letter)
        snprintf(known->letters + used, sizeof known->letters - used, "%c%s", letter,
                 value ? ":" : "");
}

static void known_fill(struct known *known, const struct verb *verb)
{
    int count = 0;
    *known = (struct known){.letters = ":"}; /* tells a missing value from an unknown option */
    for (; verb->flags && verb->flags[count]; count++) {
        const struct flag *flag = verb->flags[count];
        known_add(known, count, flag->name, flag->letter, flag->value, FOUND_FLAG + count);
    }
    known_add(known, count, "help", 'h', false, FOUND_HELP);
}

/* The flag that getopt has found, by its name or by its letter. */
static int flag_index(const struct verb *verb, int found)
{
    if (found >= FOUND_FLAG)
        return found - FOUND_FLAG;
    int index = 0;
    while (verb->flags[index]->letter != found)
        index++;
    return index;
}

static int unknown_option(const struct verb *verb, const struct known *known, const char *typed)
{
    if (strncmp(typed, "--", 2) != 0)
        return usage_error(verb, "unknown option -%c", optopt);
    char *name AUTO_FREE = str_copy_n(typed + 2, strcspn(typed + 2, "="));
    char *hint AUTO_FREE = nearest_hint(name, known->names);
    return usage_error(verb, "unknown option --%s%s", name, hint);
}

/* Without choices, anything is one. */
static bool one_of(const char *value, const char *const *choices)
{
    if (!choices)
        return true;
    for (; *choices; choices++)
        if (strcmp(*choices, value) == 0)
            return true;
    return false;
}

static int choice_check(const struct verb *verb, const struct flag *flag, const char *value)
{
    if (one_of(value, flag->choices))
        return STATUS_DONE;
    char *hint AUTO_FREE = nearest_hint(value, flag->choices);
    return usage_error(verb, "--%s: expected %s, found \"%s\"%s", flag->name, flag->text, value,
                       hint);
}

static int flags_read(const struct verb *verb, int argc, char **argv, struct arguments *arguments,
                      bool *ret_help)
{
    struct known known;
    known_fill(&known, verb);
    opterr = 0;
    optind = 0; /* makes getopt begin anew */
    int found;
    while ((found = getopt_long(argc, argv, known.letters, known.options, NULL)) != -1) {
        if (found == '?')
            return unknown_option(verb, &known, argv[optind - 1]);
        if (found == ':')
            return usage_error(verb, "%s needs a value", argv[optind - 1]);
        *ret_help = found == FOUND_HELP || found == 'h';
        if (*ret_help)
            return STATUS_DONE;
        int index = flag_index(verb, found);
        arguments->values[index] = optarg ? optarg : "";
        int status = choice_check(verb, verb->flags[index], arguments->values[index]);
        if (status != STATUS_DONE)
            return status;
    }
    arguments->operands = argv + optind;
    arguments->operand_count = argc - optind;
    return STATUS_DONE;
}

static int operands_check(const struct verb *verb, const struct arguments *arguments)
{
    if (arguments->operand_count < verb->least)
        return usage_error(verb, "expected %s, found nothing", verb->operands);
    if (arguments->operand_count > verb->most)
        return usage_error(verb, "unexpected \"%s\"", arguments->operands[verb->most]);
    if (arguments->operand_count && !one_of(arguments->operands[0], verb->operand_choices)) {
        char *hint AUTO_FREE = nearest_hint(arguments->operands[0], verb->operand_choices);
        return usage_error(verb, "expected %s, found \"%s\"%s", verb->operands,
                           arguments->operands[0], hint);
    }
    return STATUS_DONE;
}

int verb_run(const struct verb *verb, int argc, char **argv)
{
    struct arguments arguments = {.verb = verb};
    bool help = false;
    int status = flags_read(verb, argc, argv, &arguments, &help);
    if (status != STATUS_DONE)
        return status;
    if (help) {
        char *text AUTO_FREE = verb_help(verb);
        fputs(text, stdout);
        return STATUS_DONE;
    }
    status = operands_check(verb, &arguments);
    return status == STATUS_DONE ? verb->run(&arguments) : status;
}
