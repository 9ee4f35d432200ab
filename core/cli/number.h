// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_NUMBER_H
#define CLI_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* A whole number from `least` to a million, as it was typed. A text that is NULL changes nothing.
 * False: it is none. */
bool number_read(const char *text, int least, int *ret_number);

/* "90s", "15m" or "2h", likewise. */
bool duration_read(const char *text, int64_t *ret_ms);

#endif
