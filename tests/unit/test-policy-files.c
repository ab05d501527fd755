/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy files: what is taken, and what is told to whoever wrote it
 */
#include "tests/unit/test.h"

#include "conf/policy.h"

#define FILE_NAME "x.conf"
#define START "policy = ( { name = \"x\"; match = { driver = \"igb\"; };\n"
#define END " } );"

static const Policy *read_one(const char *text, Policies *all) {
        Mistakes mistakes = {};
        int r = policies_read_text(FILE_NAME, text, all, &mistakes);

        for (size_t i = 0; i < mistakes.n; i++)
                print_message("%s\n", mistakes.items[i].error.text);
        assert_int_equal(r, 0);
        assert_int_equal(mistakes.n_all, 0);
        mistakes_done(&mistakes);
        return all->items;
}

static const char whole_grammar[] =
        "# the whole grammar\n"
        "policy = ( {\n"
        "  name = \"storage-nics\"; priority = -50;\n"
        "  match = { driver = \"igb\"; address = [ \"0000:01:00.*\", \"02:00.0\" "
        "]; netdev = \"ens*\";\n"
        "            vendor = 0x8086; device = ( 0x10c9, \"0x1521\" ); mac = "
        "\"02:*\"; serial = \"00-1b-*\";\n"
        "            slot = 1; path = \"pci-0000:01:00.0\"; class = [ "
        "\"network\", \"0x02*\" ]; };\n"
        "  vfs = 4; eswitch = \"switchdev\"; on_failure = \"rollback\"; in_use = "
        "\"force\";\n"
        "  reconcile = false; manage = true; disable_on_sleep = true;\n"
        "  vf_default = { driver = \"vfio-pci\"; spoofchk = true; vlan-proto = "
        "\"802.1ad\"; vlan = 5; };\n"
        "  vf = ( { index = \"0-1, 3\"; driver = \"default\"; mac = "
        "\"02:00:00:00:01:{index}\"; },\n"
        "         { index = 2; driver = \"none\"; vlan = 100; qos = 7; vlan_proto "
        "= \"802.1Q\";\n"
        "           trust = \"off\"; link_state = \"auto\"; min_rate = 1; "
        "max_rate = 4294967295L;\n"
        "           query_rss = false; node_guid = \"00:11:22:33:44:55:66:77\";\n"
        "           port_guid = \"00:11:22:33:44:55:66:{index}\"; msix = 8; "
        "queues = 2; interrupts = 2; },\n"
        "         { index = [ 0, 3 ]; trust = 1; } );\n"
        "}, { name = \"b\"; match = { address = \"*\"; }; } );\n";

static void all_that_a_file_can_say_of_a_pf_is_taken(void **state) {
        Policies all = {};
        const Policy *p = read_one(whole_grammar, &all);

        (void) state;
        assert_int_equal(all.n, 2);
        assert_string_equal(p->name, "storage-nics");
        assert_string_equal(p->file, FILE_NAME);
        assert_int_equal(p->line, 2);
        assert_int_equal(p->priority, -50);
        assert_string_equal(p->match[MATCH_ADDRESS][1], "02:00.0");
        assert_string_equal(p->match[MATCH_VENDOR][0], "0x8086");
        assert_string_equal(p->match[MATCH_DEVICE][0], "0x10c9");
        assert_string_equal(p->match[MATCH_DEVICE][1], "0x1521");
        assert_string_equal(p->match[MATCH_SLOT][0], "1");
        for (MatchKey k = 0; k < _MATCH_MAX; k++)
                assert_non_null(p->match[k]);
        assert_int_equal(p->count_kind, COUNT_NUMBER);
        assert_int_equal(p->count, 4);
        assert_int_equal(p->eswitch, ESWITCH_SWITCHDEV);
        assert_true(p->rollback && p->force && p->manage && p->disable_on_sleep && !p->reconcile);
        policies_done(&all);
}

static void all_that_a_file_can_say_of_a_vf_is_taken(void **state) {
        Policies all = {};
        const Policy *p = read_one(whole_grammar, &all);
        char buf[VFATTRS_TEXT_MAX];

        (void) state;
        assert_string_equal(p->vf_default.driver, "vfio-pci");
        assert_int_equal(p->vf_default.n_ranges, 0);
        assert_string_equal(vfattrs_format(&p->vf_default.attrs, _VFATTR_MAX, buf, sizeof(buf)),
                            "vlan=5 vlan-proto=802.1ad spoofchk=on");
        assert_int_equal(p->n_vf, 3);
        assert_int_equal(p->vf[0].n_ranges, 2);
        assert_int_equal(p->vf[0].ranges[0].last, 1);
        assert_int_equal(p->vf[0].ranges[1].first, 3);
        assert_true(p->vf[0].has_driver);
        assert_string_equal(p->vf[0].driver, "");
        assert_string_equal(p->vf[0].mac, "02:00:00:00:01:{index}");
        assert_string_equal(p->vf[1].driver, DRIVER_NONE);
        assert_string_equal(
                vfattrs_format(&p->vf[1].attrs, _VFATTR_MAX, buf, sizeof(buf)),
                "msix=8 queues=2 interrupts=2 vlan=100 qos=7 vlan-proto=802.1Q trust=off "
                "link-state=auto min-rate=1 max-rate=4294967295 query-rss=off "
                "node-guid=00:11:22:33:44:55:66:77");
        assert_int_equal(p->vf[2].n_ranges, 2);
        assert_true(p->vf[2].attrs.value[VFKEY_TRUST] == 1);
        policies_done(&all);
}

static void what_is_not_said_has_its_default(void **state) {
        Policies all = {};
        const Policy *p = read_one(START END, &all);

        (void) state;
        assert_int_equal(p->priority, 0);
        assert_int_equal(p->count_kind, COUNT_KEEP);
        assert_int_equal(p->eswitch, ESWITCH_KEEP);
        assert_true(p->reconcile && p->manage);
        assert_false(p->rollback || p->force || p->disable_on_sleep || p->vf_default.has_driver);
        assert_int_equal(p->n_vf, 0);
        policies_done(&all);
        assert_int_equal(read_one(START "vfs = \"max\";" END, &all)->count_kind, COUNT_MAX);
        policies_done(&all);
        assert_int_equal(read_one(START "vfs = \"keep\"; vf = ();" END, &all)->count_kind,
                         COUNT_KEEP);
        policies_done(&all);
        assert_null(read_one("", &all));
        assert_null(read_one("policy = ();", &all));
}

typedef struct Wrong {
        const char *text, *line, *words;
} Wrong;

static void assert_told(const Wrong *wrong, size_t n) {
        for (const Wrong *w = wrong; w < wrong + n; w++) {
                Mistakes mistakes = {};
                Policies all = {};

                assert_int_equal(policies_read_text(FILE_NAME, w->text, &all, &mistakes), -EBADMSG);
                if (mistakes.n != 1 || !strstr(mistakes.items[0].error.text, w->words))
                        print_message("of %s\nis told: %s\n", w->text,
                                      mistakes.items[mistakes.n - 1].error.text);
                assert_int_equal(mistakes.n, 1);
                assert_non_null(startswith(mistakes.items[0].error.text, FILE_NAME ":"));
                assert_non_null(
                        startswith(mistakes.items[0].error.text + strlen(FILE_NAME), w->line));
                assert_non_null(strstr(mistake_why(mistakes.items), w->words));
                assert_true(mistakes.items[0].line > 0);
                assert_int_equal(all.n, 0);
                mistakes_done(&mistakes);
        }
}

static void every_mistake_about_a_policy_is_told_with_its_line(void **state) {
        static const Wrong wrong[] = {
                { "\npolicies = ( );", ":2: ", "did you mean 'policy'" },
                { "policy = { a = 1; };", ":1: ", "'policy' is a list" },
                { "policy = ( 5 );", ":1: ", "has groups in it" },
                { "policy = ( {\n match = { address = \"*\"; }; } );", ":1: ", "no 'name'" },
                { "policy = (\n { name = \"x\"; } );", ":2: ", "no 'match' here" },
                { START "nmae = \"y\";" END, ":2: ", "did you mean 'name'" },
                { START "vf_defualt = { };" END, ":2: ", "did you mean 'vf_default'" },
                { "policy = ( { match = { address = \"*\"; };\n name = \"a b\"; } );",
                  ":2: ", "no name for a policy" },
                { "policy = ( { match = { address = \"*\"; }; name = \"\"; } );",
                  ":1: ", "letters" },
                { "policy = ( { match = { address = \"*\"; }; name = 5; } );",
                  ":1: ", "is a string" },
                { START "priority = 1000001;" END, ":2: ", "-1000000 to 1000000" },
                { START "priority = \"high\";" END, ":2: ", "is a number" },
                { START "priority = 0xffffffff;" END, ":2: ", "out of range" },
                { START "vfs = 65536;" END, ":2: ", "0 to 65535" },
                { START "vfs = -1;" END, ":2: ", "0 to 65535" },
                { START "vfs = 010;" END, ":2: ", "begins with 0" },
                { START "vfs = 4294967300;" END, ":2: ", "out of range" },
                { START "vfs = 4294967300eswitch = \"legacy\";" END, ":2: ", "no number" },
                { START "vfs = \"all\";" END, ":2: ", "\"max\" or \"keep\", not 'all'" },
                { START "vfs = true;" END, ":2: ", "is a number" },
                { START "eswitch = \"legcy\";" END, ":2: ", "did you mean 'legacy'" },
                { START "eswitch = 1;" END, ":2: ", "is a string" },
                { START "on_failure = \"roll-back\";" END, ":2: ", "did you mean 'rollback'" },
                { START "in_use = \"forced\";" END, ":2: ", "did you mean 'force'" },
                { START "reconcile = 1;" END, ":2: ", "true or false" },
                { START "manage = \"no\";" END, ":2: ", "true or false" },
                { START "disable_on_sleep = [ true ];" END, ":2: ", "true or false" },
                { START "manage = false;\n vfs = 0;" END, ":3: ", "nothing with manage = false" },
                { START "manage = false;\n vf = ( );" END, ":3: ", "nothing with manage = false" },
                { START END "\npolicy = ( );", ":3: ", "" },
                { START " }, {\n name = \"x\"; match = { driver = \"ice\"; };" END,
                  ":3: ", "already, in " FILE_NAME ":1" },
                { START "@include \"/etc\"", ":2: ", "not allowed" },
                { START "vfs = (((((((((((((((((1)))))))))))))))));" END, ":2: ", "too deep" },
                { "policy = ( {", ":1: ", "syntax error" },
        };

        (void) state;
        assert_told(wrong, ELEMENTSOF(wrong));
}

#define MATCH(m) "policy = ( { name = \"x\";\nmatch = " m "; } );"

static void every_mistake_about_a_match_is_told_with_its_line(void **state) {
        static const Wrong wrong[] = {
                { MATCH("{ }"), ":2: ", "write address = \"*\"" },
                { MATCH("\"*\""), ":2: ", "is a group" },
                { MATCH("{ addres = \"*\"; }"), ":2: ", "did you mean 'address'" },
                { MATCH("{ address = [ ]; }"), ":2: ", "would fit no PF" },
                { MATCH("{ address = \"\"; }"), ":2: ", "letters" },
                { MATCH("{ address = \"ens1f0\"; }"), ":2: ", "can fit no address" },
                { MATCH("{ address = 1; }"), ":2: ", "is a string" },
                { MATCH("{ address = [ \"*\",\n \"01:00.0 \" ]; }"), ":3: ", "can fit no address" },
                { MATCH("{ driver = { a = 1; }; }"), ":2: ", "one pattern, or several" },
                { MATCH("{ driver = true; }"), ":2: ", "is a string" },
                { MATCH("{ vendor = 0x10000; }"), ":2: ", "0 to 65535" },
                { MATCH("{ vendor = \"Intel\"; }"), ":2: ", "can fit no vendor" },
                { MATCH("{ device = -1; }"), ":2: ", "0 to 65535" },
                { MATCH("{ class = \"netwrok\"; }"), ":2: ", "did you mean 'network'" },
                { MATCH("{ class = 0x0200; }"), ":2: ", "65536 to" },
                { MATCH("{ mac = \"02-00-00-00-00-01/x\"; }"), ":2: ", "can fit no mac" },
                { MATCH("{ serial = \"SN:1\"; }"), ":2: ", "can fit no serial" },
                { MATCH("{ slot = 1.5; }"), ":2: ", "is a number" },
        };

        (void) state;
        assert_told(wrong, ELEMENTSOF(wrong));
}

#define VF(v) START "vf = ( " v " );" END
#define VF4(v) START "vfs = 4; vf = ( " v " );" END

static void every_mistake_about_vfs_is_told_with_its_line(void **state) {
        static const Wrong wrong[] = {
                { START "vf_default = ( );" END, ":2: ", "is a group" },
                { START "vf_default = { index = 0; };" END, ":2: ", "has no 'index'" },
                { START "vf_default = { drvier = \"x\"; };" END, ":2: ", "did you mean 'driver'" },
                { START "vf_default = { vlan_prot = 0; };" END,
                  ":2: ", "did you mean 'vlan_proto'" },
                { START "vf_default = { driver = \"../x\"; };" END, ":2: ", "no name of a driver" },
                { START "vf_default = { driver = 5; };" END, ":2: ", "is a string" },
                { START "vf_default = { qos = 3; };" END,
                  ":2: ", "'qos' says nothing here without 'vlan'" },
                { START "vf_default = { queues = 3; };" END, ":2: ", "without 'interrupts'" },
                { START "vf_default = { min_rate = 3; max_rate = 2; };" END,
                  ":2: ", "'min_rate' is more than 'max_rate'" },
                { START "vf_default = { vlan = 4096; };" END,
                  ":2: ", "'vlan' is '4096', and must be 0 (none) to 4095" },
                { START "vf_default = { vlan = \"x\"; };" END, ":2: ", "must be" },
                { START "vf_default = { vlan = 1.5; };" END, ":2: ", "is one value" },
                { START "vf_default = { vlan = [ 1 ]; };" END, ":2: ", "is one value" },
                { START "vf_default = { spoofchk = 2; };" END, ":2: ", "on or off" },
                { START "vf_default = { mac = \"01:00:00:00:00:00\"; };" END,
                  ":2: ", "one station" },
                { START "vf_default = { vlan = 1;\n qos = 2; vlan = 3; };" END,
                  ":3: ", "'vlan' stands here twice" },
                { START "vf_default = { vlan = 1; }; vfs = 1;\n vf_default = { vlan = 1; };" END,
                  ":3: ", "'vf_default' stands here twice" },
                { START "vf_default = { vlan = 1; vlan_proto = \"802.1Q\";\n vlan-proto = "
                        "\"802.1Q\"; };" END,
                  ":3: ", "twice" },
        };

        (void) state;
        assert_told(wrong, ELEMENTSOF(wrong));
}

static void every_mistake_about_which_vfs_is_told_with_its_line(void **state) {
        static const Wrong wrong[] = {
                { START "vf = { };" END, ":2: ", "is a list" },
                { START "vf = ( 5 );" END, ":2: ", "has groups in it" },
                { VF("{ vlan = 1; }"), ":2: ", "no 'index' here" },
                { VF("{ index = \"1-0\"; }"), ":2: ", "wrong way round" },
                { VF("{ index = \"0-4,2\"; }"), ":2: ", "VF 2 stands here twice" },
                { VF("{ index = [ 0, 0 ]; }"), ":2: ", "VF 0 stands here twice" },
                { VF("{ index = [ ]; }"), ":2: ", "nothing in it" },
                { VF("{ index = \"\"; }"), ":2: ", "is no index" },
                { VF("{ index = \"0,\"; }"), ":2: ", "is no index" },
                { VF("{ index = \"0-\"; }"), ":2: ", "is no index" },
                { VF("{ index = \"01\"; }"), ":2: ", "is no index" },
                { VF("{ index = \"0-65535\"; }"), ":2: ", "is no index" },
                { VF("{ index = 65535; }"), ":2: ", "0 to 65534" },
                { VF("{ index = true; }"), ":2: ", "is a number" },
                { VF("{ index = \"0,2,4,6,8,10,12,14,16,18,20,22,24,26,28,30,32\"; }"),
                  ":2: ", "more than 16 ranges" },
                { VF4("{ index = 4; }"), ":2: ", "there is no VF 4 with vfs = 4" },
                { START "vf = ( { index = \"3-4\"; } );\n vfs = 4;" END,
                  ":2: ", "there is no VF 4" },
        };

        (void) state;
        assert_told(wrong, ELEMENTSOF(wrong));
}

#define ALL "{ index = \"0-65534\"; vlan = 1; }"
#define MOST ALL ",\n" ALL ",\n" ALL ",\n" ALL ",\n"

/* Each entry is looked at VF by VF, in the daemon's own loop: some thousand that have all of them took it minutes. */
static void what_would_keep_the_daemon_busy_is_told_with_its_line(void **state) {
        static const Wrong wrong[] = {
                { VF(MOST "{ index = [ \"0-4\", \"5-9\" ]; },\n" ALL),
                  ":6: ", "more than 262144 VFs" },
                { START "vfs = 65535; vf = ( { mac = \"02:00:00:00:01:{index}\"; } );" END,
                  ":2: ", "no 'index' here" },
        };

        Policies all = {};

        (void) state;
        assert_told(wrong, ELEMENTSOF(wrong));
        /* The bound is for each policy anew. */
        read_one(VF(MOST "{ index = \"0-3\"; vlan = 2; }"), &all);
        read_one("policy = ( { name = \"y\"; match = { driver = \"x\"; }; vf = ( " MOST
                 "{ index = 3; vlan = 2; } ); } );",
                 &all);
        policies_done(&all);
}

static void every_address_that_is_none_or_given_twice_is_told_with_its_line(void **state) {
        static const Wrong wrong[] = {
                { VF4("{ index = 0; qos = 1; }"), ":2: ", "says nothing" },
                { VF4("{ index = 0; mac = \"{index}\"; }"), ":2: ", "none for VF 0" },
                { VF4("{ index = 0; mac = \"02:00:00:00:00:{idx}\"; }"), ":2: ", "none for VF 0" },
                { VF4("{ index = \"0-1\"; mac = \"{index}:00:00:00:00:00\"; }"),
                  ":2: ", "none for VF 1" },
                { VF("{ index = \"250-300\"; mac = \"02:00:00:00:00:{index}\"; }"),
                  ":2: ", "VFs 0 to 255, and VF 300" },
                { START "vfs = 300; vf_default = { mac = \"02:00:00:00:00:{index}\"; };" END,
                  ":2: ", "VFs 0 to 255, and VF 299" },
                { VF4("{ index = \"0-1\";\n mac = \"02:00:00:00:00:01\"; }"),
                  ":2: ", "VFs 0 and 1 are both given mac 02:00:00:00:00:01" },
                { VF4("{ index = 0; mac = \"02:00:00:00:00:03\"; },\n{ index = \"1-3\"; mac = "
                      "\"02:00:00:00:00:{index}\"; }"),
                  ":3: ", "VFs 0 and 3" },
                { START "vf_default = { node_guid = \"00:11:22:33:44:55:66:77\"; };" END,
                  ":2: ", "VFs 0 and 1 are both given node-guid" },
        };

        (void) state;
        assert_told(wrong, ELEMENTSOF(wrong));
}

static void an_address_that_is_covered_is_given_to_nobody(void **state) {
        Policies all = {};

        (void) state;
        read_one(START "vfs = 2; vf_default = { mac = \"02:00:00:00:00:01\"; };"
                       "vf = ( { index = 1; mac = \"02:00:00:00:00:02\"; } );" END,
                 &all);
        policies_done(&all);
        read_one(START "vf_default = { mac = \"00:00:00:00:00:00\"; };" END, &all);
        policies_done(&all);
        read_one(START "vfs = 1; vf_default = { mac = \"02:00:00:00:00:01\"; };" END, &all);
        policies_done(&all);
}

static void all_mistakes_of_a_file_are_told_and_it_gives_no_policy(void **state) {
        Mistakes mistakes = {};
        Policies all = {};

        (void) state;
        read_one(START END, &all);
        assert_int_equal(
                policies_read_text(
                        "y.conf",
                        "policy = ( {\n name = \"ok\"; match = { driver = \"a\"; }; }, {\n"
                        " nmae = 5;\n vfs = -1;\n vf = ( { index = 0;\n vlan = 9999; },\n 7 ); } );"
                        "\nx = 1;",
                        &all, &mistakes),
                -EBADMSG);
        assert_int_equal(mistakes.n, 7);
        assert_int_equal(all.n, 1);
        for (size_t i = 0; i < mistakes.n; i++)
                assert_int_equal(mistakes.items[i].file_length, strlen("y.conf"));
        for (size_t i = 1; i < mistakes.n; i++)
                assert_true(mistakes.items[i].line >= mistakes.items[i - 1].line);
        mistakes_done(&mistakes);
        policies_done(&all);
}

static void very_many_mistakes_are_counted_and_the_first_are_told(void **state) {
        char text[4 * (MISTAKES_MAX + 60) + 32] = "policy = ( ";
        Mistakes mistakes = {};
        Policies all = {};

        (void) state;
        for (size_t i = 0; i < MISTAKES_MAX + 50; i++)
                strcat(text, i > 0 ? ", 5" : "5");
        strcat(text, " );");
        assert_int_equal(policies_read_text(FILE_NAME, text, &all, &mistakes), -EBADMSG);
        assert_int_equal(mistakes.n, MISTAKES_MAX);
        assert_int_equal(mistakes.n_all, MISTAKES_MAX + 50);
        /* One that comes when there is no more room is a mistake all the same. */
        assert_int_equal(policies_read_text(FILE_NAME, "x = 1;", &all, &mistakes), -EBADMSG);
        mistakes_done(&mistakes);
}

static void the_examples_have_no_mistake(void **state) {
        _cleanup_free_ char *names = strdup(getenv("POLICY_EXAMPLES"));
        Mistakes mistakes = {};
        Policies all = {};
        size_t n = 0;

        (void) state;
        for (char *name = strtok(names, ":"); name; name = strtok(NULL, ":"), n++)
                assert_int_equal(policies_read(name, &all, &mistakes), 0);
        assert_true(n >= 4 && all.n >= n);
        policies_done(&all);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(all_that_a_file_can_say_of_a_pf_is_taken),
                cmocka_unit_test(all_that_a_file_can_say_of_a_vf_is_taken),
                cmocka_unit_test(what_is_not_said_has_its_default),
                cmocka_unit_test(every_mistake_about_a_policy_is_told_with_its_line),
                cmocka_unit_test(every_mistake_about_a_match_is_told_with_its_line),
                cmocka_unit_test(every_mistake_about_vfs_is_told_with_its_line),
                cmocka_unit_test(every_mistake_about_which_vfs_is_told_with_its_line),
                cmocka_unit_test(what_would_keep_the_daemon_busy_is_told_with_its_line),
                cmocka_unit_test(every_address_that_is_none_or_given_twice_is_told_with_its_line),
                cmocka_unit_test(an_address_that_is_covered_is_given_to_nobody),
                cmocka_unit_test(all_mistakes_of_a_file_are_told_and_it_gives_no_policy),
                cmocka_unit_test(very_many_mistakes_are_counted_and_the_first_are_told),
                cmocka_unit_test(the_examples_have_no_mistake),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
