/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Folder: each name once, and a failure is no end of the list
 */
#include "tests/unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/folder.h"

static char directory[] = "/tmp/sriovd-folder-XXXXXX";
static int dir = -EBADF;

static int make_directory(void **state) {
        (void) state;
        if (!mkdtemp(directory))
                return -1;
        dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        for (char name[] = "a"; name[0] <= 'e'; name[0]++)
                close(openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        return dir < 0 ? -1 : 0;
}

static int forget(const char *name, void *userdata) {
        (void) userdata;
        return unlinkat(dir, name, 0);
}

static int remove_directory(void **state) {
        (void) state;
        (void) folder_walk(dir, forget, NULL);
        dir = close_fd(dir);
        return rmdir(directory);
}

typedef struct Seen {
        char names[64];
        int answer;
} Seen;

static int see(const char *name, void *userdata) {
        Seen *s = userdata;

        assert_int_equal(strlen(name), 1);
        assert_null(strchr(s->names, name[0]));
        strcat(s->names, name);
        return s->answer;
}

static void each_name_is_seen_once_and_again_the_next_time(void **state) {
        (void) state;
        for (int i = 0; i < 2; i++) {
                /* An answer is no failure. */
                Seen s = { .answer = i };

                assert_int_equal(folder_walk(dir, see, &s), 0);
                assert_int_equal(strlen(s.names), 5);
        }
}

static void the_first_failure_ends_it(void **state) {
        Seen s = { .answer = -EMLINK };

        (void) state;
        assert_int_equal(folder_walk(dir, see, &s), -EMLINK);
        assert_int_equal(strlen(s.names), 1);
}

static void what_is_no_folder_is_an_error(void **state) {
        _cleanup_close_ int fd = openat(dir, "a", O_RDONLY | O_CLOEXEC);
        Seen s = {};

        (void) state;
        assert_int_equal(folder_walk(fd, see, &s), -ENOTDIR);
        assert_int_equal(folder_walk(-EBADF, see, &s), -EBADF);
        assert_string_equal(s.names, "");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_name_is_seen_once_and_again_the_next_time),
                cmocka_unit_test(the_first_failure_ends_it),
                cmocka_unit_test(what_is_no_folder_is_an_error),
        };

        return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
