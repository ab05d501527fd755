/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way back
 *
 * What a climb owes when it stops in the middle. It asks each step that was begun what would put it right, and
 * orders the answers by the ladder again: VFs first, then probing, then their drivers.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/macro.h"
#include "base/str.h"

#include "core/ladder.h"

typedef struct Past {
        const Op *op;
        const Plan *plan;
        const StepState *states;
} Past;

static bool begun(StepState state) {
        return state == STEP_STATE_DONE || state == STEP_STATE_FAILED;
}

/* True if that rung stands in the past for fn in one of the given states. */
static bool was(const Past *p, Rung rung, Bdf fn, bool (*state)(StepState)) {
        for (size_t i = 0; i < p->plan->n_steps; i++)
                if (p->plan->steps[i].rung == rung && bdf_equal(p->plan->steps[i].fn, fn) &&
                    state(p->states[i]))
                        return true;
        return false;
}

static bool is_done(StepState state) {
        return state == STEP_STATE_DONE;
}

static bool is_planned(StepState state) {
        (void) state;
        return true;
}

/*
 * A resize that took the old VFs and could not make the new ones goes back to the old count, once (KERNEL.md 4.2).
 * Not through a stub: a driver that has to be tricked out of its VFs would not know these either.
 */
static bool resize_lost_vfs(const Past *p, Bdf pf) {
        return was(p, RUNG_VFS_OFF, pf, is_done) && was(p, RUNG_VFS_ON, pf, is_planned) &&
               !was(p, RUNG_VFS_ON, pf, is_done) && !was(p, RUNG_STUB_PF, pf, is_planned);
}

/* A VF that was parked has its place again: it never went, or it is made anew. */
static bool vf_is_there(const Past *p, Bdf pf) {
        return !was(p, RUNG_VFS_OFF, pf, is_done) || resize_lost_vfs(p, pf);
}

/* Or whoever wanted it gone is gone. Else it goes for good. */
static bool driver_was_to_come(OpKind kind) {
        return kind == OP_BIND || kind == OP_RESET || kind == OP_FOREIGN || kind == OP_APPLY ||
               kind == OP_SET_VFS || kind == OP_SET_VF || kind == OP_ESWITCH;
}

/* Of several VFs some may have been bound anew before the others. */
static bool has_driver_again(const Past *p, Bdf vf) {
        for (size_t i = 0; i < p->plan->n_steps; i++)
                if (p->plan->steps[i].rung == RUNG_BIND_VF && bdf_equal(p->plan->steps[i].vf, vf) &&
                    p->states[i] == STEP_STATE_DONE)
                        return true;
        return false;
}

/*
 * A VF that stays and was to have another driver has its own again, with the override that was there. The new one, once it has that,
 * is taken from it only where all or nothing was asked for.
 */
static bool gets_own_back(const Past *p, Bdf vf) {
        return !bdf_is_none(vf) && (p->op->flags & OP_ROLLBACK || !has_driver_again(p, vf));
}

static bool override_goes_back(const Past *p, Bdf vf) {
        for (size_t i = 0; i < p->plan->n_steps; i++)
                if (p->plan->steps[i].rung == RUNG_OVERRIDE_VF &&
                    bdf_equal(p->plan->steps[i].vf, vf) && begun(p->states[i]))
                        return gets_own_back(p, vf);
        return false;
}

/* All or nothing: a VF that stays, and had no driver before this one. */
static bool has_none_again(const Past *p, const Step *bind, StepState state) {
        return p->op->flags & OP_ROLLBACK && !bdf_is_none(bind->vf) && bind->was[0] == '\0' &&
               state == STEP_STATE_DONE;
}

/* Turns a step that was begun into the one that puts it right. False: nothing to put right. */
static bool put_right(const Past *p, const Step *step, StepState state, Step *ret) {
        Step back = *step;

        switch (step->rung) {
        case RUNG_PARK_VF:
                if (!vf_is_there(p, step->fn))
                        return false;
                back.rung = RUNG_UNPARK_VF;
                memcpy(back.name, step->was, sizeof(back.name));
                break;
        case RUNG_UNBIND_KEEPER:
                if (was(p, RUNG_BIND, step->fn, begun) ||
                    (was(p, RUNG_VFS_OFF, step->fn, is_done) &&
                     !was(p, RUNG_BIND, step->fn, is_planned) && p->op->kind != OP_FOREIGN))
                        return false;
                back.rung = RUNG_BIND;
                memcpy(back.name, step->was, sizeof(back.name));
                break;
        case RUNG_STUB_PF:
                if (was(p, RUNG_UNSTUB_PF, step->fn, is_done))
                        return false;
                back.rung = RUNG_UNSTUB_PF;
                break;
        case RUNG_VFS_OFF:
                if (state != STEP_STATE_DONE || !resize_lost_vfs(p, step->fn))
                        return false;
                back.rung = RUNG_VFS_ON;
                break;
        case RUNG_UNBIND:
                if (state != STEP_STATE_DONE || !driver_was_to_come(p->op->kind) ||
                    has_driver_again(p, step->fn) || override_goes_back(p, step->fn))
                        return false;
                back.rung = RUNG_BIND;
                memcpy(back.name, step->was, sizeof(back.name));
                break;
        case RUNG_OVERRIDE_VF:
                if (!gets_own_back(p, step->vf))
                        return false;
                back.rung = RUNG_UNPARK_VF;
                memcpy(back.name, step->was, sizeof(back.name));
                break;
        case RUNG_BIND_VF:
                if (!has_none_again(p, step, state))
                        return false;
                back.rung = RUNG_UNBIND;
                back.fn = step->vf;
                back.identity = 0;
                back.name[0] = '\0';
                break;
        case RUNG_HOLD_PROBE:
                if (was(p, RUNG_FREE_PROBE, step->fn, is_done))
                        return false;
                back.rung = RUNG_FREE_PROBE;
                break;
        default:
                return false;
        }
        *ret = back;
        return true;
}

int ladder_way_back(const Op *op, const Plan *plan, const StepState *states, Plan **ret) {
        _cleanup_(plan_freep) Plan *back = plan_new();
        Past past = { op, plan, states };
        int r;

        if (!back)
                return -ENOMEM;
        for (Rung rung = 0; rung < _RUNG_MAX; rung++)
                for (size_t i = 0; i < plan->n_steps; i++) {
                        Step step;

                        if (!begun(states[i]) ||
                            !put_right(&past, plan->steps + i, states[i], &step) ||
                            step.rung != rung)
                                continue;
                        r = plan_push(back, &step);
                        if (r < 0)
                                return r;
                }
        *ret = TAKE_PTR(back);
        return 0;
}
