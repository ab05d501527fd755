/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the simulated kernel says of what VFs are given: the peer for devlink, GUIDs and MSI-X, which no emulated device has
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "core/policy.h"
#include "kernel/step.h"
#include "tests/sim/fixture.h"

#define IGB "0000:01:00.0"
#define MLX "0000:02:00.0"
#define BNXT "0000:03:00.0"
#define SSD "0000:04:00.0"
#define ICE "0000:05:00.0"

static void machine(void) {
        world(SIM_VARIANT_C, false, "given");
}

static void put(const char *path, const char *value) {
        char whole[96];

        snprintf(whole, sizeof(whole), "bus/pci/%s", path);
        assert_int_equal(k->write(k, whole, value), 0);
}

static int set(const char *pf, uint32_t index, const char *text) {
        VfAttrs attrs = {};
        VfAttr attr = 0;

        assert_int_equal(vfattrs_parse(text, &attrs), 0);
        while (!vfattrs_have(&attrs, attr))
                attr++;
        return k->vf_set(k, bdf(pf), index, attr, &attrs);
}

static void assert_has(const char *pf, uint32_t index, const char *expected) {
        char text[VFATTRS_TEXT_MAX];
        VfAttrs attrs = {};

        assert_int_equal(k->vf_attrs(k, bdf(pf), index, 1, &attrs), 0);
        assert_string_equal(vfattrs_format(&attrs, _VFATTR_MAX, text, sizeof(text)), expected);
}

static StepResult climb(Rung rung, const char *pf, uint32_t n, const char *name) {
        Step step = { .rung = rung, .fn = bdf(pf), .vf = BDF_NONE, .n = n };
        StepResult result;

        strcpy(step.name, name);
        step_climb(k, &step, &result, NULL);
        return result;
}

#define NIC " qos=0 vlan-proto=802.1Q spoofchk=on trust=off link-state=auto min-rate=0 max-rate=0"

static void a_nic_tells_what_it_knows(void **state) {
        (void) state;
        machine();
        put("devices/" IGB "/sriov_numvfs", "2");
        assert_has(IGB, 1, "mac=00:00:00:00:00:00 vlan=0" NIC);
        assert_int_equal(set(IGB, 1, "vlan=100"), 0);
        assert_int_equal(set(IGB, 1, "mac=02:00:00:00:01:01"), 0);
        assert_has(IGB, 1, "mac=02:00:00:00:01:01 vlan=100" NIC);
        assert_has(IGB, 0, "mac=00:00:00:00:00:00 vlan=0" NIC);
        assert_int_equal(set(IGB, 1, "link-state=disable"), -EOPNOTSUPP);
        assert_int_equal(set(IGB, 1, "node-guid=00:11:22:33:44:55:66:77"), -EOPNOTSUPP);
        assert_int_equal(set(IGB, 1, "vlan=100 vlan-proto=802.1ad"), -EPROTONOSUPPORT);
        assert_int_equal(set(IGB, 1, "min-rate=100"), -EINVAL);
        assert_int_equal(set(IGB, 2, "vlan=1"), -EINVAL);
        assert_int_equal(set(SSD, 0, "vlan=1"), -EOPNOTSUPP);
        assert_int_equal(set(SSD, 0, "queues=2 interrupts=1"), -ENOENT);
        /* Others of the same number have nothing of it. */
        put("devices/" IGB "/sriov_numvfs", "0");
        put("devices/" IGB "/sriov_numvfs", "2");
        assert_has(IGB, 1, "mac=00:00:00:00:00:00 vlan=0" NIC);
}

static void vectors_are_for_a_vf_without_driver(void **state) {
        (void) state;
        machine();
        put("devices/" MLX "/sriov_numvfs", "1");
        assert_int_equal(set(MLX, 0, "msix=12"), -EBUSY);
        put("drivers/mlx5_core/unbind", "0000:02:00.1");
        assert_int_equal(set(MLX, 0, "msix=12"), 0);
        assert_has(MLX, 0,
                   "msix=12 mac=00:00:00:00:00:00 vlan=0" NIC
                   " node-guid=00:00:00:00:00:00:00:00 port-guid=00:00:00:00:00:00:00:00");
        assert_int_equal(set(MLX, 0, "msix=2000"), -EINVAL);
        put("devices/" IGB "/sriov_numvfs", "1");
        put("drivers/igbvf/unbind", "0000:01:10.0");
        assert_int_equal(set(IGB, 0, "msix=2"), -EOPNOTSUPP);
        assert_int_equal(sim_writes(sim, "sriov_vf_msix_count"), 4);
}

/* KERNEL.md part 1, hazard 3: through the seam as through the shell. */
static void vectors_and_numvfs_must_not_meet(void **state) {
        SimTask *off;

        (void) state;
        machine();
        put("devices/" MLX "/sriov_numvfs", "1");
        put("drivers/mlx5_core/unbind", "0000:02:00.1");
        assert_int_equal(sim_fault(sim, "sriov_numvfs", SIM_FAULT_BLOCK, 0, 0, 0, 0), 0);
        off = sim_start_write(sim, "bus/pci/devices/" MLX "/sriov_numvfs", "0");
        sim_pass(sim, 10);
        assert_false(sim_returned(off));
        assert_int_equal(set(MLX, 0, "msix=12"), -EDEADLK);
        sim_go(sim);
        sim_pass(sim, 100000);
        assert_false(sim_returned(off));
        assert_true(deadly());
}

static void an_nvme_vf_binds_once_it_is_online(void **state) {
        (void) state;
        machine();
        put("devices/" SSD "/sriov_numvfs", "2");
        assert_has(SSD, 1, "queues=0 interrupts=0");
        assert_int_equal(k->write(k, "bus/pci/drivers/nvme/bind", "0000:04:00.2"), -ENODEV);
        assert_int_equal(set(SSD, 1, "queues=1 interrupts=1"), -EBUSY);
        assert_int_equal(set(SSD, 1, "queues=99 interrupts=1"), -ERANGE);
        assert_int_equal(climb(RUNG_CONFIGURE_VF, SSD, 1, "queues=3 interrupts=2").answer,
                         STEP_DONE);
        assert_has(SSD, 1, "queues=3 interrupts=2");
        put("drivers/nvme/bind", "0000:04:00.2");
        assert_int_equal(set(SSD, 1, "queues=2 interrupts=1"), -EBUSY);
        assert_int_equal(set(SSD, 1, "trust=on"), -EOPNOTSUPP);
}

static void an_eswitch_has_its_drivers_order(void **state) {
        Eswitch mode;

        (void) state;
        machine();
        assert_int_equal(k->eswitch_get(k, bdf(IGB), &mode), -EOPNOTSUPP);
        assert_int_equal(k->eswitch_set(k, bdf(IGB), ESWITCH_SWITCHDEV), -EOPNOTSUPP);
        assert_int_equal(k->eswitch_get(k, bdf(MLX), &mode), 0);
        assert_int_equal(mode, ESWITCH_LEGACY);
        put("devices/" MLX "/sriov_numvfs", "1");
        assert_int_equal(k->eswitch_set(k, bdf(MLX), ESWITCH_SWITCHDEV), -EBUSY);
        put("drivers/mlx5_core/unbind", "0000:02:00.1");
        assert_int_equal(climb(RUNG_ESWITCH, MLX, 0, "switchdev").answer, STEP_DONE);
        assert_int_equal(k->eswitch_get(k, bdf(MLX), &mode), 0);
        assert_int_equal(mode, ESWITCH_SWITCHDEV);
        assert_int_equal(k->eswitch_set(k, bdf(BNXT), ESWITCH_SWITCHDEV), -EPERM);
        put("devices/" ICE "/sriov_numvfs", "1");
        assert_int_equal(k->eswitch_set(k, bdf(ICE), ESWITCH_SWITCHDEV), -EOPNOTSUPP);
        put("devices/" ICE "/sriov_numvfs", "0");
        assert_int_equal(climb(RUNG_ESWITCH, ICE, 0, "switchdev").answer, STEP_DONE);
}

static void a_driver_that_needs_its_link_up_makes_no_vfs_before(void **state) {
        (void) state;
        machine();
        put("devices/" BNXT "/sriov_numvfs", "2");
        assert_false(is_there("bus/pci/devices/" BNXT "/virtfn0"));
        assert_int_equal(climb(RUNG_UP_PF, BNXT, 0, "").answer, STEP_DONE);
        assert_int_equal(climb(RUNG_UP_PF, BNXT, 0, "").answer, STEP_DONE);
        assert_int_equal(sim_writes(sim, "up"), 1);
        put("devices/" BNXT "/sriov_numvfs", "2");
        assert_true(is_there("bus/pci/devices/" BNXT "/virtfn1"));
        assert_int_equal(climb(RUNG_UP_PF, SSD, 0, "").error, ENODEV);
        assert_int_equal(k->up(k, bdf(SSD)), -ENODEV);
}

static void faults_are_for_what_is_given_too(void **state) {
        (void) state;
        machine();
        put("devices/" IGB "/sriov_numvfs", "2");
        assert_int_equal(
                sim_fault(sim, "bus/pci/devices/0000:01:10.2/vlan", SIM_FAULT_ERRNO, EIO, 0, 0, 1),
                0);
        assert_int_equal(sim_fault(sim, "trust", SIM_FAULT_LIE, 0, UINT32_MAX, 0, 0), 0);
        assert_int_equal(set(IGB, 0, "vlan=5"), 0);
        assert_int_equal(climb(RUNG_CONFIGURE_VF, IGB, 1, "vlan=5").error, EIO);
        assert_int_equal(climb(RUNG_CONFIGURE_VF, IGB, 1, "vlan=5").answer, STEP_DONE);
        assert_int_equal(climb(RUNG_CONFIGURE_VF, IGB, 1, "trust=on").answer, STEP_UNPROVEN);
        /* The second time there is nothing to write. */
        assert_int_equal(climb(RUNG_CONFIGURE_VF, IGB, 1, "vlan=5").answer, STEP_DONE);
        assert_int_equal(sim_writes(sim, "vlan"), 3);
        assert_int_equal(sim_writes(sim, "trust"), 1);
}

static void facts_are_told(void **state) {
        PfFacts f = {};

        (void) state;
        machine();
        assert_int_equal(k->facts(k, bdf(MLX), &f), 0);
        assert_string_equal(f.path, "pci-" MLX);
        assert_string_equal(f.serial, "00-00-00-ff-ff-02-00-00");
        assert_string_equal(f.macs[0], "52:54:00:02:00:00");
        assert_string_equal(f.altnames[0], "lan2-0");
        assert_true(f.identity > 0);
        pf_facts_done(&f);
        assert_int_equal(k->facts(k, bdf("0000:0f:00.0"), &f), -ENOENT);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                TEST(a_nic_tells_what_it_knows),
                TEST(vectors_are_for_a_vf_without_driver),
                TEST(vectors_and_numvfs_must_not_meet),
                TEST(an_nvme_vf_binds_once_it_is_online),
                TEST(an_eswitch_has_its_drivers_order),
                TEST(a_driver_that_needs_its_link_up_makes_no_vfs_before),
                TEST(faults_are_for_what_is_given_too),
                TEST(facts_are_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
