/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recover
 *
 * At most one job was on its way, for there is one lane. While this goes on the queue stands: clients are heard and
 * their jobs wait. The steps that are owed go through the same ledger as all others, so that this may die as well.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#include "daemon/ledger-format.h"
#include "daemon/left.h"
#include "daemon/log.h"
#include "daemon/recover.h"

#define USEC_PER_SEC UINT64_C(1000000)
/* How long one that is no step of ours, an idle worker, may take to go. */
#define IDLE_DEADLINE_SEC 30

struct Recovery {
        Manager *manager;
        uint32_t id; /* the job that was on its way; 0: none */
        Lefts left;
        bool stuck;
};

void recover_free(Recovery *rec) {
        if (!rec)
                return;
        lefts_done(&rec->left);
        free(rec);
}

bool recover_is_stuck(const Recovery *rec, uint32_t *ret_id) {
        if (!rec || !rec->stuck)
                return false;
        *ret_id = rec->id;
        return true;
}

void recover_overdue(Manager *m) {
        m->recovery->stuck = true;
}

static Record *job_of(const Recovery *rec) {
        return records_find(&rec->manager->records, rec->id);
}

static void keep(Recovery *rec, const Record *r) {
        Climb climb = { .plan = r->plan, .states = r->states };
        int k;

        k = ledger_write(&rec->manager->ledger, r, &climb);
        if (k < 0)
                log_error_errno(k, "job %u: cannot write the ledger", r->id);
}

static void settle(Record *r, JobResult result, const Fault *fault) {
        r->result = result;
        r->settled = true;
        (void) record_set_fault(r, fault);
}

/* What the world does not show: whether it was done must be told by whoever wants it again. */
static bool is_unseen(Rung rung) {
        return rung == RUNG_RESET || rung == RUNG_SLOT_OFF || rung == RUNG_SLOT_ON ||
               rung == RUNG_UNLOAD;
}

static void interrupt(Record *r) {
        Fault fault = FAULT(FAULT_INTERRUPTED, .number = r->id);

        settle(r, RESULT_INTERRUPTED, &fault);
}

/* A step that was under way: its child said what came of it, or nobody knows. True if somebody does. */
static bool adopt_step(Recovery *rec, Record *r, size_t index) {
        const Manager *m = rec->manager;
        const Step *step = r->plan->steps + index;
        pid_t pid = r->children[index].pid;
        Outcome outcome;
        bool known;

        known = result_read(m->ledger.results, r->id, pid, &outcome) >= 0 && outcome.index == index;
        /* Written down with its plan and never begun; and rescans and steps back do no harm twice. */
        if (pid == 0 || (!known && (step->rung == RUNG_RESCAN || r->phase == CLIMB_BACK))) {
                r->states[index] = STEP_STATE_WAITING;
                return true;
        }
        if (!known)
                outcome = (Outcome){ .index = index, .result = { .answer = STEP_DIED } };
        (void) apply_outcome(r, &outcome);
        (void) ledger_end(&m->ledger, r->id, &outcome);
        result_forget(m->ledger.results, r->id, pid);
        if (!known && is_unseen(step->rung))
                interrupt(r);
        return known;
}

/* All steps that were under way. True if it is known of each what came of it. */
static bool adopt(Recovery *rec, Record *r) {
        bool known = true;

        for (size_t i = 0; i < r->plan->n_steps; i++)
                if (r->states[i] == STEP_STATE_RUNNING)
                        known = adopt_step(rec, r, i) && known;
        return known;
}

/* True if a step failed in a way that needs another plan: the driver kept its VFs. */
static bool wants_new_plan(const Record *r) {
        for (size_t i = 0; i < r->plan->n_steps; i++)
                if (r->states[i] == STEP_STATE_FAILED && r->plan->steps[i].rung == RUNG_VFS_OFF)
                        return true;
        return false;
}

/* Of the way back, what is right also for one that is planned anew: its VFs may be many or none by then. */
static bool puts_right(const Snapshot *s, const Step *step) {
        if (step->rung == RUNG_UNPARK_VF)
                return snapshot_find_vf(s, step->fn, step->n) != NULL;
        return step->rung == RUNG_UNSTUB_PF || step->rung == RUNG_FREE_PROBE;
}

static void drop_others(const Snapshot *s, Plan *plan) {
        size_t n = 0;

        for (size_t i = 0; i < plan->n_steps; i++)
                if (puts_right(s, plan->steps + i))
                        plan->steps[n++] = plan->steps[i];
        plan->n_steps = n;
}

/* The record's plan becomes that of the way back. */
static int turn(Recovery *rec, Record *r) {
        _cleanup_(plan_freep) Plan *back = NULL;
        StepState *states;
        Process *children;
        int k;

        k = ladder_way_back(&r->op, r->plan, r->states, &back);
        if (k < 0)
                return k;
        if (!r->settled)
                drop_others(rec->manager->snapshot, back);
        states = calloc(back->n_steps + 1, sizeof(StepState));
        children = calloc(back->n_steps + 1, sizeof(Process));
        if (!states || !children) {
                free(states);
                free(children);
                return -ENOMEM;
        }
        free(r->states);
        free(r->children);
        plan_free(r->plan);
        r->states = states;
        r->children = children;
        r->plan = TAKE_PTR(back);
        r->phase = CLIMB_BACK;
        return 0;
}

/*
 * Everything is known, and nothing went wrong: the queue goes on with the plan as if we had not been away. Each step
 * still makes sure that it is about the same device, and looks at what came of it.
 */
static bool resume(Recovery *rec, Record *r) {
        int k = queue_resume(&rec->manager->queue, r->id, TAKE_PTR(r->plan), r->states);

        if (k < 0)
                log_error_errno(k, "job %u: cannot go on with its plan", r->id);
        return k >= 0;
}

static void finish(Recovery *rec) {
        Manager *m = rec->manager;

        m->recovery = NULL;
        recover_free(rec);
        manager_kick(m);
}

/* The job's debts are paid: it ends with what is known, or waits for a new plan. */
static void finish_job(Recovery *rec, Record *r) {
        Fault fault;

        r->plan = plan_free(r->plan);
        r->state = JOB_WAITING;
        r->stage = _RUNG_MAX;
        r->phase = CLIMB_LOOK;
        r->news |= NEWS_STATE | NEWS_STEP;
        if (r->settled)
                (void) queue_cancel(&rec->manager->queue, r->id, 0, RESULT_TIMEOUT, &fault);
        else
                keep(rec, r);
        finish(rec);
}

/* The next step that is owed, or the end. */
static void next(Recovery *rec) {
        Record *r = job_of(rec);
        int k;

        for (size_t i = 0; r && r->plan && i < r->plan->n_steps; i++) {
                if (r->states[i] != STEP_STATE_WAITING)
                        continue;
                r->states[i] = STEP_STATE_RUNNING;
                k = manager_release(rec->manager, r, i, r->plan->steps + i);
                if (k >= 0)
                        return;
                r->states[i] = STEP_STATE_FAILED;
        }
        if (r && r->state != JOB_ENDED)
                finish_job(rec, r);
        else
                finish(rec);
}

/* A stop that came when all was done came too late. */
static bool is_complete(const Record *r) {
        for (size_t i = 0; i < r->plan->n_steps; i++)
                if (r->states[i] != STEP_STATE_DONE)
                        return false;
        return r->phase != CLIMB_BACK;
}

/* What was said of the job: by a failure or a stop in its time, or by a client while we waited for its children. */
static void take_verdict(Recovery *rec, Record *r) {
        const Job *j = queue_find(&rec->manager->queue, r->id);

        if (j && j->state == JOB_ENDED)
                settle(r, j->result, &j->fault);
        else if (is_complete(r))
                r->result = RESULT_NONE;
        else if (r->result != RESULT_NONE && r->result != RESULT_PARTIAL)
                r->settled = true;
}

/* Known and going well: on with it. Else what it began is put right, and then it ends, or is planned anew. */
static void judge(Recovery *rec, Record *r) {
        bool known = adopt(rec, r);
        int k;

        take_verdict(rec, r);
        if (r->phase != CLIMB_BACK && known && !r->settled && !wants_new_plan(r)) {
                log_line(LOG_NOTICE, r,
                         "%s: job %u: was under way when sriovd ended, going on with it",
                         RECORD_OBJECT(r), r->id);
                if (resume(rec, r)) {
                        finish(rec);
                        return;
                }
        }
        k = r->phase == CLIMB_BACK || !r->plan ? 0 : turn(rec, r);
        if (k < 0)
                log_error_errno(k, "job %u: cannot tell what it owes", r->id);
        log_line(LOG_NOTICE, r,
                 "%s: job %u: was under way when sriovd ended, putting right what it began",
                 RECORD_OBJECT(r), r->id);
        keep(rec, r);
        next(rec);
}

/* All that the last daemon left in the kernel has come out of it. */
static void proceed(void *userdata) {
        Recovery *rec = userdata;
        Record *r = job_of(rec);

        rec->stuck = false;
        if (!r || !r->plan) {
                finish(rec);
                return;
        }
        r->state = JOB_RUNNING;
        r->news |= NEWS_STATE;
        r->n_steps = r->plan->n_steps;
        /* The world has gone on while we waited. */
        (void) manager_look(rec->manager);
        judge(rec, r);
}

void recover_step_done(Manager *m, const WorkerRequest *request, const Outcome *outcome) {
        Recovery *rec = m->recovery;
        Record *r = job_of(rec);
        char text[FAULT_STR_MAX];
        Fault fault = ladder_fault(&request->step, &outcome->result);

        rec->stuck = false;
        if (!r || !r->plan || apply_outcome(r, outcome) < 0) {
                finish(rec);
                return;
        }
        if (outcome->result.answer != STEP_DONE) {
                (void) record_warn(r, fault_format(&fault, text, sizeof(text)));
                r->news |= NEWS_WARNINGS;
        }
        /* Behind a child that died inside a write nothing may be written: it may have died with the lock. */
        if (outcome->result.answer == STEP_DIED) {
                settle(r, RESULT_FAILED, &fault);
                finish_job(rec, r);
                return;
        }
        next(rec);
}

static void on_stuck(const Process *p, void *userdata) {
        Recovery *rec = userdata;
        Record *r = job_of(rec);
        char where[512];

        rec->stuck = true;
        process_where(p->pid, where, sizeof(where));
        if (r) {
                r->state = JOB_WEDGED;
                r->news |= NEWS_STATE;
        }
        log_line(LOG_CRIT, r,
                 "process %d of an earlier sriovd is stuck in the kernel at %s, no write until it "
                 "comes back",
                 (int) p->pid, where);
        manager_kick(rec->manager);
}

static int await(Recovery *rec, const Process *p, uint64_t deadline_sec) {
        uint64_t factor = rec->manager->settings.deadline_factor;

        return lefts_await(&rec->left, p, deadline_sec * factor * USEC_PER_SEC);
}

static int await_children(Recovery *rec, const Record *r) {
        for (size_t i = 0; r && r->plan && i < r->plan->n_steps; i++) {
                int k;

                if (r->states[i] != STEP_STATE_RUNNING || r->children[i].pid == 0)
                        continue;
                k = await(rec, r->children + i, step_deadline_sec(r->plan->steps + i));
                if (k < 0)
                        return k;
        }
        return 0;
}

/* Those of our own cgroup, whether the ledger knows them or not: the truth about children left in the kernel. */
static int await_neighbours(Recovery *rec) {
        _cleanup_free_ Process *found = NULL;
        size_t n = 0;
        int r;

        r = process_find_workers(rec->manager->runtime, &found, &n);
        /* No cgroups, or not ours to read: then the ledger is all there is. */
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        for (size_t i = 0; i < n; i++) {
                r = await(rec, found + i, IDLE_DEADLINE_SEC);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int compare_order(const void *a, const void *b) {
        const Record *x = *(Record *const *) a, *y = *(Record *const *) b;
        bool x_waits = x->state == JOB_WAITING, y_waits = y->state == JOB_WAITING;

        if (x_waits != y_waits)
                return x_waits - y_waits;
        return (x->order > y->order) - (x->order < y->order);
}

static int restore(Manager *m, Record *r) {
        Job j = { .id = r->id, .op = r->op, .pf = r->pf, .n_askers = r->n_askers };
        int k;

        memcpy(j.askers, r->askers, sizeof(j.askers));
        if (queue_restore(&m->queue, &j) != 0)
                return -ENOSPC;
        r->order = queue_find(&m->queue, r->id)->order;
        k = ledger_note(&m->ledger, r);
        return k < 0 ? k : manager_arm_timeout(m, r);
}

/* The queue as it was, the one that was on its way first. */
static int restore_all(Manager *m, uint32_t *ret_id) {
        _cleanup_free_ Record **open = calloc(m->records.n + 1, sizeof(Record *));
        size_t n = 0;
        int k;

        if (!open)
                return -ENOMEM;
        *ret_id = 0;
        FOREACH_RECORD (r, &m->records)
                if (r->state != JOB_ENDED)
                        open[n++] = r;
        qsort(open, n, sizeof(Record *), compare_order);
        for (size_t i = 0; i < n; i++) {
                k = restore(m, open[i]);
                if (k < 0)
                        return log_error_errno(k, "job %u: cannot take it over", open[i]->id);
        }
        if (n > 0 && open[0]->state != JOB_WAITING)
                *ret_id = open[0]->id;
        return 0;
}

/* The file of numbers may be lost where those of jobs are not; no number is given twice. */
static uint32_t next_id(const Manager *m) {
        uint32_t id = ledger_read_next_id(&m->ledger);
        size_t n = m->records.n;

        return n > 0 && m->records.items[n - 1]->id >= id ? m->records.items[n - 1]->id + 1 : id;
}

int recover_start(Manager *m) {
        Recovery *rec;
        int r;

        r = ledger_load(&m->ledger, &m->records);
        if (r < 0)
                return r;
        m->queue.next_id = next_id(m);
        rec = calloc(1, sizeof(Recovery));
        if (!rec)
                return -ENOMEM;
        rec->manager = m;
        rec->left =
                (Lefts){ .event = m->event, .over = proceed, .stuck = on_stuck, .userdata = rec };
        m->recovery = rec;
        r = restore_all(m, &rec->id);
        if (r < 0)
                return r;
        r = await_children(rec, job_of(rec));
        if (r >= 0)
                r = await_neighbours(rec);
        if (r < 0)
                return r;
        if (rec->left.n == 0)
                proceed(rec);
        else
                log_line(LOG_NOTICE, job_of(rec),
                         "waiting for %zu process(es) of an earlier sriovd to come out of the "
                         "kernel",
                         rec->left.n);
        return 0;
}
