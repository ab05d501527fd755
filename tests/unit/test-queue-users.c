/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The queue and those who are in the way: users, stuck writes, and the way back to what was before
 */
#include "tests/unit/queue-play.h"

/* Up to the step of that rung. */
static Effect run_to(Queue *q, const Snapshot *s, Rung rung) {
        for (;;) {
                Effect e = run(q, s);

                assert_int_equal(e.kind, EFFECT_STEP);
                if (e.step->rung == rung)
                        return e;
                answer(q, &e, STEP_DONE, 0);
        }
}

static void an_overdue_step_closes_the_lane_until_the_kernel_lets_go(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = two_pfs();
        Queue q;
        Effect e;
        uint32_t id;

        (void) state;
        queue_init(&q);
        id = submit(&q, s, set(PF, 1), 0);
        e = run(&q, s);
        assert_int_equal(queue_overdue(&q, id, e.index, false), 0);
        assert_int_equal(queue_wedged(&q)->id, id);
        assert_int_equal(refusal(&q, s, set(PF, 2)), FAULT_QUARANTINED);
        assert_int_equal(refusal(&q, s, set(OTHER, 2)), FAULT_WEDGED);
        assert_int_equal(run(&q, s).kind, EFFECT_NONE);
        answer(&q, &e, STEP_DONE, 0);
        assert_null(queue_wedged(&q));
        assert_int_equal(run_to_end(&q, s).job->result, RESULT_DONE);
        assert_int_equal(queue_overdue(&q, 4711, 0, false), -ENOENT);
        queue_done(&q);
}

static void beside_a_stuck_vf_no_other_is_begun(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", QUEUE_FAN_OUT + 1, "igbvf");
        Effect e[QUEUE_FAN_OUT];
        Queue q;

        (void) state;
        queue_init(&q);
        submit(&q, s, set(PF, 0), 0);
        while ((e[0] = run(&q, s)).step->rung != RUNG_PARK_VF)
                answer(&q, &e[0], STEP_DONE, 0);
        for (unsigned i = 1; i < QUEUE_FAN_OUT; i++)
                e[i] = run(&q, s);
        assert_int_equal(run(&q, s).kind, EFFECT_NONE);
        assert_int_equal(queue_overdue(&q, e[0].job->id, e[0].index, false), 0);
        for (unsigned i = 1; i < QUEUE_FAN_OUT; i++) {
                answer(&q, &e[i], STEP_DONE, 0);
                assert_int_equal(run(&q, s).kind, EFFECT_NONE);
        }
        answer(&q, &e[0], STEP_DONE, 0);
        assert_int_equal(run(&q, s).step->rung, RUNG_PARK_VF);
        queue_done(&q);
}

static void a_use_found_on_the_way_refuses_with_nothing_owed(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "vfio-pci");
        Queue q;
        Effect e;

        (void) state;
        queue_init(&q);
        submit(&q, s, set(PF, 0), 0);
        e = run(&q, s);
        assert_int_equal(e.step->rung, RUNG_REFUSE_IF_HELD);
        use(&q, &e, OP_FORCE_IN_USE);
        /* The others are asked too, so that all users are named; the one that needs more force is the reason. */
        e = run(&q, s);
        assert_int_equal(e.step->rung, RUNG_REFUSE_IF_HELD);
        use(&q, &e, OP_FORCE_STORAGE);
        e = run(&q, s);
        assert_int_equal(e.kind, EFFECT_FINISH);
        assert_int_equal(e.job->result, RESULT_REFUSED);
        assert_int_equal(e.job->fault.reason, FAULT_STORAGE_IN_USE);
        queue_done(&q);
}

static void force_goes_on_against_what_it_names_and_no_more(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 1, "vfio-pci");
        static const struct {
                uint32_t flags, users;
                bool goes_on;
        } table[] = {
                { OP_FORCE_IN_USE, OP_FORCE_IN_USE, true },
                { OP_FORCE_IN_USE, OP_FORCE_STORAGE, false },
                { OP_FORCE_STORAGE, OP_FORCE_IN_USE, false },
                { OP_FORCE_IN_USE, OP_FORCE_IN_USE | OP_FORCE_STORAGE, false },
                { OP_FORCE_IN_USE | OP_FORCE_STORAGE, OP_FORCE_IN_USE | OP_FORCE_STORAGE, true },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                Op op = set(PF, 0);
                Effect e;
                Queue q;

                queue_init(&q);
                op.flags = table[i].flags;
                submit(&q, s, op, 0);
                e = run(&q, s);
                use(&q, &e, table[i].users);
                e = run(&q, s);
                assert_int_equal(e.kind, table[i].goes_on ? EFFECT_STEP : EFFECT_FINISH);
                if (table[i].goes_on) {
                        assert_int_equal(e.step->rung, RUNG_PARK_VF);
                        assert_int_equal(e.job->warnings[0].reason, FAULT_FORCED);
                        answer(&q, &e, STEP_DONE, 0);
                        assert_int_equal(run_to_end(&q, s).job->result, RESULT_DONE);
                }
                queue_done(&q);
        }
}

static void a_write_stuck_outside_the_global_lock_leaves_the_lane_to_others(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = two_pfs();
        Op below = { .kind = OP_REMOVE, .fn = PORT },
           rescan = { .kind = OP_RESCAN, .fn = BDF_NONE },
           again = { .kind = OP_REMOVE, .fn = OTHER, .flags = OP_RESCAN_AFTER },
           unload = { .kind = OP_UNLOAD, .fn = BDF_NONE, .driver = "igb" },
           slot = { .kind = OP_SLOT_OFF, .fn = BDF_NONE, .slot = "1" },
           module = { .kind = OP_BIND, .fn = OTHER, .driver = "not-loaded" },
           reset = { .kind = OP_RESET, .fn = BDF(1, 0, 1) };
        uint32_t stuck, waits;
        Effect e, end;
        Queue q;

        (void) state;
        snapshot_free(s);
        s = small_world("igb", 2, "igbvf");
        put_bridge(s, BDF(0, 2, 0), BDF_NONE);
        put_pf(s, OTHER, BDF(0, 2, 0), "igb", 0, "");
        put_pf(s, BDF(1, 0, 1), PORT, "igb", 0, "");
        snapshot_seal(s);
        queue_init(&q);
        stuck = submit(&q, s, set(PF, 0), 0);
        waits = submit(&q, s, set(PF, 3), BOB);
        e = run_to(&q, s, RUNG_PARK_VF);
        (void) run(&q, s); /* the other VF fans out */
        assert_int_equal(queue_overdue(&q, stuck, e.index, true), 0);
        /* The other one may still be on its way into something. */
        assert_true(queue_is_closed(&q));
        assert_int_equal(queue_overdue(&q, stuck, e.index + 1, true), 0);
        assert_false(queue_is_closed(&q));
        assert_int_equal(queue_wedged(&q)->id, stuck);
        assert_int_equal(refusal(&q, s, set(PF, 2)), FAULT_QUARANTINED);
        assert_int_equal(refusal(&q, s, below), FAULT_QUARANTINED);
        assert_int_equal(refusal(&q, s, rescan), FAULT_QUARANTINED);
        assert_int_equal(refusal(&q, s, again), FAULT_QUARANTINED);
        assert_int_equal(refusal(&q, s, unload), FAULT_QUARANTINED);
        assert_int_equal(refusal(&q, s, slot), FAULT_QUARANTINED);
        assert_int_equal(refusal(&q, s, module), FAULT_QUARANTINED);
        assert_int_equal(refusal(&q, s, reset), FAULT_QUARANTINED);
        /* One that waited already is refused at its turn; the other PF goes on. */
        submit(&q, s, set(OTHER, 1), 0);
        end = run(&q, s);
        assert_int_equal(end.kind, EFFECT_FINISH);
        assert_int_equal(end.job->id, waits);
        assert_int_equal(end.job->result, RESULT_REFUSED);
        assert_int_equal(end.job->fault.reason, FAULT_QUARANTINED);
        assert_int_equal(run_to_end(&q, s).job->result, RESULT_DONE);
        assert_int_equal(run(&q, s).kind, EFFECT_NONE);
        answer(&q, &e, STEP_DONE, 0);
        assert_int_equal(run(&q, s).kind, EFFECT_NONE);
        assert_int_equal(queue_step_done(&q, stuck, e.index + 1, &(StepResult){}), 0);
        assert_null(queue_wedged(&q));
        end = run_to_end(&q, s);
        assert_int_equal(end.job->id, stuck);
        assert_int_equal(end.job->result, RESULT_DONE);
        queue_done(&q);
}

/* With all functions of a bridge goes all that is below any of them. */
static void what_is_below_a_sibling_of_the_bridge_is_near_too(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 1, "igbvf");
        Op op = { .kind = OP_REMOVE, .fn = BDF(0, 1, 1), .flags = OP_ALL_FUNCTIONS };
        Effect e;
        Queue q;

        (void) state;
        put_bridge(s, BDF(0, 1, 1), BDF_NONE);
        snapshot_seal(s);
        queue_init(&q);
        submit(&q, s, set(PF, 0), 0);
        e = run_to(&q, s, RUNG_PARK_VF);
        assert_int_equal(queue_overdue(&q, e.job->id, e.index, true), 0);
        assert_int_equal(refusal(&q, s, op), FAULT_QUARANTINED);
        queue_done(&q);
}

static void what_comes_back_goes_on_before_those_that_wait(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 1, "igbvf");
        uint32_t stuck, other, later;
        Effect e, held;
        Queue q;

        (void) state;
        put_pf(s, OTHER, BDF(0, 2, 0), "igb", 0, "");
        snapshot_seal(s);
        queue_init(&q);
        stuck = submit(&q, s, set(PF, 0), 0);
        e = run_to(&q, s, RUNG_PARK_VF);
        assert_int_equal(queue_overdue(&q, stuck, e.index, true), 0);
        other = submit(&q, s, set(OTHER, 1), 0);
        held = run_to(&q, s, RUNG_VFS_ON);
        assert_int_equal(held.job->id, other);
        answer(&q, &e, STEP_DONE, 0);
        later = submit(&q, s, set(OTHER, 2), 0);
        assert_int_equal(run(&q, s).kind, EFFECT_NONE); /* one write at a time */
        answer(&q, &held, STEP_DONE, 0);
        assert_int_equal(run_to_end(&q, s).job->id, other);
        assert_int_equal(run_to_end(&q, s).job->id, stuck);
        assert_int_equal(run_to_end(&q, s).job->id, later);
        queue_done(&q);
}

static void too_many_stuck_jobs_close_the_lane(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 0, "");
        Queue q;

        (void) state;
        for (uint8_t i = 0; i <= QUEUE_ASIDE; i++)
                put_pf(s, BDF(10 + i, 0, 0), BDF_NONE, "igb", 1, "igbvf");
        snapshot_seal(s);
        queue_init(&q);
        for (uint8_t i = 0; i <= QUEUE_ASIDE; i++) {
                Effect e;

                assert_false(queue_is_closed(&q));
                submit(&q, s, set(BDF(10 + i, 0, 0), 0), 0);
                e = run_to(&q, s, RUNG_PARK_VF);
                assert_int_equal(queue_overdue(&q, e.job->id, e.index, true), 0);
        }
        assert_true(queue_is_closed(&q));
        queue_done(&q);
}

/* What had its driver by the kernel's choice gets it so again. */
static void a_rollback_leaves_no_override_that_was_not_there(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "igbvf"),
                                           *three = small_world("igb", 3, "vfio-pci");
        Op op = { .kind = OP_SET_VFS, .fn = PF, .count = 3, .flags = OP_ROLLBACK };
        const Snapshot *now = s;
        unsigned back = 0;
        Effect e;
        Queue q;

        (void) state;
        queue_init(&q);
        submit(&q, s, op, 0);
        while ((e = run(&q, now)).kind == EFFECT_STEP) {
                bool fails = !e.job->rolling && e.step->rung == RUNG_BIND_VF;

                if (e.step->rung == RUNG_VFS_ON)
                        now = three;
                assert_false(e.job->rolling && e.step->rung == RUNG_OVERRIDE_VF);
                back += e.job->rolling && e.step->rung == RUNG_BIND_VF && e.step->name[0] == '\0';
                if (e.step->rung == RUNG_PARK_VF)
                        park(&q, &e, "");
                else
                        answer(&q, &e, fails ? STEP_FAILED : STEP_DONE, EIO);
        }
        assert_int_equal(back, 2);
        queue_done(&q);
}

static void all_or_nothing_goes_back_to_what_was_before(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "vfio-pci"),
                                           *three = small_world("igb", 3, "igbvf");
        Op op = { .kind = OP_SET_VFS, .fn = PF, .count = 3, .flags = OP_ROLLBACK };
        unsigned on = 0, overrides = 0;
        const Snapshot *now = s;
        Effect e;
        Queue q;

        (void) state;
        queue_init(&q);
        submit(&q, s, op, 0);
        while ((e = run(&q, now)).kind == EFFECT_STEP) {
                bool fails = !e.job->rolling && e.step->rung == RUNG_BIND_VF && e.step->n == 1;

                if (e.step->rung == RUNG_VFS_ON)
                        now = three;
                if (e.job->rolling && e.step->rung == RUNG_VFS_ON)
                        on = e.step->n;
                overrides += e.job->rolling && e.step->rung == RUNG_OVERRIDE_VF &&
                             streq(e.step->name, "vfio-pci");
                if (e.step->rung == RUNG_PARK_VF && !e.job->rolling)
                        park(&q, &e, "vfio-pci");
                else
                        answer(&q, &e, fails ? STEP_FAILED : STEP_DONE, EIO);
        }
        assert_int_equal(on, 2);
        assert_int_equal(overrides, 2);
        assert_int_equal(e.job->result, RESULT_FAILED);
        assert_int_equal(e.job->fault.reason, FAULT_KERNEL);
        assert_int_equal(e.job->warnings[e.job->n_warnings - 1].reason, FAULT_ROLLED_BACK);
        queue_done(&q);
}

/* VFs that stay and were to have another driver have their own again, and those that had none have none. */
static void a_rollback_gives_each_vf_what_it_had(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "");
        Op op = {
                .kind = OP_SET_VFS, .fn = PF, .count = 2, .driver = "vfio-pci", .flags = OP_ROLLBACK
        };
        unsigned unpark = 0, unbind = 0;
        Effect e;
        Queue q;

        (void) state;
        str_copy(((Fn *) snapshot_find(s, VF0))->driver, NAME_MAX_LENGTH, "igbvf");
        queue_init(&q);
        submit(&q, s, op, 0);
        while ((e = run(&q, s)).kind == EFFECT_STEP) {
                bool back = e.job->climb.phase == CLIMB_BACK;

                unpark += back && e.step->rung == RUNG_UNPARK_VF &&
                          streq(e.step->name, e.step->n == 0 ? "igbvf" : "") &&
                          e.step->override[0] == '\0';
                unbind += back && e.step->rung == RUNG_UNBIND && bdf_equal(e.step->fn, VF1);
                answer(&q, &e,
                       !back && e.step->rung == RUNG_BIND_VF && e.step->n == 0 ? STEP_FAILED
                                                                               : STEP_DONE,
                       EIO);
        }
        assert_int_equal(unpark, 2);
        assert_int_equal(unbind, 1);
        assert_int_equal(e.job->result, RESULT_FAILED);
        queue_done(&q);
}

static void behind_a_child_that_died_a_rollback_takes_no_lock(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 0, ""),
                                           *two = small_world("igb", 2, "igbvf");
        Op op = { .kind = OP_SET_VFS, .fn = PF, .count = 2, .flags = OP_ROLLBACK };
        const Snapshot *now = s;
        bool died = false;
        Effect e;
        Queue q;

        (void) state;
        queue_init(&q);
        submit(&q, s, op, 0);
        while ((e = run(&q, now)).kind == EFFECT_STEP) {
                bool dies = e.job->rolling && e.step->rung == RUNG_PARK_VF;

                if (e.step->rung == RUNG_VFS_ON)
                        now = two;
                assert_false(died && e.step->rung != RUNG_FREE_PROBE && !dies);
                died = died || dies;
                answer(&q, &e,
                       dies                                              ? STEP_DIED
                       : !e.job->rolling && e.step->rung == RUNG_BIND_VF ? STEP_FAILED
                                                                         : STEP_DONE,
                       EIO);
        }
        assert_true(died);
        queue_done(&q);
}

/* Nothing is taken down in a rollback that has found a user since, and that is said. */
static void a_rollback_that_is_refused_says_so(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 0, ""),
                                           *two = small_world("igb", 2, "igbvf");
        Op op = { .kind = OP_SET_VFS, .fn = PF, .count = 2, .flags = OP_ROLLBACK };
        const Snapshot *now = s;
        Effect e;
        Queue q;

        (void) state;
        queue_init(&q);
        submit(&q, s, op, 0);
        while ((e = run(&q, now)).kind == EFFECT_STEP) {
                if (e.step->rung == RUNG_VFS_ON)
                        now = two;
                if (e.step->rung == RUNG_REFUSE_IF_HELD) {
                        use(&q, &e, OP_FORCE_IN_USE);
                        continue;
                }
                assert_int_not_equal(e.step->rung, RUNG_VFS_OFF);
                answer(&q, &e, e.step->rung == RUNG_BIND_VF ? STEP_FAILED : STEP_DONE, EIO);
        }
        assert_int_equal(e.job->fault.reason, FAULT_KERNEL);
        assert_int_equal(e.job->warnings[e.job->n_warnings - 1].reason, FAULT_IN_USE);
        queue_done(&q);
}

static void behind_a_foreigner_who_is_stuck_nothing_is_begun(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = two_pfs();
        StepResult blocked = { .answer = STEP_BLOCKED, .n = 4711, .text = "bash, at remove_store" };
        Effect e;
        Queue q;

        (void) state;
        queue_init(&q);
        submit(&q, s, set(PF, 1), 0);
        while (queue_next(&q, &e) && e.kind == EFFECT_SNAPSHOT)
                assert_int_equal(queue_planned(&q, e.job->id, s), 0);
        assert_int_equal(e.step->rung, RUNG_CLEAR_WAY);
        assert_int_equal(queue_step_done(&q, e.job->id, e.index, &blocked), 0);
        e = run(&q, s);
        assert_int_equal(e.kind, EFFECT_FINISH);
        assert_int_equal(e.job->result, RESULT_REFUSED);
        assert_int_equal(e.job->fault.reason, FAULT_FOREIGN_STUCK);
        assert_int_equal(e.job->fault.number, 4711);
        queue_done(&q);
}

/* The model found it: the third job took VFs away from under the second one's plan. */
static void one_that_came_back_and_must_wait_aside_is_not_overtaken_on_its_pf(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "igbvf");
        Op unload = { .kind = OP_UNLOAD, .fn = BDF_NONE, .driver = "igb" };
        uint32_t first, second, third;
        Effect e, f, end;
        Queue q;

        (void) state;
        put_bridge(s, BDF(0, 2, 0), BDF_NONE);
        put_pf(s, OTHER, BDF(0, 2, 0), "nvme", 1, "nvme");
        snapshot_seal(s);
        queue_init(&q);
        q.fan_out = 1;
        first = submit(&q, s, set(OTHER, 0), 0);
        second = submit(&q, s, unload, 0);
        third = submit(&q, s, set(PF, 1), 0);
        e = run_to(&q, s, RUNG_PARK_VF);
        assert_int_equal(queue_overdue(&q, first, e.index, true), 0);
        f = run_to(&q, s, RUNG_PARK_VF);
        assert_int_equal(f.job->id, second);
        assert_int_equal(queue_overdue(&q, second, f.index, true), 0);
        assert_int_equal(queue_step_done(&q, second, f.index, &(StepResult){}), 0);
        /* Back, and it waits for the first; the third is about what it has half done. */
        end = run(&q, s);
        assert_int_equal(end.kind, EFFECT_FINISH);
        assert_int_equal(end.job->id, third);
        assert_int_equal(end.job->fault.reason, FAULT_QUARANTINED);
        assert_int_equal(end.job->fault.number, second);
        assert_int_equal(refusal(&q, s, set(PF, 1)), FAULT_QUARANTINED);
        assert_int_equal(run(&q, s).kind, EFFECT_NONE);
        answer(&q, &e, STEP_DONE, 0);
        assert_int_equal(run_to_end(&q, s).job->result, RESULT_DONE);
        assert_int_equal(run_to_end(&q, s).job->result, RESULT_DONE);
        assert_int_equal(run(&q, s).kind, EFFECT_NONE);
        queue_done(&q);
}

/* What waits for its turn among the VFs of one PF is not under way, and keeps nobody from standing aside. */
static void with_a_fan_out_of_one_a_stuck_vf_stands_aside_alone(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 3, "igbvf");
        Effect e;
        Queue q;

        (void) state;
        queue_init(&q);
        q.fan_out = 1;
        submit(&q, s, set(PF, 0), 0);
        e = run_to(&q, s, RUNG_PARK_VF);
        assert_int_equal(run(&q, s).kind, EFFECT_NONE);
        assert_int_equal(queue_overdue(&q, e.job->id, e.index, true), 0);
        assert_false(queue_is_closed(&q));
        answer(&q, &e, STEP_DONE, 0);
        assert_int_equal(run_to_end(&q, s).job->result, RESULT_DONE);
        queue_done(&q);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_overdue_step_closes_the_lane_until_the_kernel_lets_go),
                cmocka_unit_test(beside_a_stuck_vf_no_other_is_begun),
                cmocka_unit_test(a_use_found_on_the_way_refuses_with_nothing_owed),
                cmocka_unit_test(force_goes_on_against_what_it_names_and_no_more),
                cmocka_unit_test(a_write_stuck_outside_the_global_lock_leaves_the_lane_to_others),
                cmocka_unit_test(what_is_below_a_sibling_of_the_bridge_is_near_too),
                cmocka_unit_test(what_comes_back_goes_on_before_those_that_wait),
                cmocka_unit_test(too_many_stuck_jobs_close_the_lane),
                cmocka_unit_test(a_rollback_leaves_no_override_that_was_not_there),
                cmocka_unit_test(all_or_nothing_goes_back_to_what_was_before),
                cmocka_unit_test(a_rollback_gives_each_vf_what_it_had),
                cmocka_unit_test(behind_a_child_that_died_a_rollback_takes_no_lock),
                cmocka_unit_test(a_rollback_that_is_refused_says_so),
                cmocka_unit_test(behind_a_foreigner_who_is_stuck_nothing_is_begun),
                cmocka_unit_test(one_that_came_back_and_must_wait_aside_is_not_overtaken_on_its_pf),
                cmocka_unit_test(with_a_fan_out_of_one_a_stuck_vf_stands_aside_alone),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
