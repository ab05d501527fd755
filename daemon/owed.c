/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owed
 */
#include <errno.h>
#include <stdlib.h>

#include "base/str.h"

#include "daemon/ledger-format.h"
#include "daemon/owed.h"

void owed_settle(Record *r, JobResult result, const Fault *fault) {
        r->result = result;
        r->settled = true;
        (void) record_set_fault(r, fault);
}

/* What the world does not show: whether it was done must be told by whoever wants it again. */
static bool is_unseen(Rung rung) {
        return rung == RUNG_RESET || rung == RUNG_SLOT_OFF || rung == RUNG_SLOT_ON ||
               rung == RUNG_UNLOAD;
}

/* It ends in the same state however often it is done: questions, a rescan, attributes and drivers that may be so already. */
static bool may_be_done_again(const Snapshot *s, const Step *step) {
        const Fn *fn = snapshot_find(s, step->fn);

        switch (step->rung) {
        case RUNG_CLEAR_WAY:
        case RUNG_LOAD_DRIVER:
        case RUNG_REFUSE_IF_HELD:
        case RUNG_REFUSE_IF_DOWN:
        case RUNG_RESCAN:
        case RUNG_HOLD_PROBE:
        case RUNG_FREE_PROBE:
        case RUNG_ESWITCH:
        case RUNG_ESWITCH_VFS:
        case RUNG_UP_PF:
        case RUNG_CONFIGURE_VF:
                return true;
        case RUNG_BIND:
                /* Somebody else's choice since then is not ours to undo. */
                return fn && (fn->driver[0] == '\0' || streq(fn->driver, step->name));
        default:
                return false;
        }
}

/* Nobody said so, but it shows: the function has no driver any more. */
static bool shows_as_done(const Snapshot *s, const Step *step) {
        const Fn *fn = snapshot_find(s, step->fn);

        return step->rung == RUNG_UNBIND && fn && fn->driver[0] == '\0';
}

static void interrupt(Record *r) {
        Fault fault = FAULT(FAULT_INTERRUPTED, .number = r->id);

        owed_settle(r, RESULT_INTERRUPTED, &fault);
}

static int adopt_step(const Ledger *l, const Snapshot *s, Record *r, size_t index, bool *known) {
        const Step *step = r->plan->steps + index;
        pid_t pid = r->children[index].pid;
        Outcome outcome;
        bool told;
        int k;

        k = result_read(l->results, r->id, pid, &outcome);
        if (k < 0 && k != -ENOENT && k != -EBADMSG)
                return k;
        told = k >= 0 && outcome.index == index;
        /* Written down with its plan and never begun; and steps back do no harm twice. */
        if (pid == 0 || (!told && (r->phase == CLIMB_BACK || may_be_done_again(s, step)))) {
                r->states[index] = STEP_STATE_WAITING;
                return 0;
        }
        if (!told)
                outcome = (Outcome){ .index = index,
                                     .result = { .answer = shows_as_done(s, step) ? STEP_DONE
                                                                                  : STEP_DIED } };
        /* What the child left is forgotten when it stands in the ledger, and not before. */
        k = ledger_end(l, r->id, &outcome);
        if (k < 0)
                return k;
        (void) apply_outcome(r, &outcome);
        result_forget(l->results, r->id, pid);
        if (!told && is_unseen(step->rung))
                interrupt(r);
        *known = *known && told;
        return 0;
}

int owed_adopt(const Ledger *l, const Snapshot *s, Record *r, bool *known) {
        int k = 0;

        for (size_t i = 0; k >= 0 && i < r->plan->n_steps; i++)
                if (r->states[i] == STEP_STATE_RUNNING)
                        k = adopt_step(l, s, r, i, known);
        return k;
}

bool owed_is_complete(const Record *r) {
        for (size_t i = 0; i < r->plan->n_steps; i++)
                if (r->states[i] != STEP_STATE_DONE)
                        return false;
        return r->phase != CLIMB_BACK;
}

bool owed_wants_new_plan(const Record *r) {
        for (size_t i = 0; i < r->plan->n_steps; i++)
                if (r->states[i] == STEP_STATE_FAILED && r->plan->steps[i].rung == RUNG_VFS_OFF)
                        return true;
        return false;
}

/* It may not go on behind what stopped it; only a VF's own driver is its own matter. */
bool owed_is_stopped(const Record *r) {
        for (size_t i = 0; i < r->plan->n_steps; i++)
                if (r->states[i] == STEP_STATE_FAILED &&
                    !ladder_fails_alone(&r->op, r->plan, r->plan->steps + i))
                        return true;
        return false;
}

bool owed_wants_roll_back(const Record *r) {
        return r->op.flags & OP_ROLLBACK && r->has_before && !r->rolling &&
               r->result == RESULT_FAILED;
}

static bool takes_driver(Rung rung) {
        return rung == RUNG_PARK_VF || rung == RUNG_UNBIND || rung == RUNG_UNBIND_KEEPER;
}

/* Nothing that users could be in the way of is left: whatever was to lose its driver has lost it. */
static bool has_taken_all(const Record *r) {
        for (size_t i = 0; i < r->plan->n_steps; i++)
                if (takes_driver(r->plan->steps[i].rung) && r->states[i] != STEP_STATE_DONE)
                        return false;
        return true;
}

static bool is_taken(const Record *r, Bdf fn) {
        for (size_t i = 0; i < r->plan->n_steps; i++) {
                const Step *step = r->plan->steps + i;

                if (takes_driver(step->rung) && r->states[i] == STEP_STATE_DONE &&
                    bdf_equal(step->rung == RUNG_PARK_VF ? step->vf : step->fn, fn))
                        return true;
        }
        return false;
}

void owed_ask_again(Record *r) {
        bool all_taken = has_taken_all(r);

        if (owed_is_complete(r))
                return;
        for (size_t i = 0; i < r->plan->n_steps; i++) {
                const Step *step = r->plan->steps + i;

                if (step->rung == RUNG_CLEAR_WAY ||
                    (step->rung == RUNG_REFUSE_IF_HELD && !all_taken && !is_taken(r, step->fn)))
                        r->states[i] = STEP_STATE_WAITING;
        }
}

/*
 * Of the way back, what is right also for one that is planned anew: its VFs may be many or none by then. A driver that was
 * taken from its PF for the job's sake comes back first, for the new plan does not know of it.
 */
static bool puts_right(const Snapshot *s, const Step *step) {
        if (step->rung == RUNG_UNPARK_VF)
                return snapshot_find_vf(s, step->fn, step->n) != NULL;
        return step->rung == RUNG_UNSTUB_PF || step->rung == RUNG_BIND ||
               step->rung == RUNG_FREE_PROBE;
}

static void drop_others(const Snapshot *s, Plan *plan) {
        size_t n = 0;

        for (size_t i = 0; i < plan->n_steps; i++)
                if (puts_right(s, plan->steps + i))
                        plan->steps[n++] = plan->steps[i];
        plan->n_steps = n;
}

/* Takes over all three. */
static void take_plan(Record *r, Plan *plan, StepState *states, Process *children) {
        plan_free(r->plan);
        free(r->states);
        free(r->children);
        r->plan = plan;
        r->states = states;
        r->children = children;
}

int owed_turn(const Ledger *l, const Snapshot *s, Record *r) {
        _cleanup_(plan_freep) Plan *back = NULL;
        _cleanup_free_ StepState *states = NULL;
        _cleanup_free_ Process *children = NULL;
        ClimbPhase phase = r->phase;
        int k;

        k = ladder_way_back(&r->op, r->plan, r->states, &back);
        if (k < 0)
                return k;
        if (!r->settled)
                drop_others(s, back);
        states = calloc(back->n_steps + 1, sizeof(StepState));
        children = calloc(back->n_steps + 1, sizeof(Process));
        if (!states || !children)
                return -ENOMEM;
        /* A line of this plan behind the other one in the file would be about another step. */
        r->phase = CLIMB_BACK;
        k = ledger_write(l, r, &(Climb){ .plan = back, .states = states });
        if (k < 0) {
                r->phase = phase;
                return k;
        }
        take_plan(r, TAKE_PTR(back), TAKE_PTR(states), TAKE_PTR(children));
        return 0;
}
