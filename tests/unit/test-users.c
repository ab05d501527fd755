/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Users: what came from a child, and what is said of it
 */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <unistd.h>

#include "daemon/manager.h"
#include "daemon/parcel.h"
#include "daemon/users.h"

static const Bdf vf = { 0, 0x0180 };

static Holder holder(HolderKind kind, uint32_t pid) {
        return (Holder){ .kind = kind, .fn = vf, .pid = pid, .detail = "/dev/vfio/12" };
}

/* As a child that climbed refuse-if-held sends it. No declared hold is there. */
static StepResult complete(StepAnswer answer, const Holder *items, size_t n, Holders *ret) {
        StepResult result = { .answer = answer, .n = answer == STEP_IN_USE ? OP_FORCE_IN_USE : 0 };
        WorkerRequest request = { .work = WORKER_STEP, .step = { .fn = vf } };
        WorkerReply reply = { .result = result, .n_list = n };
        WorkerFds fds = { .guard = -EBADF, .list = -EBADF };
        char folder[] = "/tmp/sriovd-users-XXXXXX";
        Manager *m = calloc(1, sizeof(Manager));

        assert_non_null(m);
        assert_non_null(mkdtemp(folder));
        m->holds.dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(m->holds.dir >= 0);
        if (n > 0)
                assert_int_equal(parcel_pack(items, n, sizeof(Holder), &fds.list), 0);
        users_complete(m, &request, &reply, &fds, &result, ret);
        close_fd(fds.list);
        close_fd(m->holds.dir);
        assert_int_equal(rmdir(folder), 0);
        free(m);
        return result;
}

static void a_refusal_never_comes_without_a_reason(void **state) {
        const Holder own = holder(HOLDER_VFIO, (uint32_t) getpid()), note = holder(HOLDER_NOTE, 0);
        Holders found = {};

        (void) state;
        assert_int_equal(complete(STEP_IN_USE, NULL, 0, &found).answer, STEP_IN_USE);
        assert_int_equal(found.n, 1);
        assert_int_equal(found.items[0].kind, HOLDER_UNKNOWN);
        assert_true(bdf_equal(found.items[0].fn, vf));
        assert_string_not_equal(found.items[0].detail, "");
        holders_done(&found);
        /* Our own guard, which another job has. */
        assert_int_equal(complete(STEP_IN_USE, &own, 1, &found).answer, STEP_IN_USE);
        assert_int_equal(found.n, 1);
        assert_string_equal(found.items[0].detail, "guarded for another job");
        assert_int_equal(holders_force(&found), OP_FORCE_IN_USE);
        holders_done(&found);
        assert_int_equal(complete(STEP_IN_USE, &note, 1, &found).answer, STEP_IN_USE);
        assert_int_equal(found.n, 2);
        assert_int_equal(holders_force(&found), OP_FORCE_IN_USE);
        holders_done(&found);
}

static void what_nobody_uses_stays_free(void **state) {
        const Holder note = holder(HOLDER_NOTE, 0);
        Holders found = {};

        (void) state;
        assert_int_equal(complete(STEP_DONE, NULL, 0, &found).answer, STEP_DONE);
        assert_int_equal(found.n, 0);
        holders_done(&found);
        assert_int_equal(complete(STEP_DONE, &note, 1, &found).answer, STEP_DONE);
        assert_int_equal(found.n, 1);
        holders_done(&found);
}

static void a_list_that_is_not_whole_is_a_failure(void **state) {
        const Holder one = holder(HOLDER_VFIO, 4711);
        StepResult result = { .answer = STEP_DONE };
        WorkerRequest request = { .work = WORKER_STEP, .step = { .fn = vf } };
        WorkerReply reply = { .result = result, .n_list = 2 };
        WorkerFds fds = { .guard = -EBADF, .list = -EBADF };
        Holders found = {};

        (void) state;
        assert_int_equal(parcel_pack(&one, 1, sizeof(Holder), &fds.list), 0);
        users_complete(NULL, &request, &reply, &fds, &result, &found);
        assert_int_equal(result.answer, STEP_FAILED);
        assert_int_equal(result.error, EBADMSG);
        assert_int_equal(found.n, 0);
        close_fd(fds.list);
}

static void guards_of_our_own_are_no_users_to_whoever_asks(void **state) {
        const Holder own = holder(HOLDER_VFIO, (uint32_t) getpid()), qemu = holder(HOLDER_VFIO, 1);
        Holders found = {};

        (void) state;
        assert_int_equal(holders_add(&found, &own), 0);
        assert_int_equal(holders_add(&found, &qemu), 0);
        users_drop_guards(&found);
        assert_int_equal(found.n, 1);
        assert_int_equal(found.items[0].pid, 1);
        holders_done(&found);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_refusal_never_comes_without_a_reason),
                cmocka_unit_test(what_nobody_uses_stays_free),
                cmocka_unit_test(a_list_that_is_not_whole_is_a_failure),
                cmocka_unit_test(guards_of_our_own_are_no_users_to_whoever_asks),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
