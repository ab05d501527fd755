/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debts
 *
 * Steps that are owed go through the same ledger as all others, so that this may die as well. Whatever fails for want of
 * memory, of processes or of room for the ledger is tried again later, and nothing goes on meanwhile: what cannot be written
 * down must not be done, and a job that is given up would leave its VFs parked.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/str.h"

#include "daemon/debts.h"
#include "daemon/judge.h"
#include "daemon/ledger-format.h"
#include "daemon/log.h"
#include "daemon/owed.h"

#define USEC_PER_SEC UINT64_C(1000000)

/* The job whose turn it is, NULL: none or no more. */
Record *debts_job(const Recovery *rec) {
        return rec->at < rec->n_ids ? records_find(&rec->manager->records, rec->ids[rec->at])
                                    : NULL;
}

static int on_again(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Recovery *rec = userdata;

        rec->again = sd_event_source_disable_unref(rec->again);
        rec->stage(rec, debts_job(rec));
        return 0;
}

/* Without even that, the next daemon begins where the ledger says that we are. */
static void later(Recovery *rec, RecoveryStage stage, int error) {
        const Manager *m = rec->manager;
        int k;

        rec->stage = stage;
        rec->wait_sec = judge_next_look_sec(rec->wait_sec);
        log_error_errno(error, "job %u: cannot put right what it began, trying again in %u s",
                        rec->ids[rec->at], rec->wait_sec);
        k = sd_event_add_time_relative(m->event, &rec->again, CLOCK_MONOTONIC,
                                       rec->wait_sec * USEC_PER_SEC, 0, on_again, rec);
        if (k < 0) {
                log_error_errno(k, "cannot wait for better times, leaving that to the next sriovd");
                (void) sd_event_exit(m->event, k);
        }
}

static int keep(const Recovery *rec, const Record *r) {
        return ledger_write(&rec->manager->ledger, r,
                            &(Climb){ .plan = r->plan, .states = r->states });
}

static int forget_result(const char *name, void *userdata) {
        (void) unlinkat(*(const int *) userdata, name, 0);
        return 0;
}

static void finish(Recovery *rec) {
        Manager *m = rec->manager;

        /* Those that nobody waits for any more: of steps whose job was closed, or that came after us. */
        (void) folder_walk(m->ledger.results, forget_result, &m->ledger.results);
        m->recovery = NULL;
        recover_free(rec);
        manager_kick(m);
}

static void next_job(Recovery *rec) {
        rec->at++;
        debts_pay(rec);
}

/* All or nothing was asked for: it is planned back to what was there before its time, and ends as failed all the same. */
static bool roll_back(Recovery *rec, Record *r) {
        if (!owed_wants_roll_back(r) || queue_roll_back(&rec->manager->queue, r->id) < 0)
                return false;
        r->rolling = true;
        r->settled = false;
        return true;
}

/* It waits for a new plan, and the ledger knows of none. */
static void wait_again(Recovery *rec, Record *r) {
        int k = keep(rec, r);

        if (k < 0)
                later(rec, wait_again, k);
        else
                next_job(rec);
}

/* The job's debts are paid: it ends with what is known, or waits for a new plan. */
static void finish_job(Recovery *rec, Record *r, bool may_roll_back) {
        Fault fault;

        r->plan = plan_free(r->plan);
        r->state = JOB_WAITING;
        r->stage = _RUNG_MAX;
        r->phase = CLIMB_LOOK;
        r->news |= NEWS_STATE | NEWS_STEP;
        if (!r->settled || (may_roll_back && roll_back(rec, r))) {
                wait_again(rec, r);
                return;
        }
        (void) queue_cancel(&rec->manager->queue, r->id, 0, RESULT_TIMEOUT, &fault);
        next_job(rec);
}

static void next_step(Recovery *rec, Record *r);

/* Whole, for the file may be what is missing. */
static void write_and_step(Recovery *rec, Record *r) {
        int k = keep(rec, r);

        if (k < 0)
                later(rec, write_and_step, k);
        else
                next_step(rec, r);
}

/* The next step that is owed, or the end. */
static void next_step(Recovery *rec, Record *r) {
        int k;

        for (size_t i = 0; r->plan && i < r->plan->n_steps; i++) {
                if (r->states[i] != STEP_STATE_WAITING)
                        continue;
                k = manager_release(rec->manager, r, i, r->plan->steps + i);
                if (k < 0)
                        later(rec, write_and_step, k);
                else
                        r->states[i] = STEP_STATE_RUNNING;
                return;
        }
        finish_job(rec, r, true);
}

/* What was said of the job: by a failure or a stop in its time, or by a client while we waited for its children. */
static void take_verdict(Recovery *rec, Record *r) {
        const Job *j = queue_find(&rec->manager->queue, r->id);

        if (j && j->state == JOB_ENDED)
                owed_settle(r, j->result, &j->fault);
        else if (owed_is_complete(r) && !r->rolling)
                r->result = RESULT_NONE;
        else if (r->rolling)
                r->settled = r->phase != CLIMB_BACK && owed_is_stopped(r);
        else if (r->result != RESULT_NONE && r->result != RESULT_PARTIAL)
                r->settled = true;
}

static Plan *copy_of(const Plan *plan) {
        _cleanup_(plan_freep) Plan *copy = plan_new();

        for (size_t i = 0; copy && i < plan->n_steps; i++)
                if (plan_push(copy, plan->steps + i) < 0)
                        return NULL;
        return TAKE_PTR(copy);
}

/*
 * Everything is known, and nothing went wrong: the queue goes on with the plan as if we had not been away. Each step
 * still makes sure that it is about the same device, and looks at what came of it. The queue eats a plan that it cannot take.
 */
static int resume(Recovery *rec, Record *r) {
        _cleanup_(plan_freep) Plan *copy = copy_of(r->plan);
        int k;

        if (!copy)
                return -ENOMEM;
        owed_ask_again(r);
        k = queue_resume(&rec->manager->queue, r->id, TAKE_PTR(copy), r->states);
        if (k < 0)
                return k;
        log_line(LOG_NOTICE, r, "%s: job %u: was under way when sriovd ended, going on with it",
                 RECORD_OBJECT(r), r->id);
        r->plan = plan_free(r->plan);
        return 0;
}

/* A plan that is a way back already may have new words beside it: of a client who canceled. */
static int turn(Recovery *rec, Record *r) {
        const Manager *m = rec->manager;
        int k;

        k = r->phase == CLIMB_BACK ? ledger_note(&m->ledger, r)
                                   : owed_turn(&m->ledger, m->snapshot, r);
        if (k < 0)
                return k;
        log_line(LOG_NOTICE, r,
                 "%s: job %u: was under way when sriovd ended, putting right what it began",
                 RECORD_OBJECT(r), r->id);
        return 0;
}

/* Known and going well: on with it. Else what it began is put right, and then it ends, or is planned anew. */
static void judge(Recovery *rec, Record *r) {
        bool good;
        int k;

        take_verdict(rec, r);
        good = r->phase != CLIMB_BACK && rec->known && !r->settled && !owed_wants_new_plan(r);
        k = good ? resume(rec, r) : turn(rec, r);
        if (k < 0)
                later(rec, judge, k);
        else if (good)
                next_job(rec);
        else
                next_step(rec, r);
}

/* What its children said. The world has gone on while we waited for them: what is told by looking needs a new look. */
static void adopt(Recovery *rec, Record *r) {
        Manager *m = rec->manager;
        int k;

        k = manager_look(m);
        if (k >= 0)
                k = owed_adopt(&m->ledger, m->snapshot, r, &rec->known);
        if (k < 0)
                later(rec, adopt, k);
        else
                judge(rec, r);
}

void debts_pay(Recovery *rec) {
        Record *r = debts_job(rec);

        if (rec->at >= rec->n_ids) {
                finish(rec);
                return;
        }
        if (!r || !r->plan) {
                next_job(rec);
                return;
        }
        r->state = JOB_RUNNING;
        r->news |= NEWS_STATE;
        r->n_steps = r->plan->n_steps;
        rec->known = true;
        rec->wait_sec = 0;
        adopt(rec, r);
}

void recover_step_done(Manager *m, const WorkerRequest *request, const Outcome *outcome) {
        Recovery *rec = m->recovery;
        Record *r = debts_job(rec);
        char text[FAULT_STR_MAX];
        Fault fault = ladder_fault(&request->step, &outcome->result);

        rec->stuck = false;
        rec->wait_sec = 0;
        /* Not of the one step that is under way. */
        if (!r || r->id != request->job || !r->plan || outcome->index >= r->plan->n_steps)
                return;
        /* Somebody was in the way before the step was begun: it is still owed. */
        if (outcome->result.answer == STEP_BLOCKED) {
                r->states[outcome->index] = STEP_STATE_WAITING;
                later(rec, write_and_step, -EBUSY);
                return;
        }
        (void) apply_outcome(r, outcome);
        if (outcome->result.answer != STEP_DONE) {
                (void) record_warn(r, fault_format(&fault, text, sizeof(text)));
                r->news |= NEWS_WARNINGS;
        }
        /* Behind a child that died inside a write nothing may be written: it may have died with the lock. */
        if (outcome->result.answer == STEP_DIED) {
                owed_settle(r, RESULT_FAILED, &fault);
                finish_job(rec, r, false);
                return;
        }
        next_step(rec, r);
}
