/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recover
 *
 * The queue as it was, and the wait for all that an earlier daemon left in the kernel. One job had the lane, others may have
 * stood aside of it; each is taken up in its turn (debts.c). While this goes on the queue stands: clients are heard and
 * their jobs wait.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#include "daemon/debts.h"
#include "daemon/log.h"
#include "daemon/stuck.h"

#define USEC_PER_SEC UINT64_C(1000000)
/* How long one that is no step of ours, an idle worker, may take to go. */
#define IDLE_DEADLINE_SEC 30

void recover_free(Recovery *rec) {
        if (!rec)
                return;
        sd_event_source_disable_unref(rec->again);
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

void recover_overdue(Manager *m) {
        Recovery *rec = m->recovery;

        rec->stuck = true;
        rec->stuck_id = rec->at < rec->n_ids ? rec->ids[rec->at] : 0;
}

/* All that the last daemon left in the kernel has come out of it. */
static void proceed(void *userdata) {
        Recovery *rec = userdata;

        if (rec->stuck)
                log_line(LOG_NOTICE, NULL,
                         "the last process of an earlier sriovd came back from the kernel");
        rec->stuck = false;
        debts_pay(rec);
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
        /* No cgroups, or not ours to read: then the ledger is all there is. Else somebody may be there whom we do not see. */
        if (r == -ENOENT || r == -ENODATA || r == -EACCES || r == -EPERM)
                return 0;
        if (r < 0)
                return r;
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
        Fault fault;
        int k;

        memcpy(j.askers, r->askers, sizeof(j.askers));
        memcpy(j.driver_before, r->driver_before, sizeof(j.driver_before));
        if (queue_restore(&m->queue, &j) != 0)
                return -ENOSPC;
        r->order = queue_find(&m->queue, r->id)->order;
        /* All who asked have canceled it, while an earlier daemon was still at what this one begins with. */
        if (r->n_askers == 0 && r->result == RESULT_NONE)
                (void) queue_cancel(&m->queue, r->id, 0, RESULT_CANCELED, &fault);
        /* The kernel let its program go when the daemon ended: what was begun for it is put right, and nobody is let in. */
        if (r->op.kind == OP_FOREIGN)
                (void) queue_cancel(&m->queue, r->id, 0, RESULT_INTERRUPTED, &fault);
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
static int take_next_id(Manager *m) {
        size_t n = m->records.n;
        int r;

        r = ledger_read_next_id(&m->ledger, &m->queue.next_id);
        if (r >= 0 && n > 0 && m->records.items[n - 1]->id >= m->queue.next_id)
                m->queue.next_id = m->records.items[n - 1]->id + 1;
        return r;
}

int recover_start(Manager *m) {
        Recovery *rec;
        int r;

        r = ledger_load(&m->ledger, &m->records);
        if (r >= 0)
                r = take_next_id(m);
        if (r < 0)
                return r;
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
                log_line(LOG_NOTICE, debts_job(rec),
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
