// SPDX-License-Identifier: Apache-2.0
#include "subject.h"

#include "adapter/file.h"
#include "adapter/inprocess.h"
#include "adapter/module.h"
#include "base/alloc.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

const struct manner manner_normal = {.limits = &call_limits_default, .host = &inprocess_host};

/* The config takes no other. */
static int check_name(const char *name, struct error *err)
{
    if (*name && !name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")])
        return OK;
    return error_set(err, ERR_INVALID,
                     "name: expected lower-case letters, digits and '-', found \"%s\"", name);
}

int subject_open(const char *file, const char *name, struct subject *ret_subject, struct error *err)
{
    struct subject subject = {0};
    char *path AUTO_FREE = realpath(file, NULL);
    char digest[HASH_HEX_SIZE];
    int fd;
    int result = file_open_checked(path ? path : file, NULL, &fd, digest, err);
    if (result < 0 || (result = module_load_take(fd, &subject.table, err)) < 0 ||
        (result = module_check(subject.table, name ? name : subject.table->name, err)) < 0 ||
        (result = check_name(subject.table->name, err)) < 0)
        return result;
    subject.newer = subject.table->minor > SLUICE_ABI_MINOR;
    const struct manifest_source source = {
        .text = subject.table->manifest,
        .newer = subject.newer,
        .describes = table_copy(subject.table).describe != NULL,
    };
    result = manifest_parse(&source, &subject.manifest, err);
    if (result == OK)
        *ret_subject = subject;
    return result;
}

void subject_done(struct subject *subject)
{
    manifest_done(&subject->manifest);
}

int subject_describe(const struct subject *subject, const json_t *described, struct error *err)
{
    struct manifest manifest;
    const struct manifest_source source = {
        .text = subject->table->manifest, .newer = subject->newer, .describes = true};
    int result = manifest_parse(&source, &manifest, err);
    if (result < 0)
        return result;
    result = manifest_describe(&manifest, described, subject->newer, err);
    manifest_done(&manifest);
    return result;
}

bool subject_has(const struct subject *subject, enum call_kind kind)
{
    struct transport *transport =
        inprocess_new(subject->table, manner_normal.limits, manner_normal.host);
    bool has = transport->has(transport, kind);
    transport->free(transport);
    return has;
}

int subject_ask(const struct subject *subject, const struct manner *manner,
                const struct question *question, struct answer *ret_answer, struct error *err)
{
    struct transport *transport = inprocess_new(subject->table, manner->limits, manner->host);
    int result = transport->has(transport, question->kind)
                     ? transport->call(transport, question, ret_answer, err)
                     : error_set(err, ERR_MISSING, "it has no call %s", call_name(question->kind));
    transport->free(transport);
    return result;
}
