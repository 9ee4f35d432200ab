// SPDX-License-Identifier: Apache-2.0
/* Times are int64_t milliseconds: since 1970 for what people see, monotonic for timers. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum { CLOCK_TEXT_SIZE = 32 };

int64_t clock_wall_ms(void);
int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void); /* for what is shorter; real in any case */

/* Monotonic, and goes on while the machine sleeps: for what others count on, such as a Lease. */
int64_t clock_boot_ms(void);

/* Monotonic and real in any case: for what goes on outside this process and takes its time. */
int64_t clock_outside_ms(void);

/* From here on the wall, monotonic and boot clocks are a virtual one, which stands at this time of
 * day and moves only when it is told to. For the whole process, and before it has started a timer.
 */
void clock_make_virtual(int64_t wall_ms);
bool clock_is_virtual(void);
void clock_move_by(int64_t ms); /* the virtual one */

/* "2026-01-31T12:00:00Z", as metav1.Time writes it; with "…:00.123456Z" as MicroTime does. */
void clock_format(int64_t wall_ms, char ret_text[CLOCK_TEXT_SIZE]);
void clock_format_micro(int64_t wall_ms, char ret_text[CLOCK_TEXT_SIZE]);

/* Reads either form, 0 for anything else (NULL included) and for what was before 1970. */
int64_t clock_parse(const char *text);

#endif
