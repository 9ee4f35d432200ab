// SPDX-License-Identifier: Apache-2.0
/* `sluice completion`: what a shell needs to complete verbs, options and values, made from the
 * table of verbs. */
#include "base/alloc.h"
#include "base/text.h"
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

static const char *const shells[] = {"bash", "zsh", "fish", NULL};

/* "json yaml wide" */
static void words_add(struct text *to, const char *const *words)
{
    for (size_t i = 0; words && words[i]; i++)
        text_addf(to, "%s%s", i ? " " : "", words[i]);
}

static void verb_names_add(struct text *to)
{
    for (size_t i = 0; all_verbs[i]; i++)
        text_addf(to, "%s%s", i ? " " : "", all_verbs[i]->name);
}

static bool names_file(const char *value)
{
    return value && strstr(value, "FILE");
}

/* The command that lists the names of rollouts, for a shell to run while it completes. */
#define LIST_NAMES "sluice status -o name 2>/dev/null | sed \"s,.*/,,\""

static bool names_rollout(const char *operands)
{
    return operands && (strcmp(operands, "NAME") == 0 || strcmp(operands, "[NAME]") == 0);
}

static bool names_verb(const char *operands)
{
    return operands && strcmp(operands, "[VERB]") == 0;
}

/* What is quoted for a shell stands between single quotes. None of our words has one of its own
 * but "Pod's", which is written as shells want it. */
static void quoted_add(struct text *to, const char *words)
{
    text_puts(to, "'");
    for (; *words; words++)
        text_addf(to, *words == '\'' ? "'\\''" : "%c", *words);
    text_puts(to, "'");
}

/* ---- bash ---- */

static void bash_values(struct text *to, const struct verb *verb, const struct flag *flag)
{
    if (!flag->choices && !names_file(flag->value))
        return;
    text_addf(to, "    %s:--%s", verb->name, flag->name);
    if (flag->letter)
        text_addf(to, " | %s:-%c", verb->name, flag->letter);
    if (names_file(flag->value)) {
        text_puts(to, ") COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n");
        return;
    }
    text_puts(to, ") COMPREPLY=($(compgen -W \"");
    words_add(to, flag->choices);
    text_puts(to, "\" -- \"$word\")); return ;;\n");
}

static void bash_verb(struct text *to, const struct verb *verb)
{
    text_addf(to, "    %s:-*) COMPREPLY=($(compgen -W \"", verb->name);
    for (size_t i = 0; verb->flags && verb->flags[i]; i++)
        text_addf(to, "--%s ", verb->flags[i]->name);
    text_puts(to, "--help\" -- \"$word\")) ;;\n");
    if (names_file(verb->operands)) {
        text_addf(to, "    %s:*) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n", verb->name);
    } else if (verb->operands) {
        text_addf(to, "    %s:*) COMPREPLY=($(compgen -W \"", verb->name);
        if (verb->operand_choices)
            words_add(to, verb->operand_choices);
        else if (names_verb(verb->operands))
            verb_names_add(to);
        else if (names_rollout(verb->operands))
            text_puts(to, "$(" LIST_NAMES ")");
        text_puts(to, "\" -- \"$word\")) ;;\n");
    }
}

static void bash(struct text *to)
{
    text_puts(to, "# In ~/.bashrc: source <(sluice completion bash)\n"
                  "_sluice() {\n"
                  "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
                  "    local verb=${COMP_WORDS[1]}\n"
                  "    COMPREPLY=()\n"
                  "    if ((COMP_CWORD == 1)); then\n"
                  "        COMPREPLY=($(compgen -W \"");
    verb_names_add(to);
    text_puts(to, "\" -- \"$word\"))\n"
                  "        return\n"
                  "    fi\n"
                  "    case $verb:$before in\n");
    for (size_t i = 0; all_verbs[i]; i++)
        for (size_t k = 0; all_verbs[i]->flags && all_verbs[i]->flags[k]; k++)
            bash_values(to, all_verbs[i], all_verbs[i]->flags[k]);
    text_puts(to, "    esac\n    case $verb:$word in\n");
    for (size_t i = 0; all_verbs[i]; i++)
        bash_verb(to, all_verbs[i]);
    text_puts(to, "    esac\n}\ncomplete -o filenames -F _sluice sluice\n");
}

/* ---- zsh ---- */

/* What stands between brackets, or before a colon, may have neither. */
static void zsh_words_add(struct text *to, const char *words)
{
    for (; *words; words++)
        text_addf(to, strchr(":[]", *words) ? "\\%c" : *words == '\'' ? "'\\''" : "%c", *words);
}

static void zsh_value(struct text *to, const char *value, const char *const *choices)
{
    if (!value)
        return;
    text_addf(to, ":%s:", value);
    if (names_file(value)) {
        text_puts(to, "_files");
    } else if (choices) {
        text_puts(to, "(");
        words_add(to, choices);
        text_puts(to, ")");
    }
}

static void zsh_flag(struct text *to, const struct flag *flag)
{
    text_puts(to, " \\\n        ");
    if (flag->letter)
        text_addf(to, "'(-%c --%s)'{-%c,--%s}'[", flag->letter, flag->name, flag->letter,
                  flag->name);
    else
        text_addf(to, "'--%s[", flag->name);
    zsh_words_add(to, flag->text);
    text_puts(to, "]");
    zsh_value(to, flag->value, flag->choices);
    text_puts(to, "'");
}

static void zsh_verb(struct text *to, const struct verb *verb)
{
    text_addf(to, "    %s) _arguments -S '(-h --help)'{-h,--help}'[this text]'", verb->name);
    for (size_t i = 0; verb->flags && verb->flags[i]; i++)
        zsh_flag(to, verb->flags[i]);
    if (names_file(verb->operands))
        text_puts(to, " \\\n        '*:FILE:_files'");
    else if (verb->operand_choices) {
        text_puts(to, " \\\n        '1:which:(");
        words_add(to, verb->operand_choices);
        text_puts(to, ")'");
    } else if (names_verb(verb->operands)) {
        text_puts(to, " \\\n        '1:verb:(");
        verb_names_add(to);
        text_puts(to, ")'");
    } else if (names_rollout(verb->operands)) {
        text_puts(
            to,
            " \\\n        \"1:rollout:($(sluice status -o name 2>/dev/null | sed s,.\\*/,,))\"");
    }
    text_puts(to, " ;;\n");
}

static void zsh(struct text *to)
{
    text_puts(to, "#compdef sluice\n"
                  "# As _sluice in a folder of $fpath, or: source <(sluice completion zsh)\n"
                  "_sluice() {\n"
                  "    local -a verbs=(\n");
    for (size_t i = 0; all_verbs[i]; i++) {
        text_addf(to, "        '%s:", all_verbs[i]->name);
        zsh_words_add(to, all_verbs[i]->summary);
        text_puts(to, "'\n");
    }
    text_puts(to, "    )\n"
                  "    if ((CURRENT == 2)); then\n"
                  "        _describe verb verbs\n"
                  "        return\n"
                  "    fi\n"
                  "    shift words\n"
                  "    ((CURRENT--))\n"
                  "    case $words[1] in\n");
    for (size_t i = 0; all_verbs[i]; i++)
        zsh_verb(to, all_verbs[i]);
    text_puts(to, "    esac\n}\n"
                  "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n"
                  "    _sluice \"$@\"\n"
                  "else\n"
                  "    compdef _sluice sluice\n"
                  "fi\n");
}

/* ---- fish ---- */

static void fish_flag(struct text *to, const struct verb *verb, const struct flag *flag)
{
    text_addf(to, "complete -c sluice -n '__fish_seen_subcommand_from %s' -l %s", verb->name,
              flag->name);
    if (flag->letter)
        text_addf(to, " -s %c", flag->letter);
    if (names_file(flag->value))
        text_puts(to, " -r -F");
    else if (flag->choices) {
        text_puts(to, " -x -a '");
        words_add(to, flag->choices);
        text_puts(to, "'");
    } else if (flag->value)
        text_puts(to, " -x");
    text_puts(to, " -d ");
    quoted_add(to, flag->text);
    text_puts(to, "\n");
}

static void fish_operands(struct text *to, const struct verb *verb)
{
    bool files = names_file(verb->operands);
    bool names = names_verb(verb->operands), rollouts = names_rollout(verb->operands);
    if (!files && !names && !rollouts && !verb->operand_choices)
        return;
    text_addf(to, "complete -c sluice -n '__fish_seen_subcommand_from %s' %s", verb->name,
              files ? "-F" : "-a '");
    if (names)
        verb_names_add(to);
    if (rollouts)
        text_puts(to, "(" LIST_NAMES ")");
    words_add(to, verb->operand_choices);
    text_puts(to, files ? "\n" : "'\n");
}

static void fish(struct text *to)
{
    text_puts(to, "# In ~/.config/fish/completions/sluice.fish\ncomplete -c sluice -f\n");
    for (size_t i = 0; all_verbs[i]; i++) {
        const struct verb *verb = all_verbs[i];
        text_addf(to, "complete -c sluice -n __fish_use_subcommand -a %s -d ", verb->name);
        quoted_add(to, verb->summary);
        text_puts(to, "\n");
        for (size_t k = 0; verb->flags && verb->flags[k]; k++)
            fish_flag(to, verb, verb->flags[k]);
        fish_operands(to, verb);
    }
}

static int run_completion(const struct arguments *arguments)
{
    static void (*const writers[])(struct text *) = {bash, zsh, fish};
    struct text script AUTO(text_done) = {0};
    for (size_t i = 0; shells[i]; i++)
        if (strcmp(shells[i], arguments->operands[0]) == 0)
            writers[i](&script);
    fputs(script.at, stdout);
    return STATUS_DONE;
}

const struct verb verb_completion = {
    .name = "completion",
    .summary = "print what a shell needs to complete what is typed",
    .operands = "bash|zsh|fish",
    .operand_choices = shells,
    .least = 1,
    .most = 1,
    .text = "  source <(sluice completion bash)\n"
            "  sluice completion zsh >~/.zfunc/_sluice\n"
            "  sluice completion fish >~/.config/fish/completions/sluice.fish",
    .run = run_completion,
};
