/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rungs: one function for each, behind step.c's table
 *
 * Each returns a StepAnswer, or -errno where the kernel refused (step.c makes STEP_FAILED of it). They fill what else
 * belongs to the answer: n, override, text. That fn is there, and is the one that was planned with, was checked
 * before.
 */
#pragma once

#include "core/ladder.h"
#include "kernel/kernel.h"
#include "kernel/step.h"

/* rungs-ask.c: who is in the way, before anything is touched */
int climb_clear_way(Kernel *k, const Step *step, StepResult *ret);
int climb_refuse_if_held(Kernel *k, const Step *step, StepResult *ret, StepExtra *extra);

/* rungs-vf.c: one VF of a PF */
int climb_park_vf(Kernel *k, const Step *step, StepResult *ret);
int climb_override_vf(Kernel *k, const Step *step, StepResult *ret);
int climb_unbind_vf(Kernel *k, const Step *step, StepResult *ret);
int climb_bind_vf(Kernel *k, const Step *step, StepResult *ret);
int climb_unpark_vf(Kernel *k, const Step *step, StepResult *ret);

/* rungs-given.c: what a PF and its VFs are given */
int climb_eswitch(Kernel *k, const Step *step, StepResult *ret);
int climb_up_pf(Kernel *k, const Step *step, StepResult *ret);
int climb_configure_vf(Kernel *k, const Step *step, StepResult *ret);

/* rungs-pf.c: a PF and the number of its VFs, or a function and its driver */
int climb_unbind(Kernel *k, const Step *step, StepResult *ret);
int climb_unbind_keeper(Kernel *k, const Step *step, StepResult *ret);
int climb_stub_pf(Kernel *k, const Step *step, StepResult *ret);
int climb_unstub_pf(Kernel *k, const Step *step, StepResult *ret);
int climb_vfs_off(Kernel *k, const Step *step, StepResult *ret);
int climb_vfs_on(Kernel *k, const Step *step, StepResult *ret);
int climb_hold_probe(Kernel *k, const Step *step, StepResult *ret);
int climb_free_probe(Kernel *k, const Step *step, StepResult *ret);
int climb_bind(Kernel *k, const Step *step, StepResult *ret);

/* rungs-host.c: what comes to the host and what leaves it */
int climb_load_driver(Kernel *k, const Step *step, StepResult *ret);
int climb_quiet_port(Kernel *k, const Step *step, StepResult *ret);
int climb_remove(Kernel *k, const Step *step, StepResult *ret);
int climb_slot_off(Kernel *k, const Step *step, StepResult *ret);
int climb_slot_on(Kernel *k, const Step *step, StepResult *ret);
int climb_unload(Kernel *k, const Step *step, StepResult *ret);
int climb_refuse_if_down(Kernel *k, const Step *step, StepResult *ret);
int climb_reset(Kernel *k, const Step *step, StepResult *ret);
int climb_rescan(Kernel *k, const Step *step, StepResult *ret);
