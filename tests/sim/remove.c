/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Remove and rescan: what happens under the global lock
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "tests/sim/world.h"

#define DESTROY_MS 3

/* The last child of a bridge that comes before `before` (NULL: the last of all), as the kernel walks them. */
static SimFn *previous_child(const Sim *sim, const SimFn *bridge, const Bdf *before) {
        SimFn *last = NULL;

        for (SimFn *f = sim->fns; f; f = f->next) {
                if (f->gone || f->parent != bridge)
                        continue;
                if (before && bdf_compare(f->bdf, *before) >= 0)
                        continue;
                if (!last || bdf_compare(f->bdf, last->bdf) > 0)
                        last = f;
        }
        return last;
}

static void each_child(Sim *sim, SimFn *bridge, void (*f)(Sim *, SimFn *)) {
        Bdf at;

        for (SimFn *c = previous_child(sim, bridge, NULL); c;
             c = previous_child(sim, bridge, &at)) {
                at = c->bdf;
                f(sim, c);
        }
}

/* pci_stop_bus_device(): drivers go, from the leaves up. */
static void stop(Sim *sim, SimFn *fn) {
        each_child(sim, fn, stop);
        driver_release_for_removal(sim, fn);
}

/* pci_remove_bus_device(): files and lists. */
static void destroy(Sim *sim, SimFn *fn) {
        each_child(sim, fn, destroy);
        if (fn->gone)
                return;
        if (fn->n_vfs > 0 && fn->hw)
                fn->hw->vf_enable = true;
        fn->removing = true;
        world_drain(sim, fn);
        if (fn->hw && fn->hw->secondary != 0) {
                sim_lock(SCHED(sim), &fn->hw->bus_rescan);
                sim_unlock(SCHED(sim), &fn->hw->bus_rescan);
        }
        sim_lock(SCHED(sim), &sim->bs);
        world_drop(sim, fn);
        sim_unlock(SCHED(sim), &sim->bs);
        world_event(sim, fn->bdf, "remove");
}

/* The caller has RR. */
void remove_tree(Sim *sim, SimFn *fn) {
        bool bridge = fn->hw && fn->hw->secondary != 0;
        SimEdit edit = { .kind = bridge ? EDIT_TREE : EDIT_BUS,
                         .domain = fn->bdf.domain,
                         .bus = bdf_bus(fn->bdf),
                         .top = fn->hw };

        if (fn->n_vfs > 0)
                sim_report(SCHED(sim), SIM_PF_WITH_VFS, "%s is removed with %u VFs on",
                           BDF_STR(fn->bdf), fn->n_vfs);
        /* A walk over the bus below starts before the drivers go. */
        if (bridge)
                edit_begin(sim, &edit);
        stop(sim, fn);
        if (!bridge)
                edit_begin(sim, &edit);
        sim_sleep(SCHED(sim), DESTROY_MS);
        destroy(sim, fn);
        edit_end(sim, &edit);
}

void remove_note_orphans(Sim *sim) {
        for (const SimFn *f = sim->fns; f; f = f->next)
                if (!f->gone && !f->hw && !f->pf)
                        sim_report(SCHED(sim), SIM_ORPHAN, "%s is left without its PF %s",
                                   BDF_STR(f->bdf), BDF_STR(f->physfn));
}

/* The ancestor's removal has freed what the waiter is about to take: KERNEL.md 3.3. */
static int resume_on_freed(Sim *sim, const SimFn *fn) {
        sim_report(SCHED(sim), SIM_UAF, "remove of %s goes on after it was freed",
                   BDF_STR(fn->bdf));
        if (!sim->config.old)
                sim_die(SCHED(sim), "use after free in remove_store");
        sim_unlock(SCHED(sim), &sim->rr);
        return 0;
}

int remove_store(Sim *sim, SimFn *fn, const char *value) {
        char *end;
        unsigned long v = strtoul(value, &end, 0);

        if (end == value || (*end != '\0' && *end != '\n'))
                return -EINVAL;
        if (v == 0)
                return 0;
        if (fn->removing)
                return 0;
        fn->removing = true;
        if (inject_lie(sim, NULL)) {
                fn->removing = false;
                return 0;
        }
        if (sim->config.variant == SIM_VARIANT_R && !(fn->hw && fn->hw->secondary != 0)) {
                sim_lock(SCHED(sim), &fn->dl);
                fn->dead = true;
                driver_detach(sim, fn);
                sim_unlock(SCHED(sim), &fn->dl);
        }
        sim_lock(SCHED(sim), &sim->rr);
        inject_inside(sim);
        if (fn->gone)
                return resume_on_freed(sim, fn);
        remove_tree(sim, fn);
        remove_note_orphans(sim);
        sim_unlock(SCHED(sim), &sim->rr);
        return 0;
}

static void discover(Sim *sim, SimHw *hw) {
        SimFn *fn = world_add(sim, hw, NULL, 0);

        if (!fn)
                abort();
        /* sriov_init() clears what was left on, and sleeps. */
        if (hw->vf_enable)
                sim_sleep(SCHED(sim), 1000);
        hw->vf_enable = false;
        world_event(sim, fn->bdf, "add");
        sim_lock(SCHED(sim), &fn->dl);
        driver_attach_any(sim, fn);
        sim_unlock(SCHED(sim), &fn->dl);
}

void rescan_below(Sim *sim, SimHw *top) {
        for (SimHw *hw = sim->hw; hw; hw = hw->next) {
                bool below = !top;

                for (const SimHw *up = hw->parent; up && !below; up = up->parent)
                        below = up == top;
                if (below && !hw->fn && hw->powered && (!hw->parent || hw->parent->fn))
                        discover(sim, hw);
        }
}

/* file: the active reference that a device's and a bus's own file is, and the global one has not to fear. */
int rescan_store(Sim *sim, SimLock *file, const char *value) {
        SimEdit edit = { .kind = EDIT_ALL };
        char *end;
        unsigned long v = strtoul(value, &end, 0);

        if (end == value || (*end != '\0' && *end != '\n'))
                return -EINVAL;
        if (v == 0)
                return 0;
        sim_lock_shared(SCHED(sim), file);
        sim_lock(SCHED(sim), &sim->rr);
        inject_inside(sim);
        if (inject_lie(sim, NULL) == 0) {
                edit_begin(sim, &edit);
                sim_sleep(SCHED(sim), 5);
                rescan_below(sim, NULL);
                edit_end(sim, &edit);
        }
        sim_unlock(SCHED(sim), &sim->rr);
        sim_unlock(SCHED(sim), file);
        return 0;
}
