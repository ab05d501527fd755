/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Outcome: what a job may leave behind, whatever it met on its way
 */
#pragma once

#include "tests/sim/cases.h"

#define OUTCOME_VFS_MAX 8 /* as many as a PF of these topologies has */

typedef struct VfBefore {
        Bdf bdf;
        uint64_t identity;
        char driver[NAME_MAX_LENGTH], override[NAME_MAX_LENGTH]; /* "" = none */
} VfBefore;

typedef struct Before {
        Bdf pf;
        uint64_t identity;
        char autoprobe[8], numvfs[8];
        VfBefore vfs[OUTCOME_VFS_MAX];
        size_t n_vfs;
} Before;

void before_note(Before *b, Sim *sim, Bdf pf);

/*
 * Each says in words what is wrong, NULL: nothing. Valid until the next call of any.
 */
/* A function that is left parked or with the stub's override. */
const char *outcome_left_parked(Sim *sim);
/* The PF's autoprobe is not what it was, or not the kernel's own if it is another PF by now. */
const char *outcome_left_probe(const Before *b, Sim *sim);
/*
 * A VF has an override that it neither had nor was asked to have; or, if it is still the same, one that was asked for without the
 * driver that goes with it. excuse: text that names the VFs of which nothing is said.
 */
const char *outcome_left_override(const Before *b, const Case *c, Sim *sim, const char *excuse);
/* A VF that is still the same had a driver, is not to have none, and has none. */
const char *outcome_lost_driver(const Before *b, const Case *c, Sim *sim, const char *excuse);
/* Not all is as it was: the number of VFs; of those that are still the same, the driver and the override. */
const char *outcome_changed(const Before *b, Sim *sim);
/* Something is not as the case asks for: what `sriovctl diff` would say. */
const char *outcome_differs(const Case *c, Sim *sim);
