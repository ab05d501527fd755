/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hold: a declared use lasts as long as somebody has its descriptor, whatever becomes of the daemon
 */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/hold.h"
#include "daemon/log.h"

static char directory[] = "/tmp/sriovd-hold-XXXXXX";
static int runtime = -EBADF;
static sd_event *event;
static Holds holds;

static int open_runtime(void **state) {
        (void) state;
        if (!mkdtemp(directory))
                return -1;
        runtime = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return runtime >= 0 ? sd_event_new(&event) : -1;
}

static int remove_runtime(void **state) {
        (void) state;
        sd_event_unref(event);
        close(runtime);
        return rmdir(directory);
}

static int open_holds(void **state) {
        (void) state;
        holds = HOLDS_EMPTY;
        return holds_open(&holds, event, runtime);
}

/* Whoever leaves a file behind fails here. */
static int close_holds(void **state) {
        (void) state;
        holds_done(&holds);
        return unlinkat(runtime, "holds", AT_REMOVEDIR);
}

static int hold(Bdf fn, bool blocks, Hold *ret) {
        int fd = -EBADF;

        *ret = (Hold){
                .fn = fn, .who = "backup job", .why = "reads\\x41 it", .blocks = blocks, .pid = 77
        };
        assert_int_equal(holds_new(&holds, ret, &fd), 0);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        return fd;
}

static size_t count(Bdf fn) {
        Holders found = {};
        size_t n;

        assert_int_equal(holds_find(&holds, fn, &found), 0);
        n = found.n;
        holders_done(&found);
        return n;
}

static void a_hold_lasts_until_its_last_copy_is_closed(void **state) {
        Hold h;
        int fd = hold(VF0, true, &h), copy = dup(fd);

        (void) state;
        close(fd);
        assert_int_equal(count(VF0), 1);
        assert_int_equal(count(VF1), 0);
        assert_int_equal(count(BDF_NONE), 1);
        close(copy);
        assert_int_equal(count(VF0), 0);
}

static void a_holder_is_named_as_it_said(void **state) {
        Holders found = {};
        Hold h;
        int fd = hold(VF0, true, &h);
        char text[HOLDER_STR_MAX];

        (void) state;
        assert_int_equal(holds_find(&holds, VF0, &found), 0);
        assert_int_equal(found.n, 1);
        assert_string_equal(holder_format(found.items, text, sizeof(text)),
                            "hold: backup job (pid 77), reads\\x41 it");
        assert_int_equal(holders_force(&found), OP_FORCE_IN_USE);
        holders_done(&found);
        close(fd);
        assert_int_equal(count(VF0), 0);
}

static void a_note_is_shown_and_refuses_nothing(void **state) {
        Holders found = {};
        Hold h;
        int fd = hold(PF, false, &h);

        (void) state;
        assert_int_equal(holds_find(&holds, PF, &found), 0);
        assert_int_equal(found.n, 1);
        assert_int_equal(found.items[0].kind, HOLDER_NOTE);
        assert_int_equal(holders_force(&found), 0);
        holders_done(&found);
        close(fd);
        assert_int_equal(count(PF), 0);
}

static void a_hold_outlives_the_daemon_and_its_number_is_not_given_again(void **state) {
        Hold first, second;
        int fd = hold(VF0, true, &first), other;

        (void) state;
        holds_done(&holds);
        assert_int_equal(open_holds(NULL), 0);
        assert_int_equal(count(VF0), 1);
        other = hold(VF1, true, &second);
        assert_true(second.id > first.id);
        close(fd);
        close(other);
        assert_int_equal(count(BDF_NONE), 0);
}

static void what_ended_while_there_was_no_daemon_is_cleared_away(void **state) {
        char name[16];
        Hold h;
        int fd = hold(VF0, true, &h);

        (void) state;
        snprintf(name, sizeof(name), "%u", h.id);
        assert_int_equal(faccessat(holds.dir, name, F_OK, 0), 0);
        holds_done(&holds);
        close(fd);
        assert_int_equal(open_holds(NULL), 0);
        assert_int_equal(faccessat(holds.dir, name, F_OK, 0), -1);
}

static void the_end_is_seen_without_anybody_asking(void **state) {
        char name[16];
        Hold h;
        int fd = hold(VF0, true, &h);

        (void) state;
        snprintf(name, sizeof(name), "%u", h.id);
        close(fd);
        /* Each turn waits for the event or the timer behind it; 60 s are for a host that does something else. */
        for (int i = 0; i < 60 && faccessat(holds.dir, name, F_OK, 0) == 0; i++)
                assert_true(sd_event_run(event, 1000000) >= 0);
        assert_int_equal(faccessat(holds.dir, name, F_OK, 0), -1);
}

static void a_hold_that_cannot_be_read_is_in_everybodys_way(void **state) {
        Holders found = {};
        Hold h;
        int fd = hold(VF0, true, &h);

        (void) state;
        assert_int_equal(pwrite(fd, "function nonsense\n", 18, 0), 18);
        assert_int_equal(holds_find(&holds, VF1, &found), 0);
        assert_int_equal(found.n, 1);
        assert_int_equal(found.items[0].kind, HOLDER_UNKNOWN);
        assert_int_equal(holders_force(&found), OP_FORCE_IN_USE);
        holders_done(&found);
        close(fd);
        assert_int_equal(count(VF1), 0);
}

static void only_one_line_that_fits_is_a_text(void **state) {
        char longest[32];
        bool blocks = false;

        (void) state;
        memset(longest, 'a', 31);
        longest[31] = '\0';
        assert_true(hold_text_is_valid(longest, 32));
        assert_false(hold_text_is_valid(longest, 31));
        assert_true(hold_text_is_valid("", 32));
        assert_true(hold_text_is_valid("gr\xc3\xbc\xc3\x9f", 32));
        assert_false(hold_text_is_valid("a\nb", 32));
        assert_false(hold_text_is_valid("a\x7f", 32));
        assert_int_equal(hold_mode_parse("block", &blocks), 0);
        assert_true(blocks);
        assert_int_equal(hold_mode_parse("note", &blocks), 0);
        assert_false(blocks);
        assert_int_equal(hold_mode_parse("", &blocks), -EINVAL);
        assert_int_equal(hold_mode_parse("blocked", &blocks), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_hold_lasts_until_its_last_copy_is_closed,
                                                open_holds, close_holds),
                cmocka_unit_test_setup_teardown(a_holder_is_named_as_it_said, open_holds,
                                                close_holds),
                cmocka_unit_test_setup_teardown(a_note_is_shown_and_refuses_nothing, open_holds,
                                                close_holds),
                cmocka_unit_test_setup_teardown(
                        a_hold_outlives_the_daemon_and_its_number_is_not_given_again, open_holds,
                        close_holds),
                cmocka_unit_test_setup_teardown(
                        what_ended_while_there_was_no_daemon_is_cleared_away, open_holds,
                        close_holds),
                cmocka_unit_test_setup_teardown(the_end_is_seen_without_anybody_asking, open_holds,
                                                close_holds),
                cmocka_unit_test_setup_teardown(a_hold_that_cannot_be_read_is_in_everybodys_way,
                                                open_holds, close_holds),
                cmocka_unit_test(only_one_line_that_fits_is_a_text),
        };

        log_open();
        return cmocka_run_group_tests(tests, open_runtime, remove_runtime);
}
