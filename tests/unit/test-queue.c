/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The queue, law by law. That they hold together in every state is tests/model's matter.
 */
#include "tests/unit/queue-play.h"

static void jobs_run_one_by_one_in_the_order_of_asking(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = two_pfs();
        Queue q;
        Effect e;
        uint32_t a, b;

        (void) state;
        queue_init(&q);
        a = submit(&q, s, set(PF, 1), 0);
        b = submit(&q, s, set(OTHER, 1), 0);
        e = run(&q, s);
        assert_int_equal(e.kind, EFFECT_STEP);
        assert_int_equal(e.job->id, a);
        assert_int_equal(run(&q, s).kind, EFFECT_NONE);
        answer(&q, &e, STEP_DONE, 0);
        e = run_to_end(&q, s);
        assert_int_equal(e.kind, EFFECT_FINISH);
        assert_int_equal(e.job->id, a);
        assert_int_equal(e.job->result, RESULT_DONE);
        e = run_to_end(&q, s);
        assert_int_equal(e.job->id, b);
        assert_int_equal(run(&q, s).kind, EFFECT_NONE);
        assert_int_equal(queue_length(&q), 0);
        queue_done(&q);
}

static void the_same_wish_twice_is_one_job_with_two_askers(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = two_pfs();
        Op op = set(OTHER, 2);
        Queue q;
        uint32_t id, again;
        Fault fault;

        (void) state;
        queue_init(&q);
        submit(&q, s, set(PF, 1), 0);
        op.flags = OP_ALONE;
        id = submit(&q, s, op, ALICE);
        assert_int_not_equal(submit(&q, s, op, ALICE), id);
        op.flags = 0;
        id = submit(&q, s, op, ALICE);
        assert_int_equal(queue_submit(&q, s, &op, BOB, &again, &fault), QUEUE_E_MERGED);
        assert_int_equal(again, id);
        assert_int_equal(queue_cancel(&q, id, ALICE, RESULT_CANCELED, &fault), 0);
        assert_int_equal(queue_find(&q, id)->state, JOB_WAITING);
        assert_int_equal(queue_cancel(&q, id, ALICE, RESULT_CANCELED, &fault), QUEUE_E_REFUSED);
        assert_int_equal(fault.reason, FAULT_NOT_AUTHORIZED);
        assert_int_equal(queue_cancel(&q, id, BOB, RESULT_CANCELED, &fault), 0);
        assert_int_equal(queue_find(&q, id)->state, JOB_ENDED);
        assert_int_equal(queue_find(&q, id)->result, RESULT_CANCELED);
        queue_done(&q);
}

static void a_newer_count_takes_the_older_ones_place_for_the_same_user_only(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = two_pfs();
        Queue q;
        uint32_t a, b, c;

        (void) state;
        queue_init(&q);
        submit(&q, s, set(OTHER, 1), 0);
        a = submit(&q, s, set(PF, 2), ALICE);
        b = submit(&q, s, set(PF, 3), BOB);
        assert_int_equal(queue_find(&q, a)->state, JOB_WAITING);
        c = submit(&q, s, set(PF, 4), BOB);
        assert_int_equal(queue_find(&q, b)->result, RESULT_SUPERSEDED);
        assert_int_equal(queue_find(&q, b)->fault.number, c);
        assert_int_equal(queue_find(&q, a)->state, JOB_WAITING);
        queue_done(&q);
}

static void nothing_is_merged_across_another_operation(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = two_pfs();
        Queue q;
        uint32_t a;

        (void) state;
        queue_init(&q);
        submit(&q, s, set(OTHER, 1), 0);
        a = submit(&q, s, set(PF, 2), 0);
        submit(&q, s, (Op){ .kind = OP_RESCAN, .fn = BDF_NONE }, 0);
        assert_int_not_equal(submit(&q, s, set(PF, 2), 0), a);
        assert_int_equal(queue_find(&q, a)->state, JOB_WAITING);
        queue_done(&q);
}

static void a_removal_closes_all_below_for_later_asks_until_it_ends(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = two_pfs();
        Queue q;
        uint32_t id;
        Fault fault;

        (void) state;
        queue_init(&q);
        submit(&q, s, set(OTHER, 1), 0);
        id = submit(&q, s, (Op){ .kind = OP_REMOVE, .fn = PORT }, 0);
        assert_int_equal(refusal(&q, s, set(PF, 1)), FAULT_GOING);
        assert_int_equal(refusal(&q, s, (Op){ .kind = OP_REMOVE, .fn = PF }), FAULT_GOING);
        submit(&q, s, set(OTHER, 2), 0);
        assert_int_equal(queue_cancel(&q, id, 0, RESULT_CANCELED, &fault), 0);
        submit(&q, s, set(PF, 1), 0);
        submit(&q, s, (Op){ .kind = OP_SLOT_OFF, .fn = BDF_NONE, .slot = "1" }, 0);
        assert_int_equal(refusal(&q, s, set(PF, 1)), FAULT_GOING);
        queue_done(&q);
}

static void a_full_queue_is_an_answer(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = two_pfs();
        Queue q;

        (void) state;
        queue_init(&q);
        for (uint32_t i = 0; i < QUEUE_MAX; i++)
                submit(&q, s, set(i % 2 ? PF : OTHER, 1 + i % 3), i);
        assert_int_equal(refusal(&q, s, set(PF, 7)), FAULT_QUEUE_FULL);
        assert_int_equal(queue_length(&q), QUEUE_MAX);
        queue_done(&q);
}

static void a_running_job_stops_between_two_steps_and_gives_back(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = two_pfs();
        Queue q;
        Effect e;
        Fault fault;

        (void) state;
        queue_init(&q);
        submit(&q, s, set(PF, 1), 0);
        e = run(&q, s);
        assert_int_equal(e.step->rung, RUNG_HOLD_PROBE);
        assert_int_equal(queue_cancel(&q, e.job->id, 0, RESULT_TIMEOUT, &fault), 0);
        answer(&q, &e, STEP_DONE, 0);
        e = run(&q, s);
        assert_int_equal(e.step->rung, RUNG_FREE_PROBE);
        answer(&q, &e, STEP_DONE, 0);
        e = run(&q, s);
        assert_int_equal(e.job->result, RESULT_TIMEOUT);
        assert_int_equal(e.job->fault.reason, FAULT_TIMEOUT);
        queue_done(&q);
}

static void one_vf_that_fails_leaves_the_others_and_makes_it_partial(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = two_pfs();
        Queue q;
        Effect e;
        unsigned bound = 0;

        (void) state;
        queue_init(&q);
        submit(&q, s, set(PF, 3), 0);
        while ((e = run(&q, s)).kind == EFFECT_STEP) {
                bool bind = e.step->rung == RUNG_BIND_VF;

                answer(&q, &e, bind && e.step->n == 1 ? STEP_FAILED : STEP_DONE, EIO);
                bound += bind;
        }
        assert_int_equal(bound, 3);
        assert_int_equal(e.job->result, RESULT_PARTIAL);
        assert_int_equal(e.job->fault.reason, FAULT_KERNEL);
        assert_int_equal(e.job->n_warnings, 1);
        queue_done(&q);
}

static void warnings_for_which_there_is_no_room_are_counted(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = two_pfs();
        Queue q;
        Effect e;

        (void) state;
        ((Fn *) snapshot_find(s, PF))->total_vfs = 12;
        queue_init(&q);
        submit(&q, s, set(PF, 12), 0);
        while ((e = run(&q, s)).kind == EFFECT_STEP)
                answer(&q, &e, e.step->rung == RUNG_BIND_VF ? STEP_FAILED : STEP_DONE, EIO);
        assert_int_equal(e.job->n_warnings, QUEUE_WARNINGS);
        assert_int_equal(e.job->n_more_warnings, 12 - QUEUE_WARNINGS);
        queue_done(&q);
}

static void a_vf_that_no_driver_takes_is_a_warning(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = two_pfs();
        Queue q;
        Effect e;

        (void) state;
        queue_init(&q);
        submit(&q, s, set(PF, 1), 0);
        while ((e = run(&q, s)).kind == EFFECT_STEP)
                answer(&q, &e, e.step->rung == RUNG_BIND_VF ? STEP_NO_DRIVER : STEP_DONE, 0);
        assert_int_equal(e.job->result, RESULT_DONE);
        assert_int_equal(e.job->warnings[0].reason, FAULT_NOT_TAKEN);
        queue_done(&q);
}

static void vfs_that_the_driver_keeps_are_taken_down_through_the_stub(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 1, "igbvf");
        Queue q;
        Effect e;
        bool stubbed = false, kept = false;

        (void) state;
        queue_init(&q);
        submit(&q, s, set(PF, 0), 0);
        while ((e = run(&q, s)).kind == EFFECT_STEP) {
                bool keep = e.step->rung == RUNG_VFS_OFF && !kept;

                stubbed |= e.step->rung == RUNG_STUB_PF;
                /* Parked once, by the first plan. */
                assert_false(kept && e.step->rung == RUNG_PARK_VF);
                kept |= keep;
                answer(&q, &e, keep ? STEP_KEPT : STEP_DONE, 0);
        }
        assert_true(stubbed);
        assert_int_equal(e.job->result, RESULT_DONE);
        queue_done(&q);
}

static void nothing_is_written_behind_a_child_that_died(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 1, "igbvf");
        Queue q;
        Effect e;

        (void) state;
        queue_init(&q);
        submit(&q, s, set(PF, 0), 0);
        while ((e = run(&q, s)).kind == EFFECT_STEP) {
                bool died = e.step->rung == RUNG_VFS_OFF;

                assert_true(e.step->rung <= RUNG_VFS_OFF);
                answer(&q, &e, died ? STEP_DIED : STEP_DONE, 0);
        }
        assert_int_equal(e.job->result, RESULT_FAILED);
        assert_int_equal(e.job->fault.reason, FAULT_WORKER_DIED);
        queue_done(&q);
}

static void autoprobe_is_given_back_even_then(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = two_pfs();
        Rung last = RUNG_HOLD_PROBE;
        Queue q;
        Effect e;

        (void) state;
        queue_init(&q);
        submit(&q, s, set(PF, 1), 0);
        while ((e = run(&q, s)).kind == EFFECT_STEP) {
                last = e.step->rung;
                answer(&q, &e, last == RUNG_VFS_ON ? STEP_DIED : STEP_DONE, 0);
        }
        assert_int_equal(last, RUNG_FREE_PROBE);
        assert_int_equal(e.job->result, RESULT_FAILED);
        queue_done(&q);
}

static void a_plan_is_resumed_where_it_stopped(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = two_pfs();
        Job old = { .id = 7, .op = set(PF, 2), .pf = PF, .n_askers = 1, .state = JOB_RUNNING };
        /* What was there when an earlier daemon looked is looked at again: the first is still to be done. */
        StepState states[8] = { STEP_STATE_WAITING, STEP_STATE_DONE, STEP_STATE_DONE,
                                STEP_STATE_RUNNING };
        Plan *plan = NULL, *other = NULL;
        Fault fault;
        Queue q;
        Effect e;

        (void) state;
        queue_init(&q);
        assert_int_equal(queue_restore(&q, &old), 0);
        assert_int_equal(ladder_plan(s, &old.op, NULL, &plan, &fault), 0);
        assert_int_equal(ladder_plan(s, &old.op, NULL, &other, &fault), 0);
        assert_int_equal(queue_resume(&q, 7, plan, states), 0);
        assert_int_equal(queue_resume(&q, 8, other, states), -ENOENT);
        assert_true(queue_next(&q, &e));
        assert_int_equal(e.step->rung, RUNG_CLEAR_WAY);
        answer(&q, &e, STEP_DONE, 0);
        e = run(&q, s);
        assert_int_equal(e.step->rung, RUNG_FREE_PROBE);
        answer(&q, &e, STEP_DONE, 0);
        assert_int_equal(run_to_end(&q, s).job->result, RESULT_DONE);
        queue_done(&q);
}

static void a_device_that_is_gone_by_its_turn_ends_the_job_as_gone(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = two_pfs();
        Queue q;
        Effect e;

        (void) state;
        queue_init(&q);
        submit(&q, s, set(PF, 1), 0);
        snapshot_drop(s, PF);
        e = run(&q, s);
        assert_int_equal(e.job->result, RESULT_GONE);
        queue_done(&q);
}

static void a_job_keeps_its_id_over_a_restart(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = two_pfs();
        Job old = { .id = 41,
                    .op = set(PF, 1),
                    .pf = PF,
                    .askers = { ALICE },
                    .n_askers = 1,
                    .state = JOB_RUNNING };
        Queue q;

        (void) state;
        queue_init(&q);
        assert_int_equal(queue_restore(&q, &old), 0);
        assert_int_equal(queue_restore(&q, &old), QUEUE_E_REFUSED);
        assert_int_equal(submit(&q, s, set(OTHER, 1), 0), 42);
        assert_int_equal(run_to_end(&q, s).job->id, 41);
        queue_done(&q);
}

static void answers_nobody_asked_for_change_nothing(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = two_pfs();
        StepResult done = { .answer = STEP_DONE };
        Queue q;
        uint32_t id;
        Fault fault;

        (void) state;
        queue_init(&q);
        assert_int_equal(queue_step_done(&q, 1, 0, &done), -ENOENT);
        assert_int_equal(queue_planned(&q, 1, s), -ENOENT);
        id = submit(&q, s, set(PF, 1), 0);
        assert_int_equal(queue_planned(&q, id, s), -ENOENT);
        run(&q, s);
        assert_int_equal(queue_step_done(&q, id, 3, &done), -ENOENT);
        assert_int_equal(queue_step_done(&q, id, 99, &done), -ENOENT);
        assert_int_equal(queue_cancel(&q, 99, 0, RESULT_CANCELED, &fault), QUEUE_E_REFUSED);
        assert_int_equal(fault.reason, FAULT_NO_SUCH_JOB);
        queue_done(&q);
}

/* It takes no lock, and nobody else gives it back. */
static void who_kills_the_child_that_frees_probing_has_to_do_it_often(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = two_pfs();

        (void) state;
        for (unsigned deaths = 1; deaths <= 4; deaths++) {
                Effect e;
                Queue q;

                queue_init(&q);
                submit(&q, s, set(PF, 1), 0);
                for (unsigned i = 0; i < deaths; i++) {
                        while ((e = run(&q, s)).kind == EFFECT_STEP &&
                               e.step->rung != RUNG_FREE_PROBE)
                                answer(&q, &e, STEP_DONE, 0);
                        assert_int_equal(e.kind, EFFECT_STEP);
                        answer(&q, &e, STEP_DIED, 0);
                }
                e = run_to_end(&q, s);
                assert_int_equal(e.job->result, deaths < 4 ? RESULT_DONE : RESULT_FAILED);
                queue_done(&q);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(jobs_run_one_by_one_in_the_order_of_asking),
                cmocka_unit_test(the_same_wish_twice_is_one_job_with_two_askers),
                cmocka_unit_test(a_newer_count_takes_the_older_ones_place_for_the_same_user_only),
                cmocka_unit_test(nothing_is_merged_across_another_operation),
                cmocka_unit_test(a_removal_closes_all_below_for_later_asks_until_it_ends),
                cmocka_unit_test(a_full_queue_is_an_answer),
                cmocka_unit_test(a_running_job_stops_between_two_steps_and_gives_back),
                cmocka_unit_test(one_vf_that_fails_leaves_the_others_and_makes_it_partial),
                cmocka_unit_test(warnings_for_which_there_is_no_room_are_counted),
                cmocka_unit_test(a_vf_that_no_driver_takes_is_a_warning),
                cmocka_unit_test(vfs_that_the_driver_keeps_are_taken_down_through_the_stub),
                cmocka_unit_test(nothing_is_written_behind_a_child_that_died),
                cmocka_unit_test(autoprobe_is_given_back_even_then),
                cmocka_unit_test(a_plan_is_resumed_where_it_stopped),
                cmocka_unit_test(a_device_that_is_gone_by_its_turn_ends_the_job_as_gone),
                cmocka_unit_test(a_job_keeps_its_id_over_a_restart),
                cmocka_unit_test(answers_nobody_asked_for_change_nothing),
                cmocka_unit_test(who_kills_the_child_that_frees_probing_has_to_do_it_often),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
