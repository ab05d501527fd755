/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other programs in the ladder: what is done before they are let in, and what is put right where they did not go on
 */
#include "tests/unit/foreign-play.h"

/* The plan as one line of rungs, or the bus error's name. */
static const char *plan_of(const Snapshot *s, Op op) {
        static char line[512];
        _cleanup_(plan_freep) Plan *plan = NULL;
        Fault fault;
        size_t n = 0;

        line[0] = '\0';
        if (ladder_plan(s, &op, NULL, &plan, &fault) != 0)
                return fault_bus_name(fault.reason) + strlen("org.sriovd1.Error.");
        for (size_t i = 0; i < plan->n_steps; i++)
                n += (size_t) snprintf(line + n, sizeof(line) - n, "%s%s", i > 0 ? " " : "",
                                       rung_to_string(plan->steps[i].rung));
        return line;
}

#define DOWN_PF "park-vf park-vf vfs-off unbind admit"
#define ASK_ALL "clear-way refuse-if-held refuse-if-held refuse-if-held "

/* With VFs: in serialize, and in protect. Without: the same. */
static const struct {
        Door door;
        const char *serialize, *protect, *serialize_bare, *protect_bare;
} doors[] = {
        { DOOR_COUNT, "admit", "clear-way refuse-if-held refuse-if-held admit", "admit", "admit" },
        { DOOR_REMOVE, ASK_ALL DOWN_PF, ASK_ALL DOWN_PF, "clear-way refuse-if-held unbind admit",
          "clear-way refuse-if-held unbind admit" },
        { DOOR_RESCAN, "admit", "admit", "admit", "admit" },
        { DOOR_RESET, "admit", "Unsupported", "admit", "clear-way refuse-if-held admit" },
        { DOOR_FUNCTION, "admit", "admit", "admit", "admit" },
        { DOOR_BIND, "admit", "admit", "admit", "admit" },
        { DOOR_UNBIND, "admit", "Busy", "admit", "admit" },
        { DOOR_BUS, "admit", "admit", "admit", "admit" },
        { DOOR_SLOT, ASK_ALL DOWN_PF, ASK_ALL DOWN_PF, "clear-way refuse-if-held unbind admit",
          "clear-way refuse-if-held unbind admit" },
        { DOOR_LATCH, "admit", "admit", "admit", "admit" },
};

static void each_door_has_its_plan(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "igbvf"),
                                           *bare = small_world("igb", 0, "");

        (void) state;
        assert_int_equal(ELEMENTSOF(doors), _DOOR_MAX - 1);
        for (size_t i = 0; i < ELEMENTSOF(doors); i++) {
                Door d = doors[i].door;

                assert_string_equal(plan_of(s, at(d, FORCED)), doors[i].serialize);
                assert_string_equal(plan_of(s, at(d, OP_PROTECT)), doors[i].protect);
                assert_string_equal(plan_of(bare, at(d, FORCED)), doors[i].serialize_bare);
                assert_string_equal(plan_of(bare, at(d, OP_PROTECT)), doors[i].protect_bare);
        }
}

static void a_count_asks_each_vf_and_not_the_pf(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "igbvf");
        _cleanup_(plan_freep) Plan *plan = NULL;
        Op op = foreign(DOOR_COUNT, PF, OP_PROTECT);
        Fault fault;

        (void) state;
        assert_int_equal(ladder_plan(s, &op, NULL, &plan, &fault), 0);
        assert_int_equal(plan->n_steps, 4);
        assert_true(bdf_equal(plan->steps[1].fn, VF0));
        assert_true(bdf_equal(plan->steps[2].fn, VF1));
        assert_true(bdf_equal(plan->steps[3].fn, PF));
}

static void the_open_names_what_is_admitted(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 0, "");
        static const Door named[] = { DOOR_UNBIND, DOOR_SLOT };
        static const char *const names[] = { "igb", "1" };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(named); i++) {
                _cleanup_(plan_freep) Plan *plan = NULL;
                Op op = at(named[i], FORCED);
                Fault fault;

                assert_int_equal(ladder_plan(s, &op, NULL, &plan, &fault), 0);
                assert_string_equal(plan->steps[plan->n_steps - 1].name, names[i]);
        }
}

static void a_reset_of_all_below_a_bridge_asks_all_below(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 0, ""),
                                           *vfs = small_world("igb", 1, "igbvf");

        (void) state;
        assert_string_equal(plan_of(s, foreign(DOOR_RESET, PORT, OP_PROTECT)),
                            "clear-way refuse-if-held admit");
        assert_string_equal(plan_of(vfs, foreign(DOOR_RESET, PORT, OP_PROTECT)), "Unsupported");
        assert_string_equal(plan_of(vfs, foreign(DOOR_RESET, VF0, OP_PROTECT)),
                            "clear-way refuse-if-held admit");
        assert_string_equal(plan_of(vfs, foreign(DOOR_RESET, PORT, FORCED)), "admit");
}

static void a_bridge_is_emptied_before_another_program_removes_it(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 1, "igbvf");

        (void) state;
        assert_string_equal(
                plan_of(s, foreign(DOOR_REMOVE, PORT, FORCED)),
                "clear-way refuse-if-held refuse-if-held park-vf vfs-off unbind quiet-port admit");
}

/* Whoever removes the lowest function loses a setting of the others, which is his matter; its VFs are not. */
static void the_lowest_function_is_refused_in_protect_alone(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = snapshot_new();

        (void) state;
        put_pf(s, PF, BDF_NONE, "igb", 1, "igbvf");
        put_pf(s, BDF(1, 0, 1), BDF_NONE, "igb", 0, "");
        add_drivers(s);
        snapshot_seal(s);
        assert_string_equal(plan_of(s, foreign(DOOR_REMOVE, PF, OP_PROTECT)), "Unsupported");
        assert_string_equal(plan_of(s, foreign(DOOR_REMOVE, PF, FORCED)),
                            "clear-way refuse-if-held refuse-if-held park-vf vfs-off unbind admit");
}

static void beside_orphans_only_protect_refuses(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("nvme", 0, "");
        static const Door refused[] = { DOOR_COUNT, DOOR_REMOVE, DOOR_RESCAN, DOOR_RESET,
                                        DOOR_SLOT };

        (void) state;
        put_fn(s, (Fn){ .bdf = VF0, .parent = PORT, .pf = PF, .flags = FN_VF | FN_ORPHAN }, "nvme");
        snapshot_seal(s);
        for (size_t i = 0; i < ELEMENTSOF(refused); i++) {
                assert_string_equal(plan_of(s, at(refused[i], OP_PROTECT)), "Unsupported");
                assert_string_equal(plan_of(s, at(refused[i], FORCED)), "admit");
        }
}

static void an_unbind_is_refused_for_the_driver_that_has_vfs_and_names_one(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "igbvf");
        _cleanup_(plan_freep) Plan *plan = NULL;
        Op op = foreign_driver(DOOR_UNBIND, "igb", OP_PROTECT);
        char line[FAULT_STR_MAX];
        Fault fault;

        (void) state;
        assert_string_equal(plan_of(s, foreign_driver(DOOR_UNBIND, "igbvf", OP_PROTECT)), "admit");
        assert_int_equal(ladder_plan(s, &op, NULL, &plan, &fault), LADDER_E_REFUSED);
        assert_int_equal(fault.reason, FAULT_DRIVER_HAS_VFS);
        assert_non_null(
                strstr(fault_format(&fault, line, sizeof(line)), "sriovctl unbind 0000:01:00.0"));
}

static void a_program_that_is_gone_gets_nothing_done_for_it(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "igbvf");
        static const struct {
                Rung at; /* it is killed while this is done */
                const char *back;
                bool lost;
        } table[] = {
                { RUNG_REFUSE_IF_HELD, "", false },
                { RUNG_PARK_VF, "unpark-vf", false },
                { RUNG_VFS_OFF, "", true },
                { RUNG_UNBIND, "bind", true },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                Fault fault;
                Queue q;
                Effect e;

                queue_init(&q);
                submit(&q, s, foreign(DOOR_REMOVE, PF, FORCED), ALICE);
                e = play_to(&q, s, table[i].at);
                assert_int_equal(queue_cancel(&q, e.job->id, 0, RESULT_CANCELED, &fault), 0);
                answer(&q, &e, STEP_DONE, 0);
                assert_string_equal(rest(&q, s, &e), table[i].back);
                assert_int_equal(e.job->result, RESULT_CANCELED);
                assert_int_equal(warns(e.job, FAULT_VFS_LOST), table[i].lost);
                queue_done(&q);
        }
}

static void a_program_that_is_gone_when_its_turn_comes_is_told_of(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "igbvf");
        static const struct {
                StepAnswer answer;
                int error;
        } gone[] = { { STEP_GONE, 0 }, { STEP_FAILED, ESRCH } };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(gone); i++) {
                Queue q;
                Effect e;

                queue_init(&q);
                submit(&q, s, foreign(DOOR_REMOVE, PF, FORCED), ALICE);
                e = play_to(&q, s, RUNG_ADMIT);
                answer(&q, &e, gone[i].answer, gone[i].error);
                assert_string_equal(rest(&q, s, &e), "bind");
                assert_int_equal(e.job->result, RESULT_CANCELED);
                assert_int_equal(e.job->fault.reason, FAULT_OPENER_GONE);
                assert_true(warns(e.job, FAULT_VFS_LOST));
                assert_int_equal(e.job->warnings[0].number, 2);
                queue_done(&q);
        }
}

static void a_port_that_was_quieted_for_nobody_is_named(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 0, "");
        Queue q;
        Effect e;

        (void) state;
        queue_init(&q);
        submit(&q, s, foreign(DOOR_REMOVE, PORT, FORCED), ALICE);
        e = play_to(&q, s, RUNG_ADMIT);
        answer(&q, &e, STEP_GONE, 0);
        assert_string_equal(rest(&q, s, &e), "bind");
        assert_true(warns(e.job, FAULT_PORT_QUIET));
        queue_done(&q);
}

/* A driver that kept its VFs was unbound on another rung, and comes back all the same. */
static void a_driver_that_kept_its_vfs_comes_back_too(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 1, "igbvf");
        Queue q;
        Effect e;

        (void) state;
        queue_init(&q);
        submit(&q, s, foreign(DOOR_REMOVE, PF, FORCED), ALICE);
        e = play_to(&q, s, RUNG_VFS_OFF);
        answer(&q, &e, STEP_KEPT, 0);
        e = play_to(&q, s, RUNG_ADMIT);
        answer(&q, &e, STEP_GONE, 0);
        assert_string_equal(rest(&q, s, &e), "bind");
        queue_done(&q);
}

/* It opened `remove` and wrote nothing, or 0; or 1 to the power of a slot that is on. */
static void what_the_program_left_there_gets_its_driver_back(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "igbvf");
        Queue q;
        Effect e;

        (void) state;
        for (int slot = 0; slot <= 1; slot++) {
                queue_init(&q);
                submit(&q, s, at(slot ? DOOR_SLOT : DOOR_REMOVE, FORCED), ALICE);
                assert_string_equal(rest(&q, s, &e),
                                    slot ? "refuse-if-held refuse-if-held refuse-if-held park-vf "
                                           "park-vf vfs-off unbind admit bind"
                                         : "refuse-if-held refuse-if-held refuse-if-held park-vf "
                                           "park-vf vfs-off unbind admit bind");
                assert_int_equal(e.job->result, RESULT_FAILED);
                assert_int_equal(e.job->fault.reason, FAULT_LEFT_THERE);
                assert_true(warns(e.job, FAULT_VFS_LOST));
                queue_done(&q);
        }
}

static void what_is_gone_or_found_anew_is_left_alone(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "igbvf"),
                                           *after = small_world("igb", 0, "");

        (void) state;
        for (int anew = 1; anew >= 0; anew--) {
                Fault fault;
                Queue q;
                Effect e;

                queue_init(&q);
                submit(&q, s, foreign(DOOR_REMOVE, PF, FORCED), ALICE);
                e = play_to(&q, s, RUNG_ADMIT);
                /* A cancel has nobody to stop any more. */
                assert_int_equal(queue_cancel(&q, e.job->id, 0, RESULT_CANCELED, &fault), 0);
                answer(&q, &e, STEP_DONE, 0);
                ((Fn *) snapshot_find(after, PF))->identity = 4711;
                if (!anew)
                        snapshot_drop(after, PF);
                assert_string_equal(rest(&q, after, &e), "");
                assert_int_equal(e.job->result, RESULT_DONE);
                assert_int_equal(e.job->n_warnings, 0);
                queue_done(&q);
        }
}

static void a_program_for_which_nothing_was_done_needs_no_look_afterwards(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = two_pfs();
        Queue q;
        Effect e;

        (void) state;
        queue_init(&q);
        submit(&q, s, foreign(DOOR_COUNT, PF, FORCED), ALICE);
        e = play_to(&q, s, RUNG_ADMIT);
        answer(&q, &e, STEP_DONE, 0);
        assert_true(queue_next(&q, &e));
        assert_int_equal(e.kind, EFFECT_FINISH);
        assert_int_equal(e.job->result, RESULT_DONE);
        queue_done(&q);
}

/* The device went while it waited: the kernel tells it so, as it would without us. */
static void a_program_at_a_device_that_went_is_let_in(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = two_pfs();
        static const Door left[] = { DOOR_COUNT, DOOR_REMOVE };

        (void) state;
        snapshot_drop(s, PF);
        for (size_t i = 0; i < ELEMENTSOF(left); i++)
                assert_string_equal(plan_of(s, foreign(left[i], PF, FORCED)), "admit");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_door_has_its_plan),
                cmocka_unit_test(a_count_asks_each_vf_and_not_the_pf),
                cmocka_unit_test(the_open_names_what_is_admitted),
                cmocka_unit_test(a_reset_of_all_below_a_bridge_asks_all_below),
                cmocka_unit_test(a_bridge_is_emptied_before_another_program_removes_it),
                cmocka_unit_test(the_lowest_function_is_refused_in_protect_alone),
                cmocka_unit_test(beside_orphans_only_protect_refuses),
                cmocka_unit_test(an_unbind_is_refused_for_the_driver_that_has_vfs_and_names_one),
                cmocka_unit_test(a_program_that_is_gone_gets_nothing_done_for_it),
                cmocka_unit_test(a_program_that_is_gone_when_its_turn_comes_is_told_of),
                cmocka_unit_test(a_port_that_was_quieted_for_nobody_is_named),
                cmocka_unit_test(a_driver_that_kept_its_vfs_comes_back_too),
                cmocka_unit_test(what_the_program_left_there_gets_its_driver_back),
                cmocka_unit_test(what_is_gone_or_found_anew_is_left_alone),
                cmocka_unit_test(a_program_for_which_nothing_was_done_needs_no_look_afterwards),
                cmocka_unit_test(a_program_at_a_device_that_went_is_let_in),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
