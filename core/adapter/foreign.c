// SPDX-License-Identifier: Apache-2.0
#include "adapter/foreign.h"

#include "adapter/schema.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"

#include <dlfcn.h>
#include <ffi.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGUMENTS_MAX = 16, RESULT_MAX = 64 << 10 };

enum type { INT32, INT64, DOUBLE, STRING, JSON, TYPE_COUNT };

static const char *const type_names[TYPE_COUNT] = {"int32", "int64", "double", "string", "json"};

struct function {
    char *name;
    void (*address)(void);
    ffi_cif cif;
    ffi_type *forms[ARGUMENTS_MAX];
    enum type types[ARGUMENTS_MAX], returns;
    unsigned count;
};

struct foreign {
    struct function *functions;
    size_t count;
};

/* What is handed over or comes back. libffi widens a small integer that is returned. */
union cell {
    int32_t int32;
    int64_t int64;
    double real;
    const char *text;
    ffi_arg widened;
};

/* ---- loading ---- */

static enum type type_of(const char *name)
{
    enum type type = INT32;
    while (type < TYPE_COUNT && !str_equal(name, type_names[type]))
        type++;
    return type;
}

static ffi_type *form_of(enum type type)
{
    switch (type) {
    case INT32:
        return &ffi_type_sint32;
    case INT64:
        return &ffi_type_sint64;
    case DOUBLE:
        return &ffi_type_double;
    case STRING:
    case JSON:
    case TYPE_COUNT:
        break;
    }
    return &ffi_type_pointer;
}

static int read_signature(const json_t *json, struct function *function, struct error *err)
{
    const json_t *arguments = json_object_get(json, "arguments");
    function->returns = type_of(json_string_at(json, "/returns"));
    function->count = (unsigned)json_array_size(arguments);
    bool known = function->returns < TYPE_COUNT && function->count <= ARGUMENTS_MAX;
    for (unsigned i = 0; known && i < function->count; i++) {
        function->types[i] = type_of(json_string_value(json_array_get(arguments, i)));
        function->forms[i] = form_of(function->types[i]);
        known = function->types[i] < TYPE_COUNT;
    }
    if (!known || ffi_prep_cif(&function->cif, FFI_DEFAULT_ABI, function->count,
                               form_of(function->returns), function->forms) != FFI_OK)
        return error_set(err, ERR_INVALID,
                         "expected a signature of known types and at most %d arguments",
                         ARGUMENTS_MAX);
    return OK;
}

static int load_function(const json_t *json, int fd, struct function *function, struct error *err)
{
    char path[32];
    const char *symbol = json_string_at(json, "/symbol");
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle)
        return error_set(err, ERR_INVALID, "library: %s", dlerror());
    *(void **)(&function->address) = symbol ? dlsym(handle, symbol) : NULL;
    if (!function->address)
        return error_set(err, ERR_INVALID, "symbol: expected the function %s, found none",
                         symbol ? symbol : "");
    return read_signature(json, function, err);
}

int foreign_open(const char *declaration, const int *fds, struct foreign **ret_foreign,
                 struct error *err)
{
    json_t *json AUTO_JSON = NULL;
    int result = declaration ? json_parse(declaration, strlen(declaration), &json, err) : OK;
    if (result < 0)
        return result;
    struct foreign *foreign = mem_alloc(sizeof *foreign);
    foreign->functions = mem_alloc(json_array_size(json) * sizeof *foreign->functions);
    for (size_t i = 0; result == OK && i < json_array_size(json); i++) {
        const json_t *declared = json_array_get(json, i);
        struct function *function = &foreign->functions[foreign->count++];
        function->name = str_copy(json_string_at(declared, "/name"));
        result = load_function(declared, fds[json_int_at(declared, "/file", 0)], function, err);
        if (result < 0)
            error_prefix(err, "native[%zu]", i);
    }
    if (result < 0)
        foreign_free(foreign);
    else
        *ret_foreign = foreign;
    return result;
}

void foreign_free(struct foreign *foreign)
{
    if (!foreign)
        return;
    for (size_t i = 0; i < foreign->count; i++)
        free(foreign->functions[i].name);
    free(foreign->functions);
    free(foreign);
}

/* ---- arguments ---- */

/* JSON text of one argument of type json; for the others NULL. */
static char *json_argument(enum type type, const json_t *argument)
{
    if (type != JSON)
        return NULL;
    return json_is_null(argument) ? str_copy("null")
                                  : json_dumps(argument, JSON_COMPACT | JSON_ENCODE_ANY);
}

static bool fits(enum type type, const json_t *argument)
{
    json_int_t number = json_integer_value(argument);
    if (type == JSON || json_is_null(argument))
        return true;
    if (type == INT32)
        return json_is_integer(argument) && number >= INT32_MIN && number <= INT32_MAX;
    if (type == INT64)
        return json_is_integer(argument);
    if (type == DOUBLE)
        return json_is_number(argument);
    /* A C string ends at the first NUL. */
    return json_is_string(argument) &&
           strlen(json_string_value(argument)) == json_string_length(argument);
}

static union cell cell_of(enum type type, const json_t *argument, const char *text)
{
    const char *string = json_string_value(argument);
    if (type == INT32)
        return (union cell){.int32 = (int32_t)json_integer_value(argument)};
    if (type == INT64)
        return (union cell){.int64 = json_integer_value(argument)};
    if (type == DOUBLE)
        return (union cell){.real = json_number_value(argument)};
    return (union cell){.text = text ? text : string ? string : ""};
}

static int check_arguments(const struct function *function, const json_t *arguments,
                           struct error *err)
{
    if (json_array_size(arguments) != function->count)
        return error_set(err, ERR_INVALID, "expected %u arguments, found %zu", function->count,
                         json_array_size(arguments));
    for (unsigned i = 0; i < function->count; i++) {
        const json_t *argument = json_array_get(arguments, i);
        if (!fits(function->types[i], argument))
            return error_set(err, ERR_INVALID, "argument %u: expected %s, found %s", i + 1,
                             type_names[function->types[i]], json_type_name(argument));
    }
    return OK;
}

/* ---- results ---- */

/* At most so much of a text is looked at; what isn't UTF-8 is mended. */
static int read_text(enum type type, const char *text, json_t **ret_result, struct error *err)
{
    size_t length = text ? strnlen(text, RESULT_MAX) : 0;
    if (length == RESULT_MAX)
        return error_set(err, ERR_INVALID, "it returned a text of more than %d bytes",
                         RESULT_MAX - 1);
    char *copy AUTO_FREE = str_copy_n(text ? text : "", length);
    if (!text) {
        *ret_result = json_null();
        return OK;
    }
    if (type == JSON) {
        *ret_result = json_loads(copy, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
        return *ret_result ? OK : error_set(err, ERR_INVALID, "it returned text that isn't JSON");
    }
    text_mend(copy);
    *ret_result = json_string(copy);
    return OK;
}

static int read_result(enum type type, const union cell *cell, json_t **ret_result,
                       struct error *err)
{
    if (type == STRING || type == JSON)
        return read_text(type, cell->text, ret_result, err);
    if (type == DOUBLE && !isfinite(cell->real))
        return error_set(err, ERR_INVALID, "it returned %f", cell->real);
    *ret_result = type == DOUBLE  ? json_real(cell->real)
                  : type == INT64 ? json_integer(cell->int64)
                                  : json_integer((int32_t)cell->widened);
    return OK;
}

/* ---- calling ---- */

static const struct function *find(const struct foreign *foreign, const char *name)
{
    for (size_t i = 0; foreign && i < foreign->count; i++)
        if (str_equal(foreign->functions[i].name, name))
            return &foreign->functions[i];
    return NULL;
}

static union cell perform(const struct function *function, const json_t *arguments)
{
    char *texts[ARGUMENTS_MAX];
    union cell cells[ARGUMENTS_MAX], result = {0};
    void *places[ARGUMENTS_MAX];
    for (unsigned i = 0; i < function->count; i++) {
        const json_t *argument = json_array_get(arguments, i);
        texts[i] = json_argument(function->types[i], argument);
        cells[i] = cell_of(function->types[i], argument, texts[i]);
        places[i] = &cells[i];
    }
    ffi_call((ffi_cif *)(uintptr_t)&function->cif, function->address, &result, places);
    for (unsigned i = 0; i < function->count; i++)
        free(texts[i]);
    return result;
}

int foreign_call(const struct foreign *foreign, const char *name, const json_t *arguments,
                 json_t **ret_result, struct error *err)
{
    const struct function *function = find(foreign, name);
    if (!function)
        return error_set(err, ERR_MISSING, "native function %s: it isn't declared", name);
    int result = check_arguments(function, arguments, err);
    if (result == OK) {
        const union cell cell = perform(function, arguments);
        result = read_result(function->returns, &cell, ret_result, err);
    }
    if (result < 0)
        error_prefix(err, "native function %s", name);
    return result;
}
