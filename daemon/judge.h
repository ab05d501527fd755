/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Judge: what a write that is overdue means to all others
 *
 * Pure. What a rung may take is known from the ladder, what it waits in is read from its child's stack; only both
 * together prove that a stuck write is outside the global rescan/remove lock. Whatever is not proven counts as inside.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/ladder.h"
#include "core/snapshot.h"

/*
 * The step writes to files that take locks of single devices alone: the override, bind or unbind of a VF, unbind of a
 * function on which no VFs are seen, a reset. Loading, sriov_numvfs, removal, rescan and slots never; nor does
 * bind of a function that is no VF, for its driver probes in a kernel thread, where our child's stack does not show
 * what it takes.
 */
bool judge_may_be_outside(const Snapshot *s, const Step *step);

/* The write is proven neither to hold nor to wait for the global lock. */
bool judge_is_outside(const Snapshot *s, const Step *step, const char *stack);

/* The stack is worth another look: nothing in it says where the write is, as between two of the step's files. */
bool judge_is_unclear(const Snapshot *s, const Step *step, const char *stack);

/* It sleeps for somebody else, a lock or a user, so that its time says nothing of this driver's pace. Also if unknown. */
bool judge_waits_for_others(const char *stack);

/* Seconds until the next look: 1, 2, 4 and so on to 60. last: 0 before the first. */
uint32_t judge_next_look_sec(uint32_t last) __attribute__((const));
