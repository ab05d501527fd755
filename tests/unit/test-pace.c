/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long a write may take: the tables, the file's rows over them, and what was seen
 */
#include "core/pace.h"

#include "tests/unit/test.h"

static Step vfs_on(const char *driver, uint32_t n) {
        Step step = { .rung = RUNG_VFS_ON, .fn = PF, .vf = BDF_NONE, .n = n };

        str_copy(step.was, sizeof(step.was), driver);
        return step;
}

static void add_row(Pace *p, const char *driver, Rung rung, uint32_t base, uint32_t per_vf) {
        PaceRow *row = p->rows + p->n_rows++;

        *row = (PaceRow){ .rung = rung, .base_sec = base, .per_vf_sec = per_vf };
        str_copy(row->driver, sizeof(row->driver), driver);
}

static void without_a_file_the_ladder_says(void **state) {
        const Step step = vfs_on("igb", 7);
        Pace p = {};

        (void) state;
        assert_int_equal(pace_deadline_sec(&p, &step),
                         rung_base_sec(RUNG_VFS_ON) + 7 * rung_per_vf_sec(RUNG_VFS_ON));
        p.factor = 3;
        assert_int_equal(pace_deadline_sec(&p, &step),
                         3 * (rung_base_sec(RUNG_VFS_ON) + 7 * rung_per_vf_sec(RUNG_VFS_ON)));
}

static void the_row_that_says_most_holds_and_of_two_the_later(void **state) {
        const Step igb = vfs_on("igb", 2), ice = vfs_on("ice", 2), nvme = vfs_on("nvme", 2);
        Pace p = {};

        (void) state;
        add_row(&p, "igb", RUNG_VFS_ON, 10, 1);
        add_row(&p, "igb", RUNG_VFS_ON, 20, 2);
        add_row(&p, "ice", _RUNG_MAX, 30, 3);
        add_row(&p, "*", RUNG_VFS_ON, 40, 4);
        add_row(&p, "*", _RUNG_MAX, 50, 5);
        assert_int_equal(pace_deadline_sec(&p, &igb), 24);
        assert_int_equal(pace_deadline_sec(&p, &ice), 36);
        assert_int_equal(pace_deadline_sec(&p, &nvme), 48);
}

/* The index of a VF is no number of VFs. */
static void only_a_count_is_multiplied(void **state) {
        Step park = { .rung = RUNG_PARK_VF, .fn = PF, .vf = VF0, .n = 1000, .was = "vfio-pci" };
        Pace p = {};

        (void) state;
        add_row(&p, "vfio-pci", RUNG_PARK_VF, 60, 9);
        assert_int_equal(pace_deadline_sec(&p, &park), 60);
}

static void the_driver_that_comes_counts_where_one_comes(void **state) {
        Step bind = { .rung = RUNG_BIND_VF, .fn = PF, .name = "igbvf", .was = "vfio-pci" },
             unbind = { .rung = RUNG_UNBIND, .fn = PF, .name = "", .was = "igb" },
             stub = { .rung = RUNG_STUB_PF, .fn = PF, .was = "igb" };

        (void) state;
        assert_string_equal(pace_driver(&bind), "igbvf");
        assert_string_equal(pace_driver(&unbind), "igb");
        assert_string_equal(pace_driver(&stub), STUB_DRIVER);
}

static void times_seen_stretch_a_deadline_and_never_shorten_it(void **state) {
        const Step step = vfs_on("mlx5_core", 10), other = vfs_on("igb", 10);
        Pace p = {};

        (void) state;
        add_row(&p, "*", RUNG_VFS_ON, 10, 1);
        assert_int_equal(pace_deadline_sec(&p, &step), 20);
        assert_false(pace_learn(&p, &step, 1000000));
        assert_int_equal(pace_deadline_sec(&p, &step), 20);
        assert_true(pace_learn(&p, &step, 50 * UINT64_C(1000000)));
        assert_int_equal(pace_deadline_sec(&p, &step), 100);
        assert_false(pace_learn(&p, &step, 15 * UINT64_C(1000000)));
        assert_int_equal(pace_deadline_sec(&p, &step), 100);
        assert_int_equal(pace_deadline_sec(&p, &other), 20);
}

static void no_deadline_is_longer_than_an_hour(void **state) {
        const Step step = vfs_on("igb", 65535);
        Pace p = { .factor = 100 };

        (void) state;
        add_row(&p, "*", _RUNG_MAX, PACE_MAX_SEC, 600);
        (void) pace_learn(&p, &step, UINT64_C(1000000) << 32);
        assert_int_equal(pace_deadline_sec(&p, &step), PACE_MAX_SEC);
}

static void what_is_learnt_is_bounded(void **state) {
        Pace p = {};

        (void) state;
        for (unsigned i = 0; i < PACE_SEEN_MAX + 10; i++) {
                char name[16];
                Step step;

                snprintf(name, sizeof(name), "driver%u", i);
                step = vfs_on(name, 0);
                assert_int_equal(pace_learn(&p, &step, UINT64_C(1) << 40), i < PACE_SEEN_MAX);
        }
        assert_int_equal(p.n_seen, PACE_SEEN_MAX);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(without_a_file_the_ladder_says),
                cmocka_unit_test(the_row_that_says_most_holds_and_of_two_the_later),
                cmocka_unit_test(only_a_count_is_multiplied),
                cmocka_unit_test(the_driver_that_comes_counts_where_one_comes),
                cmocka_unit_test(times_seen_stretch_a_deadline_and_never_shorten_it),
                cmocka_unit_test(no_deadline_is_longer_than_an_hour),
                cmocka_unit_test(what_is_learnt_is_bounded),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
