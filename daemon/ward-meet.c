/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wards: what comes and goes
 *
 * A PF that has come, or whose driver has, gets what is wanted of it, once udev has given it its names. What a job of ours takes and
 * gives back on its way is no arrival.
 */
#include <string.h>

#include "base/str.h"

#include "daemon/hands.h"
#include "daemon/hash.h"
#include "daemon/log.h"
#include "daemon/manager.h"

static void drop_gone(Manager *m) {
        Wards *all = &m->wards;

        for (size_t i = 0; i < all->n;) {
                const Fn *pf = snapshot_find(m->snapshot, all->items[i].pf);

                if (pf && pf->flags & FN_PF && pf->identity == all->items[i].identity) {
                        i++;
                        continue;
                }
                wards_drop(all, i);
                all->stale = true;
        }
}

/* The job of ours that is at work on that PF, or NULL. */
static const Record *at_work(const Manager *m, Bdf pf) {
        FOREACH_RECORD (r, &m->records)
                if (r->state == JOB_RUNNING && r->op.kind != OP_FOREIGN && bdf_equal(r->pf, pf))
                        return r;
        return NULL;
}

/* What comes after it comes anew, and may be seen before it has ended. */
static bool makes_anew(const Record *r) {
        return r->op.kind == OP_REMOVE || r->op.kind == OP_RESCAN;
}

/* Job r of ours gave it its driver, NULL: none did. Another one than the usual was given to it by hand. */
static bool is_arrival(const Ward *w, const Fn *pf, const Record *r) {
        if (pf->driver[0] == '\0')
                return false;
        return !r || makes_anew(r) ||
               (r->op.kind == OP_BIND && bdf_equal(r->op.fn, w->pf) &&
                (r->op.driver[0] == '\0' || streq(pf->driver, w->usual)));
}

/* A daemon that was started anew finds most of them as they were left: what changed meanwhile is drift. */
static bool is_new(const Manager *m, const Ward *w, const Fn *pf) {
        return pf->driver[0] != '\0' && !w->by_hand && (m->wards.booting || m->wards.met_all);
}

/* The last daemon took so many VFs down for the host's sleep, and nobody has given them back since. 0: none. */
static uint32_t were_put_to_sleep(const Manager *m, Bdf pf) {
        const Record *last = NULL;

        FOREACH_RECORD (r, &m->records)
                if (r->op.kind != OP_FOREIGN && bdf_equal(r->pf, pf) && (!last || r->id > last->id))
                        last = r;
        if (!last || !last->automatic || last->op.kind != OP_SET_VFS || last->op.count > 0)
                return 0;
        return last->has_before ? last->count_before : 0;
}

void wards_be_due(Ward *w, const char *reason) {
        w->due = true;
        w->due_since = wards_now();
        w->reason = reason;
}

/* What was done to it by hand went with its VFs. */
static void begin_anew(Manager *m, Ward *w, const char *reason) {
        bool was = w->by_hand;

        wards_be_due(w, reason);
        w->by_hand = false;
        if (was)
                hands_keep(m);
}

static void arrive(Manager *m, Ward *w) {
        begin_anew(m, w, m->wards.booting ? "boot" : "arrival");
}

void wards_resume(Manager *m, Ward *w, uint32_t n) {
        begin_anew(m, w, "resume");
        w->back = n;
}

/* What it was known by without that driver is not all. */
static void forget_facts(const Manager *m, Ward *w) {
        if (at_work(m, w->pf))
                return;
        w->has_facts = false;
        w->asked = 0;
}

static void take_driver(Manager *m, Ward *w, const Fn *pf, bool arrives) {
        m->wards.stale = true;
        if (w->usual[0] == '\0')
                memcpy(w->usual, pf->driver, sizeof(w->usual));
        forget_facts(m, w);
        if (arrives)
                arrive(m, w);
        memcpy(w->driver, pf->driver, sizeof(w->driver));
}

static void meet(Manager *m, const Fn *pf) {
        Ward *w = wards_find(&m->wards, pf->bdf);
        uint32_t n;

        if (w) {
                if (!streq(w->driver, pf->driver))
                        take_driver(m, w, pf, is_arrival(w, pf, at_work(m, pf->bdf)));
                return;
        }
        w = wards_add(&m->wards, pf);
        if (!w)
                return;
        w->by_hand = hands_have(m->ledger.fd, pf->bdf, pf->identity);
        w->has_agreed = hands_agreed(m->ledger.fd, pf->bdf, pf->identity, &w->agreed);
        take_driver(m, w, pf, is_new(m, w, pf));
        n = were_put_to_sleep(m, pf->bdf);
        if (n > 0)
                wards_resume(m, w, n);
}

bool wards_are_named(const Manager *m, const Ward *w) {
        const Fn *pf = snapshot_find(m->snapshot, w->pf);

        return pf && ready_is_known(m, pf);
}

/* One walk for all: where there are thousands of VFs, one for each PF would take its time. */
static void take_in_world(Manager *m) {
        Ward *end = m->wards.items + m->wards.n;

        for (Ward *w = m->wards.items; w && w < end; w++)
                w->world = HASH_START;
        FOREACH_FN (f, m->snapshot) {
                Ward *w = wards_find(&m->wards, f->flags & FN_VF ? f->pf : f->bdf);

                if (w)
                        w->world = hash_string(
                                hash_number(hash_string(w->world, f->driver), f->identity),
                                f->netdevs ? f->netdevs : "");
        }
        /* Names and paths are udev's, and others before it is through. */
        for (Ward *w = m->wards.items; w && w < end; w++)
                w->world = hash_number(w->world, wards_are_named(m, w));
}

/* What is not in place by then is late, and no part of the boot. */
static void end_boot(Manager *m) {
        if (!wards_are_settled(m) && wards_now() < m->wards.boot_end) {
                wards_wake_at(m, m->wards.boot_end);
                return;
        }
        m->wards.booting = false;
        hands_note_first(m->ledger.fd);
}

void wards_sync(Manager *m) {
        ready_refresh(m, !watch_is_dirty(&m->watch));
        drop_gone(m);
        FOREACH_FN (f, m->snapshot)
                if (f->flags & FN_PF)
                        meet(m, f);
        m->wards.met_all = true;
        take_in_world(m);
        wards_tell(m);
        if (!m->recovery && !m->gate.asleep && !m->sleep.coming) {
                wards_apply_due(m);
                wards_look_for_drift(m);
        }
        if (m->wards.unkept)
                hands_keep(m);
        if (m->wards.booting)
                end_boot(m);
}

static bool ended_well(const Record *r) {
        return r->result == RESULT_DONE || r->result == RESULT_PARTIAL ||
               r->result == RESULT_SKIPPED;
}

/* Somebody asked for what the policy says now, and it was tried. */
static bool is_asked(const Record *r) {
        return r->op.kind == OP_APPLY && (ended_well(r) || r->result == RESULT_FAILED);
}

static bool is_by_hand(const Record *r) {
        return r->op.kind != OP_APPLY && r->op.kind != OP_FOREIGN && !makes_anew(r) &&
               !r->automatic && !r->persist && r->result != RESULT_SKIPPED && ended_well(r);
}

/* The job has looked for the last time at what it made of its PF; the kernel's event may come when nobody knows of the job. */
static bool job_brought(Manager *m, Ward *w, const Record *r) {
        const Fn *pf = snapshot_find(m->snapshot, w->pf);
        bool arrives = pf && is_arrival(w, pf, r);

        if (r->op.kind == OP_FOREIGN)
                return false;
        if (pf && !streq(w->driver, pf->driver))
                take_driver(m, w, pf, arrives);
        return arrives;
}

void wards_job_ended(Manager *m, const Record *r) {
        Ward *w = wards_find(&m->wards, r->pf);
        bool brought;

        if (!w)
                return;
        if (r->n_acts > 0)
                w->seen = 0;
        if (is_asked(r))
                wards_agree(m, w);
        brought = job_brought(m, w, r);
        if (is_by_hand(r) && !brought && !w->by_hand) {
                w->by_hand = true;
                hands_keep(m);
        } else if (r->op.kind == OP_APPLY && !r->automatic && ended_well(r)) {
                w->given_up = false;
                w->n_repairs = 0;
                if (w->by_hand) {
                        w->by_hand = false;
                        hands_keep(m);
                }
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
