/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/snapshot.h"

#include "tests/unit/test.h"

static void functions_are_found_by_address(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "igbvf");

        (void) state;
        assert_int_equal(s->n_fns, 5);
        assert_int_equal(snapshot_find(s, PF)->n_vfs, 2);
        assert_true(bdf_equal(snapshot_find_vf(s, PF, 1)->bdf, VF1));
        assert_null(snapshot_find_vf(s, PF, 2));
        assert_null(snapshot_find(s, BDF(9, 0, 0)));
        for (size_t i = 1; i < s->n_fns; i++)
                assert_true(bdf_compare(s->fns[i - 1].bdf, s->fns[i].bdf) < 0);
}

static void put_replaces_and_drop_forgets(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = snapshot_new();

        (void) state;
        for (unsigned i = 0; i < 40; i++) {
                Fn fn = { .bdf = BDF(1, (39 - i) / 8, (39 - i) % 8),
                          .pf = BDF_NONE,
                          .netdevs = strdup("eth0") };

                assert_int_equal(snapshot_put(s, &fn), 0);
                assert_null(fn.netdevs);
        }
        for (unsigned i = 0; i < 40; i++) {
                Fn fn = { .bdf = BDF(1, i / 8, i % 8),
                          .pf = BDF_NONE,
                          .n_vfs = 1,
                          .netdevs = strdup("eth1") };

                assert_int_equal(snapshot_put(s, &fn), 0);
        }
        assert_int_equal(s->n_fns, 40);
        for (unsigned i = 0; i < 40; i += 2)
                snapshot_drop(s, BDF(1, i / 8, i % 8));
        snapshot_drop(s, BDF(1, 0, 0));
        assert_int_equal(s->n_fns, 20);
        assert_int_equal(snapshot_find(s, BDF(1, 0, 1))->n_vfs, 1);
        assert_null(snapshot_find(s, BDF(1, 0, 2)));
}

static void below_means_any_depth_and_vfs_with_their_pf(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = snapshot_new();

        (void) state;
        put_bridge(s, PORT, BDF_NONE);
        put_bridge(s, BDF(1, 0, 0), PORT);
        put_pf(s, BDF(2, 0, 0), BDF(1, 0, 0), "igb", 1, "igbvf");
        /* On a bus of its own, as VFs are that do not fit on their PF's: no bridge leads there. */
        put_fn(s,
               (Fn){ .bdf = BDF(3, 0, 0),
                     .parent = BDF_NONE,
                     .pf = BDF(2, 0, 0),
                     .vf_index = 9,
                     .flags = FN_VF },
               "");
        snapshot_seal(s);
        assert_true(snapshot_is_below(s, BDF(2, 0, 0), PORT));
        assert_true(snapshot_is_below(s, BDF(2, 16, 0), PORT));
        assert_true(snapshot_is_below(s, BDF(3, 0, 0), PORT));
        assert_true(snapshot_is_below(s, PORT, PORT));
        assert_false(snapshot_is_below(s, PORT, BDF(2, 0, 0)));
        assert_false(snapshot_is_below(s, BDF(9, 0, 0), PORT));
}

static void a_vf_without_its_pf_is_an_orphan(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = snapshot_new();

        (void) state;
        put_fn(s, (Fn){ .bdf = VF0, .parent = PORT, .pf = PF, .flags = FN_VF }, "nvme");
        put_fn(s, (Fn){ .bdf = BDF(1, 1, 0), .parent = PORT, .pf = BDF_NONE }, "e1000e");
        snapshot_seal(s);
        assert_true(snapshot_find(s, VF0)->flags & FN_ORPHAN);
        assert_non_null(snapshot_orphan_near(s, snapshot_find(s, BDF(1, 1, 0))));
        assert_null(snapshot_find_vf(s, PF, 0));
}

static void devices_are_found_by_what_people_type(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "igbvf");
        const Fn *fn = NULL;

        (void) state;
        ((Fn *) snapshot_find(s, PF))->netdevs = strdup("ens1 ens1np0");
        ((Fn *) snapshot_find(s, VF0))->netdevs = strdup("ens1v0");
        assert_int_equal(snapshot_resolve(s, "0000:01:00.0", &fn), 1);
        assert_true(bdf_equal(fn->bdf, PF));
        assert_int_equal(snapshot_resolve(s, "01:00.0", &fn), 1);
        assert_int_equal(snapshot_resolve(s, "pci/0000:01:00.0", &fn), 1);
        assert_int_equal(snapshot_resolve(s, "ens1np0", &fn), 1);
        assert_true(bdf_equal(fn->bdf, PF));
        assert_int_equal(snapshot_resolve(s, "ens1/vf1", &fn), 1);
        assert_true(bdf_equal(fn->bdf, VF1));
        assert_int_equal(snapshot_resolve(s, "01:00.0/vf0", &fn), 1);
        assert_true(bdf_equal(fn->bdf, VF0));
        fn = NULL;
        assert_int_equal(snapshot_resolve(s, "ens", &fn), 0);
        assert_int_equal(snapshot_resolve(s, "ens1/vf7", &fn), 0);
        assert_int_equal(snapshot_resolve(s, "ens1/vf01", &fn), 0);
        assert_int_equal(snapshot_resolve(s, "", &fn), 0);
        assert_int_equal(snapshot_resolve(s, "/vf1", &fn), 0);
        assert_int_equal(snapshot_resolve(s, "09:00.0", &fn), 0);
        assert_null(fn);
}

static void one_name_on_two_devices_is_ambiguous(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 1, "igbvf");
        const Fn *fn;

        (void) state;
        /* In two network namespaces a name may stand twice. */
        ((Fn *) snapshot_find(s, PF))->netdevs = strdup("eth0");
        ((Fn *) snapshot_find(s, VF0))->netdevs = strdup("eth0");
        assert_int_equal(snapshot_resolve(s, "eth0", &fn), 2);
        assert_int_equal(snapshot_resolve(s, "eth0/vf0", &fn), 2);
}

/* The gate holds its file just now, so that the daemon may not read it. */
static void an_autoprobe_that_could_not_be_seen_is_what_it_was(void **state) {
        Fn on = { .flags = FN_PF | FN_AUTOPROBE, .identity = 7 },
           off = { .flags = FN_PF, .identity = 7 }, other = { .flags = FN_PF, .identity = 8 };
        const struct {
                const Fn *old;
                bool on;
        } cases[] = { { &on, true }, { &off, false }, { NULL, true }, { &other, true } };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Fn fn = { .flags = FN_PF | FN_AUTOPROBE_UNSEEN, .identity = 7 };

                snapshot_inherit(&fn, cases[i].old);
                assert_int_equal(fn.flags, FN_PF | (cases[i].on ? (int) FN_AUTOPROBE : 0));
        }
        snapshot_inherit(&off, &on);
        assert_int_equal(off.flags, FN_PF); /* it was seen */
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(functions_are_found_by_address),
                cmocka_unit_test(put_replaces_and_drop_forgets),
                cmocka_unit_test(below_means_any_depth_and_vfs_with_their_pf),
                cmocka_unit_test(a_vf_without_its_pf_is_an_orphan),
                cmocka_unit_test(devices_are_found_by_what_people_type),
                cmocka_unit_test(one_name_on_two_devices_is_ambiguous),
                cmocka_unit_test(an_autoprobe_that_could_not_be_seen_is_what_it_was),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
