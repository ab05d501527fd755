/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does the simulator bite? The hazards of KERNEL.md part 1, driven by raw writes without the ladder
 *
 * Those that are two operations at once, (1) to (6), stand in test-matrix.c as well, for each variant.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "tests/sim/fixture.h"

/* Hazard 1, as README.md has it: three ordinary commands, 0.3 s apart. */
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

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(the_convoy_hangs_the_host_for_good),
                TEST(in_variant_a_one_remove_hangs_by_itself),
                TEST(numvfs_0_under_a_vfio_user_stalls_everything),
                TEST(an_nvme_removed_with_vfs_leaves_orphans_and_then_an_oops),
                TEST(removing_the_bridge_above_takes_the_orphans_along),
                TEST(pci_pf_stub_leaves_its_vfs_as_well),
                TEST(reset_of_an_igbvf_vf_whose_link_is_down_hangs),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
