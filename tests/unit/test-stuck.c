/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stuck: when others may go on beside a write that does not come back, what is kept of it, and what is learnt
 */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <unistd.h>

#include "core/stack.h"

#include "daemon/judge.h"
#include "daemon/manager.h"
#include "daemon/record.h"
#include "daemon/recover.h"
#include "daemon/stuck.h"
#include "daemon/times.h"

#define VFIO_WAIT                                                                                  \
        "vfio_unregister_group_dev < vfio_pci_core_unregister_device < vfio_pci_remove < "         \
        "pci_device_remove < device_release_driver_internal < unbind_store < vfs_write"
#define LOCK_WAIT "mutex_lock < device_release_driver_internal < unbind_store < vfs_write"
#define GLOBAL_WAIT                                                                                \
        "mutex_lock < pci_lock_rescan_remove < sriov_disable < igb_remove < unbind_store < "       \
        "vfs_write"
#define NOTHING "vfs_read < ksys_read < do_syscall_64"

static void only_single_devices_rungs_can_be_outside(void **state) {
        static const Rung outside[] = { RUNG_PARK_VF,     RUNG_OVERRIDE_VF, RUNG_BIND_VF,
                                        RUNG_UNPARK_VF,   RUNG_RESET,       RUNG_ESWITCH,
                                        RUNG_ESWITCH_VFS, RUNG_UP_PF,       RUNG_CONFIGURE_VF,
                                        RUNG_UNBIND_VF };
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "igbvf");

        (void) state;
        for (Rung rung = 0; rung < _RUNG_MAX; rung++) {
                Step step = { .rung = rung, .fn = PF, .vf = BDF_NONE };
                bool wanted = false;

                for (size_t i = 0; i < ELEMENTSOF(outside); i++)
                        wanted = wanted || outside[i] == rung;
                if (judge_may_be_outside(s, &step) != wanted)
                        fail_msg("%s", rung_to_string(rung));
        }
}

static void a_pf_without_vfs_is_unbound_under_its_own_lock_alone(void **state) {
        _cleanup_(snapshot_freep) Snapshot *with = small_world("igb", 1, "igbvf"),
                                           *without = small_world("igb", 0, NULL);
        Step pf = { .rung = RUNG_UNBIND, .fn = PF },
             nobody = { .rung = RUNG_UNBIND, .fn = BDF(9, 0, 0) },
             bridge = { .rung = RUNG_UNBIND, .fn = PORT },
             vf = { .rung = RUNG_UNBIND, .fn = with->fns[with->n_fns - 1].bdf };

        (void) state;
        assert_true(with->fns[with->n_fns - 1].flags & FN_VF);
        assert_false(judge_is_outside(with, &pf, VFIO_WAIT));
        assert_true(judge_is_outside(without, &pf, VFIO_WAIT));
        assert_true(judge_is_outside(with, &vf, VFIO_WAIT));
        assert_false(judge_is_outside(without, &nobody, VFIO_WAIT));
        assert_false(judge_is_outside(without, &bridge, VFIO_WAIT));
}

/* A VF that its PF has lost sight of goes with it all the same. */
static void a_pf_with_lost_vfs_counts_as_one_with_vfs(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 1, "igbvf");
        Step step = { .rung = RUNG_UNBIND, .fn = PF };

        (void) state;
        for (size_t i = 0; i < s->n_fns; i++)
                s->fns[i].n_vfs = 0;
        assert_false(judge_is_outside(s, &step, VFIO_WAIT));
}

static void what_is_not_proven_to_be_outside_is_inside(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "vfio-pci");
        Step park = { .rung = RUNG_PARK_VF, .fn = PF }, off = { .rung = RUNG_VFS_OFF, .fn = PF };

        (void) state;
        assert_true(judge_is_outside(s, &park, VFIO_WAIT));
        assert_true(judge_is_outside(s, &park, LOCK_WAIT));
        assert_false(judge_is_outside(s, &park, GLOBAL_WAIT));
        assert_false(judge_is_outside(s, &park, NOTHING));
        assert_false(judge_is_outside(s, &park, "unknown"));
        assert_false(judge_is_outside(s, &park, ""));
        assert_false(judge_is_outside(s, &off, VFIO_WAIT));
}

static void only_a_stack_that_tells_nothing_is_looked_at_again(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "vfio-pci");
        Step park = { .rung = RUNG_PARK_VF, .fn = PF }, off = { .rung = RUNG_VFS_OFF, .fn = PF };

        (void) state;
        assert_true(judge_is_unclear(s, &park, NOTHING));
        assert_true(judge_is_unclear(s, &park, "unknown"));
        assert_false(judge_is_unclear(s, &park, VFIO_WAIT));
        assert_false(judge_is_unclear(s, &park, GLOBAL_WAIT));
        assert_false(judge_is_unclear(s, &off, NOTHING));
}

#define RTNL_WAIT "mutex_lock < rtnl_lock < rtnetlink_rcv_msg < netlink_rcv_skb < netlink_sendmsg"
#define DEVLINK_WAIT "mutex_lock < devlink_nl_pre_doit < genl_rcv_msg < netlink_rcv_skb"
#define NVME_WAIT                                                                                  \
        "blk_execute_rq < nvme_submit_user_cmd < nvme_ioctl < nvme_dev_ioctl < __x64_sys_ioctl"
#define MSIX_WAIT "mutex_lock < sriov_vf_msix_count_store < kernfs_fop_write_iter < vfs_write"

/* What they wait for are locks of the network and of one card, but for the file that takes the PF's lock. */
static void what_a_vf_is_given_waits_outside(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "vfio-pci");
        Step give = { .rung = RUNG_CONFIGURE_VF, .fn = PF },
             mode = { .rung = RUNG_ESWITCH, .fn = PF }, up = { .rung = RUNG_UP_PF, .fn = PF },
             park = { .rung = RUNG_PARK_VF, .fn = PF };

        (void) state;
        assert_true(judge_is_outside(s, &give, RTNL_WAIT));
        assert_true(judge_is_outside(s, &give, NVME_WAIT));
        assert_true(judge_is_outside(s, &mode, DEVLINK_WAIT));
        assert_true(judge_is_outside(s, &up, RTNL_WAIT));
        assert_false(judge_is_outside(s, &give, MSIX_WAIT));
        assert_false(judge_is_outside(s, &mode, "mutex_lock < sriov_disable < " DEVLINK_WAIT));
        assert_false(judge_is_outside(s, &give, NOTHING));
        assert_true(judge_is_unclear(s, &give, NOTHING));
        assert_false(judge_is_unclear(s, &give, RTNL_WAIT));
        /* No rung that writes to sysfs is in there. */
        assert_false(judge_is_outside(s, &park, RTNL_WAIT));
        assert_true(judge_waits_for_others(RTNL_WAIT));
}

static void looks_become_rarer(void **state) {
        static const uint32_t wanted[] = { 1, 2, 4, 8, 16, 32, 60, 60 };
        uint32_t sec = 0;

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(wanted); i++) {
                sec = judge_next_look_sec(sec);
                assert_int_equal(sec, wanted[i]);
        }
}

static void who_waits_for_somebody_else_teaches_nothing(void **state) {
        (void) state;
        assert_true(judge_waits_for_others(VFIO_WAIT));
        assert_true(judge_waits_for_others(LOCK_WAIT));
        assert_true(judge_waits_for_others(GLOBAL_WAIT));
        assert_true(judge_waits_for_others("unknown"));
        assert_true(judge_waits_for_others(""));
        assert_false(judge_waits_for_others("msleep < mlx5_cmd_exec < unbind_store < vfs_write"));
}

static void a_record_keeps_each_place_once_and_not_without_end(void **state) {
        _cleanup_(record_freep) Record *r = record_new();
        char line[64];

        (void) state;
        assert_non_null(r);
        assert_int_equal(record_add_stuck(r, "process 1 at a < b"), 0);
        assert_int_equal(r->news, NEWS_STUCK);
        assert_int_equal(record_add_stuck(r, "process 2 at c"), 0);
        assert_int_equal(record_add_stuck(r, "process 1 at a < b"), 0);
        assert_string_equal(r->stuck, "process 1 at a < b\nprocess 2 at c");
        for (int i = 0; i < 5000; i++) {
                snprintf(line, sizeof(line), "process %d at somewhere", i);
                assert_int_equal(record_add_stuck(r, line), 0);
        }
        assert_true(strlen(r->stuck) < 20000);
}

/* times */

static char directory[] = "/tmp/sriovd-times-XXXXXX";
static int dir = -EBADF;

static int make_directory(void **state) {
        (void) state;
        if (!mkdtemp(directory))
                return -1;
        dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return dir < 0 ? -1 : 0;
}

static int remove_directory(void **state) {
        (void) state;
        unlinkat(dir, "times", 0);
        dir = close_fd(dir);
        return rmdir(directory);
}

static void put_times(const char *text) {
        int fd = openat(dir, "times", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
        close(fd);
}

static void times_seen_outlive_the_daemon(void **state) {
        Pace old = { .n_seen = 2,
                     .seen = { { "mlx5_core", RUNG_VFS_ON, 250 }, { "", RUNG_RESCAN, 80 } } },
             new = {};

        (void) state;
        unlinkat(dir, "times", 0);
        times_read(dir, &new);
        assert_int_equal(new.n_seen, 0);
        assert_int_equal(times_write(dir, &old), 0);
        times_read(dir, &new);
        assert_int_equal(new.n_seen, 2);
        assert_string_equal(new.seen[0].driver, "mlx5_core");
        assert_int_equal(new.seen[0].rung, RUNG_VFS_ON);
        assert_int_equal(new.seen[0].percent, 250);
        assert_string_equal(new.seen[1].driver, "");
        assert_int_equal(new.seen[1].rung, RUNG_RESCAN);
        assert_int_equal(faccessat(dir, ".times", F_OK, 0), -1);
}

static void nonsense_among_the_times_is_skipped(void **state) {
        Pace p = {};

        (void) state;
        put_times(
                "seen vfs-on igb 150\n"
                "seen vfs-on igb 120\n"
                "seen\nseen \nseen vfs-on\nseen vfs-on igb\nsee vfs-on ice 100\n"
                "seen vfs_on ice 100\nseen vfs-on ice 0\nseen vfs-on ice -5\nseen vfs-on ice 1e9\n"
                "seen vfs-on ice 99999999999\n\n\xff\xfe\n"
                "seen vfs-on a-name-that-is-much-longer-than-any-name-of-a-driver-can-ever-be-in-"
                "linux-for-sure-and-longer-still-than-that 100\n"
                "seen park-vf vfio-pci 90");
        times_read(dir, &p);
        assert_int_equal(p.n_seen, 2);
        assert_int_equal(p.seen[0].percent, 150);
        assert_string_equal(p.seen[1].driver, "vfio-pci");
        assert_int_equal(p.seen[1].percent, 90);
}

static void times_are_bounded(void **state) {
        _cleanup_free_ char *text = NULL;
        Pace p = {};
        size_t size;
        FILE *f = open_memstream(&text, &size);

        (void) state;
        assert_non_null(f);
        for (int i = 0; i < 4 * PACE_SEEN_MAX; i++)
                fprintf(f, "seen vfs-on driver%d 100\n", i);
        assert_int_equal(fclose(f), 0);
        put_times(text);
        times_read(dir, &p);
        assert_int_equal(p.n_seen, PACE_SEEN_MAX);
}

/* learning */

void manager_kick(Manager *m) {
        (void) m;
}

void recover_overdue(Manager *m) {
        (void) m;
}

/* What is learnt of a write that took all of its time. */
static size_t learn(uint32_t flags, StepAnswer answer, const char *driver) {
        _cleanup_(record_freep) Record *r = record_new();
        Step step = { .rung = RUNG_UNBIND, .fn = PF };
        Outcome outcome = { .result = { .answer = answer } };
        Manager m = { .ledger = { .fd = dir } };

        assert_non_null(r);
        r->op.flags = flags;
        assert_int_equal(str_copy(step.was, sizeof(step.was), driver), 0);
        outcome.usec = pace_deadline_sec(&m.pace, &step) * UINT64_C(1000000);
        m.snapshot = snapshot_new();
        stuck_step_over(&m, r, 1, &step, &outcome);
        snapshot_free(m.snapshot);
        return m.pace.n_seen;
}

/* It may have waited for the user that was forced, however long. */
static void what_was_forced_teaches_no_deadline(void **state) {
        (void) state;
        assert_int_equal(learn(0, STEP_DONE, "igb"), 1);
        assert_int_equal(learn(OP_ROLLBACK, STEP_DONE, "igb"), 1);
        assert_int_equal(learn(OP_FORCE_IN_USE, STEP_DONE, "igb"), 0);
        assert_int_equal(learn(OP_FORCE_STORAGE, STEP_DONE, "igb"), 0);
        assert_int_equal(learn(OP_FORCE_STORAGE | OP_ROLLBACK, STEP_DONE, "igb"), 0);
        assert_int_equal(learn(0, STEP_DIED, "igb"), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(only_single_devices_rungs_can_be_outside),
                cmocka_unit_test(a_pf_without_vfs_is_unbound_under_its_own_lock_alone),
                cmocka_unit_test(a_pf_with_lost_vfs_counts_as_one_with_vfs),
                cmocka_unit_test(what_is_not_proven_to_be_outside_is_inside),
                cmocka_unit_test(only_a_stack_that_tells_nothing_is_looked_at_again),
                cmocka_unit_test(what_a_vf_is_given_waits_outside),
                cmocka_unit_test(looks_become_rarer),
                cmocka_unit_test(who_waits_for_somebody_else_teaches_nothing),
                cmocka_unit_test(a_record_keeps_each_place_once_and_not_without_end),
                cmocka_unit_test(what_was_forced_teaches_no_deadline),
                cmocka_unit_test(times_seen_outlive_the_daemon),
                cmocka_unit_test(nonsense_among_the_times_is_skipped),
                cmocka_unit_test(times_are_bounded),
        };

        return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
