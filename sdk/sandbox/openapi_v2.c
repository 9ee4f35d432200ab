// SPDX-License-Identifier: Apache-2.0
/* kubectl before 1.27 reads no other description, applies nothing without one, and takes it in
 * protobuf alone. The numbers are those of gnostic's OpenAPIv2.proto. */
#include "openapi.h"

#include "base/alloc.h"

#include <string.h>

#define PROTOBUF "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"

enum { DOCUMENT_SWAGGER = 1, DOCUMENT_INFO = 2, DOCUMENT_PATHS = 8 };
enum { INFO_TITLE = 1, INFO_VERSION = 2 };
enum { PATHS_PATH = 2, PATH_NAME = 1, PATH_VALUE = 2, VALUE_PATCH = 8 };
enum { OPERATION_PARAMETERS = 8, OPERATION_EXTENSION = 13 };
enum { ITEM_PARAMETER = 1, PARAMETER_NO_BODY = 2, NO_BODY_QUERY = 3 };
enum { QUERY_IN = 2, QUERY_NAME = 4, QUERY_TYPE = 6 };
enum { EXTENSION_NAME = 1, EXTENSION_VALUE = 2, ANY_YAML = 2 };

static void put_number(struct text *out, size_t number)
{
    for (; number >= 0x80; number >>= 7)
        text_add(out, &(unsigned char){number | 0x80}, 1);
    text_add(out, &(unsigned char){number}, 1);
}

static void put(struct text *out, unsigned field, const void *bytes, size_t count)
{
    enum { OF_BYTES = 2 };
    put_number(out, field << 3 | OF_BYTES);
    put_number(out, count);
    text_add(out, bytes, count);
}

static void put_words(struct text *out, unsigned field, const char *words)
{
    put(out, field, words, strlen(words));
}

/* Takes the part. */
static void put_part(struct text *out, unsigned field, struct text part)
{
    put(out, field, part.at, part.len);
    text_done(&part);
}

static struct text wrap(unsigned field, struct text part)
{
    struct text whole = {0};
    put_part(&whole, field, part);
    return whole;
}

static struct text parameter(const char *name)
{
    struct text query = {0};
    put_words(&query, QUERY_IN, "query");
    put_words(&query, QUERY_NAME, name);
    put_words(&query, QUERY_TYPE, "string");
    return wrap(ITEM_PARAMETER, wrap(PARAMETER_NO_BODY, wrap(NO_BODY_QUERY, query)));
}

static struct text whose(const struct kind *kind)
{
    struct text extension = {0}, value = {0};
    char *yaml AUTO_FREE = str_format("group: \"%s\"\nversion: %s\nkind: %s\n", kind->group,
                                      kind->version, kind->name);
    put_words(&value, ANY_YAML, yaml);
    put_words(&extension, EXTENSION_NAME, "x-kubernetes-group-version-kind");
    put_part(&extension, EXTENSION_VALUE, value);
    return extension;
}

static struct text path_of(const struct kind *kind)
{
    struct text patch = {0}, path = {0};
    char *name AUTO_FREE = openapi_path(kind);
    put_part(&patch, OPERATION_PARAMETERS, parameter("fieldValidation"));
    put_part(&patch, OPERATION_PARAMETERS, parameter("dryRun"));
    put_part(&patch, OPERATION_EXTENSION, whose(kind));
    put_words(&path, PATH_NAME, name);
    put_part(&path, PATH_VALUE, wrap(VALUE_PATCH, patch));
    return path;
}

static struct text info(void)
{
    struct text info = {0};
    put_words(&info, INFO_TITLE, "Kubernetes");
    put_words(&info, INFO_VERSION, KUBERNETES);
    return info;
}

bool openapi_v2_answer(const struct registry *kinds, const struct request *request,
                       struct answer *answer)
{
    const char *accepted = request_header(request, "Accept");
    if (strcmp(request->path, "/openapi/v2") != 0 || !accepted ||
        !strstr(accepted, "proto-openapi.spec.v2"))
        return false;
    struct text paths = {0};
    for (size_t i = 0; i < registry_count(kinds); i++)
        put_part(&paths, PATHS_PATH, path_of(registry_at(kinds, i)));
    answer->type = PROTOBUF;
    put_words(&answer->body, DOCUMENT_SWAGGER, "2.0");
    put_part(&answer->body, DOCUMENT_INFO, info());
    put_part(&answer->body, DOCUMENT_PATHS, paths);
    return true;
}
