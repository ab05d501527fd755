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
#include "core/course.h"
#include "core/near.h"
#include "core/queue.h"

void queue_init(Queue *q) {
        *q = (Queue){ .next_id = 1, .next_order = 1, .fan_out = QUEUE_FAN_OUT };
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
        const Job *wedged = NULL;

        for (const Job *j = q->jobs; j < q->jobs + QUEUE_MAX; j++)
                if (j->state == JOB_WEDGED && (!wedged || !j->aside))
                        wedged = j;
        return wedged;
}

bool queue_is_closed(const Queue *q) {
        const Job *j = queue_wedged(q);

        return j && !j->aside;
}

/* The job that has the lane. */
static Job *active(Queue *q) {
        for (Job *j = q->jobs; j < q->jobs + QUEUE_MAX; j++)
                if (is_active(j) && !j->aside)
                        return j;
        return NULL;
}

/*
 * One that stood aside, and whose children have come back. What is about more than one PF stays aside as long as
 * another is stuck: it might come near that one.
 */
static Job *returned(Queue *q) {
        for (Job *j = q->jobs; j < q->jobs + QUEUE_MAX; j++)
                if (j->aside && j->state == JOB_RUNNING &&
                    (near_is_local(&j->op) || !queue_wedged(q)))
                        return j;
        return NULL;
}

static uint32_t n_aside(const Queue *q) {
        uint32_t n = 0;

        for (const Job *j = q->jobs; j < q->jobs + QUEUE_MAX; j++)
                n += j->aside;
        return n;
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

static const Job *going(const Queue *q, const Snapshot *s, Bdf fn) {
        for (const Job *j = q->jobs; j < q->jobs + QUEUE_MAX; j++)
                if (is_pending(j) && near_takes_away(s, &j->op, fn))
                        return j;
        return NULL;
}

/*
 * The last waiting job of that PF with nothing behind it that could matter to it. Only this one may be joined
 * or replaced; otherwise somebody's order would change behind their back.
 */
static Job *last_of(Queue *q, Bdf pf) {
        Job *last = NULL;

        for (Job *j = q->jobs; j < q->jobs + QUEUE_MAX; j++)
                if (j->state == JOB_WAITING && (!last || j->order > last->order) &&
                    (bdf_equal(j->pf, pf) || !near_is_local(&j->op)))
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

/*
 * Stuck, or back and half done: what is about more than one PF stays aside as long as another is stuck, and until it has gone
 * on nobody may touch what it began.
 */
static bool holds_off(const Queue *q, const Job *j) {
        return j->state == JOB_WEDGED ||
               (j->aside && j->state == JOB_RUNNING && !near_is_local(&j->op) && queue_wedged(q));
}

const Job *queue_blocker(const Queue *q, const Snapshot *s, const Op *op, Fault *ret_fault) {
        const Job *closed = queue_wedged(q);
        Bdf pf = near_pf(s, op);

        if (closed && !closed->aside && (bdf_is_none(pf) || !bdf_equal(closed->pf, pf))) {
                *ret_fault = FAULT(FAULT_WEDGED, .fn = closed->pf, .number = closed->id);
                return closed;
        }
        for (const Job *j = q->jobs; j < q->jobs + QUEUE_MAX; j++) {
                if (!holds_off(q, j) || (j->aside && !near_stuck(s, op, j)))
                        continue;
                *ret_fault = FAULT(FAULT_QUARANTINED, .fn = j->pf, .number = j->id);
                return j;
        }
        return NULL;
}

/* Of the programs that wait at a door each has its own turn. */
static bool may_join(const Job *last, const Op *op) {
        return last && op->kind != OP_FOREIGN && !(op->flags & OP_ALONE) &&
               op_equal(&last->op, op) && last->n_askers < QUEUE_ASKERS;
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
        Bdf pf = near_pf(s, op);
        const Job *remover;
        Job *last, *j;

        if (queue_blocker(q, s, op, ret_fault))
                return QUEUE_E_REFUSED;
        last = last_of(q, pf);
        if (may_join(last, op)) {
                last->askers[last->n_askers++] = uid;
                *ret_id = last->id;
                return QUEUE_E_MERGED;
        }
        /* A program that cannot be told to come again waits behind a removal as behind anything else. */
        remover = op->kind == OP_RESCAN || op->kind == OP_FOREIGN ? NULL : going(q, s, op->fn);
        if (remover)
                return refuse(ret_fault, FAULT(FAULT_GOING, .fn = op->fn, .number = remover->id));
        j = add(q, op, pf, uid);
        if (!j)
                return refuse(ret_fault,
                              FAULT(FAULT_QUEUE_FULL, .fn = op->fn, .number = QUEUE_MAX));
        /* One that cannot be joined because too many did is as good a wish as this one. */
        if (last && op->kind == OP_SET_VFS && op_same_subject(&last->op, op) &&
            !op_equal(&last->op, op) && belongs_to(last, uid)) {
                /* The newer wish has the older one's turn. */
                j->order = last->order;
                last->fault = FAULT(FAULT_SUPERSEDED, .number = j->id);
                course_end(last, RESULT_SUPERSEDED);
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

        if (!j || j->state != JOB_WAITING) {
                plan_free(plan);
                return -ENOENT;
        }
        r = climb_resume(&j->climb, plan, states);
        if (r < 0)
                return r;
        j->aside = active(q) != NULL;
        j->state = JOB_RUNNING;
        return 0;
}

int queue_roll_back(Queue *q, uint32_t id) {
        Job *j = find(q, id);

        if (!j || j->state != JOB_WAITING || !j->has_before)
                return -ENOENT;
        j->rolling = true;
        return 0;
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

/* Who has the lane, or has it from now on: one that is back from aside before those that wait. */
static Job *in_lane(Queue *q) {
        Job *j = active(q);

        if (j)
                return j;
        j = returned(q);
        if (j) {
                j->aside = false;
                return j;
        }
        j = oldest(q);
        if (j) {
                j->state = JOB_RUNNING;
                climb_start(&j->climb);
        }
        return j;
}

bool queue_next(Queue *q, Effect *ret) {
        *ret = (Effect){};
        for (;;) {
                Job *j;

                if (tell_ended(q, ret))
                        return true;
                j = in_lane(q);
                if (!j)
                        return false;
                if (course_advance(j, q->fan_out, ret))
                        return true;
                if (is_active(j))
                        return false;
        }
}

int queue_planned(Queue *q, uint32_t id, const Snapshot *s) {
        Job *j = find(q, id);
        Fault fault;

        if (!j || !j->climb.looking)
                return -ENOENT;
        if (j->climb.proving) {
                course_prove(j, s);
                return 0;
        }
        /* Another one came back while this one looked, half done and perhaps on the same PF: its turn is first. */
        if (!j->stop && !j->climb.plan && returned(q)) {
                j->state = JOB_WAITING;
                climb_start(&j->climb);
                return 0;
        }
        /* It waited while another one got stuck nearby. */
        if (!j->stop && queue_blocker(q, s, &j->op, &fault)) {
                course_give_up(j, fault, RESULT_REFUSED);
                return 0;
        }
        return course_plan(j, s);
}

/* All that is under way is stuck outside the global lock: the lane is for others until it comes back. */
static void step_aside(Queue *q, Job *j) {
        const Climb *c = &j->climb;

        if (j->state == JOB_WEDGED && c->n_running > 0 && c->n_outside == c->n_running &&
            n_aside(q) < QUEUE_ASIDE)
                j->aside = true;
}

int queue_step_done(Queue *q, uint32_t id, size_t index, const StepResult *result) {
        Job *j = find(q, id);
        const Climb *c = j ? &j->climb : NULL;

        if (!j || !c->plan || index >= c->plan->n_steps || !climb_is_under_way(c, index))
                return -ENOENT;
        course_step_done(j, index, result);
        /* The kernel let go of all of them; until then no further step is started. */
        if (j->state == JOB_WEDGED && c->n_running == 0)
                j->state = JOB_RUNNING;
        step_aside(q, j);
        return 0;
}

/* Nobody could be kept off what another program works on if its door does not name that. */
static bool can_be_avoided(const Step *step) {
        return step->rung != RUNG_ADMIT || !bdf_is_none(step->fn);
}

int queue_overdue(Queue *q, uint32_t id, size_t index, bool outside) {
        Job *j = find(q, id);
        Climb *c = j ? &j->climb : NULL;

        if (!j || !c->plan || index >= c->plan->n_steps || !climb_is_under_way(c, index))
                return -ENOENT;
        if (outside && can_be_avoided(c->plan->steps + index) &&
            c->states[index] == STEP_STATE_RUNNING) {
                c->states[index] = STEP_STATE_OUTSIDE;
                c->n_outside++;
        }
        j->state = JOB_WEDGED;
        step_aside(q, j);
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
                course_stop(j);
        }
        return 0;
}
