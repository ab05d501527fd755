/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cases: every operation, in each state of the world in which it goes another way
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "kernel/attr.h"
#include "tests/sim/cases.h"

void must(int r) {
        if (r < 0)
                fail_msg("setting up: %s", strerror(-r));
}

void fresh(Sim *sim) {
        (void) sim;
}

void with_vfs(Sim *sim) {
        Kernel *k = sim_kernel(sim);

        must(k->write(k, ATTR_FN(ATTR_NUMVFS, IGB0), "3"));
}

void with_vfio_vfs(Sim *sim) {
        Kernel *k = sim_kernel(sim);

        must(k->load_module(k, "vfio-pci"));
        must(k->write(k, ATTR_FN(ATTR_AUTOPROBE, IGB0), "0"));
        must(k->write(k, ATTR_FN(ATTR_NUMVFS, IGB0), "2"));
        for (unsigned i = 0; i < 2; i++) {
                Bdf vf = { 0, 0x0180 + 2 * i };

                must(k->write(k, ATTR_FN(ATTR_OVERRIDE, vf), "vfio-pci"));
                must(k->write(k, ATTR_NAME(ATTR_DRIVER_BIND, "vfio-pci"), BDF_STR(vf)));
        }
}

void with_held_vf(Sim *sim) {
        with_vfio_vfs(sim);
        must(sim_hold(sim, VF0, true));
}

void inherited(Sim *sim) {
        must(sim_inherit(sim, IGB0, 3));
}

static void inherited_driverless(Sim *sim) {
        Kernel *k = sim_kernel(sim);

        must(sim_inherit(sim, IGB0, 3));
        must(k->write(k, ATTR_NAME(ATTR_DRIVER_UNBIND, "igb"), BDF_STR(IGB0)));
}

void driverless(Sim *sim) {
        Kernel *k = sim_kernel(sim);

        must(k->write(k, ATTR_NAME(ATTR_DRIVER_UNBIND, "igb"), BDF_STR(IGB0)));
}

static void nvme_with_vfs(Sim *sim) {
        Kernel *k = sim_kernel(sim);

        must(k->write(k, ATTR_FN(ATTR_NUMVFS, NVME), "2"));
}

static void slot_off(Sim *sim) {
        Kernel *k = sim_kernel(sim);

        must(k->write(k, ATTR_NAME(ATTR_SLOT_POWER, "1"), "0"));
}

static void removed(Sim *sim) {
        Kernel *k = sim_kernel(sim);

        must(k->write(k, ATTR_FN(ATTR_REMOVE, IGB0), "1"));
}

static void with_vfs_behind_switch(Sim *sim) {
        Kernel *k = sim_kernel(sim);

        must(k->write(k, ATTR_FN(ATTR_NUMVFS, ((Bdf){ 0, 0x0300 })), "2"));
        must(k->write(k, ATTR_FN(ATTR_NUMVFS, ((Bdf){ 0, 0x0400 })), "3"));
}

static void with_address(Sim *sim) {
        with_vfs(sim);
        must(sim_use(sim, VF0, HOLDER_NETDEV, NULL));
}

static void with_vf_up(Sim *sim) {
        with_vfs(sim);
        must(sim_set_link(sim, VF0, true));
}

static void with_bridge(Sim *sim) {
        must(sim_use(sim, IGB0, HOLDER_MASTER, NULL));
}

static void with_mount(Sim *sim) {
        must(sim_use(sim, NVME, HOLDER_MOUNT, NULL));
}

static void with_unknown(Sim *sim) {
        with_vfs(sim);
        must(sim_use(sim, VF0, HOLDER_UNKNOWN, NULL));
}

#define CASE(n, b, r, ...)                                                                         \
        {                                                                                          \
                .name = n, .before = b, .result = r, .op = {.fn = BDF_NONE, __VA_ARGS__ }          \
        }

/* Another program, with the gate in serialize or in protect. */
#define SERIALIZE (OP_FORCE_IN_USE | OP_FORCE_STORAGE)
#define FOREIGN(n, b, r, after, driver_after, v, ...)                                              \
        {                                                                                          \
                .name = n, .before = b, .result = r, .value = v, .numvfs = after,                  \
                .driver = driver_after,                                                            \
                .op = {.kind = OP_FOREIGN,                                                         \
                       .fn = BDF_NONE,                                                             \
                       __VA_ARGS__ }                                                               \
        }

static const Case cases[] = {
        CASE("enable", fresh, RESULT_DONE, .kind = OP_SET_VFS, .fn = IGB0, .count = 3),
        CASE("enable with vfio-pci", fresh, RESULT_DONE, .kind = OP_SET_VFS, .fn = IGB0, .count = 2,
             .driver = "vfio-pci"),
        CASE("enable nvme", fresh, RESULT_DONE, .kind = OP_SET_VFS, .fn = NVME, .count = 2),
        CASE("enable, driverless", driverless, _RESULT_MAX, .kind = OP_SET_VFS, .fn = IGB0,
             .count = 2),
        CASE("resize", with_vfs, RESULT_DONE, .kind = OP_SET_VFS, .fn = IGB0, .count = 2),
        CASE("resize of vfio", with_vfio_vfs, RESULT_DONE, .kind = OP_SET_VFS, .fn = IGB0,
             .count = 3, .driver = "vfio-pci"),
        CASE("rebind", with_vfs, RESULT_DONE, .kind = OP_SET_VFS, .fn = IGB0, .count = 3,
             .driver = "vfio-pci"),
        CASE("rebind, or back", with_vfs, RESULT_DONE, .kind = OP_SET_VFS, .fn = IGB0, .count = 3,
             .driver = "vfio-pci", .flags = OP_ROLLBACK),
        CASE("rebind of vfio, or back", with_vfio_vfs, RESULT_DONE, .kind = OP_SET_VFS, .fn = IGB0,
             .count = 2, .driver = "igbvf", .flags = OP_ROLLBACK),
        CASE("already so", with_vfs, RESULT_SKIPPED, .kind = OP_SET_VFS, .fn = IGB0, .count = 3),
        CASE("disable", with_vfs, RESULT_DONE, .kind = OP_SET_VFS, .fn = IGB0),
        CASE("disable vfio", with_vfio_vfs, RESULT_DONE, .kind = OP_SET_VFS, .fn = IGB0),
        CASE("disable held", with_held_vf, RESULT_REFUSED, .kind = OP_SET_VFS, .fn = IGB0),
        CASE("disable inherited", inherited, RESULT_DONE, .kind = OP_SET_VFS, .fn = IGB0),
        CASE("disable inherited, driverless", inherited_driverless, RESULT_DONE, .kind = OP_SET_VFS,
             .fn = IGB0),
        CASE("resize inherited", inherited, RESULT_DONE, .kind = OP_SET_VFS, .fn = IGB0,
             .count = 1),
        CASE("disable nvme", nvme_with_vfs, RESULT_DONE, .kind = OP_SET_VFS, .fn = NVME),
        CASE("bind the PF", driverless, RESULT_DONE, .kind = OP_BIND, .fn = IGB0, .driver = "igb"),
        CASE("bind the PF, any driver", driverless, RESULT_DONE, .kind = OP_BIND, .fn = IGB0),
        CASE("bind the PF to vfio-pci", with_vfs, RESULT_DONE, .kind = OP_BIND, .fn = IGB0,
             .driver = "vfio-pci"),
        CASE("bind a VF to vfio-pci", with_vfs, RESULT_DONE, .kind = OP_BIND, .fn = VF0,
             .driver = "vfio-pci"),
        CASE("bind a VF to its default", with_vfio_vfs, _RESULT_MAX, .kind = OP_BIND, .fn = VF0),
        CASE("unbind a VF", with_vfs, RESULT_DONE, .kind = OP_UNBIND, .fn = VF0),
        CASE("unbind a held VF", with_held_vf, RESULT_REFUSED, .kind = OP_UNBIND, .fn = VF0),
        CASE("unbind the PF", with_vfs, RESULT_DONE, .kind = OP_UNBIND, .fn = IGB0),
        CASE("unbind the PF with inherited VFs", inherited, RESULT_DONE, .kind = OP_UNBIND,
             .fn = IGB0),
        CASE("unbind nvme", nvme_with_vfs, RESULT_DONE, .kind = OP_UNBIND, .fn = NVME),
        CASE("remove", with_vfs, RESULT_DONE, .kind = OP_REMOVE, .fn = IGB0),
        CASE("remove held", with_held_vf, RESULT_REFUSED, .kind = OP_REMOVE, .fn = IGB0),
        CASE("remove and rescan", with_vfio_vfs, RESULT_DONE, .kind = OP_REMOVE, .fn = IGB0,
             .flags = OP_RESCAN_AFTER),
        CASE("remove nvme and rescan", nvme_with_vfs, RESULT_DONE, .kind = OP_REMOVE, .fn = NVME,
             .flags = OP_RESCAN_AFTER),
        CASE("remove inherited", inherited_driverless, RESULT_DONE, .kind = OP_REMOVE, .fn = IGB0),
        CASE("remove the bridge", with_vfs, RESULT_DONE, .kind = OP_REMOVE, .fn = PORT0),
        CASE("remove the bridge and rescan", with_vfs, RESULT_DONE, .kind = OP_REMOVE, .fn = PORT0,
             .flags = OP_RESCAN_AFTER),
        { .name = "remove a switch",
          .before = with_vfs_behind_switch,
          .result = RESULT_DONE,
          .topology = "switch",
          .op = { .kind = OP_REMOVE, .fn = PORT0, .flags = OP_RESCAN_AFTER } },
        { .name = "remove all functions",
          .before = with_vfs,
          .result = RESULT_DONE,
          .topology = "dual",
          .op = { .kind = OP_REMOVE, .fn = IGB0, .flags = OP_ALL_FUNCTIONS } },
        { .name = "remove the lowest function",
          .before = with_vfs,
          .result = RESULT_REFUSED,
          .topology = "dual",
          .op = { .kind = OP_REMOVE, .fn = IGB0 } },
        CASE("rescan", removed, RESULT_DONE, .kind = OP_RESCAN, .fn = IGB0),
        CASE("rescan all", removed, RESULT_DONE, .kind = OP_RESCAN),
        CASE("reset the PF", fresh, RESULT_DONE, .kind = OP_RESET, .fn = IGB0),
        CASE("reset the PF with VFs", with_vfs, RESULT_REFUSED, .kind = OP_RESET, .fn = IGB0),
        CASE("reset a VF", with_vf_up, RESULT_DONE, .kind = OP_RESET, .fn = VF0),
        CASE("reset a VF that is down", with_vfs, RESULT_REFUSED, .kind = OP_RESET, .fn = VF0),
        CASE("reset a vfio VF", with_vfio_vfs, RESULT_DONE, .kind = OP_RESET, .fn = VF0),
        CASE("slot off", with_vfs, RESULT_DONE, .kind = OP_SLOT_OFF, .slot = "1"),
        CASE("slot on", slot_off, RESULT_DONE, .kind = OP_SLOT_ON, .slot = "1"),
        CASE("unload", with_vfs, RESULT_DONE, .kind = OP_UNLOAD, .driver = "igb"),
        CASE("unload nvme", nvme_with_vfs, RESULT_DONE, .kind = OP_UNLOAD, .driver = "nvme"),
        /* Somebody is in the way. */
        CASE("disable with an address", with_address, RESULT_REFUSED, .kind = OP_SET_VFS,
             .fn = IGB0),
        CASE("disable with an address, forced", with_address, RESULT_DONE, .kind = OP_SET_VFS,
             .fn = IGB0, .flags = OP_FORCE_IN_USE),
        CASE("reset in a bridge", with_bridge, RESULT_REFUSED, .kind = OP_RESET, .fn = IGB0),
        CASE("reset in a bridge, forced", with_bridge, RESULT_DONE, .kind = OP_RESET, .fn = IGB0,
             .flags = OP_FORCE_IN_USE),
        CASE("disable, cannot tell", with_unknown, RESULT_REFUSED, .kind = OP_SET_VFS, .fn = IGB0),
        CASE("disable, cannot tell, forced", with_unknown, RESULT_DONE, .kind = OP_SET_VFS,
             .fn = IGB0, .flags = OP_FORCE_IN_USE),
        CASE("unbind mounted", with_mount, RESULT_REFUSED, .kind = OP_UNBIND, .fn = NVME),
        CASE("unbind mounted, forced too little", with_mount, RESULT_REFUSED, .kind = OP_UNBIND,
             .fn = NVME, .flags = OP_FORCE_IN_USE),
        CASE("unbind mounted, forced", with_mount, RESULT_DONE, .kind = OP_UNBIND, .fn = NVME,
             .flags = OP_FORCE_STORAGE),
        CASE("unload mounted", with_mount, RESULT_REFUSED, .kind = OP_UNLOAD, .driver = "nvme"),
        CASE("slot off, held", with_held_vf, RESULT_REFUSED, .kind = OP_SLOT_OFF, .slot = "1"),
        CASE("unload held", with_held_vf, RESULT_REFUSED, .kind = OP_UNLOAD, .driver = "igb"),
        CASE("bind a held VF", with_held_vf, RESULT_REFUSED, .kind = OP_BIND, .fn = VF0,
             .driver = "igbvf"),
        CASE("reset a held VF", with_held_vf, RESULT_REFUSED, .kind = OP_RESET, .fn = VF0),
        /* Its user lets go when all else is done. */
        CASE("disable held, forced", with_held_vf, RESULT_DONE, .kind = OP_SET_VFS, .fn = IGB0,
             .flags = OP_FORCE_IN_USE),
        CASE("resize held, forced", with_held_vf, RESULT_DONE, .kind = OP_SET_VFS, .fn = IGB0,
             .count = 3, .flags = OP_FORCE_IN_USE),
        CASE("unbind a held VF, forced", with_held_vf, RESULT_DONE, .kind = OP_UNBIND, .fn = VF0,
             .flags = OP_FORCE_IN_USE),
        CASE("bind a held VF, forced", with_held_vf, RESULT_DONE, .kind = OP_BIND, .fn = VF0,
             .driver = "igbvf", .flags = OP_FORCE_IN_USE),
        CASE("unbind the PF of a held VF, forced", with_held_vf, RESULT_DONE, .kind = OP_UNBIND,
             .fn = IGB0, .flags = OP_FORCE_IN_USE),
        CASE("remove held, forced", with_held_vf, RESULT_DONE, .kind = OP_REMOVE, .fn = IGB0,
             .flags = OP_FORCE_IN_USE),
        CASE("remove the bridge above one held, forced", with_held_vf, RESULT_DONE,
             .kind = OP_REMOVE, .fn = PORT0, .flags = OP_FORCE_IN_USE),
        CASE("slot off, held, forced", with_held_vf, RESULT_DONE, .kind = OP_SLOT_OFF, .slot = "1",
             .flags = OP_FORCE_IN_USE),
        CASE("unload held, forced", with_held_vf, RESULT_DONE, .kind = OP_UNLOAD, .driver = "igb",
             .flags = OP_FORCE_IN_USE),
        /* All or nothing. */
        CASE("enable, or back", fresh, RESULT_DONE, .kind = OP_SET_VFS, .fn = IGB0, .count = 3,
             .flags = OP_ROLLBACK),
        CASE("enable with vfio-pci, or back", fresh, RESULT_DONE, .kind = OP_SET_VFS, .fn = IGB0,
             .count = 2, .driver = "vfio-pci", .flags = OP_ROLLBACK),
        CASE("resize, or back", with_vfs, RESULT_DONE, .kind = OP_SET_VFS, .fn = IGB0, .count = 2,
             .flags = OP_ROLLBACK),
        CASE("resize of vfio, or back", with_vfio_vfs, RESULT_DONE, .kind = OP_SET_VFS, .fn = IGB0,
             .count = 3, .driver = "igbvf", .flags = OP_ROLLBACK),
        CASE("disable, or back", with_vfs, RESULT_DONE, .kind = OP_SET_VFS, .fn = IGB0,
             .flags = OP_ROLLBACK),
        /* Other programs. */
        FOREIGN("foreign remove", with_vfs, RESULT_DONE, "", "", "1", .door = DOOR_REMOVE,
                .fn = IGB0, .flags = SERIALIZE),
        FOREIGN("foreign remove, protect", with_vfs, RESULT_DONE, "", "", "1", .door = DOOR_REMOVE,
                .fn = IGB0, .flags = OP_PROTECT),
        FOREIGN("foreign remove, held", with_held_vf, RESULT_DONE, "", "", "1", .door = DOOR_REMOVE,
                .fn = IGB0, .flags = SERIALIZE),
        FOREIGN("foreign remove, held, protect", with_held_vf, RESULT_REFUSED, "2", "igb", "1",
                .door = DOOR_REMOVE, .fn = IGB0, .flags = OP_PROTECT),
        FOREIGN("foreign remove, mounted", with_mount, RESULT_DONE, NULL, NULL, "1",
                .door = DOOR_REMOVE, .fn = NVME, .flags = SERIALIZE),
        FOREIGN("foreign remove, mounted, protect", with_mount, RESULT_REFUSED, NULL, NULL, "1",
                .door = DOOR_REMOVE, .fn = NVME, .flags = OP_PROTECT),
        FOREIGN("foreign remove of nvme", nvme_with_vfs, RESULT_DONE, NULL, NULL, "1",
                .door = DOOR_REMOVE, .fn = NVME, .flags = SERIALIZE),
        FOREIGN("foreign remove, inherited", inherited, RESULT_DONE, "", "", "1",
                .door = DOOR_REMOVE, .fn = IGB0, .flags = SERIALIZE),
        FOREIGN("foreign remove of the bridge", with_vfs, RESULT_DONE, "", "", "1",
                .door = DOOR_REMOVE, .fn = PORT0, .flags = SERIALIZE),
        FOREIGN("foreign remove, gone before it is let in", with_vfs, RESULT_CANCELED, "0", "igb",
                HOST_GONE, .door = DOOR_REMOVE, .fn = IGB0, .flags = SERIALIZE),
        FOREIGN("foreign remove that writes nothing", with_vfs, RESULT_FAILED, "0", "igb", NULL,
                .door = DOOR_REMOVE, .fn = IGB0, .flags = SERIALIZE),
        FOREIGN("foreign remove that writes 0, inherited", inherited, RESULT_FAILED, "0", "igb",
                "0", .door = DOOR_REMOVE, .fn = IGB0, .flags = SERIALIZE),
        FOREIGN("foreign rescan", removed, RESULT_DONE, "0", "igb", "1", .door = DOOR_RESCAN,
                .flags = SERIALIZE),
        FOREIGN("foreign slot off", with_vfs, RESULT_DONE, "", "", "0", .door = DOOR_SLOT,
                .slot = "1", .flags = SERIALIZE),
        FOREIGN("foreign slot off, protect", with_vfs, RESULT_DONE, "", "", "0", .door = DOOR_SLOT,
                .slot = "1", .flags = OP_PROTECT),
        FOREIGN("foreign slot off, held, protect", with_held_vf, RESULT_REFUSED, "2", "igb", "0",
                .door = DOOR_SLOT, .slot = "1", .flags = OP_PROTECT),
        FOREIGN("foreign slot on", slot_off, RESULT_DONE, "0", "igb", "1", .door = DOOR_SLOT,
                .slot = "1", .flags = SERIALIZE),
        FOREIGN("foreign slot on, where it is on", with_vfs, RESULT_FAILED, "0", "igb", "1",
                .door = DOOR_SLOT, .slot = "1", .flags = SERIALIZE),
        FOREIGN("foreign numvfs", fresh, RESULT_DONE, "4", "igb", "4", .door = DOOR_COUNT,
                .fn = IGB0, .flags = SERIALIZE),
        FOREIGN("foreign numvfs 0", with_vfs, RESULT_DONE, "0", "igb", "0", .door = DOOR_COUNT,
                .fn = IGB0, .flags = SERIALIZE),
        FOREIGN("foreign numvfs 0, protect", with_vfs, RESULT_DONE, "0", "igb", "0",
                .door = DOOR_COUNT, .fn = IGB0, .flags = OP_PROTECT),
        FOREIGN("foreign numvfs 3 over 3", with_vfs, RESULT_DONE, "3", "igb", "3",
                .door = DOOR_COUNT, .fn = IGB0, .flags = SERIALIZE),
        FOREIGN("foreign numvfs 3 over 3, protect", with_vfs, RESULT_DONE, "3", "igb", "3",
                .door = DOOR_COUNT, .fn = IGB0, .flags = OP_PROTECT),
        FOREIGN("foreign numvfs 2 over 3", with_vfs, RESULT_DONE, "3", "igb", "2",
                .door = DOOR_COUNT, .fn = IGB0, .flags = SERIALIZE),
        FOREIGN("foreign numvfs, nothing written", with_vfs, RESULT_DONE, "3", "igb", NULL,
                .door = DOOR_COUNT, .fn = IGB0, .flags = OP_PROTECT),
        FOREIGN("foreign numvfs 0, held, protect", with_held_vf, RESULT_REFUSED, "2", "igb", "0",
                .door = DOOR_COUNT, .fn = IGB0, .flags = OP_PROTECT),
        { .name = "foreign numvfs 0, held",
          .before = with_held_vf,
          .result = RESULT_DONE,
          .value = "0",
          .allows = 1u << SIM_USER_WAIT,
          .numvfs = "0",
          .op = { .kind = OP_FOREIGN, .door = DOOR_COUNT, .fn = IGB0, .flags = SERIALIZE } },
        { .name = "foreign unbind with VFs",
          .before = with_vfs,
          .result = RESULT_DONE,
          .value = "0000:01:00.0",
          .allows = 1u << SIM_PF_WITH_VFS,
          .driver = "",
          .op = { .kind = OP_FOREIGN,
                  .door = DOOR_UNBIND,
                  .fn = BDF_NONE,
                  .driver = "igb",
                  .flags = SERIALIZE } },
        FOREIGN("foreign unbind with VFs, protect", with_vfs, RESULT_REFUSED, "3", "igb",
                "0000:01:00.0", .door = DOOR_UNBIND, .driver = "igb", .flags = OP_PROTECT),
        FOREIGN("foreign unbind, protect", fresh, RESULT_DONE, "0", "", "0000:01:00.0",
                .door = DOOR_UNBIND, .driver = "igb", .flags = OP_PROTECT),
        FOREIGN("foreign bind", driverless, RESULT_DONE, "0", "igb", "0000:01:00.0",
                .door = DOOR_BIND, .driver = "igb", .flags = SERIALIZE),
        FOREIGN("foreign reset", fresh, RESULT_DONE, "0", "igb", "1", .door = DOOR_RESET,
                .fn = IGB0, .flags = SERIALIZE),
        FOREIGN("foreign reset with VFs, protect", with_vfs, RESULT_REFUSED, "3", "igb", "1",
                .door = DOOR_RESET, .fn = IGB0, .flags = OP_PROTECT),
        /* It loses a setting of the others, which is his matter who asked the kernel. Its VFs go first all the same. */
        { .name = "foreign remove of the lowest function",
          .before = with_vfs,
          .result = RESULT_DONE,
          .topology = "dual",
          .value = "1",
          .op = { .kind = OP_FOREIGN, .door = DOOR_REMOVE, .fn = IGB0, .flags = SERIALIZE } },
        { .name = "foreign remove of the lowest function, protect",
          .before = with_vfs,
          .result = RESULT_REFUSED,
          .topology = "dual",
          .value = "1",
          .op = { .kind = OP_FOREIGN, .door = DOOR_REMOVE, .fn = IGB0, .flags = OP_PROTECT } },
};

const Case *case_next(const Case *c) {
        if (!c)
                return cases;
        if (c == cases + ELEMENTSOF(cases) - 1)
                return cases_wanted;
        return c == cases_wanted + n_cases_wanted - 1 ? NULL : c + 1;
}

Sim *case_world(const Case *c, SimVariant v) {
        Sim *sim = sim_new(&(SimConfig){ .variant = v, .topology = c->topology });

        assert_non_null(sim);
        c->before(sim);
        assert_int_equal(sim_reports(sim, _SIM_REPORT_MAX), 0);
        return sim;
}

void case_host(const Case *c, Sim *sim, Host *h) {
        host_init(h, sim);
        h->quirk = c->quirk;
        if (c->wanted)
                h->wanted = (Wanteds){ (Wanted *) c->wanted, 1 };
}

Bdf case_pf(const Case *c, Sim *sim) {
        Kernel *k = sim_kernel(sim);
        uint64_t identity;

        return k->identity(k, ATTR_FN(ATTR_TOTALVFS, c->op.fn), &identity) >= 0 ? c->op.fn : IGB0;
}
