/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wards
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "base/macro.h"
#include "base/str.h"

#include "conf/policy.h"

#include "daemon/hands.h"
#include "daemon/hash.h"
#include "daemon/log.h"
#include "daemon/manager.h"

static void ward_done(Ward *w) {
        pf_facts_done(&w->facts);
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

Ward *wards_find(const Wards *all, Bdf pf) {
        size_t at = lower_bound(all, pf);

        return at < all->n && bdf_equal(all->items[at].pf, pf) ? all->items + at : NULL;
}

const Wanted *wards_wanted(const Manager *m, Bdf pf) {
        return wanteds_find(&m->wards.wanted, pf);
}

int wards_check(const Manager *m, Bdf pf, Fault *ret_fault) {
        const Ward *w = wards_find(&m->wards, pf);

        if (w && w->state == WARD_WANTED)
                return 0;
        *ret_fault = w && w->state == WARD_CONFLICT
                             ? fault_text(FAULT(FAULT_POLICY_CONFLICT, .fn = pf), w->conflict)
                             : FAULT(FAULT_NO_POLICY, .fn = pf);
        return 1;
}

int wards_load(Manager *m, SettingsError *ret_error) {
        Policies policies = {};
        Mistakes mistakes = {};
        int r = policies_load(&policies, &mistakes);

        for (size_t i = 0; i < mistakes.n; i++)
                log_line(LOG_ERR, NULL, "%s, going on without that file's policies",
                         mistakes.items[i].error.text);
        if (mistakes.n > 0)
                *ret_error = mistakes.items[0].error;
        mistakes_done(&mistakes);
        if (r == -ENOMEM)
                return log_error_errno(r, "cannot read the policies, keeping the old ones");
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
        (void) wards_load(m, &error);
}

static Ward *add(Wards *all, const Fn *pf) {
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

static void drop_gone(Manager *m) {
        Wards *all = &m->wards;

        for (size_t i = 0; i < all->n;) {
                const Fn *pf = snapshot_find(m->snapshot, all->items[i].pf);

                if (pf && pf->flags & FN_PF && pf->identity == all->items[i].identity) {
                        i++;
                        continue;
                }
                ward_done(all->items + i);
                memmove(all->items + i, all->items + i + 1, (all->n - i - 1) * sizeof(Ward));
                all->n--;
                all->stale = true;
        }
}

/*
 * One that has come, or whose driver has, gets what is wanted of it. A daemon that was started anew finds most of them as they
 * were left: what changed meanwhile is drift.
 */
static void meet(Manager *m, const Fn *pf) {
        Ward *w = wards_find(&m->wards, pf->bdf);
        bool known = w != NULL;

        if (!known) {
                w = add(&m->wards, pf);
                if (!w)
                        return;
                m->wards.stale = true;
                w->by_hand = !m->wards.booting && hands_have(m->ledger.fd, pf->bdf, pf->identity);
        }
        if (known && streq(w->driver, pf->driver))
                return;
        m->wards.stale = true;
        if (pf->driver[0] != '\0' && (known || m->wards.booting || m->wards.met_all)) {
                w->due = true;
                w->by_hand = false;
                w->reason = m->wards.booting ? "boot" : "arrival";
        }
        memcpy(w->driver, pf->driver, sizeof(w->driver));
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
                snprintf(w->conflict, sizeof(w->conflict), "%.32s (%s:%u) and %.32s (%s:%u)",
                         p->name, p->file, p->line, other->name, other->file, other->line);
        if (r == 0)
                r = policy_want(p, pf, &wanted);
        if (r == 0)
                r = wanteds_put(&m->wards.wanted, &wanted);
        if (r < 0) {
                w->state = WARD_FREE;
                log_error_errno(r, "%s: cannot tell what is wanted of it", BDF_STR(pf->bdf));
                return;
        }
        tell_state(w, before, p);
}

static void find_policies(Manager *m) {
        Wards *all = &m->wards;

        wanteds_done(&all->wanted);
        m->snapshot->wanted = &all->wanted;
        all->stale = false;
        for (size_t i = 0; i < all->n; i++) {
                find_policy(m, all->items + i, snapshot_find(m->snapshot, all->items[i].pf));
                all->items[i].judged = 0;
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

static bool is_by_hand(const Record *r) {
        return r->op.kind != OP_APPLY && r->op.kind != OP_FOREIGN && r->op.kind != OP_RESCAN &&
               !r->automatic && !r->persist &&
               (r->result == RESULT_DONE || r->result == RESULT_PARTIAL);
}

void wards_job_ended(Manager *m, const Record *r) {
        Ward *w = wards_find(&m->wards, r->pf);

        if (!w)
                return;
        if (r->n_acts > 0)
                w->seen = 0;
        if (is_by_hand(r) && !w->by_hand) {
                w->by_hand = true;
                hands_keep(m);
        } else if (r->op.kind == OP_APPLY && !r->automatic && w->by_hand) {
                w->by_hand = false;
                w->given_up = false;
                w->n_repairs = 0;
                hands_keep(m);
        }
}

/* One walk for all: where there are thousands of VFs, one for each PF would take its time. */
static void take_in_world(Manager *m) {
        for (Ward *w = m->wards.items; w && w < m->wards.items + m->wards.n; w++)
                w->world = HASH_START;
        FOREACH_FN (f, m->snapshot) {
                Ward *w = wards_find(&m->wards, f->flags & FN_VF ? f->pf : f->bdf);

                if (w)
                        w->world = hash_string(
                                hash_number(hash_string(w->world, f->driver), f->identity),
                                f->netdevs ? f->netdevs : "");
        }
}

void wards_sync(Manager *m) {
        drop_gone(m);
        FOREACH_FN (f, m->snapshot)
                if (f->flags & FN_PF)
                        meet(m, f);
        m->wards.met_all = true;
        take_in_world(m);
        if (m->wards.stale)
                find_policies(m);
        if (!m->recovery && !m->gate.asleep && !m->sleep.coming) {
                wards_apply_due(m);
                wards_look_for_drift(m);
        }
        if (m->wards.booting && wards_are_settled(m)) {
                m->wards.booting = false;
                hands_note_first(m->ledger.fd);
        }
}

static int on_timer(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        manager_kick(userdata);
        return 0;
}

void wards_wake_at(Manager *m, uint64_t usec) {
        Wards *all = &m->wards;
        uint64_t next;
        int on = SD_EVENT_OFF;

        if (!all->timer) {
                if (sd_event_add_time(m->event, &all->timer, CLOCK_MONOTONIC, usec, 0, on_timer,
                                      m) < 0)
                        log_line(LOG_WARNING, NULL,
                                 "no timer to be had, repairing with the next event");
                return;
        }
        (void) sd_event_source_get_enabled(all->timer, &on);
        if (on != SD_EVENT_OFF && sd_event_source_get_time(all->timer, &next) >= 0 && next <= usec)
                return;
        (void) sd_event_source_set_time(all->timer, usec);
        (void) sd_event_source_set_enabled(all->timer, SD_EVENT_ONESHOT);
}
