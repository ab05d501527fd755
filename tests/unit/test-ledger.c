/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ledger: what is written before an act is there after a death
 */
#include "tests/unit/test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/ledger.h"
#include "daemon/log.h"

static char directory[] = "/tmp/sriovd-ledger-XXXXXX";
static Ledger ledger;

static int open_ledger(void **state) {
        (void) state;
        return mkdtemp(directory) ? ledger_open(&ledger, directory) : -1;
}

static void empty(int fd) {
        DIR *d = fdopendir(dup(fd));
        struct dirent *e;

        rewinddir(d);
        while ((e = readdir(d)))
                if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
                        unlinkat(fd, e->d_name, 0);
        closedir(d);
}

static int empty_jobs(void **state) {
        (void) state;
        empty(ledger.jobs);
        empty(ledger.results);
        return 0;
}

static int remove_ledger(void **state) {
        (void) state;
        unlinkat(ledger.fd, "jobs", AT_REMOVEDIR);
        unlinkat(ledger.fd, "results", AT_REMOVEDIR);
        empty(ledger.fd);
        ledger_done(&ledger);
        return rmdir(directory);
}

static Holder qemu = { .kind = HOLDER_VFIO,
                       .fn = { .domain = 0, .rid = 0x110 },
                       .pid = 4711,
                       .command = "qemu",
                       .detail = "/dev/vfio/12" };
static Holder mounted = { .kind = HOLDER_MOUNT, .detail = "/dev/nvme1n1 on /a b" };

static Record *make_record(uint32_t id) {
        Record *r = record_new();

        assert_non_null(r);
        r->id = id;
        r->op = (Op){ .kind = OP_SET_VFS, .count = 3, .fn = PF, .flags = OP_FORCE_IN_USE };
        assert_int_equal(str_copy(r->op.driver, sizeof(r->op.driver), "vfio-pci"), 0);
        r->pf = PF;
        r->state = JOB_RUNNING;
        r->phase = CLIMB_UP;
        r->uid = 1000;
        r->pid = 77;
        r->askers[0] = 1000;
        r->n_askers = 2;
        r->timeout_usec = UINT64_MAX;
        r->created = 12345678901234;
        r->reason = strdup("a reason, with\nlines = \\ and \"quotes\" \xc3\xa4");
        assert_int_equal(record_warn(r, "-"), 0);
        assert_int_equal(record_warn(r, ""), 0);
        assert_int_equal(record_add_holders(r, &(Holders){ &qemu, 1 }), 0);
        assert_int_equal(
                record_add_stuck(r, "process 5 at mutex_lock\npci 0000:01:00.0: no answer"), 0);
        r->has_before = true;
        r->count_before = 4;
        assert_int_equal(str_copy(r->driver_before, sizeof(r->driver_before), "igbvf"), 0);
        return r;
}

/* Two VFs to be parked, then sriov_numvfs = 0. */
static Plan *make_plan(void) {
        Plan *plan = plan_new();
        Step step = { .rung = RUNG_PARK_VF, .fn = PF, .vf = VF0, .identity = UINT64_MAX };

        assert_non_null(plan);
        assert_int_equal(str_copy(step.was, sizeof(step.was), "igbvf"), 0);
        assert_int_equal(plan_push(plan, &step), 0);
        step.vf = VF1;
        step.n = 1;
        assert_int_equal(plan_push(plan, &step), 0);
        assert_int_equal(plan_push(plan, &(Step){ .rung = RUNG_VFS_OFF, .fn = PF, .vf = BDF_NONE }),
                         0);
        return plan;
}

static void write_running(uint32_t id) {
        _cleanup_(record_freep) Record *r = make_record(id);
        _cleanup_(plan_freep) Plan *plan = make_plan();
        StepState states[3] = { STEP_STATE_WAITING };
        Climb climb = { .plan = plan, .states = states };
        Outcome first = { .index = 0, .usec = 99 };

        record_add_stages(r, plan);
        assert_int_equal(str_copy(first.result.override, sizeof(first.result.override), "mine"), 0);
        assert_int_equal(ledger_write(&ledger, r, &climb), 0);
        assert_int_equal(ledger_begin(&ledger, id, 0, &(Process){ 100, 5 }), 0);
        assert_int_equal(ledger_begin(&ledger, id, 1, &(Process){ 101, UINT64_MAX }), 0);
        assert_int_equal(ledger_end(&ledger, id, &first), 0);
}

static void load(Records *all) {
        *all = (Records){};
        assert_int_equal(ledger_load(&ledger, all), 0);
}

static void what_is_written_is_read_back(void **state) {
        Records all;
        Record *r;

        (void) state;
        write_running(7);
        load(&all);
        assert_int_equal(all.n, 1);
        r = all.items[0];
        assert_int_equal(r->op.kind, OP_SET_VFS);
        assert_int_equal(r->op.count, 3);
        assert_int_equal(r->op.flags, OP_FORCE_IN_USE);
        assert_string_equal(r->op.driver, "vfio-pci");
        assert_true(bdf_equal(r->pf, PF));
        assert_string_equal(r->reason, "a reason, with\nlines = \\ and \"quotes\" \xc3\xa4");
        assert_null(r->expect);
        assert_int_equal(r->timeout_usec, UINT64_MAX);
        assert_int_equal(strv_length(r->warnings), 2);
        assert_string_equal(r->warnings[0], "-");
        assert_string_equal(r->warnings[1], "");
        assert_int_equal(r->n_stages, 2);
        assert_string_equal(r->stuck, "process 5 at mutex_lock\npci 0000:01:00.0: no answer");
        assert_true(r->has_before);
        assert_false(r->rolling);
        assert_int_equal(r->count_before, 4);
        assert_string_equal(r->driver_before, "igbvf");
        records_done(&all);
}

static void who_was_found_is_kept_and_each_once(void **state) {
        char text[HOLDER_STR_MAX];
        Records all;
        Record *r;

        (void) state;
        write_running(7);
        assert_int_equal(ledger_holders(&ledger, 7, &(Holders){ &qemu, 1 }), 0);
        assert_int_equal(ledger_holders(&ledger, 7, &(Holders){ &mounted, 1 }), 0);
        load(&all);
        r = all.items[0];
        assert_int_equal(r->holders.n, 2);
        assert_true(bdf_equal(r->holders.items[0].fn, qemu.fn));
        assert_string_equal(holder_format(r->holders.items, text, sizeof(text)),
                            "vfio: qemu (pid 4711), /dev/vfio/12");
        assert_string_equal(holder_format(r->holders.items + 1, text, sizeof(text)),
                            "mount: /dev/nvme1n1 on /a b");
        records_done(&all);
}

static void a_kind_of_holder_of_a_later_version_is_in_use_all_the_same(void **state) {
        _cleanup_close_ int fd =
                openat(ledger.jobs, "7", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        const char *text =
                "id 7\noperation rescan\nstate waiting\nholder telepathy - 5 x y\nwhole\n";
        Records all;

        (void) state;
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
        load(&all);
        assert_int_equal(all.n, 1);
        assert_int_equal(all.items[0]->holders.n, 1);
        assert_int_equal(holders_force(&all.items[0]->holders), OP_FORCE_IN_USE);
        records_done(&all);
}

static void a_plan_is_known_step_by_step(void **state) {
        Records all;
        Record *r;

        (void) state;
        write_running(7);
        load(&all);
        r = all.items[0];
        assert_int_equal(r->plan->n_steps, 3);
        assert_int_equal(r->states[0], STEP_STATE_DONE);
        assert_int_equal(r->states[1], STEP_STATE_RUNNING);
        assert_int_equal(r->states[2], STEP_STATE_WAITING);
        assert_string_equal(r->plan->steps[0].override, "mine");
        assert_string_equal(r->plan->steps[1].was, "igbvf");
        assert_int_equal(r->plan->steps[1].identity, UINT64_MAX);
        assert_int_equal(r->children[1].pid, 101);
        assert_int_equal(r->children[1].start_time, UINT64_MAX);
        assert_int_equal(r->n_acts, 1);
        assert_int_equal(r->acts[0].usec, 99);
        records_done(&all);
}

/* Returns how many jobs are read of a file that ends after n bytes. */
static size_t load_cut(const char *text, size_t n, bool *ret_begun) {
        _cleanup_close_ int fd =
                openat(ledger.jobs, "7", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        Records all;
        size_t jobs;

        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, n), n);
        load(&all);
        jobs = all.n;
        *ret_begun =
                jobs > 0 && all.items[0]->states && all.items[0]->states[1] == STEP_STATE_RUNNING;
        records_done(&all);
        return jobs;
}

static void a_file_cut_anywhere_is_put_aside_or_lacks_its_last_line(void **state) {
        char text[8192] = "";
        const char *whole, *begin;
        ssize_t n;
        bool begun;
        int fd;

        (void) state;
        write_running(7);
        fd = openat(ledger.jobs, "7", O_RDONLY | O_CLOEXEC);
        n = read(fd, text, sizeof(text) - 1);
        close(fd);
        assert_true(n > 0);
        whole = strstr(text, "whole\n") + strlen("whole\n");
        begin = strstr(text, "begin 1");
        begin = strchr(begin, '\n') + 1;
        for (size_t i = 0; i <= (size_t) n; i++) {
                assert_int_equal(load_cut(text, i, &begun), i >= (size_t) (whole - text));
                assert_int_equal(begun, i >= (size_t) (begin - text));
        }
}

/* Who was killed in the middle of a line never acted upon it; what the next daemon writes must not join it. */
static void a_line_torn_by_death_does_not_cost_the_job(void **state) {
        static const char *const torn[] = { "e", "end 1 failed 5 0 - - 0", "begin 2 102 7" };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(torn); i++) {
                Outcome second = { .index = 1 };
                Records all;
                int fd;

                write_running(7);
                fd = openat(ledger.jobs, "7", O_WRONLY | O_APPEND | O_CLOEXEC);
                assert_int_equal(write(fd, torn[i], strlen(torn[i])), strlen(torn[i]));
                close(fd);
                load(&all);
                assert_int_equal(all.n, 1);
                assert_int_equal(all.items[0]->states[1], STEP_STATE_RUNNING);
                assert_int_equal(all.items[0]->states[2], STEP_STATE_WAITING);
                records_done(&all);
                assert_int_equal(ledger_end(&ledger, 7, &second), 0);
                load(&all);
                assert_int_equal(all.n, 1);
                assert_int_equal(all.items[0]->states[1], STEP_STATE_DONE);
                records_done(&all);
        }
}

static void leave_descriptors(const struct rlimit *old, rlim_t n) {
        int fd = dup(ledger.jobs);

        assert_true(fd >= 0);
        close(fd);
        assert_int_equal(
                setrlimit(RLIMIT_NOFILE, &(struct rlimit){ (rlim_t) fd + n, old->rlim_max }), 0);
}

/* For want of descriptors it cannot be told what is in the ledger: the daemon must end, and no job be put aside. */
static void a_file_that_cannot_be_opened_just_now_is_not_put_aside(void **state) {
        struct rlimit old;
        uint32_t id;
        Records all;

        (void) state;
        write_running(7);
        assert_int_equal(ledger_write_next_id(&ledger, 8), 0);
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
        /* One descriptor for the folder, none for the file. */
        leave_descriptors(&old, 1);
        assert_int_equal(ledger_load(&ledger, &all), -EMFILE);
        leave_descriptors(&old, 0);
        assert_int_equal(ledger_read_next_id(&ledger, &id), -EMFILE);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
        assert_int_equal(unlinkat(ledger.fd, "next-id", 0), 0);
        load(&all);
        assert_int_equal(all.n, 1);
        records_done(&all);
}

static void nonsense_is_put_aside_and_no_one_dies_of_it(void **state) {
        static const char *const nonsense[] = {
                "",
                "\n",
                "id 7\n",
                "id 7\nwhole\n",
                "id 8\noperation rescan\nwhole\n",
                "id 7\noperation dance\nwhole\n",
                "id 7\noperation set-vfs\nstate ended\nwhole\n",
                "id 7\nbegin 0 1 1\nwhole\n",
                "id 7\nend 0 done 0 0 - - 0\nwhole\n",
                "id 7\nstep waiting park-vf - - 0 0 - - -\nbegin 1 1 1\nwhole\n",
                "id 7\nstep waiting no-rung - - 0 0 - - -\nwhole\n",
                "id 7\nreason \\x0\nwhole\n",
                "id 99999999999999\nwhole\n",
                "id 7\nfunction 1:2:3\nwhole\n",
                "id 7\noperation rescan\nstate waiting\nrolling 2\nwhole\n",
                "id 7\noperation rescan\nstate waiting\nholder vfio - 5 x\nwhole\n",
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(nonsense); i++) {
                bool begun;

                assert_int_equal(load_cut(nonsense[i], strlen(nonsense[i]), &begun), 0);
                assert_int_equal(faccessat(ledger.jobs, ".7.bad", F_OK, 0), 0);
                assert_int_equal(unlinkat(ledger.jobs, ".7.bad", 0), 0);
        }
}

static void a_key_of_a_later_version_is_passed_over(void **state) {
        const char *text = "id 7\noperation rescan\ncolour blue\nstate waiting\nwhole\n";
        bool begun;

        (void) state;
        assert_int_equal(load_cut(text, strlen(text), &begun), 1);
}

static void a_child_leaves_its_result_for_the_next_daemon(void **state) {
        Outcome o = { .index = 4, .result = { .answer = STEP_IN_USE, .n = 2 }, .usec = 5 }, back;

        (void) state;
        assert_int_equal(str_copy(o.result.text, sizeof(o.result.text), "by: qemu (12)"), 0);
        assert_int_equal(result_read(ledger.results, 7, 100, &back), -ENOENT);
        assert_int_equal(result_write(ledger.results, 7, 100, &o), 0);
        assert_int_equal(result_read(ledger.results, 7, 101, &back), -ENOENT);
        assert_int_equal(result_read(ledger.results, 7, 100, &back), 0);
        assert_int_equal(back.index, 4);
        assert_int_equal(back.result.answer, STEP_IN_USE);
        assert_string_equal(back.result.text, "by: qemu (12)");
        result_forget(ledger.results, 7, 100);
        assert_int_equal(result_read(ledger.results, 7, 100, &back), -ENOENT);
}

static uint32_t next_id(void) {
        uint32_t id = 0;

        assert_int_equal(ledger_read_next_id(&ledger, &id), 0);
        return id;
}

static void ids_go_on_where_they_were(void **state) {
        (void) state;
        assert_int_equal(next_id(), 1);
        assert_int_equal(ledger_write_next_id(&ledger, UINT32_MAX), 0);
        assert_int_equal(next_id(), UINT32_MAX);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(what_is_written_is_read_back, empty_jobs),
                cmocka_unit_test_setup(a_plan_is_known_step_by_step, empty_jobs),
                cmocka_unit_test_setup(who_was_found_is_kept_and_each_once, empty_jobs),
                cmocka_unit_test_setup(a_kind_of_holder_of_a_later_version_is_in_use_all_the_same,
                                       empty_jobs),
                cmocka_unit_test_setup(a_file_cut_anywhere_is_put_aside_or_lacks_its_last_line,
                                       empty_jobs),
                cmocka_unit_test_setup(a_line_torn_by_death_does_not_cost_the_job, empty_jobs),
                cmocka_unit_test_setup(a_file_that_cannot_be_opened_just_now_is_not_put_aside,
                                       empty_jobs),
                cmocka_unit_test_setup(nonsense_is_put_aside_and_no_one_dies_of_it, empty_jobs),
                cmocka_unit_test_setup(a_key_of_a_later_version_is_passed_over, empty_jobs),
                cmocka_unit_test_setup(a_child_leaves_its_result_for_the_next_daemon, empty_jobs),
                cmocka_unit_test_setup(ids_go_on_where_they_were, empty_jobs),
        };

        log_open();
        return cmocka_run_group_tests(tests, open_ledger, remove_ledger);
}
