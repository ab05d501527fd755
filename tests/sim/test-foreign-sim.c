/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other programs beside ours, in the one queue
 *
 * Their raw writes are what hangs a host; let in one by one, after what can be done for them first, they hang nothing. What a
 * single program does to a device by itself (unbind a PF with VFs) is its own matter, and is no danger to the others.
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
#include "tests/sim/outcome.h"

#define SERIALIZE (OP_FORCE_IN_USE | OP_FORCE_STORAGE)

typedef struct Program {
        const char *name, *value;
        Op op;
} Program;

#define PROGRAM(n, v, ...)                                                                         \
        {                                                                                          \
                n, v, {                                                                            \
                        .kind = OP_FOREIGN, .fn = BDF_NONE, .flags = SERIALIZE, __VA_ARGS__        \
                }                                                                                  \
        }

static const Program programs[] = {
        PROGRAM("numvfs 4", "4", .door = DOOR_COUNT, .fn = IGB0),
        PROGRAM("numvfs 0", "0", .door = DOOR_COUNT, .fn = IGB0),
        PROGRAM("remove", "1", .door = DOOR_REMOVE, .fn = IGB0),
        PROGRAM("remove of the bridge", "1", .door = DOOR_REMOVE, .fn = PORT0),
        PROGRAM("rescan", "1", .door = DOOR_RESCAN),
        PROGRAM("unbind", "0000:01:00.0", .door = DOOR_UNBIND, .driver = "igb"),
        PROGRAM("unbind of a VF", "0000:01:10.0", .door = DOOR_UNBIND, .driver = "igbvf"),
        PROGRAM("slot off", "0", .door = DOOR_SLOT, .slot = "1"),
        PROGRAM("slot on", "1", .door = DOOR_SLOT, .slot = "1"),
        PROGRAM("reset", "1", .door = DOOR_RESET, .fn = IGB0),
        PROGRAM("msix count", "2", .door = DOOR_FUNCTION, .fn = VF0),
        PROGRAM("numvfs of another", "3", .door = DOOR_COUNT, .fn = IGB1),
};

static const Program ours[] = {
        { "set 4", NULL, { .kind = OP_SET_VFS, .fn = IGB0, .count = 4 } },
        { "set 0", NULL, { .kind = OP_SET_VFS, .fn = IGB0 } },
        { "remove", NULL, { .kind = OP_REMOVE, .fn = IGB0 } },
        { "remove of the bridge", NULL, { .kind = OP_REMOVE, .fn = PORT0 } },
        { "rescan", NULL, { .kind = OP_RESCAN, .fn = BDF_NONE } },
        { "unbind", NULL, { .kind = OP_UNBIND, .fn = IGB0 } },
        { "slot off", NULL, { .kind = OP_SLOT_OFF, .fn = BDF_NONE, .slot = "1" } },
        { "reset", NULL, { .kind = OP_RESET, .fn = VF0 } },
        { "set of another", NULL, { .kind = OP_SET_VFS, .fn = IGB1, .count = 2 } },
};

/* What one program does to a device by itself is told of as well, and is not what is looked for here. */
static bool put_in_danger(const Sim *sim) {
        for (SimReportKind r = 0; r < _SIM_REPORT_MAX; r++)
                if (r != SIM_PF_WITH_VFS && sim_reports(sim, r) > 0)
                        return true;
        return false;
}

static uint32_t submit(Host *h, const Program *p) {
        Fault fault;

        return p->op.kind == OP_FOREIGN ? host_submit_foreign(h, &p->op, p->value, &fault)
                                        : host_submit(h, &p->op, &fault);
}

static Sim *world_with_vfs(SimVariant v) {
        Sim *sim = sim_new(&(SimConfig){ .variant = v });
        Kernel *k;

        assert_non_null(sim);
        k = sim_kernel(sim);
        assert_int_equal(k->write(k, ATTR_FN(ATTR_NUMVFS, IGB0), "3"), 0);
        return sim;
}

static void run_pair(SimVariant v, const Program *a, const Program *b) {
        const Program *pair[] = { a, b };
        Sim *sim = world_with_vfs(v);
        uint32_t ids[2];
        const char *left;
        bool over;
        Host h;

        host_init(&h, sim);
        for (size_t i = 0; i < ELEMENTSOF(pair); i++)
                ids[i] = submit(&h, pair[i]);
        over = host_run(&h);
        left = outcome_left_parked(sim);
        for (size_t i = 0; i < ELEMENTSOF(pair); i++)
                /* Only ours can be refused at the door, behind a removal. */
                if (!over || left || put_in_danger(sim) ||
                    (ids[i] == 0 && pair[i]->op.kind == OP_FOREIGN) ||
                    (ids[i] != 0 && (!host_end(&h, ids[i]) || host_end(&h, ids[i])->times != 1))) {
                        sim_print_reports(sim, stderr);
                        fail_msg("%s, %s: %s and then %s%s%s", sim_variant_to_string(v),
                                 over ? "over" : "stuck", a->name, b->name, left ? ": " : "",
                                 left ? left : "");
                }
        host_done(&h);
        sim_free(sim);
}

static void no_program_meets_another_or_one_of_ours(void **state) {
        (void) state;
        for (int v = 0; v < _SIM_VARIANT_MAX; v++)
                for (size_t i = 0; i < ELEMENTSOF(programs); i++) {
                        for (size_t k = 0; k < ELEMENTSOF(programs); k++)
                                run_pair(v, programs + i, programs + k);
                        for (size_t k = 0; k < ELEMENTSOF(ours); k++) {
                                run_pair(v, programs + i, ours + k);
                                run_pair(v, ours + k, programs + i);
                        }
                }
}

/* Anything that holds the global lock for a while, then a removal, then what holds its device's lock and wants the other. */
static const Program convoy[] = {
        PROGRAM("numvfs 0 of another", "0", .door = DOOR_COUNT, .fn = IGB1),
        PROGRAM("remove", "1", .door = DOOR_REMOVE, .fn = IGB0),
        PROGRAM("numvfs 4", "4", .door = DOOR_COUNT, .fn = IGB0),
};

static Sim *world_of_convoy(SimVariant v) {
        Sim *sim = sim_new(&(SimConfig){ .variant = v });
        Kernel *k;

        assert_non_null(sim);
        k = sim_kernel(sim);
        assert_int_equal(k->write(k, ATTR_FN(ATTR_NUMVFS, IGB1), "4"), 0);
        return sim;
}

/* Without the gate it hangs where the kernel lets it: else this test would show nothing. */
static bool hangs_without_a_gate(SimVariant v) {
        Sim *sim = world_of_convoy(v);
        bool hangs;

        (void) sim_start_write(sim, ATTR_FN(ATTR_NUMVFS, IGB1), "0");
        sim_pass(sim, 300);
        (void) sim_start_write(sim, ATTR_FN(ATTR_REMOVE, IGB0), "1");
        sim_pass(sim, 300);
        (void) sim_start_write(sim, ATTR_FN(ATTR_NUMVFS, IGB0), "4");
        sim_settle(sim);
        hangs = sim_reports(sim, SIM_DEADLOCK) > 0;
        sim_free(sim);
        return hangs;
}

static void the_convoy_passes_the_gate(void **state) {
        (void) state;
        assert_true(hangs_without_a_gate(SIM_VARIANT_C));
        for (int v = 0; v < _SIM_VARIANT_MAX; v++) {
                Sim *sim = world_of_convoy(v);
                uint32_t ids[ELEMENTSOF(convoy)];
                Host h;

                host_init(&h, sim);
                for (size_t i = 0; i < ELEMENTSOF(convoy); i++)
                        ids[i] = submit(&h, convoy + i);
                assert_true(host_run(&h));
                for (size_t i = 0; i < ELEMENTSOF(convoy); i++) {
                        const HostEnd *end = host_end(&h, ids[i]);

                        assert_true(end && end->times == 1);
                        assert_int_equal(end->result, RESULT_DONE);
                        assert_true(i == 0 || end->ms >= host_end(&h, ids[i - 1])->ms);
                }
                assert_int_equal(sim_reports(sim, _SIM_REPORT_MAX), 0);
                host_done(&h);
                sim_free(sim);
        }
}

/* A program stuck in its write, then let go. Outside the global lock on a known PF: others go on meanwhile. */
static void a_stuck_program_holds_up_only_whom_it_must(void **state) {
        static const struct {
                Program p;
                const char *file;
                bool closes;
        } table[] = {
                { PROGRAM("reset", "1", .door = DOOR_RESET, .fn = IGB0), "reset", false },
                { PROGRAM("numvfs", "4", .door = DOOR_COUNT, .fn = IGB0), "sriov_numvfs", true },
                { PROGRAM("unbind", "0000:01:00.0", .door = DOOR_UNBIND, .driver = "igb"), "unbind",
                  true },
        };
        static const Program other = { "set of another",
                                       NULL,
                                       { .kind = OP_SET_VFS, .fn = IGB1, .count = 2 } };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                Sim *sim = sim_new(&(SimConfig){ .variant = SIM_VARIANT_C });
                uint32_t stuck, next;
                Host h;

                host_init(&h, sim);
                sim_fault(sim, table[i].file, SIM_FAULT_BLOCK, 0, 0, 0, 1);
                stuck = submit(&h, &table[i].p);
                next = submit(&h, &other);
                assert_false(host_run(&h));
                assert_int_equal(queue_is_closed(&h.queue), table[i].closes);
                assert_null(host_end(&h, stuck));
                assert_int_equal(host_end(&h, next) != NULL, !table[i].closes);
                sim_go(sim);
                assert_true(host_run(&h));
                assert_int_equal(host_end(&h, stuck)->result, RESULT_DONE);
                assert_int_equal(host_end(&h, next)->result, RESULT_DONE);
                if (put_in_danger(sim)) {
                        sim_print_reports(sim, stderr);
                        fail_msg("%s", table[i].p.name);
                }
                host_done(&h);
                sim_free(sim);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(no_program_meets_another_or_one_of_ours),
                cmocka_unit_test(the_convoy_passes_the_gate),
                cmocka_unit_test(a_stuck_program_holds_up_only_whom_it_must),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
