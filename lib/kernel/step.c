/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Step
 *
 * The table of rungs, and what is the same for all of them: first see that the device is the one that was planned
 * with, then climb, and if that went wrong see whether the device is still there.
 */
#include <errno.h>

#include "base/macro.h"

#include "kernel/attr.h"
#include "kernel/rungs.h"
#include "kernel/step.h"

typedef struct Row {
        int (*climb)(Kernel *k, const Step *step, StepResult *ret);
        bool needs_fn; /* nothing can be done unless step->fn is there */
} Row;

static const Row rungs[_RUNG_MAX] = {
        [RUNG_LOAD_DRIVER] = { climb_load_driver, false },
        [RUNG_REFUSE_IF_HELD] = { climb_refuse_if_held, true },
        [RUNG_PARK_VF] = { climb_park_vf, true },
        [RUNG_UNBIND_KEEPER] = { climb_unbind_keeper, true },
        [RUNG_STUB_PF] = { climb_stub_pf, true },
        [RUNG_VFS_OFF] = { climb_vfs_off, true },
        [RUNG_UNSTUB_PF] = { climb_unstub_pf, true },
        [RUNG_UNBIND] = { climb_unbind, true },
        [RUNG_QUIET_PORT] = { climb_quiet_port, true },
        [RUNG_REMOVE] = { climb_remove, true },
        [RUNG_SLOT_OFF] = { climb_slot_off, false },
        [RUNG_UNLOAD] = { climb_unload, false },
        [RUNG_RESET] = { climb_reset, true },
        [RUNG_RESCAN] = { climb_rescan, false },
        [RUNG_SLOT_ON] = { climb_slot_on, false },
        [RUNG_BIND] = { climb_bind, true },
        [RUNG_HOLD_PROBE] = { climb_hold_probe, true },
        [RUNG_VFS_ON] = { climb_vfs_on, true },
        [RUNG_OVERRIDE_VF] = { climb_override_vf, true },
        [RUNG_FREE_PROBE] = { climb_free_probe, true },
        [RUNG_BIND_VF] = { climb_bind_vf, true },
        [RUNG_UNPARK_VF] = { climb_unpark_vf, true },
};

/* The number of a directory is its own: a device that was found anew has another one. */
static int identify(Kernel *k, const Step *step) {
        uint64_t identity;
        int r;

        r = k->identity(k, ATTR_FN(ATTR_DIRECTORY, step->fn), &identity);
        if (r == -ENOENT || r == -ENODEV)
                return STEP_GONE;
        if (r < 0)
                return r;
        return step->identity != 0 && identity != step->identity ? STEP_STALE : STEP_DONE;
}

static int climb(Kernel *k, const Step *step, StepResult *ret) {
        const Row *row = rungs + step->rung;
        int r, now;

        if (!row->needs_fn)
                return row->climb(k, step, ret);
        r = identify(k, step);
        if (r != STEP_DONE)
                return r;
        r = row->climb(k, step, ret);
        /* A removal that left orphans is one whose device is gone: its own answer says more. */
        if (r == STEP_DONE || (step->rung == RUNG_REMOVE && r == STEP_UNPROVEN))
                return r;
        /* A device that is pulled in the middle makes any write fail somehow: that it is gone is the better answer. */
        now = identify(k, step);
        return now > STEP_DONE ? now : r;
}

void step_climb(Kernel *k, const Step *step, StepResult *ret) {
        int r;

        *ret = (StepResult){};
        r = step->rung < _RUNG_MAX ? climb(k, step, ret) : -EINVAL;
        if (r < 0) {
                ret->answer = STEP_FAILED;
                ret->error = -r;
        } else
                ret->answer = (StepAnswer) r;
}
