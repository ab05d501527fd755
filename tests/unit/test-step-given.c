/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rungs of what is given: what they write, when they write nothing, and what counts as a proof
 */
#include "tests/unit/fake-kernel.h"

static Step configure(uint32_t index, const char *text) {
        Step step = STEP(.rung = RUNG_CONFIGURE_VF, .n = index);

        strcpy(step.name, text);
        return step;
}

static void with_vfs(Fake *f) {
        fake_init(f);
        put_vfs(f, 3);
}

/* configure-vf */

static void one_attribute_of_one_vf_is_set(void **state) {
        Fake f;

        (void) state;
        with_vfs(&f);
        assert_done(climb(&f, configure(1, "vlan=100 qos=3 vlan-proto=802.1ad")));
        assert_done(climb(&f, configure(2, "mac=02:00:00:00:01:02")));
        assert_writes(&f, PF "/vf1=vlan=100 qos=3 vlan-proto=802.1ad",
                      PF "/vf2=mac=02:00:00:00:01:02");
        assert_int_equal(f.given[0].has, 0);
}

static void what_is_so_already_is_not_written(void **state) {
        Fake f;

        (void) state;
        with_vfs(&f);
        assert_done(climb(&f, configure(1, "spoofchk=on")));
        assert_done(climb(&f, configure(1, "spoofchk=on")));
        assert_writes(&f, PF "/vf1=spoofchk=on");
        assert_done(climb(&f, configure(1, "spoofchk=off")));
        assert_int_equal(f.n_log, 2);
}

static void an_attribute_that_does_not_show_is_unproven(void **state) {
        Fake f;

        (void) state;
        with_vfs(&f);
        f.ignore = "/vf1";
        assert_answer(climb(&f, configure(1, "trust=on")), STEP_UNPROVEN, 0);
        assert_int_equal(f.n_log, 1);
}

static void show_trust(Fake *f) {
        assert_int_equal(vfattrs_parse("trust=on", f->given + 1), 0);
}

static void an_attribute_that_shows_late_is_proven(void **state) {
        Fake f;

        (void) state;
        with_vfs(&f);
        f.ignore = "/vf1";
        f.later = show_trust;
        f.later_at = 20;
        assert_done(climb(&f, configure(1, "trust=on")));
        assert_int_equal(f.n_log, 1);
}

static void a_rate_waits_for_the_link_of_a_pf_that_is_up(void **state) {
        Fake f;

        (void) state;
        with_vfs(&f);
        f.refuse = "/vf0";
        f.error = -EINVAL;
        put_netdev(&f, "0x1003");
        assert_done(climb(&f, configure(0, "max-rate=100")));
        assert_writes(&f, PF "/vf0=max-rate=100", PF "/vf0=max-rate=100");
        /* Nothing else does. */
        f.refuse = "/vf0";
        assert_answer(climb(&f, configure(0, "trust=on")), STEP_FAILED, EINVAL);
        assert_int_equal(f.n_log, 3);
}

static void no_rate_waits_for_a_pf_that_is_down(void **state) {
        Fake f;

        (void) state;
        with_vfs(&f);
        f.refuse = "/vf0";
        f.error = -EINVAL;
        put_netdev(&f, "0x1002");
        assert_answer(climb(&f, configure(0, "max-rate=100")), STEP_FAILED, EINVAL);
        assert_int_equal(f.n_log, 1);
}

static void what_the_driver_cannot_is_the_kernels_answer(void **state) {
        Fake f;

        (void) state;
        with_vfs(&f);
        f.refuse = "/vf0";
        f.error = -EOPNOTSUPP;
        assert_answer(climb(&f, configure(0, "max-rate=100")), STEP_FAILED, EOPNOTSUPP);
        f.given_error = -EIO;
        assert_answer(climb(&f, configure(0, "max-rate=100")), STEP_FAILED, EIO);
        assert_int_equal(f.n_log, 1);
}

static void a_vf_that_is_not_there_is_gone(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 1);
        assert_answer(climb(&f, configure(1, "trust=on")), STEP_GONE, 0);
        assert_int_equal(f.n_log, 0);
}

/* MSI-X and queues are for a VF without a driver; what a net device sets is not. */
static void a_bound_vf_keeps_its_vectors_and_queues(void **state) {
        Fake f;

        (void) state;
        with_vfs(&f);
        put_bound(&f, VF0, "igbvf");
        assert_int_equal(vfattrs_parse("msix=4 queues=2 interrupts=1", f.given), 0);
        assert_answer(climb(&f, configure(0, "msix=8")), STEP_FAILED, EBUSY);
        assert_string_equal(climb(&f, configure(0, "msix=8")).text, "it is bound to igbvf");
        assert_answer(climb(&f, configure(0, "queues=3 interrupts=2")), STEP_FAILED, EBUSY);
        assert_int_equal(f.n_log, 0);
        assert_done(climb(&f, configure(0, "link-state=disable")));
        assert_done(climb(&f, configure(1, "msix=8")));
        assert_done(climb(&f, configure(1, "queues=3 interrupts=2")));
        assert_int_equal(f.n_log, 3);
        /* What it has already takes nothing away. */
        f.given[0] = f.given[1];
        assert_done(climb(&f, configure(0, "msix=8")));
        assert_int_equal(f.n_log, 3);
}

/* What is not told cannot be given, to a VF with a driver or without: it is no matter of the driver then. */
static void what_a_pf_cannot_give_is_not_supported_rather_than_busy(void **state) {
        Fake f;

        (void) state;
        with_vfs(&f);
        put_bound(&f, VF0, "igbvf");
        assert_answer(climb(&f, configure(0, "msix=8")), STEP_FAILED, EOPNOTSUPP);
        assert_answer(climb(&f, configure(0, "queues=3 interrupts=2")), STEP_FAILED, EOPNOTSUPP);
        assert_int_equal(f.n_log, 0);
}

static void a_step_with_no_or_two_attributes_is_refused(void **state) {
        static const char *const texts[] = { "", "trust=on spoofchk=on", "nonsense=1", "vlan",
                                             "vlan=5000" };
        Fake f;

        (void) state;
        with_vfs(&f);
        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                assert_answer(climb(&f, configure(0, texts[i])), STEP_FAILED, EINVAL);
        assert_int_equal(f.n_log, 0);
}

/* eswitch */

static void the_mode_is_set_and_proven(void **state) {
        static const Rung both[] = { RUNG_ESWITCH, RUNG_ESWITCH_VFS };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(both); i++) {
                Fake f;

                fake_init(&f);
                f.eswitch = ESWITCH_LEGACY;
                assert_done(climb(&f, STEP(.rung = both[i], .name = "legacy")));
                assert_int_equal(f.n_log, 0);
                assert_done(climb(&f, STEP(.rung = both[i], .name = "switchdev")));
                assert_writes(&f, PF "/eswitch=switchdev");
                f.ignore = "/eswitch";
                assert_answer(climb(&f, STEP(.rung = both[i], .name = "legacy")), STEP_UNPROVEN, 0);
        }
}

static void a_pf_without_an_eswitch_cannot(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        assert_answer(climb(&f, STEP(.rung = RUNG_ESWITCH, .name = "switchdev")), STEP_FAILED,
                      EOPNOTSUPP);
        f.eswitch = ESWITCH_LEGACY;
        f.refuse = "/eswitch";
        f.error = -EBUSY;
        assert_answer(climb(&f, STEP(.rung = RUNG_ESWITCH, .name = "switchdev")), STEP_FAILED,
                      EBUSY);
        assert_answer(climb(&f, STEP(.rung = RUNG_ESWITCH, .name = "")), STEP_FAILED, EINVAL);
        assert_answer(climb(&f, STEP(.rung = RUNG_ESWITCH, .name = "offloads")), STEP_FAILED,
                      EINVAL);
        assert_int_equal(f.n_log, 1);
}

/* up-pf */

static void a_net_device_that_is_down_is_brought_up(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        put_netdev(&f, "0x1002");
        assert_done(climb(&f, STEP(.rung = RUNG_UP_PF)));
        assert_writes(&f, PF "/net/eth0=up");
        assert_done(climb(&f, STEP(.rung = RUNG_UP_PF)));
        assert_int_equal(f.n_log, 1);
}

static void one_that_stays_down_is_unproven(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        put_netdev(&f, "0x1002");
        f.ignore = "/net/eth0";
        assert_answer(climb(&f, STEP(.rung = RUNG_UP_PF)), STEP_UNPROVEN, 0);
}

static void a_pf_without_a_net_device_has_none_to_bring_up(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        assert_answer(climb(&f, STEP(.rung = RUNG_UP_PF)), STEP_FAILED, ENODEV);
        assert_int_equal(f.n_log, 0);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(one_attribute_of_one_vf_is_set),
                cmocka_unit_test(what_is_so_already_is_not_written),
                cmocka_unit_test(an_attribute_that_does_not_show_is_unproven),
                cmocka_unit_test(an_attribute_that_shows_late_is_proven),
                cmocka_unit_test(a_rate_waits_for_the_link_of_a_pf_that_is_up),
                cmocka_unit_test(no_rate_waits_for_a_pf_that_is_down),
                cmocka_unit_test(what_the_driver_cannot_is_the_kernels_answer),
                cmocka_unit_test(a_vf_that_is_not_there_is_gone),
                cmocka_unit_test(a_bound_vf_keeps_its_vectors_and_queues),
                cmocka_unit_test(what_a_pf_cannot_give_is_not_supported_rather_than_busy),
                cmocka_unit_test(a_step_with_no_or_two_attributes_is_refused),
                cmocka_unit_test(the_mode_is_set_and_proven),
                cmocka_unit_test(a_pf_without_an_eswitch_cannot),
                cmocka_unit_test(a_net_device_that_is_down_is_brought_up),
                cmocka_unit_test(one_that_stays_down_is_unproven),
                cmocka_unit_test(a_pf_without_a_net_device_has_none_to_bring_up),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
