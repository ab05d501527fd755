/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * World
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#include "core/names.h"

#include "daemon/hash.h"
#include "daemon/log.h"
#include "daemon/manager.h"
#include "daemon/recover.h"

/* What can change about a function without its becoming another, each as a number to compare. */
typedef enum Trait {
        TRAIT_DRIVER,
        TRAIT_NETDEVS,
        TRAIT_TOTAL,
        TRAIT_COUNT,
        TRAIT_PATHS,
        TRAIT_AUTOPROBE,
        TRAIT_STATE,
        TRAIT_ESWITCH,
        TRAIT_POLICY,
        TRAIT_MAC,
        TRAIT_VLAN,
        TRAIT_ATTRIBUTES,
        TRAIT_READY,
        TRAIT_POLICY_STATE,
        _TRAIT_MAX,
} Trait;

static const char *const trait_names[_TRAIT_MAX] = {
        [TRAIT_DRIVER] = "Driver",  [TRAIT_NETDEVS] = "NetDevs",
        [TRAIT_TOTAL] = "TotalVFs", [TRAIT_COUNT] = "VFs",
        [TRAIT_PATHS] = "VFPaths",  [TRAIT_AUTOPROBE] = "Autoprobe",
        [TRAIT_STATE] = "State",    [TRAIT_ESWITCH] = "EswitchMode",
        [TRAIT_POLICY] = "Policy",  [TRAIT_MAC] = "MAC",
        [TRAIT_VLAN] = "VLAN",      [TRAIT_ATTRIBUTES] = "Attributes",
        [TRAIT_READY] = "Ready",    [TRAIT_POLICY_STATE] = "PolicyState",
};

struct Seen {
        Bdf bdf;
        Bdf pf; /* VF */
        uint32_t flags;
        uint64_t identity;
        uint64_t traits[_TRAIT_MAX];
        size_t n_vfs; /* PF: of those that are told */
};

static const char *const state_names[_PF_STATE_MAX] = {
        [PF_OK] = "ok",
        [PF_WAITING] = "waiting",
        [PF_BUSY] = "busy",
        [PF_QUARANTINED] = "quarantined",
};

const char *pf_state_to_string(PfState s) {
        return s < _PF_STATE_MAX ? state_names[s] : NULL;
}

static bool touches(const Manager *m, const Record *r, const Fn *pf) {
        if (!bdf_is_none(r->pf) && bdf_equal(r->pf, pf->bdf))
                return true;
        if (r->op.kind == OP_UNLOAD)
                return streq(pf->driver, r->op.driver);
        if (r->op.kind == OP_SLOT_OFF || r->op.kind == OP_SLOT_ON) {
                const Slot *slot = snapshot_find_slot(m->snapshot, r->op.slot);

                return slot && snapshot_in_slot(slot, pf->bdf);
        }
        return r->op.kind == OP_REMOVE && snapshot_is_below(m->snapshot, pf->bdf, r->op.fn);
}

PfState world_pf_state(const Manager *m, const Fn *pf) {
        PfState state = PF_OK;

        FOREACH_RECORD (r, &m->records) {
                if (r->state == JOB_ENDED || !touches(m, r, pf))
                        continue;
                if (r->state == JOB_WEDGED)
                        return PF_QUARANTINED;
                if (r->state == JOB_RUNNING)
                        state = PF_BUSY;
                else if (state == PF_OK)
                        state = PF_WAITING;
        }
        return state;
}

/* What a job does with one VF is nothing to the others of its PF. */
static bool is_of_another_vf(const Record *r, const Fn *vf) {
        if (r->op.kind == OP_SET_VF)
                return r->op.count != (uint32_t) vf->vf_index;
        return !bdf_is_none(r->op.fn) && !bdf_equal(r->op.fn, vf->pf) &&
               !bdf_equal(r->op.fn, vf->bdf) &&
               (r->op.kind == OP_BIND || r->op.kind == OP_UNBIND || r->op.kind == OP_RESET);
}

bool world_vf_is_at_rest(const Manager *m, const Fn *vf) {
        const Fn *pf = snapshot_find(m->snapshot, vf->pf);

        FOREACH_RECORD (r, &m->records)
                if (r->state != JOB_ENDED && pf && touches(m, r, pf) && !is_of_another_vf(r, vf))
                        return false;
        return true;
}

static bool is_told(const Fn *f) {
        return f->flags & FN_PF || (f->flags & FN_VF && !bdf_is_none(f->pf));
}

static Seen look_at(const Manager *m, const Fn *f) {
        Seen s = { .bdf = f->bdf,
                   .pf = f->pf,
                   .flags = f->flags & (FN_PF | FN_VF),
                   .identity = f->identity };
        const Wanted *wanted;

        s.traits[TRAIT_DRIVER] = hash_string(HASH_START, f->driver);
        s.traits[TRAIT_NETDEVS] = hash_string(HASH_START, f->netdevs ? f->netdevs : "");
        if (f->flags & FN_VF) {
                s.traits[TRAIT_MAC] = f->attrs.value[VFKEY_MAC];
                s.traits[TRAIT_VLAN] = f->attrs.value[VFKEY_VLAN];
                s.traits[TRAIT_ATTRIBUTES] = hash_number(HASH_START, f->attrs.has);
                for (VfKey k = 0; k < _VFKEY_MAX; k++)
                        s.traits[TRAIT_ATTRIBUTES] =
                                hash_number(s.traits[TRAIT_ATTRIBUTES], f->attrs.value[k]);
        }
        s.traits[TRAIT_READY] = f->flags & FN_PF ? ready_pf_itself(m, f) : ready_vf(m, f);
        if (!(f->flags & FN_PF))
                return s;
        wanted = wards_wanted(m, f->bdf);
        s.traits[TRAIT_ESWITCH] = f->eswitch;
        s.traits[TRAIT_POLICY] = hash_string(HASH_START, wanted ? wanted->policy : "");
        s.traits[TRAIT_POLICY_STATE] = hash_string(HASH_START, wards_policy_state(m, f->bdf));
        s.traits[TRAIT_TOTAL] = f->total_vfs;
        s.traits[TRAIT_COUNT] = f->n_vfs;
        s.traits[TRAIT_PATHS] = HASH_START;
        s.traits[TRAIT_AUTOPROBE] = (f->flags & FN_AUTOPROBE) != 0;
        s.traits[TRAIT_STATE] = world_pf_state(m, f);
        return s;
}

static int compare_seen(const void *key, const void *item) {
        return bdf_compare(*(const Bdf *) key, ((const Seen *) item)->bdf);
}

/* Which VFs a PF has, and whether all are ready: each adds itself there. */
static void count_vfs(Seen *seen, size_t n) {
        for (const Seen *v = seen; v < seen + n; v++) {
                Seen *pf;

                if (!(v->flags & FN_VF))
                        continue;
                pf = bsearch(&v->pf, seen, n, sizeof(Seen), compare_seen);
                if (!pf)
                        continue;
                pf->traits[TRAIT_PATHS] = hash_number(pf->traits[TRAIT_PATHS], v->bdf.rid);
                pf->traits[TRAIT_READY] &= v->traits[TRAIT_READY];
                pf->n_vfs++;
        }
        for (Seen *pf = seen; pf < seen + n; pf++)
                if (pf->flags & FN_PF && pf->n_vfs != pf->traits[TRAIT_COUNT])
                        pf->traits[TRAIT_READY] = false;
}

static Seen *look(const Manager *m, size_t *ret_n) {
        Seen *seen;
        size_t n = 0;

        FOREACH_FN (f, m->snapshot)
                n += is_told(f);
        seen = calloc(n + 1, sizeof(Seen));
        if (!seen)
                return NULL;
        n = 0;
        FOREACH_FN (f, m->snapshot)
                if (is_told(f))
                        seen[n++] = look_at(m, f);
        count_vfs(seen, n);
        *ret_n = n;
        return seen;
}

static const char *interface_of(const Seen *s) {
        return s->flags & FN_PF ? BUS_PF : BUS_VF;
}

static void tell(Manager *m, const Seen *s,
                 void (*how)(Bus *b, const char *path, const char *interface)) {
        _cleanup_free_ char *path = bus_fn_path(s->bdf, s->flags);

        if (path)
                how(&m->bus, path, interface_of(s));
}

static void tell_changes(Manager *m, const Seen *old, const Seen *new) {
        const char *names[_TRAIT_MAX + 1] = {};
        _cleanup_free_ char *path = NULL;
        size_t n = 0;

        for (Trait t = 0; t < _TRAIT_MAX; t++)
                if (old->traits[t] != new->traits[t])
                        names[n++] = trait_names[t];
        if (n == 0)
                return;
        path = bus_fn_path(new->bdf, new->flags);
        if (path)
                bus_changed(&m->bus, path, interface_of(new), names);
}

/* Another device at the same address is another object. */
static bool is_same(const Seen *a, const Seen *b) {
        return a->identity == b->identity && a->flags == b->flags && bdf_equal(a->pf, b->pf);
}

static void tell_functions(Manager *m, const Seen *new, size_t n) {
        const Seen *old = m->world.seen, *old_end = old + m->world.n, *end = new + n;

        while (old < old_end || new < end) {
                int c = old == old_end ? 1 : new == end ? -1 : bdf_compare(old->bdf, new->bdf);

                if (c < 0 || (c == 0 && !is_same(old, new)))
                        tell(m, old, bus_removed);
                if (c > 0 || (c == 0 && !is_same(old, new)))
                        tell(m, new, bus_added);
                if (c == 0 && is_same(old, new))
                        tell_changes(m, old, new);
                old += c <= 0;
                new += c >= 0;
        }
}

static void tell_manager(Manager *m) {
        const char *names[4] = {};
        int state = (int) manager_state(m);
        uint32_t length = queue_length(&m->queue);
        size_t n = 0;

        if (m->world.state != state)
                names[n++] = "State";
        if (m->world.length != length)
                names[n++] = "QueueLength";
        if (m->world.gate != m->gate.mode)
                names[n++] = "GateMode";
        m->world.state = state;
        m->world.length = length;
        m->world.gate = m->gate.mode;
        if (n > 0)
                bus_changed(&m->bus, BUS_PATH, BUS_MANAGER, names);
}

void world_publish(Manager *m) {
        Seen *seen;
        size_t n;

        ready_refresh(m, !watch_is_dirty(&m->watch));
        seen = look(m, &n);
        if (!seen) {
                log_error_errno(-ENOMEM, "cannot tell what changed");
                return;
        }
        tell_functions(m, seen, n);
        free(m->world.seen);
        m->world.seen = seen;
        m->world.n = n;
        tell_manager(m);
}

void world_done(World *w) {
        free(w->seen);
        *w = (World){};
}
