/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sight: the daemon's side
 *
 * One child at a time looks where something changed, so that a host with many PFs is not kept busy with its own questions.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

/* In the middle of a job attributes are on their way, and its children come first. Where one is stuck the next would be, too. */
static bool is_out_of_sight(const Manager *m, const Fn *pf) {
        PfState state = world_pf_state(m, pf);

        return state == PF_BUSY || state == PF_QUARANTINED;
}

void sight_ask(Manager *m) {
        if (m->sight_asked || m->recovery)
                return;
        for (Ward *w = m->wards.items; w && w < m->wards.items + m->wards.n; w++) {
                const Fn *pf = snapshot_find(m->snapshot, w->pf);

                if (!pf || !sight_is_stale(w) || is_out_of_sight(m, pf))
                        continue;
                m->sight_asked = ask(m, 0, w->pf);
                w->asked = w->world;
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

/* What follows a PF's item is about it, up to the next one's. Returns how many items that were. */
static size_t take_pf(Manager *m, SightItem *items, size_t n) {
        PfFacts facts = { .pf = items[0].fn, .identity = items[0].identity };
        static const VfAttrs none;
        size_t i;

        snapshot_tell(m->snapshot, facts.pf, facts.identity, &none, items[0].eswitch);
        for (i = 1; i < n && items[i].kind != SIGHT_PF; i++) {
                items[i].text[sizeof(items[i].text) - 1] = '\0';
                if (items[i].kind == SIGHT_VF)
                        snapshot_tell(m->snapshot, items[i].fn, items[i].identity, &items[i].attrs,
                                      ESWITCH_KEEP);
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

static void note_attrs(Manager *m, const Step *step) {
        const Fn *vf = snapshot_find_vf(m->snapshot, step->fn, step->n);
        VfAttrs given = {}, all;

        /* It was made a moment ago, and events are gathered. */
        if (!vf && scan_fn(m->kernel, m->snapshot, step->fn) >= 0)
                vf = snapshot_find_vf(m->snapshot, step->fn, step->n);
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

/* Whatever came of it, nobody is sent again before something changes. */
static void note_seen(Manager *m, Bdf pf) {
        Ward *w = wards_find(&m->wards, pf);

        m->sight_asked = false;
        if (!w)
                return;
        w->seen = w->asked;
        w->has_facts = true;
        m->wards.stale = true;
}

void sight_answered(Manager *m, const WorkerRequest *request, const WorkerReply *reply,
                    const WorkerFds *fds) {
        Record *r = records_find(&m->records, request->job);
        int k = reply ? sight_take(m, reply, fds) : -ECHILD;

        if (k < 0 && k != -ENOENT)
                log_error_errno(k, "%s: cannot see what its VFs have", BDF_STR(request->step.fn));
        if (request->job == 0)
                note_seen(m, request->step.fn);
        else if (r && r->patience)
                manager_seen(m, r);
}
