/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Worker: what comes back from a child is whole, or it does not count and nothing of it stays open
 *
 * The daemon's side starts its own program as the child: here that is this test, which answers as the request's index
 * says.
 */
#include "tests/unit/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/holder.h"

#include "daemon/parcel.h"
#include "daemon/worker.h"

enum {
        ANSWER_PLAIN,
        ANSWER_GUARD_AND_LIST,
        ANSWER_SHORT_LIST,
        ANSWER_CLAIM_WITHOUT_GUARD,
        ANSWER_GUARD_WITHOUT_CLAIM,
        ANSWER_TOO_MANY,
        ANSWER_TOO_SHORT,
        ANSWER_TOO_LONG,
        ANSWER_NOTHING,
        ANSWER_FDS_OPEN,
};

static const Holder someone = {
        .kind = HOLDER_MOUNT, .pid = 12, .command = "init", .detail = "/dev/nvme1n1 on /srv"
};

/* The child's side */

static uint32_t count_fds(void) {
        DIR *d = opendir("/proc/self/fd");
        uint32_t n = 0;

        while (d && readdir(d))
                n++;
        closedir(d);
        return n - 3; /* ".", ".." and the directory's own */
}

/* More descriptors than parcel_send() would take. */
static void send_many(const WorkerReply *reply) {
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(3 * sizeof(int))];
        } control = { .header = { CMSG_LEN(3 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
        struct iovec iov = { (void *) reply, sizeof(*reply) };
        struct msghdr m = { .msg_iov = &iov,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof(control.bytes) };

        memcpy(CMSG_DATA(&control.header), (int[]){ 0, 1, 2 }, 3 * sizeof(int));
        (void) sendmsg(WORKER_FD, &m, MSG_NOSIGNAL);
}

static void answer(size_t index) {
        WorkerReply reply = { .usec = index, .group = 12 };
        char longer[sizeof(reply) + 1] = "";
        int fds[2] = { -EBADF, -EBADF };
        size_t size = sizeof(reply);
        Holder two[2] = { someone, someone };

        switch (index) {
        case ANSWER_GUARD_AND_LIST:
        case ANSWER_SHORT_LIST:
                fds[0] = STDIN_FILENO;
                reply.has_guard = true;
                reply.n_list = index == ANSWER_SHORT_LIST ? 3 : 2;
                (void) parcel_pack(two, 2, sizeof(Holder), &fds[1]);
                break;
        case ANSWER_CLAIM_WITHOUT_GUARD:
                reply.has_guard = true;
                break;
        case ANSWER_GUARD_WITHOUT_CLAIM:
                fds[0] = STDIN_FILENO;
                break;
        case ANSWER_TOO_MANY:
                send_many(&reply);
                return;
        case ANSWER_TOO_SHORT:
                fds[0] = STDIN_FILENO;
                size = 8;
                break;
        case ANSWER_TOO_LONG:
                (void) parcel_send(WORKER_FD, longer, sizeof(longer), fds, 0);
                return;
        case ANSWER_NOTHING:
                _exit(0);
        case ANSWER_FDS_OPEN:
                reply.result.n = count_fds();
                break;
        default:
                break;
        }
        (void) parcel_send(WORKER_FD, &reply, size, fds, 2);
        close_fd(fds[1]);
}

static int be_a_worker(void) {
        WorkerRequest request;

        while (recv(WORKER_FD, &request, sizeof(request), 0) == sizeof(request))
                answer(request.index);
        return 0;
}

/* The daemon's side */

static struct {
        bool answered, alive;
        WorkerReply reply;
        WorkerFds fds;
} seen;

static void on_answer(pid_t pid, const WorkerRequest *request, const WorkerReply *reply,
                      WorkerFds *fds, void *userdata) {
        (void) pid;
        (void) request;
        (void) userdata;
        seen.answered = true;
        seen.alive = reply != NULL;
        if (reply)
                seen.reply = *reply;
        seen.fds = (WorkerFds){ TAKE_FD(fds->guard), TAKE_FD(fds->list) };
}

static void on_overdue(const Worker *w, void *userdata) {
        (void) w;
        (void) userdata;
        fail();
}

static sd_event *event;
static Workers workers;

static int start(void **state) {
        (void) state;
        assert_true(sd_event_new(&event) >= 0);
        workers = (Workers){ event, "/nowhere", on_answer, on_overdue, NULL, {} };
        return 0;
}

static int end(void **state) {
        (void) state;
        workers_done(&workers);
        sd_event_unref(event);
        return 0;
}

static void ask(size_t index) {
        WorkerRequest request = { .work = WORKER_STEP, .index = index };
        Worker *w;

        seen.answered = false;
        assert_int_equal(workers_get(&workers, &w), 0);
        assert_int_equal(worker_ask(w, &request, 0), 0);
        while (!seen.answered)
                assert_true(sd_event_run(event, UINT64_MAX) >= 0);
}

/* Nothing came with it, and nothing is left open here. */
static void ask_in_vain(size_t index) {
        uint32_t before;

        ask(ANSWER_PLAIN);
        before = count_fds();
        ask(index);
        assert_int_equal(seen.fds.guard, -EBADF);
        assert_int_equal(seen.fds.list, -EBADF);
        /* A worker that is gone took its socket along. */
        assert_int_equal(count_fds(), before - !seen.alive);
}

static void a_guard_and_a_list_arrive_with_the_answer(void **state) {
        Holder *list = NULL;
        void *items;

        (void) state;
        ask(ANSWER_GUARD_AND_LIST);
        assert_true(seen.alive);
        assert_int_equal(seen.reply.group, 12);
        assert_true(fcntl(seen.fds.guard, F_GETFD) & FD_CLOEXEC);
        assert_true(fcntl(seen.fds.list, F_GETFD) & FD_CLOEXEC);
        assert_int_equal(seen.reply.n_list, 2);
        assert_int_equal(parcel_unpack(seen.fds.list, 2, sizeof(Holder), &items), 0);
        list = items;
        assert_string_equal(list[1].detail, someone.detail);
        free(items);
        close(seen.fds.guard);
        close(seen.fds.list);
}

static void a_list_of_another_length_is_none(void **state) {
        void *items;

        (void) state;
        ask(ANSWER_SHORT_LIST);
        assert_int_equal(parcel_unpack(seen.fds.list, seen.reply.n_list, sizeof(Holder), &items),
                         -EBADMSG);
        assert_int_equal(parcel_unpack(seen.fds.list, SIZE_MAX, sizeof(Holder), &items), -EBADMSG);
        assert_int_equal(parcel_unpack(seen.fds.list, 0, sizeof(Holder), &items), 0);
        assert_null(items);
        close(seen.fds.guard);
        close(seen.fds.list);
}

static void what_came_without_its_guard_is_a_failure_and_no_death(void **state) {
        static const size_t kinds[] = { ANSWER_CLAIM_WITHOUT_GUARD, ANSWER_GUARD_WITHOUT_CLAIM,
                                        ANSWER_TOO_MANY, ANSWER_TOO_LONG };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                ask_in_vain(kinds[i]);
                assert_true(seen.alive);
                assert_int_equal(seen.reply.result.answer, STEP_FAILED);
                assert_int_equal(seen.reply.result.error, EMFILE);
                assert_int_equal(seen.reply.error, -EMFILE);
        }
}

static void who_has_no_room_for_the_guard_has_no_answer(void **state) {
        struct rlimit old, tight;
        uint32_t before;

        (void) state;
        ask(ANSWER_PLAIN);
        before = count_fds();
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
        tight = (struct rlimit){ (rlim_t) dup(0), old.rlim_max };
        close((int) tight.rlim_cur);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
        ask(ANSWER_GUARD_AND_LIST);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
        assert_int_equal(seen.reply.result.answer, STEP_FAILED);
        assert_int_equal(seen.fds.guard, -EBADF);
        assert_int_equal(count_fds(), before);
}

static void half_an_answer_and_none_are_a_death(void **state) {
        (void) state;
        ask_in_vain(ANSWER_TOO_SHORT);
        assert_false(seen.alive);
        ask_in_vain(ANSWER_NOTHING);
        assert_false(seen.alive);
}

static void a_child_has_nothing_of_ours_but_its_socket(void **state) {
        int ours = open("/dev/null", O_RDONLY); /* not even CLOEXEC */

        (void) state;
        ask(ANSWER_FDS_OPEN);
        assert_int_equal(seen.reply.result.n, WORKER_FD + 1);
        close(ours);
}

static void questions_and_steps_are_counted_apart(void **state) {
        WorkerRequest request = { .work = WORKER_USERS };
        Worker *w;

        (void) state;
        workers_keep_one(&workers);
        assert_int_equal(workers_get(&workers, &w), 0);
        assert_int_equal(worker_ask(w, &request, 0), 0);
        assert_int_equal(workers_asked(&workers), 1);
        assert_int_equal(workers_busy(&workers), 0);
        seen.answered = false;
        while (!seen.answered)
                assert_true(sd_event_run(event, UINT64_MAX) >= 0);
        assert_int_equal(workers_asked(&workers), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, end)

int main(int argc, char **argv) {
        const struct CMUnitTest tests[] = {
                TEST(a_guard_and_a_list_arrive_with_the_answer),
                TEST(a_list_of_another_length_is_none),
                TEST(what_came_without_its_guard_is_a_failure_and_no_death),
                TEST(who_has_no_room_for_the_guard_has_no_answer),
                TEST(half_an_answer_and_none_are_a_death),
                TEST(a_child_has_nothing_of_ours_but_its_socket),
                TEST(questions_and_steps_are_counted_apart),
        };

        if (argc > 1 && streq(argv[1], "--worker"))
                return be_a_worker();
        /* As the daemon does: nobody waits for a child. */
        signal(SIGCHLD, SIG_IGN);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
