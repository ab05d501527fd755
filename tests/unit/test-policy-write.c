/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy files, written: what is read back is what was wanted
 */
#include "tests/unit/test.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/policy-write.h"
#include "conf/policy.h"

#define BY "sriovctl set --persist"

static Wanted wanted(uint32_t n) {
        Wanted w = { .pf = BDF(0x3b, 0, 1), .n_vfs = n, .reconcile = true };

        assert_int_equal(str_copy(w.policy, sizeof(w.policy), "0000:3b:00.1"), 0);
        w.vfs = calloc(n + 1, sizeof(VfWish));
        assert_non_null(w.vfs);
        return w;
}

static void wish(Wanted *w, uint32_t index, const char *driver, const char *attrs) {
        VfWish *v = w->vfs + index;

        v->has_driver = driver != NULL;
        assert_int_equal(str_copy(v->driver, sizeof(v->driver), driver ? driver : ""), 0);
        assert_int_equal(vfattrs_parse(attrs, &v->attrs), 0);
}

static void assert_equal(const Wanted *a, const Wanted *b) {
        assert_true(bdf_equal(a->pf, b->pf));
        assert_string_equal(a->policy, b->policy);
        assert_int_equal(a->has_count, b->has_count);
        assert_int_equal(a->count, b->count);
        assert_int_equal(a->eswitch, b->eswitch);
        assert_int_equal(a->flags, b->flags);
        assert_int_equal(a->reconcile, b->reconcile);
        assert_int_equal(a->disable_on_sleep, b->disable_on_sleep);
        assert_int_equal(a->n_vfs, b->n_vfs);
        for (uint32_t i = 0; i < a->n_vfs; i++) {
                assert_int_equal(a->vfs[i].has_driver, b->vfs[i].has_driver);
                assert_string_equal(a->vfs[i].driver, b->vfs[i].driver);
                assert_true(vfattrs_equal(&a->vfs[i].attrs, &b->vfs[i].attrs));
        }
}

/* Writes it, reads it, and finds that it is the PF's. */
static void assert_comes_back(const Wanted *w) {
        _cleanup_(snapshot_freep) Snapshot *s = snapshot_new();
        _cleanup_free_ char *text = NULL;
        Fn pf = { .bdf = w->pf, .total_vfs = (uint16_t) w->n_vfs };
        const Policy *p = NULL, *other;
        Mistakes mistakes = {};
        Policies all = {};
        Wanted back;

        assert_int_equal(policy_text(w, 7, BY, &text), 0);
        if (policies_read_text("x.conf", text, &all, &mistakes) < 0)
                print_message("%s\n%s\n", text, mistakes.items[0].error.text);
        assert_int_equal(mistakes.n_all, 0);
        assert_int_equal(policy_find(&all, s, &pf, NULL, &p, &other), 0);
        assert_int_equal(p->priority, 7);
        assert_int_equal(policy_want(p, &pf, &back), 0);
        assert_equal(w, &back);
        wanted_done(&back);
        policies_done(&all);
}

static void what_is_written_is_read_back_as_it_was_wanted(void **state) {
        Wanted w = wanted(5);

        (void) state;
        assert_comes_back(&w); /* keep, and nothing else */
        w.has_count = w.disable_on_sleep = true;
        w.count = 5;
        w.reconcile = false;
        w.eswitch = ESWITCH_SWITCHDEV;
        w.flags = OP_ROLLBACK | OP_FORCE_IN_USE;
        wish(&w, 0, "vfio-pci", "mac=02:00:00:00:00:01 vlan=100 qos=3");
        wish(&w, 1, "", "");
        wish(&w, 2, "none", "trust=on spoofchk=off link-state=disable vlan=5 vlan-proto=802.1ad");
        wish(&w, 4, NULL,
             "msix=8 queues=2 interrupts=3 min-rate=1 max-rate=4294967295 query-rss=on "
             "node-guid=ff:11:22:33:44:55:66:77 port-guid=00:11:22:33:44:55:66:77");
        assert_comes_back(&w);
        w.eswitch = ESWITCH_LEGACY;
        w.flags = 0;
        assert_comes_back(&w);
        wanted_done(&w);
        w = wanted(0);
        w.has_count = true;
        assert_comes_back(&w);
        wanted_done(&w);
}

static void vfs_that_are_to_be_alike_share_an_entry(void **state) {
        _cleanup_free_ char *text = NULL;
        Wanted w = wanted(9);

        (void) state;
        for (uint32_t i = 0; i < 9; i++)
                wish(&w, i, i == 2 ? "igbvf" : "vfio-pci", i == 5 ? "trust=on" : "");
        assert_int_equal(policy_text(&w, 0, BY, &text), 0);
        assert_non_null(strstr(text, "{ index = \"0-1,3-4,6-8\"; driver = \"vfio-pci\"; }"));
        assert_non_null(strstr(text, "{ index = \"2\"; driver = \"igbvf\"; }"));
        assert_non_null(strstr(text, "{ index = \"5\"; driver = \"vfio-pci\"; trust = true; }"));
        assert_comes_back(&w);
        wanted_done(&w);
}

static void more_ranges_than_an_entry_has_room_for_become_two(void **state) {
        Wanted w = wanted(256);

        (void) state;
        for (uint32_t i = 0; i < 256; i++)
                wish(&w, i, i % 2 == 0 ? "vfio-pci" : "igbvf", i % 3 == 0 ? "vlan=7" : "");
        assert_comes_back(&w);
        wanted_done(&w);
}

static void a_file_says_who_wrote_it_in_one_line(void **state) {
        _cleanup_free_ char *text = NULL;
        Wanted w = wanted(1);

        (void) state;
        w.policy[0] = '\0';
        assert_int_equal(policy_text(&w, 0, "x\nvfs = 5;", &text), 0);
        assert_non_null(startswith(text, "# Written by x?vfs = 5;. Change it"));
        assert_non_null(strstr(text, "name = \"0000:3b:00.1\""));
        wanted_done(&w);
}

static void a_vf_beyond_the_number_has_no_entry(void **state) {
        _cleanup_free_ char *text = NULL;
        Wanted w = wanted(5);

        (void) state;
        for (uint32_t i = 0; i < 5; i++)
                wish(&w, i, "vfio-pci", "");
        w.has_count = true;
        w.count = 2;
        assert_int_equal(policy_text(&w, 0, BY, &text), 0);
        assert_non_null(strstr(text, "{ index = \"0-1\"; driver = \"vfio-pci\"; }"));
        wanted_done(&w);
}

static void what_no_file_can_say_is_not_written(void **state) {
        char *text = NULL;
        Wanted w = wanted(2);

        (void) state;
        wish(&w, 0, "a\"b\\c", "");
        assert_int_equal(policy_text(&w, 0, BY, &text), -EBADMSG);
        wish(&w, 0, "vfio-pci", "mac=02:00:00:00:00:01");
        wish(&w, 1, "vfio-pci", "mac=02:00:00:00:00:01");
        assert_int_equal(policy_text(&w, 0, BY, &text), -EBADMSG);
        wish(&w, 1, "vfio-pci", "mac=02:00:00:00:00:02");
        assert_int_equal(policy_text(&w, POLICY_PRIORITY_MAX + 1, BY, &text), -EBADMSG);
        assert_null(text);
        assert_int_equal(policy_text(&w, POLICY_PRIORITY_MAX, BY, &text), 0);
        free(text);
        wanted_done(&w);
}

static void a_file_is_there_whole_for_everybody_to_read_and_nothing_else(void **state) {
        char folder[] = "/tmp/sriovd-write-XXXXXX", path[64], file[128], name[POLICY_FILE_MAX],
             back[32] = "";
        mode_t before = umask(077);
        struct dirent **names;
        struct stat st;
        FILE *f;

        (void) state;
        assert_non_null(mkdtemp(folder));
        snprintf(path, sizeof(path), "%s/sriovd/policy.d", folder);
        assert_string_equal(policy_file_name((Bdf){ 0x10000, 0x0102 }, name),
                            "50-10000-01-00-2.conf");
        assert_string_equal(policy_file_name((Bdf){ UINT32_MAX, UINT16_MAX }, name),
                            "50-ffffffff-ff-1f-7.conf");
        assert_int_equal(policy_save(path, "../x.conf", "old"), -EINVAL);
        assert_int_equal(policy_save(path, name, "older and longer"), 0);
        assert_int_equal(policy_save(path, name, "new\n"), 0);
        snprintf(file, sizeof(file), "%s/%s", path, name);
        assert_int_equal(stat(file, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0644);
        f = fopen(file, "re");
        assert_non_null(f);
        assert_non_null(fgets(back, sizeof(back), f));
        assert_string_equal(back, "new\n");
        fclose(f);
        assert_int_equal(scandir(path, &names, NULL, NULL), 3);
        for (size_t i = 0; i < 3; i++)
                free(names[i]);
        free(names);
        assert_int_equal(unlink(file), 0);
        assert_int_equal(policy_save("/proc/nix/policy.d", name, "x"), -ENOENT);
        assert_int_equal(rmdir(path), 0);
        *strrchr(path, '/') = '\0';
        assert_int_equal(rmdir(path), 0);
        assert_int_equal(rmdir(folder), 0);
        umask(before);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_written_is_read_back_as_it_was_wanted),
                cmocka_unit_test(vfs_that_are_to_be_alike_share_an_entry),
                cmocka_unit_test(more_ranges_than_an_entry_has_room_for_become_two),
                cmocka_unit_test(a_file_says_who_wrote_it_in_one_line),
                cmocka_unit_test(a_vf_beyond_the_number_has_no_entry),
                cmocka_unit_test(what_no_file_can_say_is_not_written),
                cmocka_unit_test(a_file_is_there_whole_for_everybody_to_read_and_nothing_else),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
