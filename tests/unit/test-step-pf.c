/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rungs of a PF: what they write, in which order, and what they answer
 */
#include "tests/unit/fake-kernel.h"

/* vfs-off */

static void vfs_go_with_one_write(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 3);
        assert_done(climb(&f, STEP(.rung = RUNG_VFS_OFF, .n = 3)));
        assert_writes(&f, PF "/sriov_numvfs=0");
}

static void a_driver_that_keeps_its_vfs_is_told_of(void **state) {
        StepResult result;
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 3);
        f.ignore = "/sriov_numvfs";
        result = climb(&f, STEP(.rung = RUNG_VFS_OFF, .n = 3));
        assert_answer(result, STEP_KEPT, 0);
        assert_int_equal(result.n, 3);
        assert_true(f.now < 1000);
}

static void forget_vfs(Fake *f) {
        for (unsigned i = 0; i < 3; i++)
                drop(f, DEVICES PF "/virtfn%u", i);
}

/* Whoever gave it one may use it by now, and would be waited for inside the global lock. */
static void no_0_is_written_over_a_vf_that_has_a_driver(void **state) {
        StepResult result;
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 2);
        put_bound(&f, VF1, "vfio-pci");
        result = climb(&f, STEP(.rung = RUNG_VFS_OFF, .n = 2));
        assert_answer(result, STEP_IN_USE, 0);
        assert_int_equal(result.n, OP_FORCE_IN_USE);
        assert_int_equal(f.n_log, 0);
}

/* The link to the driver is gone, and the unbind by another program is not over. */
static void no_0_is_written_while_a_vf_is_being_unbound(void **state) {
        Task t = { .pid = 4711, .command = "virsh", .state = 'S', .place = STACK_DEVICE };
        StepResult result;
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 2);
        assert_int_equal(bdf_parse(VF1, &t.fn), 0);
        assert_int_equal(tasks_add(&f.tasks, &t), 0);
        result = climb(&f, STEP(.rung = RUNG_VFS_OFF, .n = 2));
        assert_answer(result, STEP_IN_USE, 0);
        assert_int_equal(f.n_log, 0);
        tasks_done(&f.tasks);
}

static void a_vf_left_behind_is_unproven(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 3);
        f.ignore = "/sriov_numvfs";
        f.later = forget_vfs;
        assert_answer(climb(&f, STEP(.rung = RUNG_VFS_OFF, .n = 3)), STEP_UNPROVEN, 0);
}

static void a_pf_without_driver_is_enoent_and_not_gone(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 1);
        f.refuse = "/sriov_numvfs";
        f.error = -ENOENT;
        assert_answer(climb(&f, STEP(.rung = RUNG_VFS_OFF)), STEP_FAILED, ENOENT);
}

/* vfs-on */

static void vfs_come_with_one_write(void **state) {
        StepResult result;
        Fake f;

        (void) state;
        fake_init(&f);
        result = climb(&f, STEP(.rung = RUNG_VFS_ON, .n = 3));
        assert_done(result);
        assert_writes(&f, PF "/sriov_numvfs=3");
}

static void another_number_of_vfs_is_wrong(void **state) {
        StepResult result;
        Fake f;

        (void) state;
        fake_init(&f);
        f.makes = 2;
        result = climb(&f, STEP(.rung = RUNG_VFS_ON, .n = 3));
        assert_answer(result, STEP_WRONG, 0);
        assert_int_equal(result.n, 2);
        f.makes = 0;
        drop_vfs(&f);
        result = climb(&f, STEP(.rung = RUNG_VFS_ON, .n = 3));
        assert_answer(result, STEP_WRONG, 0);
        assert_int_equal(result.n, 0);
}

static void the_kernels_errno_is_passed_on(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        f.refuse = "/sriov_numvfs";
        f.error = -ENOMEM;
        assert_answer(climb(&f, STEP(.rung = RUNG_VFS_ON, .n = 3)), STEP_FAILED, ENOMEM);
}

static void lose_physfn(Fake *f) {
        put_vfs(f, 2);
        drop(f, DEVICES VF1 "/physfn");
}

static void a_vf_that_does_not_know_its_pf_is_unproven(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        f.ignore = "/sriov_numvfs";
        f.later = lose_physfn;
        assert_answer(climb(&f, STEP(.rung = RUNG_VFS_ON, .n = 2)), STEP_UNPROVEN, 0);
}

/* hold-probe, free-probe */

static void probing_is_held_and_freed(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        assert_done(climb(&f, STEP(.rung = RUNG_HOLD_PROBE)));
        assert_done(climb(&f, STEP(.rung = RUNG_FREE_PROBE)));
        assert_writes(&f, PF "/sriov_drivers_autoprobe=0", PF "/sriov_drivers_autoprobe=1");
        f.ignore = "/sriov_drivers_autoprobe";
        assert_answer(climb(&f, STEP(.rung = RUNG_HOLD_PROBE)), STEP_UNPROVEN, 0);
}

/* bind, unbind, and the stub */

static void a_pf_is_bound_as_it_is_if_the_driver_knows_it(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        act_unbind(&f, "igb", PF);
        assert_done(climb(&f, STEP(.rung = RUNG_BIND, .name = "igb")));
        assert_writes(&f, "drivers/igb/bind=" PF);
}

static void a_driver_that_does_not_know_it_gets_an_override(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        act_unbind(&f, "igb", PF);
        assert_done(climb(&f, STEP(.rung = RUNG_BIND, .name = "vfio-pci")));
        assert_writes(&f, "drivers/vfio-pci/bind=" PF, PF "/driver_override=vfio-pci",
                      "drivers/vfio-pci/bind=" PF);
}

static void a_bind_that_fails_takes_its_override_back(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        act_unbind(&f, "igb", PF);
        put(&f, 'f', "igb", DEVICES PF "/driver_override");
        f.refuse = "/bind";
        f.skip = 1;
        f.error = -EBADMSG;
        assert_answer(climb(&f, STEP(.rung = RUNG_BIND, .name = "vfio-pci")), STEP_FAILED, EBADMSG);
        assert_string_equal(value_of(&f, DEVICES PF "/driver_override"), "igb");
}

static void a_probe_that_says_enodev_is_not_tried_for_ever(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        act_unbind(&f, "igb", PF);
        put(&f, 'f', "igb", DEVICES PF "/driver_override");
        f.refuse = "/bind";
        f.error = -ENODEV;
        assert_answer(climb(&f, STEP(.rung = RUNG_BIND, .name = "igb")), STEP_FAILED, ENODEV);
        assert_writes(&f, "drivers/igb/bind=" PF);
}

static void a_pf_gets_the_kernels_choice(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        act_unbind(&f, "igb", PF);
        f.chooses = "igb";
        assert_done(climb(&f, STEP(.rung = RUNG_BIND)));
        assert_writes(&f, "drivers_probe=" PF);
        act_unbind(&f, "igb", PF);
        f.chooses = NULL;
        assert_answer(climb(&f, STEP(.rung = RUNG_BIND)), STEP_NO_DRIVER, 0);
}

static void an_unbind_leaves_the_override(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        assert_done(climb(&f, STEP(.rung = RUNG_UNBIND)));
        assert_writes(&f, "drivers/igb/unbind=" PF);
        assert_done(climb(&f, STEP(.rung = RUNG_UNBIND)));
        assert_int_equal(f.n_log, 1);
}

static void a_pf_is_never_unbound_or_removed_while_it_has_vfs(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 1);
        assert_answer(climb(&f, STEP(.rung = RUNG_UNBIND)), STEP_FAILED, EBUSY);
        assert_answer(climb(&f, STEP(.rung = RUNG_REMOVE)), STEP_FAILED, EBUSY);
        assert_int_equal(f.n_log, 0);
}

static void a_driver_that_keeps_vfs_is_unbound_with_them(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 2);
        assert_done(climb(&f, STEP(.rung = RUNG_UNBIND_KEEPER)));
        assert_writes(&f, "drivers/igb/unbind=" PF);
}

static void a_stub_is_loaded_bound_and_taken_off(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        act_unbind(&f, "igb", PF);
        put_vfs(&f, 2);
        assert_done(climb(&f, STEP(.rung = RUNG_STUB_PF)));
        assert_done(climb(&f, STEP(.rung = RUNG_UNSTUB_PF)));
        assert_writes(&f, "modprobe pci-pf-stub", PF "/driver_override=pci-pf-stub",
                      "drivers/pci-pf-stub/bind=" PF, "drivers/pci-pf-stub/unbind=" PF,
                      PF "/driver_override=\n");
}

static void a_stub_takes_no_pf_from_another_driver(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        assert_answer(climb(&f, STEP(.rung = RUNG_STUB_PF)), STEP_FAILED, EBUSY);
        assert_int_equal(f.n_log, 0);
}

static void a_stub_that_does_not_take_leaves_no_override(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        act_unbind(&f, "igb", PF);
        f.refuse = "/bind";
        f.error = -EIO;
        assert_answer(climb(&f, STEP(.rung = RUNG_STUB_PF)), STEP_FAILED, EIO);
        assert_string_equal(value_of(&f, DEVICES PF "/driver_override"), "(null)");
        f.module = -ENOENT;
        drop(&f, DRIVERS "pci-pf-stub");
        assert_answer(climb(&f, STEP(.rung = RUNG_STUB_PF)), STEP_FAILED, ENOENT);
}

static void taking_off_a_stub_leaves_another_driver_alone(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        assert_done(climb(&f, STEP(.rung = RUNG_UNSTUB_PF)));
        assert_writes(&f, PF "/driver_override=\n");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(vfs_go_with_one_write),
                cmocka_unit_test(a_driver_that_keeps_its_vfs_is_told_of),
                cmocka_unit_test(no_0_is_written_over_a_vf_that_has_a_driver),
                cmocka_unit_test(no_0_is_written_while_a_vf_is_being_unbound),
                cmocka_unit_test(a_vf_left_behind_is_unproven),
                cmocka_unit_test(a_pf_without_driver_is_enoent_and_not_gone),
                cmocka_unit_test(vfs_come_with_one_write),
                cmocka_unit_test(another_number_of_vfs_is_wrong),
                cmocka_unit_test(the_kernels_errno_is_passed_on),
                cmocka_unit_test(a_vf_that_does_not_know_its_pf_is_unproven),
                cmocka_unit_test(probing_is_held_and_freed),
                cmocka_unit_test(a_pf_is_bound_as_it_is_if_the_driver_knows_it),
                cmocka_unit_test(a_driver_that_does_not_know_it_gets_an_override),
                cmocka_unit_test(a_bind_that_fails_takes_its_override_back),
                cmocka_unit_test(a_probe_that_says_enodev_is_not_tried_for_ever),
                cmocka_unit_test(a_pf_gets_the_kernels_choice),
                cmocka_unit_test(an_unbind_leaves_the_override),
                cmocka_unit_test(a_pf_is_never_unbound_or_removed_while_it_has_vfs),
                cmocka_unit_test(a_driver_that_keeps_vfs_is_unbound_with_them),
                cmocka_unit_test(a_stub_is_loaded_bound_and_taken_off),
                cmocka_unit_test(a_stub_takes_no_pf_from_another_driver),
                cmocka_unit_test(a_stub_that_does_not_take_leaves_no_override),
                cmocka_unit_test(taking_off_a_stub_leaves_another_driver_alone),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
