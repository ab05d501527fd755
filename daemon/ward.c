/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wards
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "base/macro.h"
#include "base/str.h"

#include "conf/policy.h"

#include "daemon/hands.h"
#include "daemon/log.h"
#include "daemon/manager.h"

#define USEC_PER_SEC UINT64_C(1000000)
/* Twice what the unit waits for. */
#define BOOT_MAX_USEC (60 * USEC_PER_SEC)

uint64_t wards_now(void) {
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t) ts.tv_sec * USEC_PER_SEC + (uint64_t) ts.tv_nsec / 1000;
}

static void ward_done(Ward *w) {
        pf_facts_done(&w->facts);
}

/* The index of the first ward that is not before pf. */
static size_t lower_bound(const Wards *all, Bdf pf) {
        size_t low = 0, high = all->n;

        while (low < high) {
                size_t mid = low + (high - low) / 2;

                if (bdf_compare(all->items[mid].pf, pf) < 0)
                        low = mid + 1;
                else
                        high = mid;
        }
        return low;
}

Ward *wards_add(Wards *all, const Fn *pf) {
        size_t at = lower_bound(all, pf->bdf);
        Ward *more;

        more = reallocarray(all->items, all->n + 1, sizeof(Ward));
        if (!more)
                return NULL;
        all->items = more;
        memmove(more + at + 1, more + at, (all->n - at) * sizeof(Ward));
        all->n++;
        more[at] = (Ward){ .pf = pf->bdf, .identity = pf->identity };
        return more + at;
}

void wards_drop(Wards *all, size_t i) {
        ward_done(all->items + i);
        memmove(all->items + i, all->items + i + 1, (all->n - i - 1) * sizeof(Ward));
        all->n--;
}

void wards_done(Wards *all) {
        for (size_t i = 0; i < all->n; i++)
                ward_done(all->items + i);
        free(all->items);
        free(all->boot_jobs);
        policies_done(&all->policies);
        wanteds_done(&all->wanted);
        sd_event_source_disable_unref(all->timer);
        *all = (Wards){};
}

Ward *wards_find(const Wards *all, Bdf pf) {
        size_t at = lower_bound(all, pf);

        return at < all->n && bdf_equal(all->items[at].pf, pf) ? all->items + at : NULL;
}

const Wanted *wards_wanted(const Manager *m, Bdf pf) {
        return wanteds_find(&m->wards.wanted, pf);
}

bool wards_is_by_hand(const Manager *m, Bdf pf) {
        const Ward *w = wards_find(&m->wards, pf);

        return w && w->by_hand;
}

int wards_load(Manager *m, SettingsError *ret_error) {
        Policies policies = {};
        Mistakes mistakes = {};
        int r = policies_load(&policies, &mistakes);

        for (size_t i = 0; i < mistakes.n; i++)
                log_line(LOG_ERR, NULL, "%s, going on %s", mistakes.items[i].error.text,
                         m->wards.loaded ? "with the policies as they were"
                                         : "without that file's policies");
        if (mistakes.n > 0)
                *ret_error = mistakes.items[0].error;
        mistakes_done(&mistakes);
        if (r == -ENOMEM)
                log_error_errno(r, "cannot read the policies, keeping the old ones");
        if (r == -ENOMEM || (r < 0 && m->wards.loaded)) {
                policies_done(&policies);
                return r;
        }
        m->wards.loaded = true;
        m->wards.partial = r < 0;
        policies_done(&m->wards.policies);
        m->wards.policies = policies;
        m->wards.stale = true;
        for (Ward *w = m->wards.items; w && w < m->wards.items + m->wards.n; w++) {
                w->given_up = false;
                w->n_repairs = 0;
        }
        return r;
}

void wards_start(Manager *m) {
        SettingsError error;

        m->wards.booting = hands_is_first(m->ledger.fd);
        m->wards.boot_end = wards_now() + BOOT_MAX_USEC;
        (void) wards_load(m, &error);
}

static void tell_state(const Ward *w, WardState before, const Policy *p) {
        if (w->state == WARD_CONFLICT && before != WARD_CONFLICT)
                log_line(LOG_ERR, NULL, "%s: policies %s have the same priority, applying neither",
                         BDF_STR(w->pf), w->conflict);
        if (w->state == WARD_WANTED && before != WARD_WANTED)
                log_line(LOG_INFO, NULL, "%s: policy %s is its", BDF_STR(w->pf), p->name);
}

static void find_policy(Manager *m, Ward *w, const Fn *pf) {
        const Policy *p = NULL, *other = NULL;
        WardState before = w->state;
        Wanted wanted;
        int r = policy_find(&m->wards.policies, m->snapshot, pf, w->has_facts ? &w->facts : NULL,
                            &p, &other);

        w->state = r == 0                   ? WARD_WANTED
                   : r == POLICY_E_CONFLICT ? WARD_CONFLICT
                   : r == POLICY_E_UNKNOWN  ? WARD_UNKNOWN
                                            : WARD_FREE;
        if (w->state == WARD_CONFLICT)
                (void) policies_name_both(p, other, w->conflict);
        w->hands_off[0] = '\0';
        if (w->state == WARD_FREE && p)
                (void) policy_name_place(p, w->hands_off);
        if (r == 0)
                r = policy_want(p, pf, &wanted);
        if (w->state != WARD_UNKNOWN)
                wards_take_wish(m, w, r == 0 ? &wanted : NULL);
        if (r == 0)
                r = wanteds_put(&m->wards.wanted, &wanted);
        if (r < 0) {
                w->state = WARD_FREE;
                log_error_errno(r, "%s: cannot tell what is wanted of it", BDF_STR(pf->bdf));
                return;
        }
        tell_state(w, before, p);
}

void wards_tell(Manager *m) {
        Wards *all = &m->wards;

        if (!all->stale)
                return;
        wanteds_done(&all->wanted);
        m->snapshot->wanted = &all->wanted;
        all->stale = false;
        for (Ward *w = all->items; w && w < all->items + all->n; w++) {
                const Fn *pf = snapshot_find(m->snapshot, w->pf);

                w->judged = 0;
                /* One that is gone has its ward until the next wards_sync(). */
                if (pf)
                        find_policy(m, w, pf);
        }
}

void wards_take_facts(Manager *m, PfFacts *facts) {
        Ward *w = wards_find(&m->wards, facts->pf);

        if (!w || w->identity != facts->identity) {
                pf_facts_done(facts);
                return;
        }
        pf_facts_done(&w->facts);
        w->facts = *facts;
        w->has_facts = true;
        w->judged = 0;
        m->wards.stale = true;
}
