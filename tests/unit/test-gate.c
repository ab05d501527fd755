/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Gate: whoever is heard is answered once, and well, whatever goes wrong meanwhile
 *
 * The kernel is a socket here: what fanotify would say goes in, and each answer comes out. Doors, turns, programs and the daemon
 * around it are played.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/fanotify.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/before.h"
#include "daemon/exclusive.h"
#include "daemon/gate.h"
#include "daemon/manager.h"
#include "daemon/mode.h"
#include "daemon/recover.h"
#include "daemon/turn.h"

#include "tests/unit/test.h"

static Manager m;
static Kernel kernel = { .sys = "/sys" };
static int peer = -EBADF; /* the kernel's end */

/* The kernel. */

int __wrap_fanotify_init(unsigned flags, unsigned event_flags);
int __wrap_fanotify_init(unsigned flags _unused_, unsigned event_flags _unused_) {
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
        peer = pair[1];
        return pair[0];
}

/* A thread opens the door. Returns what its answer will be known by. */
static int knock(pid_t tid) {
        struct fanotify_event_metadata e = { .event_len = sizeof(e),
                                             .vers = FANOTIFY_METADATA_VERSION,
                                             .metadata_len = sizeof(e),
                                             .mask = FAN_OPEN_PERM,
                                             .fd = dup(STDERR_FILENO),
                                             .pid = tid };

        assert_int_equal(write(peer, &e, sizeof(e)), sizeof(e));
        assert_true(sd_event_run(m.event, 0) >= 0);
        return e.fd;
}

/* FAN_ALLOW, FAN_DENY, or 0: none so far. Not more than one. */
static unsigned answer_to(int event) {
        struct fanotify_response response;

        if (read(peer, &response, sizeof(response)) < 0)
                return 0;
        assert_int_equal(response.fd, event);
        assert_int_equal(fcntl(event, F_GETFD), -1);
        return response.response;
}

/* What is played. */

static int writes, reads; /* opener_writes(), opener_read() */
static int begins, syncs, latches; /* what they return */
static size_t n_latched;
static Mark door = { .place = { .door = DOOR_COUNT, .fn = PF, .path = "sriov_numvfs" } };

int opener_writes(pid_t tid _unused_) {
        return writes;
}

int opener_read(pid_t tid, Opener *ret) {
        *ret = (Opener){ .pid = getpid(),
                         .tid = tid,
                         .command = "echo",
                         .exe = "/usr/bin/echo",
                         .unit = "ssh.service" };
        return reads;
}

bool opener_is_ours(pid_t pid _unused_) {
        return false;
}

Turn *turn_of(const Gate *g _unused_, pid_t pid _unused_) {
        return NULL;
}

int turn_add(Turn *t _unused_, pid_t tid _unused_, uint64_t ino _unused_, const char *p _unused_) {
        return 0;
}

/* As it does where there is no memory for the turn itself: nothing is taken over. */
int turn_begin(Manager *manager _unused_, Knock *k, size_t index _unused_,
               const Step *step _unused_) {
        if (begins >= 0)
                (void) ear_answer(&m.gate.ear, TAKE_FD(k->event), true);
        return begins;
}

void turns_look(Manager *manager _unused_, uint64_t ino _unused_, pid_t tid _unused_) {
}

void turns_refuse_pending(Gate *g _unused_) {
}

void turns_done(Gate *g _unused_) {
}

const Mark *marks_find(const Marks *all _unused_, int fd _unused_) {
        return &door;
}

const Mark *others_find(const Others *all _unused_, int fd _unused_) {
        return NULL;
}

int marks_sync(Marks *all _unused_, Kernel *k _unused_, const Snapshot *s _unused_,
               const char *sys _unused_) {
        return syncs;
}

int marks_add(Marks *all _unused_, Kernel *k _unused_, const char *sys _unused_, Bdf fn _unused_) {
        return 0;
}

int marks_latch(Marks *all, Kernel *k _unused_, const Snapshot *s _unused_,
                const char *sys _unused_, Bdf pf) {
        n_latched++;
        all->latched = pf;
        return latches;
}

void marks_clear(Marks *all _unused_) {
}

void others_ask(Manager *manager _unused_, bool at_once _unused_) {
}

void others_sync(Manager *manager _unused_) {
}

void others_clear(Others *all _unused_) {
}

void before_look(Manager *manager _unused_) {
}

void exclusive_apply(Manager *manager _unused_) {
}

void exclusive_undo(int runtime _unused_, const char *sys _unused_) {
}

GateMode mode_read(int runtime _unused_, GateMode configured) {
        return configured;
}

bool recover_is_stuck(const Recovery *rec _unused_, uint32_t *ret_id _unused_) {
        return false;
}

int manager_submit_foreign(Manager *manager, const Op *op, const Opener *opener _unused_,
                           uint32_t *ret_id, Fault *ret_fault) {
        return queue_submit(&manager->queue, manager->snapshot, op, 0, ret_id, ret_fault);
}

void manager_kick(Manager *manager _unused_) {
}

static int set_up(void **state _unused_) {
        writes = 1;
        reads = begins = syncs = latches = 0;
        n_latched = 0;
        m = (Manager){ .kernel = &kernel,
                       .snapshot = small_world("igb", 0, ""),
                       .gate = { .ear = EAR_EMPTY,
                                 .marks = { .group = -EBADF, .latched = BDF_NONE } } };
        queue_init(&m.queue);
        if (sd_event_new(&m.event) < 0)
                return -1;
        return gate_set_mode(&m, GATE_SERIALIZE);
}

static int tear_down(void **state _unused_) {
        gate_done(&m.gate);
        queue_done(&m.queue);
        records_done(&m.records);
        snapshot_free(m.snapshot);
        sd_event_unref(m.event);
        close(peer);
        return 0;
}

/* What the ear makes of it. */

static void one_who_is_gone_is_let_pass(void **state _unused_) {
        reads = -ESRCH;
        assert_int_equal(answer_to(knock(5)), FAN_ALLOW);
}

/* Not let in: he may be anybody. */
static void one_of_whom_nothing_can_be_told_is_refused(void **state _unused_) {
        static const int errors[] = { -ENOMEM, -EMFILE, -ENFILE };

        for (size_t i = 0; i < ELEMENTSOF(errors); i++) {
                reads = errors[i];
                assert_int_equal(answer_to(knock(5)), FAN_DENY);
        }
        assert_int_equal(m.gate.n_knocks, 0);
}

static uint64_t time_of(sd_event_source *source) {
        uint64_t usec;

        assert_true(sd_event_source_get_time(source, &usec) >= 0);
        return usec;
}

/* Where many come one after the other, the first of them would be asked last of all. */
static void one_who_does_not_sleep_yet_is_not_put_off_by_those_who_come_later(
        void **state _unused_) {
        uint64_t first;

        writes = -EAGAIN;
        (void) knock(5);
        first = time_of(m.gate.ear.again);
        usleep(100);
        (void) knock(6);
        assert_int_equal(m.gate.ear.n_unheard, 2);
        assert_int_equal(time_of(m.gate.ear.again), first);
}

static void one_who_does_not_sleep_yet_is_asked_again_in_time(void **state _unused_) {
        uint64_t usec;
        int event;

        assert_true(sd_event_source_get_time_accuracy(m.gate.ear.again, &usec) >= 0);
        assert_in_range(usec, 1, 1000);
        writes = -EAGAIN;
        event = knock(5);
        assert_int_equal(answer_to(event), 0);
        writes = 0;
        assert_true(sd_event_run(m.event, UINT64_MAX) >= 0);
        assert_int_equal(answer_to(event), FAN_ALLOW);
}

/* What the gate makes of it. */

static Job *job_of(size_t i) {
        return (Job *) (uintptr_t) queue_find(&m.queue, m.gate.knocks[i]->job);
}

static int admit(void) {
        Record r = { .id = m.gate.knocks[0]->job };

        return gate_admit(&m, &r, 0, &(Step){ .rung = RUNG_ADMIT });
}

static void one_whose_turn_comes_is_let_in(void **state _unused_) {
        int event = knock(5);

        assert_int_equal(answer_to(event), 0);
        assert_int_equal(admit(), 0);
        assert_int_equal(answer_to(event), FAN_ALLOW);
}

/* To close the event's descriptor would be no answer: he would sleep for ever. */
static void one_whose_turn_there_is_no_memory_for_is_refused(void **state _unused_) {
        int event = knock(5);

        begins = -ENOMEM;
        assert_int_equal(admit(), -ENOMEM);
        assert_int_equal(answer_to(event), FAN_DENY);
        assert_int_equal(m.gate.n_knocks, 0);
}

static void a_gate_that_is_opened_lets_in_who_only_waits(void **state _unused_) {
        static const GateMode modes[] = { GATE_OBSERVE, GATE_OFF };

        for (size_t i = 0; i < ELEMENTSOF(modes); i++) {
                int event = knock(5);

                assert_int_equal(answer_to(event), 0);
                assert_int_equal(gate_set_mode(&m, modes[i]), 0);
                assert_int_equal(answer_to(event), FAN_ALLOW);
                assert_int_equal(m.gate.n_knocks, 0);
                if (modes[i] == GATE_OBSERVE)
                        assert_int_equal(gate_set_mode(&m, GATE_SERIALIZE), 0);
        }
}

/* The kernel would let him in among the steps that are done for him just now. */
static void a_gate_that_is_opened_refuses_whom_something_is_done_for(void **state _unused_) {
        int event = knock(5);

        job_of(0)->state = JOB_RUNNING;
        assert_int_equal(gate_set_mode(&m, GATE_OFF), 0);
        assert_int_equal(answer_to(event), FAN_DENY);
}

static void a_gate_that_is_locked_refuses_all(void **state _unused_) {
        int first = knock(5), second = knock(6);

        assert_int_equal(gate_set_mode(&m, GATE_EXCLUSIVE), 0);
        assert_int_equal(answer_to(second), FAN_DENY);
        assert_int_equal(answer_to(first), FAN_DENY);
}

/* Nobody can tell how long he would have to wait. */
static void all_are_refused_before_the_host_sleeps(void **state _unused_) {
        int waiting = knock(5);

        gate_refuse_waiting(&m);
        assert_int_equal(answer_to(waiting), 0);
        m.gate.asleep = true;
        gate_refuse_waiting(&m);
        assert_int_equal(answer_to(waiting), FAN_DENY);
        assert_int_equal(m.gate.n_knocks, 0);
        assert_int_equal(answer_to(knock(6)), FAN_DENY);
        assert_int_equal(m.gate.n_denied, 2);
}

static void all_who_wait_are_refused_when_the_lane_closes(void **state _unused_) {
        int waiting = knock(5);
        Job *stuck = m.queue.jobs + QUEUE_MAX - 1;

        *stuck = (Job){ .id = 99, .state = JOB_WEDGED };
        gate_refuse_waiting(&m);
        assert_int_equal(answer_to(waiting), FAN_DENY);
        *stuck = (Job){};
}

static void programs_are_excepted_by_their_file_and_by_their_unit(void **state _unused_) {
        m.settings.n_gate_except = 1;
        str_copy(m.settings.gate_except[0], sizeof(m.settings.gate_except[0]), "/usr/bin/echo");
        assert_int_equal(answer_to(knock(5)), FAN_ALLOW);
        str_copy(m.settings.gate_except[0], sizeof(m.settings.gate_except[0]), "ssh.service");
        assert_int_equal(answer_to(knock(5)), FAN_ALLOW);
        str_copy(m.settings.gate_except[0], sizeof(m.settings.gate_except[0]), "sshd.service");
        assert_int_equal(answer_to(knock(5)), 0);
        assert_int_equal(m.gate.n_knocks, 1);
}

static void doors_that_could_not_be_held_are_tried_again(void **state _unused_) {
        m.gate.stale = true;
        syncs = -ENOSPC;
        gate_sync(&m);
        assert_true(m.gate.stale);
        syncs = 0;
        gate_sync(&m);
        assert_false(m.gate.stale);
        latches = -ENOSPC;
        gate_latch(&m, PF);
        assert_true(m.gate.stale);
}

static void a_gate_that_is_closed_has_no_latch(void **state _unused_) {
        gate_latch(&m, PF);
        assert_int_equal(gate_set_mode(&m, GATE_OFF), 0);
        assert_true(bdf_is_none(m.gate.marks.latched));
}

/* What was latched before the mode changed is let go. */
static void one_who_only_observes_latches_nothing_and_lets_go(void **state _unused_) {
        gate_latch(&m, PF);
        assert_int_equal(gate_set_mode(&m, GATE_OBSERVE), 0);
        gate_latch(&m, PF);
        assert_int_equal(n_latched, 1);
        gate_latch(&m, BDF_NONE);
        assert_int_equal(n_latched, 2);
        assert_true(bdf_is_none(m.gate.marks.latched));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
                TEST(one_who_is_gone_is_let_pass),
                TEST(one_of_whom_nothing_can_be_told_is_refused),
                TEST(one_who_does_not_sleep_yet_is_not_put_off_by_those_who_come_later),
                TEST(one_who_does_not_sleep_yet_is_asked_again_in_time),
                TEST(one_whose_turn_comes_is_let_in),
                TEST(one_whose_turn_there_is_no_memory_for_is_refused),
                TEST(a_gate_that_is_opened_lets_in_who_only_waits),
                TEST(a_gate_that_is_opened_refuses_whom_something_is_done_for),
                TEST(a_gate_that_is_locked_refuses_all),
                TEST(all_are_refused_before_the_host_sleeps),
                TEST(all_who_wait_are_refused_when_the_lane_closes),
                TEST(programs_are_excepted_by_their_file_and_by_their_unit),
                TEST(doors_that_could_not_be_held_are_tried_again),
                TEST(a_gate_that_is_closed_has_no_latch),
                TEST(one_who_only_observes_latches_nothing_and_lets_go),
#undef TEST
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
