/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Queue
 *
 * One lane for the whole machine: pci_rescan_remove_lock is global, hence so is the queue. This file decides and
 * nothing else. It does no I/O, knows no clock and holds no pointer but the plans of its jobs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"

#include "core/climb.h"
#include "core/queue.h"

void queue_init(Queue *q) {
        *q = (Queue){ .next_id = 1, .next_order = 1 };
}

void queue_done(Queue *q) {
        for (size_t i = 0; i < QUEUE_MAX; i++)
                climb_done(&q->jobs[i].climb);
}

static Job *find(Queue *q, uint32_t id) {
        for (Job *j = q->jobs; j < q->jobs + QUEUE_MAX; j++)
                if (j->state != JOB_FREE && j->id == id)
                        return j;
        return NULL;
}

const Job *queue_find(const Queue *q, uint32_t id) {
        return find((Queue *) q, id);
}

static bool is_active(const Job *j) {
        return j->state == JOB_RUNNING || j->state == JOB_WEDGED;
}

static bool is_pending(const Job *j) {
        return j->state == JOB_WAITING || is_active(j);
}

uint32_t queue_length(const Queue *q) {
        uint32_t n = 0;

        for (const Job *j = q->jobs; j < q->jobs + QUEUE_MAX; j++)
                n += is_pending(j);
        return n;
}

const Job *queue_wedged(const Queue *q) {
        for (const Job *j = q->jobs; j < q->jobs + QUEUE_MAX; j++)
                if (j->state == JOB_WEDGED)
                        return j;
        return NULL;
}

static Job *active(Queue *q) {
        for (Job *j = q->jobs; j < q->jobs + QUEUE_MAX; j++)
                if (is_active(j))
                        return j;
        return NULL;
}

/* The waiting job that came first. */
static Job *oldest(Queue *q) {
        Job *first = NULL;

        for (Job *j = q->jobs; j < q->jobs + QUEUE_MAX; j++)
                if (j->state == JOB_WAITING && (!first || j->order < first->order))
                        first = j;
        return first;
}

static Job *free_place(Queue *q) {
        for (Job *j = q->jobs; j < q->jobs + QUEUE_MAX; j++)
                if (j->state == JOB_FREE)
                        return j;
        return NULL;
}

static void end(Job *j, JobResult result) {
        climb_done(&j->climb);
        j->climb.phase = CLIMB_OVER;
        j->state = JOB_ENDED;
        j->result = result;
}

/* The PF that counts in the merge law; operations on the whole host have none. */
static Bdf pf_of(const Snapshot *s, const Op *op) {
        const Fn *fn;

        if (op->kind == OP_RESCAN || bdf_is_none(op->fn))
                return BDF_NONE;
        fn = snapshot_find(s, op->fn);
        return fn && fn->flags & FN_VF ? fn->pf : op->fn;
}

static bool takes_away(const Snapshot *s, const Job *j, Bdf fn) {
        if (!is_pending(j) || bdf_is_none(fn))
                return false;
        if (j->op.kind == OP_REMOVE)
                return snapshot_is_below(s, fn, j->op.fn) ||
                       (j->op.flags & OP_ALL_FUNCTIONS && bdf_same_device(fn, j->op.fn));
        if (j->op.kind == OP_SLOT_OFF) {
                const Slot *slot = snapshot_find_slot(s, j->op.slot);
                const Fn *f = snapshot_find(s, fn);

                return slot && (snapshot_in_slot(slot, fn) ||
                                (f && f->flags & FN_VF && snapshot_in_slot(slot, f->pf)));
        }
        return false;
}

static const Job *going(const Queue *q, const Snapshot *s, Bdf fn) {
        for (const Job *j = q->jobs; j < q->jobs + QUEUE_MAX; j++)
                if (takes_away(s, j, fn))
                        return j;
        return NULL;
}

/* Works on one PF and nothing above or beside it. */
static bool is_local(const Job *j) {
        return j->op.kind == OP_SET_VFS || j->op.kind == OP_BIND || j->op.kind == OP_UNBIND ||
               j->op.kind == OP_RESET;
}

/*
 * The last waiting job of that PF with nothing behind it that could matter to it. Only this one may be joined
 * or replaced; otherwise somebody's order would change behind their back.
 */
static Job *last_of(Queue *q, Bdf pf) {
        Job *last = NULL;

        for (Job *j = q->jobs; j < q->jobs + QUEUE_MAX; j++)
                if (j->state == JOB_WAITING && (!last || j->order > last->order) &&
                    (bdf_equal(j->pf, pf) || !is_local(j)))
                        last = j;
        return last && bdf_equal(last->pf, pf) ? last : NULL;
}

static bool belongs_to(const Job *j, uint32_t uid) {
        for (uint32_t i = 0; i < j->n_askers; i++)
                if (j->askers[i] != uid)
                        return false;
        return true;
}

static int refuse(Fault *ret, Fault fault) {
        *ret = fault;
        return QUEUE_E_REFUSED;
}

static int check_wedged(const Queue *q, Bdf pf, Fault *ret_fault) {
        const Job *j = queue_wedged(q);

        if (!j)
                return 0;
        if (!bdf_is_none(pf) && bdf_equal(j->pf, pf))
                return refuse(ret_fault, FAULT(FAULT_QUARANTINED, .fn = pf, .number = j->id));
        return refuse(ret_fault, FAULT(FAULT_WEDGED, .fn = j->pf, .number = j->id));
}

static Job *add(Queue *q, const Op *op, Bdf pf, uint32_t uid) {
        Job *j = free_place(q);

        if (!j)
                return NULL;
        *j = (Job){
                .id = q->next_id++,
                .state = JOB_WAITING,
                .op = *op,
                .pf = pf,
                .askers = { uid },
                .n_askers = 1,
                .order = q->next_order++,
        };
        return j;
}

int queue_submit(Queue *q, const Snapshot *s, const Op *op, uint32_t uid, uint32_t *ret_id,
                 Fault *ret_fault) {
        Bdf pf = pf_of(s, op);
        const Job *remover;
        Job *last, *j;
        int r;

        r = check_wedged(q, pf, ret_fault);
        if (r != 0)
                return r;
        last = last_of(q, pf);
        if (last && !(op->flags & OP_ALONE) && op_equal(&last->op, op) &&
            last->n_askers < QUEUE_ASKERS) {
                last->askers[last->n_askers++] = uid;
                *ret_id = last->id;
                return QUEUE_E_MERGED;
        }
        remover = op->kind == OP_RESCAN ? NULL : going(q, s, op->fn);
        if (remover)
                return refuse(ret_fault, FAULT(FAULT_GOING, .fn = op->fn, .number = remover->id));
        j = add(q, op, pf, uid);
        if (!j)
                return refuse(ret_fault,
                              FAULT(FAULT_QUEUE_FULL, .fn = op->fn, .number = QUEUE_MAX));
        if (last && op->kind == OP_SET_VFS && op_same_subject(&last->op, op) &&
            belongs_to(last, uid)) {
                /* The newer wish has the older one's turn. */
                j->order = last->order;
                last->fault = FAULT(FAULT_SUPERSEDED, .number = j->id);
                end(last, RESULT_SUPERSEDED);
        }
        *ret_id = j->id;
        return 0;
}

int queue_restore(Queue *q, const Job *job) {
        Job *j = free_place(q);

        if (!j || find(q, job->id))
                return QUEUE_E_REFUSED;
        *j = *job;
        j->state = JOB_WAITING;
        climb_start(&j->climb);
        j->order = q->next_order++;
        if (q->next_id <= j->id)
                q->next_id = j->id + 1;
        return 0;
}

int queue_resume(Queue *q, uint32_t id, Plan *plan, const StepState *states) {
        Job *j = find(q, id);
        int r;

        if (!j || j->state != JOB_WAITING || active(q)) {
                plan_free(plan);
                return -ENOENT;
        }
        r = climb_resume(&j->climb, plan, states);
        if (r >= 0)
                j->state = JOB_RUNNING;
        return r;
}

static JobResult result_of_fault(const Job *j) {
        switch (j->fault.reason) {
        case FAULT_IN_USE:
        case FAULT_NO_SUCH_DRIVER:
                return RESULT_REFUSED;
        case FAULT_VANISHED:
        case FAULT_NOT_FOUND_AFTER:
                return RESULT_GONE;
        default:
                return RESULT_FAILED;
        }
}

static JobResult result_of(const Job *j) {
        if (j->climb.failed)
                return result_of_fault(j);
        if (j->stop)
                return j->stop_as;
        if (j->fault.reason != FAULT_NONE)
                return RESULT_PARTIAL;
        return j->climb.n_done > 0 ? RESULT_DONE : RESULT_SKIPPED;
}

static Fault fault_of_stop(const Job *j) {
        return FAULT(j->stop_as == RESULT_TIMEOUT ? FAULT_TIMEOUT : FAULT_CANCELED,
                     .number = j->id);
}

/* The way up is over: done, or back by the way that is owed. */
static void turn(Job *j) {
        Climb *c = &j->climb;
        Plan *back = NULL;

        /* A stop that came when all was done came too late. */
        if (!c->failed && c->at == c->plan->n_steps)
                j->stop = false;
        if (j->stop && j->fault.reason == FAULT_NONE)
                j->fault = fault_of_stop(j);
        if ((!c->failed && !j->stop) || ladder_way_back(&j->op, c->plan, c->states, &back) < 0) {
                end(j, result_of(j));
                return;
        }
        /* Behind a child that died inside a write, it may have died with the global lock: only autoprobe takes none. */
        if (j->fault.reason == FAULT_WORKER_DIED)
                plan_keep(back, RUNG_FREE_PROBE);
        if (climb_take_plan(c, CLIMB_BACK, back) < 0)
                end(j, result_of(j));
}

/* Moves the job on until a step can start or nothing can be done for now. */
static bool advance(Job *j, Effect *ret) {
        Climb *c = &j->climb;

        if (c->phase == CLIMB_LOOK) {
                if (c->looking)
                        return false;
                c->looking = true;
                *ret = (Effect){ .kind = EFFECT_SNAPSHOT, .job = j };
                return true;
        }
        if (c->phase == CLIMB_UP && climb_phase_over(c, j->stop))
                turn(j);
        if (c->phase == CLIMB_BACK && climb_phase_over(c, j->stop))
                end(j, result_of(j));
        if (j->state == JOB_RUNNING && climb_next(c, j->stop, &ret->index)) {
                climb_begin_step(c, ret->index);
                *ret = (Effect){ EFFECT_STEP, j, ret->index, c->plan->steps + ret->index };
                return true;
        }
        return false;
}

/* Jobs that have been told of are forgotten by the next call. */
static bool tell_ended(Queue *q, Effect *ret) {
        for (Job *j = q->jobs; j < q->jobs + QUEUE_MAX; j++) {
                if (j->state != JOB_ENDED)
                        continue;
                if (j->told) {
                        *j = (Job){};
                        continue;
                }
                j->told = true;
                *ret = (Effect){ .kind = EFFECT_FINISH, .job = j };
                return true;
        }
        return false;
}

bool queue_next(Queue *q, Effect *ret) {
        *ret = (Effect){};
        for (;;) {
                Job *j;

                if (tell_ended(q, ret))
                        return true;
                j = active(q);
                if (!j) {
                        j = oldest(q);
                        if (!j)
                                return false;
                        j->state = JOB_RUNNING;
                        climb_start(&j->climb);
                }
                if (advance(j, ret))
                        return true;
                if (is_active(j))
                        return false;
        }
}

/* No plan came of the look. What an earlier one began is put right first. */
static void give_up(Job *j, Fault fault, JobResult result) {
        Climb *c = &j->climb;

        j->fault = fault;
        if (!c->plan) {
                end(j, result);
                return;
        }
        c->looking = false;
        c->phase = CLIMB_UP;
        c->failed = !j->stop;
}

int queue_planned(Queue *q, uint32_t id, const Snapshot *s) {
        Job *j = find(q, id);
        Plan *plan = NULL;
        Fault fault;
        int r;

        if (!j || !j->climb.looking)
                return -ENOENT;
        if (j->stop) {
                give_up(j, fault_of_stop(j), j->stop_as);
                return 0;
        }
        r = ladder_plan(s, &j->op, bdf_is_none(j->climb.keeper) ? NULL : &j->climb.keeper, &plan,
                        &fault);
        if (r == LADDER_E_REFUSED) {
                give_up(j, fault,
                        fault.reason == FAULT_NO_SUCH_DEVICE ? RESULT_GONE : RESULT_REFUSED);
                return 0;
        }
        if (r >= 0)
                r = climb_take_plan(&j->climb, CLIMB_UP, plan);
        if (r < 0)
                give_up(j, FAULT(FAULT_INTERNAL, .error = -r), RESULT_FAILED);
        return r;
}

static void warn(Job *j, Fault fault) {
        if (j->n_warnings < QUEUE_WARNINGS)
                j->warnings[j->n_warnings++] = fault;
}

int queue_step_done(Queue *q, uint32_t id, size_t index, const StepResult *result) {
        Job *j = find(q, id);
        Climb *c = j ? &j->climb : NULL;
        Fault fault;
        bool back;

        if (!j || !c->plan || index >= c->plan->n_steps || c->states[index] != STEP_STATE_RUNNING)
                return -ENOENT;
        fault = ladder_fault(c->plan->steps + index, result);
        back = c->phase == CLIMB_BACK;
        switch (climb_step_done(c, j, index, result)) {
        case CLIMB_WARNS:
                warn(j, fault);
                /* One VF's failure makes the whole partial; the kernel choosing none does not. */
                if (!back && result->answer != STEP_NO_DRIVER && j->fault.reason == FAULT_NONE)
                        j->fault = fault;
                break;
        case CLIMB_STOPS:
                if (j->fault.reason == FAULT_NONE)
                        j->fault = fault;
                break;
        default:
                break;
        }
        /* The kernel let go of all of them; until then no further step is started. */
        if (j->state == JOB_WEDGED && c->n_running == 0)
                j->state = JOB_RUNNING;
        return 0;
}

int queue_overdue(Queue *q, uint32_t id) {
        Job *j = find(q, id);

        if (!j || !is_active(j) || j->climb.n_running == 0)
                return -ENOENT;
        j->state = JOB_WEDGED;
        return 0;
}

/* Root speaks for whoever asked last. */
static bool withdraw(Job *j, uint32_t uid) {
        for (uint32_t i = 0; i < j->n_askers; i++)
                if (j->askers[i] == uid || (uid == 0 && i + 1 == j->n_askers)) {
                        j->askers[i] = j->askers[--j->n_askers];
                        return true;
                }
        return false;
}

int queue_cancel(Queue *q, uint32_t id, uint32_t uid, JobResult as, Fault *ret_fault) {
        Job *j = find(q, id);

        if (!j || j->state == JOB_ENDED)
                return refuse(ret_fault, FAULT(FAULT_NO_SUCH_JOB, .number = id));
        if (as == RESULT_CANCELED) {
                if (j->n_askers > 0 && !withdraw(j, uid))
                        return refuse(ret_fault, fault_text(FAULT(FAULT_NOT_AUTHORIZED),
                                                            "cancel of another user's job"));
                if (j->n_askers > 0)
                        return 0;
        }
        j->stop = true;
        j->stop_as = as;
        if (j->state == JOB_WAITING) {
                j->fault = fault_of_stop(j);
                end(j, as);
        }
        return 0;
}
