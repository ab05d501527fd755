/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * World: functions that come and go, their files, and who edits the lists of buses at the same time
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "tests/sim/world.h"

static size_t hash_of(const Sim *sim, Bdf b) {
        return ((size_t) b.domain * 2654435761U + b.rid) & (sim->n_hash - 1);
}

SimFn *world_find(const Sim *sim, Bdf bdf) {
        for (SimFn *f = sim->hash[hash_of(sim, bdf)]; f; f = f->hash_next)
                if (bdf_equal(f->bdf, bdf))
                        return f;
        return NULL;
}

SimHw *world_hw(const Sim *sim, Bdf bdf) {
        for (SimHw *h = sim->hw; h; h = h->next)
                if (bdf_equal(h->bdf, bdf))
                        return h;
        return NULL;
}

SimHw *world_slot(const Sim *sim, const char *name) {
        for (SimHw *h = sim->hw; h; h = h->next)
                if (h->slot[0] != '\0' && h->slot_shown && streq(h->slot, name))
                        return h;
        return NULL;
}

/* As the port driver names it: 004 for a root port's hot-plug service, 204 for a switch port's. */
const char *service_name(const SimHw *port, char buf[static SIM_NAME]) {
        snprintf(buf, SIM_NAME, "%s:pcie%s", BDF_STR(port->bdf), port->parent ? "204" : "004");
        return buf;
}

SimHw *world_service(const Sim *sim, const char *name) {
        for (SimHw *h = sim->hw; h; h = h->next)
                if (h->slot[0] != '\0' && h->service &&
                    streq(service_name(h, (char[SIM_NAME]){ 0 }), name))
                        return h;
        return NULL;
}

Bdf world_vf_bdf(const SimFn *pf, unsigned index) {
        return (Bdf){ pf->bdf.domain,
                      pf->bdf.rid + pf->kind->offset + (unsigned) pf->kind->stride * index };
}

static void fn_init(Sim *sim, SimFn *fn, SimHw *hw, SimFn *pf, unsigned index) {
        *fn = (SimFn){
                .bdf = hw ? hw->bdf : world_vf_bdf(pf, index),
                .hw = hw,
                .kind = hw ? hw->kind : pf->kind,
                .parent = hw ? (hw->parent ? hw->parent->fn : NULL) : pf->parent,
                .pf = pf,
                .physfn = pf ? pf->bdf : BDF_NONE,
                .index = index,
                .autoprobe = true,
                .eswitch = ESWITCH_LEGACY,
                .group = ++sim->last_group,
                .ino = ++sim->last_ino,
        };
        sim_lock_init(&fn->dl, SIM_DL, "DL(%s)", BDF_STR(fn->bdf));
        sim_lock_init(&fn->user, SIM_USER, "the user of vfio group %d", fn->group);
}

SimFn *world_add(Sim *sim, SimHw *hw, SimFn *pf, unsigned index) {
        SimFn *fn = calloc(1, sizeof(*fn));
        size_t h;

        if (!fn)
                return NULL;
        fn_init(sim, fn, hw, pf, index);
        h = hash_of(sim, fn->bdf);
        fn->hash_next = sim->hash[h];
        sim->hash[h] = fn;
        *sim->fns_end = fn;
        sim->fns_end = &fn->next;
        if (hw)
                hw->fn = fn;
        return fn;
}

void world_drop(Sim *sim, SimFn *fn) {
        for (SimFn **p = &sim->hash[hash_of(sim, fn->bdf)]; *p; p = &(*p)->hash_next)
                if (*p == fn) {
                        *p = fn->hash_next;
                        break;
                }
        fn->hash_next = NULL;
        fn->gone = true;
        if (fn->hw)
                fn->hw->fn = NULL;
        if (fn->pf)
                fn->pf->vfs[fn->index] = NULL;
        fn->pf = NULL;
        for (unsigned i = 0; i < fn->n_vfs; i++)
                if (fn->vfs[i])
                        fn->vfs[i]->pf = NULL;
        free(fn->vfs);
        fn->vfs = NULL;
        fn->n_vfs = 0;
}

bool world_below(const SimFn *fn, const SimHw *top) {
        const SimHw *hw = fn->hw;

        if (!hw)
                hw = fn->parent ? fn->parent->hw : NULL;
        for (; hw; hw = hw->parent)
                if (hw == top)
                        return true;
        return false;
}

SimLock *world_file(SimFn *fn, const char *name) {
        char full[48];
        SimLock *l;

        snprintf(full, sizeof(full), "KA(%s/%s)", BDF_STR(fn->bdf), name);
        for (l = fn->files; l; l = l->next)
                if (streq(l->name, full))
                        return l;
        l = calloc(1, sizeof(*l));
        if (!l)
                abort();
        sim_lock_init(l, SIM_KA, "%s", full);
        l->next = fn->files;
        fn->files = l;
        return l;
}

void world_drain(Sim *sim, SimFn *fn) {
        for (SimLock *l = fn->files; l; l = l->next) {
                /* Variant R: who still comes to sriov_numvfs finds the device dead under DL, before RR. */
                if (fn->dead && strstr(l->name, "/sriov_"))
                        sim_lock_unnoted(SCHED(sim), l);
                else
                        sim_lock(SCHED(sim), l);
                sim_unlock(SCHED(sim), l);
        }
}

static bool bus_in_tree(const Sim *sim, uint32_t domain, unsigned bus, const SimHw *top) {
        for (const SimHw *h = sim->hw; h; h = h->next) {
                if (h->secondary != bus || h->bdf.domain != domain || bus == 0)
                        continue;
                for (const SimHw *up = h; up; up = up->parent)
                        if (up == top)
                                return true;
        }
        return false;
}

static bool edits_touch(const Sim *sim, const SimEdit *a, const SimEdit *b) {
        if (a->kind == EDIT_ALL || b->kind == EDIT_ALL)
                return true;
        if (a->kind == EDIT_BUS && b->kind == EDIT_BUS)
                return a->domain == b->domain && a->bus == b->bus;
        if (a->kind == EDIT_BUS)
                return bus_in_tree(sim, a->domain, a->bus, b->top);
        if (b->kind == EDIT_BUS)
                return bus_in_tree(sim, b->domain, b->bus, a->top);
        for (const SimHw *up = a->top; up; up = up->parent)
                if (up == b->top)
                        return true;
        for (const SimHw *up = b->top; up; up = up->parent)
                if (up == a->top)
                        return true;
        return false;
}

void edit_begin(Sim *sim, SimEdit *e) {
        e->task = sim->sched.current;
        for (const SimEdit *o = sim->edits; o; o = o->next)
                if (o->task != e->task && edits_touch(sim, e, o))
                        sim_report(SCHED(sim), SIM_UAF, "two walk and edit the same bus: %s, %s",
                                   e->task && e->task->op ? e->task->op->what : "?",
                                   o->task && o->task->op ? o->task->op->what : "?");
        e->next = sim->edits;
        sim->edits = e;
}

void edit_end(Sim *sim, SimEdit *e) {
        for (SimEdit **p = &sim->edits; *p; p = &(*p)->next)
                if (*p == e) {
                        *p = e->next;
                        return;
                }
}
