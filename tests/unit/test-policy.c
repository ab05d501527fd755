/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy: which one has a PF, and what comes out of it for each VF
 */
#include "tests/unit/test.h"

#include "core/policy.h"

#define IDENTITY 77

static char *one[] = { NULL, NULL };

/* Patterns of one key, borrowed: no test frees them. */
static Policy policy(const char *name, int32_t priority, MatchKey k, const char *pattern) {
        static char *patterns[32][2];
        static size_t n;
        char **mine = patterns[n++ % ELEMENTSOF(patterns)];
        Policy p = { .priority = priority, .manage = true, .reconcile = true };

        assert_int_equal(str_copy(p.name, sizeof(p.name), name), 0);
        mine[0] = (char *) pattern;
        p.match[k] = mine;
        return p;
}

static Fn igb(void) {
        return (Fn){ .bdf = PF,
                     .pf = BDF_NONE,
                     .flags = FN_PF,
                     .class = 0x020000,
                     .vendor = 0x8086,
                     .device = 0x10c9,
                     .total_vfs = 7,
                     .identity = IDENTITY,
                     .driver = "igb",
                     .netdevs = (char *) "ens1f0 ens1f0d1" };
}

static PfFacts facts(void) {
        static char *altnames[] = { (char *) "storage0", NULL };
        static char *macs[] = { (char *) "02:00:00:00:0a:01", NULL };

        return (PfFacts){ .pf = PF,
                          .identity = IDENTITY,
                          .altnames = altnames,
                          .macs = macs,
                          .serial = (char *) "00-1b-21-ff-ff-c0-ff-ee",
                          .path = (char *) "pci-0000:01:00.0" };
}

static int find(Policy *items, size_t n, const PfFacts *f, const Policy **ret) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 0, "");
        Policies all = { items, n };
        const Policy *other = NULL;
        Fn pf = igb();

        return policy_find(&all, s, &pf, f, ret, &other);
}

static void a_pf_is_matched_by_all_that_it_is_known_by(void **state) {
        static const struct {
                MatchKey key;
                const char *pattern;
                bool fits;
        } rows[] = {
                { MATCH_ADDRESS, "0000:01:00.0", true },
                { MATCH_ADDRESS, "0000:01:00.*", true },
                { MATCH_ADDRESS, "01:00.0", true },
                { MATCH_ADDRESS, "01:00.[!0]", false },
                { MATCH_ADDRESS, "1:00.0", false },
                { MATCH_DRIVER, "igb", true },
                { MATCH_DRIVER, "IGB", false },
                { MATCH_DRIVER, "igbvf", false },
                { MATCH_VENDOR, "0x8086", true },
                { MATCH_VENDOR, "8086", true },
                { MATCH_VENDOR, "0x8087", false },
                { MATCH_DEVICE, "0x10C9", true },
                { MATCH_DEVICE, "0x10c?", true },
                { MATCH_CLASS, "network", true },
                { MATCH_CLASS, "0x020000", true },
                { MATCH_CLASS, "02*", true },
                { MATCH_CLASS, "storage", false },
                { MATCH_SLOT, "1", true },
                { MATCH_SLOT, "2", false },
                { MATCH_NETDEV, "ens1f0", true },
                { MATCH_NETDEV, "ens1f0d1", true },
                { MATCH_NETDEV, "storage?", true },
                { MATCH_NETDEV, "ens1f0 ens1f0d1", false },
                { MATCH_NETDEV, "Storage0", false },
                { MATCH_MAC, "02:00:00:00:0A:*", true },
                { MATCH_MAC, "02:00:00:00:0b:*", false },
                { MATCH_SERIAL, "00-1B-21-*", true },
                { MATCH_SERIAL, "00-1c-21-*", false },
                { MATCH_PATH, "pci-0000:01:00.0", true },
                { MATCH_PATH, "pci-0000:02:*", false },
        };
        PfFacts f = facts();
        uint32_t seen = 0;

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Policy p = policy("p", 0, rows[i].key, rows[i].pattern);
                const Policy *ret = NULL;

                assert_int_equal(find(&p, 1, &f, &ret), rows[i].fits ? 0 : POLICY_E_NONE);
                assert_ptr_equal(ret, rows[i].fits ? &p : NULL);
                seen |= 1u << rows[i].key;
        }
        assert_int_equal(seen, (1u << _MATCH_MAX) - 1);
}

static void every_key_that_is_asked_must_fit_and_of_its_patterns_one(void **state) {
        char *drivers[] = { (char *) "ice", (char *) "igb", NULL };
        Policy p = policy("p", 0, MATCH_VENDOR, "0x8086");
        const Policy *ret;

        (void) state;
        p.match[MATCH_DRIVER] = drivers;
        assert_int_equal(find(&p, 1, NULL, &ret), 0);
        p.match[MATCH_CLASS] = one;
        one[0] = (char *) "storage";
        assert_int_equal(find(&p, 1, NULL, &ret), POLICY_E_NONE);
}

static void classes_are_told_by_their_names(void **state) {
        static const struct {
                uint32_t class;
                const char *name;
        } rows[] = {
                { 0x010802, "storage" },    { 0x020000, "network" }, { 0x030000, "display" },
                { 0x0b4000, "processing" }, { 0x100000, "crypto" },  { 0x120000, "accelerator" },
        };
        _cleanup_(snapshot_freep) Snapshot *s = snapshot_new();

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Policy p = policy("p", 0, MATCH_CLASS, rows[i].name);
                Fn pf = { .bdf = PF, .class = rows[i].class };
                const Policy *ret, *other;

                assert_int_equal(policy_find(&(Policies){ &p, 1 }, s, &pf, NULL, &ret, &other), 0);
                pf.class = 0x0c0000;
                assert_int_equal(policy_find(&(Policies){ &p, 1 }, s, &pf, NULL, &ret, &other),
                                 POLICY_E_NONE);
                assert_string_equal(match_class_name((unsigned) i), rows[i].name);
        }
        assert_null(match_class_name(ELEMENTSOF(rows)));
}

static void the_highest_priority_has_the_pf_wherever_it_stands(void **state) {
        Policy items[] = { policy("low", -1, MATCH_DRIVER, "igb"),
                           policy("high", 9, MATCH_DRIVER, "i*"),
                           policy("middle", 5, MATCH_DRIVER, "*"),
                           policy("higher", 10, MATCH_DRIVER, "ice") };
        const Policy *ret = NULL;

        (void) state;
        assert_int_equal(find(items, 4, NULL, &ret), 0);
        assert_string_equal(ret->name, "high");
        assert_int_equal(find(NULL, 0, NULL, &ret), POLICY_E_NONE);
}

static void two_of_equal_priority_are_a_conflict_that_names_both(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 0, "");
        Policy items[] = { policy("a", 5, MATCH_DRIVER, "igb"),
                           policy("b", 5, MATCH_VENDOR, "0x8086"),
                           policy("c", 4, MATCH_VENDOR, "0x8086") };
        const Policy *ret = NULL, *other = NULL;
        Fn pf = igb();

        (void) state;
        assert_int_equal(policy_find(&(Policies){ items, 3 }, s, &pf, NULL, &ret, &other),
                         POLICY_E_CONFLICT);
        assert_string_equal(ret->name, "a");
        assert_string_equal(other->name, "b");
        /* A higher one settles it, and two that both keep their hands off agree. */
        items[2].priority = 6;
        assert_int_equal(policy_find(&(Policies){ items, 3 }, s, &pf, NULL, &ret, &other), 0);
        assert_string_equal(ret->name, "c");
        items[2].priority = 4;
        items[0].manage = false;
        assert_int_equal(policy_find(&(Policies){ items, 3 }, s, &pf, NULL, &ret, &other),
                         POLICY_E_CONFLICT);
        items[1].manage = false;
        assert_int_equal(policy_find(&(Policies){ items, 3 }, s, &pf, NULL, &ret, &other),
                         POLICY_E_NONE);
}

static void hands_off_hides_what_is_of_lower_priority(void **state) {
        Policy items[] = { policy("off", 5, MATCH_DRIVER, "igb"),
                           policy("low", 4, MATCH_DRIVER, "igb") };
        const Policy *ret = NULL;

        (void) state;
        items[0].manage = false;
        assert_int_equal(find(items, 2, NULL, &ret), POLICY_E_NONE);
        items[0].priority = 3;
        assert_int_equal(find(items, 2, NULL, &ret), 0);
        assert_string_equal(ret->name, "low");
}

static void what_is_not_known_yet_is_waited_for_only_where_it_matters(void **state) {
        Policy items[] = { policy("driver", 5, MATCH_DRIVER, "igb"),
                           policy("mac", 5, MATCH_MAC, "02:*") };
        PfFacts known = facts(), none = { .pf = PF, .identity = IDENTITY }, old = facts();
        const Policy *ret = NULL;

        (void) state;
        /* Of equal priority it would be a conflict, of a higher one the winner. */
        assert_int_equal(find(items, 2, NULL, &ret), POLICY_E_UNKNOWN);
        assert_int_equal(find(items, 2, &known, &ret), POLICY_E_CONFLICT);
        assert_int_equal(find(items, 2, &none, &ret), 0);
        items[1].priority = 6;
        assert_int_equal(find(items, 2, NULL, &ret), POLICY_E_UNKNOWN);
        assert_int_equal(find(items, 2, &known, &ret), 0);
        assert_string_equal(ret->name, "mac");
        /* Of a lower one it has no say; nor where something else of it does not fit. */
        items[1].priority = 4;
        assert_int_equal(find(items, 2, NULL, &ret), 0);
        assert_string_equal(ret->name, "driver");
        items[1].priority = 6;
        items[1].match[MATCH_DRIVER] = one;
        one[0] = (char *) "ice";
        assert_int_equal(find(items, 2, NULL, &ret), 0);
        /* Alone it may be the one, and a name that the snapshot has is known without a child. */
        items[1].match[MATCH_DRIVER] = NULL;
        assert_int_equal(find(items + 1, 1, NULL, &ret), POLICY_E_UNKNOWN);
        items[1] = policy("netdev", 6, MATCH_NETDEV, "ens1f0");
        assert_int_equal(find(items + 1, 1, NULL, &ret), 0);
        items[1] = policy("netdev", 6, MATCH_NETDEV, "storage0");
        assert_int_equal(find(items + 1, 1, NULL, &ret), POLICY_E_UNKNOWN);
        /* What was told of the device that was there before says nothing. */
        old.identity++;
        assert_int_equal(find(items + 1, 1, &old, &ret), POLICY_E_UNKNOWN);
}

static void the_number_is_what_the_policy_says(void **state) {
        Policy p = policy("p", 0, MATCH_DRIVER, "igb");
        Fn pf = igb();
        Wanted w;

        (void) state;
        p.eswitch = ESWITCH_SWITCHDEV;
        p.rollback = p.force = p.disable_on_sleep = true;
        assert_int_equal(policy_want(&p, &pf, &w), 0);
        assert_false(w.has_count);
        assert_int_equal(w.n_vfs, 7);
        assert_true(bdf_equal(w.pf, PF));
        assert_string_equal(w.policy, "p");
        assert_int_equal(w.eswitch, ESWITCH_SWITCHDEV);
        assert_int_equal(w.flags, OP_ROLLBACK | OP_FORCE_IN_USE);
        assert_true(w.reconcile && w.disable_on_sleep);
        wanted_done(&w);
        p.count_kind = COUNT_MAX;
        assert_int_equal(policy_want(&p, &pf, &w), 0);
        assert_true(w.has_count && w.count == 7 && w.n_vfs == 7);
        wanted_done(&w);
        p.count_kind = COUNT_NUMBER;
        p.count = 9;
        assert_int_equal(policy_want(&p, &pf, &w), 0);
        assert_true(w.has_count && w.count == 9 && w.n_vfs == 9);
        wanted_done(&w);
        p.count = 0;
        assert_int_equal(policy_want(&p, &pf, &w), 0);
        assert_true(w.has_count && w.count == 0 && w.n_vfs == 0);
        wanted_done(&w);
}

static VfAttrs attrs(const char *text) {
        VfAttrs a = {};

        assert_int_equal(vfattrs_parse(text, &a), 0);
        return a;
}

static void assert_wish(const Wanted *w, uint32_t index, const char *driver, const char *text) {
        const VfWish *wish = wanted_vf(w, index);
        char buf[VFATTRS_TEXT_MAX];

        assert_int_equal(wish->has_driver, driver != NULL);
        assert_string_equal(wish->driver, driver ? driver : "");
        assert_string_equal(vfattrs_format(&wish->attrs, _VFATTR_MAX, buf, sizeof(buf)), text);
}

static void a_later_rule_covers_an_earlier_one_attribute_by_attribute(void **state) {
        VfRule rules[] = {
                { .ranges = { { 1, 2 }, { 4, 4 } },
                  .n_ranges = 2,
                  .has_driver = true,
                  .attrs = attrs("vlan=100") },
                { .ranges = { { 2, 99 } }, .n_ranges = 1, .attrs = attrs("spoofchk=off") },
        };
        Policy p = policy("p", 0, MATCH_DRIVER, "igb");
        Fn pf = igb();
        Wanted w;

        (void) state;
        p.vf_default = (VfRule){ .has_driver = true,
                                 .driver = "vfio-pci",
                                 .attrs = attrs("vlan=5 qos=3 spoofchk=on trust=on") };
        p.vf = rules;
        p.n_vf = ELEMENTSOF(rules);
        assert_int_equal(policy_want(&p, &pf, &w), 0);
        assert_wish(&w, 0, "vfio-pci", "vlan=5 qos=3 spoofchk=on trust=on");
        assert_wish(&w, 1, "", "vlan=100 spoofchk=on trust=on");
        assert_wish(&w, 2, "", "vlan=100 spoofchk=off trust=on");
        assert_wish(&w, 3, "vfio-pci", "vlan=5 qos=3 spoofchk=off trust=on");
        assert_wish(&w, 4, "", "vlan=100 spoofchk=off trust=on");
        assert_wish(&w, 6, "vfio-pci", "vlan=5 qos=3 spoofchk=off trust=on");
        assert_wish(&w, 7, NULL, "");
        wanted_done(&w);
}

static void words_in_braces_are_filled_in_for_each_vf(void **state) {
        VfRule rule = { .ranges = { { 1, 1 } },
                        .n_ranges = 1,
                        .attrs = attrs("mac=02:00:00:00:00:99") };
        Policy p = policy("p", 0, MATCH_DRIVER, "igb");
        Fn pf = igb();
        Wanted w;

        (void) state;
        p.vf_default = (VfRule){ .mac = (char *) "02:00:{pf}:00:{index}",
                                 .node_guid = (char *) "00:00:00:00:{pf}:01:{index}",
                                 .port_guid = (char *) "00:00:00:00:{pf}:02:{index}" };
        p.vf = &rule;
        p.n_vf = 1;
        pf.bdf = (Bdf){ 0, 0x3b0a };
        pf.total_vfs = 300;
        assert_int_equal(policy_want(&p, &pf, &w), 0);
        assert_wish(&w, 0, NULL,
                    "mac=02:00:3b:0a:00:00 node-guid=00:00:00:00:3b:0a:01:00 "
                    "port-guid=00:00:00:00:3b:0a:02:00");
        assert_wish(&w, 1, NULL,
                    "mac=02:00:00:00:00:99 node-guid=00:00:00:00:3b:0a:01:01 "
                    "port-guid=00:00:00:00:3b:0a:02:01");
        assert_wish(&w, 255, NULL,
                    "mac=02:00:3b:0a:00:ff node-guid=00:00:00:00:3b:0a:01:ff "
                    "port-guid=00:00:00:00:3b:0a:02:ff");
        /* Two digits hold no more, and none is given an address twice. */
        assert_wish(&w, 256, NULL, "");
        wanted_done(&w);
}

static void what_does_not_come_out_as_an_address_is_refused(void **state) {
        static const char *const texts[] = {
                "",
                "{index}",
                "02:00:00:00:00:{idx}",
                "02:00:00:00:00:{index",
                "03:00:00:00:00:{index}",
                "02:00:00:00:00:00:{index}",
                "02:00:{pf}:{pf}:{pf}:{pf}:{pf}:{pf}:{index}",
                "{pf}:{pf}:{pf}",
        };
        VfAttrs a = {};

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                assert_int_equal(policy_expand(texts[i], PF, 3, VFKEY_MAC, &a), -EINVAL);
        assert_int_equal(policy_expand("02:00:00:00:00:{index}", PF, 256, VFKEY_MAC, &a), -EINVAL);
        assert_int_equal(a.has, 0);
        assert_int_equal(policy_expand("02:00:{pf}:00:{index}", PF, 255, VFKEY_MAC, &a), 0);
        assert_int_equal(a.value[VFKEY_MAC], 0x0200010000ff);
}

static void keys_are_found_by_their_names(void **state) {
        (void) state;
        for (MatchKey k = 0; k < _MATCH_MAX; k++)
                assert_int_equal(match_key_from_string(match_key_to_string(k)), k);
        assert_int_equal(match_key_from_string("adress"), _MATCH_MAX);
        assert_null(match_key_to_string(_MATCH_MAX));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_pf_is_matched_by_all_that_it_is_known_by),
                cmocka_unit_test(every_key_that_is_asked_must_fit_and_of_its_patterns_one),
                cmocka_unit_test(classes_are_told_by_their_names),
                cmocka_unit_test(the_highest_priority_has_the_pf_wherever_it_stands),
                cmocka_unit_test(two_of_equal_priority_are_a_conflict_that_names_both),
                cmocka_unit_test(hands_off_hides_what_is_of_lower_priority),
                cmocka_unit_test(what_is_not_known_yet_is_waited_for_only_where_it_matters),
                cmocka_unit_test(the_number_is_what_the_policy_says),
                cmocka_unit_test(a_later_rule_covers_an_earlier_one_attribute_by_attribute),
                cmocka_unit_test(words_in_braces_are_filled_in_for_each_vf),
                cmocka_unit_test(what_does_not_come_out_as_an_address_is_refused),
                cmocka_unit_test(keys_are_found_by_their_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
