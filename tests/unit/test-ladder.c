/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ladder, operation by operation: which rungs, in which order, and what is refused
 */
#include "core/ladder.h"

#include "tests/unit/test.h"

/* The plan as one line of rungs, "park-vf park-vf vfs-off", without the first: every plan begins with clear-way. */
static const char *rungs(const Snapshot *s, const Op *op, const Bdf *keeper) {
        static char line[1024];
        _cleanup_(plan_freep) Plan *plan = NULL;
        Fault fault = {};
        size_t n = 0;

        line[0] = '\0';
        if (ladder_plan(s, op, keeper, &plan, &fault) != 0)
                return "refused";
        if (plan->n_steps > 0)
                assert_int_equal(plan->steps[0].rung, RUNG_CLEAR_WAY);
        for (size_t i = 1; i < plan->n_steps; i++)
                n += (size_t) snprintf(line + n, sizeof(line) - n, "%s%s", i > 1 ? " " : "",
                                       rung_to_string(plan->steps[i].rung));
        return line;
}

static FaultReason refusal(const Snapshot *s, const Op *op) {
        _cleanup_(plan_freep) Plan *plan = NULL;
        Fault fault = {};

        assert_int_equal(ladder_plan(s, op, NULL, &plan, &fault), LADDER_E_REFUSED);
        return fault.reason;
}

static void vfs_are_made_with_probing_held_and_driven_afterwards(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 0, "");
        Op op = { .kind = OP_SET_VFS, .fn = PF, .count = 2 };

        (void) state;
        assert_string_equal(rungs(s, &op, NULL), "hold-probe vfs-on free-probe bind-vf bind-vf");
        str_copy(op.driver, sizeof(op.driver), "vfio-pci");
        assert_string_equal(rungs(s, &op, NULL),
                            "hold-probe vfs-on override-vf override-vf free-probe bind-vf bind-vf");
        str_copy(op.driver, sizeof(op.driver), "mlx5_core");
        assert_string_equal(
                rungs(s, &op, NULL),
                "load-driver hold-probe vfs-on override-vf override-vf free-probe bind-vf bind-vf");
}

static void autoprobe_that_was_off_stays_off(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 0, "");
        Op op = { .kind = OP_SET_VFS, .fn = PF, .count = 1 };

        (void) state;
        ((Fn *) snapshot_find(s, PF))->flags &= ~(uint32_t) FN_AUTOPROBE;
        assert_string_equal(rungs(s, &op, NULL), "vfs-on");
        str_copy(op.driver, sizeof(op.driver), "igbvf");
        assert_string_equal(rungs(s, &op, NULL), "vfs-on override-vf bind-vf");
}

static void already_so_is_an_empty_plan(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "igbvf"),
                                           *none = small_world("igb", 0, "");
        Op op = { .kind = OP_SET_VFS, .fn = PF, .count = 2 };

        (void) state;
        assert_string_equal(rungs(s, &op, NULL), "");
        op.count = 0;
        assert_string_equal(rungs(none, &op, NULL), "");
        op = (Op){ .kind = OP_BIND, .fn = PF, .driver = "igb" };
        assert_string_equal(rungs(s, &op, NULL), "");
        op = (Op){ .kind = OP_SET_VFS, .fn = PF, .count = 2, .driver = "igbvf" };
        assert_string_equal(rungs(s, &op, NULL), "");
}

static void a_resize_goes_through_zero(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "igbvf");
        Op op = { .kind = OP_SET_VFS, .fn = PF, .count = 1 };

        (void) state;
        assert_string_equal(rungs(s, &op, NULL), "refuse-if-held refuse-if-held park-vf park-vf "
                                                 "vfs-off hold-probe vfs-on free-probe bind-vf");
}

static void only_vfs_of_another_driver_are_bound_anew(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "igbvf");
        Op op = { .kind = OP_SET_VFS, .fn = PF, .count = 2, .driver = "vfio-pci" };

        (void) state;
        str_copy(((Fn *) snapshot_find(s, VF0))->driver, NAME_MAX_LENGTH, "vfio-pci");
        assert_string_equal(rungs(s, &op, NULL), "refuse-if-held unbind override-vf bind-vf");
}

static void a_pf_is_removed_after_users_vfs_and_driver(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "igbvf");
        Op op = { .kind = OP_REMOVE, .fn = PF };

        (void) state;
        assert_string_equal(rungs(s, &op, NULL), "refuse-if-held refuse-if-held refuse-if-held "
                                                 "park-vf park-vf vfs-off unbind remove");
        op.flags = OP_RESCAN_AFTER;
        assert_string_equal(rungs(s, &op, NULL), "refuse-if-held refuse-if-held refuse-if-held "
                                                 "park-vf park-vf vfs-off unbind remove rescan");
}

static void a_bridge_takes_all_below_down_and_quiets_its_ports_innermost_first(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = snapshot_new();
        _cleanup_(plan_freep) Plan *plan = NULL;
        Op op = { .kind = OP_REMOVE, .fn = PORT };
        Fault fault;
        size_t n;

        (void) state;
        put_bridge(s, PORT, BDF_NONE);
        put_bridge(s, BDF(1, 0, 0), PORT);
        put_bridge(s, BDF(2, 1, 0), BDF(1, 0, 0));
        put_pf(s, BDF(3, 0, 0), BDF(2, 1, 0), "igb", 1, "igbvf");
        put_pf(s, BDF(4, 0, 0), BDF(1, 0, 0), "nvme", 1, "");
        snapshot_add_service(s, &(Service){ .name = "0000:00:01.0:pcie004", .port = PORT });
        snapshot_add_service(s, &(Service){ .name = "0000:02:01.0:pcie204", .port = BDF(2, 1, 0) });
        snapshot_seal(s);
        assert_int_equal(ladder_plan(s, &op, NULL, &plan, &fault), 0);
        n = plan->n_steps;
        assert_string_equal(rungs(s, &op, NULL),
                            "refuse-if-held refuse-if-held refuse-if-held refuse-if-held park-vf "
                            "park-vf vfs-off vfs-off unbind unbind quiet-port quiet-port remove");
        assert_true(bdf_equal(plan->steps[n - 1].fn, PORT));
        assert_string_equal(plan->steps[n - 3].name, "0000:02:01.0:pcie204");
        assert_string_equal(plan->steps[n - 2].name, "0000:00:01.0:pcie004");
        /* Highest function first. */
        assert_true(bdf_equal(plan->steps[7].fn, BDF(4, 0, 0)));
}

static void a_slot_is_emptied_before_it_is_switched_off_and_its_own_port_stays_awake(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 1, "igbvf");
        Op off = { .kind = OP_SLOT_OFF, .fn = BDF_NONE, .slot = "1" },
           on = { .kind = OP_SLOT_ON, .fn = BDF_NONE, .slot = "1" };

        (void) state;
        assert_string_equal(rungs(s, &off, NULL),
                            "refuse-if-held refuse-if-held park-vf vfs-off unbind slot-off");
        assert_string_equal(rungs(s, &on, NULL), "slot-on");
        str_copy(off.slot, sizeof(off.slot), "7");
        assert_int_equal(refusal(s, &off), FAULT_NO_SUCH_SLOT);
}

static void a_pf_is_unbound_and_bound_without_vfs(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 1, "igbvf");
        Op op = { .kind = OP_UNBIND, .fn = PF };

        (void) state;
        assert_string_equal(rungs(s, &op, NULL),
                            "refuse-if-held refuse-if-held park-vf vfs-off unbind");
        op = (Op){ .kind = OP_BIND, .fn = PF, .driver = "vfio-pci" };
        assert_string_equal(rungs(s, &op, NULL),
                            "refuse-if-held refuse-if-held park-vf vfs-off unbind bind");
        op = (Op){ .kind = OP_UNBIND, .fn = VF0 };
        assert_string_equal(rungs(s, &op, NULL), "refuse-if-held unbind");
        op = (Op){ .kind = OP_BIND, .fn = VF0, .driver = "vfio-pci" };
        assert_string_equal(rungs(s, &op, NULL), "refuse-if-held unbind override-vf bind-vf");
}

static void inherited_vfs_go_through_the_stub(void **state) {
        const Bdf pf = PF;
        _cleanup_(snapshot_freep) Snapshot *s = small_world("", 1, ""),
                                           *keeper = small_world("igb", 1, "");
        Op op = { .kind = OP_SET_VFS, .fn = PF, .count = 0 };

        (void) state;
        assert_string_equal(rungs(s, &op, NULL),
                            "refuse-if-held park-vf stub-pf vfs-off unstub-pf");
        op = (Op){ .kind = OP_BIND, .fn = PF, .driver = "igb" };
        assert_string_equal(rungs(s, &op, NULL),
                            "refuse-if-held park-vf stub-pf vfs-off unstub-pf bind");
        op = (Op){ .kind = OP_SET_VFS, .fn = PF, .count = 2 };
        assert_string_equal(rungs(keeper, &op, &pf),
                            "refuse-if-held refuse-if-held park-vf unbind-keeper stub-pf vfs-off "
                            "unstub-pf bind hold-probe vfs-on free-probe bind-vf bind-vf");
        op = (Op){ .kind = OP_REMOVE, .fn = PF };
        assert_string_equal(
                rungs(keeper, &op, &pf),
                "refuse-if-held refuse-if-held park-vf unbind-keeper stub-pf vfs-off unstub-pf "
                "remove");
}

static void a_reset_is_done_without_a_driver_and_without_vfs(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 1, "igbvf"),
                                           *none = small_world("igb", 0, "");
        /* The last row about a driver holds. */
        static const Quirks quirks = { .items = { { "igbvf", 0 },
                                                  { "igb", QUIRK_RESET_NEEDS_UP },
                                                  { "igbvf", QUIRK_RESET_NEEDS_UP } },
                                       .n = 3 };
        Op op = { .kind = OP_RESET, .fn = PF };

        (void) state;
        assert_int_equal(refusal(s, &op), FAULT_HAS_VFS);
        assert_string_equal(rungs(none, &op, NULL), "refuse-if-held unbind reset bind");
        op.fn = VF0;
        assert_string_equal(rungs(s, &op, NULL), "refuse-if-held unbind reset bind-vf");
        s->quirks = &quirks;
        assert_string_equal(rungs(s, &op, NULL),
                            "refuse-if-held refuse-if-down unbind reset bind-vf");
        none->quirks = &quirks;
        op.fn = PF;
        assert_string_equal(rungs(none, &op, NULL), "refuse-if-held unbind reset bind");
        op.fn = BDF(0, 3, 0);
        assert_int_equal(refusal(s, &op), FAULT_NO_RESET);
}

static void a_driver_is_unloaded_pf_by_pf(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "igbvf");
        Op op = { .kind = OP_UNLOAD, .fn = BDF_NONE, .driver = "igb" };

        (void) state;
        assert_string_equal(rungs(s, &op, NULL), "refuse-if-held refuse-if-held refuse-if-held "
                                                 "park-vf park-vf vfs-off unbind unload");
        op = (Op){ .kind = OP_UNLOAD, .fn = BDF_NONE, .driver = "igbvf" };
        assert_string_equal(rungs(s, &op, NULL),
                            "refuse-if-held refuse-if-held unbind unbind unload");
        op = (Op){ .kind = OP_UNLOAD, .fn = BDF_NONE, .driver = "nosuch" };
        assert_int_equal(refusal(s, &op), FAULT_NOT_BOUND);
}

static void what_makes_no_sense_is_refused_before_anything_is_touched(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 1, "igbvf"),
                                           *bare = small_world("", 0, "");
        const struct {
                Op op;
                FaultReason reason;
        } table[] = {
                { { .kind = OP_SET_VFS, .fn = BDF(9, 0, 0), .count = 1 }, FAULT_NO_SUCH_DEVICE },
                { { .kind = OP_SET_VFS, .fn = VF0, .count = 1 }, FAULT_NOT_PF },
                { { .kind = OP_SET_VFS, .fn = BDF(0, 3, 0), .count = 1 }, FAULT_NOT_SRIOV },
                { { .kind = OP_SET_VFS, .fn = PF, .count = 8 }, FAULT_TOO_MANY_VFS },
                { { .kind = OP_SET_VFS, .fn = PF, .count = 2, .driver = "../igb" },
                  FAULT_BAD_NAME },
                { { .kind = OP_REMOVE, .fn = VF0 }, FAULT_VF_HAS_NO_REMOVE },
                { { .kind = OP_BIND, .fn = PORT, .driver = "igb" }, FAULT_FOREIGN_BRIDGE },
                { { .kind = OP_UNBIND, .fn = PORT }, FAULT_FOREIGN_BRIDGE },
                { { .kind = OP_BIND, .fn = PF, .driver = "a b" }, FAULT_BAD_NAME },
                { { .kind = OP_RESET, .fn = PORT }, FAULT_NO_RESET },
        };
        Op op = { .kind = OP_SET_VFS, .fn = PF, .count = 1 };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                assert_int_equal(refusal(s, &table[i].op), table[i].reason);
        assert_int_equal(refusal(bare, &op), FAULT_NO_DRIVER);
}

static void the_lowest_of_several_functions_goes_only_with_all(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = snapshot_new();
        Op op = { .kind = OP_REMOVE, .fn = PF };

        (void) state;
        put_pf(s, PF, BDF_NONE, "igb", 0, "");
        put_pf(s, BDF(1, 0, 1), BDF_NONE, "igb", 0, "");
        snapshot_seal(s);
        assert_int_equal(refusal(s, &op), FAULT_LOWEST_FUNCTION);
        op.fn = BDF(1, 0, 1);
        assert_string_equal(rungs(s, &op, NULL), "refuse-if-held unbind remove");
        op.flags = OP_ALL_FUNCTIONS;
        assert_string_equal(rungs(s, &op, NULL),
                            "refuse-if-held refuse-if-held unbind unbind remove remove");
}

static void beside_orphans_only_the_bridge_above_may_go(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("nvme", 0, "");
        static const OpKind refused[] = { OP_SET_VFS, OP_BIND, OP_UNBIND, OP_REMOVE, OP_RESET };
        Op op = { .fn = PF, .count = 1, .driver = "igb" };
        Fault fault;
        _cleanup_(plan_freep) Plan *plan = NULL;

        (void) state;
        put_fn(s, (Fn){ .bdf = VF0, .parent = PORT, .pf = PF, .flags = FN_VF | FN_ORPHAN }, "nvme");
        snapshot_seal(s);
        for (size_t i = 0; i < ELEMENTSOF(refused); i++) {
                op.kind = refused[i];
                assert_int_equal(refusal(s, &op), FAULT_ORPHANS);
        }
        op = (Op){ .kind = OP_RESCAN, .fn = BDF_NONE };
        assert_int_equal(ladder_plan(s, &op, NULL, &plan, &fault), LADDER_E_REFUSED);
        assert_string_equal(fault.text, "0000:00:01.0");
        op = (Op){ .kind = OP_REMOVE, .fn = PORT };
        assert_string_equal(rungs(s, &op, NULL),
                            "refuse-if-held refuse-if-held unbind unbind quiet-port remove");
}

/* Climbs the plan up to the step of that rung, which gets `state`, and says what is owed then. */
static const char *owed(const Snapshot *s, const Op *op, Rung until, StepState last) {
        static char line[512];
        _cleanup_(plan_freep) Plan *plan = NULL, *back = NULL;
        StepState states[64] = {};
        Fault fault;
        size_t n = 0;

        line[0] = '\0';
        assert_int_equal(ladder_plan(s, op, NULL, &plan, &fault), 0);
        for (size_t i = 0; i < plan->n_steps; i++) {
                str_copy(plan->steps[i].override, NAME_MAX_LENGTH, "vfio-pci");
                if (plan->steps[i].rung < until)
                        states[i] = STEP_STATE_DONE;
                else if (plan->steps[i].rung == until)
                        states[i] = last;
        }
        assert_int_equal(ladder_way_back(op, plan, states, &back), 0);
        for (size_t i = 0; i < back->n_steps; i++)
                n += (size_t) snprintf(line + n, sizeof(line) - n, "%s%s:%u:%s", i ? " " : "",
                                       rung_to_string(back->steps[i].rung), back->steps[i].n,
                                       back->steps[i].name);
        return line;
}

static void a_climb_that_stops_puts_right_what_it_began(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "igbvf"),
                                           *none = small_world("igb", 0, "");
        Op resize = { .kind = OP_SET_VFS, .fn = PF, .count = 3 },
           make = { .kind = OP_SET_VFS, .fn = PF, .count = 3 },
           gone = { .kind = OP_REMOVE, .fn = PF },
           bind = { .kind = OP_BIND, .fn = PF, .driver = "vfio-pci" };

        (void) state;
        assert_string_equal(owed(s, &resize, RUNG_REFUSE_IF_HELD, STEP_STATE_FAILED), "");
        assert_string_equal(owed(s, &resize, RUNG_PARK_VF, STEP_STATE_FAILED),
                            "unpark-vf:0:igbvf unpark-vf:1:igbvf");
        assert_string_equal(owed(s, &resize, RUNG_VFS_OFF, STEP_STATE_FAILED),
                            "unpark-vf:0:igbvf unpark-vf:1:igbvf");
        assert_string_equal(owed(s, &resize, RUNG_VFS_ON, STEP_STATE_FAILED),
                            "vfs-on:2: free-probe:0: unpark-vf:0:igbvf unpark-vf:1:igbvf");
        assert_string_equal(owed(none, &make, RUNG_VFS_ON, STEP_STATE_FAILED), "free-probe:0:");
        assert_string_equal(owed(none, &make, RUNG_FREE_PROBE, STEP_STATE_FAILED), "free-probe:0:");
        assert_string_equal(owed(none, &make, RUNG_BIND_VF, STEP_STATE_FAILED), "");
        assert_string_equal(owed(s, &gone, RUNG_VFS_OFF, STEP_STATE_FAILED),
                            "unpark-vf:0:igbvf unpark-vf:1:igbvf");
        assert_string_equal(owed(s, &gone, RUNG_UNBIND, STEP_STATE_FAILED), "");
        assert_string_equal(owed(none, &bind, RUNG_BIND, STEP_STATE_FAILED), "bind:0:igb");
}

/* Also its override, which was written for another driver and would keep its own out. */
static void a_vf_that_stays_has_again_what_it_had(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("igb", 2, "igbvf"),
                                           *idle = small_world("igb", 2, "");
        Op bind = { .kind = OP_BIND, .fn = VF0, .driver = "vfio-pci" },
           rebind = { .kind = OP_SET_VFS, .fn = PF, .count = 2, .driver = "vfio-pci" };

        (void) state;
        assert_string_equal(owed(s, &bind, RUNG_UNBIND, STEP_STATE_DONE), "bind:0:igbvf");
        assert_string_equal(owed(s, &bind, RUNG_OVERRIDE_VF, STEP_STATE_FAILED),
                            "unpark-vf:0:igbvf");
        assert_string_equal(owed(s, &bind, RUNG_BIND_VF, STEP_STATE_FAILED), "unpark-vf:0:igbvf");
        assert_string_equal(owed(s, &bind, RUNG_BIND_VF, STEP_STATE_DONE), "");
        assert_string_equal(owed(idle, &bind, RUNG_BIND_VF, STEP_STATE_FAILED), "unpark-vf:0:");
        assert_string_equal(owed(s, &rebind, RUNG_UNBIND, STEP_STATE_DONE),
                            "bind:0:igbvf bind:0:igbvf");
}

static void a_stub_is_never_left_on_a_pf(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("", 1, "");
        Op op = { .kind = OP_SET_VFS, .fn = PF, .count = 0 };

        (void) state;
        assert_string_equal(owed(s, &op, RUNG_STUB_PF, STEP_STATE_FAILED),
                            "unstub-pf:0: unpark-vf:0:");
        assert_string_equal(owed(s, &op, RUNG_VFS_OFF, STEP_STATE_FAILED),
                            "unstub-pf:0: unpark-vf:0:");
        assert_string_equal(owed(s, &op, RUNG_UNSTUB_PF, STEP_STATE_FAILED), "unstub-pf:0:");
}

static void every_answer_becomes_the_fault_that_it_means(void **state) {
        static const struct {
                Rung rung;
                StepAnswer answer;
                int error;
                FaultReason reason;
        } table[] = {
                { RUNG_VFS_ON, STEP_DONE, 0, FAULT_NONE },
                { RUNG_VFS_ON, STEP_FAILED, EBUSY, FAULT_KERNEL },
                { RUNG_VFS_ON, STEP_FAILED, ENOMEM, FAULT_ENOMEM_VFS },
                { RUNG_LOAD_DRIVER, STEP_FAILED, ENOENT, FAULT_NO_SUCH_DRIVER },
                { RUNG_VFS_OFF, STEP_KEPT, 0, FAULT_KEPT_VFS },
                { RUNG_VFS_ON, STEP_WRONG, 0, FAULT_WRONG_COUNT },
                { RUNG_UNBIND, STEP_UNPROVEN, 0, FAULT_UNPROVEN },
                { RUNG_REMOVE, STEP_UNPROVEN, 0, FAULT_STILL_THERE },
                { RUNG_RESCAN, STEP_UNPROVEN, 0, FAULT_NOT_FOUND_AFTER },
                { RUNG_REMOVE, STEP_STALE, 0, FAULT_STALE },
                { RUNG_PARK_VF, STEP_GONE, 0, FAULT_VANISHED },
                { RUNG_REFUSE_IF_HELD, STEP_IN_USE, 0, FAULT_STORAGE_IN_USE },
                { RUNG_UNLOAD, STEP_IN_USE, 0, FAULT_MODULE_IN_USE },
                { RUNG_CLEAR_WAY, STEP_BLOCKED, 0, FAULT_FOREIGN_STUCK },
                { RUNG_REFUSE_IF_DOWN, STEP_DOWN, 0, FAULT_LINK_DOWN },
                { RUNG_BIND_VF, STEP_NO_DRIVER, 0, FAULT_NOT_TAKEN },
                { RUNG_VFS_OFF, STEP_DIED, 0, FAULT_WORKER_DIED },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                Step step = { .rung = table[i].rung, .fn = PF, .vf = BDF_NONE, .n = 4 };
                StepResult result = { .answer = table[i].answer,
                                      .error = table[i].error,
                                      .n = OP_FORCE_STORAGE };
                Fault f = ladder_fault(&step, &result);

                assert_int_equal(f.reason, table[i].reason);
                if (f.reason != FAULT_NONE)
                        assert_true(bdf_equal(f.fn, PF));
        }
}

static void every_rung_has_a_name_and_a_deadline(void **state) {
        (void) state;
        for (Rung r = 0; r < _RUNG_MAX; r++) {
                Step step = { .rung = r, .fn = PF, .vf = BDF_NONE, .n = 65535, .name = "x" };
                char line[STEP_STR_MAX];

                assert_int_equal(rung_from_string(rung_to_string(r)), r);
                assert_in_range(rung_base_sec(r), 1, 3600);
                assert_in_range(rung_per_vf_sec(r), 0, 600);
                assert_null(strpbrk(step_format(&step, line, sizeof(line)), "{}"));
                assert_false(rung_fans_out(r) && rung_takes_global_lock(r));
        }
        assert_int_equal(rung_from_string("no-such"), _RUNG_MAX);
}

/* A word of Hold() and a pod's allocation need no driver to be there. */
static void whoever_goes_away_is_asked_for_with_a_driver_or_without(void **state) {
        _cleanup_(snapshot_freep) Snapshot *s = small_world("", 1, "");
        Op op = { .kind = OP_REMOVE, .fn = PF };

        (void) state;
        assert_string_equal(
                rungs(s, &op, NULL),
                "refuse-if-held refuse-if-held park-vf stub-pf vfs-off unstub-pf remove");
        op = (Op){ .kind = OP_BIND, .fn = VF0, .driver = "igbvf" };
        assert_string_equal(rungs(s, &op, NULL), "override-vf bind-vf");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(vfs_are_made_with_probing_held_and_driven_afterwards),
                cmocka_unit_test(autoprobe_that_was_off_stays_off),
                cmocka_unit_test(already_so_is_an_empty_plan),
                cmocka_unit_test(a_resize_goes_through_zero),
                cmocka_unit_test(only_vfs_of_another_driver_are_bound_anew),
                cmocka_unit_test(a_pf_is_removed_after_users_vfs_and_driver),
                cmocka_unit_test(
                        a_bridge_takes_all_below_down_and_quiets_its_ports_innermost_first),
                cmocka_unit_test(
                        a_slot_is_emptied_before_it_is_switched_off_and_its_own_port_stays_awake),
                cmocka_unit_test(a_pf_is_unbound_and_bound_without_vfs),
                cmocka_unit_test(inherited_vfs_go_through_the_stub),
                cmocka_unit_test(a_reset_is_done_without_a_driver_and_without_vfs),
                cmocka_unit_test(a_driver_is_unloaded_pf_by_pf),
                cmocka_unit_test(what_makes_no_sense_is_refused_before_anything_is_touched),
                cmocka_unit_test(the_lowest_of_several_functions_goes_only_with_all),
                cmocka_unit_test(beside_orphans_only_the_bridge_above_may_go),
                cmocka_unit_test(a_climb_that_stops_puts_right_what_it_began),
                cmocka_unit_test(a_vf_that_stays_has_again_what_it_had),
                cmocka_unit_test(a_stub_is_never_left_on_a_pf),
                cmocka_unit_test(every_answer_becomes_the_fault_that_it_means),
                cmocka_unit_test(every_rung_has_a_name_and_a_deadline),
                cmocka_unit_test(whoever_goes_away_is_asked_for_with_a_driver_or_without),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
