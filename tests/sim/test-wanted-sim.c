/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was wished for is there afterwards, and no VF had another driver on the way
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "kernel/attr.h"
#include "tests/sim/host.h"

#define IGB0 ((Bdf){ 0, 0x0100 })

typedef struct Row {
        const char *name;
        unsigned before; /* VFs */
        bool probe_off; /* autoprobe was 0 */
        Op op;
        unsigned vfs;
        const char *driver; /* of each VF; NULL = none */
        unsigned binds; /* how often VF 0 gets a driver */
} Row;

#define SET(n, d)                                                                                  \
        { .kind = OP_SET_VFS, .fn = IGB0, .count = (n), .driver = d }

static const Row rows[] = {
        { "enable", 0, false, SET(3, ""), 3, "igbvf", 1 },
        { "enable with autoprobe off", 0, true, SET(3, ""), 3, NULL, 0 },
        { "enable with vfio-pci", 0, false, SET(2, "vfio-pci"), 2, "vfio-pci", 1 },
        { "enable with igbvf", 0, false, SET(2, "igbvf"), 2, "igbvf", 1 },
        { "enable with igbvf, autoprobe off", 0, true, SET(2, "igbvf"), 2, "igbvf", 1 },
        { "resize", 2, false, SET(4, ""), 4, "igbvf", 1 },
        { "resize to vfio-pci", 2, false, SET(3, "vfio-pci"), 3, "vfio-pci", 1 },
        { "disable", 2, false, SET(0, ""), 0, NULL, 0 },
        { "disable with autoprobe off", 2, true, SET(0, ""), 0, NULL, 0 },
};

static void count_binds(Sim *sim, const KernelEvent *e, void *arg) {
        unsigned *n = arg;

        (void) sim;
        /* The kernel's word; udev's own comes behind it. */
        if (e->kind == KERNEL_EVENT_CHANGED && e->bdf.rid == 0x0180 && streq(e->action, "bind"))
                (*n)++;
}

static const char *driver_of_vf(Kernel *k, unsigned index, char buf[static NAME_MAX_LENGTH]) {
        char vf[BDF_MAX];
        Bdf bdf;

        assert_int_equal(k->link(k, ATTR_VIRTFN(IGB0, index), vf, sizeof(vf)), 0);
        assert_int_equal(bdf_parse(vf, &bdf), 0);
        return k->link(k, ATTR_FN(ATTR_DRIVER, bdf), buf, NAME_MAX_LENGTH) < 0 ? NULL : buf;
}

static void check_vfs(const Row *row, Kernel *k) {
        char buf[NAME_MAX_LENGTH];

        for (unsigned i = 0; i < row->vfs; i++) {
                const char *driver = driver_of_vf(k, i, buf);

                if (!driver != !row->driver || (driver && !streq(driver, row->driver)))
                        fail_msg("%s: VF %u has %s", row->name, i, driver ? driver : "no driver");
        }
        if (k->link(k, ATTR_VIRTFN(IGB0, row->vfs), buf, sizeof(buf)) >= 0)
                fail_msg("%s: more than %u VFs", row->name, row->vfs);
        assert_true(k->read(k, ATTR_FN(ATTR_AUTOPROBE, IGB0), buf, sizeof(buf)) > 0);
        assert_string_equal(buf, row->probe_off ? "0" : "1");
}

static void run_row(const Row *row, SimVariant v) {
        Sim *sim = sim_new(&(SimConfig){ .variant = v });
        Kernel *k = sim_kernel(sim);
        unsigned binds = 0;
        char n[16];
        Fault fault;
        Host h;

        if (row->probe_off)
                assert_int_equal(k->write(k, ATTR_FN(ATTR_AUTOPROBE, IGB0), "0"), 0);
        snprintf(n, sizeof(n), "%u", row->before);
        assert_int_equal(k->write(k, ATTR_FN(ATTR_NUMVFS, IGB0), n), 0);
        sim_on_event(sim, count_binds, &binds);
        host_init(&h, sim);
        assert_int_not_equal(host_submit(&h, &row->op, &fault), 0);
        assert_true(host_run(&h));
        check_vfs(row, k);
        if (binds != row->binds)
                fail_msg("%s: VF 0 was given a driver %u times", row->name, binds);
        assert_int_equal(sim_reports(sim, _SIM_REPORT_MAX), 0);
        host_done(&h);
        sim_free(sim);
}

static void vfs_are_as_wished_and_never_had_another_driver(void **state) {
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                for (int v = 0; v < _SIM_VARIANT_MAX; v++)
                        run_row(&rows[i], v);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(vfs_are_as_wished_and_never_had_another_driver),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
