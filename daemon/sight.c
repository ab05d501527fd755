/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sight: the daemon's side
 *
 * One child at a time looks where something changed, so that a host with many PFs is not kept busy with its own questions.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/scan.h"

#include "daemon/log.h"
#include "daemon/manager.h"
#include "daemon/parcel.h"
#include "daemon/sight.h"

/* RTNL may be held for seconds. A job goes on after that without what it would have seen: each attribute is then set and proven. */
#define PATIENCE_USEC (10 * UINT64_C(1000000))

bool sight_is_stale(const Ward *w) {
        return !w->has_facts || w->seen != w->world;
}

static bool ask(Manager *m, uint32_t job, Bdf pf) {
        WorkerRequest request = { .work = WORKER_SIGHT,
                                  .job = job,
                                  .step = { .fn = pf, .vf = BDF_NONE } };
        Worker *w;

        return workers_get(&m->workers, &w) >= 0 && worker_ask(w, &request, 0) >= 0;
}

/* So often a child may die or fail of it before it counts as seen. */
#define BLIND_MAX 3

/* Nobody is sent again before something changes. */
static void note_seen(Manager *m, Bdf pf) {
        Ward *w = wards_find(&m->wards, pf);

        m->sight.asked = false;
        m->sight.patience = sd_event_source_disable_unref(m->sight.patience);
        if (!w || w->asked == 0)
                return;
        w->n_blind = 0;
        w->seen = w->asked;
        w->has_facts = true;
        m->wards.stale = true;
}

/* The next look may be luckier. */
static void note_blind(Manager *m, Bdf pf) {
        Ward *w = wards_find(&m->wards, pf);

        if (!w || ++w->n_blind >= BLIND_MAX) {
                note_seen(m, pf);
                return;
        }
        m->sight.asked = false;
        m->sight.patience = sd_event_source_disable_unref(m->sight.patience);
}

/* Its child is left where it is, and the next PF is looked at. */
static int on_patience(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Manager *m = userdata;

        log_line(LOG_WARNING, NULL, "%s: cannot see what its VFs have: it does not answer",
                 BDF_STR(m->sight.pf));
        m->sight.n_late++;
        note_seen(m, m->sight.pf);
        manager_kick(m);
        return 0;
}

static void wait_for(Manager *m, Ward *w) {
        m->sight.asked = true;
        m->sight.pf = w->pf;
        w->asked = w->world;
        m->sight.patience = sd_event_source_disable_unref(m->sight.patience);
        (void) sd_event_add_time_relative(m->event, &m->sight.patience, CLOCK_MONOTONIC,
                                          PATIENCE_USEC, 0, on_patience, m);
}

/* In the middle of a job attributes are on their way, and its children come first. Where one is stuck the next would be, too. */
static bool is_out_of_sight(const Manager *m, const Fn *pf) {
        PfState state = world_pf_state(m, pf);

        return state == PF_BUSY || state == PF_QUARANTINED;
}

void sight_ask(Manager *m) {
        if (m->sight.asked || m->recovery || m->sight.n_late >= SIGHT_LATE_MAX)
                return;
        for (Ward *w = m->wards.items; w && w < m->wards.items + m->wards.n; w++) {
                const Fn *pf = snapshot_find(m->snapshot, w->pf);

                if (!pf || !sight_is_stale(w) || is_out_of_sight(m, pf))
                        continue;
                if (ask(m, 0, w->pf))
                        wait_for(m, w);
                return;
        }
}

static void take_text(PfFacts *facts, const SightItem *item) {
        switch (item->kind) {
        case SIGHT_ALTNAME:
                (void) strv_push(&facts->altnames, item->text);
                break;
        case SIGHT_MAC:
                (void) strv_push(&facts->macs, item->text);
                break;
        case SIGHT_SERIAL:
                free(facts->serial);
                facts->serial = strdup(item->text);
                break;
        case SIGHT_PATH:
                free(facts->path);
                facts->path = strdup(item->text);
                break;
        default:
                break;
        }
}

static void take_vf(Manager *m, const SightItem *item) {
        snapshot_tell(m->snapshot, item->fn, item->identity, &item->attrs, ESWITCH_KEEP);
        snapshot_tell_override(m->snapshot, item->fn, item->identity, item->overridden);
}

/* What follows a PF's item is about it, up to the next one's. Returns how many items that were. */
static size_t take_pf(Manager *m, SightItem *items, size_t n) {
        PfFacts facts = { .pf = items[0].fn, .identity = items[0].identity };
        static const VfAttrs none;
        size_t i;

        snapshot_tell(m->snapshot, facts.pf, facts.identity, &none, items[0].eswitch);
        for (i = 1; i < n && items[i].kind != SIGHT_PF; i++) {
                items[i].text[sizeof(items[i].text) - 1] = '\0';
                if (items[i].kind == SIGHT_VF)
                        take_vf(m, items + i);
                else
                        take_text(&facts, items + i);
        }
        wards_take_facts(m, &facts);
        return i;
}

int sight_take(Manager *m, const WorkerReply *reply, const WorkerFds *fds) {
        _cleanup_free_ void *items = NULL;
        int r;

        if (reply->error < 0)
                return reply->error;
        r = parcel_unpack(fds->list, reply->n_list, sizeof(SightItem), &items);
        if (r < 0)
                return r;
        for (size_t i = 0; i < reply->n_list;)
                i += take_pf(m, (SightItem *) items + i, reply->n_list - i);
        return 0;
}

/* The step's VF; it may have been made a moment ago, and events are gathered. */
static const Fn *find_vf(Manager *m, const Step *step) {
        const Fn *vf = snapshot_find_vf(m->snapshot, step->fn, step->n);

        if (!vf && scan_fn(m->kernel, m->snapshot, step->fn) >= 0)
                vf = snapshot_find_vf(m->snapshot, step->fn, step->n);
        return vf;
}

static void note_override(Manager *m, const Step *step) {
        const Fn *vf = find_vf(m, step);

        if (vf)
                snapshot_tell_override(m->snapshot, vf->bdf, vf->identity, step->name[0] != '\0');
}

static void note_attrs(Manager *m, const Step *step) {
        const Fn *vf = find_vf(m, step);
        VfAttrs given = {}, all;

        if (!vf || vfattrs_parse(step->name, &given) < 0)
                return;
        all = vfattrs_overlay(&vf->attrs, &given);
        snapshot_tell(m->snapshot, vf->bdf, vf->identity, &all, ESWITCH_KEEP);
}

void sight_note(Manager *m, const Step *step) {
        Ward *w = wards_find(&m->wards, step->fn);
        const Fn *pf = snapshot_find(m->snapshot, step->fn);
        static const VfAttrs none;

        if (w)
                w->judged = 0;
        if (step->rung == RUNG_CONFIGURE_VF)
                note_attrs(m, step);
        else if (step->rung == RUNG_OVERRIDE_VF)
                note_override(m, step);
        else if (pf && (step->rung == RUNG_ESWITCH || step->rung == RUNG_ESWITCH_VFS))
                snapshot_tell(m->snapshot, pf->bdf, pf->identity, &none,
                              eswitch_from_string(step->name));
}

static int on_late(sd_event_source *source, uint64_t usec _unused_, void *userdata) {
        Manager *m = userdata;

        FOREACH_RECORD (r, &m->records)
                if (r->patience == source) {
                        manager_seen(m, r);
                        break;
                }
        return 0;
}

int sight_ask_for_job(Manager *m, Record *r) {
        int k = sd_event_add_time_relative(m->event, &r->patience, CLOCK_MONOTONIC, PATIENCE_USEC,
                                           0, on_late, m);

        if (k < 0)
                return k;
        if (ask(m, r->id, r->pf))
                return 0;
        r->patience = sd_event_source_disable_unref(r->patience);
        return -EAGAIN;
}

/* It looked before the PF had the driver that it has now. */
static bool is_outdated(const Manager *m, const WorkerRequest *request) {
        const Ward *w = wards_find(&m->wards, request->step.fn);

        return request->job == 0 && w && w->asked == 0;
}

/* One that was given up on and comes late is nobody's turn any more. */
static void end_look(Manager *m, Bdf pf, int error) {
        if (!m->sight.asked || !bdf_equal(m->sight.pf, pf))
                m->sight.n_late -= m->sight.n_late > 0;
        else if (error < 0 && error != -ENOENT)
                note_blind(m, pf);
        else
                note_seen(m, pf);
}

void sight_answered(Manager *m, const WorkerRequest *request, const WorkerReply *reply,
                    const WorkerFds *fds) {
        Record *r = records_find(&m->records, request->job);
        int k = !reply ? -ECHILD : is_outdated(m, request) ? 0 : sight_take(m, reply, fds);

        if (k < 0 && k != -ENOENT)
                log_error_errno(k, "%s: cannot see what its VFs have", BDF_STR(request->step.fn));
        if (request->job == 0)
                end_look(m, request->step.fn, k);
        else if (r && r->patience)
                manager_seen(m, r);
}
