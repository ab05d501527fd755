/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Climb
 *
 * Steps start in the order of the plan. Several are under way only if they are of one rung that fans out, so
 * that all of a rung is over before the next begins.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"

#include "core/climb.h"

void climb_start(Climb *c) {
        *c = (Climb){ .phase = CLIMB_LOOK, .keeper = BDF_NONE };
}

void climb_done(Climb *c) {
        c->plan = plan_free(c->plan);
        free(c->states);
        c->states = NULL;
}

static bool is_over(StepState s) {
        return s == STEP_STATE_DONE || s == STEP_STATE_FAILED;
}

/*
 * No new step once it failed on the way up; only who else is in the way is still asked, for that changes nothing.
 * The way back is walked to its end whatever happens.
 */
static bool may_start(const Climb *c, const Step *step, bool stop) {
        if (c->phase == CLIMB_BACK)
                return true;
        if (c->phase != CLIMB_UP || stop)
                return false;
        return !c->failed || (c->refused && step->rung == RUNG_REFUSE_IF_HELD);
}

bool climb_next(const Climb *c, bool stop, size_t *ret_index) {
        const Step *first = NULL;

        if (c->phase == CLIMB_LOOK || c->n_running >= QUEUE_FAN_OUT)
                return false;
        for (size_t i = c->at; i < c->plan->n_steps; i++) {
                const Step *step = c->plan->steps + i;

                if (is_over(c->states[i]))
                        continue;
                if (first && (step->rung != first->rung || !rung_fans_out(step->rung)))
                        return false;
                if (c->states[i] == STEP_STATE_WAITING) {
                        *ret_index = i;
                        return may_start(c, step, stop);
                }
                first = step;
        }
        return false;
}

bool climb_phase_over(const Climb *c, bool stop) {
        size_t index;

        return c->phase != CLIMB_LOOK && c->n_running == 0 && !climb_next(c, stop, &index);
}

bool climb_is_under_way(const Climb *c, size_t index) {
        return c->states[index] == STEP_STATE_RUNNING || c->states[index] == STEP_STATE_OUTSIDE;
}

void climb_begin_step(Climb *c, size_t index) {
        c->states[index] = STEP_STATE_RUNNING;
        c->n_running++;
}

/*
 * A second plan finds VFs that the first one parked. They count as done in it, with what they had before, so that
 * the way back knows of them.
 */
static void remember_parked(const Climb *old, Plan *new, StepState *states) {
        for (size_t i = 0; old->plan && i < old->plan->n_steps; i++)
                for (size_t j = 0; j < new->n_steps; j++) {
                        const Step *a = old->plan->steps + i;
                        Step *b = new->steps + j;

                        if (a->rung != RUNG_PARK_VF || b->rung != RUNG_PARK_VF || a->n != b->n ||
                            !bdf_equal(a->fn, b->fn))
                                continue;
                        *b = *a;
                        states[j] = old->states[i];
                }
}

bool climb_takes_down(Rung rung) {
        return rung == RUNG_UNBIND || rung == RUNG_UNBIND_KEEPER || rung == RUNG_VFS_OFF;
}

void climb_prove_admission(Climb *c, size_t index, const StepResult *result) {
        if (c->plan->steps[index].rung != RUNG_ADMIT || result->answer != STEP_DONE)
                return;
        for (size_t i = 0; i < index; i++)
                c->proving |= climb_takes_down(c->plan->steps[i].rung);
        if (c->proving)
                c->phase = CLIMB_LOOK;
}

int climb_take_plan(Climb *c, ClimbPhase phase, Plan *plan) {
        StepState *states = calloc(plan->n_steps + 1, sizeof(StepState));

        if (!states) {
                plan_free(plan);
                return -ENOMEM;
        }
        if (phase == CLIMB_UP)
                remember_parked(c, plan, states);
        climb_done(c);
        c->plan = plan;
        c->states = states;
        c->phase = phase;
        c->at = 0;
        c->looking = c->refused = false;
        return 0;
}

int climb_resume(Climb *c, Plan *plan, const StepState *states) {
        int r = climb_take_plan(c, CLIMB_UP, plan);

        if (r < 0)
                return r;
        for (size_t i = 0; i < plan->n_steps; i++) {
                c->states[i] = is_over(states[i]) ? states[i] : STEP_STATE_WAITING;
                c->n_done += is_over(states[i]);
        }
        while (c->at < plan->n_steps && is_over(c->states[c->at]))
                c->at++;
        return 0;
}

/* A VF that got no driver does not undo the others: each has its own result, unless all or nothing was asked for. */
static bool stops_the_rest(const Climb *c, const Job *job, const Step *step) {
        if (c->phase == CLIMB_BACK)
                return false;
        if (job->op.flags & OP_ROLLBACK && !job->rolling)
                return true;
        return !ladder_fails_alone(&job->op, c->plan, step);
}

/* A NIC without such a switch is no reason to have no VFs. */
static bool lacks_eswitch(const Job *job, const Step *step, const StepResult *result) {
        return job->op.kind == OP_APPLY && !(job->op.flags & OP_ROLLBACK) &&
               (step->rung == RUNG_ESWITCH || step->rung == RUNG_ESWITCH_VFS) &&
               result->answer == STEP_FAILED && result->error == EOPNOTSUPP;
}

static bool is_asked_to_choose(const Job *job, const Step *step) {
        return (job->op.kind == OP_SET_VFS || job->op.kind == OP_APPLY ||
                job->op.kind == OP_ESWITCH) &&
               step->rung == RUNG_BIND_VF;
}

/* What the stub cannot take down, nobody can. */
static bool goes_through_stub(const Plan *plan, Bdf pf) {
        for (size_t i = 0; i < plan->n_steps; i++)
                if (plan->steps[i].rung == RUNG_STUB_PF && bdf_equal(plan->steps[i].fn, pf))
                        return true;
        return false;
}

static bool is_forced(const Job *job, const Step *step, const StepResult *result) {
        return step->rung == RUNG_REFUSE_IF_HELD && result->answer == STEP_IN_USE &&
               (result->n & ~job->op.flags) == 0;
}

/* The step is over: what it leaves for those behind it. */
static void leave_step(Climb *c, size_t index, const StepResult *result, bool good) {
        Step *step = c->plan->steps + index;

        c->n_running--;
        c->n_outside -= c->states[index] == STEP_STATE_OUTSIDE;
        c->n_done++;
        c->states[index] = good ? STEP_STATE_DONE : STEP_STATE_FAILED;
        while (c->at < c->plan->n_steps && is_over(c->states[c->at]))
                c->at++;
        step_keep_override(step, result);
}

/* Of a way back that a child died on, only autoprobe is left to be done: it takes no lock. */
static void give_up_locks(Climb *c) {
        c->died = true;
        for (size_t i = 0; c->phase == CLIMB_BACK && i < c->plan->n_steps; i++)
                if (c->states[i] == STEP_STATE_WAITING && c->plan->steps[i].rung != RUNG_FREE_PROBE)
                        c->states[i] = STEP_STATE_FAILED;
        while (c->at < c->plan->n_steps && is_over(c->states[c->at]))
                c->at++;
}

/* So often: whoever kills our children may be at it just now. */
#define AGAIN_MAX 3

/* Autoprobe takes no lock, so that a child that died in it left none behind, and nobody else gives it back. */
static bool is_worth_again(const Climb *c, const Step *step, const StepResult *result) {
        return result->answer == STEP_DIED && step->rung == RUNG_FREE_PROBE &&
               c->n_again < AGAIN_MAX;
}

static ClimbVerdict do_again(Climb *c, size_t index) {
        c->n_again++;
        c->n_running--;
        c->n_outside -= c->states[index] == STEP_STATE_OUTSIDE;
        c->states[index] = STEP_STATE_WAITING;
        return CLIMB_GOES_ON;
}

ClimbVerdict climb_step_done(Climb *c, const Job *job, size_t index, const StepResult *result) {
        Step *step = c->plan->steps + index;
        bool forced = is_forced(job, step, result),
             choice = result->answer == STEP_NO_DRIVER && is_asked_to_choose(job, step);

        if (is_worth_again(c, step, result))
                return do_again(c, index);
        leave_step(c, index, result, result->answer == STEP_DONE || choice || forced);
        if (result->answer == STEP_DIED)
                give_up_locks(c);
        if (result->answer == STEP_DONE)
                return CLIMB_GOES_ON;
        if (forced)
                return CLIMB_FORCES;
        if (choice || lacks_eswitch(job, step, result) || !stops_the_rest(c, job, step))
                return CLIMB_WARNS;
        if (result->answer == STEP_KEPT && !goes_through_stub(c->plan, step->fn)) {
                /* Not over: the next plan has it again. */
                c->states[index] = STEP_STATE_WAITING;
                c->at = MIN2(c->at, index);
                c->keeper = step->fn;
                c->phase = CLIMB_LOOK;
                return CLIMB_LOOKS;
        }
        c->failed = true;
        c->refused = step->rung == RUNG_REFUSE_IF_HELD && result->answer == STEP_IN_USE;
        return CLIMB_STOPS;
}
