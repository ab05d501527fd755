/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Surprise: the PF goes with its VFs before any call that any rung makes
 *
 * Each rung is climbed once undisturbed, to count its calls, and then once for each of them and each errno that the kernel
 * has for a device that is no more. What it answers must be true, whichever call it was.
 */
#include "tests/unit/fake-kernel.h"

/* A world in which this rung has something to do. */
static void put_world(Fake *f, Rung rung) {
        fake_init(f);
        switch (rung) {
        case RUNG_REFUSE_IF_DOWN:
                put_netdev(f, "0x1003");
                break;
        case RUNG_UP_PF:
                put_netdev(f, "0x1002");
                break;
        case RUNG_ESWITCH:
        case RUNG_ESWITCH_VFS:
                f->eswitch = ESWITCH_LEGACY;
                break;
        case RUNG_REFUSE_IF_HELD:
                put_vfs(f, 1);
                put_bound(f, VF0, "vfio-pci");
                put(f, 'l', "12", DEVICES VF0 "/iommu_group");
                break;
        case RUNG_PARK_VF:
        case RUNG_UNPARK_VF:
        case RUNG_OVERRIDE_VF:
        case RUNG_UNBIND_VF:
        case RUNG_BIND_VF:
        case RUNG_CONFIGURE_VF:
        case RUNG_VFS_OFF:
                put_vfs(f, 2);
                if (rung == RUNG_PARK_VF || rung == RUNG_UNBIND_VF)
                        put_bound(f, VF0, "igbvf");
                break;
        case RUNG_STUB_PF:
        case RUNG_BIND:
                drop(f, DEVICES PF "/driver");
                drop(f, DRIVERS "igb/" PF);
                if (rung == RUNG_STUB_PF)
                        put_driver(f, "pci-pf-stub", "pci_pf_stub");
                break;
        case RUNG_UNSTUB_PF:
                put_driver(f, "pci-pf-stub", "pci_pf_stub");
                drop(f, DRIVERS "igb/" PF);
                put_bound(f, PF, "pci-pf-stub");
                break;
        default:
                break;
        }
}

static Step step_of(Rung rung) {
        Step step = { .rung = rung, .fn = rung == RUNG_REFUSE_IF_HELD ? vf0 : pf, .vf = BDF_NONE };
        const char *name = "";

        switch (rung) {
        case RUNG_BIND:
                name = "igb";
                break;
        case RUNG_BIND_VF:
        case RUNG_UNPARK_VF:
                name = "igbvf";
                break;
        case RUNG_OVERRIDE_VF:
        case RUNG_LOAD_DRIVER:
        case RUNG_UNLOAD:
                name = "vfio-pci";
                break;
        case RUNG_ESWITCH:
        case RUNG_ESWITCH_VFS:
                name = "switchdev";
                break;
        case RUNG_CONFIGURE_VF:
                name = "vlan=100 qos=3";
                break;
        case RUNG_SLOT_OFF:
        case RUNG_SLOT_ON:
                name = "1";
                break;
        case RUNG_QUIET_PORT:
                name = SERVICE;
                break;
        case RUNG_VFS_ON:
                step.n = 2;
                break;
        default:
                break;
        }
        strcpy(step.name, name);
        return step;
}

static StepResult climb_until(Fake *f, Rung rung, unsigned vanish_at, int error) {
        put_world(f, rung);
        f->vanish_at = vanish_at;
        f->vanish_error = error;
        return climb(f, step_of(rung));
}

/* A removal, a slot that is switched off: what they want is that it goes, and their proof is that it went. */
static bool is_true_answer(Rung rung, const StepResult *result, int error) {
        bool failed = result->answer == STEP_FAILED && result->error == -error;

        switch (rung) {
        case RUNG_REMOVE:
                return result->answer == STEP_GONE || result->answer == STEP_DONE;
        case RUNG_RESCAN:
                return result->answer == STEP_UNPROVEN || failed;
        case RUNG_SLOT_OFF:
        case RUNG_CLEAR_WAY:
        case RUNG_LOAD_DRIVER:
        case RUNG_UNLOAD:
        case RUNG_SLOT_ON:
                return result->answer == STEP_DONE || failed;
        default:
                return result->answer == STEP_GONE;
        }
}

static void whatever_call_meets_a_device_that_went_tells_so(void **state) {
        static const int errors[] = { -ENOENT, -ENODEV };

        (void) state;
        for (Rung rung = 0; rung < _RUNG_MAX; rung++) {
                StepResult result;
                unsigned n;
                Fake f;

                if (rung == RUNG_ADMIT) /* no child's */
                        continue;
                result = climb_until(&f, rung, 0, 0);
                if (result.answer != STEP_DONE)
                        fail_msg("%s is not climbed even undisturbed: %s", rung_to_string(rung),
                                 step_answer_to_string(result.answer));
                n = f.n_calls;
                assert_true(n >= 1);
                for (unsigned at = 1; at <= n; at++)
                        for (size_t i = 0; i < ELEMENTSOF(errors); i++) {
                                result = climb_until(&f, rung, at, errors[i]);
                                if (!is_true_answer(rung, &result, errors[i]))
                                        fail_msg("%s, call %u of %u, errno %d: %s, errno %d",
                                                 rung_to_string(rung), at, n, -errors[i],
                                                 step_answer_to_string(result.answer),
                                                 result.error);
                        }
        }
}

/* Whatever else the kernel may say of one call, a device that is still there is not called gone. */
static void a_call_that_fails_is_not_a_device_that_went(void **state) {
        (void) state;
        for (Rung rung = 0; rung < _RUNG_MAX; rung++) {
                StepResult result;
                Fake f;

                put_world(&f, rung);
                f.refuse = "";
                f.error = -EIO;
                result = climb(&f, step_of(rung));
                assert_true(result.answer != STEP_GONE && result.answer != STEP_STALE);
                if (f.n_log > 0 && !f.refuse)
                        assert_answer(result, STEP_FAILED, EIO);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(whatever_call_meets_a_device_that_went_tells_so),
                cmocka_unit_test(a_call_that_fails_is_not_a_device_that_went),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
