/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holders as values: kinds, what overrides them, and how they are told
 */
#include "core/holder.h"

#include "tests/unit/test.h"

static Holder holder(HolderKind kind, uint32_t pid, const char *command, const char *detail) {
        Holder h = { .kind = kind, .fn = VF0, .pid = pid };

        assert_int_equal(str_copy(h.command, sizeof(h.command), command), 0);
        assert_int_equal(str_copy(h.detail, sizeof(h.detail), detail), 0);
        return h;
}

static void every_kind_has_a_name_and_only_a_note_needs_no_force(void **state) {
        (void) state;
        for (HolderKind k = 0; k < _HOLDER_KIND_MAX; k++) {
                assert_int_equal(holder_kind_from_string(holder_kind_to_string(k)), k);
                assert_int_equal(holder_force(k) == 0, k == HOLDER_NOTE);
        }
        assert_int_equal(holder_kind_from_string("no-such"), _HOLDER_KIND_MAX);
        assert_int_equal(holder_force(HOLDER_MOUNT), OP_FORCE_STORAGE);
        assert_int_equal(holder_force(HOLDER_BLOCK), OP_FORCE_STORAGE);
}

static void what_cannot_be_told_is_not_free(void **state) {
        const Holder h = holder(HOLDER_UNKNOWN, 0, "", "EACCES");
        Holders all = {};

        (void) state;
        assert_int_equal(holders_force(&all), 0);
        assert_int_equal(holders_add(&all, &h), 0);
        assert_int_equal(holders_force(&all), OP_FORCE_IN_USE);
        holders_done(&all);
        assert_int_equal(all.n, 0);
}

static void the_same_user_is_listed_once(void **state) {
        const Holder a = holder(HOLDER_VFIO, 1, "qemu", "/dev/vfio/1"),
                     b = holder(HOLDER_VFIO, 2, "qemu", "/dev/vfio/1"),
                     m = holder(HOLDER_SWAP, 0, "", "/dev/nvme1n1");
        Holders all = {};

        (void) state;
        assert_int_equal(holders_add(&all, &a), 0);
        assert_int_equal(holders_add(&all, &a), 0);
        assert_int_equal(all.n, 1);
        assert_int_equal(holders_add(&all, &b), 0);
        assert_int_equal(holders_add(&all, &m), 0);
        assert_int_equal(all.n, 3);
        assert_int_equal(holders_force(&all), OP_FORCE_IN_USE | OP_FORCE_STORAGE);
        holders_done(&all);
}

static void a_line_names_kind_process_and_place(void **state) {
        const struct {
                Holder h;
                const char *line;
        } table[] = {
                { holder(HOLDER_VFIO, 4711, "qemu-system-x86", "/dev/vfio/12"),
                  "vfio: qemu-system-x86 (pid 4711), /dev/vfio/12" },
                { holder(HOLDER_VFIO, 0, "", "/dev/vfio/12 is open, by whom cannot be told"),
                  "vfio: /dev/vfio/12 is open, by whom cannot be told" },
                { holder(HOLDER_HOLD, 0, "backup", "until dawn"), "hold: backup, until dawn" },
                { holder(HOLDER_DRM, 7, "", ""), "drm: ? (pid 7)" },
        };
        char line[HOLDER_STR_MAX];

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                assert_string_equal(holder_format(&table[i].h, line, sizeof(line)), table[i].line);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_kind_has_a_name_and_only_a_note_needs_no_force),
                cmocka_unit_test(what_cannot_be_told_is_not_free),
                cmocka_unit_test(the_same_user_is_listed_once),
                cmocka_unit_test(a_line_names_kind_process_and_place),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
