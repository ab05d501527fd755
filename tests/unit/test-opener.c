/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opener: what a thread that sleeps in open() is about to do, and whose it is
 *
 * A FIFO without another end holds an open as the gate does, so that no right of root's is needed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <signal.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/opener.h"

#include "tests/unit/test.h"

typedef enum Way {
        WAY_OPENAT,
        WAY_OPENAT2,
        WAY_CREAT,
} Way;

typedef struct Sleeper {
        char path[64];
        Way way;
        int flags, fd;
        _Atomic pid_t tid;
        pthread_t thread;
} Sleeper;

static void *sleep_in_open(void *userdata) {
        Sleeper *s = userdata;
        struct open_how how = { .flags = (uint64_t) s->flags };

        atomic_store(&s->tid, (pid_t) syscall(SYS_gettid));
        if (s->way == WAY_OPENAT)
                s->fd = (int) syscall(SYS_openat, AT_FDCWD, s->path, s->flags);
        else if (s->way == WAY_OPENAT2)
                s->fd = (int) syscall(SYS_openat2, AT_FDCWD, s->path, &how, sizeof(how));
#ifdef SYS_creat
        else
                s->fd = (int) syscall(SYS_creat, s->path, 0600);
#endif
        return NULL;
}

/* Returns when it sleeps. */
static void begin(Sleeper *s, Way way, int flags) {
        *s = (Sleeper){ .way = way, .flags = flags };
        strcpy(s->path, "fifo");
        (void) unlink(s->path);
        assert_int_equal(mkfifo(s->path, 0600), 0);
        assert_int_equal(pthread_create(&s->thread, NULL, sleep_in_open, s), 0);
        while (atomic_load(&s->tid) == 0 || opener_is_opening(atomic_load(&s->tid)) != 1)
                sched_yield();
}

/* The other end comes. */
static void end(Sleeper *s) {
        int other = open(s->path, O_RDWR | O_NONBLOCK | O_CLOEXEC);

        assert_true(other >= 0);
        assert_int_equal(pthread_join(s->thread, NULL), 0);
        assert_true(s->fd >= 0);
        close(s->fd);
        close(other);
}

static bool writes(Way way, int flags) {
        Sleeper s;
        int answer;

        begin(&s, way, flags);
        while ((answer = opener_writes(s.tid)) == -EAGAIN)
                sched_yield();
        end(&s);
        return answer;
}

static void who_opens_to_write_writes(void **state) {
        (void) state;
        assert_true(writes(WAY_OPENAT, O_WRONLY));
        assert_true(writes(WAY_OPENAT, O_WRONLY | O_APPEND | O_CLOEXEC));
        assert_true(writes(WAY_OPENAT2, O_WRONLY));
#ifdef SYS_creat
        assert_true(writes(WAY_CREAT, 0));
#endif
}

static void who_opens_to_read_does_not(void **state) {
        (void) state;
        assert_false(writes(WAY_OPENAT, O_RDONLY));
        assert_false(writes(WAY_OPENAT, O_RDONLY | O_CLOEXEC | O_NOCTTY));
}

/* Its flags are in its memory, behind the third argument; the second is a path, which says anything. */
static void the_flags_of_openat2_are_its_own(void **state) {
        (void) state;
        assert_false(writes(WAY_OPENAT2, O_RDONLY));
        assert_false(writes(WAY_OPENAT2, O_RDONLY | O_CLOEXEC));
        assert_true(writes(WAY_OPENAT2, O_WRONLY | O_CLOEXEC));
}

static pid_t start_child(bool spins) {
        pid_t pid = fork();

        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                while (spins)
                        ;
                for (;;)
                        pause();
        }
        return pid;
}

static void end_child(pid_t pid) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
}

static void what_cannot_be_told_writes(void **state) {
        pid_t spins = start_child(true), sleeps = start_child(false);

        (void) state;
        assert_int_equal(opener_writes(spins), -EAGAIN);
        while (opener_is_opening(sleeps) == -EAGAIN)
                sched_yield();
        assert_int_equal(opener_is_opening(sleeps), 0);
        assert_int_equal(opener_writes(sleeps), 1); /* in another call */
        assert_int_equal(opener_writes(0x3ffffff), 1); /* it is gone */
        end_child(spins);
        end_child(sleeps);
}

static void whoever_runs_may_be_on_his_way(void **state) {
        pid_t pid = start_child(true);

        (void) state;
        while (opener_is_opening(pid) != -EAGAIN)
                sched_yield();
        end_child(pid);
        assert_int_equal(opener_is_opening(0x3ffffff), 0);
}

static void a_thread_is_of_its_process(void **state) {
        char exe[256] = "";
        Opener o;
        Sleeper s;

        (void) state;
        begin(&s, WAY_OPENAT, O_WRONLY);
        assert_int_equal(opener_read(s.tid, &o), 0);
        assert_int_not_equal(s.tid, getpid());
        assert_int_equal(o.pid, getpid());
        assert_int_equal(o.tid, s.tid);
        assert_int_equal(o.uid, geteuid());
        assert_string_equal(o.command, "test-opener");
        assert_true(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
        assert_string_equal(o.exe, exe);
        end(&s);
        assert_int_equal(opener_read(0x3ffffff, &o), -ESRCH);
}

static void our_children_and_theirs_are_ours(void **state) {
        int fds[2];
        pid_t child, grandchild;

        (void) state;
        assert_int_equal(pipe(fds), 0);
        child = fork();
        if (child == 0) {
                grandchild = fork();
                if (grandchild != 0)
                        (void) !write(fds[1], &grandchild, sizeof(grandchild));
                pause();
                _exit(0);
        }
        assert_int_equal(read(fds[0], &grandchild, sizeof(grandchild)), sizeof(grandchild));
        assert_true(opener_is_ours(child));
        assert_true(opener_is_ours(grandchild));
        assert_true(opener_is_ours(getpid()));
        assert_false(opener_is_ours(getppid()));
        assert_false(opener_is_ours(1));
        assert_false(opener_is_ours(0x3ffffff));
        kill(grandchild, SIGKILL);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        close(fds[0]);
        close(fds[1]);
}

static void whoever_has_the_file_open_to_write_holds_it(void **state) {
        int writer, reader, path;
        struct stat st;

        (void) state;
        writer = open("door", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_int_equal(fstat(writer, &st), 0);
        assert_int_equal(opener_holds(getpid(), st.st_ino, "door"), 1);
        assert_int_equal(opener_holds(getpid(), st.st_ino, "window"), 0);
        assert_int_equal(opener_holds(getpid(), st.st_ino + 1, "door"), 0);
        close(writer);
        reader = open("door", O_RDONLY | O_CLOEXEC);
        path = open("door", O_PATH | O_CLOEXEC);
        assert_int_equal(opener_holds(getpid(), st.st_ino, "door"), 0);
        close(reader);
        close(path);
        assert_int_equal(opener_holds(0x3ffffff, st.st_ino, "door"), -ESRCH);
}

/* As after a successful `remove`: the link then says "door (deleted)". */
static void a_file_that_is_gone_is_held_all_the_same(void **state) {
        struct stat st;
        int fd;

        (void) state;
        fd = open("door", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(unlink("door"), 0);
        assert_int_equal(opener_holds(getpid(), st.st_ino, "door"), 1);
        close(fd);
        assert_int_equal(opener_holds(getpid(), st.st_ino, "door"), 0);
}

static char directory[] = "/tmp/sriovd-opener-XXXXXX";

static int enter(void **state) {
        (void) state;
        return mkdtemp(directory) && chdir(directory) == 0 ? 0 : -1;
}

static int leave(void **state) {
        (void) state;
        (void) unlink("fifo");
        (void) unlink("door");
        return chdir("/") == 0 ? rmdir(directory) : -1;
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(who_opens_to_write_writes),
                cmocka_unit_test(who_opens_to_read_does_not),
                cmocka_unit_test(the_flags_of_openat2_are_its_own),
                cmocka_unit_test(what_cannot_be_told_writes),
                cmocka_unit_test(whoever_runs_may_be_on_his_way),
                cmocka_unit_test(a_thread_is_of_its_process),
                cmocka_unit_test(our_children_and_theirs_are_ours),
                cmocka_unit_test(whoever_has_the_file_open_to_write_holds_it),
                cmocka_unit_test(a_file_that_is_gone_is_held_all_the_same),
        };

        return cmocka_run_group_tests(tests, enter, leave);
}
