/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VfAttr: which values are taken, and that their words are those that are taken back
 */
#include "tests/unit/test.h"

#include "core/vfattr.h"

typedef struct Value {
        VfKey key;
        const char *text;
        const char *back; /* NULL: the same */
        uint64_t value;
} Value;

static void every_key_takes_its_values_and_gives_them_back(void **state) {
        static const Value values[] = {
                { VFKEY_MSIX, "1", NULL, 1 },
                { VFKEY_MSIX, "2048", NULL, 2048 },
                { VFKEY_QUEUES, "65535", NULL, 65535 },
                { VFKEY_INTERRUPTS, "2048", NULL, 2048 },
                { VFKEY_MAC, "02:00:00:00:01:FF", "02:00:00:00:01:ff", 0x0200000001ff },
                { VFKEY_MAC, "00:00:00:00:00:00", NULL, 0 },
                { VFKEY_VLAN, "0", NULL, 0 },
                { VFKEY_VLAN, "4095", NULL, 4095 },
                { VFKEY_QOS, "7", NULL, 7 },
                { VFKEY_VLAN_PROTO, "802.1Q", NULL, VFATTR_PROTO_8021Q },
                { VFKEY_VLAN_PROTO, "802.1ad", NULL, VFATTR_PROTO_8021AD },
                { VFKEY_SPOOFCHK, "on", NULL, 1 },
                { VFKEY_SPOOFCHK, "no", "off", 0 },
                { VFKEY_TRUST, "true", "on", 1 },
                { VFKEY_TRUST, "0", "off", 0 },
                { VFKEY_LINK_STATE, "auto", NULL, VFATTR_LINK_AUTO },
                { VFKEY_LINK_STATE, "enable", NULL, VFATTR_LINK_ENABLE },
                { VFKEY_LINK_STATE, "disable", NULL, VFATTR_LINK_DISABLE },
                { VFKEY_MIN_RATE, "0", NULL, 0 },
                { VFKEY_MAX_RATE, "4294967295", NULL, UINT32_MAX },
                { VFKEY_QUERY_RSS, "yes", "on", 1 },
                { VFKEY_NODE_GUID, "ff:11:22:33:44:55:66:77", NULL, 0xff11223344556677 },
                { VFKEY_PORT_GUID, "00:11:22:33:44:55:66:77", NULL, 0x11223344556677 },
        };
        char buf[VFATTR_VALUE_MAX];
        uint32_t seen = 0;

        (void) state;
        for (const Value *v = values; v < values + ELEMENTSOF(values); v++) {
                VfAttrs a = {};

                assert_int_equal(vfattrs_set(&a, v->key, v->text), 0);
                assert_int_equal(a.has, 1u << v->key);
                assert_true(a.value[v->key] == v->value);
                assert_string_equal(vfattrs_get(&a, v->key, buf), v->back ? v->back : v->text);
                seen |= a.has;
        }
        assert_int_equal(seen, (1u << _VFKEY_MAX) - 1);
}

static void what_is_no_value_is_refused_and_changes_nothing(void **state) {
        static const struct {
                VfKey key;
                const char *text;
                int r;
        } wrong[] = {
                { VFKEY_MSIX, "0", -ERANGE },
                { VFKEY_MSIX, "2049", -ERANGE },
                { VFKEY_MSIX, "08", -EINVAL },
                { VFKEY_MSIX, "", -EINVAL },
                { VFKEY_QUEUES, "65536", -ERANGE },
                { VFKEY_VLAN, "4096", -ERANGE },
                { VFKEY_VLAN, "-1", -EINVAL },
                { VFKEY_QOS, "8", -ERANGE },
                { VFKEY_QOS, "on", -EINVAL },
                { VFKEY_MAX_RATE, "4294967296", -ERANGE },
                { VFKEY_MAC, "01:00:00:00:00:00", -EINVAL },
                { VFKEY_MAC, "ff:ff:ff:ff:ff:ff", -EINVAL },
                { VFKEY_MAC, "02:00:00:00:00", -EINVAL },
                { VFKEY_MAC, "02:00:00:00:00:00:00", -EINVAL },
                { VFKEY_MAC, "02-00-00-00-00-00", -EINVAL },
                { VFKEY_MAC, "2:0:0:0:0:0", -EINVAL },
                { VFKEY_MAC, "02:00:00:00:00:0g", -EINVAL },
                { VFKEY_MAC, "02:00:00:00:00:0", -EINVAL },
                { VFKEY_MAC, "", -EINVAL },
                { VFKEY_SPOOFCHK, "On", -EINVAL },
                { VFKEY_SPOOFCHK, "2", -EINVAL },
                { VFKEY_VLAN_PROTO, "802.1q", -EINVAL },
                { VFKEY_LINK_STATE, "up", -EINVAL },
                { VFKEY_NODE_GUID, "00:11:22:33:44:55:66", -EINVAL },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                VfAttrs a = { .has = 1u << VFKEY_VLAN, .value[VFKEY_VLAN] = 5 }, before = a;

                assert_int_equal(vfattrs_set(&a, wrong[i].key, wrong[i].text), wrong[i].r);
                assert_true(vfattrs_equal(&a, &before));
        }
}

static void keys_are_found_by_both_spellings(void **state) {
        (void) state;
        for (VfKey k = 0; k < _VFKEY_MAX; k++) {
                assert_int_equal(vfkey_from_string(vfkey_to_string(k)), k);
                assert_non_null(vfkey_expects(k));
                assert_non_null(vfattr_to_string(vfkey_attr(k)));
        }
        assert_int_equal(vfkey_from_string("vlan_proto"), VFKEY_VLAN_PROTO);
        assert_int_equal(vfkey_from_string("vlan-prot"), _VFKEY_MAX);
        assert_int_equal(vfkey_from_string("vlan-proton"), _VFKEY_MAX);
        assert_int_equal(vfkey_from_string(""), _VFKEY_MAX);
        assert_null(vfkey_to_string(_VFKEY_MAX));
        assert_null(vfattr_to_string(_VFATTR_MAX));
}

static VfAttrs attrs(const char *text) {
        VfAttrs a = {};

        assert_int_equal(vfattrs_parse(text, &a), 0);
        return a;
}

static void a_key_that_says_nothing_alone_is_found(void **state) {
        static const struct {
                const char *text;
                VfKey lonely, needs;
        } rows[] = {
                { "qos=3", VFKEY_QOS, VFKEY_VLAN },
                { "vlan-proto=802.1ad trust=on", VFKEY_VLAN_PROTO, VFKEY_VLAN },
                { "queues=2", VFKEY_QUEUES, VFKEY_INTERRUPTS },
                { "interrupts=2", VFKEY_INTERRUPTS, VFKEY_QUEUES },
                { "vlan=5 qos=3 vlan-proto=802.1Q queues=1 interrupts=1", _VFKEY_MAX, 0 },
                { "min-rate=5", _VFKEY_MAX, 0 },
                { "", _VFKEY_MAX, 0 },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                VfAttrs a = attrs(rows[i].text);
                VfKey needs = 0;

                assert_int_equal(vfattrs_lonely(&a, &needs), rows[i].lonely);
                assert_int_equal(needs, rows[i].needs);
        }
}

static void a_rate_that_is_above_its_own_limit_is_found(void **state) {
        static const struct {
                const char *text;
                VfKey crossed;
        } rows[] = {
                { "min-rate=5 max-rate=3", VFKEY_MIN_RATE },
                { "max-rate=3 min-rate=4 trust=on", VFKEY_MIN_RATE },
                { "min-rate=3 max-rate=3", _VFKEY_MAX },
                { "min-rate=5 max-rate=0", _VFKEY_MAX },
                { "min-rate=5", _VFKEY_MAX },
                { "", _VFKEY_MAX },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                VfAttrs a = attrs(rows[i].text);
                VfKey bound = 0;

                assert_int_equal(vfattrs_crossed(&a, &bound), rows[i].crossed);
                assert_int_equal(bound, rows[i].crossed == _VFKEY_MAX ? 0 : VFKEY_MAX_RATE);
        }
}

static void an_attribute_is_compared_with_all_its_keys(void **state) {
        VfAttrs wanted = attrs("vlan=100"), seen = attrs("vlan=100 qos=0 vlan-proto=802.1Q mac=02:"
                                                         "00:00:00:00:01");

        (void) state;
        assert_false(vfattrs_differ(&wanted, &seen, VFATTR_VLAN));
        assert_false(vfattrs_differ(&wanted, &seen, VFATTR_MAC)); /* nothing is wanted of it */
        seen.value[VFKEY_QOS] = 1;
        assert_true(vfattrs_differ(&wanted, &seen, VFATTR_VLAN));
        seen = attrs("trust=on");
        assert_true(vfattrs_differ(&wanted, &seen, VFATTR_VLAN)); /* cannot be seen */
        wanted = attrs("vlan=0");
        assert_true(vfattrs_differ(&wanted, &seen, VFATTR_VLAN));
}

static void what_lies_above_covers_whole_attributes(void **state) {
        VfAttrs below = attrs("vlan=5 qos=3 trust=on min-rate=10"),
                above = attrs("vlan=7 max-rate=20");
        VfAttrs both = vfattrs_overlay(&below, &above),
                expected = attrs("vlan=7 trust=on max-rate=20");

        (void) state;
        assert_true(vfattrs_equal(&both, &expected));
        both = vfattrs_overlay(&below, &(VfAttrs){});
        assert_true(vfattrs_equal(&both, &below));
        both = vfattrs_overlay(&(VfAttrs){}, &below);
        assert_true(vfattrs_equal(&both, &below));
}

static void words_are_read_back_as_they_were_written(void **state) {
        const char *text =
                "msix=2048 queues=65535 interrupts=2048 mac=fe:ff:ff:ff:ff:ff vlan=4095 qos=7 "
                "vlan-proto=802.1ad spoofchk=off trust=off link-state=disable "
                "min-rate=4294967295 max-rate=4294967295 query-rss=off "
                "node-guid=ff:ff:ff:ff:ff:ff:ff:ff port-guid=ff:ff:ff:ff:ff:ff:ff:ff";
        char buf[VFATTRS_TEXT_MAX], one[64], small[8];
        VfAttrs a = attrs(text), back;

        (void) state;
        assert_int_equal(a.has, (1u << _VFKEY_MAX) - 1);
        assert_string_equal(vfattrs_format(&a, _VFATTR_MAX, buf, sizeof(buf)), text);
        back = attrs(buf);
        assert_true(vfattrs_equal(&a, &back));
        assert_string_equal(vfattrs_format(&a, VFATTR_RATE, one, sizeof(one)),
                            "min-rate=4294967295 max-rate=4294967295");
        assert_string_equal(vfattrs_format(&(VfAttrs){}, VFATTR_RATE, one, sizeof(one)), "");
        assert_int_equal(strlen(vfattrs_format(&a, _VFATTR_MAX, small, sizeof(small))),
                         sizeof(small) - 1);
}

static void what_cannot_be_read_is_refused(void **state) {
        static const char *const texts[] = {
                "vlan",
                "vlan=",
                "=5",
                "vlan 5",
                "vlna=5",
                "vlan=5 qos",
                " vlan=5",
                "vlan=5,qos=3",
                "vlan=5qos=3",
                "mac=02:00:00:00:00:000000000",
                "averyveryverylongkey=5",
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                assert_int_equal(vfattrs_parse(texts[i], &(VfAttrs){}), -EINVAL);
        assert_int_equal(vfattrs_parse("vlan=4096", &(VfAttrs){}), -ERANGE);
        assert_int_equal(vfattrs_parse("vlan=5  trust=on ", &(VfAttrs){}), 0);
}

static void only_what_a_driver_would_have_taken_needs_an_unbound_vf(void **state) {
        (void) state;
        for (VfAttr a = 0; a < _VFATTR_MAX; a++)
                assert_int_equal(vfattr_needs_unbound(a), a == VFATTR_MSIX || a == VFATTR_QUEUES);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_key_takes_its_values_and_gives_them_back),
                cmocka_unit_test(what_is_no_value_is_refused_and_changes_nothing),
                cmocka_unit_test(keys_are_found_by_both_spellings),
                cmocka_unit_test(a_key_that_says_nothing_alone_is_found),
                cmocka_unit_test(a_rate_that_is_above_its_own_limit_is_found),
                cmocka_unit_test(an_attribute_is_compared_with_all_its_keys),
                cmocka_unit_test(what_lies_above_covers_whole_attributes),
                cmocka_unit_test(words_are_read_back_as_they_were_written),
                cmocka_unit_test(what_cannot_be_read_is_refused),
                cmocka_unit_test(only_what_a_driver_would_have_taken_needs_an_unbound_vf),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
