/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rungs of one VF
 *
 * They take the VF's own lock and no other, which is why they may fan out. The VF is named by its PF and its index:
 * that is what the plan knows of VFs that are not there yet.
 */
#include <errno.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/attr.h"
#include "kernel/grip.h"
#include "kernel/look.h"
#include "kernel/prove.h"
#include "kernel/rungs.h"

/* The VF that the step is about, or STEP_GONE. */
static int find_vf(Kernel *k, const Step *step, Bdf *ret) {
        return look_vf(k, step->fn, step->n, ret) < 0 ? STEP_GONE : STEP_DONE;
}

/*
 * The override comes first, so that nobody can bind the VF in the moment in which it has no driver. One that is parked
 * already was left so by a climb that died: what it had before is lost, and none is the kernel's default.
 */
int climb_park_vf(Kernel *k, const Step *step, StepResult *ret) {
        Bdf vf;
        int r;

        r = find_vf(k, step, &vf);
        if (r != STEP_DONE)
                return r;
        r = override_read(k, vf, ret->override);
        if (r < 0)
                return r;
        if (streq(ret->override, PARK_OVERRIDE))
                ret->override[0] = '\0';
        r = override_write(k, vf, PARK_OVERRIDE);
        if (r < 0)
                return r;
        r = grip_unbind(k, vf);
        if (r < 0)
                (void) override_write(k, vf, ret->override);
        return r;
}

int climb_override_vf(Kernel *k, const Step *step, StepResult *ret) {
        char now[NAME_MAX_LENGTH];
        Bdf vf;
        int r;

        r = find_vf(k, step, &vf);
        if (r != STEP_DONE)
                return r;
        r = override_read(k, vf, ret->override);
        if (r < 0)
                return r;
        r = override_write(k, vf, step->name);
        if (r < 0)
                return r;
        r = override_read(k, vf, now);
        if (r < 0)
                return r;
        return streq(now, step->name) ? STEP_DONE : STEP_UNPROVEN;
}

/* One whose override is DRIVER_NONE, a name that no driver has, stays without a driver. */
int climb_unbind_vf(Kernel *k, const Step *step, StepResult *ret) {
        Bdf vf;
        int r;

        (void) ret;
        r = find_vf(k, step, &vf);
        return r == STEP_DONE ? grip_unbind(k, vf) : r;
}

/*
 * One that another driver has, as the kernel chose it where autoprobe is not to be held (QUIRK_KEEP_AUTOPROBE), is taken from that
 * first.
 */
int climb_bind_vf(Kernel *k, const Step *step, StepResult *ret) {
        Bdf vf;
        int r;

        (void) ret;
        r = find_vf(k, step, &vf);
        if (r != STEP_DONE)
                return r;
        return step->name[0] == '\0' ? grip_probe(k, vf) : grip_bind(k, vf, step->name);
}

/*
 * With its PF's autoprobe at 0 a VF is bound only by its override (KERNEL.md part 1 rule 4). One that had its driver
 * from before autoprobe went to 0 gets it back with an override that is there for this moment only.
 */
int climb_unpark_vf(Kernel *k, const Step *step, StepResult *ret) {
        Bdf vf;
        int r, back;

        (void) ret;
        r = find_vf(k, step, &vf);
        if (r != STEP_DONE)
                return r;
        r = override_write(k, vf, step->override);
        if (r < 0 || step->name[0] == '\0')
                return r;
        r = grip_bind(k, vf, step->name);
        if (r != -ENODEV || streq(step->override, step->name))
                return r;
        r = override_write(k, vf, step->name);
        if (r < 0)
                return r;
        r = grip_bind(k, vf, step->name);
        back = override_write(k, vf, step->override);
        return back < 0 ? back : r;
}
