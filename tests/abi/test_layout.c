// SPDX-License-Identifier: Apache-2.0
/*
 * The layout of the contract, pinned. A failure here means that adapters built before would be
 * misread: append instead, or make a new major version. Compiled against the headers of today and
 * against those of every released minor, whose tables may be shorter (HOST_SIZE, ADAPTER_SIZE) but
 * have everything in the same place.
 */
#include <sluice/abi.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void texts(void **state)
{
    assert_int_equal(sizeof(sluice_text), 16);
    assert_int_equal(offsetof(sluice_text, at), 0);
    assert_int_equal(offsetof(sluice_text, length), 8);
}

static void host_table(void **state)
{
    assert_int_equal(sizeof(sluice_host), HOST_SIZE);
    assert_int_equal(offsetof(sluice_host, size), 0);
    assert_int_equal(offsetof(sluice_host, major), 4);
    assert_int_equal(offsetof(sluice_host, minor), 6);
    assert_int_equal(offsetof(sluice_host, alloc), 8);
    assert_int_equal(offsetof(sluice_host, emit), 16);
    assert_int_equal(offsetof(sluice_host, fail), 24);
    assert_int_equal(offsetof(sluice_host, log), 32);
}

static void adapter_table(void **state)
{
    assert_int_equal(sizeof(sluice_adapter), ADAPTER_SIZE);
    assert_int_equal(offsetof(sluice_adapter, size), 0);
    assert_int_equal(offsetof(sluice_adapter, major), 4);
    assert_int_equal(offsetof(sluice_adapter, minor), 6);
    assert_int_equal(offsetof(sluice_adapter, needs), 8);
    assert_int_equal(offsetof(sluice_adapter, provides), 16);
    assert_int_equal(offsetof(sluice_adapter, name), 24);
    assert_int_equal(offsetof(sluice_adapter, version), 32);
    assert_int_equal(offsetof(sluice_adapter, manifest), 40);
    assert_int_equal(offsetof(sluice_adapter, validate), 48);
    assert_int_equal(offsetof(sluice_adapter, observe), 56);
    assert_int_equal(offsetof(sluice_adapter, begin), 64);
    assert_int_equal(offsetof(sluice_adapter, advance), 72);
    assert_int_equal(offsetof(sluice_adapter, finish), 80);
#if SLUICE_ABI_MINOR >= 1
    assert_int_equal(offsetof(sluice_adapter, describe), 88);
#endif
}

static void values(void **state)
{
    assert_int_equal(SLUICE_ABI_MAJOR, 1);
    assert_int_equal(SLUICE_OK, 0);
    assert_int_equal(SLUICE_INVALID, -1);
    assert_int_equal(SLUICE_UNSUPPORTED, -2);
    assert_int_equal(SLUICE_STALE, -3);
    assert_int_equal(SLUICE_LIMIT, -4);
    assert_int_equal(SLUICE_BUG, -5);
    assert_int_equal(SLUICE_STATUS, 1);
    assert_int_equal(SLUICE_PATCH, 2);
    assert_int_equal(SLUICE_DELETE_POD, 3);
    assert_int_equal(SLUICE_EVENT, 4);
    assert_int_equal(SLUICE_PROVIDES_SCALE, 1);
    assert_int_equal(SLUICE_PROVIDES_POD_NAMES, 2);
#if SLUICE_ABI_MINOR >= 1
    assert_int_equal(SLUICE_MANIFEST, 5);
    assert_int_equal(SLUICE_NEEDS_DESCRIBE, 1);
#endif
}

/* The contract needs two headers of the language and nothing else. */
static void includes(void **state)
{
    char line[256];
    int count = 0;
    FILE *header = fopen(ABI_HEADER, "r");
    assert_non_null(header);
    while (fgets(line, sizeof line, header)) {
        if (strncmp(line, "#include", 8) != 0)
            continue;
        assert_true(strcmp(line, "#include <stddef.h>\n") == 0 ||
                    strcmp(line, "#include <stdint.h>\n") == 0);
        count++;
    }
    fclose(header);
    assert_int_equal(count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),  cmocka_unit_test(host_table), cmocka_unit_test(adapter_table),
        cmocka_unit_test(values), cmocka_unit_test(includes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
