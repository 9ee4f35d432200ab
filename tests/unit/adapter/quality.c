// SPDX-License-Identifier: Apache-2.0
/* A library as a company might have it, that knows nothing of Sluice; some of it is broken. */
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int32_t hot_of_new(int32_t hot, int32_t stale);
int64_t as_it_is(int64_t number);
int64_t rounded(double share, double of);
bool tastes(bool strict, const char *recipe);
const char *length_of(const char *json);
const char *reason(const char *template, int32_t number);
const char *no_text(void);
const char *no_json(void);
const char *endless(void);
double nothing_real(void);
int32_t crash(void);
int32_t hang(void);

int32_t hot_of_new(int32_t hot, int32_t stale)
{
    return hot - stale;
}

int64_t as_it_is(int64_t number)
{
    return number;
}

int64_t rounded(double share, double of)
{
    return (int64_t)(share * of + 0.5);
}

bool tastes(bool strict, const char *recipe)
{
    return !strict || strcmp(recipe, "burnt") != 0;
}

const char *length_of(const char *json)
{
    static char text[32];
    snprintf(text, sizeof text, "%zu", strlen(json));
    return text;
}

const char *reason(const char *template, int32_t number)
{
    static char text[100];
    snprintf(text, sizeof text, "%.60s: %d", template, number);
    return text;
}

const char *no_text(void)
{
    return NULL;
}

const char *no_json(void)
{
    return "{";
}

const char *endless(void)
{
    static char text[(64 << 10) + 1];
    memset(text, 'x', sizeof text - 1);
    return text;
}

double nothing_real(void)
{
    return NAN;
}

int32_t crash(void)
{
    __builtin_trap();
}

int32_t hang(void)
{
    for (volatile bool always = true; always;)
        ;
    return 0;
}
