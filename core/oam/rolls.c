// SPDX-License-Identifier: Apache-2.0
#include "oam/rolls.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"

#include <stdint.h>

enum {
    ASKED_MAX = 10, /* of one roll; the first are forgotten */
    TIMES_MAX = 50, /* batches whose time is kept */
};

static void put_time(json_t *roll, const char *name, int64_t wall_ms)
{
    char text[CLOCK_TEXT_SIZE];
    clock_format_micro(wall_ms, text);
    json_object_set_new(roll, name, json_string(text));
}

static void put_text(json_t *roll, const char *name, const char *text)
{
    if (*text)
        json_object_set_new(roll, name, json_string(text));
}

/* ---- who has asked ---- */

static json_t *asked_write(const struct asked *asked)
{
    char at[CLOCK_TEXT_SIZE];
    clock_format(asked->at_ms, at);
    return json_pack("{s:s, s:s, s:s}", "verb", asked->verb, "by", asked->by, "at", at);
}

static bool array_has(const json_t *array, const json_t *wanted)
{
    size_t i;
    json_t *item;
    json_array_foreach (array, i, item) {
        if (json_equal(item, (json_t *)(uintptr_t)wanted))
            return true;
    }
    return false;
}

/* What is noted of one roll isn't the next one's. */
static bool is_noted(const json_t *rolls, const json_t *asking)
{
    size_t i;
    json_t *roll;
    json_array_foreach (rolls, i, roll) {
        if (array_has(json_object_get(roll, "asked"), asking))
            return true;
    }
    return false;
}

static void asked_note(json_t *rolls, json_t *roll, const struct asked *asked)
{
    json_t *asking AUTO_JSON = asked_write(asked);
    if (!roll || !*asked->verb || is_noted(rolls, asking))
        return;
    if (!json_object_get(roll, "asked"))
        json_object_set_new(roll, "asked", json_array());
    json_t *list = json_object_get(roll, "asked");
    json_array_append(list, asking);
    if (json_array_size(list) > ASKED_MAX)
        json_array_remove(list, 0);
}

/* ---- one roll ---- */

/* The one under way; NULL: there is none. */
static json_t *roll_open(const json_t *rolls)
{
    json_t *last = json_array_get(rolls, json_array_size(rolls) - 1);
    return last && !json_object_get(last, "ended") ? last : NULL;
}

static json_t *roll_add(json_t *rolls, const struct rolls_news *news)
{
    const struct rollout_status *s = &news->decision->status;
    json_t *roll = json_object();
    put_text(roll, "source", s->source);
    put_text(roll, "target", s->target);
    if (news->batches)
        json_object_set_new(roll, "batches", json_integer(news->batches));
    json_array_append_new(rolls, roll);
    asked_note(rolls, roll, news->asked);
    if (json_array_size(rolls) > ROLLS_MAX)
        json_array_remove(rolls, 0);
    return roll;
}

/* The one under way, or where nobody has seen it begin, a new one. */
static json_t *roll_take(json_t *rolls, const struct rolls_news *news)
{
    json_t *open = roll_open(rolls);
    return open ? open : roll_add(rolls, news);
}

/* The same plan that is refused again and again is one line. */
static void refusals_join(json_t *rolls)
{
    size_t count = json_array_size(rolls);
    const json_t *last = json_array_get(rolls, count - 1),
                 *before = json_array_get(rolls, count - 2);
    if (count > 1 && str_equal(json_string_at(last, "/verdict"), "Refused") &&
        str_equal(json_string_at(before, "/verdict"), "Refused") &&
        str_equal(json_string_at(last, "/target"), json_string_at(before, "/target")))
        json_array_remove(rolls, count - 2);
}

static const char *verdict_of(const struct move *move)
{
    if (move->to == ROLLING_SUCCEEDED)
        return "Succeeded";
    if (move->to == ROLLING_LOCATING)
        return "Abandoned";
    if (move->why.code == REASON_REFUSED)
        return "Refused";
    return move->why.code == REASON_ABORTED ? "Aborted" : "Failed";
}

/* The first word counts: one that is failing has failed, whatever comes of it then. */
static void judge(json_t *roll, const struct move *move)
{
    if (json_object_get(roll, "verdict"))
        return;
    json_object_set_new(roll, "verdict", json_string(verdict_of(move)));
    put_text(roll, "message", move->why.message);
}

/* What begins anew has forgotten its counters. */
static void counts_note(json_t *roll, const struct rolls_news *news, const struct move *move)
{
    const struct rollout_status *s =
        move->to == ROLLING_LOCATING ? news->before : &news->decision->status;
    if (s->target_size < 0)
        return;
    json_object_set_new(roll, "size", json_integer(s->target_size));
    json_object_set_new(roll, "upgraded", json_integer(s->upgraded));
}

static void roll_end(json_t *rolls, const struct rolls_news *news, const struct move *move)
{
    json_t *roll = roll_take(rolls, news);
    json_object_del(roll, "batchBegan");
    put_time(roll, "ended", news->now_ms);
    judge(roll, move);
    counts_note(roll, news, move);
    refusals_join(rolls);
}

/* ---- batches ---- */

static void batch_end(json_t *roll, const struct rolls_news *news)
{
    int64_t began_ms = clock_parse(json_string_at(roll, "/batchBegan"));
    json_t *times = json_object_get(roll, "batchSeconds");
    json_object_set_new(roll, "batchesDone",
                        json_integer(json_int_at(roll, "/batchesDone", 0) + 1));
    json_object_del(roll, "batchBegan");
    if (!began_ms || json_array_size(times) == TIMES_MAX)
        return;
    if (!times)
        json_object_set_new(roll, "batchSeconds", times = json_array());
    json_array_append_new(times, json_integer((news->now_ms - began_ms) / 1000));
}

static void batch_note(json_t *roll, const struct rolls_news *news, const struct move *move)
{
    if (roll && move->batch_to == BATCH_READY)
        batch_end(roll, news);
    else if (roll && move->batch_from == BATCH_READY)
        put_time(roll, "batchBegan", news->now_ms);
}

/* ---- moves ---- */

/* What only takes hold of a workload is no roll, nor is one that was left before it had begun. */
static bool is_end(const struct move *move)
{
    return (move->from == ROLLING_FINALISING && move->to == ROLLING_SUCCEEDED) ||
           (move->from == ROLLING_ABANDONING && move->to == ROLLING_LOCATING) ||
           move->to == ROLLING_FAILED;
}

static void move_note(json_t *rolls, const struct rolls_news *news, const struct move *move)
{
    if (move->from == move->to)
        batch_note(roll_open(rolls), news, move);
    else if (move->to == ROLLING_INITIALIZING)
        put_time(roll_add(rolls, news), "began", news->now_ms);
    else if (move->to == ROLLING_IN_BATCHES && roll_open(rolls))
        put_time(roll_open(rolls), "batchBegan", news->now_ms);
    else if (move->to == ROLLING_FAILING)
        judge(roll_take(rolls, news), move);
    else if (is_end(move))
        roll_end(rolls, news, move);
}

/* Who asks for another target asks for the next roll. */
static bool is_left(const struct rolls_news *news)
{
    const struct decision *decision = news->decision;
    bool left = news->before->rolling == ROLLING_ABANDONING;
    for (int i = 0; i < decision->move_count; i++)
        left = left || decision->moves[i].to == ROLLING_ABANDONING;
    return left;
}

json_t *rolls_note(const json_t *rolls, const struct rolls_news *news)
{
    json_t *noted = rolls ? json_deep_copy(rolls) : json_array();
    if (!is_left(news))
        asked_note(noted, roll_open(noted), news->asked);
    for (int i = 0; i < news->decision->move_count; i++)
        move_note(noted, news, &news->decision->moves[i]);
    return noted;
}
