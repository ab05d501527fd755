/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy files: which of those that lie in the folders count
 */
#include "tests/unit/test.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/names.h"

#include "conf/policy.h"

static char directory[] = "/tmp/sriovd-policy-XXXXXX";

static int make_directory(void **state) {
        (void) state;
        return mkdtemp(directory) ? 0 : -1;
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        (void) st;
        (void) type;
        (void) ftw;
        return remove(path);
}

static int remove_directory(void **state) {
        (void) state;
        return nftw(directory, drop, 8, FTW_DEPTH | FTW_PHYS);
}

static void put_file(const char *name, const char *text) {
        char path[128];
        FILE *f;

        snprintf(path, sizeof(path), "%s/%s", directory, name);
        f = fopen(path, "we");
        assert_non_null(f);
        assert_true(fputs(text, f) >= 0);
        assert_int_equal(fclose(f), 0);
}

static void files_count_in_the_order_of_their_names(void **state) {
        Mistakes mistakes = {};
        Policies all;
        char path[128];

        (void) state;
        put_file("90-b.conf", "policy = ( { name = \"b\"; match = { driver = \"igb\"; }; } );");
        put_file("10-a.conf", "policy = ( { name = \"a\"; match = { driver = \"igb\"; }; } );");
        put_file("50-bad.conf", "policy = ( { name = \"c\";\n mtach = { }; } );");
        put_file("60-twice.conf", "policy = ( { name = \"a\"; match = { driver = \"igb\"; }; } );");
        put_file("20-empty.conf", "");
        put_file(".hidden.conf", "x = 1;");
        put_file("readme", "x = 1;");
        put_file(".conf", "x = 1;");
        snprintf(path, sizeof(path), "%s/30-masked.conf", directory);
        assert_int_equal(symlink("/dev/null", path), 0);
        assert_int_equal(setenv(POLICY_ENV, directory, true), 0);
        assert_int_equal(policies_load(&all, &mistakes), -EBADMSG);
        assert_int_equal(all.n, 2);
        assert_string_equal(all.items[0].name, "a");
        assert_string_equal(all.items[1].name, "b");
        assert_int_equal(mistakes.n, 3);
        assert_non_null(strstr(mistakes.items[1].error.text, "50-bad.conf:2: there is no 'mtach'"));
        assert_non_null(strstr(mistakes.items[0].error.text, "50-bad.conf:1: no 'match'"));
        assert_non_null(
                strstr(mistakes.items[2].error.text, "60-twice.conf:1: there is a policy 'a'"));
        policies_done(&all);
        mistakes_done(&mistakes);
}

#define NAMED(name) "policy = ( { name = \"" name "\"; match = { driver = \"igb\"; }; } );"

static void the_foremost_folder_has_the_file_and_can_mask_it(void **state) {
        static const char *const names[] = { "etc", "run", "lib" };
        char paths[3][64], path[128];
        const char *folders[] = { paths[0], paths[1], paths[2], NULL };
        Mistakes mistakes = {};
        Policies all;

        (void) state;
        for (size_t i = 0; i < 3; i++) {
                snprintf(paths[i], sizeof(paths[i]), "%s/%s", directory, names[i]);
                assert_int_equal(mkdir(paths[i], 0700), 0);
        }
        put_file("lib/20.conf", NAMED("lib-20"));
        put_file("run/20.conf", NAMED("run-20"));
        put_file("etc/30.conf", NAMED("etc-30"));
        put_file("run/30.conf", "a mistake that nobody reads");
        put_file("lib/10.conf", NAMED("lib-10"));
        put_file("lib/40.conf", NAMED("lib-40"));
        put_file("run/40.conf", "");
        put_file("run/50.conf", NAMED("run-50"));
        put_file("lib/50.conf", NAMED("lib-50"));
        snprintf(path, sizeof(path), "%s/50.conf", paths[0]);
        assert_int_equal(symlink("/dev/null", path), 0);
        assert_int_equal(policies_load_from(folders, &all, &mistakes), 0);
        assert_int_equal(all.n, 3);
        assert_string_equal(all.items[0].name, "lib-10");
        assert_string_equal(all.items[1].name, "run-20");
        assert_string_equal(all.items[2].name, "etc-30");
        policies_done(&all);
}

static void a_folder_that_is_not_there_has_no_files_and_a_file_is_no_folder(void **state) {
        Mistakes mistakes = {};
        Policies all;
        char path[128];

        (void) state;
        assert_int_equal(setenv(POLICY_ENV, "/nowhere/policy.d", true), 0);
        assert_int_equal(policies_load(&all, &mistakes), 0);
        assert_int_equal(all.n, 0);
        put_file("file", "");
        snprintf(path, sizeof(path), "%s/file", directory);
        assert_int_equal(setenv(POLICY_ENV, path, true), 0);
        assert_int_equal(policies_load(&all, &mistakes), -EBADMSG);
        assert_int_equal(mistakes.items[0].line, 0);
        assert_non_null(strstr(mistake_why(mistakes.items), "Not a directory"));
        mistakes_done(&mistakes);
        assert_int_equal(policies_read("/nowhere/x.conf", &all, &mistakes), -EBADMSG);
        assert_string_equal(mistakes.items[0].error.text,
                            "/nowhere/x.conf: No such file or directory");
        mistakes_done(&mistakes);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(files_count_in_the_order_of_their_names),
                cmocka_unit_test(the_foremost_folder_has_the_file_and_can_mask_it),
                cmocka_unit_test(a_folder_that_is_not_there_has_no_files_and_a_file_is_no_folder),
        };

        return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
