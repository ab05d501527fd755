/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the simulated kernel answers to each write, and what it looks like afterwards: KERNEL.md chapter 2
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

static const struct {
        const char *path, *value;
        int r;
} answers[] = {
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

static void errnos_are_the_kernels(void **state) {
        (void) state;
        world(SIM_VARIANT_C, false, NULL);
        for (size_t i = 0; i < ELEMENTSOF(answers); i++) {
                int r = k->write(k, answers[i].path, answers[i].value);

                if (r != answers[i].r)
                        fail_msg("%s > %s: %d, not %d", answers[i].value, answers[i].path, r,
                                 answers[i].r);
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

int main(void) {
        const struct CMUnitTest tests[] = {
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
