// SPDX-License-Identifier: Apache-2.0
#include "adapter/foreign.h"

#include "adapter/native.h"
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

struct function {
    const json_t *declared;
    const char *name;
    void (*address)(void);
    ffi_cif cif;
    ffi_type *forms[ARGUMENTS_MAX];
    enum native_type types[ARGUMENTS_MAX], returns;
    unsigned count;
};

struct foreign {
    json_t *declaration;
    struct function *functions;
    size_t count;
};

/* What is handed over or comes back. libffi widens a small integer that is returned. */
union cell {
    uint8_t truth;
    int32_t int32;
    int64_t int64;
    double real;
    const char *text;
    ffi_arg widened;
};

/* ---- loading ---- */

static ffi_type *form_of(enum native_type type)
{
    switch (type) {
    case NATIVE_BOOL:
        return &ffi_type_uint8;
    case NATIVE_INT32:
        return &ffi_type_sint32;
    case NATIVE_INT64:
        return &ffi_type_sint64;
    case NATIVE_DOUBLE:
        return &ffi_type_double;
    case NATIVE_STRING:
    case NATIVE_JSON:
    case NATIVE_TYPES:
        break;
    }
    return &ffi_type_pointer;
}

static int read_signature(struct function *function, struct error *err)
{
    const json_t *arguments = json_object_get(function->declared, "arguments");
    function->returns = native_type_of(json_string_at(function->declared, "/returns"));
    if (json_array_size(arguments) > ARGUMENTS_MAX)
        return error_set(err, ERR_INVALID, "arguments: expected at most %d, found %zu",
                         ARGUMENTS_MAX, json_array_size(arguments));
    function->count = (unsigned)json_array_size(arguments);
    for (unsigned i = 0; i < function->count; i++) {
        function->types[i] = native_type_of(json_string_at(json_array_get(arguments, i), "/type"));
        function->forms[i] = form_of(function->types[i]);
    }
    if (ffi_prep_cif(&function->cif, FFI_DEFAULT_ABI, function->count, form_of(function->returns),
                     function->forms) != FFI_OK)
        return error_set(err, ERR_BUG, "the signature can't be prepared");
    return OK;
}

/* The same file opened again is the same library: the linker knows it by this path. */
static int find_symbol(struct function *function, int fd, struct error *err)
{
    char path[32];
    const char *symbol = json_string_at(function->declared, "/symbol");
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle)
        return error_set(err, ERR_INVALID, "library: %s", dlerror());
    *(void **)(&function->address) = dlsym(handle, symbol);
    if (!function->address)
        return error_set(err, ERR_INVALID,
                         "symbol: expected a function of the library, found no \"%s\"", symbol);
    return OK;
}

static int load_all(struct foreign *foreign, const int *fds, struct error *err)
{
    foreign->count = json_array_size(foreign->declaration);
    foreign->functions = mem_alloc(foreign->count * sizeof *foreign->functions);
    for (size_t i = 0; i < foreign->count; i++) {
        struct function *function = &foreign->functions[i];
        function->declared = json_array_get(foreign->declaration, i);
        function->name = json_string_at(function->declared, "/name");
        int64_t library = json_int_at(function->declared, "/library", 0);
        if (find_symbol(function, fds[library], err) < 0 || read_signature(function, err) < 0) {
            error_prefix(err, "native[%zu]", i);
            return err->code;
        }
    }
    return OK;
}

int foreign_open(const char *declaration, const int *fds, struct foreign **ret_foreign,
                 struct error *err)
{
    json_t *json;
    int result = json_parse(declaration, strlen(declaration), &json, err);
    if (result < 0)
        return result;
    struct foreign *foreign = mem_alloc(sizeof *foreign);
    foreign->declaration = json;
    if ((result = load_all(foreign, fds, err)) < 0)
        foreign_free(foreign);
    else
        *ret_foreign = foreign;
    return result;
}

void foreign_free(struct foreign *foreign)
{
    if (!foreign)
        return;
    json_decref(foreign->declaration);
    free(foreign->functions);
    free(foreign);
}

/* ---- arguments ---- */

/* `json` is the text of one of that type. What isn't there is false, 0, "" or null. */
static union cell cell_of(enum native_type type, const json_t *argument, const char *json)
{
    const char *string = json_string_value(argument);
    switch (type) {
    case NATIVE_BOOL:
        return (union cell){.truth = json_is_true(argument)};
    case NATIVE_INT32:
        return (union cell){.int32 = (int32_t)json_integer_value(argument)};
    case NATIVE_INT64:
        return (union cell){.int64 = json_integer_value(argument)};
    case NATIVE_DOUBLE:
        return (union cell){.real = json_number_value(argument)};
    case NATIVE_STRING:
        return (union cell){.text = string ? string : ""};
    case NATIVE_JSON:
    case NATIVE_TYPES:
        break;
    }
    return (union cell){.text = json};
}

/* What stands where the declaration says; null if nothing does. Borrowed. */
static json_t *argument_at(const struct function *function, unsigned index, const json_t *workload)
{
    const json_t *declared =
        json_array_get(json_object_get(function->declared, "arguments"), index);
    const char *from = json_string_at(declared, "/from");
    json_t *found = from ? json_at(workload, from) : json_object_get(declared, "value");
    return found ? found : json_null();
}

static int check_arguments(const struct function *function, json_t *const *arguments,
                           struct error *err)
{
    for (unsigned i = 0; i < function->count; i++)
        if (!json_is_null(arguments[i]) && !native_type_fits(function->types[i], arguments[i]))
            return error_set(err, ERR_INVALID, "argument %u: expected %s, found %s", i + 1,
                             native_type_name(function->types[i]), json_type_name(arguments[i]));
    return OK;
}

/* ---- results ---- */

/* At most so much of a text is looked at; what isn't UTF-8 is mended. */
static int read_text(enum native_type type, const char *text, json_t **ret_result,
                     struct error *err)
{
    size_t length = text ? strnlen(text, RESULT_MAX) : 0;
    if (length == RESULT_MAX)
        return error_set(err, ERR_INVALID, "it returned a text of more than %d bytes",
                         RESULT_MAX - 1);
    if (!text) {
        *ret_result = json_null();
        return OK;
    }
    char *copy AUTO_FREE = str_copy_n(text, length);
    if (type == NATIVE_JSON)
        *ret_result = json_loads(copy, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    else {
        text_mend(copy);
        *ret_result = json_string(copy);
    }
    return *ret_result ? OK : error_set(err, ERR_INVALID, "it returned text that isn't JSON");
}

static int read_result(enum native_type type, const union cell *cell, json_t **ret_result,
                       struct error *err)
{
    switch (type) {
    case NATIVE_BOOL:
        *ret_result = json_boolean((uint8_t)cell->widened);
        return OK;
    case NATIVE_INT32:
        *ret_result = json_integer((int32_t)cell->widened);
        return OK;
    case NATIVE_INT64:
        *ret_result = json_integer(cell->int64);
        return OK;
    case NATIVE_DOUBLE:
        *ret_result = json_real(cell->real);
        return *ret_result ? OK : error_set(err, ERR_INVALID, "it returned %f", cell->real);
    case NATIVE_STRING:
    case NATIVE_JSON:
    case NATIVE_TYPES:
        break;
    }
    return read_text(type, cell->text, ret_result, err);
}

/* ---- calling ---- */

static union cell perform(const struct function *function, json_t *const *arguments)
{
    char *texts[ARGUMENTS_MAX] = {0};
    union cell cells[ARGUMENTS_MAX], result = {0};
    void *places[ARGUMENTS_MAX];
    for (unsigned i = 0; i < function->count; i++) {
        if (function->types[i] == NATIVE_JSON)
            texts[i] = json_dumps(arguments[i], JSON_COMPACT | JSON_ENCODE_ANY);
        cells[i] = cell_of(function->types[i], arguments[i], texts[i]);
        places[i] = &cells[i];
    }
    /* libffi only reads it, but says otherwise. */
    ffi_call((ffi_cif *)(uintptr_t)&function->cif, function->address, &result, places);
    for (unsigned i = 0; i < function->count; i++)
        free(texts[i]);
    return result;
}

/* The caller owns *ret_result. */
static int call(const struct function *function, const json_t *workload, json_t **ret_result,
                struct error *err)
{
    json_t *arguments[ARGUMENTS_MAX];
    for (unsigned i = 0; i < function->count; i++)
        arguments[i] = argument_at(function, i, workload);
    int result = check_arguments(function, arguments, err);
    if (result < 0)
        return result;
    const union cell cell = perform(function, arguments);
    return read_result(function->returns, &cell, ret_result, err);
}

int foreign_answer(const struct foreign *foreign, json_t *request, struct error *err)
{
    const json_t *workload = json_object_get(request, "workload");
    json_t *native = json_is_object(workload) ? json_object() : NULL;
    for (size_t i = 0; native && i < foreign->count; i++) {
        const struct function *function = &foreign->functions[i];
        json_t *value = NULL;
        if (call(function, workload, &value, err) < 0) {
            json_decref(native);
            error_prefix(err, "native function %s", function->name);
            return err->code;
        }
        json_object_set_new(native, function->name, value);
    }
    if (native)
        json_object_set_new(request, "native", native);
    return OK;
}
