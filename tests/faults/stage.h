// SPDX-License-Identifier: Apache-2.0
/*
 * A cluster in this process by a virtual clock, with the real controller on it, which can be killed
 * and started again: what the proofs of faults and of endurance play on. Whatever fails that isn't
 * what is tried ends the program with words.
 */
#ifndef TESTS_STAGE_H
#define TESTS_STAGE_H

#include "cli/session.h"
#include "config/config.h"
#include "reconcile/controller.h"
#include "sandbox.h"
#include "unreliable.h"

struct stage {
    struct config config;
    struct loop *loop;
    struct sandbox *sandbox;
    struct session person; /* whom nothing happens to */
    struct unreliable unreliable;
    struct cluster *cluster;
    struct controller *controller;
    struct witness witness;
    int64_t wake_at_ms; /* the last time of day that the controller wants to be woken at */
    int starts;         /* of the controller */
};

/* `plugins` is the folder with the built adapters. The witness's on_decision is the stage's own. */
void stage_open(struct stage *stage, const char *plugins, struct random *random,
                int (*on_hook)(void *data, const char *kind, const struct hook_spec *spec),
                void *data);
void stage_close(struct stage *stage);

void stage_start(struct stage *stage);
void stage_stop(struct stage *stage); /* as kill -9 does it */

/* What a person does: the answer's code. */
int stage_ask(struct stage *stage, const char *method, const char *path, const char *content_type,
              const json_t *body, json_t **ret_answer);

/* For so long, or until *done. */
void stage_play(struct stage *stage, const bool *done, int64_t ms);

/* Until nothing has happened for ten minutes and nothing is going to within an hour. False: that
 * doesn't come about in the time. */
bool stage_rest(struct stage *stage, int64_t limit_ms);

/* Ends the program. */
__attribute__((noreturn, format(printf, 1, 2))) void give_up(const char *format, ...);

#endif
