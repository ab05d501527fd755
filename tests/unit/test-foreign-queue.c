/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other programs in the queue: whose turn it is, and who is kept off one that is stuck
 */
#include "tests/unit/foreign-play.h"

static void who_uses_it_refuses_in_protect_and_is_named_in_serialize(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 1, "vfio-pci");
        Queue q;
        Effect e;

        (void) state;
        queue_init(&q);
        submit(&q, s, foreign(DOOR_COUNT, PF, OP_PROTECT), ALICE);
        e = play_to(&q, s, RUNG_REFUSE_IF_HELD);
        use(&q, &e, OP_FORCE_IN_USE);
        assert_string_equal(rest(&q, s, &e), "");
        assert_int_equal(e.job->result, RESULT_REFUSED);
        submit(&q, s, foreign(DOOR_REMOVE, PF, OP_PROTECT), ALICE);
        e = play_to(&q, s, RUNG_REFUSE_IF_HELD);
        use(&q, &e, OP_FORCE_STORAGE);
        assert_string_equal(rest(&q, s, &e), "refuse-if-held");
        assert_int_equal(e.job->result, RESULT_REFUSED);
        submit(&q, s, foreign(DOOR_REMOVE, PF, FORCED), ALICE);
        e = play_to(&q, s, RUNG_REFUSE_IF_HELD);
        use(&q, &e, OP_FORCE_STORAGE);
        e = play_to(&q, s, RUNG_ADMIT);
        assert_true(warns(e.job, FAULT_FORCED));
        queue_done(&q);
}

static void each_program_has_its_own_turn_in_the_order_of_coming(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = two_pfs();
        uint32_t ids[5];
        Queue q;
        Effect e;

        (void) state;
        queue_init(&q);
        ids[0] = submit(&q, s, foreign(DOOR_COUNT, PF, FORCED), ALICE);
        ids[1] = submit(&q, s, foreign(DOOR_COUNT, PF, FORCED), ALICE);
        ids[2] = submit(&q, s, set(PF, 2), ALICE);
        ids[3] = submit(&q, s, foreign(DOOR_COUNT, PF, FORCED), ALICE);
        ids[4] = submit(&q, s, set(PF, 3), ALICE);
        assert_int_equal(queue_length(&q), 5);
        for (size_t i = 0; i < ELEMENTSOF(ids); i++) {
                (void) rest(&q, s, &e);
                assert_int_equal(e.job->id, ids[i]);
                assert_int_equal(e.job->result, RESULT_DONE);
        }
        queue_done(&q);
}

static void while_a_program_is_inside_nobody_else_begins(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = two_pfs();
        uint32_t next;
        Queue q;
        Effect e;

        (void) state;
        queue_init(&q);
        submit(&q, s, foreign(DOOR_COUNT, PF, FORCED), ALICE);
        next = submit(&q, s, set(OTHER, 1), ALICE);
        e = play_to(&q, s, RUNG_ADMIT);
        assert_int_equal(run(&q, s).kind, EFFECT_NONE);
        answer(&q, &e, STEP_DONE, 0);
        assert_int_equal(run(&q, s).job->result, RESULT_DONE);
        assert_int_equal(run(&q, s).job->id, next);
        queue_done(&q);
}

/* It cannot be told to come again. Ours can, and are refused while another program takes the device away. */
static void a_program_waits_behind_a_removal(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = two_pfs();
        Queue q;

        (void) state;
        queue_init(&q);
        submit(&q, s, set(OTHER, 1), 0);
        submit(&q, s, foreign(DOOR_REMOVE, PF, FORCED), 0);
        submit(&q, s, foreign(DOOR_COUNT, PF, FORCED), 0);
        submit(&q, s, foreign(DOOR_REMOVE, PF, FORCED), 0);
        assert_int_equal(refusal(&q, s, set(PF, 1)), FAULT_GOING);
        submit(&q, s, set(OTHER, 2), 0);
        queue_done(&q);
        queue_init(&q);
        submit(&q, s, foreign_slot(FORCED), 0);
        assert_int_equal(refusal(&q, s, set(PF, 1)), FAULT_GOING);
        queue_done(&q);
}

static void a_waiting_program_is_canceled_at_once(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = two_pfs();
        Fault fault;
        uint32_t id;
        Queue q;

        (void) state;
        queue_init(&q);
        submit(&q, s, set(OTHER, 1), 0);
        id = submit(&q, s, foreign(DOOR_COUNT, PF, FORCED), ALICE);
        assert_int_equal(queue_cancel(&q, id, BOB, RESULT_CANCELED, &fault), QUEUE_E_REFUSED);
        assert_int_equal(queue_cancel(&q, id, 0, RESULT_CANCELED, &fault), 0);
        assert_int_equal(queue_find(&q, id)->state, JOB_ENDED);
        assert_int_equal(queue_find(&q, id)->result, RESULT_CANCELED);
        queue_done(&q);
}

/* Its write is stuck in a driver, on a function that is known: the lane goes on, and what comes near is refused. */
static void a_stuck_program_leaves_the_lane_to_others(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = two_pfs();
        const Op near[] = {
                set(PF, 1),
                { .kind = OP_REMOVE, .fn = PORT },
                { .kind = OP_RESCAN, .fn = BDF_NONE },
                foreign(DOOR_COUNT, PF, FORCED),
                foreign(DOOR_REMOVE, PF, FORCED),
                foreign(DOOR_REMOVE, PORT, FORCED),
                foreign(DOOR_RESET, PORT, FORCED),
                foreign(DOOR_LATCH, PF, FORCED),
                foreign(DOOR_RESCAN, BDF_NONE, FORCED),
                foreign(DOOR_BUS, BDF_NONE, FORCED),
                foreign_driver(DOOR_BIND, "nvme", FORCED),
                foreign_driver(DOOR_UNBIND, "igb", FORCED),
                foreign_driver(DOOR_UNBIND, "pcieport", FORCED),
                foreign_driver(DOOR_UNBIND, "pciehp", FORCED),
                foreign_slot(FORCED),
        };
        uint32_t stuck, other;
        Queue q;
        Effect e, end;

        (void) state;
        assert_int_equal(strv_push(&s->drivers, "pcieport"), 0);
        queue_init(&q);
        stuck = submit(&q, s, foreign(DOOR_FUNCTION, PF, FORCED), ALICE);
        e = play_to(&q, s, RUNG_ADMIT);
        assert_int_equal(queue_overdue(&q, stuck, e.index, true), 0);
        assert_false(queue_is_closed(&q));
        for (size_t i = 0; i < ELEMENTSOF(near); i++)
                assert_int_equal(refusal(&q, s, near[i]), FAULT_QUARANTINED);
        other = submit(&q, s, foreign(DOOR_COUNT, OTHER, FORCED), ALICE);
        submit(&q, s, foreign_driver(DOOR_UNBIND, "nvme", FORCED), ALICE);
        submit(&q, s, foreign(DOOR_REMOVE, OTHER, FORCED), ALICE);
        (void) rest(&q, s, &end);
        assert_int_equal(end.job->id, other);
        answer(&q, &e, STEP_DONE, 0);
        while ((end = run_to_end(&q, s)).kind == EFFECT_FINISH)
                ;
        assert_int_equal(queue_length(&q), 0);
        queue_done(&q);
}

/* The link to its driver is gone already: what was bound counts. */
static void no_other_is_unbound_from_the_driver_of_a_stuck_vf(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 1, "vfio-pci");
        Queue q;
        Effect e;

        (void) state;
        queue_init(&q);
        submit(&q, s, (Op){ .kind = OP_UNBIND, .fn = VF0 }, 0);
        e = play_to(&q, s, RUNG_UNBIND);
        assert_int_equal(queue_overdue(&q, e.job->id, e.index, true), 0);
        ((Fn *) snapshot_find(s, VF0))->driver[0] = '\0';
        assert_int_equal(refusal(&q, s, foreign_driver(DOOR_UNBIND, "vfio-pci", FORCED)),
                         FAULT_QUARANTINED);
        submit(&q, s, foreign_driver(DOOR_UNBIND, "nvme", FORCED), 0);
        queue_done(&q);
}

/* What is stuck at a bridge holds what is below it. */
static void below_a_stuck_bridge_nothing_is_done(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = two_pfs();
        Queue q;
        Effect e;

        (void) state;
        queue_init(&q);
        submit(&q, s, foreign(DOOR_RESET, PORT, FORCED), 0);
        e = play_to(&q, s, RUNG_ADMIT);
        assert_int_equal(queue_overdue(&q, e.job->id, e.index, true), 0);
        assert_int_equal(refusal(&q, s, set(PF, 1)), FAULT_QUARANTINED);
        submit(&q, s, set(OTHER, 1), 0);
        queue_done(&q);
}

static void a_stuck_program_closes_the_lane_if_it_has_the_lock_or_works_on_who_knows_what(
        void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = two_pfs();
        const struct {
                Op op;
                bool outside;
        } table[] = {
                { foreign(DOOR_COUNT, PF, FORCED), false },
                { foreign_driver(DOOR_BIND, "igb", FORCED), true },
                { foreign_driver(DOOR_UNBIND, "igb", FORCED), true },
                { foreign(DOOR_BUS, BDF_NONE, FORCED), true },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                Queue q;
                Effect e;

                queue_init(&q);
                submit(&q, s, table[i].op, ALICE);
                e = play_to(&q, s, RUNG_ADMIT);
                assert_int_equal(queue_overdue(&q, e.job->id, e.index, table[i].outside), 0);
                assert_true(queue_is_closed(&q));
                assert_int_equal(refusal(&q, s, foreign(DOOR_COUNT, OTHER, FORCED)), FAULT_WEDGED);
                answer(&q, &e, STEP_DONE, 0);
                assert_int_equal(run(&q, s).job->result, RESULT_DONE);
                assert_false(queue_is_closed(&q));
                queue_done(&q);
        }
}

static void a_hundred_programs_and_a_hundred_of_ours_have_room(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = two_pfs();
        uint32_t last = 0;
        Queue q;
        Effect e;

        (void) state;
        queue_init(&q);
        for (uint32_t i = 0; i < 100; i++) {
                Op op = set(i % 2 ? PF : OTHER, 1 + i % 3);

                op.flags = OP_ALONE;
                submit(&q, s, foreign(DOOR_COUNT, PF, FORCED), i);
                submit(&q, s, op, i);
        }
        assert_int_equal(queue_length(&q), 200);
        for (uint32_t i = 0; i < 200; i++) {
                (void) rest(&q, s, &e);
                assert_true(e.job->id > last);
                last = e.job->id;
        }
        assert_int_equal(queue_length(&q), 0);
        queue_done(&q);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(who_uses_it_refuses_in_protect_and_is_named_in_serialize),
                cmocka_unit_test(each_program_has_its_own_turn_in_the_order_of_coming),
                cmocka_unit_test(while_a_program_is_inside_nobody_else_begins),
                cmocka_unit_test(a_program_waits_behind_a_removal),
                cmocka_unit_test(a_waiting_program_is_canceled_at_once),
                cmocka_unit_test(a_stuck_program_leaves_the_lane_to_others),
                cmocka_unit_test(no_other_is_unbound_from_the_driver_of_a_stuck_vf),
                cmocka_unit_test(below_a_stuck_bridge_nothing_is_done),
                cmocka_unit_test(
                        a_stuck_program_closes_the_lane_if_it_has_the_lock_or_works_on_who_knows_what),
                cmocka_unit_test(a_hundred_programs_and_a_hundred_of_ours_have_room),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
