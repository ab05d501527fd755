/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recover: what the last daemon left is finished or put right, also where memory or the ledger fail
 *
 * The Nth thing that can fail does (fail.h), for every N. The daemon around the recovery is played here.
 */
#include "tests/unit/fail.h"
#include "tests/unit/test.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/folder.h"

#include "daemon/ledger-format.h"
#include "daemon/log.h"
#include "daemon/recover.h"
#include "daemon/stuck.h"

#define OTHER BDF(2, 0, 0)
/* Beyond pid_max: nobody is there, and nobody said anything. */
#define GONE ((Process){ 1 << 30, 1 })
#define TURNS_MAX 1000

static char directory[] = "/tmp/sriovd-recover-XXXXXX";
static Manager m;

/* The daemon around it. */

static WorkerRequest asked; /* the step that a child is at */
static bool is_asked, blind;
static size_t n_released;

int manager_release(Manager *manager, Record *r, size_t index, const Step *step) {
        int k = fails() ? -ENOMEM : ledger_begin(&manager->ledger, r->id, index, &GONE);

        assert_false(is_asked || blind);
        if (k < 0)
                return k;
        asked = (WorkerRequest){ .job = r->id, .index = index, .step = *step };
        is_asked = true;
        n_released++;
        return 0;
}

static void answer(StepAnswer a) {
        Outcome outcome = { .index = asked.index, .result = { .answer = a } };

        is_asked = false;
        (void) ledger_end(&m.ledger, asked.job, &outcome);
        recover_step_done(&m, &asked, &outcome);
}

int manager_look(Manager *manager) {
        (void) manager;
        blind = fails();
        return blind ? -ENOMEM : 0;
}

int manager_arm_timeout(Manager *manager, Record *r) {
        (void) manager;
        (void) r;
        return 0;
}

void manager_kick(Manager *manager) {
        (void) manager;
}

void stuck_left(Manager *manager, Record *r, const Process *p) {
        (void) manager;
        (void) r;
        (void) p;
}

void stuck_stays(const Record *r, pid_t pid) {
        (void) r;
        (void) pid;
}

static Snapshot *world(void) {
        Snapshot *s = small_world("igb", 2, "igbvf");

        put_pf(s, OTHER, PORT, "igb", 0, "");
        snapshot_seal(s);
        return s;
}

/* Stops it as kill -9 does: what stands in the ledger is all that is left. */
static void stop(void) {
        recover_free(m.recovery);
        records_done(&m.records);
        queue_done(&m.queue);
        ledger_done(&m.ledger);
        snapshot_free(m.snapshot);
        sd_event_unref(m.event);
        m = (Manager){ .ledger = LEDGER_EMPTY };
        is_asked = false;
}

static int start(void) {
        size_t at = fail_at;

        fail_at = 0;
        m = (Manager){ .runtime = directory, .snapshot = world() };
        m.settings.deadline_factor = 1;
        assert_int_equal(sd_event_new(&m.event), 0);
        assert_int_equal(ledger_open(&m.ledger, directory), 0);
        queue_init(&m.queue);
        fail_at = at;
        tries = n_released = 0;
        return recover_start(&m);
}

/* Until the recovery is over, or has ended the daemon. True if it is over. */
static bool go_on(void) {
        int code;

        for (size_t i = 0; m.recovery; i++) {
                assert_true(i < TURNS_MAX);
                if (is_asked)
                        answer(STEP_DONE);
                else
                        assert_true(sd_event_run(m.event, UINT64_MAX) >= 0);
                if (sd_event_get_exit_code(m.event, &code) >= 0)
                        return false;
        }
        return true;
}

static int make_directory(void **state) {
        (void) state;
        return mkdtemp(directory) ? 0 : -1;
}

static int forget(const char *name, void *userdata) {
        return unlinkat(*(const int *) userdata, name, 0);
}

static int empty(void **state) {
        Ledger l;

        (void) state;
        fail_at = 0;
        writes_fail = timers_fail = false;
        assert_int_equal(ledger_open(&l, directory), 0);
        folder_walk(l.jobs, forget, &l.jobs);
        folder_walk(l.results, forget, &l.results);
        ledger_done(&l);
        return 0;
}

static int remove_directory(void **state) {
        Ledger l;

        empty(state);
        assert_int_equal(ledger_open(&l, directory), 0);
        unlinkat(l.fd, "jobs", AT_REMOVEDIR);
        unlinkat(l.fd, "results", AT_REMOVEDIR);
        unlinkat(l.fd, "lock", 0);
        ledger_done(&l);
        return rmdir(directory);
}

/* What the last daemon left. */

typedef struct Past {
        uint32_t id;
        Op op;
        JobState state;
        Rung at; /* all before it is done; its own first step is under way, or as `is` says */
        StepState is;
        bool rolling, canceled;
        bool told; /* by the child of that step: it is done */
        JobResult result;
} Past;

static size_t index_of(const Plan *plan, Rung rung) {
        for (size_t i = 0; i < plan->n_steps; i++)
                if (plan->steps[i].rung == rung)
                        return i;
        fail_msg("no %s in the plan", rung_to_string(rung));
        return 0;
}

static void leave(const Past *p) {
        _cleanup_(snapshot_freep) Snapshot *s = world();
        _cleanup_(record_freep) Record *r = record_new();
        _cleanup_(plan_freep) Plan *plan = NULL;
        StepState states[64] = {};
        Fault fault;
        size_t at;
        Ledger l;

        assert_int_equal(ladder_plan(s, &p->op, NULL, &plan, &fault), 0);
        assert_true(plan->n_steps <= ELEMENTSOF(states));
        r->id = p->id;
        r->op = p->op;
        r->pf = p->op.fn;
        r->state = p->state;
        r->order = p->id;
        r->n_askers = !p->canceled;
        r->result = p->result;
        r->has_before = r->rolling = p->rolling;
        r->count_before = 2;
        r->phase = p->state == JOB_WAITING ? CLIMB_LOOK : CLIMB_UP;
        at = p->state == JOB_WAITING ? 0 : index_of(plan, p->at);
        for (size_t i = 0; i < at; i++)
                states[i] = STEP_STATE_DONE;
        states[at] = p->is;
        assert_int_equal(ledger_open(&l, directory), 0);
        assert_int_equal(ledger_write(&l, r,
                                      p->state == JOB_WAITING
                                              ? NULL
                                              : &(Climb){ .plan = plan, .states = states }),
                         0);
        if (p->state != JOB_WAITING && p->is == STEP_STATE_RUNNING)
                assert_int_equal(ledger_begin(&l, r->id, at, &GONE), 0);
        if (p->told)
                assert_int_equal(
                        result_write(l.results, r->id, GONE.pid, &(Outcome){ .index = at }), 0);
        ledger_done(&l);
}

static Op set(Bdf pf, uint32_t n) {
        return (Op){ .kind = OP_SET_VFS, .fn = pf, .count = n };
}

/* Its VFs are parked, and what became of their end nobody knows. */
static const Past owes = { 7,
                           { .kind = OP_SET_VFS, .fn = PF, .count = 3 },
                           JOB_RUNNING,
                           RUNG_VFS_OFF,
                           STEP_STATE_RUNNING };

static void leave_three(void) {
        leave(&owes);
        leave(&(Past){ 8, set(OTHER, 2), JOB_RUNNING, RUNG_HOLD_PROBE, STEP_STATE_RUNNING,
                       .told = true });
        leave(&(Past){ 9, set(OTHER, 0), JOB_WAITING });
}

static const Job *job(uint32_t id) {
        const Job *j = queue_find(&m.queue, id);

        if (!j)
                fail_msg("job %u is lost", id);
        return j;
}

/* As the next daemon would find it. */
static void check_ledger(void) {
        Records all = {};

        assert_int_equal(ledger_load(&m.ledger, &all), 0);
        assert_int_equal(all.n, 3);
        assert_int_equal(all.items[0]->state, JOB_WAITING);
        assert_null(all.items[0]->plan);
        assert_int_equal(all.items[1]->state, JOB_RUNNING);
        assert_int_equal(all.items[1]->states[index_of(all.items[1]->plan, RUNG_HOLD_PROBE)],
                         STEP_STATE_DONE);
        assert_int_equal(all.items[2]->state, JOB_WAITING);
        records_done(&all);
}

static void check_three(void) {
        const Climb *c = &job(8)->climb;

        assert_int_equal(job(7)->state, JOB_WAITING);
        assert_int_equal(job(8)->state, JOB_RUNNING);
        assert_int_equal(c->states[index_of(c->plan, RUNG_HOLD_PROBE)], STEP_STATE_DONE);
        assert_int_equal(c->states[index_of(c->plan, RUNG_VFS_ON)], STEP_STATE_WAITING);
        assert_int_equal(job(9)->state, JOB_WAITING);
        assert_true(job(7)->order < job(8)->order && job(8)->order < job(9)->order);
        check_ledger();
}

static void what_was_begun_is_put_right_and_what_went_well_goes_on(void **state) {
        (void) state;
        leave_three();
        assert_int_equal(start(), 0);
        assert_true(go_on());
        /* The two VFs that were parked. */
        assert_int_equal(n_released, 2);
        check_three();
        stop();
}

static void nothing_is_lost_where_anything_fails_once(void **state) {
        size_t n = 0, ends = 0, released;
        bool failed;

        do {
                empty(state);
                leave_three();
                fail_at = ++n;
                released = 0;
                if (start() < 0 || !go_on()) {
                        /* An honest end: the next one begins where this one was. */
                        ends++;
                        released = n_released;
                        stop();
                        fail_at = 0;
                        assert_int_equal(start(), 0);
                        assert_true(go_on());
                        failed = true;
                } else {
                        failed = tries >= n;
                }
                fail_at = 0;
                /* A step that is owed may be done twice, and never is left out. */
                assert_in_range(released + n_released, 2, 3);
                check_three();
                stop();
        } while (failed);
        assert_true(ends > 10);
        assert_true(n > ends + 10);
}

/* Records of the ledger as it is now; the caller's to be done. */
static Records load(void) {
        Records all = {};

        assert_int_equal(ledger_load(&m.ledger, &all), 0);
        return all;
}

static void what_cannot_be_written_down_is_not_done(void **state) {
        Records all;

        (void) state;
        leave_three();
        writes_fail = true;
        assert_int_equal(start(), 0);
        for (size_t i = 0; i < 20; i++)
                assert_true(sd_event_run(m.event, UINT64_MAX) >= 0);
        assert_non_null(m.recovery);
        assert_int_equal(n_released, 0);
        /* A client's word in between goes to the plan that is there. */
        assert_int_equal(ledger_note(&m.ledger, records_find(&m.records, 7)), 0);
        all = load();
        assert_int_equal(all.items[0]->phase, CLIMB_UP);
        (void) index_of(all.items[0]->plan, RUNG_VFS_OFF);
        records_done(&all);
        writes_fail = false;
        assert_true(go_on());
        assert_int_equal(n_released, 2);
        check_three();
        stop();
}

static void without_a_way_to_wait_the_next_daemon_does_it(void **state) {
        (void) state;
        leave_three();
        writes_fail = timers_fail = true;
        assert_int_equal(start(), 0);
        assert_false(go_on());
        assert_int_equal(n_released, 0);
        stop();
        writes_fail = timers_fail = false;
        assert_int_equal(start(), 0);
        assert_true(go_on());
        check_three();
        stop();
}

static void a_child_that_dies_in_a_debt_ends_it(void **state) {
        (void) state;
        leave_three();
        assert_int_equal(start(), 0);
        assert_true(is_asked);
        answer(STEP_DIED);
        assert_true(go_on());
        assert_int_equal(n_released, 1);
        assert_int_equal(job(7)->state, JOB_ENDED);
        assert_int_equal(records_find(&m.records, 7)->result, RESULT_FAILED);
        stop();
}

/* Whoever the last daemon held was let in by the kernel, and may be at it: what is owed waits for him, and is not given up. */
static void a_debt_with_somebody_in_its_way_is_paid_later(void **state) {
        WorkerRequest first;

        (void) state;
        leave_three();
        assert_int_equal(start(), 0);
        assert_true(is_asked);
        first = asked;
        for (size_t i = 0; i < 3; i++) {
                answer(STEP_BLOCKED);
                assert_false(is_asked);
                while (!is_asked)
                        assert_true(sd_event_run(m.event, UINT64_MAX) >= 0);
                assert_int_equal(asked.job, first.job);
                assert_int_equal(asked.index, first.index);
        }
        assert_int_equal(strv_length(records_find(&m.records, 7)->warnings), 0);
        assert_true(go_on());
        check_three();
        stop();
}

/* Who asked for it was told so by the daemon that died. */
static void what_all_have_canceled_is_not_begun(void **state) {
        Past waiting = { 9, set(OTHER, 2), JOB_WAITING }, begun = owes;

        (void) state;
        waiting.canceled = begun.canceled = true;
        leave(&begun);
        leave(&waiting);
        assert_int_equal(start(), 0);
        assert_true(go_on());
        assert_int_equal(n_released, 2);
        for (uint32_t id = 7; id <= 9; id += 2) {
                assert_int_equal(job(id)->state, JOB_ENDED);
                assert_int_equal(job(id)->result, RESULT_CANCELED);
        }
        assert_int_equal(records_find(&m.records, 7)->result, RESULT_CANCELED);
        stop();
}

/* The world was looked at by another daemon, and its guards went with it. */
static void whoever_still_has_a_driver_is_asked_anew(void **state) {
        size_t n_asked = 0;
        Effect e;

        (void) state;
        leave(&(Past){ 7, set(PF, 0), JOB_RUNNING, RUNG_PARK_VF, STEP_STATE_DONE });
        assert_int_equal(start(), 0);
        assert_true(go_on());
        while (queue_next(&m.queue, &e) && e.kind == EFFECT_STEP && e.step->rung < RUNG_PARK_VF) {
                n_asked += e.step->rung == RUNG_REFUSE_IF_HELD;
                assert_false(e.step->rung == RUNG_REFUSE_IF_HELD && bdf_equal(e.step->fn, VF0));
                assert_int_equal(queue_step_done(&m.queue, 7, e.index, &(StepResult){}), 0);
        }
        assert_true(n_asked > 0);
        assert_int_equal(e.step->rung, RUNG_PARK_VF);
        assert_true(bdf_equal(e.step->vf, VF1));
        stop();
}

static JobState recover_rolling(Rung failed) {
        Op op = set(PF, 0);
        JobState state;

        if (failed == RUNG_BIND_VF) {
                op = set(OTHER, 2);
                assert_int_equal(str_copy(op.driver, sizeof(op.driver), "vfio-pci"), 0);
        }
        op.flags = OP_ROLLBACK;
        leave(&(Past){ 7, op, JOB_RUNNING, failed, STEP_STATE_FAILED, .rolling = true,
                       .result = RESULT_FAILED });
        assert_int_equal(start(), 0);
        assert_true(go_on());
        state = job(7)->state;
        assert_int_equal(records_find(&m.records, 7)->result, RESULT_FAILED);
        stop();
        return state;
}

static void a_rollback_that_was_stopped_is_not_gone_on_with(void **state) {
        (void) state;
        assert_int_equal(recover_rolling(RUNG_VFS_OFF), JOB_ENDED);
        assert_int_equal(recover_rolling(RUNG_PARK_VF), JOB_ENDED);
        /* Each VF's driver is its own matter. */
        assert_int_equal(recover_rolling(RUNG_BIND_VF), JOB_RUNNING);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(what_was_begun_is_put_right_and_what_went_well_goes_on,
                                       empty),
                cmocka_unit_test_setup(nothing_is_lost_where_anything_fails_once, empty),
                cmocka_unit_test_setup(what_cannot_be_written_down_is_not_done, empty),
                cmocka_unit_test_setup(without_a_way_to_wait_the_next_daemon_does_it, empty),
                cmocka_unit_test_setup(a_child_that_dies_in_a_debt_ends_it, empty),
                cmocka_unit_test_setup(a_debt_with_somebody_in_its_way_is_paid_later, empty),
                cmocka_unit_test_setup(what_all_have_canceled_is_not_begun, empty),
                cmocka_unit_test_setup(whoever_still_has_a_driver_is_asked_anew, empty),
                cmocka_unit_test_setup(a_rollback_that_was_stopped_is_not_gone_on_with, empty),
        };

        log_open();
        return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
