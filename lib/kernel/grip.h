/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Grip: which driver has a function, and which one may take it
 *
 * Used by the rungs of VFs and of PFs alike. Everything here may wait for the function's lock. Functions with a
 * StepAnswer as their result return -errno where the kernel refused.
 */
#pragma once

#include "core/ladder.h"
#include "kernel/kernel.h"

/* "" if it is not set. 0, -errno. */
int override_read(Kernel *k, Bdf fn, char ret[static NAME_MAX_LENGTH]);
/* "" takes it away. 0, -errno. */
int override_write(Kernel *k, Bdf fn, const char *name);

/* Sets *ret_n to the number of fn's VFs: -EBUSY if that is not 0. 0, -errno. */
int grip_refuse_vfs(Kernel *k, Bdf fn, uint32_t *ret_n);

/* Lets go of fn, whichever driver has it. STEP_DONE also if none has; STEP_UNPROVEN. */
int grip_unbind(Kernel *k, Bdf fn);
/* Binds fn to that driver, after another one that has it was unbound. STEP_DONE, STEP_UNPROVEN. */
int grip_bind(Kernel *k, Bdf fn, const char *driver);
/* Takes the override away and lets the kernel choose. STEP_DONE, STEP_NO_DRIVER. */
int grip_probe(Kernel *k, Bdf fn);
