/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sysfs of another network namespace: a child has one, and it is found with other inodes than ours
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/elsewhere.h"

#include "tests/unit/test.h"

#define POINT "/mnt"

/* Has a sysfs of its own namespace at POINT until it is killed. 0: this host does not let us. */
static pid_t start_namespace(void) {
        int fds[2];
        char c;
        pid_t pid;

        assert_int_equal(pipe(fds), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                if (unshare(CLONE_NEWNET | CLONE_NEWNS) == 0 &&
                    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
                    mount("sysfs", POINT, "sysfs", 0, NULL) == 0 && write(fds[1], "x", 1) == 1)
                        pause();
                _exit(1);
        }
        close(fds[1]);
        if (read(fds[0], &c, 1) != 1) {
                waitpid(pid, NULL, 0);
                pid = 0;
        }
        close(fds[0]);
        return pid;
}

/* Among all that this host has. */
static bool find(uint64_t own, pid_t pid, Elsewhere *ret, int *ret_fd) {
        for (size_t n = 0;; n++) {
                int fd = -EBADF;

                if (elsewhere_find("/proc", own, n, ret, &fd) <= 0)
                        return false;
                if (ret->pid == (uint32_t) pid) {
                        *ret_fd = fd;
                        return true;
                }
                if (fd >= 0)
                        close(fd);
        }
}

static void a_sysfs_of_another_network_namespace_is_found_with_its_own_inodes(void **state) {
        pid_t pid = start_namespace();
        struct stat ours, theirs;
        Elsewhere e;
        int fd;

        (void) state;
        if (pid == 0 || stat("/sys/bus/pci", &ours) < 0)
                skip();
        assert_true(find(ours.st_dev, pid, &e, &fd));
        assert_int_equal(e.error, 0);
        assert_string_equal(e.point, POINT);
        assert_true(e.dev != ours.st_dev);
        assert_int_equal(fstatat(fd, "bus/pci", &theirs, 0), 0);
        assert_int_equal(theirs.st_dev, e.dev);
        close(fd);
        /* Ours is none of them. */
        assert_false(find(e.dev, pid, &e, &fd));
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        assert_false(find(ours.st_dev, pid, &e, &fd));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_sysfs_of_another_network_namespace_is_found_with_its_own_inodes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
