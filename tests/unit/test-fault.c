/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/fault.h"
#include "core/ladder.h"

#include "tests/unit/test.h"

static void every_reason_has_an_error_a_status_and_a_sentence(void **state) {
        (void) state;
        for (FaultReason r = FAULT_NONE + 1; r < _FAULT_MAX; r++) {
                Fault f = fault_text(
                        FAULT(r, .fn = PF, .other = VF0, .number = 1, .limit = 2, .error = EIO),
                        "text");
                char line[FAULT_STR_MAX];

                assert_non_null(startswith(fault_bus_name(r), "org.sriovd1.Error."));
                assert_int_not_equal(fault_exit_status(r), 0);
                assert_int_equal(fault_exit_status_of(fault_bus_name(r)), fault_exit_status(r));
                fault_format(&f, line, sizeof(line));
                assert_true(strlen(line) > 10);
                assert_null(strpbrk(line, "{}\n"));
        }
        assert_null(fault_bus_name(FAULT_NONE));
        assert_null(fault_bus_name(_FAULT_MAX));
}

static void exit_statuses_are_those_of_the_contract(void **state) {
        static const struct {
                const char *name;
                int status;
        } contract[] = {
                { "InUse", 5 },          { "NoSuchDevice", 10 }, { "NotSriov", 10 },
                { "Range", 2 },          { "Going", 11 },        { "Wedged", 9 },
                { "Quarantined", 9 },    { "Unsupported", 1 },   { "Stale", 11 },
                { "QueueFull", 11 },     { "NotAuthorized", 6 }, { "Kernel", 1 },
                { "BadOption", 2 },      { "NoSuchJob", 10 },    { "NoPolicy", 6 },
                { "PolicyConflict", 6 },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(contract); i++) {
                char name[64];

                snprintf(name, sizeof(name), "org.sriovd1.Error.%s", contract[i].name);
                assert_int_equal(fault_exit_status_of(name), contract[i].status);
        }
        assert_int_equal(fault_exit_status_of("org.freedesktop.DBus.Error.NoReply"), 1);
}

static void a_sentence_names_device_errno_and_what_to_do(void **state) {
        Fault f = fault_text(FAULT(FAULT_KERNEL, .fn = PF, .error = EBUSY), "vfs-on");
        char line[FAULT_STR_MAX], cut[8];

        (void) state;
        assert_string_equal(fault_format(&f, line, sizeof(line)),
                            "0000:01:00.0: vfs-on failed with EBUSY (Device or resource busy); "
                            "'sriovctl show 0000:01:00.0' tells how it stands now");
        assert_string_equal(fault_format(&f, cut, sizeof(cut)), "0000:01");
        f = fault_text(FAULT(FAULT_NO_SUCH_DEVICE), "a\nb");
        assert_null(strchr(fault_format(&f, line, sizeof(line)), '\n'));
        assert_string_equal(errno_name(ENOMEM), "ENOMEM");
        assert_string_equal(errno_name(4711), "an unknown errno");
}

static void an_attribute_is_refused_by_its_key_and_with_what_it_takes(void **state) {
        Fault bad = fault_text(FAULT(FAULT_BAD_ATTR, .fn = PF, .number = VFKEY_VLAN), "4096"),
              lonely = FAULT(FAULT_LONELY_ATTR, .fn = PF, .number = VFKEY_QOS, .limit = VFKEY_VLAN),
              none = FAULT(FAULT_BAD_ATTR, .fn = PF, .number = _VFKEY_MAX);
        char line[FAULT_STR_MAX];

        (void) state;
        assert_string_equal(fault_format(&bad, line, sizeof(line)),
                            "0000:01:00.0: vlan: takes 0 (none) to 4095, not '4096'; nothing was "
                            "changed");
        assert_string_equal(fault_format(&lonely, line, sizeof(line)),
                            "0000:01:00.0: qos: means nothing without vlan; give both");
        assert_non_null(strstr(fault_format(&none, line, sizeof(line)), "not ''"));
}

static void a_pf_without_one_policy_is_told_how_to_get_one(void **state) {
        Fault none = FAULT(FAULT_NO_POLICY, .fn = PF),
              two = fault_text(
                      FAULT(FAULT_POLICY_CONFLICT, .fn = PF),
                      "a (/etc/sriovd/policy.d/a.conf:1) and b (/run/sriovd/policy.d/b.conf:9)");
        char line[FAULT_STR_MAX];

        (void) state;
        assert_string_equal(fault_format(&none, line, sizeof(line)),
                            "0000:01:00.0: no policy matches it; 'sriovctl adopt 0000:01:00.0' "
                            "writes one, sriovd.conf(5)");
        assert_non_null(strstr(fault_format(&two, line, sizeof(line)),
                               "policies a (/etc/sriovd/policy.d/a.conf:1) and b "
                               "(/run/sriovd/policy.d/b.conf:9) have the same priority"));
}

static const char *fault_of(const Step *step, StepResult result) {
        static char line[FAULT_STR_MAX];
        Fault f = ladder_fault(step, &result);

        return fault_format(&f, line, sizeof(line));
}

static void a_failed_attribute_names_itself_and_its_vf(void **state) {
        Step step = { .rung = RUNG_CONFIGURE_VF,
                      .fn = PF,
                      .vf = BDF_NONE,
                      .n = 1,
                      .name = "vlan=100 qos=3" };

        (void) state;
        assert_string_equal(fault_of(&step, (StepResult){ STEP_FAILED, .error = EIO }),
                            "0000:01:00.0/vf1: setting vlan=100 qos=3 failed with EIO "
                            "(Input/output error); 'sriovctl show 0000:01:00.0/vf1' tells how it "
                            "stands now");
        assert_non_null(strstr(fault_of(&step, (StepResult){ STEP_UNPROVEN }),
                               "0000:01:00.0/vf1: setting vlan=100 qos=3 was accepted"));
        assert_non_null(strstr(fault_of(&step, (StepResult){ STEP_FAILED, .error = EOPNOTSUPP }),
                               "0000:01:00.0/vf1: its driver cannot set vlan=100 qos=3; "));
        assert_non_null(strstr(fault_of(&step, (StepResult){ STEP_STALE }),
                               "0000:01:00.0: another device"));
        step.vf = VF1;
        assert_non_null(strstr(fault_of(&step, (StepResult){ STEP_FAILED, .error = EIO }),
                               "0000:01:10.2: setting vlan=100 qos=3 failed with EIO"));
        step = (Step){ .rung = RUNG_BIND_VF, .fn = PF, .vf = BDF_NONE, .n = 2, .name = "igbvf" };
        assert_non_null(strstr(fault_of(&step, (StepResult){ STEP_FAILED, .error = EIO }),
                               "0000:01:00.0/vf2: bind-vf failed with EIO"));
        step = (Step){ .rung = RUNG_ESWITCH, .fn = PF, .vf = BDF_NONE, .name = "legacy" };
        assert_string_equal(
                fault_of(&step, (StepResult){ STEP_FAILED, .error = EOPNOTSUPP }),
                "0000:01:00.0: its driver has no eswitch mode 'legacy' to be set, or "
                "not now; 'devlink dev eswitch show pci/0000:01:00.0' tells what it has");
        step = (Step){ .rung = RUNG_VFS_ON, .fn = PF, .vf = BDF_NONE, .n = 2 };
        assert_non_null(strstr(fault_of(&step, (StepResult){ STEP_FAILED, .error = EIO }),
                               "0000:01:00.0: vfs-on failed with EIO"));
}

/* Somebody bound it behind the plan's back: who asks again has it unbound. */
static void what_a_driver_keeps_from_being_set_names_the_driver(void **state) {
        Step step = { .rung = RUNG_CONFIGURE_VF, .fn = PF, .vf = VF1, .n = 1, .name = "msix=8" };
        StepResult busy = { STEP_FAILED, .error = EBUSY, .text = "it is bound to igbvf" };

        (void) state;
        assert_int_equal(ladder_fault(&step, &busy).reason, FAULT_VF_BOUND);
        assert_string_equal(fault_of(&step, busy),
                            "0000:01:10.2: cannot set msix=8: it is bound to igbvf, and had no "
                            "driver when this was planned; ask again");
        busy.text[0] = '\0';
        assert_int_equal(ladder_fault(&step, &busy).reason, FAULT_KERNEL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_reason_has_an_error_a_status_and_a_sentence),
                cmocka_unit_test(exit_statuses_are_those_of_the_contract),
                cmocka_unit_test(a_sentence_names_device_errno_and_what_to_do),
                cmocka_unit_test(an_attribute_is_refused_by_its_key_and_with_what_it_takes),
                cmocka_unit_test(a_pf_without_one_policy_is_told_how_to_get_one),
                cmocka_unit_test(a_failed_attribute_names_itself_and_its_vf),
                cmocka_unit_test(what_a_driver_keeps_from_being_set_names_the_driver),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
