/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ladder, for what is wanted of a PF, of one VF and of an eswitch: the fewest steps, in the safe order
 */
#include "core/ladder.h"
#include "core/wanted.h"

#include "tests/unit/test.h"

typedef struct World {
        Snapshot *s;
        Wanteds all;
        VfWish vfs[4];
        Wanted wanted;
} World;

/* An igb with n VFs of igbvf, of which nothing is wanted yet. */
static void world_init(World *w, uint16_t n) {
        *w = (World){ .s = small_world("igb", n, "igbvf") };
        w->wanted = (Wanted){ .pf = PF, .vfs = w->vfs, .n_vfs = ELEMENTSOF(w->vfs) };
        w->all = (Wanteds){ &w->wanted, 1 };
        w->s->wanted = &w->all;
}

static void world_done(World *w) {
        snapshot_free(w->s);
}

static Fn *fn_of(World *w, Bdf bdf) {
        return (Fn *) snapshot_find(w->s, bdf);
}

static void want_count(World *w, uint32_t n) {
        w->wanted.has_count = true;
        w->wanted.count = n;
}

static void want_driver(World *w, unsigned vf, const char *driver) {
        w->vfs[vf].has_driver = true;
        assert_int_equal(str_copy(w->vfs[vf].driver, NAME_MAX_LENGTH, driver), 0);
}

static void want(World *w, unsigned vf, const char *attrs) {
        assert_int_equal(vfattrs_parse(attrs, &w->vfs[vf].attrs), 0);
}

/* The plan in one line of rungs, clear-way left out; each configure-vf with what it sets. */
static const char *plan_of(World *w, const Op *op) {
        static char line[2048];
        _cleanup_(plan_freep) Plan *plan = NULL;
        Fault fault = {};
        size_t n = 0;

        line[0] = '\0';
        if (ladder_plan(w->s, op, NULL, &plan, &fault) != 0)
                return fault_bus_name(fault.reason);
        for (size_t i = 1; i < plan->n_steps; i++)
                n += (size_t) snprintf(line + n, sizeof(line) - n, "%s%s%s%s", i > 1 ? ", " : "",
                                       rung_to_string(plan->steps[i].rung),
                                       plan->steps[i].name[0] != '\0' ? " " : "",
                                       plan->steps[i].name);
        return line;
}

static const char *apply(World *w) {
        return plan_of(w, &(Op){ .kind = OP_APPLY, .fn = PF });
}

static void what_is_so_already_is_no_step(void **state) {
        World w;

        (void) state;
        world_init(&w, 2);
        want_count(&w, 2);
        want_driver(&w, 0, "igbvf");
        want_driver(&w, 1, "");
        want(&w, 0, "vlan=100 qos=3");
        assert_int_equal(
                vfattrs_parse("vlan=100 qos=3 vlan-proto=802.1Q trust=on", &fn_of(&w, VF0)->attrs),
                0);
        assert_string_equal(apply(&w), "");
        world_done(&w);
}

static void vfs_that_come_have_all_before_their_drivers_see_them(void **state) {
        World w;

        (void) state;
        world_init(&w, 0);
        want_count(&w, 3);
        want_driver(&w, 0, "vfio-pci");
        want_driver(&w, 1, "mlx5_core");
        want(&w, 0, "trust=on vlan=5");
        want(&w, 2, "mac=02:00:00:00:00:02");
        assert_string_equal(apply(&w),
                            "load-driver mlx5_core, hold-probe, vfs-on, override-vf vfio-pci, "
                            "override-vf mlx5_core, configure-vf vlan=5, configure-vf trust=on, "
                            "configure-vf mac=02:00:00:00:00:02, free-probe, bind-vf vfio-pci, "
                            "bind-vf mlx5_core, bind-vf");
        world_done(&w);
}

static void a_vf_that_is_to_have_no_driver_gets_none_and_keeps_out_all(void **state) {
        World w;

        (void) state;
        world_init(&w, 0);
        want_count(&w, 1);
        want_driver(&w, 0, DRIVER_NONE);
        assert_string_equal(apply(&w), "hold-probe, vfs-on, override-vf none, free-probe");
        world_done(&w);
        world_init(&w, 1);
        want_driver(&w, 0, DRIVER_NONE);
        assert_string_equal(apply(&w), "refuse-if-held, unbind, override-vf none");
        fn_of(&w, VF0)->driver[0] = '\0';
        assert_string_equal(apply(&w), "");
        world_done(&w);
}

static void attributes_alone_leave_drivers_and_users_in_peace(void **state) {
        World w;

        (void) state;
        world_init(&w, 2);
        want_count(&w, 2);
        want(&w, 1, "vlan=7 spoofchk=off");
        assert_string_equal(apply(&w), "configure-vf vlan=7, configure-vf spoofchk=off");
        world_done(&w);
}

/* What drifted is put right but for that; who asks for an apply gets all. */
static void the_mac_that_a_trusted_vf_chose_stays_where_nobody_asked(void **state) {
        const Op drift = { .kind = OP_APPLY, .fn = PF, .flags = OP_LEAVE_OWN };
        World w;

        (void) state;
        world_init(&w, 2);
        for (unsigned i = 0; i < 2; i++)
                want(&w, i, i == 0 ? "mac=02:00:00:00:00:01 vlan=7" : "mac=02:00:00:00:00:02");
        assert_int_equal(
                vfattrs_parse("mac=02:aa:00:00:00:01 trust=on vlan=8", &fn_of(&w, VF0)->attrs), 0);
        assert_int_equal(vfattrs_parse("mac=02:aa:00:00:00:02 trust=off", &fn_of(&w, VF1)->attrs),
                         0);
        assert_string_equal(plan_of(&w, &drift),
                            "configure-vf mac=02:00:00:00:00:02, configure-vf vlan=7");
        assert_string_equal(apply(&w), "configure-vf mac=02:00:00:00:00:02, configure-vf "
                                       "mac=02:00:00:00:00:01, configure-vf vlan=7");
        assert_int_equal(vfattrs_parse("vlan=7", &fn_of(&w, VF0)->attrs), 0);
        want_driver(&w, 1, "");
        assert_int_equal(vfattrs_parse("mac=02:00:00:00:00:02", &fn_of(&w, VF1)->attrs), 0);
        assert_string_equal(plan_of(&w, &drift), "");
        want_count(&w, 1);
        assert_non_null(strstr(plan_of(&w, &drift), "configure-vf mac=02:00:00:00:00:01"));
        world_done(&w);
}

static void what_only_an_unbound_vf_can_be_given_takes_its_driver_for_that_long(void **state) {
        World w;

        (void) state;
        world_init(&w, 2);
        want(&w, 0, "msix=8 trust=on");
        /* A PF that gives none shows none: its refusal costs nobody a driver. */
        assert_string_equal(apply(&w), "configure-vf msix=8, configure-vf trust=on");
        assert_int_equal(vfattrs_parse("msix=4", &fn_of(&w, VF0)->attrs), 0);
        assert_string_equal(apply(&w), "refuse-if-held, unbind, configure-vf msix=8, "
                                       "configure-vf trust=on, bind-vf igbvf");
        /* With probing off nothing but an override lets a driver have it again. */
        fn_of(&w, PF)->flags &= ~(uint32_t) FN_AUTOPROBE;
        assert_string_equal(apply(&w),
                            "refuse-if-held, unbind, override-vf igbvf, configure-vf msix=8, "
                            "configure-vf trust=on, bind-vf igbvf");
        world_done(&w);
}

/* An NVMe controller that is offline: what it has is seen, and is nothing. */
static void one_that_has_no_queues_yet_is_unbound_for_them(void **state) {
        World w;
        Fn *vf;

        (void) state;
        world_init(&w, 2);
        want(&w, 0, "queues=2 interrupts=2");
        vf = fn_of(&w, VF0);
        vf->attrs.has = 1u << VFKEY_QUEUES | 1u << VFKEY_INTERRUPTS;
        assert_string_equal(apply(&w), "refuse-if-held, unbind, configure-vf queues=2 "
                                       "interrupts=2, bind-vf igbvf");
        w.vfs[0].attrs.has = 0;
        assert_string_equal(apply(&w), "");
        world_done(&w);
}

static void only_the_vfs_of_another_driver_are_bound_anew(void **state) {
        World w;

        (void) state;
        world_init(&w, 2);
        want_count(&w, 2);
        want_driver(&w, 0, "igbvf");
        want_driver(&w, 1, "vfio-pci");
        assert_string_equal(apply(&w),
                            "refuse-if-held, unbind, override-vf vfio-pci, bind-vf vfio-pci");
        world_done(&w);
}

static void another_count_goes_through_zero_and_asks_who_uses_them(void **state) {
        World w;

        (void) state;
        world_init(&w, 2);
        want_count(&w, 1);
        assert_string_equal(apply(&w), "refuse-if-held, refuse-if-held, park-vf, park-vf, vfs-off, "
                                       "hold-probe, vfs-on, free-probe, bind-vf");
        want_count(&w, 0);
        assert_string_equal(apply(&w), "refuse-if-held, refuse-if-held, park-vf, park-vf, vfs-off");
        world_done(&w);
}

static void with_quirks(World *w, uint32_t flags) {
        static Quirks quirks;

        quirks = (Quirks){ .items = { { "igb", flags } }, .n = 1 };
        w->s->quirks = &quirks;
}

static void the_eswitch_changes_before_the_vfs_are_made_or_after_as_its_driver_wants(void **state) {
        World w;

        (void) state;
        world_init(&w, 0);
        want_count(&w, 1);
        w.wanted.eswitch = ESWITCH_SWITCHDEV;
        assert_string_equal(apply(&w),
                            "eswitch switchdev, hold-probe, vfs-on, free-probe, bind-vf");
        with_quirks(&w, QUIRK_ESWITCH_AFTER_VFS);
        assert_string_equal(apply(&w),
                            "hold-probe, vfs-on, eswitch-vfs switchdev, free-probe, bind-vf");
        world_done(&w);
}

static void vfs_are_made_anew_for_an_eswitch_that_changes_only_without(void **state) {
        Op op = { .kind = OP_ESWITCH, .fn = PF, .eswitch = ESWITCH_SWITCHDEV };
        World w;

        (void) state;
        world_init(&w, 1);
        want_driver(&w, 0, "vfio-pci");
        w.wanted.eswitch = ESWITCH_SWITCHDEV;
        with_quirks(&w, QUIRK_ESWITCH_WITHOUT_VFS);
        /* One whose mode cannot be seen may have it already, or no switch at all. */
        assert_string_equal(plan_of(&w, &op), "refuse-if-held, eswitch switchdev");
        fn_of(&w, PF)->eswitch = ESWITCH_LEGACY;
        assert_string_equal(plan_of(&w, &op),
                            "refuse-if-held, park-vf, vfs-off, eswitch switchdev, hold-probe, "
                            "vfs-on, free-probe, bind-vf");
        assert_string_equal(apply(&w),
                            "refuse-if-held, park-vf, vfs-off, eswitch switchdev, hold-probe, "
                            "vfs-on, override-vf vfio-pci, free-probe, bind-vf vfio-pci");
        want_count(&w, 0);
        assert_string_equal(apply(&w), "refuse-if-held, park-vf, vfs-off, eswitch switchdev");
        fn_of(&w, PF)->eswitch = ESWITCH_SWITCHDEV;
        assert_string_equal(plan_of(&w, &op), "");
        world_done(&w);
}

/* Rather than with an errno each time that the policy is applied. */
static void an_eswitch_that_needs_vfs_is_refused_where_there_will_be_none(void **state) {
        Op op = { .kind = OP_ESWITCH, .fn = PF, .eswitch = ESWITCH_SWITCHDEV };
        World w;

        (void) state;
        world_init(&w, 0);
        want_count(&w, 0);
        w.wanted.eswitch = ESWITCH_SWITCHDEV;
        with_quirks(&w, QUIRK_ESWITCH_AFTER_VFS);
        assert_string_equal(apply(&w), "org.sriovd1.Error.Unsupported");
        assert_string_equal(plan_of(&w, &op), "org.sriovd1.Error.Unsupported");
        op.eswitch = w.wanted.eswitch = ESWITCH_LEGACY;
        assert_string_equal(apply(&w), "eswitch-vfs legacy");
        assert_string_equal(plan_of(&w, &op), "eswitch-vfs legacy");
        world_done(&w);
        world_init(&w, 1);
        want_count(&w, 0);
        w.wanted.eswitch = ESWITCH_SWITCHDEV;
        with_quirks(&w, QUIRK_ESWITCH_AFTER_VFS);
        assert_string_equal(apply(&w), "org.sriovd1.Error.Unsupported");
        w.wanted.has_count = false;
        assert_string_equal(apply(&w), "refuse-if-held, eswitch-vfs switchdev");
        world_done(&w);
}

static void vfs_lose_their_drivers_for_the_eswitch_where_it_wants_that(void **state) {
        Op op = { .kind = OP_ESWITCH, .fn = PF, .eswitch = ESWITCH_SWITCHDEV };
        World w;

        (void) state;
        world_init(&w, 1);
        assert_string_equal(plan_of(&w, &op), "refuse-if-held, eswitch switchdev");
        with_quirks(&w, QUIRK_ESWITCH_UNBINDS_VFS);
        /* One whose mode cannot be seen may have it already, or no switch at all. */
        assert_string_equal(plan_of(&w, &op), "refuse-if-held, eswitch switchdev");
        fn_of(&w, PF)->eswitch = ESWITCH_LEGACY;
        assert_string_equal(plan_of(&w, &op), "refuse-if-held, refuse-if-held, unbind, "
                                              "eswitch switchdev, bind-vf igbvf");
        fn_of(&w, PF)->eswitch = ESWITCH_SWITCHDEV;
        assert_string_equal(plan_of(&w, &op), "");
        world_done(&w);
}

static void a_pf_that_makes_none_while_it_is_down_is_brought_up_first(void **state) {
        World w;

        (void) state;
        world_init(&w, 0);
        want_count(&w, 1);
        with_quirks(&w, QUIRK_VFS_NEED_UP);
        assert_string_equal(apply(&w), "up-pf, hold-probe, vfs-on, free-probe, bind-vf");
        with_quirks(&w, QUIRK_KEEP_AUTOPROBE);
        assert_string_equal(apply(&w), "vfs-on");
        world_done(&w);
}

/* The kernel has bound it as it was made. */
static void a_vf_that_must_be_probed_is_freed_for_what_wants_no_driver(void **state) {
        World w;

        (void) state;
        world_init(&w, 0);
        want_count(&w, 1);
        with_quirks(&w, QUIRK_KEEP_AUTOPROBE);
        want_driver(&w, 0, DRIVER_NONE);
        assert_string_equal(apply(&w), "vfs-on, override-vf none, unbind-vf");
        want_driver(&w, 0, "vfio-pci");
        assert_string_equal(apply(&w), "vfs-on, override-vf vfio-pci, bind-vf vfio-pci");
        want(&w, 0, "msix=8 trust=on");
        assert_string_equal(apply(&w),
                            "vfs-on, override-vf vfio-pci, unbind-vf, configure-vf msix=8, "
                            "configure-vf trust=on, bind-vf vfio-pci");
        w.vfs[0].has_driver = false;
        assert_string_equal(apply(&w), "vfs-on, unbind-vf, configure-vf msix=8, "
                                       "configure-vf trust=on, bind-vf");
        /* There it was bound by nobody. */
        fn_of(&w, PF)->flags &= ~(uint32_t) FN_AUTOPROBE;
        assert_string_equal(apply(&w),
                            "vfs-on, unbind-vf, configure-vf msix=8, configure-vf trust=on");
        world_done(&w);
}

static void one_vf_is_given_what_it_does_not_have(void **state) {
        Op op = { .kind = OP_SET_VF, .fn = PF, .count = 1 };
        World w;

        (void) state;
        world_init(&w, 2);
        assert_int_equal(vfattrs_parse("vlan=7 trust=on", &op.attrs), 0);
        assert_int_equal(vfattrs_parse("trust=on", &fn_of(&w, VF1)->attrs), 0);
        assert_string_equal(plan_of(&w, &op), "configure-vf vlan=7");
        op.flags |= OP_HAS_DRIVER;
        assert_int_equal(str_copy(op.driver, sizeof(op.driver), "vfio-pci"), 0);
        assert_string_equal(plan_of(&w, &op),
                            "refuse-if-held, unbind, override-vf vfio-pci, configure-vf vlan=7, "
                            "bind-vf vfio-pci");
        op.count = 2;
        assert_string_equal(plan_of(&w, &op), "org.sriovd1.Error.NoSuchDevice");
        world_done(&w);
}

static void what_cannot_be_so_is_refused(void **state) {
        World w;

        (void) state;
        world_init(&w, 0);
        want_count(&w, 8);
        assert_string_equal(apply(&w), "org.sriovd1.Error.Range");
        want_count(&w, 1);
        fn_of(&w, PF)->driver[0] = '\0';
        assert_string_equal(apply(&w), "org.sriovd1.Error.Unsupported");
        w.s->wanted = NULL;
        assert_string_equal(apply(&w), "org.sriovd1.Error.NoPolicy");
        world_done(&w);
}

static void a_vfs_failure_is_its_own_unless_it_is_all_that_was_asked(void **state) {
        Step one[] = { { .rung = RUNG_CONFIGURE_VF }, { .rung = RUNG_CONFIGURE_VF } };
        Plan plan = { one, 1 };
        Op op = { .kind = OP_SET_VF };

        (void) state;
        assert_false(ladder_fails_alone(&op, &plan, one));
        plan.n_steps = 2;
        assert_true(ladder_fails_alone(&op, &plan, one));
        op.kind = OP_APPLY;
        plan.n_steps = 1;
        assert_true(ladder_fails_alone(&op, &plan, one));
        one[0].rung = RUNG_ESWITCH;
        assert_false(ladder_fails_alone(&op, &plan, one));
}

/* A climb that stops in the middle gives back the drivers that were to come again, and none twice. */
static void a_stop_gives_back_the_drivers_that_were_taken(void **state) {
        static const StepState done[16] = {
                STEP_STATE_DONE, STEP_STATE_DONE, STEP_STATE_DONE, STEP_STATE_DONE, STEP_STATE_DONE,
        };
        _cleanup_(plan_freep) Plan *plan = NULL, *back = NULL;
        Op op = { .kind = OP_APPLY, .fn = PF };
        StepState states[16];
        Fault fault;
        World w;

        (void) state;
        world_init(&w, 2);
        want_driver(&w, 0, "vfio-pci");
        want_driver(&w, 1, "vfio-pci");
        assert_int_equal(ladder_plan(w.s, &op, NULL, &plan, &fault), 0);
        memcpy(states, done, sizeof(states));
        assert_int_equal(ladder_way_back(&op, plan, states, &back), 0);
        assert_int_equal(back->n_steps, 2);
        for (size_t i = 0; i < 2; i++) {
                assert_int_equal(back->steps[i].rung, RUNG_BIND);
                assert_string_equal(back->steps[i].name, "igbvf");
        }
        back = plan_free(back);
        /* The first one has its new driver by now: it stays. */
        for (size_t i = 0; i + 1 < plan->n_steps; i++)
                states[i] = STEP_STATE_DONE;
        assert_int_equal(ladder_way_back(&op, plan, states, &back), 0);
        assert_int_equal(back->n_steps, 1);
        world_done(&w);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_so_already_is_no_step),
                cmocka_unit_test(vfs_that_come_have_all_before_their_drivers_see_them),
                cmocka_unit_test(a_vf_that_is_to_have_no_driver_gets_none_and_keeps_out_all),
                cmocka_unit_test(attributes_alone_leave_drivers_and_users_in_peace),
                cmocka_unit_test(the_mac_that_a_trusted_vf_chose_stays_where_nobody_asked),
                cmocka_unit_test(
                        what_only_an_unbound_vf_can_be_given_takes_its_driver_for_that_long),
                cmocka_unit_test(one_that_has_no_queues_yet_is_unbound_for_them),
                cmocka_unit_test(only_the_vfs_of_another_driver_are_bound_anew),
                cmocka_unit_test(another_count_goes_through_zero_and_asks_who_uses_them),
                cmocka_unit_test(
                        the_eswitch_changes_before_the_vfs_are_made_or_after_as_its_driver_wants),
                cmocka_unit_test(vfs_are_made_anew_for_an_eswitch_that_changes_only_without),
                cmocka_unit_test(an_eswitch_that_needs_vfs_is_refused_where_there_will_be_none),
                cmocka_unit_test(vfs_lose_their_drivers_for_the_eswitch_where_it_wants_that),
                cmocka_unit_test(a_pf_that_makes_none_while_it_is_down_is_brought_up_first),
                cmocka_unit_test(a_vf_that_must_be_probed_is_freed_for_what_wants_no_driver),
                cmocka_unit_test(one_vf_is_given_what_it_does_not_have),
                cmocka_unit_test(what_cannot_be_so_is_refused),
                cmocka_unit_test(a_vfs_failure_is_its_own_unless_it_is_all_that_was_asked),
                cmocka_unit_test(a_stop_gives_back_the_drivers_that_were_taken),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
