/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Manager: takes the answers of children
 */
#include "daemon/log.h"
#include "daemon/manager-run.h"
#include "daemon/persist.h"
#include "daemon/recover.h"
#include "daemon/users.h"

/* The guard is the daemon's from here on. */
static void take_guard(Manager *m, const WorkerRequest *request, const WorkerReply *reply,
                       WorkerFds *fds, StepResult *result) {
        int k;

        if (fds->guard < 0)
                return;
        k = guards_add(&m->guards, request->job, reply->group, TAKE_FD(fds->guard));
        if (k < 0)
                *result = (StepResult){ .answer = STEP_FAILED, .error = -k };
}

/* Who is there: told to clients and kept, also where the job goes on all the same. */
static void take_users(Manager *m, Record *r, const WorkerRequest *request,
                       const WorkerReply *reply, const WorkerFds *fds, StepResult *result) {
        Holders found = {};
        int k;

        users_complete(m, request, reply, fds, result, &found);
        k = record_add_holders(r, &found);
        if (k >= 0 && found.n > 0)
                k = ledger_holders(&m->ledger, r->id, &found);
        if (k < 0)
                log_error_errno(k, "job %u: cannot keep who uses %s", r->id,
                                BDF_STR(request->step.fn));
        holders_done(&found);
}

static Outcome outcome_of(Manager *m, Record *r, const WorkerRequest *request,
                          const WorkerReply *reply, WorkerFds *fds) {
        Outcome outcome = { .index = request->index, .result = { .answer = STEP_DIED } };

        if (!reply)
                return outcome;
        outcome.result = reply->result;
        outcome.usec = reply->usec;
        if (request->step.rung == RUNG_REFUSE_IF_HELD) {
                take_guard(m, request, reply, fds, &outcome.result);
                take_users(m, r, request, reply, fds, &outcome.result);
        }
        return outcome;
}

static void step_answered(Manager *m, pid_t pid, const WorkerRequest *request,
                          const WorkerReply *reply, WorkerFds *fds) {
        Record *r = records_find(&m->records, request->job);
        const Job *j = queue_find(&m->queue, request->job);
        Outcome outcome;
        int k;

        if (!r)
                return;
        outcome = outcome_of(m, r, request, reply, fds);
        k = ledger_end(&m->ledger, r->id, &outcome);
        if (k < 0)
                log_error_errno(k, "job %u: cannot write the ledger", r->id);
        else
                result_forget(m->ledger.results, r->id, pid);
        log_job_step(r, &request->step, &outcome.result, outcome.usec);
        metrics_step_over(m, &request->step, outcome.usec);
        stuck_step_over(m, r, pid, &request->step, &outcome);
        r->news |= NEWS_STEP;
        if (m->recovery) {
                recover_step_done(m, request, &outcome);
                return;
        }
        (void) record_add_act(r, &request->step, outcome.result.answer, outcome.usec);
        if (outcome.result.answer == STEP_DONE)
                sight_note(m, &request->step);
        (void) queue_step_done(&m->queue, r->id, request->index, &outcome.result);
        if (j)
                manager_take_over(r, j);
}

void manager_answered(pid_t pid, const WorkerRequest *request, const WorkerReply *reply,
                      WorkerFds *fds, void *userdata) {
        Manager *m = userdata;

        switch (request->work) {
        case WORKER_STEP:
                step_answered(m, pid, request, reply, fds);
                break;
        case WORKER_NAMES:
                titles_answered(m, request, reply);
                break;
        case WORKER_ELSEWHERE:
                others_answered(m, request, reply, fds);
                break;
        case WORKER_SIGHT:
                if (request->for_client)
                        inquiry_answered(m, request, reply, fds);
                else
                        sight_answered(m, request, reply, fds);
                break;
        case WORKER_USERS:
        case WORKER_DIAGNOSE:
                inquiry_answered(m, request, reply, fds);
                break;
        case WORKER_KEEP:
                saves_answered(m, request, reply);
                break;
        }
        manager_kick(m);
}
