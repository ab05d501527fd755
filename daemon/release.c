/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Release: a child is told to write
 *
 * The order is the promise of the ledger: the child waits, its name is written down, only then is it asked.
 */
#include "core/names.h"

#include "daemon/log.h"
#include "daemon/manager.h"

#define USEC_PER_SEC UINT64_C(1000000)

/* True if the job's own guard keeps the step from testing the vfio group. */
static bool is_guarded(const Manager *m, const Record *r, const Step *step) {
        const Fn *fn = snapshot_find(m->snapshot, step->fn);

        return fn && fn->iommu_group >= 0 && guards_have(&m->guards, r->id, fn->iommu_group);
}

int manager_release(Manager *m, Record *r, size_t index, const Step *step) {
        WorkerRequest request = {
                .work = WORKER_STEP, .job = r->id, .index = index, .step = *step
        };
        uint64_t deadline = pace_deadline_sec(&m->pace, step) * USEC_PER_SEC;
        Worker *w;
        int k;

        /* Whatever is bound again must be free to be opened; a rescan binds, too, and a group that we hold is not made anew. */
        if (step->rung >= RUNG_RESCAN || r->phase == CLIMB_BACK)
                guards_close(&m->guards, r->id);
        request.guarded = is_guarded(m, r, step);
        /* Whoever was held when the last daemon died was let in by the kernel, and may be at it now. */
        request.unordered = gate_has_unordered(&m->gate) || m->recovery;
        /* An earlier daemon may have locked the doors, and the gate is not looked after yet when a recovery begins. */
        request.unlocks = m->gate.mode == GATE_EXCLUSIVE || m->recovery;
        gate_latch(m, r->pf);
        stuck_begin(r);
        k = workers_get(&m->workers, &w);
        if (k < 0)
                return log_error_errno(k, "job %u: cannot start a process for %s", r->id,
                                       rung_to_string(step->rung));
        k = ledger_begin(&m->ledger, r->id, index, &w->process);
        if (k < 0)
                return log_error_errno(k, "job %u: cannot write the ledger, and so not do %s",
                                       r->id, rung_to_string(step->rung));
        k = worker_ask(w, &request, deadline);
        if (k < 0)
                return log_error_errno(k, "job %u: cannot ask a process for %s", r->id,
                                       rung_to_string(step->rung));
        r->stage = step->rung;
        r->news |= NEWS_STEP;
        return 0;
}
