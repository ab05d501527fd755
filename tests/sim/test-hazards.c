/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does the simulator bite? The eight hazards of KERNEL.md part 1 and the conflict matrix of its chapter 3, driven by raw
 * writes without the ladder, in four variants
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "tests/sim/sim.h"

#define FN(bdf, file) "bus/pci/devices/0000:" bdf "/" file
#define IGB0 "01:00.0"
#define IGB1 "02:00.0"
#define NVME "03:00.0"
#define PORT0 "00:01.0"

static Sim *sim;
static Kernel *k;

static void world(SimVariant v, bool old, const char *topology) {
        sim = sim_new(&(SimConfig){ .variant = v, .old = old, .topology = topology });
        assert_non_null(sim);
        k = sim_kernel(sim);
}

static int teardown(void **state) {
        (void) state;
        sim = sim_free(sim);
        return 0;
}

static Bdf bdf(const char *s) {
        Bdf b;

        assert_int_equal(bdf_parse(s, &b), 0);
        return b;
}

static bool is_there(const char *path) {
        uint64_t id;

        return k->identity(k, path, &id) == 0;
}

static bool deadly(void) {
        return sim_reports(sim, SIM_INVERSION) > 0 || sim_reports(sim, SIM_DEADLOCK) > 0;
}

/* "aer ADDRESS", "read PATH" or "PATH VALUE" */
static SimTask *start(const char *what) {
        char path[128];
        const char *blank = strchr(what, ' ');

        assert_non_null(blank);
        if (startswith(what, "aer "))
                return sim_aer(sim, bdf(blank + 1));
        if (startswith(what, "read "))
                return sim_start_read(sim, blank + 1);
        snprintf(path, sizeof(path), "%.*s", (int) (blank - what), what);
        return sim_start_write(sim, path, blank + 1);
}

/* What two operations in flight lead to: D deadly, U use after free, . neither. One letter for each of O A C R. */
typedef struct Row {
        const char *name, *before, *a, *b;
        unsigned gap_ms;
        const char *expect;
} Row;

static const Row matrix[] = {
        /* KERNEL.md 3.1: same PF */
        { "numvfs || numvfs", NULL, FN(IGB0, "sriov_numvfs 4"), FN(IGB0, "sriov_numvfs 0"), 50,
          "...." },
        { "numvfs || remove", NULL, FN(IGB0, "sriov_numvfs 4"), FN(IGB0, "remove 1"), 50, ".DD." },
        /* Where the remover is past DL already the late writer finds no driver, and goes. */
        { "remove under way || numvfs", NULL, FN(IGB0, "remove 1"), FN(IGB0, "sriov_numvfs 4"), 20,
          "...." },
        { "numvfs || slot off", NULL, FN(IGB0, "sriov_numvfs 4"), "bus/pci/slots/1/power 0", 120,
          "UDDD" },
        { "numvfs=0 || slot off", FN(IGB0, "sriov_numvfs 4"), FN(IGB0, "sriov_numvfs 0"),
          "bus/pci/slots/1/power 0", 10, "UDDD" },
        { "numvfs || remove of the bridge", NULL, FN(IGB0, "sriov_numvfs 4"), FN(PORT0, "remove 1"),
          120, "UDDD" },
        { "numvfs || rescan", NULL, FN(IGB0, "sriov_numvfs 4"), "bus/pci/rescan 1", 120, "U..." },
        { "numvfs || AER", NULL, FN(IGB0, "sriov_numvfs 4"), "aer " PORT0, 120, "DDDD" },
        { "unbind with VFs || remove", FN(IGB0, "sriov_numvfs 4"),
          "bus/pci/drivers/igb/unbind 0000:" IGB0, FN(IGB0, "remove 1"), 20, ".D.." },
        { "unbind with VFs || remove of the bridge", FN(IGB0, "sriov_numvfs 4"),
          "bus/pci/drivers/igb/unbind 0000:" IGB0, FN(PORT0, "remove 1"), 70, "UDUD" },
        { "unbind with VFs || slot off", FN(IGB0, "sriov_numvfs 4"),
          "bus/pci/drivers/igb/unbind 0000:" IGB0, "bus/pci/slots/1/power 0", 70, "UDUD" },
        { "unbind with VFs || rescan", FN(IGB0, "sriov_numvfs 4"),
          "bus/pci/drivers/igb/unbind 0000:" IGB0, "bus/pci/rescan 1", 65, "U.U." },
        { "unbind with VFs || AER", FN(IGB0, "sriov_numvfs 4"),
          "bus/pci/drivers/igb/unbind 0000:" IGB0, "aer " PORT0, 70, "DDDD" },
        { "unbind without VFs || remove", NULL, "bus/pci/drivers/igb/unbind 0000:" IGB0,
          FN(IGB0, "remove 1"), 20, "...." },
        { "unbind without VFs || remove of the bridge", NULL,
          "bus/pci/drivers/igb/unbind 0000:" IGB0, FN(PORT0, "remove 1"), 20, "...." },
        { "rescan of the device || remove", NULL, FN(IGB0, "rescan 1"), FN(IGB0, "remove 1"), 2,
          "DDDD" },
        { "remove || remove", NULL, FN(IGB0, "remove 1"), FN(IGB0, "remove 1"), 10, "...." },
        { "reset || numvfs", NULL, FN(IGB0, "reset 1"), FN(IGB0, "sriov_numvfs 4"), 10, "...." },
        { "read of numvfs || numvfs", NULL, FN(IGB0, "sriov_numvfs 4"),
          "read " FN(IGB0, "sriov_numvfs"), 10, "...." },
        /* 3.2: PF and VF */
        { "numvfs=0 || msix count", FN(IGB0, "sriov_numvfs 4"), FN(IGB0, "sriov_numvfs 0"),
          FN("01:10.4", "sriov_vf_msix_count 2"), 5, "DDDD" },
        { "numvfs=0 || unbind of a VF", FN(IGB0, "sriov_numvfs 4"), FN(IGB0, "sriov_numvfs 0"),
          "bus/pci/drivers/igbvf/unbind 0000:01:10.4", 5, "...." },
        /* 3.3: the topology above */
        { "rescan of the bus || remove of the bridge", NULL, "class/pci_bus/0000:01/rescan 1",
          FN(PORT0, "remove 1"), 2, "DDDD" },
        { "remove of the bridge || slot off", NULL, FN(PORT0, "remove 1"),
          "bus/pci/slots/1/power 0", 5, "DDDD" },
        { "slot off || remove of the bridge", NULL, "bus/pci/slots/1/power 0",
          FN(PORT0, "remove 1"), 5, "DDDD" },
        { "child || ancestor removed", NULL, FN(PORT0, "remove 1"), FN(IGB0, "remove 1"), 5,
          "UUUU" },
        /* 3.4: unrelated devices */
        { "numvfs of two PFs", NULL, FN(IGB0, "sriov_numvfs 4"), FN(IGB1, "sriov_numvfs 4"), 50,
          "...." },
        { "numvfs || remove of another", NULL, FN(IGB0, "sriov_numvfs 4"), FN(IGB1, "remove 1"), 50,
          "...." },
        { "numvfs || unbind of another", NULL, FN(IGB0, "sriov_numvfs 4"),
          "bus/pci/drivers/igb/unbind 0000:" IGB1, 50, "...." },
};

static char outcome(const Row *row) {
        if (row->before) {
                start(row->before);
                sim_settle(sim);
                assert_int_equal(sim_reports(sim, _SIM_REPORT_MAX), 0);
        }
        start(row->a);
        sim_pass(sim, row->gap_ms);
        start(row->b);
        sim_settle(sim);
        /* What ends in memory corruption may hang as well: the first thing told is the cause. */
        for (const SimReport *r = sim_first_report(sim, _SIM_REPORT_MAX); r; r = r->next) {
                if (r->kind == SIM_UAF)
                        return 'U';
                if (r->kind == SIM_INVERSION || r->kind == SIM_DEADLOCK)
                        return 'D';
        }
        return '.';
}

static void the_conflict_matrix_is_the_kernels(void **state) {
        unsigned wrong = 0;

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(matrix); i++)
                for (int v = 0; v < _SIM_VARIANT_MAX; v++) {
                        char c;

                        world(v, false, NULL);
                        c = outcome(&matrix[i]);
                        if (c != matrix[i].expect[v]) {
                                print_error("%s in %s: %c, not %c\n", matrix[i].name,
                                            sim_variant_to_string(v), c, matrix[i].expect[v]);
                                sim_print_reports(sim, stderr);
                                wrong++;
                        }
                        sim = sim_free(sim);
                }
        assert_int_equal(wrong, 0);
}

/* Rule 1: every two of these at once are told of, whether they hurt this time or not. */
static void two_topology_writes_at_once_are_told_of(void **state) {
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(matrix); i++) {
                if (strstr(matrix[i].name, "AER") || strstr(matrix[i].name, "read of numvfs"))
                        continue;
                world(SIM_VARIANT_R, true, NULL);
                outcome(&matrix[i]);
                if (sim_reports(sim, SIM_MEET) == 0)
                        fail_msg("%s: not told of", matrix[i].name);
                sim = sim_free(sim);
        }
}

/* Hazard 1, as DESIGN.md section 1 has it: three ordinary commands, 0.3 s apart. */
static void the_convoy_hangs_the_host_for_good(void **state) {
        SimTask *first, *second, *third, *other;

        (void) state;
        world(SIM_VARIANT_C, false, NULL);
        assert_int_equal(k->write(k, FN(IGB1, "sriov_numvfs"), "4"), 0);
        first = start(FN(IGB1, "sriov_numvfs 0"));
        sim_pass(sim, 300);
        second = start(FN(IGB0, "remove 1"));
        sim_pass(sim, 300);
        third = start(FN(IGB0, "sriov_numvfs 4"));
        sim_pass(sim, 60 * 1000);
        assert_true(sim_returned(first));
        assert_false(sim_returned(second));
        assert_false(sim_returned(third));
        assert_true(sim_reports(sim, SIM_DEADLOCK) > 0);
        /* The poison spreads to everyone. */
        other = start(FN(IGB1, "sriov_numvfs 2"));
        sim_pass(sim, 60 * 1000);
        assert_false(sim_returned(other));
        assert_int_equal(k->read(k, FN(IGB1, "sriov_numvfs"), (char[8]){ 0 }, 8), -EDEADLK);
}

static void in_variant_a_one_remove_hangs_by_itself(void **state) {
        (void) state;
        for (int v = 0; v < _SIM_VARIANT_MAX; v++) {
                SimTask *t;

                world(v, false, NULL);
                assert_int_equal(k->write(k, FN(IGB0, "sriov_numvfs"), "2"), 0);
                t = start(FN(IGB0, "remove 1"));
                sim_settle(sim);
                assert_int_equal(sim_returned(t), v != SIM_VARIANT_A);
                assert_int_equal(deadly(), v == SIM_VARIANT_A);
                assert_true(sim_reports(sim, SIM_PF_WITH_VFS) > 0);
                sim = sim_free(sim);
        }
}

/* Hazard 3's other half: a user under the global lock. */
static void numvfs_0_under_a_vfio_user_stalls_everything(void **state) {
        SimTask *off, *other;
        Bdf vf = bdf("0000:01:10.0");

        (void) state;
        world(SIM_VARIANT_C, false, NULL);
        assert_int_equal(k->write(k, FN(IGB0, "sriov_drivers_autoprobe"), "0"), 0);
        assert_int_equal(k->write(k, FN(IGB0, "sriov_numvfs"), "1"), 0);
        assert_int_equal(k->load_module(k, "vfio-pci"), 0);
        assert_int_equal(k->write(k, "bus/pci/drivers/vfio-pci/bind", "0000:01:10.0"), -ENODEV);
        assert_int_equal(k->write(k, FN("01:10.0", "driver_override"), "vfio-pci"), 0);
        assert_int_equal(k->write(k, "bus/pci/drivers/vfio-pci/bind", "0000:01:10.0"), 0);
        assert_int_equal(sim_hold(sim, vf, true), 0);
        off = start(FN(IGB0, "sriov_numvfs 0"));
        sim_pass(sim, 600 * 1000);
        other = start(FN(IGB1, "sriov_numvfs 1"));
        sim_pass(sim, 600 * 1000);
        assert_false(sim_returned(off));
        assert_false(sim_returned(other));
        assert_true(sim_reports(sim, SIM_USER_WAIT) > 0);
        assert_int_equal(sim_hold(sim, vf, false), 0);
        sim_settle(sim);
        assert_true(sim_returned(off) && sim_returned(other));
}

/* Hazard 7: one user, no race. */
static void an_nvme_removed_with_vfs_leaves_orphans_and_then_an_oops(void **state) {
        (void) state;
        for (int v = 0; v < _SIM_VARIANT_MAX; v++)
                for (int old = 0; old <= 1; old++) {
                        SimTask *t, *other;
                        char buf[8];

                        world(v, old, NULL);
                        assert_int_equal(k->write(k, FN(NVME, "sriov_numvfs"), "2"), 0);
                        assert_int_equal(k->write(k, FN(NVME, "remove"), "1"), 0);
                        assert_int_equal(sim_reports(sim, SIM_ORPHAN), 2);
                        assert_false(is_there("bus/pci/devices/0000:03:00.0"));
                        assert_true(is_there("bus/pci/devices/0000:03:00.1"));
                        assert_int_equal(k->write(k, "bus/pci/rescan", "1"), 0);
                        assert_int_equal(k->read(k, FN(NVME, "sriov_numvfs"), buf, sizeof(buf)), 1);
                        assert_string_equal(buf, "0");
                        t = start(FN(NVME, "sriov_numvfs 2"));
                        sim_settle(sim);
                        assert_int_equal(sim_returned(t), old);
                        assert_int_equal(sim_reports(sim, SIM_OOPS), !old);
                        assert_int_equal(sim_reports(sim, SIM_WARN), old);
                        if (old)
                                assert_int_equal(t->result, -ENOENT);
                        other = start("bus/pci/rescan 1");
                        sim_settle(sim);
                        /* RR is lost with the dead where it was held. */
                        assert_int_equal(sim_returned(other), old || v == SIM_VARIANT_O);
                        sim = sim_free(sim);
                }
}

static void removing_the_bridge_above_takes_the_orphans_along(void **state) {
        (void) state;
        world(SIM_VARIANT_C, false, NULL);
        assert_int_equal(k->write(k, FN(NVME, "sriov_numvfs"), "2"), 0);
        assert_int_equal(k->write(k, FN(NVME, "remove"), "1"), 0);
        assert_int_equal(k->write(k, FN("00:03.0", "remove"), "1"), 0);
        assert_false(is_there("bus/pci/devices/0000:03:00.1"));
        assert_int_equal(k->write(k, "bus/pci/rescan", "1"), 0);
        assert_int_equal(k->write(k, FN(NVME, "sriov_numvfs"), "2"), 0);
        assert_int_equal(sim_reports(sim, SIM_OOPS), 0);
}

static void pci_pf_stub_leaves_its_vfs_as_well(void **state) {
        (void) state;
        world(SIM_VARIANT_C, false, NULL);
        assert_int_equal(k->load_module(k, "pci-pf-stub"), 0);
        assert_int_equal(k->write(k, "bus/pci/drivers/igb/unbind", "0000:" IGB0), 0);
        assert_int_equal(k->write(k, FN(IGB0, "driver_override"), "pci-pf-stub"), 0);
        assert_int_equal(k->write(k, "bus/pci/drivers/pci-pf-stub/bind", "0000:" IGB0), 0);
        assert_int_equal(k->write(k, FN(IGB0, "sriov_numvfs"), "2"), 0);
        assert_int_equal(k->write(k, "bus/pci/drivers/pci-pf-stub/unbind", "0000:" IGB0), 0);
        assert_true(sim_reports(sim, SIM_PF_WITH_VFS) > 0);
        assert_true(is_there("bus/pci/devices/0000:01:10.2"));
        assert_int_equal(k->write(k, FN(IGB0, "sriov_numvfs"), "0"), -ENOENT);
}

/* Hazard 8. */
static void reset_of_an_igbvf_vf_whose_link_is_down_hangs(void **state) {
        SimTask *t, *port;

        (void) state;
        world(SIM_VARIANT_C, false, NULL);
        assert_int_equal(k->write(k, FN(IGB0, "sriov_numvfs"), "1"), 0);
        t = start(FN("01:10.0", "reset 1"));
        sim_settle(sim);
        assert_false(sim_returned(t));
        assert_true(sim_reports(sim, SIM_HANG) > 0);
        /* The port's lock is lost with it. */
        port = start(FN(PORT0, "driver_override x"));
        sim_settle(sim);
        assert_false(sim_returned(port));
        sim = sim_free(sim);

        world(SIM_VARIANT_C, false, NULL);
        assert_int_equal(k->write(k, FN(IGB0, "sriov_numvfs"), "1"), 0);
        sim_set_link(sim, bdf("0000:01:10.0"), true);
        assert_int_equal(k->write(k, FN("01:10.0", "reset"), "1"), 0);
}

static void errnos_are_the_kernels(void **state) {
        static const struct {
                const char *path, *value;
                int r;
        } rows[] = {
                { FN(IGB0, "sriov_numvfs"), "x", -EINVAL },
                { FN(IGB0, "sriov_numvfs"), "-1", -EINVAL },
                { FN(IGB0, "sriov_numvfs"), "2 ", -EINVAL },
                { FN(IGB0, "sriov_numvfs"), "\n", -EINVAL },
                { FN(IGB0, "sriov_numvfs"), "65536", -EINVAL },
                { FN(IGB0, "sriov_numvfs"), "", 0 },
                { FN(IGB0, "sriov_numvfs"), "8", -ERANGE },
                { FN(IGB0, "sriov_numvfs"), "0", 0 },
                { FN(IGB0, "sriov_numvfs"), "0x2\n", 0 },
                { FN(IGB0, "sriov_numvfs"), "2", 0 },
                { FN(IGB0, "sriov_numvfs"), "3", -EBUSY },
                { FN("01:10.0", "remove"), "1", -ENOENT },
                { FN("01:10.0", "rescan"), "1", -ENOENT },
                { FN(IGB0, "remove"), "x", -EINVAL },
                { FN(IGB0, "remove"), "0", 0 },
                { "bus/pci/drivers/igbvf/bind", "0000:01:10.0", -EBUSY },
                { "bus/pci/drivers/igb/bind", "0000:01:10.0", -ENODEV },
                { "bus/pci/drivers/nvme/unbind", "0000:01:10.0", -ENODEV },
                { "bus/pci/drivers/igbvf/unbind", "0000:01:10.0", 0 },
                { "bus/pci/drivers_probe", "0000:99:00.0", -ENODEV },
                { FN(IGB0, "sriov_drivers_autoprobe"), "maybe", -EINVAL },
                { FN(IGB0, "sriov_drivers_autoprobe"), "0", 0 },
                { "bus/pci/drivers_probe", "0000:01:10.0",
                  0 }, /* and nothing was bound: the next says so */
                { "bus/pci/drivers/igbvf/bind", "0000:01:10.0", -ENODEV },
                { FN("01:10.0", "driver_override"), "igbvf", 0 },
                { FN("01:10.0", "driver_override"), "", 0 }, /* clears nothing */
                { "bus/pci/drivers/igbvf/bind", "0000:01:10.0", 0 },
                { "bus/pci/drivers/igbvf/unbind", "0000:01:10.0", 0 },
                { FN("01:10.0", "driver_override"), "\n", 0 },
                { "bus/pci/drivers/igbvf/bind", "0000:01:10.0", -ENODEV },
                { FN(IGB0, "sriov_numvfs"), "0", 0 },
                { "bus/pci/drivers/igb/unbind", "0000:" IGB0, 0 },
                { FN(IGB0, "sriov_numvfs"), "0", 0 },
                { FN(IGB0, "sriov_numvfs"), "1", -ENOENT },
                { "bus/pci/slots/2/power", "1", -ENODEV },
                { "bus/pci/slots/2/power", "2", -EINVAL },
                { "bus/pci/slots/2/power", "abc", 0 }, /* off */
                { "bus/pci/slots/2/power", "0", -ENODEV },
                { FN(IGB1, "sriov_numvfs"), "1", -ENOENT },
                { "bus/pci/slots/2/power", "1", 0 },
                { FN(IGB1, "sriov_numvfs"), "1", 0 },
                { "bus/pci_express/drivers/pciehp/unbind", "0000:00:02.0:pcie004", 0 },
                { "bus/pci_express/drivers/pciehp/unbind", "0000:00:02.0:pcie004", -ENODEV },
                { "bus/pci/slots/2/power", "0", -ENOENT },
        };

        (void) state;
        world(SIM_VARIANT_C, false, NULL);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                int r = k->write(k, rows[i].path, rows[i].value);

                if (r != rows[i].r)
                        fail_msg("%s > %s: %d, not %d", rows[i].value, rows[i].path, r, rows[i].r);
        }
        assert_false(deadly());
}

static void a_vf_of_nvme_is_offline(void **state) {
        char buf[64];

        (void) state;
        world(SIM_VARIANT_C, false, NULL);
        assert_int_equal(k->write(k, FN(NVME, "sriov_numvfs"), "3"), 0);
        assert_int_equal(k->link(k, FN(NVME, "virtfn2"), buf, sizeof(buf)), 0);
        assert_string_equal(buf, "0000:03:00.3");
        assert_int_equal(k->link(k, FN("03:00.3", "driver"), buf, sizeof(buf)), -ENOENT);
        assert_int_equal(k->write(k, "bus/pci/drivers/nvme/bind", "0000:03:00.3"), -ENODEV);
}

static void after_reenumeration_all_is_at_its_default(void **state) {
        uint64_t before, after;
        char buf[64];

        (void) state;
        world(SIM_VARIANT_C, false, NULL);
        assert_int_equal(k->identity(k, "bus/pci/devices/0000:" IGB0, &before), 0);
        assert_int_equal(k->write(k, FN(IGB0, "sriov_drivers_autoprobe"), "0"), 0);
        assert_int_equal(k->write(k, FN(IGB0, "driver_override"), "nobody"), 0);
        assert_int_equal(k->write(k, FN(IGB0, "remove"), "1"), 0);
        assert_int_equal(k->write(k, FN(IGB0, "remove"), "1"), -ENOENT);
        assert_int_equal(k->write(k, "bus/pci/rescan", "1"), 0);
        assert_int_equal(k->identity(k, "bus/pci/devices/0000:" IGB0, &after), 0);
        assert_true(before != after);
        assert_true(k->read(k, FN(IGB0, "sriov_drivers_autoprobe"), buf, sizeof(buf)) > 0);
        assert_string_equal(buf, "1");
        assert_true(k->read(k, FN(IGB0, "driver_override"), buf, sizeof(buf)) > 0);
        assert_string_equal(buf, "(null)");
        assert_int_equal(k->link(k, FN(IGB0, "driver"), buf, sizeof(buf)), 0);
}

static void igb_takes_0_and_keeps_vfs_that_it_did_not_make(void **state) {
        (void) state;
        world(SIM_VARIANT_C, false, NULL);
        assert_int_equal(sim_inherit(sim, bdf("0000:" IGB0), 3), 0);
        assert_int_equal(k->write(k, FN(IGB0, "sriov_numvfs"), "0"), 0);
        assert_true(is_there("bus/pci/devices/0000:01:10.4"));
        assert_int_equal(k->load_module(k, "pci-pf-stub"), 0);
        assert_int_equal(k->write(k, "bus/pci/drivers/igb/unbind", "0000:" IGB0), 0);
        assert_int_equal(k->write(k, FN(IGB0, "driver_override"), "vfio-pci"), 0);
        assert_int_equal(k->load_module(k, "vfio-pci"), 0);
        assert_int_equal(k->write(k, "bus/pci/drivers/vfio-pci/bind", "0000:" IGB0), -EBUSY);
        assert_int_equal(k->write(k, FN(IGB0, "driver_override"), "pci-pf-stub"), 0);
        assert_int_equal(k->write(k, "bus/pci/drivers/pci-pf-stub/bind", "0000:" IGB0), 0);
        assert_int_equal(k->write(k, FN(IGB0, "sriov_numvfs"), "0"), 0);
        assert_false(is_there("bus/pci/devices/0000:01:10.4"));
        assert_int_equal(sim_reports(sim, _SIM_REPORT_MAX), 0);
}

static void a_module_in_use_stays(void **state) {
        (void) state;
        world(SIM_VARIANT_C, false, NULL);
        assert_int_equal(k->unload_module(k, "nvme"), 0);
        assert_int_equal(k->unload_module(k, "nvme"), -ENOENT);
        assert_int_equal(k->load_module(k, "vfio_pci"), 0);
        assert_int_equal(k->write(k, FN(NVME, "driver_override"), "vfio-pci"), 0);
        assert_int_equal(k->write(k, "bus/pci/drivers_probe", "0000:" NVME), 0);
        assert_int_equal(sim_hold(sim, bdf("0000:" NVME), true), 0);
        assert_int_equal(k->unload_module(k, "vfio_pci"), -EWOULDBLOCK);
        assert_int_equal(k->open_group(k, 1, &(int){ 0 }), -ENOENT);
}

static void faults_are_as_asked(void **state) {
        SimTask *t;
        char buf[64];

        (void) state;
        world(SIM_VARIANT_C, false, NULL);
        sim_fault(sim, FN(IGB0, "sriov_numvfs"), SIM_FAULT_ERRNO, ENOMEM, 0, 0, 2);
        assert_int_equal(k->write(k, FN(IGB0, "sriov_numvfs"), "2"), 0);
        assert_int_equal(k->write(k, FN(IGB0, "sriov_numvfs"), "0"), -ENOMEM);
        assert_int_equal(k->write(k, FN(IGB0, "sriov_numvfs"), "0"), 0);
        sim_clear_faults(sim);
        sim_fault(sim, "sriov_numvfs", SIM_FAULT_LIE, 0, 1, 0, 0);
        assert_int_equal(k->write(k, FN(IGB0, "sriov_numvfs"), "4"), 0);
        assert_int_equal(k->link(k, FN(IGB0, "virtfn1"), buf, sizeof(buf)), -ENOENT);
        sim_clear_faults(sim);
        sim_fault(sim, "*", SIM_FAULT_BLOCK, 0, 0, 0, 1);
        t = start(FN(IGB0, "sriov_numvfs 0"));
        sim_settle(sim);
        assert_false(sim_returned(t));
        sim_go(sim);
        sim_settle(sim);
        assert_true(sim_returned(t));
        assert_int_equal(t->result, 0);
        assert_int_equal(sim_writes(sim, "sriov_numvfs"), 5);
}

static void a_generated_machine_has_as_many_functions_as_asked(void **state) {
        char **list;
        size_t n = 0;

        (void) state;
        world(SIM_VARIANT_C, false, "functions:1000");
        assert_int_equal(k->list(k, "bus/pci/devices", &list), 0);
        n = strv_length(list);
        strv_free(list);
        assert_int_equal(n, 1000);
        sim = sim_free(sim);

        world(SIM_VARIANT_C, false, "vfs:1024");
        assert_true(is_there("bus/pci/devices/0000:05:00.0"));
}

static void nested_ports_go_with_the_port_above(void **state) {
        (void) state;
        world(SIM_VARIANT_C, false, "switch");
        assert_int_equal(k->write(k, FN(PORT0, "remove"), "1"), 0);
        assert_false(is_there("bus/pci/devices/0000:04:00.0"));
        assert_true(is_there("bus/pci/devices/0000:05:00.0"));
        assert_int_equal(k->write(k, "bus/pci/rescan", "1"), 0);
        assert_true(is_there("bus/pci/devices/0000:04:00.0"));
        assert_int_equal(sim_reports(sim, _SIM_REPORT_MAX), 0);
}

#define TEST(f) cmocka_unit_test_teardown(f, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(the_conflict_matrix_is_the_kernels),
                TEST(two_topology_writes_at_once_are_told_of),
                TEST(the_convoy_hangs_the_host_for_good),
                TEST(in_variant_a_one_remove_hangs_by_itself),
                TEST(numvfs_0_under_a_vfio_user_stalls_everything),
                TEST(an_nvme_removed_with_vfs_leaves_orphans_and_then_an_oops),
                TEST(removing_the_bridge_above_takes_the_orphans_along),
                TEST(pci_pf_stub_leaves_its_vfs_as_well),
                TEST(reset_of_an_igbvf_vf_whose_link_is_down_hangs),
                TEST(errnos_are_the_kernels),
                TEST(a_vf_of_nvme_is_offline),
                TEST(after_reenumeration_all_is_at_its_default),
                TEST(igb_takes_0_and_keeps_vfs_that_it_did_not_make),
                TEST(a_module_in_use_stays),
                TEST(faults_are_as_asked),
                TEST(a_generated_machine_has_as_many_functions_as_asked),
                TEST(nested_ports_go_with_the_port_above),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
