/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The conflict matrix of KERNEL.md chapter 3, driven by raw writes without the ladder, in four variants
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "tests/sim/fixture.h"

/* What two operations in flight lead to: D deadly, U use after free, . neither. One letter for each of O A C R. */
typedef struct Row {
        const char *name, *before, *a, *b;
        unsigned gap_ms;
        const char *expect;
} Row;

static const Row matrix[] = {
        /* KERNEL.md 3.1: same PF */
        { "numvfs || numvfs", NULL, FN(IGB0, "sriov_numvfs 4"), FN(IGB0, "sriov_numvfs 0"), 50,
          "...." },
        { "numvfs || remove", NULL, FN(IGB0, "sriov_numvfs 4"), FN(IGB0, "remove 1"), 50, ".DD." },
        /* Where the remover is past DL already the late writer finds no driver, and goes. */
        { "remove under way || numvfs", NULL, FN(IGB0, "remove 1"), FN(IGB0, "sriov_numvfs 4"), 20,
          "...." },
        { "numvfs || slot off", NULL, FN(IGB0, "sriov_numvfs 4"), "bus/pci/slots/1/power 0", 120,
          "UDDD" },
        { "numvfs=0 || slot off", FN(IGB0, "sriov_numvfs 4"), FN(IGB0, "sriov_numvfs 0"),
          "bus/pci/slots/1/power 0", 10, "UDDD" },
        { "numvfs || remove of the bridge", NULL, FN(IGB0, "sriov_numvfs 4"), FN(PORT0, "remove 1"),
          120, "UDDD" },
        { "numvfs || rescan", NULL, FN(IGB0, "sriov_numvfs 4"), "bus/pci/rescan 1", 120, "U..." },
        { "numvfs || AER", NULL, FN(IGB0, "sriov_numvfs 4"), "aer " PORT0, 120, "DDDD" },
        { "unbind with VFs || remove", FN(IGB0, "sriov_numvfs 4"),
          "bus/pci/drivers/igb/unbind 0000:" IGB0, FN(IGB0, "remove 1"), 20, ".D.." },
        { "unbind with VFs || remove of the bridge", FN(IGB0, "sriov_numvfs 4"),
          "bus/pci/drivers/igb/unbind 0000:" IGB0, FN(PORT0, "remove 1"), 70, "UDUD" },
        { "unbind with VFs || slot off", FN(IGB0, "sriov_numvfs 4"),
          "bus/pci/drivers/igb/unbind 0000:" IGB0, "bus/pci/slots/1/power 0", 70, "UDUD" },
        { "unbind with VFs || rescan", FN(IGB0, "sriov_numvfs 4"),
          "bus/pci/drivers/igb/unbind 0000:" IGB0, "bus/pci/rescan 1", 65, "U.U." },
        { "unbind with VFs || AER", FN(IGB0, "sriov_numvfs 4"),
          "bus/pci/drivers/igb/unbind 0000:" IGB0, "aer " PORT0, 70, "DDDD" },
        { "unbind without VFs || remove", NULL, "bus/pci/drivers/igb/unbind 0000:" IGB0,
          FN(IGB0, "remove 1"), 20, "...." },
        { "unbind without VFs || remove of the bridge", NULL,
          "bus/pci/drivers/igb/unbind 0000:" IGB0, FN(PORT0, "remove 1"), 20, "...." },
        { "rescan of the device || remove", NULL, FN(IGB0, "rescan 1"), FN(IGB0, "remove 1"), 2,
          "DDDD" },
        { "remove || remove", NULL, FN(IGB0, "remove 1"), FN(IGB0, "remove 1"), 10, "...." },
        { "reset || numvfs", NULL, FN(IGB0, "reset 1"), FN(IGB0, "sriov_numvfs 4"), 10, "...." },
        { "read of numvfs || numvfs", NULL, FN(IGB0, "sriov_numvfs 4"),
          "read " FN(IGB0, "sriov_numvfs"), 10, "...." },
        /* 3.2: PF and VF */
        { "numvfs=0 || msix count", FN(IGB0, "sriov_numvfs 4"), FN(IGB0, "sriov_numvfs 0"),
          FN("01:10.4", "sriov_vf_msix_count 2"), 5, "DDDD" },
        { "numvfs=0 || unbind of a VF", FN(IGB0, "sriov_numvfs 4"), FN(IGB0, "sriov_numvfs 0"),
          "bus/pci/drivers/igbvf/unbind 0000:01:10.4", 5, "...." },
        /* 3.3: the topology above */
        { "rescan of the bus || remove of the bridge", NULL, "class/pci_bus/0000:01/rescan 1",
          FN(PORT0, "remove 1"), 2, "DDDD" },
        { "remove of the bridge || slot off", NULL, FN(PORT0, "remove 1"),
          "bus/pci/slots/1/power 0", 5, "DDDD" },
        { "slot off || remove of the bridge", NULL, "bus/pci/slots/1/power 0",
          FN(PORT0, "remove 1"), 5, "DDDD" },
        { "child || ancestor removed", NULL, FN(PORT0, "remove 1"), FN(IGB0, "remove 1"), 5,
          "UUUU" },
        /* 3.4: unrelated devices */
        { "numvfs of two PFs", NULL, FN(IGB0, "sriov_numvfs 4"), FN(IGB1, "sriov_numvfs 4"), 50,
          "...." },
        { "numvfs || remove of another", NULL, FN(IGB0, "sriov_numvfs 4"), FN(IGB1, "remove 1"), 50,
          "...." },
        { "numvfs || unbind of another", NULL, FN(IGB0, "sriov_numvfs 4"),
          "bus/pci/drivers/igb/unbind 0000:" IGB1, 50, "...." },
};

static char outcome(const Row *row) {
        if (row->before) {
                start(row->before);
                sim_settle(sim);
                assert_int_equal(sim_reports(sim, _SIM_REPORT_MAX), 0);
        }
        start(row->a);
        sim_pass(sim, row->gap_ms);
        start(row->b);
        sim_settle(sim);
        /* What ends in memory corruption may hang as well: the first thing told is the cause. */
        for (const SimReport *r = sim_first_report(sim, _SIM_REPORT_MAX); r; r = r->next) {
                if (r->kind == SIM_UAF)
                        return 'U';
                if (r->kind == SIM_INVERSION || r->kind == SIM_DEADLOCK)
                        return 'D';
        }
        return '.';
}

static void the_conflict_matrix_is_the_kernels(void **state) {
        unsigned wrong = 0;

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(matrix); i++)
                for (int v = 0; v < _SIM_VARIANT_MAX; v++) {
                        char c;

                        world(v, false, NULL);
                        c = outcome(&matrix[i]);
                        if (c != matrix[i].expect[v]) {
                                print_error("%s in %s: %c, not %c\n", matrix[i].name,
                                            sim_variant_to_string(v), c, matrix[i].expect[v]);
                                sim_print_reports(sim, stderr);
                                wrong++;
                        }
                        sim = sim_free(sim);
                }
        assert_int_equal(wrong, 0);
}

/* Rule 1: every two of these at once are told of, whether they hurt this time or not. */
static void two_topology_writes_at_once_are_told_of(void **state) {
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(matrix); i++) {
                if (strstr(matrix[i].name, "AER") || strstr(matrix[i].name, "read of numvfs"))
                        continue;
                world(SIM_VARIANT_R, true, NULL);
                outcome(&matrix[i]);
                if (sim_reports(sim, SIM_MEET) == 0)
                        fail_msg("%s: not told of", matrix[i].name);
                sim = sim_free(sim);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(the_conflict_matrix_is_the_kernels),
                TEST(two_topology_writes_at_once_are_told_of),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
