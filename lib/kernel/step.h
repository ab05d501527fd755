/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Step: climb one rung, then prove it
 *
 * For children only: everything here may wait for the kernel's locks for ever. A write that returned 0 is a hint;
 * the answer is what the links and directories show afterwards (KERNEL.md 4.0 rule 6).
 */
#pragma once

#include <errno.h>

#include "core/ladder.h"
#include "kernel/kernel.h"

/* What refuse-if-held needs and gives beyond an answer. */
typedef struct StepExtra {
        bool guarded; /* in: the daemon's own guard is on this function's vfio group, so that EBUSY would be ours */
        int guard; /* out: keeps new users out of the vfio group as long as it is open; -EBADF: none. The caller's */
        int32_t group; /* out: the guard's group */
        Holders holders; /* out: who uses the function. The caller's */
} StepExtra;

#define STEP_EXTRA_EMPTY ((StepExtra){ .guard = -EBADF, .group = -1 })
void step_extra_done(StepExtra *extra);

/* Does the step and fills *ret: what came of it is in ret->answer, there is no other failure. extra may be NULL. */
void step_climb(Kernel *k, const Step *step, StepResult *ret, StepExtra *extra);
