/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/bdf.h"

#include "tests/unit/test.h"

static void an_address_is_read_and_written_alike(void **state) {
        static const char *const good[] = { "0000:00:00.0", "0000:01:10.2", "00ff:ff:1f.7",
                                            "10000:e1:00.0", "ffffffff:ff:1f.7" };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                Bdf b;

                assert_int_equal(bdf_parse(good[i], &b), 0);
                assert_string_equal(BDF_STR(b), good[i]);
        }
}

static void the_domain_may_be_left_out(void **state) {
        Bdf b;

        (void) state;
        assert_int_equal(bdf_parse("01:10.2", &b), 0);
        assert_string_equal(BDF_STR(b), "0000:01:10.2");
}

static void what_is_no_address_is_refused(void **state) {
        static const char *const bad[] = { "",
                                           ":",
                                           "01",
                                           "01:10",
                                           "01:10.",
                                           "01:10.8",
                                           "01:20.0",
                                           "1:10.2",
                                           "001:10.2",
                                           "0000:01:10.2x",
                                           " 01:10.2",
                                           "0000:01:10.22",
                                           "000:01:10.2",
                                           "0000:01:1g.2",
                                           "123456789:01:10.2",
                                           "0000:0000:01:10.2",
                                           "0000:01.10.2",
                                           "-0000:01:10.2" };
        Bdf b = { 7, 7 };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_int_equal(bdf_parse(bad[i], &b), -EINVAL);
        assert_int_equal(b.domain, 7);
}

static void addresses_sort_as_the_kernel_lists_them(void **state) {
        (void) state;
        assert_true(bdf_compare((Bdf){ 0, 0xffff }, (Bdf){ 1, 0 }) < 0);
        assert_true(bdf_compare(BDF(1, 0, 0), BDF(1, 0, 1)) < 0);
        assert_true(bdf_compare(BDF(2, 0, 0), BDF(1, 31, 7)) > 0);
        assert_int_equal(bdf_compare(PF, PF), 0);
        assert_true(bdf_same_device(BDF(1, 0, 0), BDF(1, 0, 7)));
        assert_false(bdf_same_device(BDF(1, 0, 0), BDF(1, 1, 0)));
        assert_true(bdf_is_none(BDF_NONE));
        assert_false(bdf_is_none(BDF(0, 0, 0)));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_address_is_read_and_written_alike),
                cmocka_unit_test(the_domain_may_be_left_out),
                cmocka_unit_test(what_is_no_address_is_refused),
                cmocka_unit_test(addresses_sort_as_the_kernel_lists_them),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
