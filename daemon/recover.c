/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recover
 *
 * One job had the lane, others may have stood aside of it; each is taken up in its turn. While this goes on the queue
 * stands: clients are heard and their jobs wait. The steps that are owed go through the same ledger as all others, so
 * that this may die as well.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

#include "daemon/ledger-format.h"
#include "daemon/left.h"
#include "daemon/log.h"
#include "daemon/owed.h"
#include "daemon/recover.h"
#include "daemon/stuck.h"

#define USEC_PER_SEC UINT64_C(1000000)
/* How long one that is no step of ours, an idle worker, may take to go. */
#define IDLE_DEADLINE_SEC 30

struct Recovery {
        Manager *manager;
        uint32_t *ids; /* owned: the jobs that were on their way, in their order */
        size_t n_ids, at;
        uint32_t stuck_id; /* while stuck: of which job, 0 = none that is known */
        Lefts left;
        bool stuck;
};

void recover_free(Recovery *rec) {
        if (!rec)
                return;
        lefts_done(&rec->left);
        free(rec->ids);
        free(rec);
}

bool recover_is_stuck(const Recovery *rec, uint32_t *ret_id) {
        if (!rec || !rec->stuck)
                return false;
        *ret_id = rec->stuck_id;
        return true;
}

/* The job whose turn it is, NULL: none or no more. */
static Record *job_of(const Recovery *rec) {
        return rec->at < rec->n_ids ? records_find(&rec->manager->records, rec->ids[rec->at])
                                    : NULL;
}

void recover_overdue(Manager *m) {
        Recovery *rec = m->recovery;

        rec->stuck = true;
        rec->stuck_id = rec->at < rec->n_ids ? rec->ids[rec->at] : 0;
}

static void keep(Recovery *rec, const Record *r) {
        Climb climb = { .plan = r->plan, .states = r->states };
        int k;

        k = ledger_write(&rec->manager->ledger, r, &climb);
        if (k < 0)
                log_error_errno(k, "job %u: cannot write the ledger", r->id);
}

/*
 * Everything is known, and nothing went wrong: the queue goes on with the plan as if we had not been away. Each step
 * still makes sure that it is about the same device, and looks at what came of it.
 */
static bool resume(Recovery *rec, Record *r) {
        int k;

        owed_ask_again(r);
        k = queue_resume(&rec->manager->queue, r->id, TAKE_PTR(r->plan), r->states);
        if (k < 0)
                log_error_errno(k, "job %u: cannot go on with its plan", r->id);
        return k >= 0;
}

/* Those that nobody waits for any more: of steps whose job was closed, or that came after us. */
static void forget_results(const Ledger *l) {
        const struct dirent *e;
        DIR *d;
        int fd;

        fd = openat(l->results, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        d = fd < 0 ? NULL : fdopendir(fd);
        if (!d)
                close_fd(fd);
        while (d && (e = readdir(d)))
                if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
                        (void) unlinkat(l->results, e->d_name, 0);
        if (d)
                closedir(d);
}

static void finish(Recovery *rec) {
        Manager *m = rec->manager;

        forget_results(&m->ledger);
        m->recovery = NULL;
        recover_free(rec);
        manager_kick(m);
}

static void take_up(Recovery *rec);

static void next_job(Recovery *rec) {
        rec->at++;
        take_up(rec);
}

/* All or nothing was asked for: it is planned back to what was there before its time, and ends as failed all the same. */
static bool roll_back(Recovery *rec, Record *r) {
        if (!owed_wants_roll_back(r) || queue_roll_back(&rec->manager->queue, r->id) < 0)
                return false;
        r->rolling = true;
        r->settled = false;
        return true;
}

/* The job's debts are paid: it ends with what is known, or waits for a new plan. */
static void finish_job(Recovery *rec, Record *r, bool may_roll_back) {
        Fault fault;

        r->plan = plan_free(r->plan);
        r->state = JOB_WAITING;
        r->stage = _RUNG_MAX;
        r->phase = CLIMB_LOOK;
        r->news |= NEWS_STATE | NEWS_STEP;
        if (r->settled && !(may_roll_back && roll_back(rec, r)))
                (void) queue_cancel(&rec->manager->queue, r->id, 0, RESULT_TIMEOUT, &fault);
        else
                keep(rec, r);
        next_job(rec);
}

/* The next step that is owed, or the end. */
static void next_step(Recovery *rec) {
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
                finish_job(rec, r, true);
        else
                next_job(rec);
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

/* Known and going well: on with it. Else what it began is put right, and then it ends, or is planned anew. */
static void judge(Recovery *rec, Record *r) {
        const Manager *m = rec->manager;
        bool known = owed_adopt(&m->ledger, m->snapshot, r);
        int k;

        take_verdict(rec, r);
        if (r->phase != CLIMB_BACK && known && !r->settled && !owed_wants_new_plan(r)) {
                log_line(LOG_NOTICE, r,
                         "%s: job %u: was under way when sriovd ended, going on with it",
                         RECORD_OBJECT(r), r->id);
                if (resume(rec, r)) {
                        next_job(rec);
                        return;
                }
        }
        k = r->phase == CLIMB_BACK || !r->plan ? 0 : owed_turn(m->snapshot, r);
        if (k < 0) {
                Fault fault = FAULT(FAULT_INTERNAL, .error = -k);

                log_error_errno(k, "job %u: cannot tell what it owes", r->id);
                owed_settle(r, RESULT_FAILED, &fault);
                finish_job(rec, r, false);
                return;
        }
        log_line(LOG_NOTICE, r,
                 "%s: job %u: was under way when sriovd ended, putting right what it began",
                 RECORD_OBJECT(r), r->id);
        keep(rec, r);
        next_step(rec);
}

/* The job whose turn it is, or the queue's own. */
static void take_up(Recovery *rec) {
        Record *r = job_of(rec);

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
        /* The world has gone on while we waited. */
        (void) manager_look(rec->manager);
        judge(rec, r);
}

/* All that the last daemon left in the kernel has come out of it. */
static void proceed(void *userdata) {
        Recovery *rec = userdata;

        if (rec->stuck)
                log_line(LOG_NOTICE, NULL,
                         "the last process of an earlier sriovd came back from the kernel");
        rec->stuck = false;
        take_up(rec);
}

void recover_step_done(Manager *m, const WorkerRequest *request, const Outcome *outcome) {
        Recovery *rec = m->recovery;
        Record *r = job_of(rec);
        char text[FAULT_STR_MAX];
        Fault fault = ladder_fault(&request->step, &outcome->result);

        rec->stuck = false;
        if (!r || !r->plan || apply_outcome(r, outcome) < 0) {
                next_job(rec);
                return;
        }
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
        next_step(rec);
}

/* Whose child that was, or NULL. */
static Record *job_of_child(const Recovery *rec, const Process *p) {
        for (size_t i = 0; i < rec->n_ids; i++) {
                Record *r = records_find(&rec->manager->records, rec->ids[i]);

                for (size_t k = 0; r && r->plan && k < r->plan->n_steps; k++)
                        if (r->children[k].pid == p->pid &&
                            r->children[k].start_time == p->start_time)
                                return r;
        }
        return NULL;
}

static void on_stuck(const Process *p, void *userdata) {
        Recovery *rec = userdata;
        Record *r = job_of_child(rec, p);

        rec->stuck = true;
        rec->stuck_id = r ? r->id : 0;
        stuck_left(rec->manager, r, p);
        manager_kick(rec->manager);
}

static int await(Recovery *rec, const Process *p, uint64_t deadline_sec) {
        return lefts_await(&rec->left, p, deadline_sec * USEC_PER_SEC);
}

static int await_children(Recovery *rec, const Record *r) {
        for (size_t i = 0; r && r->plan && i < r->plan->n_steps; i++) {
                int k;

                if (r->states[i] != STEP_STATE_RUNNING || r->children[i].pid == 0)
                        continue;
                k = await(rec, r->children + i,
                          pace_deadline_sec(&rec->manager->pace, r->plan->steps + i));
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
                r = await(rec, found + i,
                          IDLE_DEADLINE_SEC * rec->manager->settings.deadline_factor);
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
        Job j = { .id = r->id,
                  .op = r->op,
                  .pf = r->pf,
                  .n_askers = r->n_askers,
                  .has_before = r->has_before,
                  .rolling = r->rolling,
                  .count_before = r->count_before };
        int k;

        memcpy(j.askers, r->askers, sizeof(j.askers));
        memcpy(j.driver_before, r->driver_before, sizeof(j.driver_before));
        if (queue_restore(&m->queue, &j) != 0)
                return -ENOSPC;
        r->order = queue_find(&m->queue, r->id)->order;
        k = ledger_note(&m->ledger, r);
        return k < 0 ? k : manager_arm_timeout(m, r);
}

/* The queue as it was, those that were on their way first: one had the lane, others stood aside. */
static int restore_all(Recovery *rec) {
        Manager *m = rec->manager;
        _cleanup_free_ Record **open = calloc(m->records.n + 1, sizeof(Record *));
        size_t n = 0;
        int k;

        rec->ids = calloc(m->records.n + 1, sizeof(uint32_t));
        if (!open || !rec->ids)
                return -ENOMEM;
        FOREACH_RECORD (r, &m->records)
                if (r->state != JOB_ENDED)
                        open[n++] = r;
        qsort(open, n, sizeof(Record *), compare_order);
        for (size_t i = 0; i < n; i++) {
                k = restore(m, open[i]);
                if (k < 0)
                        return log_error_errno(k, "job %u: cannot take it over", open[i]->id);
                if (open[i]->state != JOB_WAITING)
                        rec->ids[rec->n_ids++] = open[i]->id;
        }
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
        r = restore_all(rec);
        for (size_t i = 0; r >= 0 && i < rec->n_ids; i++)
                r = await_children(rec, records_find(&m->records, rec->ids[i]));
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

size_t recover_n_left(const Recovery *rec) {
        return rec ? rec->left.n : 0;
}

void recover_goodbye(const Recovery *rec) {
        for (size_t i = 0; rec && i < rec->left.n; i++) {
                const Process *p = lefts_process(&rec->left, i);
                const Record *r = job_of_child(rec, p);

                stuck_stays(r, p->pid);
        }
}
