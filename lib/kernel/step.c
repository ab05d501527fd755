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

/* refuse-if-held stands beside the table: it alone takes and gives more than an answer. */
static const Row rungs[_RUNG_MAX] = {
        [RUNG_CLEAR_WAY] = { climb_clear_way, false },
        [RUNG_LOAD_DRIVER] = { climb_load_driver, false },
        [RUNG_REFUSE_IF_HELD] = { NULL, true },
        [RUNG_REFUSE_IF_DOWN] = { climb_refuse_if_down, true },
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
        [RUNG_ESWITCH] = { climb_eswitch, true },
        [RUNG_UP_PF] = { climb_up_pf, true },
        [RUNG_HOLD_PROBE] = { climb_hold_probe, true },
        [RUNG_VFS_ON] = { climb_vfs_on, true },
        [RUNG_ESWITCH_VFS] = { climb_eswitch, true },
        [RUNG_OVERRIDE_VF] = { climb_override_vf, true },
        [RUNG_UNBIND_VF] = { climb_unbind_vf, true },
        [RUNG_CONFIGURE_VF] = { climb_configure_vf, true },
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

static int climb(Kernel *k, const Step *step, StepResult *ret, StepExtra *extra) {
        const Row *row = rungs + step->rung;
        int r, now;

        /* Whoever is let in is no child of ours. */
        if (step->rung == RUNG_ADMIT)
                return -EINVAL;

        if (!row->needs_fn)
                return row->climb(k, step, ret);
        r = identify(k, step);
        if (r != STEP_DONE)
                return r;
        r = row->climb ? row->climb(k, step, ret) : climb_refuse_if_held(k, step, ret, extra);
        /* Here it is wanted that the device is gone, and orphans that it left are worth more words. */
        if (step->rung == RUNG_REMOVE && (r == STEP_DONE || r == STEP_UNPROVEN))
                return r;
        /*
         * A device that is pulled in the middle makes any write fail somehow, and any proof of what should not be there
         * succeed: that it is gone is the better answer.
         */
        now = identify(k, step);
        return now > STEP_DONE ? now : r;
}

void step_extra_done(StepExtra *extra) {
        extra->guard = close_fd(extra->guard);
        extra->group = -1;
        holders_done(&extra->holders);
}

void step_climb(Kernel *k, const Step *step, StepResult *ret, StepExtra *extra) {
        StepExtra own = STEP_EXTRA_EMPTY;
        int r;

        *ret = (StepResult){};
        if (!extra)
                extra = &own;
        r = step->rung < _RUNG_MAX ? climb(k, step, ret, extra) : -EINVAL;
        if (r < 0) {
                ret->answer = STEP_FAILED;
                ret->error = -r;
        } else
                ret->answer = (StepAnswer) r;
        /* Whoever uses a function is worth telling of as long as it is there. */
        if (extra == &own || (ret->answer != STEP_DONE && ret->answer != STEP_IN_USE))
                step_extra_done(extra);
}
