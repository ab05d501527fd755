/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Judge
 */
#include <string.h>

#include "base/macro.h"
#include "base/str.h"

#include "core/stack.h"

#include "daemon/judge.h"

#define LOOK_MAX_SEC 60

/* A PF's driver takes its VFs along, under the global lock on some kernels (KERNEL.md 1.6). */
static bool has_no_vfs(const Snapshot *s, Bdf bdf) {
        const Fn *fn = snapshot_find(s, bdf);

        if (!fn || fn->flags & FN_BRIDGE || fn->n_vfs > 0)
                return false;
        /* Also none that its PF has lost sight of. */
        FOREACH_FN (f, s)
                if (f->flags & FN_VF && bdf_equal(f->pf, bdf))
                        return false;
        return true;
}

bool judge_may_be_outside(const Snapshot *s, const Step *step) {
        switch (step->rung) {
        case RUNG_PARK_VF:
        case RUNG_OVERRIDE_VF:
        case RUNG_UNBIND_VF:
        case RUNG_BIND_VF:
        case RUNG_UNPARK_VF:
        case RUNG_RESET:
        case RUNG_ESWITCH:
        case RUNG_ESWITCH_VFS:
        case RUNG_UP_PF:
        case RUNG_CONFIGURE_VF:
                return true;
        case RUNG_UNBIND:
        case RUNG_UNSTUB_PF:
                return has_no_vfs(s, step->fn);
        default:
                return false;
        }
}

/*
 * The ways into the kernel of the rungs that give something: rtnetlink, devlink, a command to an NVMe controller. They are no
 * signatures of stack.c, for of other programs they say nothing about PCI.
 */
static const char *const gives[] = { "rtnetlink_rcv_msg", "genl_rcv_msg",   "genl_family_rcv_msg",
                                     "nvme_ioctl",        "nvme_dev_ioctl", "nvme_user_cmd" };

static bool is_giving(const Step *step, const char *stack) {
        if (step->rung != RUNG_ESWITCH && step->rung != RUNG_ESWITCH_VFS &&
            step->rung != RUNG_UP_PF && step->rung != RUNG_CONFIGURE_VF)
                return false;
        for (size_t i = 0; i < ELEMENTSOF(gives); i++)
                if (strstr(stack, gives[i]))
                        return true;
        return false;
}

/* Where a driver makes or takes VFs below one of these, frames that stack.c knows say so. */
static StackPlace place_of(const Step *step, const char *stack) {
        StackPlace place = stack_place(stack);

        return place == STACK_ELSEWHERE && is_giving(step, stack) ? STACK_DEVICE : place;
}

bool judge_is_outside(const Snapshot *s, const Step *step, const char *stack) {
        return place_of(step, stack) == STACK_DEVICE && judge_may_be_outside(s, step);
}

bool judge_is_unclear(const Snapshot *s, const Step *step, const char *stack) {
        return place_of(step, stack) == STACK_ELSEWHERE && judge_may_be_outside(s, step);
}

/* Parts of the names of functions that sleep for another task. */
static const char *const waits[] = {
        "mutex_lock",   "rwsem_down",          "rwbase_",           "down_read",
        "down_write",   "rtnl_lock",           "kernfs_drain",      "vfio_unregister_group_dev",
        "pci_wait_cfg", "pci_cfg_access_lock", "__synchronize_irq",
};

bool judge_waits_for_others(const char *stack) {
        if (stack[0] == '\0' || streq(stack, "unknown"))
                return true;
        for (size_t i = 0; i < ELEMENTSOF(waits); i++)
                if (strstr(stack, waits[i]))
                        return true;
        return false;
}

uint32_t judge_next_look_sec(uint32_t last) {
        return last == 0 ? 1 : MIN2(last * 2, (uint32_t) LOOK_MAX_SEC);
}
