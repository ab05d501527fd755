/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings: what is taken, and what is told to whoever wrote it
 */
#include "tests/unit/test.h"

#include <unistd.h>

#include "conf/lint.h"
#include "conf/settings.h"

#define FILE_NAME "sriovd.conf"

static char directory[] = "/tmp/sriovd-conf-XXXXXX";
static char path[sizeof(directory) + sizeof(FILE_NAME) + 1];

static int make_directory(void **state) {
        (void) state;
        if (!mkdtemp(directory))
                return -1;
        snprintf(path, sizeof(path), "%s/%s", directory, FILE_NAME);
        return 0;
}

static int remove_directory(void **state) {
        (void) state;
        unlink(path);
        return rmdir(directory);
}

static int read_settings(const char *text, Settings *ret, SettingsError *ret_error) {
        _cleanup_fclose_ FILE *f = fopen(path, "we");

        assert_non_null(f);
        assert_true(fputs(text, f) >= 0);
        assert_int_equal(fflush(f), 0);
        return settings_read(path, ret, ret_error);
}

static void what_a_file_says_counts_and_the_rest_has_its_default(void **state) {
        SettingsError e;
        Settings s;

        (void) state;
        assert_int_equal(read_settings("# slow firmware\ndeadline_factor = 5; /* times */\n"
                                       "ended_minutes : 1440\n",
                                       &s, &e),
                         0);
        assert_int_equal(s.deadline_factor, 5);
        assert_int_equal(s.ended_minutes, 1440);
        assert_int_equal(s.fan_out, SETTINGS_DEFAULT.fan_out);
        assert_int_equal(s.ended_jobs, SETTINGS_DEFAULT.ended_jobs);
        assert_int_equal(read_settings("", &s, &e), 0);
        assert_int_equal(s.deadline_factor, SETTINGS_DEFAULT.deadline_factor);
}

static void a_file_that_is_not_there_is_told_apart(void **state) {
        SettingsError e;
        Settings s;

        (void) state;
        assert_int_equal(settings_read("/nowhere/sriovd.conf", &s, &e), -ENOENT);
        assert_int_equal(settings_read(directory, &s, &e), -EISDIR);
        assert_non_null(strstr(e.text, directory));
}

static void every_mistake_is_told_with_its_line(void **state) {
        static const struct {
                const char *text, *line, *words;
        } mistakes[] = {
                { "fan_out = 0;", ":1: ", "1 to 16" },
                { "fan_out = 17;", ":1: ", "1 to 16" },
                { "\ndeadline_factor = 101;", ":2: ", "1 to 100" },
                { "ended_jobs = 257;", ":1: ", "1 to 256" },
                { "ended_minutes = 0;", ":1: ", "1 to 1440" },
                { "fan_out = -1;", ":1: ", "1 to 16" },
                { "fan_out = \"4\";", ":1: ", "is a number" },
                { "fan_out = 1.5;", ":1: ", "is a number" },
                { "fan_out = true;", ":1: ", "is a number" },
                { "fan_out = { a = 1; };", ":1: ", "is a number" },
                { "\n\nfan_uot = 2;", ":3: ", "did you mean 'fan_out'" },
                { "fan_out = 2", NULL, NULL },
                { "fan_out = ;", ":1: ", "syntax error" },
                { "fan_out = 4294967300;", ":1: ", "out of range" },
                { "fan_out = 99999999999999999999L;", ":1: ", "out of range" },
                { "fan_out = 010;", ":1: ", "begins with 0" },
                { "fan_out = 0x100000001;", ":1: ", "out of range" },
                { "fan_out = 12abc;", ":1: ", "no number" },
                { "\n@include \"/etc\"", ":2: ", "not allowed" },
                { "fan_out = 2; @include \"x\"", ":1: ", "not allowed" },
                { "fan_out = \"\n\n", ":1: ", "no end" },
                { "/* fan_out = 2;\n", ":1: ", "no end" },
                { "fan_out = 2;\nfan_out = 3;", ":2: ", "" },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(mistakes); i++) {
                Settings s = { .fan_out = 77 };
                SettingsError e;
                int r = read_settings(mistakes[i].text, &s, &e);

                if (!mistakes[i].line) {
                        assert_int_equal(r, 0);
                        continue;
                }
                assert_int_equal(r, -EBADMSG);
                assert_non_null(startswith(e.text, path));
                assert_non_null(strstr(e.text, mistakes[i].line));
                assert_non_null(strstr(e.text, mistakes[i].words));
                assert_int_equal(s.fan_out, 77);
        }
}

static void strings_and_comments_may_hold_anything(void **state) {
        const char *why = NULL;

        (void) state;
        assert_int_equal(
                lint("a = \"@include 010 \\\" @\"; # @include\n// 010\n/* @ \n 09 */ b = 0x1F;",
                     &why),
                0);
        assert_int_equal(lint("a = \"\n\n\"; @", &why), 3);
        assert_int_equal(lint("a = -2147483648; b = 2147483647; c = 0; d = 5000000000L;", &why), 0);
        assert_int_equal(lint("a = -2147483649;", &why), 1);
        assert_int_equal(lint("a1e5 = 1.5e3;", &why), 0);
}

static void a_file_too_large_or_binary_is_refused(void **state) {
        _cleanup_free_ char *text = malloc(70 * 1024);
        SettingsError e;
        Settings s;
        FILE *f;

        (void) state;
        assert_non_null(text);
        memset(text, '#', 70 * 1024 - 1);
        text[70 * 1024 - 1] = '\0';
        assert_int_equal(read_settings(text, &s, &e), -EBADMSG);
        f = fopen(path, "we");
        assert_non_null(f);
        assert_int_equal(fwrite("a\0b", 1, 3, f), 3);
        assert_int_equal(fclose(f), 0);
        assert_int_equal(settings_read(path, &s, &e), -EBADMSG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_a_file_says_counts_and_the_rest_has_its_default),
                cmocka_unit_test(a_file_that_is_not_there_is_told_apart),
                cmocka_unit_test(every_mistake_is_told_with_its_line),
                cmocka_unit_test(strings_and_comments_may_hold_anything),
                cmocka_unit_test(a_file_too_large_or_binary_is_refused),
        };

        return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
