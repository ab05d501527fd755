/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owed: what the next daemon makes of a job that was under way
 */
#include "tests/unit/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "daemon/owed.h"

#define CHILD 4711

static char directory[] = "/tmp/sriovd-owed-XXXXXX";
static Ledger ledger;

static int open_ledger(void **state) {
        (void) state;
        return mkdtemp(directory) ? ledger_open(&ledger, directory) : -1;
}

static int remove_ledger(void **state) {
        (void) state;
        unlinkat(ledger.jobs, "7", 0);
        unlinkat(ledger.fd, "jobs", AT_REMOVEDIR);
        unlinkat(ledger.fd, "results", AT_REMOVEDIR);
        unlinkat(ledger.fd, "lock", 0);
        ledger_done(&ledger);
        return rmdir(directory);
}

/* As the ledger would give it: a plan, nothing of it begun. */
static Record *planned(const Snapshot *s, const Op *op, const Bdf *keeper) {
        Record *r = record_new();
        Climb climb = {};
        Fault fault;

        assert_non_null(r);
        r->id = 7;
        r->op = *op;
        r->pf = PF;
        r->state = JOB_RUNNING;
        r->phase = CLIMB_UP;
        assert_int_equal(ladder_plan(s, op, keeper, &r->plan, &fault), 0);
        r->states = calloc(r->plan->n_steps, sizeof(StepState));
        r->children = calloc(r->plan->n_steps, sizeof(Process));
        assert_non_null(r->states);
        assert_non_null(r->children);
        climb.plan = r->plan;
        climb.states = r->states;
        assert_int_equal(ledger_write(&ledger, r, &climb), 0);
        return r;
}

static size_t index_of(const Record *r, Rung rung) {
        for (size_t i = 0; i < r->plan->n_steps; i++)
                if (r->plan->steps[i].rung == rung)
                        return i;
        fail_msg("no %s in the plan", rung_to_string(rung));
        return 0;
}

static bool has(const Record *r, Rung rung) {
        for (size_t i = 0; i < r->plan->n_steps; i++)
                if (r->plan->steps[i].rung == rung)
                        return true;
        return false;
}

/* All up to that rung are done; its own first step is with a child that died and said nothing. */
static void stop_at(Record *r, Rung rung) {
        size_t at = index_of(r, rung);

        for (size_t i = 0; i < at; i++)
                r->states[i] = STEP_STATE_DONE;
        r->states[at] = STEP_STATE_RUNNING;
        r->children[at] = (Process){ CHILD, 1 };
}

static Op set(uint32_t count) {
        return (Op){ .kind = OP_SET_VFS, .fn = PF, .count = count };
}

static Op with_driver(OpKind kind, const char *driver) {
        Op op = { .kind = kind, .fn = PF };

        assert_int_equal(str_copy(op.driver, sizeof(op.driver), driver), 0);
        return op;
}

static Fn *pf_in(Snapshot *s) {
        return (Fn *) snapshot_find(s, PF);
}

static void lose_driver(Snapshot *s) {
        pf_in(s)->driver[0] = '\0';
}

/* True if it is known what came of each step. */
static bool adopt(const Snapshot *s, Record *r) {
        bool known = true;

        assert_int_equal(owed_adopt(&ledger, s, r, &known), 0);
        return known;
}

static void what_a_child_said_is_taken_over(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "igbvf");
        Op op = set(0);
        _cleanup_(record_freep) Record *r = planned(s, &op, NULL);
        size_t at = index_of(r, RUNG_PARK_VF);
        Outcome outcome = { .index = at, .result = { .answer = STEP_DONE } };

        (void) state;
        stop_at(r, RUNG_PARK_VF);
        strcpy(outcome.result.override, "vfio-pci");
        assert_int_equal(result_write(ledger.results, r->id, CHILD, &outcome), 0);
        assert_true(adopt(s, r));
        assert_int_equal(r->states[at], STEP_STATE_DONE);
        assert_string_equal(r->plan->steps[at].override, "vfio-pci");
        assert_int_equal(result_read(ledger.results, r->id, CHILD, &outcome), -ENOENT);
}

static void what_nobody_knows_stops_the_plan(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 0, NULL);
        Op op = set(2);
        _cleanup_(record_freep) Record *r = planned(s, &op, NULL);

        (void) state;
        stop_at(r, RUNG_VFS_ON);
        assert_false(adopt(s, r));
        assert_int_equal(r->states[index_of(r, RUNG_VFS_ON)], STEP_STATE_FAILED);
        assert_false(r->settled);
}

/* Several VFs were at it: what the last one said says nothing of the others. */
static void one_step_that_nobody_knows_of_is_enough(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "igbvf");
        Op op = set(0);
        _cleanup_(record_freep) Record *r = planned(s, &op, NULL);
        size_t at = index_of(r, RUNG_PARK_VF);
        Outcome second = { .index = at + 1 };

        (void) state;
        stop_at(r, RUNG_PARK_VF);
        r->states[at + 1] = STEP_STATE_RUNNING;
        r->children[at + 1] = (Process){ CHILD + 1, 1 };
        assert_int_equal(result_write(ledger.results, r->id, CHILD + 1, &second), 0);
        assert_false(adopt(s, r));
        assert_int_equal(r->states[at], STEP_STATE_FAILED);
        assert_int_equal(r->states[at + 1], STEP_STATE_DONE);
}

static void what_does_no_harm_twice_is_done_again(void **state) {
        static const Rung again[] = { RUNG_CLEAR_WAY, RUNG_REFUSE_IF_HELD, RUNG_HOLD_PROBE,
                                      RUNG_FREE_PROBE };
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "igbvf");
        Op op = set(3);

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(again); i++) {
                _cleanup_(record_freep) Record *r = planned(s, &op, NULL);

                stop_at(r, again[i]);
                assert_true(adopt(s, r));
                assert_int_equal(r->states[index_of(r, again[i])], STEP_STATE_WAITING);
        }
}

static void a_reset_nobody_knows_of_ends_as_interrupted(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 0, NULL);
        Op op = { .kind = OP_RESET, .fn = PF };
        _cleanup_(record_freep) Record *r = planned(s, &op, NULL);

        (void) state;
        stop_at(r, RUNG_RESET);
        lose_driver(s);
        assert_false(adopt(s, r));
        assert_true(r->settled);
        assert_int_equal(r->result, RESULT_INTERRUPTED);
        assert_int_equal(owed_turn(&ledger, s, r), 0);
        assert_string_equal(r->plan->steps[index_of(r, RUNG_BIND)].name, "igb");
}

/* The driver is gone, so the unbind was done; planned anew without it, the reset would not know what to bind afterwards. */
static void a_driver_that_was_taken_for_a_reset_comes_back(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 0, NULL);
        Op op = { .kind = OP_RESET, .fn = PF };
        _cleanup_(record_freep) Record *r = planned(s, &op, NULL);

        (void) state;
        stop_at(r, RUNG_UNBIND);
        lose_driver(s);
        assert_false(adopt(s, r));
        assert_int_equal(owed_turn(&ledger, s, r), 0);
        assert_string_equal(r->plan->steps[index_of(r, RUNG_BIND)].name, "igb");
}

static void a_bind_nobody_knows_of_is_done_again_unless_another_driver_came(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 0, NULL);
        Op op = with_driver(OP_BIND, "vfio-pci");

        (void) state;
        for (int other = 0; other < 2; other++) {
                _cleanup_(record_freep) Record *r = NULL;

                strcpy(pf_in(s)->driver, "igb");
                r = planned(s, &op, NULL);
                stop_at(r, RUNG_BIND);
                strcpy(pf_in(s)->driver, other ? "e1000e" : "");
                assert_int_equal(adopt(s, r), !other);
                assert_int_equal(r->states[index_of(r, RUNG_BIND)],
                                 other ? STEP_STATE_FAILED : STEP_STATE_WAITING);
        }
}

/* A PF that is found on the stub has no driver to tell of; the plan in the ledger does. */
static void a_pf_found_on_the_stub_gets_its_own_driver_back(void **state) {
        static const Rung rungs[] = { RUNG_UNBIND_KEEPER, RUNG_STUB_PF, RUNG_VFS_OFF };
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "");
        Op op = set(3);

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rungs); i++) {
                _cleanup_(record_freep) Record *r = planned(s, &op, &PF);

                stop_at(r, rungs[i]);
                assert_false(adopt(s, r));
                assert_int_equal(owed_turn(&ledger, s, r), 0);
                assert_false(r->settled);
                assert_string_equal(r->plan->steps[index_of(r, RUNG_BIND)].name, "igb");
                assert_int_equal(has(r, RUNG_UNSTUB_PF), i > 0);
        }
}

static size_t n_waiting(const Record *r, Rung rung) {
        size_t n = 0;

        for (size_t i = 0; i < r->plan->n_steps; i++)
                n += r->plan->steps[i].rung == rung && r->states[i] == STEP_STATE_WAITING;
        return n;
}

static void whoever_is_still_to_go_is_asked_again(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "vfio-pci");
        Op op = set(0);
        _cleanup_(record_freep) Record *r = planned(s, &op, NULL);
        size_t park = index_of(r, RUNG_PARK_VF);
        size_t all = n_waiting(r, RUNG_REFUSE_IF_HELD);

        (void) state;
        assert_true(all >= 2);
        /* Nothing taken yet: all of them. */
        for (size_t i = 0; i < park; i++)
                r->states[i] = STEP_STATE_DONE;
        owed_ask_again(r);
        assert_int_equal(n_waiting(r, RUNG_REFUSE_IF_HELD), all);
        assert_int_equal(n_waiting(r, RUNG_CLEAR_WAY), 1);
        /* One VF parked: all but that one. */
        for (size_t i = 0; i <= park; i++)
                r->states[i] = STEP_STATE_DONE;
        owed_ask_again(r);
        assert_int_equal(n_waiting(r, RUNG_REFUSE_IF_HELD), all - 1);
        /* All parked: nobody; but who is stuck in the kernel is still in the way. */
        for (size_t i = 0; i <= park + 1; i++)
                r->states[i] = STEP_STATE_DONE;
        owed_ask_again(r);
        assert_int_equal(n_waiting(r, RUNG_REFUSE_IF_HELD), 0);
        assert_int_equal(n_waiting(r, RUNG_CLEAR_WAY), 1);
}

static void a_job_that_is_done_asks_nobody(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "igbvf");
        Op op = set(0);
        _cleanup_(record_freep) Record *r = planned(s, &op, NULL);

        (void) state;
        for (size_t i = 0; i < r->plan->n_steps; i++)
                r->states[i] = STEP_STATE_DONE;
        owed_ask_again(r);
        assert_true(owed_is_complete(r));
}

static void all_or_nothing_is_still_owed_after_a_restart(void **state) {
        Op op = { .kind = OP_SET_VFS, .fn = PF, .count = 2, .flags = OP_ROLLBACK };
        Record r = { .op = op, .has_before = true, .result = RESULT_FAILED };

        (void) state;
        assert_true(owed_wants_roll_back(&r));
        r.rolling = true;
        assert_false(owed_wants_roll_back(&r));
        r.rolling = false;
        r.result = RESULT_CANCELED;
        assert_false(owed_wants_roll_back(&r));
        r.result = RESULT_FAILED;
        r.has_before = false;
        assert_false(owed_wants_roll_back(&r));
        r.has_before = true;
        r.op.flags = 0;
        assert_false(owed_wants_roll_back(&r));
}

/* Several jobs may have been at work when the daemon died: one in the lane, others aside of it. */
static void each_job_that_was_at_work_goes_on_in_its_turn(void **state) {
        static const Bdf other = BDF(2, 0, 0);
        Job first = { .id = 7, .op = set(2), .pf = PF, .n_askers = 1 }, second = first;
        Snapshot *s = snapshot_new();
        StepState states[8] = {};
        Effect e;
        Queue q;

        (void) state;
        assert_non_null(s);
        put_pf(s, PF, BDF_NONE, "igb", 0, "");
        put_pf(s, other, BDF_NONE, "igb", 0, "");
        snapshot_seal(s);
        second.id = 8;
        second.op.fn = second.pf = other;
        queue_init(&q);
        for (size_t i = 0; i < 2; i++) {
                const Job *j = i == 0 ? &first : &second;
                Plan *plan = NULL;
                Fault fault;

                assert_int_equal(queue_restore(&q, j), 0);
                assert_int_equal(ladder_plan(s, &j->op, NULL, &plan, &fault), 0);
                assert_int_equal(queue_resume(&q, j->id, plan, states), 0);
        }
        for (uint32_t id = 7; id <= 8; id++) {
                while (queue_next(&q, &e) && e.kind == EFFECT_STEP) {
                        assert_int_equal(e.job->id, id);
                        assert_int_equal(queue_step_done(&q, id, e.index, &(StepResult){}), 0);
                }
                assert_int_equal(e.kind, EFFECT_FINISH);
                assert_int_equal(e.job->id, id);
                assert_int_equal(e.job->result, RESULT_DONE);
        }
        assert_false(queue_next(&q, &e));
        queue_done(&q);
        snapshot_free(s);
}

static void only_a_job_that_knows_what_was_before_is_rolled_back(void **state) {
        Job j = { .id = 7, .op = set(2), .pf = PF, .n_askers = 1 };
        Queue q;

        (void) state;
        queue_init(&q);
        assert_int_equal(queue_restore(&q, &j), 0);
        assert_int_equal(queue_roll_back(&q, 7), -ENOENT);
        assert_int_equal(queue_roll_back(&q, 9), -ENOENT);
        j.id = 8;
        j.has_before = true;
        assert_int_equal(queue_restore(&q, &j), 0);
        assert_int_equal(queue_roll_back(&q, 8), 0);
        assert_true(queue_find(&q, 8)->rolling);
        queue_done(&q);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_a_child_said_is_taken_over),
                cmocka_unit_test(what_nobody_knows_stops_the_plan),
                cmocka_unit_test(one_step_that_nobody_knows_of_is_enough),
                cmocka_unit_test(what_does_no_harm_twice_is_done_again),
                cmocka_unit_test(a_reset_nobody_knows_of_ends_as_interrupted),
                cmocka_unit_test(a_driver_that_was_taken_for_a_reset_comes_back),
                cmocka_unit_test(a_bind_nobody_knows_of_is_done_again_unless_another_driver_came),
                cmocka_unit_test(a_pf_found_on_the_stub_gets_its_own_driver_back),
                cmocka_unit_test(whoever_is_still_to_go_is_asked_again),
                cmocka_unit_test(a_job_that_is_done_asks_nobody),
                cmocka_unit_test(all_or_nothing_is_still_owed_after_a_restart),
                cmocka_unit_test(each_job_that_was_at_work_goes_on_in_its_turn),
                cmocka_unit_test(only_a_job_that_knows_what_was_before_is_rolled_back),
        };

        return cmocka_run_group_tests(tests, open_ledger, remove_ledger);
}
