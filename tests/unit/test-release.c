/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Release: what a child is told beside its step
 *
 * Who might be in its way, the ledger and the children are played.
 */
#include "daemon/manager.h"

#include "tests/unit/test.h"

static Manager m;
static Worker worker;
static WorkerRequest asked;
static bool somebody; /* stands among the unordered */
static bool noted; /* in the ledger, with whom it is done */

bool gate_has_unordered(const Gate *g _unused_) {
        return somebody;
}

void gate_latch(Manager *manager _unused_, Bdf pf _unused_) {
}

bool guards_have(const Guards *all _unused_, uint32_t job _unused_, int32_t group _unused_) {
        return false;
}

void guards_close(Guards *all _unused_, uint32_t job _unused_) {
}

void stuck_begin(Record *r _unused_) {
}

int workers_get(Workers *all _unused_, Worker **ret) {
        *ret = &worker;
        return 0;
}

int ledger_begin(const Ledger *l _unused_, uint32_t id _unused_, size_t index _unused_,
                 const Process *child) {
        assert_ptr_equal(child, &worker.process);
        noted = true;
        return 0;
}

int worker_ask(Worker *w, const WorkerRequest *request, uint64_t deadline_usec _unused_) {
        assert_true(noted);
        assert_ptr_equal(w, &worker);
        asked = *request;
        return 0;
}

static WorkerRequest release(void) {
        Step step = { .rung = RUNG_VFS_OFF, .fn = PF, .vf = BDF_NONE };
        Record r = { .id = 7, .pf = PF };

        noted = false;
        assert_int_equal(manager_release(&m, &r, 2, &step), 0);
        assert_int_equal(asked.job, 7);
        assert_int_equal(asked.index, 2);
        return asked;
}

static int set_up(void **state _unused_) {
        m = (Manager){ .snapshot = small_world("igb", 2, "igbvf") };
        somebody = false;
        return 0;
}

static int tear_down(void **state _unused_) {
        snapshot_free(m.snapshot);
        return 0;
}

static void a_child_looks_for_others_where_somebody_writes_in_no_order(void **state _unused_) {
        assert_false(release().unordered);
        somebody = true;
        assert_true(release().unordered);
}

/* The kernel let go whoever the last daemon held, and nobody has seen yet who that was. */
static void a_child_looks_for_others_while_a_recovery_goes_on(void **state _unused_) {
        m.recovery = (Recovery *) &m;
        assert_true(release().unordered);
}

/* An earlier daemon may have locked them, and the gate is not looked after yet. */
static void a_child_unlocks_doors_that_may_be_locked(void **state _unused_) {
        assert_false(release().unlocks);
        m.gate.mode = GATE_EXCLUSIVE;
        assert_true(release().unlocks);
        m.gate.mode = GATE_SERIALIZE;
        m.recovery = (Recovery *) &m;
        assert_true(release().unlocks);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
                TEST(a_child_looks_for_others_where_somebody_writes_in_no_order),
                TEST(a_child_looks_for_others_while_a_recovery_goes_on),
                TEST(a_child_unlocks_doors_that_may_be_locked),
#undef TEST
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
