// SPDX-License-Identifier: Apache-2.0
/* The rollout level: what is true of a rollout in the state in which it is. */
#include "rollout/machine_private.h"

#include <string.h>

static bool located(const struct run *run)
{
    return run->in->observation.located.code == OK;
}

static void why_not_located(struct run *run)
{
    const struct observation *seen = &run->in->observation;
    run_why(run, seen->located_why, "%s", seen->located.text);
    why_field(run, seen->located.path);
}

/* Tells a fault of the rollout's own spec. */
static void why_fault(struct run *run, enum reason_code code, const struct error *error)
{
    run_why(run, code, "%s%s%s", error->path, error->path[0] ? ": " : "", error->text);
    why_field(run, error->path);
}

/* Why there is no plan. */
static const struct error *plan_fault(const struct run *run)
{
    static const struct error unread = {.code = ERR_INVALID, .text = "the plan was not read"};
    return run->in->plan_error ? run->in->plan_error : &unread;
}

static enum rolling_event refuse(struct run *run, const struct error *error)
{
    why_fault(run, REASON_REFUSED, error);
    return ON_REFUSED;
}

/* Is it the name that was recorded? A name that was too long for the record counts as far as it
 * went. */
static bool same_name(const char recorded[NAME_SIZE], const char *name)
{
    return strncmp(recorded, name, NAME_SIZE - 1) == 0;
}

static enum rolling_event probe_locating(struct run *run)
{
    static const struct error no_target = {
        .code = ERR_INVALID, .path = "spec.targetAppRevisionName", .text = "is missing"};
    bool later = run->in->intent.keeps_hold && !located(run); /* once the workload is known */
    if (!run->in->intent.target[0] && !later)
        return refuse(run, &no_target);
    if (!same_name(run->in->observation.target, run->in->intent.target)) {
        run_why(run, REASON_WAITING, "revision %.200s is being looked up", run->in->intent.target);
        return ON_WAITING;
    }
    if (located(run))
        return ON_LOCATED;
    if (run->in->observation.located.code == ERR_INVALID)
        return refuse(run, &run->in->observation.located);
    why_not_located(run);
    return ON_WAITING;
}

/* Is somebody else's mark on the workload? */
static bool workload_of_another(struct run *run)
{
    const struct observation *seen = &run->in->observation;
    if (!seen->held_by[0])
        return false;
    run_why(run, REASON_WORKLOAD_HELD, "%s is held by %s", seen->object, seen->held_by);
    why_object(run, "metadata.annotations");
    return true;
}

/* It is somebody else's, or its controller is behind: not now. */
static bool workload_busy(struct run *run)
{
    const struct observation *seen = &run->in->observation;
    if (workload_of_another(run))
        return true;
    if (seen->exists && !seen->settled) {
        run_why(run, REASON_WORKLOAD_BEHIND,
                "the controller of %s has not seen its last change yet", seen->object);
        why_object(run, "status.observedGeneration");
        return true;
    }
    return false;
}

static int at_least_none(int pods)
{
    return pods > 0 ? pods : 0;
}

int seen_size(const struct run *run)
{
    return at_least_none(run->in->observation.size);
}

/* From where to where, seen from the workload as it is now. ERR_INVALID: not both at once. */
static int choose_sizes(struct run *run, struct error *err)
{
    const struct observation *seen = &run->in->observation;
    struct rollout_status *s = run->status;
    int wanted = run->in->plan->target_size;
    int size = seen->exists ? seen_size(run) : 0;
    if (seen->fixed_size && wanted >= 0 && (!seen->exists || wanted != size))
        return error_at(err, ERR_INVALID, "spec.rolloutPlan.targetSize",
                        "targetSize is %d, but the size of %s isn't for a rollout to set; leave it "
                        "out",
                        wanted, seen->object);
    if (seen->exists && !seen->applied && wanted >= 0 && wanted != size)
        return error_at(err, ERR_INVALID, "spec.rolloutPlan.targetSize",
                        "targetSize is %d, but %s has %d replicas and gets a new revision; change "
                        "one at a time",
                        wanted, seen->object, size);
    s->scale = !seen->fixed_size && (!seen->exists || (wanted >= 0 && wanted != size));
    s->original_size = size;
    int unless_wanted = seen->exists ? size : at_least_none(seen->rendered_size);
    s->target_size = wanted >= 0 ? wanted : unless_wanted;
    return OK;
}

/* Which pods come and go when a workload is scaled is its own controller's choice. */
static int check_pods_unnamed(const struct plan *plan, struct error *err)
{
    size_t batch = 0;
    while (batch < plan->batch_count && !plan->batches[batch].pods)
        batch++;
    if (batch == plan->batch_count)
        return OK;
    char path[64];
    snprintf(path, sizeof path, "spec.rolloutPlan.rolloutBatches[%zu].podList", batch);
    return error_at(err, ERR_INVALID, path,
                    "this rollout makes or scales the workload, which has no order for its pods; "
                    "use replicas");
}

/* The rollout as it is written, whatever the workload's size. */
static int verify_words(struct run *run, struct error *err)
{
    const struct machine_input *in = run->in;
    if (!in->plan)
        *err = *plan_fault(run);
    else if (in->observation.refused.code != OK)
        *err = in->observation.refused;
    else if (in->intent.keeps_hold)
        plan_check_followed(in->plan, err);
    return err->code == OK ? OK : ERR_INVALID;
}

static int verify_plan(struct run *run, struct error *err)
{
    int code = verify_words(run, err);
    if (code == OK)
        code = choose_sizes(run, err);
    if (code == OK && run->status->scale)
        code = check_pods_unnamed(run->in->plan, err);
    if (code < 0)
        return code;
    if (!run->in->observation.exists && !run->status->scale)
        return OK; /* how many pods there will be is known once it is there */
    return plan_check(run->in->plan, run_span(run), err);
}

/* One that is new comes with all its pods at once, as it would without us: there is nothing yet to
 * go from, and a hold might keep its first pods from being made. */
static bool workload_coming(struct run *run)
{
    const struct observation *seen = &run->in->observation;
    bool others = seen->ready > seen->updated_ready;
    bool complete = seen->updated >= seen->size && (seen->settled || seen->updated > 0);
    if (seen->held || others || complete)
        return false;
    run_why(run, REASON_WORKLOAD_COMING,
            "%s: %d of %d pods are there, and none of another template; it is held once they all "
            "are",
            seen->object, seen->updated, seen_size(run));
    why_object(run, "");
    return true;
}

/* A hold comes before everything but what would refuse the rollout: who waited with it until the
 * workload's controller has seen its last change would watch pods go meanwhile. */
static enum rolling_event probe_unheld(struct run *run)
{
    struct error err = {0};
    if (verify_words(run, &err) < 0)
        return refuse(run, &err);
    return workload_of_another(run) || workload_coming(run) ? ON_WAITING : ON_UNHELD;
}

bool all_at_target(const struct observation *seen)
{
    return seen->updated >= seen->size && seen->ready <= at_least_none(seen->updated_ready);
}

/* Of a workload that rests and has settled. */
static bool nothing_to_roll(const struct run *run)
{
    const struct observation *seen = &run->in->observation;
    return run->in->intent.keeps_hold && (seen->rolled || all_at_target(seen));
}

bool window_closed(struct run *run)
{
    const struct leave *leave = &run->in->leave;
    if (!leave->closed[0] || run->status->half_way)
        return false;
    run_why(run, REASON_WINDOW_CLOSED, "%s", leave->closed);
    if (leave->opens_at_ms > run->in->now_ms)
        run_wake(run, leave->opens_at_ms);
    return true;
}

/* A workload between two templates is worse off than one that is brought to either of them, at
 * whatever hour. */
static bool stands_half_way(const struct run *run)
{
    const struct observation *seen = &run->in->observation;
    return seen->exists && !run->status->scale && seen->updated > 0 && seen->updated < seen->size;
}

/* Do an operator's rules let the roll begin? */
static bool may_begin(struct run *run)
{
    const struct leave *leave = &run->in->leave;
    run->status->half_way = stands_half_way(run);
    if (window_closed(run))
        return false;
    if (!leave->queued[0] || run->status->half_way)
        return true;
    run_why(run, REASON_QUEUED, "%s", leave->queued);
    return false;
}

static void why_half_way(struct run *run, int pods)
{
    run_why(run, REASON_PLAN_INVALID,
            "targetSize is %d, but %d pods of %s aren't at %.150s yet; leave it out until they are",
            run->status->target_size, pods, run->in->observation.object, run->in->intent.target);
    why_field(run, "spec.rolloutPlan.targetSize");
}

/* A scaling moves no pod to another revision: whoever wants another size in the middle of a roll
 * would be told that all pods are at the target, and they aren't. A pod that is ready tells; one
 * that is missing may only not be there yet. */
static bool scaled_half_way(struct run *run)
{
    const struct observation *seen = &run->in->observation;
    int before = at_least_none(seen->ready) - at_least_none(seen->updated_ready);
    if (!run->status->scale || !seen->exists || seen->updated >= seen->size || before <= 0)
        return false;
    why_half_way(run, before);
    return true;
}

static enum rolling_event probe_verifying(struct run *run)
{
    struct error err = {0};
    if (!located(run)) {
        why_not_located(run);
        return ON_WAITING;
    }
    if (run->in->intent.keeps_hold && !run->in->observation.rests)
        return probe_unheld(run);
    if (run->in->plan && workload_busy(run))
        return ON_WAITING;
    if (verify_plan(run, &err) < 0)
        return refuse(run, &err);
    if (nothing_to_roll(run) && !run->status->scale)
        return ON_UNCHANGED;
    if (scaled_half_way(run))
        return ON_WAITING;
    return may_begin(run) ? ON_VERIFIED : ON_WAITING;
}

/* True when the workload is held and nothing of it moves. */
static bool workload_rests(struct run *run)
{
    const struct observation *seen = &run->in->observation;
    if (seen->rests)
        return true;
    run_effect(run, (struct effect){.kind = EFFECT_HOLD});
    if (!located(run)) { /* so nobody can tell whether it rests */
        why_not_located(run);
        return false;
    }
    run_why(run, REASON_COMING_TO_REST, "%s is being brought to rest, and stays held",
            seen->object);
    why_object(run, "");
    return false;
}

static enum rolling_event probe_holding(struct run *run)
{
    if (!run->in->intent.keeps_hold)
        return ON_HELD;
    if (!located(run)) {
        why_not_located(run);
        return ON_WAITING;
    }
    bool free = !workload_of_another(run) && !workload_coming(run);
    return free && workload_rests(run) ? ON_HELD : ON_WAITING;
}

/* A scaling changes no revision, so it can't go on with a workload that has got another one. */
static bool workload_changed(struct run *run)
{
    const struct observation *seen = &run->in->observation;
    if (!run->status->scale || !seen->exists || seen->applied)
        return false;
    run_why(run, REASON_WORKLOAD_CHANGED,
            "%s got another revision while it was being scaled; roll it to %.150s first",
            seen->object, run->status->target);
    why_object(run, "");
    return true;
}

/* Is the workload ours, with the target on it and its controller up to date? Asks for what is
 * missing. */
static bool workload_taken(struct run *run)
{
    const struct observation *seen = &run->in->observation;
    if (workload_busy(run) || workload_changed(run))
        return false;
    bool let_loose = !seen->rests || run->status->scale; /* whose pods keep their template */
    if (seen->exists && seen->held && seen->applied && let_loose)
        return true;
    run_effect(run, (struct effect){.kind = EFFECT_BEGIN, .scale = run->status->scale});
    run_why(run, REASON_TAKING_OVER, "%s is being taken over", seen->object);
    why_object(run, "");
    return false;
}

/* Gone since the sizes were chosen? A roll of what has to be made anew would be a roll of nothing:
 * only where there was nothing to begin with is it made. */
static bool workload_lost(struct run *run)
{
    const struct rollout_status *s = run->status;
    const struct observation *seen = &run->in->observation;
    bool first = s->rolling == ROLLING_INITIALIZING && s->original_size == 0 &&
                 (s->scale || seen->fixed_size);
    if (seen->exists || first)
        return false;
    run_why(run, REASON_WORKLOAD_MISSING, "%s isn't there any more", seen->object);
    why_object(run, "");
    return true;
}

static enum rolling_event pass_gate(struct run *run, enum hook_type type, enum rolling_event opened)
{
    switch (gate_probe(run, type, GATE_STRICT)) {
    case GATE_REJECTED:
        return ON_REJECTED;
    case GATE_WAITING:
        return ON_WAITING;
    case GATE_OPEN:
        break;
    }
    return opened;
}

/* What every state needs that goes on: a plan, and somewhere to carry it out. */
static bool ready_to_go_on(struct run *run)
{
    if (!located(run))
        why_not_located(run);
    else if (!run->in->plan)
        why_fault(run, REASON_PLAN_INVALID, plan_fault(run));
    return located(run) && run->in->plan;
}

static enum rolling_event probe_initializing(struct run *run)
{
    if (!ready_to_go_on(run) || workload_lost(run))
        return ON_WAITING;
    enum rolling_event event = pass_gate(run, HOOK_INITIALIZE, ON_TAKEN_OVER);
    return event == ON_TAKEN_OVER && !workload_taken(run) ? ON_WAITING : event;
}

/* A workload that was made by this rollout comes with as many pods as the cluster has room for. */
static void learn_size(struct run *run)
{
    struct rollout_status *s = run->status;
    const struct observation *seen = &run->in->observation;
    if (seen->fixed_size && seen->settled && !s->scale && s->original_size == 0)
        s->original_size = s->target_size = seen_size(run);
}

/* When something else scales the workload, the targets move in proportion. */
static void follow_size(struct run *run)
{
    learn_size(run);
    if (!run->status->scale && seen_size(run) != run->status->target_size)
        batches_resize(run, seen_size(run));
}

/* Has somebody else put another template on a workload that is ours? Then everything that is
 * counted is about that one. It isn't fought about: he may have reasons, and is as quick as we are.
 */
static bool template_changed(struct run *run)
{
    const struct observation *seen = &run->in->observation;
    bool ours = seen->exists && seen->held && seen->applied;
    if (!ours || !seen->template_changed)
        return false;
    if (run->status->rolling == ROLLING_IN_BATCHES)
        follow_size(run);
    batches_stop(run);
    return true;
}

/* A plan that was edited on the way must still fit what the roll has started with. */
static bool plan_still_fits(struct run *run)
{
    struct error err = {0};
    if (plan_check(run->in->plan, run_span(run), &err) == OK)
        return true;
    why_fault(run, REASON_PLAN_INVALID, &err);
    return false;
}

/* May the batches go on? Also brings a workload back into our hands that was taken out of them. */
static bool batches_may_run(struct run *run)
{
    if (!ready_to_go_on(run) || workload_lost(run) || template_changed(run))
        return false;
    learn_size(run);
    batches_note_size(run);
    if (!plan_still_fits(run) || !workload_taken(run))
        return false;
    follow_size(run);
    return true;
}

/* Pods that were at the target when the last batch was done, and aren't any more because somebody
 * else's template came between? Or more pods than then, because somebody has scaled the workload?
 * What is given back is at its target. */
static bool pods_slipped(struct run *run)
{
    const struct observation *seen = &run->in->observation;
    bool rolling = seen->exists && seen->held && seen->applied && !seen->rests;
    if (run->status->scale || !rolling)
        return false;
    if (workload_busy(run))
        return true;
    follow_size(run);
    int wanted = run->status->step_target;
    if (seen->updated >= wanted)
        return false;
    if (batches_paused(run))
        return true;
    batches_hold(run);
    run_why(run, REASON_PODS_NOT_READY, "%d of %d pods are at the target", seen->updated, wanted);
    why_object(run, "");
    why_number(run, "updated", "at least", wanted, seen->updated);
    return true;
}

/* A batch may count as ready while one of its pods isn't, and then a pod of before may still stand
 * in for it. One that stays held doesn't lose it by itself any more: what is brought to rest must
 * be at its target. */
static bool pods_linger(struct run *run)
{
    const struct observation *seen = &run->in->observation;
    int at_target = at_least_none(seen->updated_ready);
    bool rolls = seen->exists && seen->held && seen->applied && !seen->rests && !run->status->scale;
    if (!run->in->intent.keeps_hold || !rolls || seen->ready <= at_target)
        return false;
    batches_hold(run);
    run_why(run, REASON_PODS_LEAVING, "%d of %d pods that are ready aren't at the target",
            seen->ready - at_target, seen->ready);
    why_object(run, "");
    why_number(run, "ready", "at most", at_target, seen->ready);
    return true;
}

/* Gives the workload back once, or brings it to rest if it stays held; true when that is done, or
 * there is nothing to give back. */
static bool workload_released(struct run *run, const char *outcome)
{
    const struct observation *seen = &run->in->observation;
    if (!seen->exists || !seen->held)
        return true;
    if (run->in->intent.keeps_hold && run->status->rolling != ROLLING_DELETING)
        return workload_rests(run);
    bool scale = run->status->scale && !run->in->intent.keeps_hold; /* or the hold would stay */
    run_effect(run, (struct effect){.kind = EFFECT_FINISH, .scale = scale, .outcome = outcome});
    run_why(run, REASON_GIVING_BACK, "%s is being given back", seen->object);
    why_object(run, "");
    return false;
}

/* A scaling that has come to its size, with pods of before in it? Now that the pods are there,
 * those that don't count as updated are such, but for as many as the plan lets be missing. */
static bool pods_left_behind(struct run *run)
{
    const struct observation *seen = &run->in->observation;
    int size = seen_size(run);
    if (!run->status->scale || !seen->exists || !seen->held || !seen->applied)
        return false;
    if (workload_busy(run))
        return true;
    if (seen->updated >= size - plan_tolerance(run->in->plan, told_batch(run), size))
        return false;
    batches_hold(run);
    why_half_way(run, size - at_least_none(seen->updated));
    return true;
}

static enum rolling_event probe_finalising(struct run *run)
{
    if (!ready_to_go_on(run) || template_changed(run) || pods_left_behind(run) ||
        pods_slipped(run) || pods_linger(run) || !workload_released(run, "succeeded"))
        return ON_WAITING;
    return pass_gate(run, HOOK_FINALIZE, ON_RELEASED);
}

/* The three ways out. Nothing that is missing holds them; only passing trouble does. */
static enum rolling_event probe_leaving(struct run *run, const char *outcome)
{
    if (!run->status->engaged)
        return ON_RELEASED;
    if (run->in->observation.located.code == ERR_RETRY) {
        why_not_located(run);
        return ON_WAITING;
    }
    if (!workload_released(run, outcome) ||
        gate_probe(run, HOOK_FINALIZE, GATE_LENIENT) == GATE_WAITING)
        return ON_WAITING;
    return ON_RELEASED;
}

/* How a deletion leaves the workload: where it is, but one that rests with nothing left to roll is
 * its owner's again in full. */
static const char *deletion_outcome(const struct run *run)
{
    const struct rollout_status *s = run->status;
    const struct intent *intent = &run->in->intent;
    bool sourced = s->source[0] || intent->keeps_hold; /* its workload remembers one */
    if (run->in->observation.rests && run->in->observation.rolled)
        return "succeeded";
    bool revert = intent->revert_on_delete && !s->scale && sourced;
    return revert ? "rolledBack" : "deleted";
}

static enum rolling_event probe_deleting(struct run *run)
{
    enum rolling_event event = probe_leaving(run, deletion_outcome(run));
    if (event == ON_RELEASED)
        run_effect(run, (struct effect){.kind = EFFECT_FORGET});
    return event;
}

/* Why it has ended was said once, and stays. */
static enum rolling_event probe_ended(struct run *run, enum reason_code code)
{
    const struct decision *out = run->out;
    run->why = out->move_count ? out->moves[out->move_count - 1].why : run->in->status.reason;
    run->why.code = code;
    return ON_WAITING;
}

/* Between two rolls the hold is kept up. */
static enum rolling_event probe_resting(struct run *run, enum reason_code code)
{
    const struct rollout_status *s = run->status;
    const struct observation *seen = &run->in->observation;
    run_why(run, code, "%s", s->conditions[rolling_condition(s->rolling)].message);
    if (!s->engaged)
        return ON_WAITING;
    if (seen->located.code == ERR_MISSING)
        why_not_located(run);
    else if (located(run) && !workload_of_another(run) && !workload_coming(run))
        run_effect(run, (struct effect){.kind = EFFECT_HOLD});
    return ON_WAITING;
}

static enum rolling_event probe_end(struct run *run, enum reason_code code)
{
    if (!run->in->intent.keeps_hold)
        return probe_ended(run, code);
    return probe_resting(run, code == REASON_SUCCEEDED ? REASON_HELD : code);
}

static bool retargeted(const struct run *run)
{
    const struct rollout_status *s = run->status;
    const struct intent *intent = &run->in->intent;
    if (!s->target[0] || (intent->keeps_hold && !intent->target[0]))
        return false;
    bool resized = run->in->plan && run->in->plan->target_size != s->wanted_size;
    bool sourced = intent->keeps_hold || same_name(s->source, intent->source);
    return !same_name(s->target, intent->target) || !sourced || resized;
}

/* A rollout that was refused before it touched anything gets another look when it is edited. */
static bool revised(const struct run *run)
{
    const struct rollout_status *s = run->status;
    return s->rolling == ROLLING_FAILED &&
           s->conditions[CONDITION_ROLLOUT_FAILING].status == CONDITION_ABSENT &&
           s->conditions[CONDITION_ROLLOUT_FAILED].reason != REASON_ABORTED &&
           s->generation != run->in->intent.generation;
}

static void why_aborted(struct run *run, const char *by)
{
    const struct rollout_status *s = run->status;
    if (s->rolling == ROLLING_IN_BATCHES)
        run_why(run, REASON_ABORTED,
                "%s has aborted it in batch %d; the workload stays where it is", by, s->batch + 1);
    else if (s->rolling == ROLLING_FINALISING)
        run_why(run, REASON_ABORTED, "%s has aborted it when all batches were done", by);
    else
        run_why(run, REASON_ABORTED, "%s has aborted it before a pod was moved", by);
}

static void why_wished(struct run *run)
{
    const struct wish *wish = &run->in->intent.wish;
    const char *by = wish->by[0] ? wish->by : "somebody";
    if (wish->verb == WISH_ABORT)
        why_aborted(run, by);
    else
        run_why(run, REASON_RETRIED, "%s has asked to begin anew", by);
}

/* Is there a wish that nobody has looked at, and is it about this roll? From now on it is answered.
 */
static bool wished(struct run *run)
{
    const struct wish *wish = &run->in->intent.wish;
    struct rollout_status *s = run->status;
    bool later = wish->verb == WISH_RETRY && s->rolling == ROLLING_FAILING;
    if (wish->verb == WISH_NONE || later || strcmp(s->answered, wish->id) == 0)
        return false;
    snprintf(s->answered, sizeof s->answered, "%s", wish->id);
    return same_name(wish->target, s->target[0] ? s->target : run->in->intent.target);
}

/* One that means nothing in this state is answered by that. */
static enum rolling_event probe_wish(struct run *run)
{
    enum rolling_state state = run->status->rolling;
    bool abort = run->in->intent.wish.verb == WISH_ABORT;
    enum rolling_event event = abort ? ON_ABORTED : ON_RETRIED;
    if (!wished(run) || rolling_transition(state, event).next == state)
        return ON_WAITING;
    why_wished(run);
    return event;
}

static enum rolling_event probe_state(struct run *run)
{
    switch (run->status->rolling) {
    case ROLLING_LOCATING:
        return probe_locating(run);
    case ROLLING_VERIFYING:
        return probe_verifying(run);
    case ROLLING_HOLDING:
        return probe_holding(run);
    case ROLLING_INITIALIZING:
        return probe_initializing(run);
    case ROLLING_IN_BATCHES:
        return deadline_probe(run, batches_may_run(run) ? batch_step(run) : ON_WAITING);
    case ROLLING_FINALISING:
        return probe_finalising(run);
    case ROLLING_FAILING:
        return probe_leaving(run, failure_outcome(run));
    case ROLLING_ABANDONING:
        return probe_leaving(run, "abandoned");
    case ROLLING_DELETING:
        return probe_deleting(run);
    case ROLLING_SUCCEEDED:
        return probe_end(run, REASON_SUCCEEDED);
    case ROLLING_FAILED:
        return probe_end(run, REASON_FAILED);
    case ROLLING_STATES:
        break;
    }
    return ON_WAITING;
}

enum rolling_event rolling_probe(struct run *run)
{
    enum rolling_state state = run->status->rolling;
    if (run->in->intent.deleted && state != ROLLING_DELETING)
        return ON_DELETED;
    bool first =
        state == ROLLING_DELETING || state == ROLLING_ABANDONING || state == ROLLING_HOLDING;
    if (!first && retargeted(run)) /* or once that is done */
        return ON_RETARGETED;
    enum rolling_event wish = first ? ON_WAITING : probe_wish(run);
    if (wish != ON_WAITING)
        return wish;
    if (revised(run))
        return ON_REVISED;
    return probe_state(run);
}
