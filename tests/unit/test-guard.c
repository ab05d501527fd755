/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guard: what keeps new users out is let go with its job, and no sooner
 */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <unistd.h>

#include "daemon/guard.h"

static int some_fd(void) {
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        return fd;
}

static bool is_open(int fd) {
        return fcntl(fd, F_GETFD) >= 0;
}

static void a_job_has_only_its_own_guards(void **state) {
        int first = some_fd(), second = some_fd(), other = some_fd();
        Guards all = {};

        (void) state;
        assert_false(guards_have(&all, 1, 12));
        assert_int_equal(guards_add(&all, 1, 12, first), 0);
        assert_int_equal(guards_add(&all, 2, 13, other), 0);
        assert_int_equal(guards_add(&all, 1, 14, second), 0);
        assert_true(guards_have(&all, 1, 12));
        assert_true(guards_have(&all, 1, 14));
        assert_false(guards_have(&all, 1, 13));
        assert_false(guards_have(&all, 2, 12));
        guards_close(&all, 1);
        assert_false(is_open(first));
        assert_false(is_open(second));
        assert_true(is_open(other));
        assert_false(guards_have(&all, 1, 12));
        assert_true(guards_have(&all, 2, 13));
        guards_close(&all, 1);
        guards_close(&all, 3);
        assert_true(guards_have(&all, 2, 13));
        guards_done(&all);
        assert_false(is_open(other));
        guards_done(&all);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_job_has_only_its_own_guards),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
