// SPDX-License-Identifier: Apache-2.0
#include "cli/man.h"

#include "base/alloc.h"
#include "base/text.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>
#include <wchar.h>

/* ── Words as mdoc reads them ─────────────────────────────────────────────────────────────── */

/* Signs that roff would take for something else, and those that aren't ASCII. */
static void sign_add(struct text *to, const char **at)
{
    wchar_t sign;
    size_t length = mbrtowc(&sign, *at, MB_LEN_MAX, &(mbstate_t){0});
    if (length == 0 || length > MB_LEN_MAX) { /* not UTF-8 */
        text_puts(to, "?");
        length = 1;
    } else if (length > 1) {
        text_addf(to, "\\[u%04X]", (unsigned)sign);
    } else if (**at == '\\') {
        text_puts(to, "\\e");
    } else if (**at == '"') {
        text_puts(to, "\\(dq");
    } else {
        text_addf(to, "%c", **at);
    }
    *at += length;
}

static void words_add(struct text *to, const char *words, size_t length)
{
    for (const char *at = words; at < words + length;)
        sign_add(to, &at);
}

/* One that begins as a request does must not be one. */
static void line_add(struct text *to, const char *words, size_t length)
{
    if (length && strchr(".'", *words))
        text_puts(to, "\\&");
    words_add(to, words, length);
    text_puts(to, "\n");
}

/* As much of the words as one line of the page's source takes: at most so many bytes, and not more
 * than one sentence, which is how roff is told its end. */
static size_t line_length(const char *words, size_t length)
{
    enum { LINE = 78 };
    size_t taken = 0;
    while (taken < length) {
        size_t word = strcspn(words + taken, " ");
        if (taken + word > length)
            word = length - taken;
        if (taken && taken + word > LINE)
            return taken;
        taken += word;
        char last = words[taken - 1];
        taken += strspn(words + taken, " ");
        if (strchr(".?!", last))
            return taken;
    }
    return length;
}

static void lines_add(struct text *to, const char *words, size_t length)
{
    while (length) {
        size_t line = line_length(words, length), shown = line;
        while (shown && words[shown - 1] == ' ')
            shown--;
        if (shown)
            line_add(to, words, shown);
        words += line;
        length -= line;
    }
}

/* `words` between backquotes, and the marks that follow them without a blank. */
static const char *quoted_add(struct text *to, const char *at)
{
    size_t length = strcspn(at, "`");
    text_puts(to, ".Ql \"");
    words_add(to, at, length);
    text_puts(to, "\"");
    at += length + (at[length] == '`');
    for (; *at && strchr(".,;:)", *at); at++)
        text_addf(to, " %c", *at);
    text_puts(to, "\n");
    return at + strspn(at, " ");
}

/* A paragraph without its wrapping. */
static void sentence_add(struct text *to, const char *words)
{
    while (*words) {
        size_t length = strcspn(words, "`\n");
        lines_add(to, words, length);
        words += length;
        if (*words == '`')
            words = quoted_add(to, words + 1);
        else
            words += *words == '\n';
    }
}

/* Lines that begin with a blank stand as they are. Returns what follows them. */
static const char *literal_add(struct text *to, const char *at)
{
    text_puts(to, ".Bd -literal -offset indent\n");
    while (*at == ' ' || (*at == '\n' && at[1] == ' ')) {
        at += strspn(at, " ");
        size_t length = strcspn(at, "\n");
        line_add(to, at, length);
        at += length + (at[length] == '\n');
    }
    text_puts(to, ".Ed\n");
    return at;
}

/* The text of struct verb. */
static void paragraphs_add(struct text *to, const char *at)
{
    while (*at) {
        if (*at == '\n') {
            at++;
            continue;
        }
        if (*at == ' ') {
            at = literal_add(to, at);
            continue;
        }
        const char *end = strstr(at, "\n\n");
        char *paragraph AUTO_FREE = str_copy_n(at, end ? (size_t)(end - at) : strlen(at));
        text_puts(to, ".Pp\n");
        sentence_add(to, paragraph);
        at += strlen(paragraph);
    }
}

/* ── A verb ───────────────────────────────────────────────────────────────────────────────── */

static void head_add(struct text *to, const char *name, const char *date)
{
    text_addf(to, ".Dd %s\n.Dt ", date);
    for (const char *at = name; *at; at++)
        text_addf(to, "%c", toupper((unsigned char)*at));
    text_addf(to, " 1\n.Os Sluice " SLUICE_VERSION "\n.Sh NAME\n.Nm %s\n.Nd ", name);
}

static void flag_add(struct text *to, const struct flag *flag, const char *separator)
{
    if (flag->letter)
        text_addf(to, " Fl %c%s", flag->letter, separator);
    text_addf(to, " Fl -%s", flag->name);
    if (flag->value)
        text_addf(to, " Ar %s", flag->value);
}

static void synopsis_operands_add(struct text *to, const char *operands)
{
    bool optional = *operands == '[';
    size_t length = strcspn(operands + optional, "]");
    struct text words AUTO(text_done) = {0};
    words_add(&words, operands + optional, length);
    text_addf(to, ".%sAr \"%s\"\n", optional ? "Op " : "", words.at);
}

static void synopsis_add(struct text *to, const struct verb *verb)
{
    text_addf(to, ".Sh SYNOPSIS\n.Nm \"sluice %s\"\n", verb->name);
    for (size_t i = 0; verb->flags && verb->flags[i]; i++) {
        text_puts(to, ".Op");
        flag_add(to, verb->flags[i], " |");
        text_puts(to, "\n");
    }
    if (verb->operands)
        synopsis_operands_add(to, verb->operands);
}

static void options_add(struct text *to, const struct verb *verb)
{
    static const struct flag help = {.name = "help", .letter = 'h', .text = "print a short help"};
    text_puts(to, ".Sh OPTIONS\n.Bl -tag -width Ds\n");
    for (size_t i = 0;; i++) {
        const struct flag *flag = verb->flags ? verb->flags[i] : NULL;
        text_puts(to, ".It");
        flag_add(to, flag ? flag : &help, " ,");
        text_puts(to, "\n");
        sentence_add(to, flag ? flag->text : help.text);
        if (!flag)
            break;
    }
    text_puts(to, ".El\n");
}

static void verb_page(struct text *to, const struct verb *verb, const char *date)
{
    char *name AUTO_FREE = str_format("sluice-%s", verb->name);
    char *summary AUTO_FREE = verb_summary(verb);
    head_add(to, name, date);
    sentence_add(to, verb->summary);
    synopsis_add(to, verb);
    text_puts(to, ".Sh DESCRIPTION\n");
    sentence_add(to, summary);
    paragraphs_add(to, verb->text ? verb->text : "");
    options_add(to, verb);
    text_puts(to, ".Sh EXIT STATUS\nSee\n.Xr sluice 1 .\n.Sh SEE ALSO\n.Xr sluice 1\n");
}

/* ── The program ──────────────────────────────────────────────────────────────────────────── */

static void verbs_add(struct text *to)
{
    text_puts(to, "Each verb has a page of its own:\n.Bl -tag -width \"sluice-controller(1)\"\n");
    for (size_t i = 0; all_verbs[i]; i++) {
        text_addf(to, ".It Xr sluice-%s 1\n", all_verbs[i]->name);
        sentence_add(to, all_verbs[i]->summary);
    }
    text_puts(to, ".El\n");
}

static void exit_statuses_add(struct text *to)
{
    text_puts(to, ".Sh EXIT STATUS\n.Bl -tag -width Ds\n");
    for (int i = 0; exit_meanings[i]; i++) {
        text_addf(to, ".It %d\n", i);
        sentence_add(to, exit_meanings[i]);
    }
    text_puts(to, ".El\n");
}

static const char surroundings[] =
    ".Sh ENVIRONMENT\n"
    ".Bl -tag -width Ds\n"
    ".It Ev KUBECONFIG\n"
    "where the cluster is, as for\n"
    ".Xr kubectl 1\n"
    ".It Ev COLUMNS\n"
    "how wide the output may be; otherwise the terminal is asked\n"
    ".It Ev NO_COLOR\n"
    "when it is set, live views have no colours\n"
    ".It Ev TERM\n"
    "when it is dumb, live views are lines\n"
    ".It Ev USER\n"
    "recorded as who has asked, where the cluster doesn't know a better name\n"
    ".El\n"
    ".Sh FILES\n"
    ".Bl -tag -width Ds\n"
    ".It Pa " CONFIG_FILE "\n"
    "the controller's settings and adapters\n"
    ".It Pa ~/.kube/config\n"
    "where the cluster is, unless something else says it\n"
    ".El\n";

static void program_page(struct text *to, const char *date)
{
    head_add(to, "sluice", date);
    text_puts(to, "progressive rollouts for Kubernetes\n"
                  ".Sh SYNOPSIS\n.Nm\n.Ar VERB\n.Op Ar OPTION ...\n"
                  ".Sh DESCRIPTION\n");
    verbs_add(to);
    paragraphs_add(to, program_words);
    text_puts(to, surroundings);
    exit_statuses_add(to);
    text_puts(to, ".Sh SEE ALSO\n"
                  ".Xr kubectl 1 ,\n.Xr sluice-adapter-check 1 ,\n.Xr sluice-sandbox 1\n");
}

char *man_page(const struct verb *verb, const char *date)
{
    struct text page = {0};
    if (verb)
        verb_page(&page, verb, date);
    else
        program_page(&page, date);
    return text_steal(&page);
}
