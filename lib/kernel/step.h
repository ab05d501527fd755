/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Step: climb one rung, then prove it
 *
 * For children only: everything here may wait for the kernel's locks for ever. A write that returned 0 is a hint;
 * the answer is what the links and directories show afterwards (KERNEL.md 4.0 rule 6).
 */
#pragma once

#include "core/ladder.h"
#include "kernel/kernel.h"

/* Does the step and fills *ret: what came of it is in ret->answer, there is no other failure. */
void step_climb(Kernel *k, const Step *step, StepResult *ret);
