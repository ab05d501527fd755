/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scan sees what is there, all of it and nothing else, whether it looks at everything or at one function
 */
#include "kernel/attr.h"
#include "kernel/scan.h"

#include "tests/unit/fake-tree.h"

#define BRIDGE_BDF BDF(0, 1, 0)
#define PF_BDF BDF(1, 0, 0)
#define VF0_BDF BDF(1, 0x10, 0)
#define VF1_BDF BDF(1, 0x10, 2)
#define VF2_BDF BDF(1, 0x10, 4)

static Snapshot *scan(const Tree *t) {
        Snapshot *s = NULL;

        assert_int_equal(scan_all(t->k, &s), 0);
        return s;
}

static const Fn *at(const Snapshot *s, Bdf bdf) {
        const Fn *fn = snapshot_find(s, bdf);

        assert_non_null(fn);
        return fn;
}

static void assert_same(const Snapshot *a, const Snapshot *b) {
        assert_int_equal(a->n_fns, b->n_fns);
        for (size_t i = 0; i < a->n_fns; i++) {
                const Fn *f = a->fns + i, *g = b->fns + i;

                assert_true(bdf_equal(f->bdf, g->bdf));
                assert_int_equal(f->flags, g->flags);
                assert_int_equal(f->n_vfs, g->n_vfs);
                assert_int_equal(f->vf_index, g->vf_index);
                assert_true(bdf_equal(f->pf, g->pf));
                assert_string_equal(f->driver, g->driver);
                assert_string_equal(f->netdevs ? f->netdevs : "", g->netdevs ? g->netdevs : "");
        }
}

/* After one look at fn, s is what a look at everything would give. */
static void assert_scan_fn_suffices(const Tree *t, Snapshot *s, Bdf fn) {
        _cleanup_(snapshot_freep) Snapshot *all = NULL;

        assert_int_equal(scan_fn(t->k, s, fn), 0);
        all = scan(t);
        assert_same(s, all);
}

static void a_pf_is_seen_with_all_that_it_tells(void **state) {
        Snapshot *s;
        const Fn *pf;
        Tree t;

        (void) state;
        tree_init(&t);
        s = scan(&t);
        pf = at(s, PF_BDF);
        assert_int_equal(s->n_fns, 4);
        assert_int_equal(pf->flags, FN_PF | FN_AUTOPROBE | FN_RESET);
        assert_true(bdf_equal(pf->parent, BRIDGE_BDF));
        assert_true(bdf_is_none(pf->pf));
        assert_int_equal(pf->class, 0x020000);
        assert_int_equal(pf->vendor, 0x8086);
        assert_int_equal(pf->device, 0x10c9);
        assert_int_equal(pf->total_vfs, 7);
        assert_int_equal(pf->n_vfs, 2);
        assert_int_equal(pf->numa_node, -1);
        assert_int_equal(pf->iommu_group, 12);
        assert_int_not_equal(pf->identity, 0);
        assert_string_equal(pf->driver, "igb");
        assert_string_equal(pf->netdevs, "enp1s0f0");
        snapshot_free(s);
        tree_done(&t);
}

static void a_vf_knows_its_pf_and_its_index(void **state) {
        Snapshot *s;
        Tree t;

        (void) state;
        tree_init(&t);
        s = scan(&t);
        assert_int_equal(at(s, VF1_BDF)->flags, FN_VF);
        assert_int_equal(at(s, VF1_BDF)->vf_index, 1);
        assert_true(bdf_equal(at(s, VF1_BDF)->pf, PF_BDF));
        assert_int_equal(at(s, VF1_BDF)->iommu_group, -1);
        assert_string_equal(at(s, VF1_BDF)->driver, "");
        assert_null(at(s, VF1_BDF)->netdevs);
        snapshot_free(s);
        tree_done(&t);
}

static void a_bridge_on_the_root_bus_has_no_parent(void **state) {
        Snapshot *s;
        Tree t;

        (void) state;
        tree_init(&t);
        s = scan(&t);
        assert_int_equal(at(s, BRIDGE_BDF)->flags, FN_BRIDGE);
        assert_true(bdf_is_none(at(s, BRIDGE_BDF)->parent));
        snapshot_free(s);
        tree_done(&t);
}

static void slots_services_and_drivers_are_seen(void **state) {
        Snapshot *s;
        Tree t;

        (void) state;
        tree_init(&t);
        tree_file(&t, "bus/pci/slots/0-2", "address", "0000:02\n"); /* has no device number */
        s = scan(&t);
        assert_int_equal(s->n_slots, 1);
        assert_string_equal(s->slots[0].name, "1");
        assert_int_equal(s->slots[0].bus, 1);
        assert_true(snapshot_in_slot(s->slots, PF_BDF));
        assert_int_equal(s->n_services, 1);
        assert_string_equal(s->services[0].name, "0000:00:01.0:pcie004");
        assert_true(bdf_equal(s->services[0].port, BRIDGE_BDF));
        assert_true(snapshot_has_driver(s, "igb"));
        assert_true(snapshot_has_driver(s, "pcieport"));
        tree_drop(&t, "bus/pci/slots");
        tree_dir(&t, "bus/pci/drivers/nvme");
        assert_int_equal(scan_rest(t.k, s), 0);
        assert_int_equal(s->n_slots, 0);
        assert_int_equal(s->n_services, 1);
        assert_true(snapshot_has_driver(s, "nvme"));
        snapshot_free(s);
        tree_done(&t);
}

static void several_netdevs_are_sorted(void **state) {
        Snapshot *s;
        Tree t;

        (void) state;
        tree_init(&t);
        tree_dir(&t, PF_DIR "/net/ens1");
        tree_dir(&t, PF_DIR "/net/b0");
        s = scan(&t);
        assert_string_equal(at(s, PF_BDF)->netdevs, "b0 enp1s0f0 ens1");
        snapshot_free(s);
        tree_done(&t);
}

static void a_vf_without_its_pf_is_an_orphan(void **state) {
        Snapshot *s, *all;
        Tree t;

        (void) state;
        tree_init(&t);
        s = scan(&t);
        tree_drop(&t, "bus/pci/devices/0000:01:00.0");
        tree_drop(&t, PF_DIR);
        all = scan(&t);
        assert_int_equal(at(all, VF0_BDF)->flags, FN_VF | FN_ORPHAN);
        assert_true(bdf_equal(at(all, VF0_BDF)->pf, PF_BDF));
        snapshot_free(all);
        assert_scan_fn_suffices(&t, s, PF_BDF);
        snapshot_free(s);
        tree_done(&t);
}

static void a_vf_that_its_new_pf_does_not_know_is_an_orphan(void **state) {
        Snapshot *s;
        Tree t;

        (void) state;
        tree_init(&t);
        s = scan(&t);
        tree_drop(&t, PF_DIR "/virtfn1");
        assert_scan_fn_suffices(&t, s, VF1_BDF);
        assert_int_equal(at(s, VF1_BDF)->flags, FN_VF | FN_ORPHAN);
        assert_int_equal(at(s, PF_BDF)->n_vfs, 1);
        snapshot_free(s);
        tree_done(&t);
}

static void a_new_vf_is_seen_and_counted(void **state) {
        Snapshot *s;
        Tree t;

        (void) state;
        tree_init(&t);
        s = scan(&t);
        tree_vf(&t, PF_DIR, VF_DIR("10.4"), "virtfn2");
        assert_scan_fn_suffices(&t, s, VF2_BDF);
        assert_int_equal(at(s, VF2_BDF)->vf_index, 2);
        assert_int_equal(at(s, PF_BDF)->n_vfs, 3);
        snapshot_free(s);
        tree_done(&t);
}

/* The first event comes before physfn is there (KERNEL.md 6). */
static void a_vf_half_made_becomes_one_with_the_next_look(void **state) {
        Snapshot *s;
        Tree t;

        (void) state;
        tree_init(&t);
        s = scan(&t);
        tree_function(&t, VF_DIR("10.4"), "0x020000\n", "0x8086\n", "0x10ca\n");
        assert_scan_fn_suffices(&t, s, VF2_BDF);
        assert_int_equal(at(s, VF2_BDF)->flags, 0);
        tree_link(&t, PF_DIR, "virtfn2", VF_DIR("10.4"));
        tree_link(&t, VF_DIR("10.4"), "physfn", PF_DIR);
        assert_scan_fn_suffices(&t, s, VF2_BDF);
        assert_int_equal(at(s, VF2_BDF)->flags, FN_VF);
        snapshot_free(s);
        tree_done(&t);
}

static void a_vf_that_went_is_dropped_and_counted(void **state) {
        Snapshot *s;
        Tree t;

        (void) state;
        tree_init(&t);
        s = scan(&t);
        tree_drop(&t, PF_DIR "/virtfn1");
        tree_drop(&t, "bus/pci/devices/0000:01:10.2");
        tree_drop(&t, VF_DIR("10.2"));
        assert_scan_fn_suffices(&t, s, VF1_BDF);
        assert_null(snapshot_find(s, VF1_BDF));
        assert_int_equal(at(s, PF_BDF)->n_vfs, 1);
        snapshot_free(s);
        tree_done(&t);
}

static void a_look_at_a_pf_is_one_at_its_vfs(void **state) {
        Snapshot *s;
        Tree t;

        (void) state;
        tree_init(&t);
        s = scan(&t);
        tree_drop(&t, PF_DIR "/virtfn0");
        tree_drop(&t, "bus/pci/devices/0000:01:10.0");
        tree_drop(&t, VF_DIR("10.0"));
        tree_vf(&t, PF_DIR, VF_DIR("10.4"), "virtfn2");
        tree_bind(&t, VF_DIR("10.2"), "igbvf");
        assert_scan_fn_suffices(&t, s, PF_BDF);
        assert_null(snapshot_find(s, VF0_BDF));
        assert_string_equal(at(s, VF1_BDF)->driver, "igbvf");
        snapshot_free(s);
        tree_done(&t);
}

static void a_function_that_is_going_is_left_out(void **state) {
        Snapshot *s;
        Tree t;

        (void) state;
        tree_init(&t);
        tree_drop(&t, VF_DIR("10.2/vendor"));
        tree_drop(&t, PF_DIR "/virtfn1");
        s = scan(&t);
        assert_null(snapshot_find(s, VF1_BDF));
        assert_int_equal(s->n_fns, 3);
        snapshot_free(s);
        tree_done(&t);
}

static void a_drivers_name_that_does_not_fit_is_not_none(void **state) {
        char name[80];
        Snapshot *s;
        Tree t;

        (void) state;
        tree_init(&t);
        memset(name, 'x', sizeof(name));
        name[sizeof(name) - 1] = '\0';
        tree_bind(&t, VF_DIR("10.0"), name);
        s = scan(&t);
        assert_string_equal(at(s, VF0_BDF)->driver, "?");
        snapshot_free(s);
        tree_done(&t);
}

static void a_host_without_pci_is_an_error(void **state) {
        Snapshot *s = NULL;
        Tree t;

        (void) state;
        tree_init(&t);
        tree_drop(&t, "bus");
        assert_int_equal(scan_all(t.k, &s), -ENOENT);
        assert_null(s);
        tree_done(&t);
}

/* What the loop may call reads nothing that can wait: the seam is asked, and each name is looked up in attr.c. */
static Kernel *real;

static void assert_harmless(const char *path) {
        const char *name = strrchr(path, '/') + 1;

        for (Attr a = 0; a < _ATTR_MAX; a++)
                if (attr_may_block(a))
                        assert_string_not_equal(name, attr_name(a));
        assert_string_not_equal(name, "uevent");
}

static int watched_read(Kernel *k, const char *path, char *buf, size_t size) {
        (void) k;
        assert_harmless(path);
        return real->read(real, path, buf, size);
}

static int watched_list(Kernel *k, const char *path, char ***ret) {
        (void) k;
        assert_harmless(path);
        return real->list(real, path, ret);
}

static int watched_link(Kernel *k, const char *path, char *buf, size_t size) {
        (void) k;
        assert_harmless(path);
        return real->link(real, path, buf, size);
}

static int watched_path(Kernel *k, const char *path, char *buf, size_t size) {
        (void) k;
        return real->path(real, path, buf, size);
}

static int watched_identity(Kernel *k, const char *path, uint64_t *ret) {
        (void) k;
        return real->identity(real, path, ret);
}

static void a_scan_reads_nothing_that_may_block(void **state) {
        Kernel watched = {
                .list = watched_list,
                .read = watched_read,
                .link = watched_link,
                .path = watched_path,
                .identity = watched_identity,
        };
        Snapshot *s = NULL;
        Tree t;

        (void) state;
        tree_init(&t);
        real = t.k;
        assert_int_equal(scan_all(&watched, &s), 0);
        assert_int_equal(s->n_fns, 4);
        assert_int_equal(scan_fn(&watched, s, PF_BDF), 0);
        assert_int_equal(scan_fn(&watched, s, VF0_BDF), 0);
        snapshot_free(s);
        tree_done(&t);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_pf_is_seen_with_all_that_it_tells),
                cmocka_unit_test(a_vf_knows_its_pf_and_its_index),
                cmocka_unit_test(a_bridge_on_the_root_bus_has_no_parent),
                cmocka_unit_test(slots_services_and_drivers_are_seen),
                cmocka_unit_test(several_netdevs_are_sorted),
                cmocka_unit_test(a_vf_without_its_pf_is_an_orphan),
                cmocka_unit_test(a_vf_that_its_new_pf_does_not_know_is_an_orphan),
                cmocka_unit_test(a_new_vf_is_seen_and_counted),
                cmocka_unit_test(a_vf_half_made_becomes_one_with_the_next_look),
                cmocka_unit_test(a_vf_that_went_is_dropped_and_counted),
                cmocka_unit_test(a_look_at_a_pf_is_one_at_its_vfs),
                cmocka_unit_test(a_function_that_is_going_is_left_out),
                cmocka_unit_test(a_drivers_name_that_does_not_fit_is_not_none),
                cmocka_unit_test(a_host_without_pci_is_an_error),
                cmocka_unit_test(a_scan_reads_nothing_that_may_block),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
