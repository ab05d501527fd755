/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Diagnose: what is found on a host that is well, and on one that is not
 */
#include "tests/unit/fake-kernel.h"

#include "daemon/diagnose.h"

#include "kernel/attr.h"

static const char *const all_checks[] = { "stuck-tasks", "orphan-vfs", "parked",
                                          "pf-on-stub",  "autoprobe",  "pf-without-driver",
                                          "iommu" };

/* What a look at a function reads. */
static void describe(Fake *f, const char *bdf) {
        put(f, 'f', "0x020000", DEVICES "%s/class", bdf);
        put(f, 'f', "0x8086", DEVICES "%s/vendor", bdf);
        put(f, 'f', "0x10c9", DEVICES "%s/device", bdf);
        put(f, 'f', "-1", DEVICES "%s/numa_node", bdf);
}

static void add_vfs(Fake *f, unsigned n) {
        put_vfs(f, n);
        for (unsigned i = 0; i < n; i++)
                describe(f, vf_names[i]);
}

static void set_up(Fake *f) {
        fake_init(f);
        describe(f, PF);
        describe(f, PORT);
        put(f, 'f', "7", DEVICES PF "/sriov_totalvfs");
        put(f, 'l', "12", DEVICES PF "/iommu_group");
}

static void add_task(Fake *f, uint32_t pid, StackPlace place) {
        Task t = { .pid = pid, .command = "bash", .state = 'D', .place = place, .fn = pf };

        strcpy(t.stack, place == STACK_GLOBAL ? "mutex_lock < sriov_numvfs_store < vfs_write"
                                              : "vfio_unregister_group_dev < unbind_store");
        assert_int_equal(tasks_add(&f->tasks, &t), 0);
}

static bool busy;

static Findings find_all(Fake *f) {
        Findings found = {};

        assert_int_equal(diagnose(&f->kernel, busy, &found), 0);
        for (size_t i = 0; i < ELEMENTSOF(all_checks); i++) {
                bool there = false;

                for (size_t k = 0; k < found.n; k++)
                        there = there || streq(found.items[k].check, all_checks[i]);
                if (!there)
                        fail_msg("nothing about %s", all_checks[i]);
        }
        return found;
}

/* The finding of that check that is not a plain "all is well", or its first. */
static Finding finding(Fake *f, const char *check) {
        Findings found = find_all(f);
        Finding first = { .state = _FINDING_STATE_MAX };

        for (size_t i = found.n; i > 0; i--)
                if (streq(found.items[i - 1].check, check))
                        first = found.items[i - 1];
        findings_done(&found);
        return first;
}

static void a_host_that_is_well_has_one_good_word_for_each_check(void **state) {
        Findings found;
        Fake f;

        (void) state;
        set_up(&f);
        found = find_all(&f);
        assert_int_equal(found.n, ELEMENTSOF(all_checks));
        for (size_t i = 0; i < found.n; i++) {
                assert_string_equal(finding_state_to_string(found.items[i].state), "ok");
                assert_string_equal(found.items[i].subject, "");
                assert_true(strlen(found.items[i].text) > 0);
        }
        assert_int_equal(f.n_log, 0);
        assert_int_equal(f.now, 0);
        findings_done(&found);
}

static void who_is_in_the_global_lock_for_long_is_bad(void **state) {
        Finding found;
        Fake f;

        (void) state;
        set_up(&f);
        add_task(&f, 4711, STACK_GLOBAL);
        found = finding(&f, "stuck-tasks");
        assert_int_equal(found.state, FINDING_BAD);
        assert_string_equal(found.subject, "bash (pid 4711)");
        assert_non_null(strstr(found.text, "sriov_numvfs_store of " PF));
        assert_true(f.now >= 1000);
        tasks_done(&f.tasks);
}

static void who_holds_one_device_is_worth_a_warning(void **state) {
        Finding found;
        Fake f;

        (void) state;
        set_up(&f);
        add_task(&f, 4711, STACK_DEVICE);
        found = finding(&f, "stuck-tasks");
        assert_int_equal(found.state, FINDING_WARN);
        assert_non_null(strstr(found.text, "unbind_store"));
        tasks_done(&f.tasks);
}

static void go_away(Fake *f) {
        tasks_done(&f->tasks);
        add_task(f, 4712, STACK_GLOBAL);
}

static void who_just_passes_through_is_not_stuck(void **state) {
        Finding found;
        Fake f;

        (void) state;
        set_up(&f);
        add_task(&f, 4711, STACK_GLOBAL);
        f.later = go_away;
        f.later_at = 1;
        found = finding(&f, "stuck-tasks");
        assert_int_equal(found.state, FINDING_OK);
        tasks_done(&f.tasks);
}

static void what_cannot_be_told_is_not_called_well(void **state) {
        Fake f;

        (void) state;
        set_up(&f);
        f.tasks_error = -EACCES;
        assert_int_equal(finding(&f, "stuck-tasks").state, FINDING_WARN);
}

static void a_vf_without_its_pf_is_bad(void **state) {
        Finding found;
        Fake f;

        (void) state;
        set_up(&f);
        put_function(&f, VF0);
        describe(&f, VF0);
        put(&f, 'l', "0000:09:00.0", DEVICES VF0 "/physfn");
        found = finding(&f, "orphan-vfs");
        assert_int_equal(found.state, FINDING_BAD);
        assert_string_equal(found.subject, VF0);
}

static void a_function_left_parked_is_found_and_one_with_a_driver_is_not_read(void **state) {
        Finding found;
        Fake f;

        (void) state;
        set_up(&f);
        add_vfs(&f, 2);
        put(&f, 'f', PARK_OVERRIDE, DEVICES VF0 "/driver_override");
        put(&f, 'f', PARK_OVERRIDE, DEVICES VF1 "/driver_override");
        put_bound(&f, VF1, "igbvf");
        found = finding(&f, "parked");
        assert_int_equal(found.state, FINDING_WARN);
        assert_string_equal(found.subject, VF0);
}

/* On 6.1 it would wait behind the lock that the stuck task holds. */
static void no_override_is_read_while_somebody_is_stuck(void **state) {
        Finding found;
        Fake f;

        (void) state;
        set_up(&f);
        add_vfs(&f, 1);
        put(&f, 'f', PARK_OVERRIDE, DEVICES VF0 "/driver_override");
        add_task(&f, 4711, STACK_DEVICE);
        found = finding(&f, "parked");
        assert_int_equal(found.state, FINDING_WARN);
        assert_string_equal(found.subject, "");
        tasks_done(&f.tasks);
}

/* What our own children have parked is not left by anybody, and one of them may sleep with its lock. */
static void no_override_is_read_while_jobs_are_at_work(void **state) {
        Finding found;
        Fake f;

        (void) state;
        set_up(&f);
        add_vfs(&f, 1);
        put(&f, 'f', PARK_OVERRIDE, DEVICES VF0 "/driver_override");
        busy = true;
        found = finding(&f, "parked");
        busy = false;
        assert_int_equal(found.state, FINDING_OK);
        assert_string_equal(found.subject, "");
}

static void a_pf_on_the_stub_is_worth_a_warning(void **state) {
        Finding found;
        Fake f;

        (void) state;
        set_up(&f);
        put_bound(&f, PF, "pci-pf-stub");
        found = finding(&f, "pf-on-stub");
        assert_int_equal(found.state, FINDING_WARN);
        assert_string_equal(found.subject, PF);
}

static void a_pf_with_vfs_and_no_driver_is_worth_a_warning(void **state) {
        Finding found;
        Fake f;

        (void) state;
        set_up(&f);
        add_vfs(&f, 2);
        drop(&f, DEVICES PF "/driver");
        found = finding(&f, "pf-without-driver");
        assert_int_equal(found.state, FINDING_WARN);
        assert_non_null(strstr(found.text, "2 VF(s)"));
}

static void autoprobe_that_is_off_is_told_and_no_fault(void **state) {
        Finding found;
        Fake f;

        (void) state;
        set_up(&f);
        put(&f, 'f', "0", DEVICES PF "/sriov_drivers_autoprobe");
        found = finding(&f, "autoprobe");
        assert_int_equal(found.state, FINDING_OK);
        assert_string_equal(found.subject, PF);
        assert_non_null(strstr(found.text, "off"));
}

static void a_host_without_iommu_groups_is_told_of(void **state) {
        Fake f;

        (void) state;
        set_up(&f);
        drop(&f, DEVICES PF "/iommu_group");
        assert_int_equal(finding(&f, "iommu").state, FINDING_WARN);
}

static void a_host_whose_functions_cannot_be_listed_is_bad(void **state) {
        Findings found = {};
        Fake f;

        (void) state;
        set_up(&f);
        drop(&f, "bus/pci/devices");
        assert_int_equal(diagnose(&f.kernel, false, &found), 0);
        assert_int_equal(found.n, 1);
        assert_int_equal(found.items[0].state, FINDING_BAD);
        findings_done(&found);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_host_that_is_well_has_one_good_word_for_each_check),
                cmocka_unit_test(who_is_in_the_global_lock_for_long_is_bad),
                cmocka_unit_test(who_holds_one_device_is_worth_a_warning),
                cmocka_unit_test(who_just_passes_through_is_not_stuck),
                cmocka_unit_test(what_cannot_be_told_is_not_called_well),
                cmocka_unit_test(a_vf_without_its_pf_is_bad),
                cmocka_unit_test(a_function_left_parked_is_found_and_one_with_a_driver_is_not_read),
                cmocka_unit_test(no_override_is_read_while_somebody_is_stuck),
                cmocka_unit_test(no_override_is_read_while_jobs_are_at_work),
                cmocka_unit_test(a_pf_on_the_stub_is_worth_a_warning),
                cmocka_unit_test(a_pf_with_vfs_and_no_driver_is_worth_a_warning),
                cmocka_unit_test(autoprobe_that_is_off_is_told_and_no_fault),
                cmocka_unit_test(a_host_without_iommu_groups_is_told_of),
                cmocka_unit_test(a_host_whose_functions_cannot_be_listed_is_bad),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
