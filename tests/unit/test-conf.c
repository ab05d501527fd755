/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings: what is taken, and what is told to whoever wrote it
 */
#include "tests/unit/test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "conf/lint.h"
#include "conf/settings.h"

#define FILE_NAME "sriovd.conf"

#define LONG "/an/executable/that/nobody/can/have/called/so/because/its/name/is/long"
#define FOUR "\"/a\", \"/b\", \"/c\", \"/d\", "

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
        assert_int_equal(read_settings("fan_out = 2; # no end of this line", &s, &e), 0);
        assert_int_equal(s.fan_out, 2);
        assert_int_equal(read_settings("", &s, &e), 0);
        assert_int_equal(s.deadline_factor, SETTINGS_DEFAULT.deadline_factor);
}

static void the_gate_is_set_up_as_the_file_says(void **state) {
        SettingsError e;
        Settings s;

        (void) state;
        assert_int_equal(read_settings("", &s, &e), 0);
        assert_int_equal(s.gate, GATE_SERIALIZE);
        assert_int_equal(s.gate_lease, 10);
        assert_int_equal(s.n_gate_except, 0);
        for (GateMode m = 0; m < _GATE_MODE_MAX; m++) {
                char text[64];

                snprintf(text, sizeof(text), "gate = \"%s\";", gate_mode_to_string(m));
                assert_int_equal(read_settings(text, &s, &e), 0);
                assert_int_equal(s.gate, m);
        }
        assert_int_equal(read_settings("gate_lease = 3600;\ngate_except = [ " FOUR FOUR FOUR
                                       "\"/x\", \"ssh.service\", \"/a.slice\", \"/usr/bin/x\" ];",
                                       &s, &e),
                         0);
        assert_int_equal(s.gate_lease, 3600);
        assert_int_equal(s.n_gate_except, GATE_EXCEPT_MAX);
        assert_string_equal(s.gate_except[13], "ssh.service");
        assert_string_equal(s.gate_except[15], "/usr/bin/x");
        assert_int_equal(read_settings("gate_except = [];", &s, &e), 0);
        assert_int_equal(s.n_gate_except, 0);
}

static void a_file_that_is_not_there_is_told_apart(void **state) {
        SettingsError e;
        Settings s;

        (void) state;
        assert_int_equal(settings_read("/nowhere/sriovd.conf", &s, &e), -ENOENT);
        assert_int_equal(settings_read(directory, &s, &e), -EISDIR);
        assert_non_null(strstr(e.text, directory));
}

typedef struct Mistake {
        const char *text;
        const char *line; /* NULL: it is none */
        const char *words;
} Mistake;

static void assert_told(const Mistake *mistakes, size_t n) {
        for (const Mistake *m = mistakes; m < mistakes + n; m++) {
                Settings s = { .fan_out = 77 };
                SettingsError e;
                int r = read_settings(m->text, &s, &e);

                if (!m->line) {
                        assert_int_equal(r, 0);
                        continue;
                }
                assert_int_equal(r, -EBADMSG);
                assert_non_null(startswith(e.text, path));
                assert_non_null(strstr(e.text, m->line));
                assert_non_null(strstr(e.text, m->words));
                assert_int_equal(s.fan_out, 77);
        }
}

static void every_mistake_is_told_with_its_line(void **state) {
        static const Mistake mistakes[] = {
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
        assert_told(mistakes, ELEMENTSOF(mistakes));
}

static void every_mistake_about_the_gate_is_told_with_its_line(void **state) {
        static const Mistake mistakes[] = {
                { "gate = \"protct\";", ":1: ", "did you mean 'protect'" },
                { "\ngate = \"Serialize\";", ":2: ", "did you mean 'serialize'" },
                { "gate = \"\";", ":1: ", "'gate' has 1 to" },
                { "gate = true;", ":1: ", "'gate' is a string" },
                { "gate = 1;", ":1: ", "'gate' is a string" },
                { "gate = [ \"off\" ];", ":1: ", "'gate' is a string" },
                { "gate = \"" LONG "\";", ":1: ", "'gate' has 1 to" },
                { "gate = off;", ":1: ", "syntax error" },
                { "gate_lease = 5; gate = \"off\";\n\ngate_lease = 6;",
                  ":3: ", "'gate_lease' stands here twice" },
                { "gates = \"off\";", ":1: ", "did you mean 'gate'" },
                { "gate_lease = 0;", ":1: ", "1 to 3600" },
                { "gate_lease = 3601;", ":1: ", "1 to 3600" },
                { "gate_lease = \"10\";", ":1: ", "is a number" },
                { "gate_laese = 10;", ":1: ", "did you mean 'gate_lease'" },
                { "gate_except = \"/usr/bin/x\";", ":1: ", "is an array" },
                { "gate_except = 7;", ":1: ", "is an array" },
                { "gate_except = [ 7 ];", ":1: ", "'gate_except' is a string" },
                { "gate_except = [ \"\" ];", ":1: ", "'gate_except' has 1 to" },
                { "gate_except = [ \"/x\",\n \"" LONG LONG LONG LONG "\" ];",
                  ":2: ", "'gate_except' has 1 to" },
                { "gate_except = [ \"driverctl\" ];", ":1: ", "'driverctl' is neither" },
                { "gate_except = ( \"/x\",\n\"bin/x.y\" );", ":2: ", "'bin/x.y' is neither" },
                { "gate_except = ( { a = 1; } );", ":1: ", "'gate_except' is a string" },
                { "gate_except = [ " FOUR FOUR FOUR FOUR " \"/x\" ];", ":1: ", "more than 16" },
        };

        (void) state;
        assert_told(mistakes, ELEMENTSOF(mistakes));
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
        assert_int_equal(lint("a1e5 = 1.5e3; b = 2.; c = -1.5E-3; d = 1e5;", &why), 0);
}

/* libconfig needs no ';', and reads the first as two settings: 4 and what comes behind it. */
static void a_number_hides_no_other_behind_it(void **state) {
        static const char *const texts[] = {
                "a = 4294967300e = 5;",
                "a = 4294967300eswitch = \"x\";",
                "a = 1.5.010;",
                "a = 010.5e;",
                "a = 0x10000000.8p3;",
                "a = 1e+b = 2;",
                "a = 0xffffffff;",
                "a = 18446744073709551615L;",
                "a = 0xffffffffffffffffL",
                "a = -9223372036854775809L;",
                "a = 5LL5;",
                "a = 1_000;",
        };
        const char *why;

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                assert_int_equal(lint(texts[i], &why), 1);
        assert_int_equal(lint("a = 0x7fffffff; b = -9223372036854775808L; c = 0xffffffffL;", &why),
                         0);
}

static void what_is_no_syntax_is_told_in_words(void **state) {
        static const Mistake mistakes[] = {
                { "fan_out = 2;;", ":1: ", "should stand a name" },
                { "fan_out 2;", ":1: ", "should stand '='" },
                { "fan_out\n= \n;", ":3: ", "should stand a value" },
                { "gate = protect;", ":1: ", "a word stands in quotes" },
                { "x = { a = 1;\n b = 2; ", ":2: ", "'}' is missing" },
                { "x = { a = 1; )", ":1: ", "should stand a name" },
                { "x = ( 1, 2;\n", ":1: ", "',' or a bracket" },
                { "x = ( 1, );", ":1: ", "should stand a value" },
                { "x = ( 1,\n", ":2: ", "should stand a value" },
                { "x = [ 1 \n", ":2: ", "bracket is missing" },
                { "x = [ 1,\n \"a\" ];", ":2: ", "of one kind" },
                { "x = [ 1, 2L ];", ":1: ", "of one kind" },
                { "x = [ { a = 1; } ];", ":1: ", "simple values" },
                { "x = [ 1, [ 2 ] ];", ":1: ", "simple values" },
                { "5 = 6;", ":1: ", "should stand a name" },
                { "/* a\n b */ x = .5;", ":2: ", "should stand a value" },
                { "x = -0x5;", ":1: ", "no sign" },
                { "\"x\" = 5;", ":1: ", "should stand a name" },
        };

        (void) state;
        assert_told(mistakes, ELEMENTSOF(mistakes));
}

static void what_is_nested_too_deep_is_refused(void **state) {
        const char *why;

        (void) state;
        assert_int_equal(lint("a = ((((((((((((((((1\n))))))))))))))));", &why), 0);
        assert_int_equal(lint("a = ((((((((((((((((\n(1)))))))))))))))));", &why), 2);
        assert_int_equal(
                lint("a = (1); b = {}; c = []; d = ]]]]; e = \"((((((((((((((((((((\";", &why), 0);
}

static void a_file_too_large_or_binary_is_refused(void **state) {
        _cleanup_free_ char *text = malloc(1100 * 1024);
        SettingsError e;
        Settings s;
        FILE *f;

        (void) state;
        assert_non_null(text);
        memset(text, '#', 1100 * 1024 - 1);
        text[1100 * 1024 - 1] = '\0';
        assert_int_equal(read_settings(text, &s, &e), -EBADMSG);
        f = fopen(path, "we");
        assert_non_null(f);
        assert_int_equal(fwrite("a\0b", 1, 3, f), 3);
        assert_int_equal(fclose(f), 0);
        assert_int_equal(settings_read(path, &s, &e), -EBADMSG);
}

static void nothing_but_a_file_is_read(void **state) {
        SettingsError e;
        Settings s;

        (void) state;
        unlink(path);
        assert_int_equal(mkfifo(path, 0600), 0);
        assert_int_equal(settings_read(path, &s, &e), -EINVAL);
        assert_int_equal(settings_read("/dev/zero", &s, &e), -EINVAL);
        assert_int_equal(settings_read("/dev/null", &s, &e), 0);
        unlink(path);
}

static void what_is_told_is_one_line_of_utf8(void **state) {
        SettingsError e;
        Settings s;

        (void) state;
        assert_int_equal(read_settings("gate = \"a\\nb\\x1bc\xff\";", &s, &e), -EBADMSG);
        assert_non_null(strstr(e.text, "'a?b?c?'"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_a_file_says_counts_and_the_rest_has_its_default),
                cmocka_unit_test(the_gate_is_set_up_as_the_file_says),
                cmocka_unit_test(a_file_that_is_not_there_is_told_apart),
                cmocka_unit_test(every_mistake_is_told_with_its_line),
                cmocka_unit_test(every_mistake_about_the_gate_is_told_with_its_line),
                cmocka_unit_test(strings_and_comments_may_hold_anything),
                cmocka_unit_test(a_number_hides_no_other_behind_it),
                cmocka_unit_test(what_is_no_syntax_is_told_in_words),
                cmocka_unit_test(what_is_nested_too_deep_is_refused),
                cmocka_unit_test(nothing_but_a_file_is_read),
                cmocka_unit_test(what_is_told_is_one_line_of_utf8),
                cmocka_unit_test(a_file_too_large_or_binary_is_refused),
        };

        return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
