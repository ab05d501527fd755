/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wards: drift
 *
 * What is wanted and was so is not so any more: told once for each difference, and repaired where the policy says so. Another
 * program that wants it otherwise is not fought: the time between two repairs doubles, and after some in a row we give up and say so.
 */
#include <errno.h>
#include <syslog.h>

#include "base/macro.h"
#include "base/str.h"

#include "daemon/hash.h"
#include "daemon/log.h"
#include "daemon/manager.h"
#include "daemon/ward.h"

#define USEC_PER_SEC UINT64_C(1000000)
/* Another program may be in the middle of it: it gets a moment to come to its end. */
#define SETTLE_USEC USEC_PER_SEC
#define REPAIRS_MAX 5
#define PAUSE_MAX_SEC 300
/* What held for so long was a good repair. */
#define STABLE_USEC (600 * USEC_PER_SEC)

/* What cannot be seen is no drift: it may be as it was set. */
static void keep_visible(Differences *d) {
        size_t n = 0;

        for (size_t i = 0; i < d->n; i++)
                if (d->items[i].seen[0] != '\0')
                        d->items[n++] = d->items[i];
        d->n = n;
}

static uint64_t hash_of(const Differences *d) {
        uint64_t h = HASH_START;

        for (size_t i = 0; i < d->n; i++) {
                const Difference *x = d->items + i;

                h = hash_number(h, (uint64_t) x->vf);
                h = hash_string(hash_string(hash_string(h, x->what), x->wanted), x->seen);
        }
        return d->n > 0 ? h : 0;
}

static bool all_are_own(const Differences *d) {
        for (size_t i = 0; i < d->n; i++)
                if (!d->items[i].own)
                        return false;
        return d->n > 0;
}

/* Why it stays as it is, or NULL. */
static const char *why_left(const Manager *m, const Ward *w, const Wanted *wanted,
                            const Differences *d) {
        if (w->driver[0] == '\0')
                return "leaving it until its driver is back";
        if (w->by_hand)
                return "leaving it as it was set by hand";
        if (wards_is_unasked(w))
                return "leaving it until somebody applies it";
        if (!wanted->reconcile)
                return "leaving it, for reconcile is false";
        if (m->wards.partial)
                return "leaving it until no policy file has a mistake";
        return all_are_own(d) ? "leaving it, for a trusted VF may choose it" : NULL;
}

static void tell(Manager *m, Ward *w, const Wanted *wanted, const Differences *d) {
        const char *left = why_left(m, w, wanted, d);
        uint64_t h = hash_of(d);

        w->n_drift = d->n;
        if (h == w->drift)
                return;
        w->drift = h;
        for (size_t i = 0; i < d->n; i++)
                bus_drift(&m->bus, wanted, d->items + i);
        if (d->n > 0)
                log_line(LOG_NOTICE, NULL, "%s: %s policy %s: %s is %s in place of %s%s, %s",
                         BDF_STR(w->pf),
                         wards_is_unasked(w) ? "not yet as the changed" : "drifted from",
                         wanted->policy, d->items[0].what, d->items[0].seen, d->items[0].wanted,
                         d->n > 1 ? " and more" : "", left ? left : "putting it right");
        else
                log_line(LOG_INFO, NULL, "%s: is as policy %s wants it again", BDF_STR(w->pf),
                         wanted->policy);
}

static void give_up(Ward *w, const Wanted *wanted) {
        w->given_up = true;
        log_line(LOG_WARNING, NULL,
                 "%s: drifted from policy %s %u times in a row, leaving it; another program wants "
                 "it "
                 "otherwise, 'sriovctl apply %s' tries again",
                 BDF_STR(w->pf), wanted->policy, w->n_repairs, BDF_STR(w->pf));
}

static uint64_t pause_of(const Ward *w) {
        return MIN2(USEC_PER_SEC << MIN2(w->n_repairs, 9u), PAUSE_MAX_SEC * USEC_PER_SEC);
}

/* Once a drift is seen its repair gets a time; it is due when that has come and the drift is there still. */
static void repair(Manager *m, Ward *w, const Wanted *wanted) {
        uint64_t now = wards_now();

        if (w->n_repairs >= REPAIRS_MAX) {
                if (!w->given_up)
                        give_up(w, wanted);
                return;
        }
        if (w->repair_at == 0)
                w->repair_at = now + (w->n_repairs > 0 ? pause_of(w) : SETTLE_USEC);
        if (now < w->repair_at) {
                wards_wake_at(m, w->repair_at);
                return;
        }
        w->repair_at = 0;
        w->drift = 0; /* what differs after that is another drift, and told */
        w->n_repairs++;
        wards_be_due(w, WARD_DRIFT);
        manager_kick(m);
}

/* A state that held so long was a good repair's; what comes after it is another matter. */
static void note_good(Ward *w, bool is) {
        uint64_t now = wards_now();

        if (!is && w->good > 0 && now - w->good >= STABLE_USEC) {
                w->n_repairs = 0;
                w->given_up = false;
        }
        w->good = !is ? 0 : w->good > 0 ? w->good : now;
}

/* What would be refused before its first step is no better the next time. */
static bool can_be_planned(const Manager *m, const Wanted *wanted) {
        const Op op = { .kind = OP_APPLY, .fn = wanted->pf, .flags = wanted->flags };
        _cleanup_(plan_freep) Plan *plan = NULL;
        Fault fault;

        return ladder_plan(m->snapshot, &op, NULL, &plan, &fault) == 0;
}

static void look(Manager *m, Ward *w, const Wanted *wanted) {
        Differences d = {};

        if (wanted_minus_seen(wanted, m->snapshot, &d) < 0)
                return;
        keep_visible(&d);
        tell(m, w, wanted, &d);
        note_good(w, d.n == 0);
        if (d.n == 0) {
                w->repair_at = 0;
                wards_agree(m, w);
        } else if (!why_left(m, w, wanted, &d) && can_be_planned(m, wanted))
                repair(m, w, wanted);
        differences_done(&d);
}

void wards_look_for_drift(Manager *m) {
        for (size_t i = 0; i < m->wards.n; i++) {
                Ward *w = m->wards.items + i;
                const Wanted *wanted = wards_wanted(m, w->pf);
                const Fn *pf = snapshot_find(m->snapshot, w->pf);

                /* In the middle of a job nothing is as it will be, and a PF that never had a driver is late. */
                if (!wanted || !pf || w->due || w->usual[0] == '\0' ||
                    world_pf_state(m, pf) != PF_OK || sight_is_stale(w))
                        continue;
                /* A repair waits for its time; else nothing has changed that could be another thing than it was. */
                if (w->judged == w->world && w->repair_at == 0)
                        continue;
                w->judged = w->world;
                look(m, w, wanted);
        }
}
