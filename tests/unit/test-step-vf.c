/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rungs of one VF: what they write, in which order, and what they answer
 */
#include "tests/unit/fake-kernel.h"

/* park-vf */

static void a_vf_is_overridden_before_it_is_unbound(void **state) {
        StepResult result;
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 2);
        put_bound(&f, VF1, "igbvf");
        result = climb(&f, STEP(.rung = RUNG_PARK_VF, .n = 1));
        assert_done(result);
        assert_string_equal(result.override, "");
        assert_writes(&f, VF1 "/driver_override=sriovd-hold", "drivers/igbvf/unbind=" VF1);
}

static void a_parked_vf_tells_its_old_override(void **state) {
        StepResult result;
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 1);
        put(&f, 'f', "vfio-pci", DEVICES VF0 "/driver_override");
        result = climb(&f, STEP(.rung = RUNG_PARK_VF));
        assert_done(result);
        assert_string_equal(result.override, "vfio-pci");
        assert_writes(&f, VF0 "/driver_override=sriovd-hold");
        result = climb(&f, STEP(.rung = RUNG_PARK_VF));
        assert_string_equal(result.override, "");
}

static void unbind_igbvf(Fake *f) {
        drop(f, DEVICES VF0 "/driver");
}

static void an_unbind_that_another_did_is_done(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 1);
        put_bound(&f, VF0, "igbvf");
        drop(&f, DRIVERS "igbvf/unbind");
        f.later = unbind_igbvf;
        assert_answer(climb(&f, STEP(.rung = RUNG_PARK_VF)), STEP_FAILED, ENOENT);
        unbind_igbvf(&f);
        assert_done(climb(&f, STEP(.rung = RUNG_PARK_VF)));
}

static void a_vf_that_cannot_be_unbound_keeps_its_override(void **state) {
        StepResult result;
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 1);
        put_bound(&f, VF0, "igbvf");
        put(&f, 'f', "igbvf", DEVICES VF0 "/driver_override");
        f.refuse = "/unbind";
        f.error = -EIO;
        result = climb(&f, STEP(.rung = RUNG_PARK_VF));
        assert_answer(result, STEP_FAILED, EIO);
        assert_string_equal(result.override, "igbvf");
        assert_writes(&f, VF0 "/driver_override=sriovd-hold", "drivers/igbvf/unbind=" VF0,
                      VF0 "/driver_override=igbvf");
}

static void an_unbind_without_effect_is_unproven(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 1);
        put_bound(&f, VF0, "igbvf");
        f.ignore = "/unbind";
        assert_answer(climb(&f, STEP(.rung = RUNG_PARK_VF)), STEP_UNPROVEN, 0);
        assert_int_equal(f.now, 5000);
}

static void a_vf_that_is_not_there_is_gone(void **state) {
        static const Rung of_vf[] = { RUNG_PARK_VF, RUNG_OVERRIDE_VF, RUNG_UNBIND_VF, RUNG_BIND_VF,
                                      RUNG_UNPARK_VF };
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 2);
        for (size_t i = 0; i < ELEMENTSOF(of_vf); i++)
                assert_answer(climb(&f, STEP(.rung = of_vf[i], .n = 2)), STEP_GONE, 0);
        assert_int_equal(f.n_log, 0);
}

/* override-vf, bind-vf, unpark-vf */

static void an_override_is_cleared_with_a_newline(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 1);
        assert_done(climb(&f, STEP(.rung = RUNG_OVERRIDE_VF, .name = "vfio-pci")));
        assert_done(climb(&f, STEP(.rung = RUNG_OVERRIDE_VF, .name = "")));
        assert_writes(&f, VF0 "/driver_override=vfio-pci", VF0 "/driver_override=\n");
        f.ignore = "/driver_override";
        assert_answer(climb(&f, STEP(.rung = RUNG_OVERRIDE_VF, .name = "igbvf")), STEP_UNPROVEN, 0);
}

static void the_override_that_was_there_is_told(void **state) {
        StepResult result;
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 1);
        result = climb(&f, STEP(.rung = RUNG_OVERRIDE_VF, .name = "vfio-pci"));
        assert_string_equal(result.override, "");
        result = climb(&f, STEP(.rung = RUNG_OVERRIDE_VF, .name = "igbvf"));
        assert_string_equal(result.override, "vfio-pci");
}

static void a_vf_is_bound_by_name(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 1);
        assert_done(climb(&f, STEP(.rung = RUNG_BIND_VF, .name = "igbvf")));
        assert_writes(&f, "drivers/igbvf/bind=" VF0);
        assert_done(climb(&f, STEP(.rung = RUNG_BIND_VF, .name = "igbvf")));
        assert_int_equal(f.n_log, 1);
}

static void a_vf_of_another_driver_is_unbound_first(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 1);
        put_bound(&f, VF0, "vfio-pci");
        assert_done(climb(&f, STEP(.rung = RUNG_BIND_VF, .name = "igbvf")));
        assert_writes(&f, "drivers/vfio-pci/unbind=" VF0, "drivers/igbvf/bind=" VF0);
}

static void a_driver_that_does_not_fit_is_enodev(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 1);
        assert_answer(climb(&f, STEP(.rung = RUNG_BIND_VF, .name = "vfio-pci")), STEP_FAILED,
                      ENODEV);
        assert_answer(climb(&f, STEP(.rung = RUNG_BIND_VF, .name = "e1000")), STEP_FAILED, ENOENT);
}

static void bind_igbvf(Fake *f) {
        put_bound(f, VF0, "igbvf");
}

static void bind_vfio(Fake *f) {
        put_bound(f, VF0, "vfio-pci");
}

static void a_vf_that_was_bound_meanwhile_is_done(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 1);
        f.refuse = "/bind";
        f.error = -EBUSY;
        f.later = bind_igbvf;
        assert_done(climb(&f, STEP(.rung = RUNG_BIND_VF, .name = "igbvf")));
        unbind_igbvf(&f);
        f.refuse = "/bind";
        f.later = bind_vfio;
        assert_answer(climb(&f, STEP(.rung = RUNG_BIND_VF, .name = "igbvf")), STEP_FAILED, EBUSY);
}

static void the_kernel_chooses_a_driver(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 1);
        put(&f, 'f', "vfio-pci", DEVICES VF0 "/driver_override");
        assert_done(climb(&f, STEP(.rung = RUNG_BIND_VF)));
        assert_writes(&f, VF0 "/driver_override=\n", "drivers_probe=" VF0);
        assert_string_equal(value_of(&f, DEVICES VF0 "/driver"), "igbvf");
        assert_done(climb(&f, STEP(.rung = RUNG_BIND_VF)));
        assert_int_equal(f.n_log, 2);
}

static void an_asynchronous_probe_is_waited_for(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 1);
        f.chooses = NULL;
        f.later = bind_igbvf;
        f.later_at = 400;
        assert_done(climb(&f, STEP(.rung = RUNG_BIND_VF)));
        assert_writes(&f, "drivers_probe=" VF0);
}

/* As the kernel chose it when the VF was made, where autoprobe was not to be held. */
static void a_vf_that_another_driver_has_is_taken_from_it(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 1);
        put_bound(&f, VF0, "igbvf");
        assert_done(climb(&f, STEP(.rung = RUNG_OVERRIDE_VF, .n = 0, .name = "vfio-pci")));
        assert_done(climb(&f, STEP(.rung = RUNG_BIND_VF, .n = 0, .name = "vfio-pci")));
        assert_writes(&f, VF0 "/driver_override=vfio-pci", "drivers/igbvf/unbind=" VF0,
                      "drivers/vfio-pci/bind=" VF0);
}

static void a_vf_that_is_to_have_no_driver_loses_it(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 1);
        put_bound(&f, VF0, "igbvf");
        assert_done(climb(&f, STEP(.rung = RUNG_OVERRIDE_VF, .n = 0, .name = "none")));
        assert_done(climb(&f, STEP(.rung = RUNG_UNBIND_VF, .n = 0)));
        assert_done(climb(&f, STEP(.rung = RUNG_UNBIND_VF, .n = 0)));
        assert_writes(&f, VF0 "/driver_override=none", "drivers/igbvf/unbind=" VF0);
}

static void no_driver_chosen_is_said(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 1);
        put(&f, 'f', "0", DEVICES PF "/sriov_drivers_autoprobe");
        assert_answer(climb(&f, STEP(.rung = RUNG_BIND_VF)), STEP_NO_DRIVER, 0);
        assert_int_equal(f.now, 1000);
}

static void a_parked_vf_gets_back_what_it_had(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 1);
        put(&f, 'f', "sriovd-hold", DEVICES VF0 "/driver_override");
        assert_done(climb(
                &f, STEP(.rung = RUNG_UNPARK_VF, .name = "vfio-pci", .override = "vfio-pci")));
        assert_writes(&f, VF0 "/driver_override=vfio-pci", "drivers/vfio-pci/bind=" VF0);
}

static void a_parked_vf_without_driver_stays_without(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 1);
        put(&f, 'f', "sriovd-hold", DEVICES VF0 "/driver_override");
        assert_done(climb(&f, STEP(.rung = RUNG_UNPARK_VF)));
        assert_writes(&f, VF0 "/driver_override=\n");
}

static void autoprobe_off_does_not_keep_a_vf_from_its_old_driver(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 1);
        put(&f, 'f', "0", DEVICES PF "/sriov_drivers_autoprobe");
        assert_done(climb(&f, STEP(.rung = RUNG_UNPARK_VF, .name = "igbvf")));
        assert_writes(&f, VF0 "/driver_override=\n", "drivers/igbvf/bind=" VF0,
                      VF0 "/driver_override=igbvf", "drivers/igbvf/bind=" VF0,
                      VF0 "/driver_override=\n");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_vf_is_overridden_before_it_is_unbound),
                cmocka_unit_test(a_parked_vf_tells_its_old_override),
                cmocka_unit_test(an_unbind_that_another_did_is_done),
                cmocka_unit_test(a_vf_that_cannot_be_unbound_keeps_its_override),
                cmocka_unit_test(an_unbind_without_effect_is_unproven),
                cmocka_unit_test(a_vf_that_is_not_there_is_gone),
                cmocka_unit_test(an_override_is_cleared_with_a_newline),
                cmocka_unit_test(the_override_that_was_there_is_told),
                cmocka_unit_test(a_vf_is_bound_by_name),
                cmocka_unit_test(a_vf_of_another_driver_is_unbound_first),
                cmocka_unit_test(a_driver_that_does_not_fit_is_enodev),
                cmocka_unit_test(a_vf_that_was_bound_meanwhile_is_done),
                cmocka_unit_test(the_kernel_chooses_a_driver),
                cmocka_unit_test(an_asynchronous_probe_is_waited_for),
                cmocka_unit_test(a_vf_that_another_driver_has_is_taken_from_it),
                cmocka_unit_test(a_vf_that_is_to_have_no_driver_loses_it),
                cmocka_unit_test(no_driver_chosen_is_said),
                cmocka_unit_test(a_parked_vf_gets_back_what_it_had),
                cmocka_unit_test(a_parked_vf_without_driver_stays_without),
                cmocka_unit_test(autoprobe_off_does_not_keep_a_vf_from_its_old_driver),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
