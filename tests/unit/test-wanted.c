/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wanted: what counts as a difference, and how it is told
 */
#include "tests/unit/test.h"

#include "core/wanted.h"

static Wanted wanted(Bdf pf, uint32_t n) {
        Wanted w = { .pf = pf, .has_count = true, .count = n, .n_vfs = n };

        w.vfs = calloc(n + 1, sizeof(VfWish));
        assert_non_null(w.vfs);
        return w;
}

static void wish_driver(Wanted *w, uint32_t index, const char *driver) {
        w->vfs[index].has_driver = true;
        assert_int_equal(str_copy(w->vfs[index].driver, NAME_MAX_LENGTH, driver), 0);
}

static void assert_difference(const Difference *d, int32_t vf, const char *what, const char *to,
                              const char *from, bool disruptive) {
        assert_int_equal(d->vf, vf);
        assert_string_equal(d->what, what);
        assert_string_equal(d->wanted, to);
        assert_string_equal(d->seen, from);
        assert_int_equal(d->disruptive, disruptive);
        assert_true(bdf_equal(d->pf, PF));
}

static void wishes_are_kept_by_pf_and_the_newest_holds(void **state) {
        Bdf pfs[] = { BDF(3, 0, 0), BDF(1, 0, 0), BDF(2, 0, 0), BDF(1, 0, 0) };
        Wanteds all = {};

        (void) state;
        assert_null(wanteds_find(NULL, PF));
        assert_null(wanteds_find(&all, PF));
        for (uint32_t i = 0; i < ELEMENTSOF(pfs); i++) {
                Wanted w = wanted(pfs[i], i + 1);

                assert_int_equal(wanteds_put(&all, &w), 0);
                assert_null(w.vfs);
        }
        assert_int_equal(all.n, 3);
        for (size_t i = 1; i < all.n; i++)
                assert_true(bdf_compare(all.items[i - 1].pf, all.items[i].pf) < 0);
        assert_int_equal(wanteds_find(&all, BDF(1, 0, 0))->count, 4);
        assert_int_equal(wanteds_find(&all, BDF(3, 0, 0))->count, 1);
        assert_null(wanteds_find(&all, BDF(4, 0, 0)));
        wanteds_done(&all);
        assert_int_equal(all.n, 0);
}

static void a_vf_without_a_wish_is_right_as_it_is(void **state) {
        Wanted w = wanted(PF, 1);

        (void) state;
        wish_driver(&w, 0, "vfio-pci");
        assert_true(wanted_vf(&w, 0)->has_driver);
        assert_false(wanted_vf(&w, 1)->has_driver);
        assert_int_equal(wanted_vf(&w, UINT32_MAX)->attrs.has, 0);
        wanted_done(&w);
}

static void a_driver_is_right_if_it_is_the_one_or_the_kernels_choice(void **state) {
        static const struct {
                bool has;
                const char *wish, *seen;
                bool overridden, probes, differs;
        } rows[] = {
                { false, "", "igbvf", true, true, false },
                { true, "", "igbvf", false, true, false },
                /* Somebody else's choice: kept by a name in driver_override. */
                { true, "", "vfio-pci", true, true, true },
                { true, "", "", true, false, true },
                /* None is the kernel's choice only where it was told to make none. */
                { true, "", "", false, true, true },
                { true, "", "", false, false, false },
                { true, "igbvf", "igbvf", true, true, false },
                { true, "vfio-pci", "igbvf", false, true, true },
                { true, "vfio-pci", "", false, true, true },
                { true, "none", "", false, true, false },
                { true, "none", "igbvf", false, true, true },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 1, rows[i].seen);
                VfWish wish = { .has_driver = rows[i].has };
                const Fn *vf = snapshot_find(s, VF0);

                assert_int_equal(str_copy(wish.driver, sizeof(wish.driver), rows[i].wish), 0);
                snapshot_tell_override(s, VF0, vf->identity, rows[i].overridden);
                if (!rows[i].probes)
                        ((Fn *) snapshot_find(s, PF))->flags &= ~(uint32_t) FN_AUTOPROBE;
                assert_int_equal(wanted_driver_differs(&wish, s, vf), rows[i].differs);
        }
}

static void what_was_told_of_an_override_is_of_that_function_alone(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 1, "vfio-pci");
        const Fn *vf = snapshot_find(s, VF0);
        Fn again = { .identity = vf->identity }, other = { .identity = vf->identity + 1 };

        (void) state;
        snapshot_tell_override(s, VF0, vf->identity + 1, true);
        assert_false(vf->flags & FN_OVERRIDDEN);
        snapshot_tell_override(s, VF0, vf->identity, true);
        snapshot_inherit(&again, vf);
        snapshot_inherit(&other, vf);
        assert_true(again.flags & FN_OVERRIDDEN);
        assert_false(other.flags & FN_OVERRIDDEN);
        snapshot_tell_override(s, VF0, vf->identity, false);
        assert_false(vf->flags & FN_OVERRIDDEN);
}

static void what_is_as_wanted_makes_no_difference(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "igbvf");
        Wanted w = wanted(PF, 2);
        Differences d = {};

        (void) state;
        wish_driver(&w, 0, "igbvf");
        assert_int_equal(wanted_minus_seen(&w, s, &d), 0);
        w.pf = BDF(9, 0, 0); /* is not there: nothing can be said of it */
        assert_int_equal(wanted_minus_seen(&w, s, &d), 0);
        assert_int_equal(d.n, 0);
        differences_done(&d);
        wanted_done(&w);
}

static void another_number_is_one_difference_and_hides_those_of_vfs_that_go(void **state) {
        _cleanup_(snapshot_freep) Snapshot *none = small_world("igb", 0, ""),
                                           *two = small_world("igb", 2, "igbvf");
        Wanted w = wanted(PF, 4);
        Differences d = {};

        (void) state;
        wish_driver(&w, 0, "vfio-pci");
        assert_int_equal(wanted_minus_seen(&w, none, &d), 0);
        assert_int_equal(wanted_minus_seen(&w, two, &d), 0);
        assert_int_equal(d.n, 2);
        assert_difference(d.items, -1, "vfs", "4", "0", false);
        assert_difference(d.items + 1, -1, "vfs", "4", "2", true);
        differences_done(&d);
        w.has_count = false; /* keep: the VFs that there are stay, and count */
        assert_int_equal(wanted_minus_seen(&w, two, &d), 0);
        assert_int_equal(d.n, 1);
        assert_difference(d.items, 0, "driver", "vfio-pci", "igbvf", true);
        differences_done(&d);
        wanted_done(&w);
}

static void another_mode_is_told_before_the_number(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 1, "igbvf");
        Wanted w = wanted(PF, 2);
        Differences d = {};

        (void) state;
        w.eswitch = ESWITCH_SWITCHDEV;
        assert_int_equal(wanted_minus_seen(&w, s, &d), 0);
        assert_int_equal(d.n, 2);
        assert_difference(d.items, -1, "eswitch", "switchdev", "", true);
        assert_difference(d.items + 1, -1, "vfs", "2", "1", true);
        differences_done(&d);
        s->fns[2].eswitch = ESWITCH_SWITCHDEV;
        assert_true(bdf_equal(s->fns[2].bdf, PF));
        assert_false(wanted_eswitch_differs(&w, s->fns + 2));
        w.eswitch = ESWITCH_KEEP;
        assert_false(wanted_eswitch_differs(&w, s->fns + 2));
        wanted_done(&w);
}

static void each_attribute_of_a_vf_is_a_difference_of_its_own(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "igbvf");
        Wanted w = wanted(PF, 2);
        Differences d = {};
        VfAttrs seen = {};

        (void) state;
        assert_int_equal(vfattrs_parse("vlan=5 trust=on", &seen), 0);
        snapshot_tell(s, VF1, snapshot_find(s, VF1)->identity, &seen, ESWITCH_KEEP);
        assert_int_equal(vfattrs_parse("msix=8 vlan=100 qos=3 trust=on", &w.vfs[1].attrs), 0);
        wish_driver(&w, 1, "none");
        assert_int_equal(wanted_minus_seen(&w, s, &d), 0);
        assert_int_equal(d.n, 3);
        assert_difference(d.items, 1, "driver", "none", "igbvf", true);
        /* Its driver is not taken from it for what nobody can see. */
        assert_difference(d.items + 1, 1, "msix", "msix=8", "", false);
        assert_difference(d.items + 2, 1, "vlan", "vlan=100 qos=3", "vlan=5", false);
        differences_done(&d);
        assert_int_equal(vfattrs_parse("vlan=5 trust=on msix=4", &seen), 0);
        snapshot_tell(s, VF1, snapshot_find(s, VF1)->identity, &seen, ESWITCH_KEEP);
        assert_int_equal(wanted_minus_seen(&w, s, &d), 0);
        assert_difference(d.items + 1, 1, "msix", "msix=8", "msix=4", true);
        differences_done(&d);
        /* It is trusted: its MAC may be its own choice, its VLAN is not. */
        assert_int_equal(vfattrs_parse("mac=02:00:00:00:00:01", &w.vfs[1].attrs), 0);
        assert_int_equal(vfattrs_parse("mac=02:00:00:00:00:02", &seen), 0);
        snapshot_tell(s, VF1, snapshot_find(s, VF1)->identity, &seen, ESWITCH_KEEP);
        assert_int_equal(wanted_minus_seen(&w, s, &d), 0);
        for (size_t i = 0; i < d.n; i++)
                assert_int_equal(d.items[i].own, streq(d.items[i].what, "mac"));
        differences_done(&d);
        assert_int_equal(vfattrs_parse("trust=off", &seen), 0);
        snapshot_tell(s, VF1, snapshot_find(s, VF1)->identity, &seen, ESWITCH_KEEP);
        assert_int_equal(wanted_minus_seen(&w, s, &d), 0);
        for (size_t i = 0; i < d.n; i++)
                assert_false(d.items[i].own);
        differences_done(&d);
        wanted_done(&w);
}

static void the_longest_differences_have_room(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 1, "");
        Wanted w = wanted(PF, 1);
        Differences d = {};
        VfAttrs *a = &w.vfs[0].attrs;

        (void) state;
        assert_int_equal(vfattrs_parse("vlan=4095 qos=7 vlan-proto=802.1ad min-rate=4294967295 "
                                       "max-rate=4294967295",
                                       a),
                         0);
        wish_driver(&w, 0, "a_driver_whose_name_is_as_long_as_a_name_can_be_at_all_and_no_m");
        assert_int_equal(wanted_minus_seen(&w, s, &d), 0);
        assert_int_equal(d.n, 3);
        assert_difference(d.items, 0, "driver", w.vfs[0].driver, "none", false);
        assert_difference(d.items + 1, 0, "vlan", "vlan=4095 qos=7 vlan-proto=802.1ad", "", false);
        assert_difference(d.items + 2, 0, "rate", "min-rate=4294967295 max-rate=4294967295", "",
                          false);
        differences_done(&d);
        wanted_done(&w);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(wishes_are_kept_by_pf_and_the_newest_holds),
                cmocka_unit_test(a_vf_without_a_wish_is_right_as_it_is),
                cmocka_unit_test(a_driver_is_right_if_it_is_the_one_or_the_kernels_choice),
                cmocka_unit_test(what_was_told_of_an_override_is_of_that_function_alone),
                cmocka_unit_test(what_is_as_wanted_makes_no_difference),
                cmocka_unit_test(another_number_is_one_difference_and_hides_those_of_vfs_that_go),
                cmocka_unit_test(another_mode_is_told_before_the_number),
                cmocka_unit_test(each_attribute_of_a_vf_is_a_difference_of_its_own),
                cmocka_unit_test(the_longest_differences_have_room),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
