// SPDX-License-Identifier: Apache-2.0
/* The words of --help, made from the table of verbs. */
#include "base/alloc.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/layout.h"

#include <string.h>

enum { HELP_WIDTH = 80, VERB_COLUMN = 14, FLAG_COLUMN = 25 };

/* "  -n, --namespace NAME" */
static void flag_name_add(struct text *help, const char *name, char letter, const char *value)
{
    if (letter)
        text_addf(help, "  -%c, --%s", letter, name);
    else
        text_addf(help, "      --%s", name);
    if (value)
        text_addf(help, " %s", value);
}

static void flag_add(struct text *help, const char *name, char letter, const char *value,
                     const char *text)
{
    struct text line AUTO(text_done) = {0};
    flag_name_add(&line, name, letter, value);
    text_puts(&line, " ");
    layout_pad(&line, FLAG_COLUMN);
    text_puts(help, line.at);
    layout_wrap(help, text, layout_width(line.at), FLAG_COLUMN, HELP_WIDTH);
}

static void flags_add(struct text *help, const struct verb *verb)
{
    text_puts(help, "\n");
    for (size_t i = 0; verb->flags && verb->flags[i]; i++) {
        const struct flag *flag = verb->flags[i];
        flag_add(help, flag->name, flag->letter, flag->value, flag->text);
    }
    flag_add(help, "help", 'h', NULL, "this text");
}

static void usage_add(struct text *help, const struct verb *verb)
{
    text_addf(help, "usage: sluice %s [OPTION…]%s%s\n\n", verb->name, verb->operands ? " " : "",
              verb->operands ? verb->operands : "");
}

char *verb_summary(const struct verb *verb)
{
    char *summary = str_format("%s.", verb->summary);
    summary[0] = (char)(summary[0] - ('a' <= summary[0] && summary[0] <= 'z' ? 'a' - 'A' : 0));
    return summary;
}

char *verb_help(const struct verb *verb)
{
    struct text help = {0};
    usage_add(&help, verb);
    char *summary AUTO_FREE = verb_summary(verb);
    layout_wrap(&help, summary, 0, 0, HELP_WIDTH);
    if (verb->text) {
        text_puts(&help, "\n");
        layout_paragraphs(&help, verb->text, HELP_WIDTH);
    }
    flags_add(&help, verb);
    return text_steal(&help);
}

const char *const exit_meanings[] = {
    [STATUS_DONE] = "done; what was waited for has succeeded",
    [STATUS_REFUSED] = "an error was found, or something was refused or isn't there",
    [STATUS_USAGE] = "called wrongly",
    [STATUS_FAILED] = "the rollout has failed",
    [STATUS_ABANDONED] = "it has turned to another target, or was deleted",
    [STATUS_TIMEOUT] = "the time ran out",
    [STATUS_NO_LEASE] = "a controller doesn't hold its Lease any more",
    NULL,
};

const char program_words[] =
    "`sluice VERB --help` tells the options of a verb. As kubectl-sluice on "
    "PATH it is `kubectl sluice` too.";

char *program_help(void)
{
    struct text help = {0};
    text_puts(&help, "usage: sluice VERB [OPTION…]\n\nProgressive rollouts for Kubernetes.\n\n");
    for (size_t i = 0; all_verbs[i]; i++) {
        struct text line AUTO(text_done) = {0};
        text_addf(&line, "  %s ", all_verbs[i]->name);
        layout_pad(&line, VERB_COLUMN);
        text_puts(&help, line.at);
        layout_wrap(&help, all_verbs[i]->summary, VERB_COLUMN, VERB_COLUMN, HELP_WIDTH);
    }
    text_puts(&help, "\n");
    layout_paragraphs(&help, program_words, HELP_WIDTH);
    text_puts(&help, "\nExit status:\n");
    for (int i = 0; exit_meanings[i]; i++)
        text_addf(&help, "  %d  %s\n", i, exit_meanings[i]);
    return text_steal(&help);
}
