/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Udev: takes in what the kernel tells, one after the other, and says so
 *
 * It keeps a file for each address, and gives a net device its name. Its own events have the number of the kernel's.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "tests/sim/world.h"

static void tell(Sim *sim, const KernelEvent *event, bool own) {
        KernelEvent e = *event;

        e.kind = KERNEL_EVENT_UDEV;
        e.own = own;
        world_put_event(sim, &e);
}

static void name_netdev(Sim *sim, SimFn *fn, const KernelEvent *event) {
        KernelEvent move = { .kind = KERNEL_EVENT_CHANGED,
                             .bdf = fn->bdf,
                             .seq = ++sim->last_seq,
                             .action = "move" };

        fn->named = true;
        world_put_event(sim, &move);
        tell(sim, event, false);
}

/* The file goes by its name: that of another device at the address, if there is one by now. */
static void forget(Sim *sim, Bdf bdf) {
        for (SimFn *f = sim->fns; f; f = f->next)
                if (bdf_equal(f->bdf, bdf))
                        f->known = false;
}

static void take_in(Sim *sim, const KernelEvent *event) {
        SimFn *fn = world_find(sim, event->bdf);

        if (streq(event->action, "remove"))
                forget(sim, event->bdf);
        else if (fn && !fn->gone) {
                fn->known = true;
                if (fn->driver && fn->driver->info->flags & DRIVER_NET && !fn->named)
                        name_netdev(sim, fn, event);
        }
        tell(sim, event, true);
}

void udev_hear(Sim *sim, const KernelEvent *event) {
        SimEvent *e;

        if (!sim->udev_held) {
                take_in(sim, event);
                return;
        }
        e = calloc(1, sizeof(*e));
        if (!e)
                abort();
        e->event = *event;
        *sim->udev_end = e;
        sim->udev_end = &e->next;
}

void sim_hold_udev(Sim *sim, bool hold) {
        sim->udev_held = hold;
        while (!hold && sim->udev) {
                SimEvent *e = sim->udev;

                sim->udev = e->next;
                if (!sim->udev)
                        sim->udev_end = &sim->udev;
                take_in(sim, &e->event);
                free(e);
        }
}

static bool has_file(const Sim *sim, const SimFn *fn) {
        if (fn->known)
                return true;
        for (const SimFn *f = sim->fns; sim->udev && f; f = f->next)
                if (f->gone && f->known && bdf_equal(f->bdf, fn->bdf))
                        return true;
        return false;
}

int udev_knows(const Sim *sim, Bdf bdf) {
        const SimFn *fn = world_find(sim, bdf);
        bool net;

        if (!fn || !has_file(sim, fn))
                return 0;
        net = fn->driver && !fn->unbinding && fn->driver->info->flags & DRIVER_NET;
        if (net && !fn->named)
                return 0;
        return sim->udev ? 1 : KERNEL_UDEV_IDLE;
}
