/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tasks that are inside PCI's paths in the kernel: who is found, what is said of him, who is left out
 */
#include <fcntl.h>
#include <inttypes.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kernel/proc.h"
#include "kernel/task-scan.h"

#include "tests/unit/fake-tree.h"

#define FRAME(name) "[<0>] " name "+0x2f/0x40\n"
#define WRITE_FRAMES                                                                               \
        FRAME("kernfs_fop_write_iter")                                                             \
        FRAME("vfs_write")                                                                         \
        FRAME("ksys_write") FRAME("do_syscall_64") FRAME("entry_SYSCALL_64_after_hwframe")
#define NUMVFS_FRAMES FRAME("pci_lock_rescan_remove") FRAME("sriov_numvfs_store") WRITE_FRAMES

typedef struct Scene {
        Tree tree;
        Tasks tasks;
        unsigned n_threads; /* of processes to come */
} Scene;

static void scene_init(Scene *s) {
        *s = (Scene){ .n_threads = 1 };
        tree_init(&s->tree);
}

static void scene_done(Scene *s) {
        tasks_done(&s->tasks);
        tree_done(&s->tree);
}

static int scan(Scene *s) {
        tasks_done(&s->tasks);
        return task_scan(s->tree.proc, &s->tasks);
}

/* All of a thread stands in PROC/TID; unlike the real one, this /proc lists it among the processes as well. */
static void put_task(Scene *s, unsigned pid, unsigned tid, char state, unsigned parent,
                     const char *wchan, const char *stack) {
        char directory[64], text[128];

        if (s->n_threads > 1) {
                snprintf(directory, sizeof(directory), "proc/%u/task/%u", pid, tid);
                tree_dir(&s->tree, "%s", directory);
        }
        snprintf(directory, sizeof(directory), "proc/%u", tid);
        snprintf(text, sizeof(text), "%u (te) e) %c %u %u 5 0 -1 64 0 0 0 0 0 0 0 0 20 0 %u 0 99",
                 tid, state, parent, pid, s->n_threads);
        tree_file(&s->tree, directory, "stat", text);
        if (wchan)
                tree_file(&s->tree, directory, "wchan", wchan);
        if (stack)
                tree_file(&s->tree, directory, "stack", stack);
}

static void put_call(Scene *s, unsigned tid, long number, unsigned fd, unsigned address,
                     unsigned size, const char *link) {
        char directory[64], text[128], path[PATH_MAX];

        snprintf(directory, sizeof(directory), "proc/%u", tid);
        snprintf(text, sizeof(text), "%ld 0x%x 0x%x 0x%x 0x0 0x0 0x0 0x7ffc12 0x7f34\n", number, fd,
                 address, size);
        tree_file(&s->tree, directory, "syscall", text);
        strcat(directory, "/fd");
        tree_dir(&s->tree, "%s", directory);
        snprintf(path, sizeof(path), "%s/%s/%u", s->tree.root, directory, fd);
        assert_int_equal(symlink(link, path), 0);
}

#define NUMVFS_LINK "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/sriov_numvfs"

static void a_writer_that_waits_for_the_global_lock_is_found(void **state) {
        Scene s;

        (void) state;
        scene_init(&s);
        put_task(&s, 40, 40, 'S', 1, "do_wait", FRAME("do_wait"));
        put_task(&s, 41, 41, 'D', 1, "sriov_numvfs_store", NUMVFS_FRAMES);
        put_call(&s, 41, SYS_write, 1, 0, 2, NUMVFS_LINK);
        assert_int_equal(scan(&s), 0);
        assert_int_equal(s.tasks.n, 1);
        assert_int_equal(s.tasks.items[0].pid, 41);
        assert_string_equal(s.tasks.items[0].command, "te) e");
        assert_int_equal(s.tasks.items[0].state, 'D');
        assert_int_equal(s.tasks.items[0].place, STACK_GLOBAL);
        assert_string_equal(BDF_STR(s.tasks.items[0].fn), "0000:01:00.0");
        assert_string_equal(s.tasks.items[0].stack, "pci_lock_rescan_remove < sriov_numvfs_store");
        scene_done(&s);
}

/* A wait for a vfio user is in state S, and its wchan is no name that is known for anything. */
static void a_wait_for_a_vfio_user_is_found_and_whose_it_is(void **state) {
        char path[PATH_MAX];
        Scene s;
        int fd;

        (void) state;
        scene_init(&s);
        put_task(&s, 41, 41, 'S', 1, "vfio_unregister_group_dev",
                 FRAME("vfio_unregister_group_dev") FRAME("vfio_pci_remove [vfio_pci]")
                         FRAME("device_release_driver_internal") FRAME("unbind_store")
                                 WRITE_FRAMES);
        put_call(&s, 41, SYS_write, 1, 0x1000, 13, "/sys/bus/pci/drivers/vfio-pci/unbind");
        snprintf(path, sizeof(path), "%s/41/mem", s.tree.proc);
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_int_equal(pwrite(fd, "0000:01:10.2\nand more", 21, 0x1000), 21);
        close(fd);
        assert_int_equal(scan(&s), 0);
        assert_int_equal(s.tasks.n, 1);
        assert_int_equal(s.tasks.items[0].place, STACK_DEVICE);
        assert_string_equal(BDF_STR(s.tasks.items[0].fn), "0000:01:10.2");
        assert_string_equal(s.tasks.items[0].stack, "vfio_unregister_group_dev < vfio_pci_remove < "
                                                    "device_release_driver_internal < "
                                                    "unbind_store");
        /* Whose memory cannot be read, says nothing of the function. */
        tree_drop(&s.tree, "proc/41/mem");
        assert_int_equal(scan(&s), 0);
        assert_true(bdf_is_none(s.tasks.items[0].fn));
        scene_done(&s);
}

static void every_thread_is_looked_at(void **state) {
        Scene s;

        (void) state;
        scene_init(&s);
        s.n_threads = 2;
        put_task(&s, 50, 50, 'S', 1, "futex_wait_queue", FRAME("futex_wait_queue"));
        put_task(&s, 50, 53, 'D', 1, "sriov_numvfs_store", NUMVFS_FRAMES);
        assert_int_equal(scan(&s), 0);
        assert_int_equal(s.tasks.n, 1);
        assert_int_equal(s.tasks.items[0].pid, 53);
        assert_true(bdf_is_none(s.tasks.items[0].fn));
        scene_done(&s);
}

/* Their stacks would be found to be in the way, if only somebody read them. */
static void idle_tasks_cost_no_stack(void **state) {
        Scene s;

        (void) state;
        scene_init(&s);
        put_task(&s, 40, 40, 'S', 1, "do_epoll_wait", NUMVFS_FRAMES);
        put_task(&s, 41, 41, 'S', 1, "futex_wait_queue", NUMVFS_FRAMES);
        put_task(&s, 42, 42, 'S', 1, "0", NUMVFS_FRAMES);
        put_task(&s, 43, 43, 'I', 2, "worker_thread", NUMVFS_FRAMES);
        put_task(&s, 44, 44, 'R', 1, "0", NUMVFS_FRAMES);
        put_task(&s, 45, 45, 'T', 1, "do_signal_stop", NUMVFS_FRAMES);
        assert_int_equal(scan(&s), 0);
        assert_int_equal(s.tasks.n, 0);
        /* What is not known to be idle is looked at, and so is all that waits for a lock. */
        put_task(&s, 46, 46, 'S', 1, "igb_reset_task", NUMVFS_FRAMES);
        put_task(&s, 47, 47, 'D', 1, "do_epoll_wait", NUMVFS_FRAMES);
        put_task(&s, 48, 48, 'S', 1, NULL, NUMVFS_FRAMES);
        assert_int_equal(scan(&s), 0);
        assert_int_equal(s.tasks.n, 3);
        scene_done(&s);
}

static void waits_elsewhere_are_nobodys_business(void **state) {
        Scene s;

        (void) state;
        scene_init(&s);
        put_task(&s, 40, 40, 'D', 1, "jbd2_log_wait_commit",
                 FRAME("jbd2_log_wait_commit") FRAME("ext4_sync_file"));
        put_task(&s, 41, 41, 'D', 1, "x", "");
        assert_int_equal(scan(&s), 0);
        assert_int_equal(s.tasks.n, 0);
        scene_done(&s);
}

static void we_and_our_siblings_are_left_out(void **state) {
        Scene s;

        (void) state;
        scene_init(&s);
        put_task(&s, (unsigned) getpid(), (unsigned) getpid(), 'D', (unsigned) getppid(), "x",
                 NUMVFS_FRAMES);
        put_task(&s, 4194300, 4194300, 'D', (unsigned) getppid(), "x", NUMVFS_FRAMES);
        put_task(&s, 4194301, 4194301, 'D', 4194300, "x", NUMVFS_FRAMES);
        assert_int_equal(scan(&s), 0);
        assert_int_equal(s.tasks.n, getppid() > 1 ? 1 : 2);
        assert_int_equal(s.tasks.items[s.tasks.n - 1].pid, 4194301);
        scene_done(&s);
}

static void a_task_that_ended_meanwhile_is_nobody(void **state) {
        Scene s;

        (void) state;
        scene_init(&s);
        tree_dir(&s.tree, "proc/40/task/40");
        tree_dir(&s.tree, "proc/43");
        put_task(&s, 41, 41, 'Z', 1, "0", NUMVFS_FRAMES);
        put_task(&s, 42, 42, 'D', 1, "x", NULL);
        assert_int_equal(scan(&s), 0);
        assert_int_equal(s.tasks.n, 0);
        scene_done(&s);
}

static void threads_outlive_their_first_one(void **state) {
        Scene s;

        (void) state;
        scene_init(&s);
        s.n_threads = 2;
        put_task(&s, 50, 50, 'Z', 1, "0", NULL);
        put_task(&s, 50, 53, 'D', 1, "sriov_numvfs_store", NUMVFS_FRAMES);
        assert_int_equal(scan(&s), 0);
        assert_int_equal(s.tasks.n, 1);
        assert_int_equal(s.tasks.items[0].pid, 53);
        scene_done(&s);
}

static void without_a_proc_nothing_can_be_told(void **state) {
        Tasks tasks = {};

        (void) state;
        assert_int_equal(task_scan("/nonexistent", &tasks), -ENOENT);
        assert_int_equal(tasks.n, 0);
}

static void a_long_stack_keeps_what_was_asked_for(void **state) {
        char stack[4096] = "";
        const char *kept;
        Scene s;

        (void) state;
        for (unsigned i = 0; i < 40; i++)
                strcat(stack, FRAME("some_driver_that_waits"));
        strcat(stack, NUMVFS_FRAMES);
        scene_init(&s);
        put_task(&s, 41, 41, 'D', 1, "x", stack);
        assert_int_equal(scan(&s), 0);
        assert_int_equal(s.tasks.n, 1);
        kept = s.tasks.items[0].stack;
        assert_non_null(startswith(kept, "some_driver_that_waits < some_driver_that_waits"));
        assert_string_equal(strstr(kept, " < ... < "), " < ... < sriov_numvfs_store");
        scene_done(&s);
}

/* The seam leads here. */
static void a_kernel_tells_its_tasks(void **state) {
        Scene s;

        (void) state;
        scene_init(&s);
        put_task(&s, 41, 41, 'D', 1, "x", NUMVFS_FRAMES);
        assert_int_equal(s.tree.k->tasks(s.tree.k, &s.tasks), 0);
        assert_int_equal(s.tasks.n, 1);
        scene_done(&s);
}

/* Ourselves, as this kernel shows us. */
static void this_kernel_tells_of_its_tasks(void **state) {
        Tasks tasks = {};
        char buf[256];
        ProcStat stat;
        uint64_t n;

        (void) state;
        assert_int_equal(proc_stat("/proc", (uint32_t) getpid(), &stat), 0);
        assert_int_equal(stat.state, 'R');
        assert_int_equal(stat.parent, (uint32_t) getppid());
        assert_string_equal(proc_command("/proc", (uint32_t) getpid(), buf), stat.command);
        assert_int_equal(proc_namespace("/proc", 0, "net", &n), 0);
        assert_true(n > 0);
        assert_int_equal(proc_stat("/proc", INT32_MAX, &stat), -ESRCH);
        assert_string_equal(proc_where("/proc", INT32_MAX, buf, sizeof(buf)), "unknown");
        assert_int_equal(task_scan("/proc", &tasks), 0);
        tasks_done(&tasks);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_writer_that_waits_for_the_global_lock_is_found),
                cmocka_unit_test(a_wait_for_a_vfio_user_is_found_and_whose_it_is),
                cmocka_unit_test(every_thread_is_looked_at),
                cmocka_unit_test(idle_tasks_cost_no_stack),
                cmocka_unit_test(waits_elsewhere_are_nobodys_business),
                cmocka_unit_test(we_and_our_siblings_are_left_out),
                cmocka_unit_test(a_task_that_ended_meanwhile_is_nobody),
                cmocka_unit_test(threads_outlive_their_first_one),
                cmocka_unit_test(without_a_proc_nothing_can_be_told),
                cmocka_unit_test(a_long_stack_keeps_what_was_asked_for),
                cmocka_unit_test(a_kernel_tells_its_tasks),
                cmocka_unit_test(this_kernel_tells_of_its_tasks),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
