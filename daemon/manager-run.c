/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Manager: runs the queue's effects
 */
#include <errno.h>
#include <string.h>

#include "base/str.h"

#include "kernel/scan.h"

#include "daemon/log.h"
#include "daemon/manager-run.h"
#include "daemon/persist.h"
#include "daemon/plan-id.h"
#include "daemon/sleep.h"

static int keep(Manager *m, const Record *r, const Climb *climb) {
        int k;

        if (r->unlisted)
                return 0;
        k = ledger_write(&m->ledger, r, climb);
        return k < 0 ? log_error_errno(k, "job %u: cannot write the ledger", r->id) : k;
}

/* Takes over what the queue knows better. Until the end the result is what the next daemon would have to say. */
void manager_take_over(Record *r, const Job *j) {
        const Fault more = FAULT(FAULT_MORE_WARNINGS, .number = j->n_more_warnings);
        char text[FAULT_STR_MAX];
        size_t warned = strv_length(r->warnings);

        if (r->state != j->state)
                r->news |= NEWS_STATE;
        r->state = j->state;
        r->phase = j->climb.phase;
        r->has_before = j->has_before;
        r->rolling = j->rolling;
        r->count_before = j->count_before;
        memcpy(r->driver_before, j->driver_before, sizeof(r->driver_before));
        if (r->started == 0 && j->state != JOB_WAITING)
                r->started = manager_now();
        if (!r->settled && j->climb.failed)
                r->result = RESULT_FAILED;
        else if (!r->settled && j->stop)
                r->result = j->stop_as;
        if (!r->settled)
                (void) record_set_fault(r, &j->fault);
        for (uint32_t i = 0; i < j->n_warnings; i++)
                (void) record_warn(r, fault_format(j->warnings + i, text, sizeof(text)));
        /* Their number is known when it is over. */
        if (j->state == JOB_ENDED && more.number > 0)
                (void) record_warn(r, fault_format(&more, text, sizeof(text)));
        if (strv_length(r->warnings) != warned)
                r->news |= NEWS_WARNINGS;
}

/* A plan of its own, another than the caller of that job had in mind: nothing may be written. */
static bool is_expected(Manager *m, const Record *r, const Job *j) {
        _cleanup_(plan_freep) Plan *plan = NULL;
        char id[PLAN_ID_MAX];
        Fault fault;

        if (!r->expect || j->climb.plan ||
            ladder_plan(m->snapshot, &j->op, NULL, &plan, &fault) != 0)
                return true;
        return streq(plan_id(plan, id), r->expect);
}

static void settle(Manager *m, Record *r, JobResult result, const Fault *why) {
        Fault fault;

        if (queue_cancel(&m->queue, r->id, 0, result, &fault) != 0)
                return;
        (void) record_set_fault(r, why);
        r->result = result;
        r->settled = true;
}

/* Of what a policy wants: nobody asked for it, and where people changed the PF since it was queued it is not done. */
static bool is_outdone(const Manager *m, const Record *r) {
        bool gives = r->op.kind == OP_APPLY || (r->op.kind == OP_SET_VFS && r->op.count > 0);

        return r->automatic && gives && wards_is_by_hand(m, r->pf);
}

/* Attributes that are equal already are not written, and that only a child can see. */
static bool wants_sight(const Manager *m, const Record *r) {
        const Wanted *w = wards_wanted(m, r->pf);

        switch (r->op.kind) {
        case OP_SET_VF:
        case OP_ESWITCH:
                return true;
        case OP_APPLY:
                return !w || wanted_needs_sight(w);
        default:
                return false;
        }
}

static void plan_it(Manager *m, const Job *j, Record *r) {
        Fault gone = FAULT(FAULT_CANCELED, .number = r->id);
        Fault fault, stale = fault_text(FAULT(FAULT_PLAN_STALE), r->expect ? r->expect : "");
        uint32_t id = j->id;

        /* Who is only let in needs no look at the host, and should not wait for one. */
        if (!r->unlisted)
                (void) manager_look(m);
        if (r->op.kind == OP_APPLY && wards_check(m, r->pf, &fault) > 0)
                settle(m, r, RESULT_REFUSED, &fault);
        else if (is_outdone(m, r))
                settle(m, r, RESULT_CANCELED, &gone);
        else if (!is_expected(m, r, j))
                settle(m, r, RESULT_REFUSED, &stale);
        (void) queue_planned(&m->queue, id, m->snapshot);
        /* It may have to wait again, for one that came back from aside. */
        j = queue_find(&m->queue, id);
        if (j && j->state != JOB_ENDED)
                manager_take_over(r, j);
}

static void run_snapshot(Manager *m, const Job *j, Record *r) {
        manager_take_over(r, j);
        if (!wants_sight(m, r) || sight_ask_for_job(m, r) < 0)
                plan_it(m, j, r);
}

void manager_seen(Manager *m, Record *r) {
        const Job *j = queue_find(&m->queue, r->id);

        r->patience = sd_event_source_disable_unref(r->patience);
        wards_tell(m);
        if (j)
                plan_it(m, j, r);
        manager_kick(m);
}

static int take_plan(Manager *m, Record *r, const Job *j) {
        int k;

        record_add_stages(r, j->climb.plan);
        r->n_steps = r->n_acts + j->climb.plan->n_steps;
        r->news |= NEWS_STAGES | NEWS_STEP;
        k = keep(m, r, &j->climb);
        r->unkept = k < 0;
        return k;
}

/* A line about a step makes no sense in a file without its plan, and would cost the next daemon the job. */
static void step_failed_to_start(Manager *m, const Record *r, size_t index, int error) {
        Outcome outcome = { .index = index, .result = { .answer = STEP_FAILED, .error = -error } };

        if (!r->unkept && !r->unlisted)
                (void) ledger_end(&m->ledger, r->id, &outcome);
        (void) queue_step_done(&m->queue, r->id, index, &outcome.result);
}

/* The program is let in by the gate: no child, and nothing in the ledger, for it is let in as well if we die. */
static int admit(Manager *m, Record *r, size_t index, const Step *step) {
        r->stage = step->rung;
        r->news |= NEWS_STEP;
        return gate_admit(m, r, index, step);
}

void manager_admitted(Manager *m, uint32_t id, size_t index, const Step *step,
                      const StepResult *result, uint64_t usec) {
        Record *r = records_find(&m->records, id);
        const Job *j;

        if (!r)
                return;
        log_job_step(r, step, result, usec);
        metrics_step_over(m, step, usec);
        (void) record_add_act(r, step, result->answer, usec);
        (void) queue_step_done(&m->queue, id, index, result);
        j = queue_find(&m->queue, id);
        if (j)
                manager_take_over(r, j);
        r->news |= NEWS_STEP;
        manager_kick(m);
}

/* The first step of a plan is begun once: then the plan is new. */
static void run_step(Manager *m, const Job *j, Record *r, size_t index) {
        int k = 0;

        manager_take_over(r, j);
        if (index == 0 || r->unkept)
                k = take_plan(m, r, j);
        if (k >= 0 && j->climb.plan->steps[index].rung == RUNG_ADMIT)
                k = admit(m, r, index, j->climb.plan->steps + index);
        else if (k >= 0)
                k = manager_release(m, r, index, j->climb.plan->steps + index);
        if (k < 0)
                step_failed_to_start(m, r, index, k);
}

/* What clients see of the devices when they hear of the end must be what the job made of them. */
static void look_after(Manager *m, const Record *r) {
        /* What another program did the kernel's events tell. */
        if (r->n_acts == 0 || r->unlisted)
                return;
        m->gate.stale = true;
        if (bdf_is_none(r->pf) || r->op.kind == OP_REMOVE || r->op.kind == OP_FOREIGN)
                (void) manager_look(m);
        else
                (void) scan_fn(m->kernel, m->snapshot, r->pf);
}

/* What an earlier daemon had done of it is in the record, and this queue knows nothing of it. */
static JobResult result_of(const Record *r, const Job *j) {
        if (j->result == RESULT_SKIPPED && r->n_acts > 0)
                return r->result == RESULT_PARTIAL ? RESULT_PARTIAL : RESULT_DONE;
        return j->result == RESULT_DONE && r->result == RESULT_PARTIAL ? RESULT_PARTIAL : j->result;
}

void manager_end(Manager *m, Record *r) {
        r->state = JOB_ENDED;
        r->ended = manager_now();
        r->news |= NEWS_STATE | NEWS_STEP;
        (void) keep(m, r, NULL);
        gate_job_ended(m, r);
        log_job_end(r);
        metrics_job_ended(m, r);
        stuck_end(r);
        look_after(m, r);
        wards_job_ended(m, r);
        world_publish(m);
        bus_job_changed(&m->bus, r);
        bus_job_removed(&m->bus, r);
}

/* The queue is through with it; who waits for a policy as well hears of the end when that is kept. */
static void run_finish(Manager *m, const Job *j, Record *r) {
        manager_take_over(r, j);
        guards_close(&m->guards, r->id);
        if (!r->unlisted && r->n_steps > 0)
                gate_latch(m, BDF_NONE);
        if (!r->settled)
                r->result = result_of(r, j);
        r->stage = _RUNG_MAX;
        r->timeout = sd_event_source_disable_unref(r->timeout);
        if (r->persist && (r->result == RESULT_DONE || r->result == RESULT_SKIPPED) &&
            persist_count(m, r))
                r->state = JOB_RUNNING;
        else
                manager_end(m, r);
}

static void run_effect(Manager *m, const Effect *effect) {
        Record *r = records_find(&m->records, effect->job->id);

        /* Each job of the queue has its record from its first moment on. */
        if (!r)
                return;
        switch (effect->kind) {
        case EFFECT_SNAPSHOT:
                run_snapshot(m, effect->job, r);
                break;
        case EFFECT_STEP:
                run_step(m, effect->job, r, effect->index);
                break;
        case EFFECT_FINISH:
                run_finish(m, effect->job, r);
                break;
        default:
                break;
        }
}

static void tell_news(Manager *m) {
        world_publish(m);
        FOREACH_RECORD (r, &m->records)
                if (r->news != 0)
                        bus_job_changed(&m->bus, r);
        manager_tell_status(m);
}

/*
 * Each job's plan is a look at the whole host, and a queue may be long: clients are answered, and the watchdog is fed, in between.
 */
#define DRAIN_MAX_USEC UINT64_C(50000)

static void run_queue(Manager *m) {
        uint64_t end = wards_now() + DRAIN_MAX_USEC;
        Effect effect;

        while (queue_next(&m->queue, &effect)) {
                run_effect(m, &effect);
                if (wards_now() < end)
                        continue;
                manager_kick(m);
                return;
        }
}

/* Does what the queue says until it has nothing more to say, or for as long as may be, then tells what is new. */
void manager_drain(Manager *m) {
        gate_refuse_waiting(m);
        /* A job out of the ledger is planned by what is wanted, and that must have been told once. */
        if (!m->wards.met_all)
                wards_sync(m);
        if (!m->recovery && !m->gate.asleep)
                run_queue(m);
        wards_sync(m);
        boot_waits_answer(m);
        sleep_prepare(m);
        sleep_let_go(m);
        gate_sync(m);
        tell_news(m);
        manager_forget_ended(m);
        inquiries_ask(m);
        sight_ask(m);
        titles_ask(m);
        saves_ask(m);
        if (manager_state(m) == MANAGER_IDLE)
                workers_let_go(&m->workers);
        else if (manager_state(m) == MANAGER_WEDGED)
                workers_keep_one(&m->workers);
}
