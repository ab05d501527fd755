/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every step: is it the right device; and the rungs of the host: what they write, in which order, what they answer
 */
#include "tests/unit/fake-kernel.h"

static void another_device_at_the_address_is_stale(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        for (Rung rung = 0; rung < _RUNG_MAX; rung++) {
                bool names_no_fn = rung == RUNG_LOAD_DRIVER || rung == RUNG_SLOT_OFF ||
                                   rung == RUNG_SLOT_ON || rung == RUNG_UNLOAD ||
                                   rung == RUNG_RESCAN || rung == RUNG_CLEAR_WAY ||
                                   rung == RUNG_ADMIT;

                if (!names_no_fn)
                        assert_answer(climb(&f, STEP(.rung = rung, .identity = 4711)), STEP_STALE,
                                      0);
        }
        assert_int_equal(f.n_log, 0);
}

static void a_device_that_is_not_there_is_gone(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        drop(&f, DEVICES PF);
        assert_answer(climb(&f, STEP(.rung = RUNG_VFS_ON, .n = 2)), STEP_GONE, 0);
        assert_int_equal(f.n_log, 0);
}

static void the_planned_device_is_climbed(void **state) {
        Fake f;
        uint64_t identity;

        (void) state;
        fake_init(&f);
        identity = find(&f, DEVICES PF)->identity;
        assert_done(climb(&f, STEP(.rung = RUNG_VFS_ON, .n = 2, .identity = identity)));
}

static void pull(Fake *f) {
        drop(f, DEVICES PF);
        drop_vfs(f);
}

static void a_device_that_goes_in_the_middle_is_gone(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        f.ignore = "/sriov_numvfs";
        f.later = pull;
        assert_answer(climb(&f, STEP(.rung = RUNG_VFS_ON, .n = 2)), STEP_GONE, 0);
        assert_writes(&f, PF "/sriov_numvfs=2");
}

static void a_rung_that_does_not_exist_fails(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        assert_answer(climb(&f, STEP(.rung = _RUNG_MAX)), STEP_FAILED, EINVAL);
        /* No child's: the gate lets somebody in. */
        assert_answer(climb(&f, STEP(.rung = RUNG_ADMIT)), STEP_FAILED, EINVAL);
}

/* load-driver */

static void a_loaded_driver_is_not_loaded_again(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        assert_done(climb(&f, STEP(.rung = RUNG_LOAD_DRIVER, .fn = BDF_NONE, .name = "igb")));
        assert_int_equal(f.n_log, 0);
}

static void a_missing_driver_is_loaded(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        assert_done(climb(&f, STEP(.rung = RUNG_LOAD_DRIVER, .fn = BDF_NONE, .name = "nvme")));
        assert_writes(&f, "modprobe nvme");
}

static void a_driver_that_nobody_has_is_enoent(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        f.module = -ENOENT;
        assert_answer(climb(&f, STEP(.rung = RUNG_LOAD_DRIVER, .fn = BDF_NONE, .name = "nonsense")),
                      STEP_FAILED, ENOENT);
        /* A module that loads and is no PCI driver. */
        f.module = 1;
        assert_answer(climb(&f, STEP(.rung = RUNG_LOAD_DRIVER, .fn = BDF_NONE, .name = "dummy")),
                      STEP_FAILED, ENOENT);
}

/* quiet-port */

static void a_port_is_quieted_by_its_service(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        assert_done(climb(&f, STEP(.rung = RUNG_QUIET_PORT, .fn = port, .name = SERVICE)));
        assert_writes(&f, "bus/pci_express/drivers/pciehp/unbind=" SERVICE);
        assert_done(climb(&f, STEP(.rung = RUNG_QUIET_PORT, .fn = port, .name = SERVICE)));
        assert_int_equal(f.n_log, 1);
}

static void a_port_that_stays_awake_is_unproven(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        f.ignore = "pciehp/unbind";
        assert_answer(climb(&f, STEP(.rung = RUNG_QUIET_PORT, .fn = port, .name = SERVICE)),
                      STEP_UNPROVEN, 0);
}

/* remove */

static void a_function_is_parked_before_it_is_removed(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        assert_done(climb(&f, STEP(.rung = RUNG_REMOVE)));
        assert_writes(&f, PF "/driver_override=sriovd-hold", PF "/remove=1");
}

static void a_bridge_without_an_override_file_is_removed(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        drop(&f, DEVICES PORT "/driver_override");
        assert_done(climb(&f, STEP(.rung = RUNG_REMOVE, .fn = port)));
        assert_writes(&f, PORT "/remove=1");
}

static void a_remove_that_fails_gives_the_override_back(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        f.refuse = "/remove";
        f.error = -EACCES;
        assert_answer(climb(&f, STEP(.rung = RUNG_REMOVE)), STEP_FAILED, EACCES);
        assert_writes(&f, PF "/driver_override=sriovd-hold", PF "/remove=1",
                      PF "/driver_override=\n");
}

static void replace_pf(Fake *f) {
        drop(f, DEVICES PF);
        put_function(f, PF);
}

static void a_remove_without_effect_is_unproven(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        f.ignore = "/remove";
        assert_answer(climb(&f, STEP(.rung = RUNG_REMOVE)), STEP_UNPROVEN, 0);
        /* Another device in its place is proof enough. */
        f.later = replace_pf;
        assert_done(climb(&f, STEP(.rung = RUNG_REMOVE)));
}

static void an_orphan_of_a_removed_pf_is_no_success(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        put_function(&f, VF0);
        put(&f, 'l', PF, DEVICES VF0 "/physfn");
        assert_answer(climb(&f, STEP(.rung = RUNG_REMOVE)), STEP_UNPROVEN, 0);
}

/* slots */

static void a_slot_is_switched_with_exact_numbers(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        assert_done(climb(&f, STEP(.rung = RUNG_SLOT_OFF, .fn = BDF_NONE, .name = "1")));
        assert_done(climb(&f, STEP(.rung = RUNG_SLOT_ON, .fn = BDF_NONE, .name = "1")));
        assert_writes(&f, "slots/1/power=0", "slots/1/power=1");
        assert_done(climb(&f, STEP(.rung = RUNG_SLOT_ON, .fn = BDF_NONE, .name = "1")));
        assert_int_equal(f.n_log, 2);
}

static void power_off(Fake *f) {
        put(f, 'f', "0", "bus/pci/slots/1/power");
}

static void a_slot_in_transition_is_enodev(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        f.refuse = "/power";
        f.error = -ENODEV;
        assert_answer(climb(&f, STEP(.rung = RUNG_SLOT_OFF, .fn = BDF_NONE, .name = "1")),
                      STEP_FAILED, ENODEV);
        assert_answer(climb(&f, STEP(.rung = RUNG_SLOT_OFF, .fn = BDF_NONE, .name = "2")),
                      STEP_FAILED, ENOENT);
}

static void a_function_left_in_a_slot_is_unproven(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        f.ignore = "/power";
        assert_answer(climb(&f, STEP(.rung = RUNG_SLOT_OFF, .fn = BDF_NONE, .name = "1")),
                      STEP_UNPROVEN, 0);
        f.later = power_off;
        assert_answer(climb(&f, STEP(.rung = RUNG_SLOT_OFF, .fn = BDF_NONE, .name = "1")),
                      STEP_UNPROVEN, 0);
}

/* unload */

static void a_driver_is_unloaded_by_its_modules_name(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        assert_done(climb(&f, STEP(.rung = RUNG_UNLOAD, .fn = BDF_NONE, .name = "vfio-pci")));
        assert_writes(&f, "rmmod vfio_pci");
        assert_done(climb(&f, STEP(.rung = RUNG_UNLOAD, .fn = BDF_NONE, .name = "vfio-pci")));
        assert_int_equal(f.n_log, 1);
}

static void a_module_in_use_is_said(void **state) {
        StepResult result;
        Fake f;

        (void) state;
        fake_init(&f);
        f.module = -EWOULDBLOCK;
        result = climb(&f, STEP(.rung = RUNG_UNLOAD, .fn = BDF_NONE, .name = "vfio-pci"));
        assert_answer(result, STEP_IN_USE, 0);
        assert_string_equal(result.text, "vfio_pci");
        f.module = -EBUSY;
        assert_answer(climb(&f, STEP(.rung = RUNG_UNLOAD, .fn = BDF_NONE, .name = "vfio-pci")),
                      STEP_FAILED, EBUSY);
        f.module = 1;
        assert_answer(climb(&f, STEP(.rung = RUNG_UNLOAD, .fn = BDF_NONE, .name = "vfio-pci")),
                      STEP_UNPROVEN, 0);
}

static void a_driver_that_still_has_a_device_is_not_unloaded(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        assert_answer(climb(&f, STEP(.rung = RUNG_UNLOAD, .fn = BDF_NONE, .name = "igb")),
                      STEP_FAILED, EBUSY);
        assert_int_equal(f.n_log, 0);
}

static void a_driver_that_is_built_in_is_enoent(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        drop(&f, DRIVERS "vfio-pci/module");
        assert_answer(climb(&f, STEP(.rung = RUNG_UNLOAD, .fn = BDF_NONE, .name = "vfio-pci")),
                      STEP_FAILED, ENOENT);
}

/* reset, rescan */

static void a_vf_with_a_net_device_that_is_down_is_refused(void **state) {
        Fake f;
        StepResult result;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 1);
        assert_done(climb(&f, STEP(.rung = RUNG_REFUSE_IF_DOWN, .fn = vf0)));
        put(&f, 'd', "", DEVICES VF0 "/net");
        assert_done(climb(&f, STEP(.rung = RUNG_REFUSE_IF_DOWN, .fn = vf0)));
        put(&f, 'd', "", DEVICES VF0 "/net/eth1");
        put(&f, 'f', "0x1003", DEVICES VF0 "/net/eth1/flags");
        assert_done(climb(&f, STEP(.rung = RUNG_REFUSE_IF_DOWN, .fn = vf0)));
        put(&f, 'd', "", DEVICES VF0 "/net/eth2");
        put(&f, 'f', "0x1002", DEVICES VF0 "/net/eth2/flags");
        result = climb(&f, STEP(.rung = RUNG_REFUSE_IF_DOWN, .fn = vf0));
        assert_answer(result, STEP_DOWN, 0);
        assert_string_equal(result.text, "eth2");
        /* What cannot be read is not up. */
        drop(&f, DEVICES VF0 "/net/eth2/flags");
        assert_answer(climb(&f, STEP(.rung = RUNG_REFUSE_IF_DOWN, .fn = vf0)), STEP_FAILED, ENOENT);
}

static void a_vf_is_reset_by_flr_alone(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 1);
        put(&f, 'f', "flr bus", DEVICES VF0 "/reset_method");
        assert_done(climb(&f, STEP(.rung = RUNG_RESET, .fn = vf0, .n = 1)));
        assert_done(climb(&f, STEP(.rung = RUNG_RESET, .fn = vf0, .n = 1)));
        assert_writes(&f, VF0 "/reset_method=flr", VF0 "/reset=1", VF0 "/reset=1");
}

static void a_vf_that_knows_no_flr_is_not_reset(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 1);
        put(&f, 'f', "bus", DEVICES VF0 "/reset_method");
        f.refuse = "/reset_method";
        f.error = -EINVAL;
        assert_answer(climb(&f, STEP(.rung = RUNG_RESET, .fn = vf0, .n = 1)), STEP_FAILED, EINVAL);
        assert_int_equal(f.n_log, 1);
}

static void a_pf_is_reset_as_it_is(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        put(&f, 'f', "flr bus", DEVICES PF "/reset_method");
        assert_done(climb(&f, STEP(.rung = RUNG_RESET)));
        assert_writes(&f, PF "/reset=1");
        f.refuse = "/reset";
        f.error = -ENOTTY;
        assert_answer(climb(&f, STEP(.rung = RUNG_RESET)), STEP_FAILED, ENOTTY);
}

static void a_rescan_is_of_the_whole_bus_and_finds_the_function(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        drop(&f, DEVICES PF);
        assert_done(climb(&f, STEP(.rung = RUNG_RESCAN)));
        assert_done(climb(&f, STEP(.rung = RUNG_RESCAN, .fn = BDF_NONE)));
        assert_writes(&f, "rescan=1", "rescan=1");
        drop(&f, DEVICES PF);
        f.ignore = "/rescan";
        assert_answer(climb(&f, STEP(.rung = RUNG_RESCAN)), STEP_UNPROVEN, 0);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(another_device_at_the_address_is_stale),
                cmocka_unit_test(a_device_that_is_not_there_is_gone),
                cmocka_unit_test(the_planned_device_is_climbed),
                cmocka_unit_test(a_device_that_goes_in_the_middle_is_gone),
                cmocka_unit_test(a_rung_that_does_not_exist_fails),
                cmocka_unit_test(a_loaded_driver_is_not_loaded_again),
                cmocka_unit_test(a_missing_driver_is_loaded),
                cmocka_unit_test(a_driver_that_nobody_has_is_enoent),
                cmocka_unit_test(a_port_is_quieted_by_its_service),
                cmocka_unit_test(a_port_that_stays_awake_is_unproven),
                cmocka_unit_test(a_function_is_parked_before_it_is_removed),
                cmocka_unit_test(a_bridge_without_an_override_file_is_removed),
                cmocka_unit_test(a_remove_that_fails_gives_the_override_back),
                cmocka_unit_test(a_remove_without_effect_is_unproven),
                cmocka_unit_test(an_orphan_of_a_removed_pf_is_no_success),
                cmocka_unit_test(a_slot_is_switched_with_exact_numbers),
                cmocka_unit_test(a_slot_in_transition_is_enodev),
                cmocka_unit_test(a_function_left_in_a_slot_is_unproven),
                cmocka_unit_test(a_driver_is_unloaded_by_its_modules_name),
                cmocka_unit_test(a_module_in_use_is_said),
                cmocka_unit_test(a_driver_that_still_has_a_device_is_not_unloaded),
                cmocka_unit_test(a_driver_that_is_built_in_is_enoent),
                cmocka_unit_test(a_vf_with_a_net_device_that_is_down_is_refused),
                cmocka_unit_test(a_vf_is_reset_by_flr_alone),
                cmocka_unit_test(a_vf_that_knows_no_flr_is_not_reset),
                cmocka_unit_test(a_pf_is_reset_as_it_is),
                cmocka_unit_test(a_rescan_is_of_the_whole_bus_and_finds_the_function),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
