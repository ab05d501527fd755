/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drivers: a table of how each behaves, and probe and remove
 */
#include <string.h>

#include "base/str.h"
#include "tests/sim/world.h"

#define NIC (DRIVER_SRIOV | DRIVER_CLEARS | DRIVER_NET | DRIVER_LOADED)

#define GIVES(a) (1u << VFATTR_##a)
#define GIVES_LINK (GIVES(MAC) | GIVES(VLAN) | GIVES(SPOOFCHK) | GIVES(TRUST) | GIVES(RATE))

/* Times measured on igb and nvme, KERNEL.md 2.2; the order is that of loading. */
const SimDriverInfo driver_table[] = {
        { "pcieport", NULL, DRIVER_PORT | DRIVER_LOADED | DRIVER_BUILTIN, 0x1b36, 0x000c, 0,
          .probe_ms = 1, .remove_ms = 1 },
        { "igb", "igb", NIC | DRIVER_KEEPS_FOREIGN, 0x8086, 0x10c9, 0, .on_ms = 400, .on_vf_ms = 10,
          .gives = GIVES_LINK, .off_ms = 900, .probe_ms = 50, .remove_ms = 60 },
        { "igbvf", "igbvf", DRIVER_NET | DRIVER_LOADED | DRIVER_RESET_HANGS, 0, 0, 0x10ca,
          .probe_ms = 10, .remove_ms = 10 },
        { "nvme", "nvme", DRIVER_SRIOV | DRIVER_VF_OFFLINE | DRIVER_DISK | DRIVER_LOADED, 0x1b36,
          0x0010, 0x0010, .gives = GIVES(QUEUES), .on_ms = 10, .probe_ms = 30, .remove_ms = 20 },
        { "mlx5_core", "mlx5_core",
          NIC | DRIVER_ESWITCH | DRIVER_ESWITCH_ALONE | DRIVER_QINQ | DRIVER_MIN_RATE, 0x15b3,
          0x1019, 0x101a,
          .gives = GIVES_LINK | GIVES(LINK_STATE) | GIVES(NODE_GUID) | GIVES(PORT_GUID) |
                   GIVES(MSIX),
          .on_ms = 100, .on_vf_ms = 1, .off_ms = 100, .probe_ms = 1, .remove_ms = 1 },
        { "bnxt_en", "bnxt_en", NIC | DRIVER_NEEDS_UP | DRIVER_ESWITCH | DRIVER_ESWITCH_AFTER,
          0x14e4, 0x16d7, 0x16dc, .gives = GIVES_LINK | GIVES(LINK_STATE), .on_ms = 100,
          .on_vf_ms = 1, .off_ms = 100, .probe_ms = 1, .remove_ms = 1 },
        { "ice", "ice", NIC | DRIVER_ESWITCH | DRIVER_ESWITCH_WITHOUT, 0x8086, 0x1592, 0,
          .gives = GIVES_LINK | GIVES(LINK_STATE), .on_ms = 100, .on_vf_ms = 1, .off_ms = 100,
          .probe_ms = 1, .remove_ms = 1 },
        { "iavf", "iavf", DRIVER_NET | DRIVER_LOADED, 0, 0, 0x1889, .probe_ms = 1, .remove_ms = 1 },
        { "e1000e", "e1000e", DRIVER_NET | DRIVER_LOADED, 0x8086, 0x10d3, 0, .probe_ms = 30,
          .remove_ms = 20 },
        { "vfio-pci", "vfio_pci", DRIVER_CLEARS | DRIVER_BY_OVERRIDE | DRIVER_VFIO, .probe_ms = 5,
          .remove_ms = 5 },
        { "pci-pf-stub", "pci_pf_stub", DRIVER_SRIOV | DRIVER_BY_OVERRIDE, .probe_ms = 1,
          .remove_ms = 1 },
};
const size_t driver_table_length = ELEMENTSOF(driver_table);

SimDriver *driver_find(const Sim *sim, const char *name) {
        for (size_t i = 0; i < sim->n_drivers; i++)
                if (sim->drivers[i].loaded && streq(sim->drivers[i].info->name, name))
                        return &sim->drivers[i];
        return NULL;
}

/* The `driver` link goes before the driver's remove runs. */
const char *driver_of(const SimFn *fn) {
        return fn->driver && !fn->unbinding ? fn->driver->info->name : NULL;
}

static bool id_matches(const SimDriverInfo *d, const SimFn *fn) {
        if ((d->flags & DRIVER_BY_OVERRIDE) || d->vendor == 0)
                return d->vf_device != 0 && !fn->hw && fn->kind->vf_device == d->vf_device;
        if (d->vendor != fn->kind->vendor)
                return false;
        return fn->hw ? d->device == fn->kind->device
                      : d->vf_device != 0 && d->vf_device == fn->kind->vf_device;
}

/* drivers/pci/pci-driver.c, pci_bus_match() and pci_device_can_probe(): an override also lifts autoprobe=0. */
bool driver_matches(const SimDriver *d, const SimFn *fn) {
        if (fn->override)
                return streq(fn->override, d->info->name);
        if (fn->pf && !fn->pf->autoprobe)
                return false;
        return id_matches(d->info, fn);
}

int driver_probe(Sim *sim, SimDriver *d, SimFn *fn) {
        sim_sleep(SCHED(sim), d->info->probe_ms);
        if (fn->gone)
                return -ENODEV;
        if ((d->info->flags & DRIVER_VFIO) && fn->n_vfs > 0)
                return -EBUSY;
        if ((d->info->flags & DRIVER_VF_OFFLINE) && !fn->hw &&
            !vfattrs_have(&fn->attrs, VFATTR_QUEUES))
                return -ENODEV;
        fn->driver = d;
        fn->named = false;
        if (d->info->flags & DRIVER_PORT) {
                fn->hw->service = fn->hw->slot[0] != '\0';
                fn->hw->slot_shown = fn->hw->service;
                world_event_other(sim);
        }
        world_event(sim, fn->bdf, "bind");
        return 0;
}

void driver_attach_any(Sim *sim, SimFn *fn) {
        for (size_t i = 0; i < sim->n_drivers; i++)
                if (sim->drivers[i].loaded && driver_matches(&sim->drivers[i], fn) && !fn->driver) {
                        driver_probe(sim, &sim->drivers[i], fn);
                        return;
                }
}

/* vfio_unregister_group_dev(): until the last user has closed, with whatever locks the caller has. */
static void wait_for_user(Sim *sim, SimFn *fn) {
        if (fn->user.holds && sim_holds(SCHED(sim), &sim->rr))
                sim_report(SCHED(sim), SIM_USER_WAIT, "%s: waits under the global lock for %s",
                           BDF_STR(fn->bdf), fn->user.name);
        sim_lock(SCHED(sim), &fn->user);
        sim_unlock(SCHED(sim), &fn->user);
}

static void note_vfs(Sim *sim, const SimFn *fn) {
        const SimTask *t = sim->sched.current;

        /* VFs that the driver did not make are left alone by it: unbinding igb is the only way to a driver that
         * takes them away, KERNEL.md 4.3. */
        if (fn->n_vfs > 0 && !fn->foreign_vfs)
                sim_report(SCHED(sim), SIM_PF_WITH_VFS, "%s loses its driver with %u VFs on: %s",
                           BDF_STR(fn->bdf), fn->n_vfs, t && t->op ? t->op->what : "?");
}

void driver_detach(Sim *sim, SimFn *fn) {
        SimDriver *d = fn->driver;

        if (!d)
                return;
        note_vfs(sim, fn);
        fn->unbinding = true;
        if (d->info->flags & DRIVER_VFIO)
                wait_for_user(sim, fn);
        sim_sleep(SCHED(sim), d->info->remove_ms);
        if ((d->info->flags & DRIVER_CLEARS) && !fn->foreign_vfs)
                sriov_disable(sim, fn);
        if ((d->info->flags & DRIVER_PORT) && fn->hw)
                service_stop(sim, fn->hw);
        fn->driver = NULL;
        fn->unbinding = false;
        fn->net_up = false;
        users_leave(fn);
        if (!fn->gone)
                world_event(sim, fn->bdf, "unbind");
}

void driver_release(Sim *sim, SimFn *fn) {
        sim_lock(SCHED(sim), &fn->dl);
        driver_detach(sim, fn);
        sim_unlock(SCHED(sim), &fn->dl);
}

void driver_release_for_removal(Sim *sim, SimFn *fn) {
        if (!fn->dead)
                driver_release(sim, fn);
}
