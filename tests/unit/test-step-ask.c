/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rungs that ask: who is stuck in our way, and who uses what is to go
 */
#include "tests/unit/fake-kernel.h"

/* clear-way */

#define VFIO_STACK                                                                                 \
        "vfio_unregister_group_dev < vfio_pci_remove < unbind_store < kernfs_fop_write_iter"
#define NUMVFS_STACK "pci_lock_rescan_remove < sriov_numvfs_store < kernfs_fop_write_iter"

static Task task(uint32_t pid, StackPlace place, Bdf fn, const char *stack) {
        Task t = { .pid = pid, .state = 'D', .place = place, .fn = fn };

        snprintf(t.command, sizeof(t.command), "tee");
        snprintf(t.stack, sizeof(t.stack), "%s", stack);
        return t;
}

static void put_task(Fake *f, Task t) {
        assert_int_equal(tasks_add(&f->tasks, &t), 0);
}

static const Bdf vf1 = { 0, 0x0182 };

static void an_empty_way_is_clear_at_once(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        assert_done(climb(&f, STEP(.rung = RUNG_CLEAR_WAY)));
        assert_done(climb(&f, STEP(.rung = RUNG_CLEAR_WAY, .fn = BDF_NONE)));
        assert_int_equal(f.now, 0);
        assert_int_equal(f.n_log, 0);
}

static void whoever_is_in_the_global_lock_is_named_after_a_while(void **state) {
        StepResult result;
        Fake f;

        (void) state;
        fake_init(&f);
        put_task(&f, task(4711, STACK_GLOBAL, BDF_NONE, NUMVFS_STACK));
        result = climb(&f, STEP(.rung = RUNG_CLEAR_WAY, .fn = BDF_NONE));
        assert_answer(result, STEP_BLOCKED, 0);
        assert_int_equal(result.n, 4711);
        assert_string_equal(result.text, "tee, at sriov_numvfs_store");
        assert_in_range(f.now, 15000, 15499);
        assert_int_equal(f.n_log, 0);
        tasks_done(&f.tasks);
}

static void let_all_go(Fake *f) {
        tasks_done(&f->tasks);
}

static void one_that_goes_on_is_waited_for(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        put_task(&f, task(4711, STACK_GLOBAL, BDF_NONE, NUMVFS_STACK));
        f.later = let_all_go;
        f.later_at = 3000;
        assert_done(climb(&f, STEP(.rung = RUNG_CLEAR_WAY)));
        assert_in_range(f.now, 3000, 3500);
}

/* The first wait is short: nearly all who are met are at their daily work. */
static void a_short_stay_costs_a_tenth_of_a_second(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        put_task(&f, task(4711, STACK_GLOBAL, BDF_NONE, NUMVFS_STACK));
        f.later = let_all_go;
        f.later_at = 1;
        assert_done(climb(&f, STEP(.rung = RUNG_CLEAR_WAY)));
        assert_int_equal(f.now, 100);
}

static void replace_first(Fake *f) {
        f->tasks.items[0].pid = 4713;
}

static void replace_second(Fake *f) {
        f->tasks.items[1].pid = 4713;
}

static uint32_t longest(void (*replace)(Fake *)) {
        StepResult result;
        Fake f;

        fake_init(&f);
        put_task(&f, task(4711, STACK_GLOBAL, BDF_NONE, NUMVFS_STACK));
        put_task(&f, task(4712, STACK_GLOBAL, BDF_NONE, NUMVFS_STACK));
        f.later = replace;
        f.later_at = 5000;
        result = climb(&f, STEP(.rung = RUNG_CLEAR_WAY));
        assert_answer(result, STEP_BLOCKED, 0);
        tasks_done(&f.tasks);
        return result.n;
}

static void the_one_that_was_there_longest_is_named(void **state) {
        (void) state;
        assert_int_equal(longest(replace_first), 4712);
        assert_int_equal(longest(replace_second), 4711);
}

static void assert_way(Fake *f, Bdf step_fn, Bdf task_fn, StepAnswer answer) {
        f->now = 0;
        put_task(f, task(4711, STACK_DEVICE, task_fn, VFIO_STACK));
        assert_answer(climb(f, STEP(.rung = RUNG_CLEAR_WAY, .fn = step_fn)), answer, 0);
        tasks_done(&f->tasks);
}

static void a_device_lock_matters_if_it_is_near(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 2);
        assert_way(&f, pf, pf, STEP_BLOCKED);
        assert_way(&f, pf, vf0, STEP_BLOCKED);
        assert_way(&f, vf0, pf, STEP_BLOCKED);
        assert_way(&f, port, vf0, STEP_BLOCKED);
        assert_way(&f, vf0, vf1, STEP_DONE);
        assert_way(&f, pf, port, STEP_DONE);
        assert_way(&f, pf, BDF_NONE, STEP_DONE);
        assert_way(&f, BDF_NONE, pf, STEP_BLOCKED);
        assert_way(&f, pf, (Bdf){ 0, 0x0300 }, STEP_DONE);
}

static void a_way_that_cannot_be_seen_counts_as_clear(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        f.tasks_error = -EACCES;
        assert_done(climb(&f, STEP(.rung = RUNG_CLEAR_WAY)));
        f.tasks_error = -ENOMEM;
        assert_answer(climb(&f, STEP(.rung = RUNG_CLEAR_WAY)), STEP_FAILED, ENOMEM);
}

/* refuse-if-held */

static void put_vfio(Fake *f) {
        put_vfs(f, 1);
        put_bound(f, VF0, "vfio-pci");
        put(f, 'l', "12", DEVICES VF0 "/iommu_group");
}

static void put_user(Fake *f, HolderKind kind, uint32_t pid, const char *command,
                     const char *detail) {
        Holder h = { .kind = kind, .fn = vf0, .pid = pid };

        snprintf(h.command, sizeof(h.command), "%s", command);
        snprintf(h.detail, sizeof(h.detail), "%s", detail);
        assert_int_equal(holders_add(&f->users, &h), 0);
}

static StepResult refuse(Fake *f, Bdf fn, StepExtra *extra) {
        Step step = STEP(.rung = RUNG_REFUSE_IF_HELD, .fn = fn);
        StepResult result;

        step_climb(&f->kernel, &step, &result, extra);
        return result;
}

static void a_vfio_function_that_nobody_has_is_guarded(void **state) {
        StepExtra extra = STEP_EXTRA_EMPTY;
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfio(&f);
        assert_done(refuse(&f, vf0, &extra));
        assert_true(extra.guard >= 0);
        assert_int_equal(extra.group, 12);
        assert_true(fcntl(extra.guard, F_GETFD) & FD_CLOEXEC);
        assert_int_equal(f.users_mode, USERS_TESTED);
        assert_int_equal(f.n_log, 0);
        step_extra_done(&extra);
        assert_int_equal(extra.guard, -EBADF);
        assert_int_equal(extra.group, -1);
}

static unsigned count_fds(void) {
        unsigned n = 0;

        for (int fd = 0; fd < 64; fd++)
                n += fcntl(fd, F_GETFD) >= 0;
        return n;
}

static void nobody_who_wants_no_guard_is_left_with_one(void **state) {
        unsigned n = count_fds();
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfio(&f);
        assert_done(climb(&f, STEP(.rung = RUNG_REFUSE_IF_HELD, .fn = vf0)));
        assert_int_equal(count_fds(), n);
}

static void a_vfio_function_that_somebody_has_is_in_use_by_name(void **state) {
        StepExtra extra = STEP_EXTRA_EMPTY;
        StepResult result;
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfio(&f);
        f.group = -EBUSY;
        put_user(&f, HOLDER_VFIO, 4711, "qemu-system-x86", "/dev/vfio/12");
        result = refuse(&f, vf0, &extra);
        assert_answer(result, STEP_IN_USE, 0);
        assert_int_equal(result.n, OP_FORCE_IN_USE);
        assert_string_equal(result.text, "vfio: qemu-system-x86 (pid 4711), /dev/vfio/12");
        assert_int_equal(f.users_mode, USERS_TEST);
        assert_int_equal(extra.guard, -EBADF);
        assert_int_equal(extra.holders.n, 1);
        assert_int_equal(extra.holders.items[0].pid, 4711);
        step_extra_done(&extra);
        holders_done(&f.users);
}

static void a_group_that_is_open_is_in_use_whoever_has_it(void **state) {
        StepResult result;
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfio(&f);
        f.group = -EBUSY;
        result = climb(&f, STEP(.rung = RUNG_REFUSE_IF_HELD, .fn = vf0));
        assert_answer(result, STEP_IN_USE, 0);
        assert_string_equal(result.text, "vfio: its vfio group is open; by whom cannot be told");
        assert_int_equal(f.n_users, 3);
        f.group = -EACCES;
        result = climb(&f, STEP(.rung = RUNG_REFUSE_IF_HELD, .fn = vf0));
        assert_answer(result, STEP_IN_USE, 0);
        assert_string_equal(result.text, "unknown: its vfio group cannot be tested");
}

/* One who lets go in between leaves the group to the guard. */
static int let_go(Kernel *k, const Bdf *fns, size_t n, UsersMode mode, Holders *ret) {
        fake(k)->group = 0;
        return fake_users(k, fns, n, mode, ret);
}

static void a_user_who_goes_makes_room_for_the_guard(void **state) {
        StepExtra extra = STEP_EXTRA_EMPTY;
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfio(&f);
        f.group = -EBUSY;
        f.kernel.users = let_go;
        assert_done(refuse(&f, vf0, &extra));
        assert_true(extra.guard >= 0);
        assert_int_equal(f.n_users, 2);
        step_extra_done(&extra);
}

static void a_group_under_our_own_guard_is_not_tested(void **state) {
        StepExtra extra = STEP_EXTRA_EMPTY;
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfio(&f);
        f.group = -EBUSY;
        extra.guarded = true;
        assert_done(refuse(&f, vf0, &extra));
        assert_int_equal(f.users_mode, USERS_TESTED);
        assert_int_equal(extra.guard, -EBADF);
}

static void without_a_group_it_is_for_the_search_to_tell(void **state) {
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfio(&f);
        f.group = -ENOENT;
        assert_done(climb(&f, STEP(.rung = RUNG_REFUSE_IF_HELD, .fn = vf0)));
        assert_int_equal(f.users_mode, USERS_TEST);
        drop(&f, DEVICES VF0 "/iommu_group");
        assert_done(climb(&f, STEP(.rung = RUNG_REFUSE_IF_HELD, .fn = vf0)));
        assert_int_equal(f.n_users, 2);
}

static void other_functions_are_not_guarded(void **state) {
        StepExtra extra = STEP_EXTRA_EMPTY;
        Fake f;

        (void) state;
        fake_init(&f);
        put(&f, 'l', "12", DEVICES PF "/iommu_group");
        assert_done(refuse(&f, pf, &extra));
        assert_int_equal(extra.guard, -EBADF);
        assert_int_equal(f.users_mode, USERS_TEST);
        drop(&f, DEVICES PF "/driver");
        assert_done(refuse(&f, pf, &extra));
        assert_int_equal(extra.guard, -EBADF);
        assert_int_equal(f.n_users, 2);
}

static void all_that_is_needed_to_go_on_is_told(void **state) {
        StepExtra extra = STEP_EXTRA_EMPTY;
        StepResult result;
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 1);
        put_user(&f, HOLDER_NOTE, 0, "backup", "tonight");
        put_user(&f, HOLDER_NETDEV, 0, "", "10.0.0.1/24 on eth3");
        put_user(&f, HOLDER_MOUNT, 0, "", "/dev/nvme1n1 on /srv");
        result = refuse(&f, vf0, &extra);
        assert_answer(result, STEP_IN_USE, 0);
        assert_int_equal(result.n, OP_FORCE_IN_USE | OP_FORCE_STORAGE);
        assert_string_equal(result.text, "netdev: 10.0.0.1/24 on eth3, and 1 more");
        assert_int_equal(extra.holders.n, 3);
        step_extra_done(&extra);
        holders_done(&f.users);
}

static void a_note_refuses_nothing(void **state) {
        StepExtra extra = STEP_EXTRA_EMPTY;
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 1);
        put_user(&f, HOLDER_NOTE, 0, "backup", "tonight");
        assert_done(refuse(&f, vf0, &extra));
        assert_int_equal(extra.holders.n, 1);
        step_extra_done(&extra);
        holders_done(&f.users);
}

static void what_cannot_be_told_is_not_free(void **state) {
        StepResult result;
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 1);
        put_user(&f, HOLDER_UNKNOWN, 0, "", "addresses of eth3: Permission denied");
        result = climb(&f, STEP(.rung = RUNG_REFUSE_IF_HELD, .fn = vf0));
        assert_answer(result, STEP_IN_USE, 0);
        assert_int_equal(result.n, OP_FORCE_IN_USE);
        holders_done(&f.users);
        f.users_error = -ENOMEM;
        assert_answer(climb(&f, STEP(.rung = RUNG_REFUSE_IF_HELD, .fn = vf0)), STEP_FAILED, ENOMEM);
}

/* The longest of lines is cut, not the count behind it. */
static void a_long_line_keeps_its_end(void **state) {
        StepResult result;
        char detail[128];
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfs(&f, 1);
        memset(detail, 'x', sizeof(detail) - 1);
        detail[sizeof(detail) - 1] = '\0';
        put_user(&f, HOLDER_DRM, 1, "x", detail);
        put_user(&f, HOLDER_DRM, 2, "x", detail);
        result = climb(&f, STEP(.rung = RUNG_REFUSE_IF_HELD, .fn = vf0));
        assert_answer(result, STEP_IN_USE, 0);
        assert_true(ends_with(result.text, "x, and 1 more"));
        holders_done(&f.users);
}

static void a_function_that_goes_leaves_no_guard_behind(void **state) {
        unsigned n = count_fds();
        StepExtra extra = STEP_EXTRA_EMPTY;
        Fake f;

        (void) state;
        fake_init(&f);
        put_vfio(&f);
        f.vanish_at = 5; /* users() */
        f.vanish_error = -ENOENT;
        assert_answer(refuse(&f, vf0, &extra), STEP_GONE, 0);
        assert_int_equal(f.n_users, 1);
        assert_int_equal(extra.guard, -EBADF);
        assert_int_equal(count_fds(), n);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_empty_way_is_clear_at_once),
                cmocka_unit_test(whoever_is_in_the_global_lock_is_named_after_a_while),
                cmocka_unit_test(one_that_goes_on_is_waited_for),
                cmocka_unit_test(a_short_stay_costs_a_tenth_of_a_second),
                cmocka_unit_test(the_one_that_was_there_longest_is_named),
                cmocka_unit_test(a_device_lock_matters_if_it_is_near),
                cmocka_unit_test(a_way_that_cannot_be_seen_counts_as_clear),
                cmocka_unit_test(a_vfio_function_that_nobody_has_is_guarded),
                cmocka_unit_test(nobody_who_wants_no_guard_is_left_with_one),
                cmocka_unit_test(a_vfio_function_that_somebody_has_is_in_use_by_name),
                cmocka_unit_test(a_group_that_is_open_is_in_use_whoever_has_it),
                cmocka_unit_test(a_user_who_goes_makes_room_for_the_guard),
                cmocka_unit_test(a_group_under_our_own_guard_is_not_tested),
                cmocka_unit_test(without_a_group_it_is_for_the_search_to_tell),
                cmocka_unit_test(other_functions_are_not_guarded),
                cmocka_unit_test(all_that_is_needed_to_go_on_is_told),
                cmocka_unit_test(a_note_refuses_nothing),
                cmocka_unit_test(what_cannot_be_told_is_not_free),
                cmocka_unit_test(a_long_line_keeps_its_end),
                cmocka_unit_test(a_function_that_goes_leaves_no_guard_behind),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
