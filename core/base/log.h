// SPDX-License-Identifier: Apache-2.0
/*
 * The log: one JSON object a line on stderr, with time, level, topic, object, batch and message.
 * Only reconcile/, cli/ and main.c log; everything below returns an error that says it all.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* What a line is about. Empty members are left out. */
struct log_about {
    const char *topic;  /* "rollout", "cluster", … */
    const char *object; /* "AppRollout namespace/name" */
    int batch;          /* counted from 1 here; 0 leaves it out */
};

void log_set_level(enum log_level level);

void log_write(enum log_level level, struct log_about about, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
