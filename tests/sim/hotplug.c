/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hotplug: pciehp's slots and its interrupt thread, and AER's
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "tests/sim/world.h"

static void power_off(Sim *sim, SimHw *port) {
        SimEdit edit = { .kind = EDIT_TREE, .domain = port->bdf.domain, .top = port };

        edit_begin(sim, &edit);
        for (bool again = true; again;) {
                SimFn *last = NULL;

                again = false;
                for (SimFn *f = sim->fns; f; f = f->next)
                        if (!f->gone && port->fn && f->parent == port->fn &&
                            (!last || bdf_compare(f->bdf, last->bdf) > 0))
                                last = f;
                if (last) {
                        remove_tree(sim, last);
                        again = true;
                }
        }
        for (SimHw *h = sim->hw; h; h = h->next)
                for (const SimHw *up = h->parent; up; up = up->parent)
                        if (up == port)
                                h->powered = false;
        edit_end(sim, &edit);
        remove_note_orphans(sim);
        port->slot_on = false;
}

static int power_on(Sim *sim, SimHw *port) {
        bool found = false;

        for (SimHw *h = sim->hw; h; h = h->next)
                for (const SimHw *up = h->parent; up; up = up->parent)
                        if (up == port)
                                found = h->powered = true;
        if (!found)
                return -ENODEV;
        rescan_below(sim, port);
        port->slot_on = true;
        return 0;
}

static int irq_thread(SimTask *t, void *arg) {
        Sim *sim = (Sim *) t->sched;
        SimHw *port = arg;
        char what[64];

        snprintf(what, sizeof(what), "irq/pciehp of %s", BDF_STR(port->bdf));
        sim_op_begin(SCHED(sim), SIM_OP_KERNEL, port->bdf, what);
        sim_lock(SCHED(sim), &port->irq);
        sim_lock(SCHED(sim), &sim->rr);
        port->turn_result = 0;
        if (port->turn_on)
                port->turn_result = power_on(sim, port);
        else
                power_off(sim, port);
        sim_unlock(SCHED(sim), &sim->rr);
        sim_sleep(SCHED(sim), 1000);
        sim_unlock(SCHED(sim), &port->irq);
        port->turning = false;
        world_event_other(sim);
        sim_op_end(SCHED(sim));
        return 0;
}

/* The writer wakes the interrupt thread and waits for it, uninterruptibly. */
static int run_thread(Sim *sim, SimHw *port, bool on) {
        SimTask *t;

        port->turning = true;
        port->turn_on = on;
        t = sched_spawn(SCHED(sim), irq_thread, port, NULL);
        if (!t)
                return -ENOMEM;
        t->guarded = true;
        sim_join(SCHED(sim), t);
        return port->turn_result;
}

/* Base 10, cut to eight bits, nothing checked: garbage is 0 and 0 is off. */
static unsigned parse_power(const char *value) {
        return strtoul(value, NULL, 10) & 0xff;
}

int slot_power_store(Sim *sim, SimHw *port, const char *value) {
        unsigned v = parse_power(value);
        int r;

        if (v > 1)
                return -EINVAL;
        sim_lock_shared(SCHED(sim), &port->power);
        inject_inside(sim);
        if (inject_lie(sim, NULL))
                r = 0;
        else if (port->turning || (v == 1) == port->slot_on)
                r = -ENODEV;
        else
                r = run_thread(sim, port, v == 1);
        sim_unlock(SCHED(sim), &port->power);
        return r;
}

/* free_irq() waits for the thread; taking the slot away waits for who is in its files. */
void service_stop(Sim *sim, SimHw *port) {
        if (!port->service)
                return;
        port->service = false;
        sim_lock(SCHED(sim), &port->irq);
        sim_unlock(SCHED(sim), &port->irq);
        sim_lock(SCHED(sim), &port->power);
        sim_unlock(SCHED(sim), &port->power);
        port->slot_shown = false;
        world_event_other(sim);
}

int service_unbind_store(Sim *sim, const char *value) {
        char name[SIM_NAME];
        SimHw *port;

        if (str_copy(name, sizeof(name), value) < 0)
                return -ENODEV;
        name[strcspn(name, "\n")] = '\0';
        port = world_service(sim, name);
        if (!port)
                return -ENODEV;
        sim_lock_shared(SCHED(sim), &sim->services);
        sim_lock(SCHED(sim), &port->service_dl);
        inject_inside(sim);
        if (inject_lie(sim, NULL) == 0)
                service_stop(sim, port);
        sim_unlock(SCHED(sim), &port->service_dl);
        sim_unlock(SCHED(sim), &sim->services);
        return 0;
}

/* pcie/err.c walks with pci_bus_sem held for reading, and takes each device's lock on the way. */
static int aer_thread(SimTask *t, void *arg) {
        Sim *sim = (Sim *) t->sched;
        const SimHw *port = arg;

        sim_op_begin(SCHED(sim), SIM_OP_KERNEL, port->bdf, "irq/aerdrv");
        sim_lock_shared(SCHED(sim), &sim->bs);
        for (SimFn *f = sim->fns; f; f = f->next) {
                if (f->gone || !world_below(f, port) || f->hw == port)
                        continue;
                sim_lock(SCHED(sim), &f->dl);
                sim_sleep(SCHED(sim), 20);
                sim_unlock(SCHED(sim), &f->dl);
        }
        sim_unlock(SCHED(sim), &sim->bs);
        sim_op_end(SCHED(sim));
        return 0;
}

SimTask *sim_aer(Sim *sim, Bdf port) {
        SimHw *hw = world_hw(sim, port);
        SimTask *t = hw ? sched_spawn(SCHED(sim), aer_thread, hw, NULL) : NULL;

        if (t)
                t->guarded = true;
        return t;
}

int sim_button(Sim *sim, Bdf port) {
        SimHw *hw = world_hw(sim, port);
        SimTask *t;

        if (!hw || !hw->service || hw->turning)
                return -ENODEV;
        hw->turning = true;
        hw->turn_on = !hw->slot_on;
        t = sched_spawn(SCHED(sim), irq_thread, hw, NULL);
        if (!t)
                return -ENOMEM;
        t->guarded = true;
        return 0;
}
