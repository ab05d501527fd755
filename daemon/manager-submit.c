/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Manager: what clients ask for
 *
 * What can be refused is refused here and now, with nothing queued and nothing written. What comes behind other jobs is
 * planned in its turn, and until then only what cannot change is held against it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#include "core/near.h"

#include "daemon/log.h"
#include "daemon/manager.h"
#include "daemon/persist.h"
#include "daemon/plan-id.h"
#include "daemon/recover.h"

static int refuse(Fault *ret, Fault fault) {
        *ret = fault;
        return MANAGER_E_REFUSED;
}

/* True if a job before this one may change what it will find. One that stands aside keeps off all that is near it. */
static bool comes_behind(const Manager *m, const Op *op) {
        for (const Job *j = m->queue.jobs; j < m->queue.jobs + QUEUE_MAX; j++) {
                if (j->state == JOB_FREE || j->state == JOB_ENDED || j->aside)
                        continue;
                if (!near_is_local(op) || !near_is_local(&j->op) ||
                    bdf_equal(j->pf, near_pf(m->snapshot, op)))
                        return true;
        }
        return false;
}

/* What holds whatever happens to the device before its turn. */
static bool is_for_good(FaultReason reason) {
        switch (reason) {
        case FAULT_NO_SUCH_DEVICE:
        case FAULT_NO_SUCH_SLOT:
        case FAULT_NOT_SRIOV:
        case FAULT_NOT_PF:
        case FAULT_TOO_MANY_VFS:
        case FAULT_BAD_NAME:
        case FAULT_VF_HAS_NO_REMOVE:
        case FAULT_FOREIGN_BRIDGE:
                return true;
        default:
                return false;
        }
}

static int plan_now(Manager *m, const Wish *wish, Fault *ret_fault) {
        _cleanup_(plan_freep) Plan *plan = NULL;
        char id[PLAN_ID_MAX];
        int r;

        r = ladder_plan(m->snapshot, &wish->op, NULL, &plan, ret_fault);
        if (r != 0)
                return r;
        if (wish->expect[0] != '\0' && !streq(wish->expect, plan_id(plan, id)))
                return refuse(ret_fault, fault_text(FAULT(FAULT_PLAN_STALE), wish->expect));
        return 0;
}

/* A refusal is given only after a fresh look: events may be late. */
static int check(Manager *m, const Wish *wish, Fault *ret_fault) {
        bool behind = comes_behind(m, &wish->op);
        int r;

        r = plan_now(m, wish, ret_fault);
        if (r > 0 && !(behind && !is_for_good(ret_fault->reason))) {
                (void) manager_look(m);
                r = plan_now(m, wish, ret_fault);
        }
        return r > 0 && behind && !is_for_good(ret_fault->reason) ? 0 : r;
}

static int check_stuck(const Manager *m, const Op *op, Fault *ret_fault) {
        const Record *stuck;
        uint32_t id;

        if (!recover_is_stuck(m->recovery, &id))
                return 0;
        stuck = records_find(&m->records, id);
        if (stuck && !bdf_is_none(stuck->pf) && bdf_equal(stuck->pf, near_pf(m->snapshot, op)))
                return refuse(ret_fault, FAULT(FAULT_QUARANTINED, .fn = stuck->pf, .number = id));
        return refuse(ret_fault,
                      FAULT(FAULT_WEDGED, .fn = stuck ? stuck->pf : BDF_NONE, .number = id));
}

static int on_timeout(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata);

/* Counted from the job's creation, also by a daemon that was started after it. */
int manager_arm_timeout(Manager *m, Record *r) {
        uint64_t end = r->created + r->timeout_usec;

        r->timeout = sd_event_source_disable_unref(r->timeout);
        /* Longer than the clock can count is for ever. */
        if (r->timeout_usec == 0 || end < r->created)
                return 0;
        return sd_event_add_time(m->event, &r->timeout, CLOCK_REALTIME, end, 0, on_timeout, m);
}

static void stop_job(Manager *m, Record *r) {
        const Job *j = queue_find(&m->queue, r->id);
        int k;

        if (j && !m->recovery)
                manager_take_over(r, j);
        r->news |= NEWS_STATE;
        k = r->unlisted ? 0 : ledger_note(&m->ledger, r);
        if (k < 0)
                log_error_errno(k, "job %u: cannot write the ledger", r->id);
        manager_kick(m);
}

static int on_timeout(sd_event_source *source, uint64_t usec _unused_, void *userdata) {
        Manager *m = userdata;
        Fault fault;

        FOREACH_RECORD (r, &m->records) {
                if (r->timeout != source)
                        continue;
                r->timeout = sd_event_source_disable_unref(r->timeout);
                if (queue_cancel(&m->queue, r->id, 0, RESULT_TIMEOUT, &fault) == 0)
                        stop_job(m, r);
                break;
        }
        return 0;
}

/*
 * What a foreign job does itself is let somebody in, who is let in as well if we die. Where more is done for it, that must be
 * known to the next daemon.
 */
static bool is_unlisted(const Op *op) {
        return op->kind == OP_FOREIGN && !(op->flags & OP_PROTECT) && op->door != DOOR_REMOVE &&
               op->door != DOOR_SLOT;
}

static int new_record(const Wish *wish, const Caller *caller, const Job *j, Record **ret) {
        _cleanup_(record_freep) Record *r = record_new();

        if (!r)
                return -ENOMEM;
        r->id = j->id;
        r->op = wish->op;
        r->pf = j->pf;
        r->order = j->order;
        r->uid = caller->uid;
        r->pid = caller->pid;
        r->askers[0] = caller->uid;
        r->n_askers = 1;
        r->timeout_usec = wish->timeout_usec;
        r->created = manager_now();
        r->unlisted = is_unlisted(&wish->op);
        r->automatic = wish->automatic;
        r->persist = wish->persist;
        if (caller->opener) {
                r->opener = malloc(sizeof(Opener));
                if (!r->opener)
                        return -ENOMEM;
                *r->opener = *caller->opener;
        }
        if (wish->reason[0] != '\0' && !(r->reason = strdup(wish->reason)))
                return -ENOMEM;
        if (wish->expect[0] != '\0' && !(r->expect = strdup(wish->expect)))
                return -ENOMEM;
        *ret = TAKE_PTR(r);
        return 0;
}

/* In the ledger before anybody hears of it. */
static int add_record(Manager *m, Record *r) {
        int k;

        k = ledger_write_next_id(&m->ledger, m->queue.next_id);
        if (k >= 0 && !r->unlisted)
                k = ledger_write(&m->ledger, r, NULL);
        if (k < 0)
                return log_error_errno(k, "cannot write the ledger");
        k = manager_arm_timeout(m, r);
        return k < 0 ? k : records_add(&m->records, r);
}

/* The queue's job without a record is taken back; it was never heard of. */
static int job_new(Manager *m, const Wish *wish, const Caller *caller, uint32_t id) {
        _cleanup_(record_freep) Record *r = NULL;
        Fault fault;
        int k;

        k = new_record(wish, caller, queue_find(&m->queue, id), &r);
        if (k >= 0)
                k = add_record(m, r);
        if (k < 0) {
                ledger_forget(&m->ledger, id);
                (void) queue_cancel(&m->queue, id, 0, RESULT_TIMEOUT, &fault);
                manager_kick(m);
                return k;
        }
        log_job_new(r);
        bus_job_new(&m->bus, r);
        r = NULL;
        manager_kick(m);
        return 0;
}

/* One more asks for the same: the job lives as long as the more patient one wants. */
static int job_merged(Manager *m, const Wish *wish, const Caller *caller, uint32_t id) {
        Record *r = records_find(&m->records, id);

        if (!r)
                return -ENOENT;
        if (r->n_askers < QUEUE_ASKERS)
                r->askers[r->n_askers++] = caller->uid;
        if (wish->timeout_usec == 0)
                r->timeout_usec = 0;
        else if (r->timeout_usec > 0 &&
                 manager_now() + wish->timeout_usec > r->created + r->timeout_usec)
                r->timeout_usec = manager_now() - r->created + wish->timeout_usec;
        log_line(LOG_INFO, r, "%s: uid %u asks for the same as job %u, and gets that",
                 RECORD_OBJECT(r), caller->uid, id);
        (void) manager_arm_timeout(m, r);
        /* A note, for during a recovery the file still has the plan and children of the last daemon. */
        return ledger_note(&m->ledger, r);
}

int manager_submit(Manager *m, const Wish *wish, const Caller *caller, uint32_t *ret_id,
                   Fault *ret_fault) {
        int r;

        r = wish->op.kind == OP_APPLY && !wish->insists ? wards_check(m, wish->op.fn, ret_fault)
                                                        : 0;
        if (r == 0 && wish->persist)
                r = persist_check(m, wish->op.fn, ret_fault);
        if (r == 0)
                r = check_stuck(m, &wish->op, ret_fault);
        /* What is wanted may be told only after a child has looked. */
        if (r == 0 && !wish->insists && (wish->op.kind != OP_APPLY || wards_wanted(m, wish->op.fn)))
                r = check(m, wish, ret_fault);
        if (r != 0)
                return r;
        r = queue_submit(&m->queue, m->snapshot, &wish->op, caller->uid, ret_id, ret_fault);
        if (r == QUEUE_E_REFUSED)
                return MANAGER_E_REFUSED;
        return r == QUEUE_E_MERGED ? job_merged(m, wish, caller, *ret_id)
                                   : job_new(m, wish, caller, *ret_id);
}

int manager_submit_foreign(Manager *m, const Op *op, const Opener *opener, uint32_t *ret_id,
                           Fault *ret_fault) {
        const Caller caller = { .uid = opener->uid,
                                .pid = (uint32_t) opener->pid,
                                .opener = opener };
        Wish wish = { .op = *op };
        int r;

        r = check_stuck(m, op, ret_fault);
        if (r == 0)
                r = queue_submit(&m->queue, m->snapshot, op, opener->uid, ret_id, ret_fault);
        return r == 0 ? job_new(m, &wish, &caller, *ret_id) : r;
}

int manager_cancel(Manager *m, uint32_t id, const Caller *caller, Fault *ret_fault) {
        const Job *j = queue_find(&m->queue, id);
        Record *r = records_find(&m->records, id);

        if (!j || !r || queue_cancel(&m->queue, id, caller->uid, RESULT_CANCELED, ret_fault) != 0) {
                if (!j || !r)
                        *ret_fault = FAULT(FAULT_NO_SUCH_JOB, .number = id);
                return MANAGER_E_REFUSED;
        }
        r->n_askers = j->n_askers;
        memcpy(r->askers, j->askers, sizeof(r->askers));
        log_line(LOG_INFO, r, "%s: job %u: uid %u cancels it", RECORD_OBJECT(r), id, caller->uid);
        stop_job(m, r);
        return 0;
}
