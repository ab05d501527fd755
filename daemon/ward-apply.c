/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wards: what is applied without anybody's asking
 *
 * An ordinary job as any other, in the name of root, with its reason. One PF's failure is that PF's alone.
 */
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "base/str.h"

#include "daemon/log.h"
#include "daemon/manager.h"
#include "daemon/ward.h"

static void note_boot_job(Wards *all, uint32_t id) {
        uint32_t *more = reallocarray(all->boot_jobs, all->n_boot_jobs + 1, sizeof(uint32_t));

        if (!more)
                return;
        all->boot_jobs = more;
        more[all->n_boot_jobs++] = id;
}

/* What is refused now and may be possible in a moment. */
static bool is_for_now(FaultReason reason) {
        return reason == FAULT_QUEUE_FULL || reason == FAULT_GOING || reason == FAULT_WEDGED ||
               reason == FAULT_QUARANTINED || reason == FAULT_BUSY;
}

/* A policy that keeps the number of VFs does not know how many there were before the host slept. */
static int give_back(Manager *m, Ward *w) {
        const Caller caller = { .uid = 0 };
        Wish wish = {
                .op = { .kind = OP_SET_VFS, .fn = w->pf, .flags = OP_ALONE, .count = w->back },
                .reason = "resume",
                .automatic = true,
                .insists = true
        };
        Fault fault;
        uint32_t id;
        int r = manager_submit(m, &wish, &caller, &id, &fault);

        if (r != MANAGER_E_REFUSED || !is_for_now(fault.reason))
                w->back = 0;
        return r;
}

/* Two policies that both want it end in a job as well, which says so. */
static void apply(Manager *m, Ward *w, const Wanted *wanted) {
        const Caller caller = { .uid = 0 };
        Wish wish = { .op = { .kind = OP_APPLY, .fn = w->pf, .flags = wanted ? wanted->flags : 0 },
                      .automatic = true,
                      .insists = true };
        char text[FAULT_STR_MAX];
        Fault fault;
        int r;

        if (w->reason && streq(w->reason, WARD_DRIFT))
                wish.op.flags |= OP_LEAVE_OWN;
        (void) str_copy(wish.reason, sizeof(wish.reason), w->reason ? w->reason : "policy");
        if (wanted && wanted->has_count)
                w->back = 0;
        if (w->back > 0 && give_back(m, w) != 0 && w->back > 0)
                return;
        r = manager_submit(m, &wish, &caller, &w->job, &fault);
        if (r == MANAGER_E_REFUSED && is_for_now(fault.reason))
                return;
        w->due = false;
        if (r == 0)
                wards_agree(m, w);
        if (r == 0 && m->wards.booting)
                note_boot_job(&m->wards, w->job);
        if (r == MANAGER_E_REFUSED)
                log_line(LOG_ERR, NULL, "its policy is not applied: %s",
                         fault_format(&fault, text, sizeof(text)));
        else if (r < 0)
                log_error_errno(r, "%s: cannot apply its policy", BDF_STR(w->pf));
}

/* A udev that does not come to its end, or a child, is not waited for any longer than this. */
#define NAMED_MAX_USEC UINT64_C(20000000)

/* By the names that it has before udev has given it others another policy may be its, or none. */
static bool may_be_others(Manager *m, const Ward *w) {
        bool known = w->state != WARD_UNKNOWN && wards_are_named(m, w) &&
                     (w->state != WARD_FREE || !sight_is_stale(w));

        if (m->wards.policies.n == 0 || known)
                return false;
        if (wards_now() >= w->due_since + NAMED_MAX_USEC)
                return w->state == WARD_UNKNOWN;
        wards_wake_at(m, w->due_since + NAMED_MAX_USEC);
        return true;
}

/* It keeps its place in the list while it is walked: a job's submission looks at the world, and changes no ward. */
void wards_apply_due(Manager *m) {
        for (size_t i = 0; i < m->wards.n; i++) {
                Ward *w = m->wards.items + i;
                const Wanted *wanted = wards_wanted(m, w->pf);

                if (!w->due || may_be_others(m, w))
                        continue;
                if ((w->state == WARD_WANTED && wanted) || w->state == WARD_CONFLICT)
                        apply(m, w, wanted);
                else
                        w->due = false;
        }
}

static bool has_ended(const Manager *m, uint32_t id) {
        const Record *r = id > 0 ? records_find(&m->records, id) : NULL;

        return !r || r->state == JOB_ENDED;
}

/*
 * A PF without a driver that udev has not looked at may still get one, and with it a name or a driver that a policy asks for. One
 * that udev is done with is late: it gets its policy when its driver comes.
 */
static bool may_still_come(const Manager *m, const Fn *pf) {
        return m->wards.policies.n > 0 && pf->total_vfs > 0 && pf->driver[0] == '\0' &&
               !ready_is_known(m, pf);
}

bool wards_are_settled(const Manager *m) {
        if (m->recovery || m->wards.stale)
                return false;
        for (const Ward *w = m->wards.items; w && w < m->wards.items + m->wards.n; w++) {
                const Fn *pf = snapshot_find(m->snapshot, w->pf);

                if (w->state == WARD_UNKNOWN || w->due || !has_ended(m, w->job) ||
                    (pf && may_still_come(m, pf)))
                        return false;
        }
        return true;
}
