/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/test.h"

static void numbers_are_plain_decimal_and_bounded(void **state) {
        static const char *const bad[] = { "",    "-1",  "+1",  " 1",  "1 ",
                                           "0x2", "010", "1.0", "max", "4\n" };
        uint32_t n = 42;

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_int_equal(parse_u32(bad[i], UINT32_MAX, &n), -EINVAL);
        assert_int_equal(parse_u32("65536", UINT16_MAX, &n), -ERANGE);
        assert_int_equal(parse_u32("4294967300", UINT32_MAX, &n), -ERANGE);
        assert_int_equal(parse_u32("99999999999999999999999", UINT32_MAX, &n), -ERANGE);
        assert_int_equal(n, 42);
        assert_int_equal(parse_u32("0", 0, &n), 0);
        assert_int_equal(n, 0);
        assert_int_equal(parse_u32("65535", UINT16_MAX, &n), 0);
        assert_int_equal(n, 65535);
}

static void a_name_cannot_leave_its_directory(void **state) {
        static const char *const bad[] = {
                "", ".", "..", "../igb", "a/b", "igb\n", "igb ", "ig\"b"
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_false(name_is_valid(bad[i]));
        assert_true(name_is_valid("vfio-pci"));
        assert_true(name_is_valid("0000:00:01.0:pcie004"));
}

static void a_string_is_copied_whole_or_not_at_all(void **state) {
        char buf[4] = "abc";

        (void) state;
        assert_int_equal(str_copy(buf, sizeof(buf), "long"), -ENAMETOOLONG);
        assert_string_equal(buf, "abc");
        assert_int_equal(str_copy(buf, sizeof(buf), "xyz"), 0);
        assert_string_equal(buf, "xyz");
}

static void a_list_keeps_what_it_is_given(void **state) {
        _cleanup_strv_ char **list = NULL;
        char name[16];

        (void) state;
        assert_int_equal(strv_length(NULL), 0);
        for (int i = 99; i >= 0; i--) {
                snprintf(name, sizeof(name), "%02d", i);
                assert_int_equal(strv_push(&list, name), 0);
        }
        assert_int_equal(strv_length(list), 100);
        strv_sort(list);
        assert_string_equal(list[0], "00");
        assert_string_equal(list[99], "99");
        assert_null(list[100]);
        assert_null(startswith("pc", "pci/"));
        assert_string_equal(startswith("pci/x", "pci/"), "x");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(numbers_are_plain_decimal_and_bounded),
                cmocka_unit_test(a_name_cannot_leave_its_directory),
                cmocka_unit_test(a_string_is_copied_whole_or_not_at_all),
                cmocka_unit_test(a_list_keeps_what_it_is_given),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
