/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Course
 */
#include <errno.h>
#include <string.h>

#include "base/str.h"

#include "core/climb.h"
#include "core/course.h"

void course_end(Job *j, JobResult result) {
        climb_done(&j->climb);
        j->climb.phase = CLIMB_OVER;
        j->state = JOB_ENDED;
        j->result = result;
}

static void warn(Job *j, Fault fault) {
        if (j->n_warnings < QUEUE_WARNINGS)
                j->warnings[j->n_warnings++] = fault;
        else
                j->n_more_warnings++;
}

static JobResult result_of(const Job *j) {
        if (j->climb.failed || j->rolling)
                return job_result_of_fault(j->fault.reason);
        if (j->stop)
                return j->stop_as;
        if (j->fault.reason != FAULT_NONE)
                return RESULT_PARTIAL;
        return j->climb.n_done > 0 ? RESULT_DONE : RESULT_SKIPPED;
}

static Fault fault_of_stop(const Job *j) {
        switch (j->stop_as) {
        case RESULT_TIMEOUT:
                return FAULT(FAULT_TIMEOUT, .number = j->id);
        case RESULT_INTERRUPTED:
                return FAULT(FAULT_INTERRUPTED, .number = j->id);
        default:
                return FAULT(FAULT_CANCELED, .number = j->id);
        }
}

/* Of all or nothing, the way to nothing is gone to its end. */
static bool is_stopped(const Job *j) {
        return j->stop && !j->rolling;
}

/*
 * The VFs that were taken down had their driver by an override, or by the kernel's choice: the same way it comes back,
 * and no override is left that was not there. Only those that stay and are bound anew are named a driver.
 */
static void remember_override(Job *j) {
        const Climb *c = &j->climb;
        const char *override = NULL;

        for (size_t i = 0; i < c->plan->n_steps; i++) {
                const Step *step = c->plan->steps + i;

                if (step->rung != RUNG_PARK_VF)
                        continue;
                if (override && !streq(override, step->override))
                        override = "";
                else
                        override = step->override;
        }
        if (override)
                (void) str_copy(j->driver_before, sizeof(j->driver_before), override);
}

/* What was taken down for a program that did not go on, and is not put back: only who made it knows all of it. */
static void warn_of_losses(Job *j) {
        const Climb *c = &j->climb;

        for (size_t i = 0; i < c->plan->n_steps; i++) {
                const Step *step = c->plan->steps + i;

                if (c->states[i] != STEP_STATE_DONE)
                        continue;
                if (step->rung == RUNG_VFS_OFF)
                        warn(j, FAULT(FAULT_VFS_LOST, .fn = step->fn, .number = step->n));
                if (step->rung == RUNG_QUIET_PORT)
                        warn(j, fault_text(FAULT(FAULT_PORT_QUIET, .fn = step->fn), step->name));
        }
}

/* The way up is over: done, or back by the way that is owed. */
static void turn(Job *j) {
        Climb *c = &j->climb;
        Plan *back = NULL;

        /* A stop that came when all was done came too late. */
        if (!c->failed && c->at == c->plan->n_steps)
                j->stop = false;
        if (is_stopped(j) && j->fault.reason == FAULT_NONE)
                j->fault = fault_of_stop(j);
        if (j->rolling && !c->failed)
                warn(j, FAULT(FAULT_ROLLED_BACK, .fn = j->op.fn, .number = j->count_before));
        if (c->failed && !j->rolling && j->op.flags & OP_ROLLBACK)
                remember_override(j);
        if ((!c->failed && !is_stopped(j)) ||
            ladder_way_back(&j->op, c->plan, c->states, &back) < 0) {
                course_end(j, result_of(j));
                return;
        }
        if (j->op.kind == OP_FOREIGN)
                warn_of_losses(j);
        /*
         * Behind a child that died inside a write, it may have died with the global lock: only autoprobe takes none. One that
         * somebody killed has left the kernel before it is gone and holds nothing, but its status does not tell: an Oops ends
         * its task with SIGKILL, too (arch/x86/mm/fault.c, page_fault_oops()), and the taint flag that would is for good and
         * all the host's. What is parked waits for the next job of its PF.
         */
        if (j->climb.died)
                plan_keep(back, RUNG_FREE_PROBE);
        if (climb_take_plan(c, CLIMB_BACK, back) < 0)
                course_end(j, result_of(j));
}

/*
 * All or nothing: what is there now is planned back to what was there before. Once, and not behind a child that died
 * inside a write, which may have left a lock held.
 */
static bool roll_back(Job *j) {
        if (!(j->op.flags & OP_ROLLBACK) || j->rolling || !j->climb.failed || j->climb.died ||
            j->fault.reason == FAULT_STALE || job_result_of_fault(j->fault.reason) != RESULT_FAILED)
                return false;
        j->rolling = true;
        j->climb.failed = false;
        j->climb.phase = CLIMB_LOOK;
        return true;
}

/* Moves the job on until a step can start or nothing can be done for now. */
bool course_advance(Job *j, uint32_t fan_out, Effect *ret) {
        Climb *c = &j->climb;

        if (c->phase == CLIMB_UP && climb_phase_over(c, is_stopped(j)))
                turn(j);
        if (c->phase == CLIMB_BACK && climb_phase_over(c, is_stopped(j)) && !roll_back(j))
                course_end(j, result_of(j));
        if (j->state == JOB_RUNNING && c->phase == CLIMB_LOOK && !c->looking) {
                c->looking = true;
                *ret = (Effect){ .kind = EFFECT_SNAPSHOT, .job = j };
                return true;
        }
        if (j->state == JOB_RUNNING && c->n_running < fan_out &&
            climb_next(c, is_stopped(j), &ret->index)) {
                climb_begin_step(c, ret->index);
                *ret = (Effect){ EFFECT_STEP, j, ret->index, c->plan->steps + ret->index };
                return true;
        }
        return false;
}

/* The driver that all VFs of pf have, or "" where they differ. */
static const char *driver_of_vfs(const Snapshot *s, Bdf pf) {
        const char *driver = NULL;

        FOREACH_FN (f, s) {
                if (!(f->flags & FN_VF) || !bdf_equal(f->pf, pf))
                        continue;
                if (driver && !streq(driver, f->driver))
                        return "";
                driver = f->driver;
        }
        return driver ? driver : "";
}

/* What a rollback goes back to is what was there when the job's turn came. */
static void remember_before(Job *j, const Snapshot *s) {
        const Fn *pf = snapshot_find(s, j->op.fn);

        if (!pf || j->has_before || (j->op.kind != OP_SET_VFS && j->op.kind != OP_APPLY))
                return;
        j->has_before = true;
        j->count_before = pf->n_vfs;
        (void) str_copy(j->driver_before, sizeof(j->driver_before), driver_of_vfs(s, pf->bdf));
}

/* What is to be planned now. */
static Op goal(const Job *j) {
        Op op = j->op;

        if (j->rolling) {
                op.kind = OP_SET_VFS;
                op.count = j->count_before;
                memcpy(op.driver, j->driver_before, sizeof(op.driver));
        }
        return op;
}

/* No plan came of the look. What an earlier one began is put right first. */
void course_give_up(Job *j, Fault fault, JobResult result) {
        Climb *c = &j->climb;

        if (j->rolling) {
                warn(j, fault);
                course_end(j, result_of(j));
                return;
        }
        j->fault = fault;
        if (!c->plan) {
                course_end(j, result);
                return;
        }
        c->looking = false;
        c->phase = CLIMB_UP;
        c->failed = !j->stop;
}

void course_stop(Job *j) {
        j->fault = fault_of_stop(j);
        course_end(j, j->stop_as);
}

/* Of several who are in the way, the one that needs more force is named. */
static void blame(Job *j, Fault fault) {
        if (j->fault.reason == FAULT_NONE ||
            (j->fault.reason == FAULT_IN_USE && fault.reason == FAULT_STORAGE_IN_USE))
                j->fault = fault;
        else if (j->rolling)
                warn(j, fault);
}

void course_prove(Job *j, const Snapshot *s) {
        Climb *c = &j->climb;

        c->looking = c->proving = false;
        c->phase = CLIMB_UP;
        for (size_t i = 0; i < c->plan->n_steps; i++) {
                const Step *step = c->plan->steps + i;
                const Fn *fn = snapshot_find(s, step->fn);

                if (!climb_takes_down(step->rung) || c->states[i] != STEP_STATE_DONE || !fn ||
                    fn->identity != step->identity)
                        continue;
                c->failed = true;
                blame(j, FAULT(FAULT_LEFT_THERE, .fn = step->fn));
                return;
        }
}

int course_plan(Job *j, const Snapshot *s) {
        Climb *c = &j->climb;
        Plan *plan = NULL;
        Fault fault;
        Op op;
        int r;

        if (is_stopped(j)) {
                course_give_up(j, fault_of_stop(j), j->stop_as);
                return 0;
        }
        remember_before(j, s);
        op = goal(j);
        r = ladder_plan(s, &op, bdf_is_none(c->keeper) ? NULL : &c->keeper, &plan, &fault);
        if (r == LADDER_E_REFUSED) {
                course_give_up(j, fault,
                               fault.reason == FAULT_NO_SUCH_DEVICE ? RESULT_GONE : RESULT_REFUSED);
                return 0;
        }
        if (r >= 0)
                r = climb_take_plan(c, CLIMB_UP, plan);
        if (r < 0)
                course_give_up(j, FAULT(FAULT_INTERNAL, .error = -r), RESULT_FAILED);
        return r;
}

void course_step_done(Job *j, size_t index, const StepResult *result) {
        Climb *c = &j->climb;
        Fault fault = ladder_fault(c->plan->steps + index, result);
        bool back = c->phase == CLIMB_BACK;

        switch (climb_step_done(c, j, index, result)) {
        case CLIMB_FORCES:
                fault.reason = FAULT_FORCED;
                warn(j, fault);
                break;
        case CLIMB_WARNS:
                warn(j, fault);
                /* One VF's failure makes the whole partial; the kernel choosing none does not. */
                if (!back && result->answer != STEP_NO_DRIVER && j->fault.reason == FAULT_NONE)
                        j->fault = fault;
                break;
        case CLIMB_STOPS:
                blame(j, fault);
                break;
        default:
                break;
        }
        climb_prove_admission(c, index, result);
}
