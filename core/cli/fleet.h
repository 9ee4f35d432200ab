// SPDX-License-Identifier: Apache-2.0
/*
 * Many copies of what files lead to, all beginning at once. The copies touch nothing of each
 * other's, and in virtual time nobody waits for anybody. So they are played in waves, each in a
 * simulation of its own (fleet_wave.h) that begins at the same moment, some waves side by side in
 * processes of their own: memory stays that of a few waves. What the waves ask of the API in the
 * same second of virtual time is added up.
 *
 * Of a large fleet only the first waves are played, if those have come to the same end with the
 * same load: the others differ from them by nothing but the names of their namespaces, and are
 * counted like them. Where the first ones don't agree all are played.
 */
#ifndef CLI_FLEET_H
#define CLI_FLEET_H

#include "cli/fleet_wave.h"

struct fleet_step {
    char *did, *object;
    int64_t copies; /* 0: it is shared */
    double seconds; /* until the last of them moved for the last time */
    struct load load;
};

/* How many waves tell whether all are alike; and what one of them has come to. */
enum { FLEET_SAMPLE = 4 };
struct fleet_outcome {
    double asked; /* reads, writes and events in all */
    json_t *ends;
};

struct fleet {
    struct fleet_step *steps;
    size_t step_count;
    json_t *left_out;                          /* array of words */
    int64_t ends[4];                           /* rollouts, by enum end */
    bool limit;                                /* a step has come to the limit of time */
    struct fleet_outcome sample[FLEET_SAMPLE]; /* the first waves */
    int sampled;
    int played;                  /* copies; the others are counted like them, … */
    double spread;               /* … whose waves' loads lie within this share of each other */
    int waves, workers;          /* that were played, and by so many processes, … */
    double seconds, cpu_seconds; /* … which has taken so much of real time, … */
    int64_t memory;              /* … and of all processes together, in bytes, at most this */
};

/* Forks: nothing may have been started that a fork can't share. The caller releases the fleet with
 * fleet_done(), after a failure too. */
int fleet_play(const struct fleet_spec *spec, struct fleet *ret_fleet, struct error *err);
void fleet_done(struct fleet *fleet);

/* Of what fleet_play() is made. The report of fleet_wave(), with the number of its "copies", is
 * added; why it ended before its end is the error, ERR_LIMIT if that was the limit of time. */
int fleet_add_wave(struct fleet *fleet, const json_t *report, struct error *err);
/* Whether the first waves came to the same end with the same load; says in `spread` how far the
 * loads lie apart. */
bool fleet_is_alike(struct fleet *fleet);
/* Counts the copies that weren't played like those that were, so that it is `copies` in all. */
void fleet_count_rest(struct fleet *fleet, int copies);

/* For people, and for programs (the caller owns it). */
void fleet_page(const struct fleet *fleet, int copies, int width, struct text *to);
json_t *fleet_json(const struct fleet *fleet, int copies);

#endif
