/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/op.h"

#include "tests/unit/test.h"

static void every_operation_has_a_name_and_back(void **state) {
        (void) state;
        for (OpKind k = 0; k < _OP_MAX; k++) {
                assert_non_null(op_kind_to_string(k));
                assert_int_equal(op_kind_from_string(op_kind_to_string(k)), k);
        }
        assert_int_equal(op_kind_from_string("no-such"), _OP_INVALID);
        assert_null(op_kind_to_string(_OP_MAX));
}

static void force_and_options_make_another_operation(void **state) {
        Op a = { .kind = OP_SET_VFS, .fn = PF, .count = 4 }, b = a;

        (void) state;
        assert_true(op_equal(&a, &b));
        b.count = 5;
        assert_false(op_equal(&a, &b));
        assert_true(op_same_subject(&a, &b));
        b.flags = OP_FORCE_IN_USE;
        assert_false(op_same_subject(&a, &b));
        b = a;
        b.fn = BDF(2, 0, 0);
        assert_false(op_same_subject(&a, &b));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_operation_has_a_name_and_back),
                cmocka_unit_test(force_and_options_make_another_operation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
