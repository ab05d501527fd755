/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turn: when a program's turn begins and when it is over, whatever /proc shows of it in between
 *
 * What the program does, the clock and the daemon around it are played here.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "daemon/log.h"
#include "daemon/manager.h"
#include "daemon/turn.h"

#include "tests/unit/test.h"

#define USEC_PER_SEC UINT64_C(1000000)
#define JOB 7
#define INO 100 /* of the file that it opens; others follow */
#define PROGRAM 1 /* its process, its first thread and, below, another's */
#define OTHER 2
#define FILES_MAX 64

static Manager m;

/* The world. */

static uint64_t now; /* of the clock that turn.c sees */
static int opening[8]; /* by thread: 1, 0 or -EAGAIN */
static bool holds[FILES_MAX]; /* the program has that file */
static bool inside[8]; /* in the kernel's paths, by process */
static size_t fail_at, tries; /* the Nth call for memory fails; 0 = none */

int __wrap_clock_gettime(clockid_t clock, struct timespec *t);
int __wrap_clock_gettime(clockid_t clock _unused_, struct timespec *t) {
        *t = (struct timespec){ (time_t) (now / USEC_PER_SEC), (long) (now % USEC_PER_SEC * 1000) };
        return 0;
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size) {
        return ++tries == fail_at ? NULL : __real_calloc(n, size);
}

void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size) {
        return ++tries == fail_at ? NULL : __real_reallocarray(p, n, size);
}

int opener_is_opening(pid_t tid) {
        return opening[tid];
}

int opener_holds(pid_t pid _unused_, uint64_t ino, const char *name _unused_) {
        return holds[ino - INO];
}

/* A program without a process of its own is this one, see unordered(). */
bool opener_is_inside(pid_t pid, char *where, size_t size) {
        snprintf(where, size, "vfio_unregister_group_dev < unbind_store");
        return inside[pid == getpid() ? OTHER : pid];
}

/* The daemon around it. */

static size_t n_allowed, n_denied, n_ended;
static StepAnswer ended_as;

int ear_answer(const Ear *e _unused_, int event, bool allow) {
        if (event < 0)
                return 0;
        n_allowed += allow;
        n_denied += !allow;
        close(event);
        return 0;
}

void manager_admitted(Manager *manager _unused_, uint32_t id, size_t index _unused_,
                      const Step *step _unused_, const StepResult *result, uint64_t usec _unused_) {
        assert_int_equal(id, JOB);
        n_ended++;
        ended_as = result->answer;
}

void stuck_foreign(Manager *manager _unused_, Record *r _unused_, size_t index _unused_,
                   const Step *step _unused_, pid_t pid _unused_, const char *where _unused_) {
}

void gate_let_siblings_in(Manager *manager _unused_, Turn *t _unused_) {
}

static int open_pidfd(void) {
        return (int) syscall(SYS_pidfd_open, getpid(), 0);
}

/* What the gate does when the queue lets the job in. */
static int begin(void) {
        Knock k = { .manager = &m,
                    .job = JOB,
                    .event = dup(STDERR_FILENO),
                    .pidfd = open_pidfd(),
                    .who = { .pid = PROGRAM,
                             .tid = PROGRAM,
                             .command = "echo",
                             .file = "sriov_numvfs" },
                    .ino = INO };
        Step step = { .rung = RUNG_ADMIT, .fn = PF, .vf = BDF_NONE };
        int r = turn_begin(&m, &k, 0, &step);

        /* What it did not take over. */
        if (k.event >= 0)
                (void) ear_answer(&m.gate.ear, k.event, false);
        if (k.pidfd >= 0)
                close(k.pidfd);
        return r;
}

static Turn *turn(void) {
        for (size_t i = 0; i < m.gate.n_turns; i++)
                if (m.gate.turns[i]->job == JOB)
                        return m.gate.turns[i];
        return NULL;
}

/* It stands in open(), with the gate's yes on its way. */
static Turn *enter(void) {
        opening[PROGRAM] = 1;
        assert_int_equal(begin(), 0);
        assert_int_equal(n_allowed, 1);
        return turn();
}

/* Somebody whose lease is over, and who is in the kernel now or is not. */
static void unordered(bool is_inside) {
        Opener who = { .pid = getpid(), .tid = OTHER, .command = "python3", .file = "remove" };

        inside[OTHER] = is_inside;
        holds[1] = true;
        assert_int_equal(turn_add_unordered(&m, &who, INO + 1), 0);
}

static void look(void) {
        turns_look(&m, INO, OTHER);
}

static int set_up(void **state _unused_) {
        now = 1000 * USEC_PER_SEC;
        memset(opening, 0, sizeof(opening));
        memset(holds, 0, sizeof(holds));
        memset(inside, 0, sizeof(inside));
        n_allowed = n_denied = n_ended = fail_at = tries = 0;
        m = (Manager){ .gate.ear = EAR_EMPTY };
        m.settings.gate_lease = 10;
        queue_init(&m.queue);
        return sd_event_new(&m.event) < 0;
}

static int tear_down(void **state _unused_) {
        turns_done(&m.gate);
        queue_done(&m.queue);
        sd_event_unref(m.event);
        return 0;
}

/* The tests. */

static void a_close_by_somebody_else_ends_nobodys_turn(void **state _unused_) {
        enter();
        turns_look(&m, INO, OTHER);
        assert_int_equal(n_ended, 0);
        opening[PROGRAM] = 0;
        holds[0] = true;
        turns_look(&m, INO, OTHER);
        assert_int_equal(n_ended, 0);
        holds[0] = false;
        turns_look(&m, INO, PROGRAM);
        assert_int_equal(n_ended, 1);
        assert_int_equal(ended_as, STEP_DONE);
}

/* It was of the last time: he opens again, and waits. */
static void a_close_of_ones_own_before_one_is_let_in_does_not_count(void **state _unused_) {
        unordered(true);
        opening[PROGRAM] = 1;
        assert_int_equal(begin(), 0);
        turns_look(&m, INO, PROGRAM);
        inside[OTHER] = false;
        look();
        assert_int_equal(n_allowed, 1);
        look();
        assert_int_equal(n_ended, 0);
}

static void one_who_waits_for_a_cpu_on_his_way_in_keeps_his_turn(void **state _unused_) {
        enter();
        opening[PROGRAM] = -EAGAIN;
        for (size_t i = 0; i < 10; i++, now += USEC_PER_SEC / 10)
                look();
        assert_int_equal(n_ended, 0);
        /* He slept in between: it begins anew. */
        opening[PROGRAM] = 1;
        look();
        opening[PROGRAM] = -EAGAIN;
        for (size_t i = 0; i < 15; i++, now += USEC_PER_SEC / 10)
                look();
        assert_int_equal(n_ended, 0);
        opening[PROGRAM] = 0;
        holds[0] = true;
        now += 5 * USEC_PER_SEC;
        look();
        assert_int_equal(n_ended, 0);
}

static void one_who_runs_on_without_the_file_has_no_turn_for_ever(void **state _unused_) {
        enter();
        opening[PROGRAM] = -EAGAIN;
        look();
        now += 3 * USEC_PER_SEC;
        look();
        assert_int_equal(n_ended, 1);
}

static void one_who_waits_for_the_unordered_comes_in_when_they_are_out(void **state _unused_) {
        unordered(true);
        opening[PROGRAM] = 1;
        assert_int_equal(begin(), 0);
        look();
        assert_int_equal(n_allowed + n_denied, 0);
        inside[OTHER] = false;
        look();
        assert_int_equal(n_allowed, 1);
        assert_int_equal(turn()->state, TURN_INSIDE);
}

static void begin_behind_the_unordered(void) {
        unordered(true);
        opening[PROGRAM] = 1;
        assert_int_equal(begin(), 0);
        assert_int_equal(turn()->state, TURN_PENDING);
}

static void assert_refused(void) {
        assert_null(turn());
        assert_int_equal(n_allowed, 0);
        assert_int_equal(n_denied, 1);
        assert_int_equal(n_ended, 1);
        assert_int_equal(ended_as, STEP_GONE);
}

static void one_who_waits_for_the_unordered_does_not_wait_for_ever(void **state _unused_) {
        begin_behind_the_unordered();
        now += turn()->deadline_usec;
        look();
        assert_non_null(turn());
        now += 1;
        look();
        assert_refused();
}

static void one_who_waits_for_the_unordered_is_refused_before_the_host_sleeps(
        void **state _unused_) {
        begin_behind_the_unordered();
        turns_refuse_pending(&m.gate);
        assert_non_null(turn());
        m.gate.asleep = true;
        turns_refuse_pending(&m.gate);
        assert_refused();
}

static void one_who_waits_for_the_unordered_is_refused_when_the_lane_closes(void **state _unused_) {
        begin_behind_the_unordered();
        m.queue.jobs[0] = (Job){ .id = 9, .state = JOB_WEDGED };
        assert_true(queue_is_closed(&m.queue));
        turns_refuse_pending(&m.gate);
        assert_refused();
        m.queue.jobs[0] = (Job){};
}

/* He may write often in one turn, and think in between. */
static void only_time_in_the_kernel_is_counted_against_who_writes(void **state _unused_) {
        enter();
        opening[PROGRAM] = 0;
        holds[0] = true;
        for (size_t i = 0; i < 3; i++) {
                inside[PROGRAM] = true;
                look();
                now += turn()->deadline_usec - 1;
                look();
                inside[PROGRAM] = false;
                look();
        }
        assert_int_equal(turn()->state, TURN_INSIDE);
        inside[PROGRAM] = true;
        look();
        now += turn()->deadline_usec + 1;
        look();
        assert_int_equal(turn()->state, TURN_WEDGED);
}

/* 0 would mean a quarter of a second to sd-event, and each turn would last so long. */
static void timers_are_not_late(void **state _unused_) {
        uint64_t usec;

        assert_true(sd_event_source_get_time_accuracy(enter()->timer, &usec) >= 0);
        assert_in_range(usec, 1, 1000);
}

static void whoever_there_is_no_memory_for_is_refused_and_not_let_in(void **state _unused_) {
        size_t n;

        for (n = 1; n < 10; n++) {
                n_denied = tries = 0;
                fail_at = n;
                if (begin() >= 0)
                        break;
                assert_int_equal(n_allowed, 0);
                assert_int_equal(n_denied, 1);
                assert_null(turn());
        }
        /* The turn, its file, its place among others. */
        assert_int_equal(n, 4);
        assert_int_equal(n_allowed, 1);
}

static void many_files_are_followed_to_the_last(void **state _unused_) {
        Turn *t = enter();

        opening[PROGRAM] = 0;
        holds[0] = true;
        for (size_t i = 2; i < FILES_MAX; i++) {
                holds[i] = true;
                assert_int_equal(turn_add(t, PROGRAM, INO + i, "unbind"), 0);
        }
        for (size_t i = 0; i < FILES_MAX - 1; i++) {
                holds[i] = false;
                turns_look(&m, INO + i, PROGRAM);
                assert_int_equal(n_ended, 0);
        }
        holds[FILES_MAX - 1] = false;
        turns_look(&m, INO + FILES_MAX - 1, PROGRAM);
        assert_int_equal(n_ended, 1);
}

static void files_that_were_closed_are_not_kept_for_ever(void **state _unused_) {
        Turn *t = enter();

        opening[PROGRAM] = 0;
        holds[0] = true;
        for (size_t i = 0; i < 1000; i++)
                assert_int_equal(turn_add(t, PROGRAM, INO + 2, "unbind"), 0);
        assert_in_range(t->n_files, 1, 16);
        assert_true(turn_of_file(&m.gate, PROGRAM, INO) == t);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
                TEST(a_close_by_somebody_else_ends_nobodys_turn),
                TEST(a_close_of_ones_own_before_one_is_let_in_does_not_count),
                TEST(one_who_waits_for_a_cpu_on_his_way_in_keeps_his_turn),
                TEST(one_who_runs_on_without_the_file_has_no_turn_for_ever),
                TEST(one_who_waits_for_the_unordered_comes_in_when_they_are_out),
                TEST(one_who_waits_for_the_unordered_does_not_wait_for_ever),
                TEST(one_who_waits_for_the_unordered_is_refused_before_the_host_sleeps),
                TEST(one_who_waits_for_the_unordered_is_refused_when_the_lane_closes),
                TEST(only_time_in_the_kernel_is_counted_against_who_writes),
                TEST(timers_are_not_late),
                TEST(whoever_there_is_no_memory_for_is_refused_and_not_let_in),
                TEST(many_files_are_followed_to_the_last),
                TEST(files_that_were_closed_are_not_kept_for_ever),
#undef TEST
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
