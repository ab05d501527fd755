/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Near: which operations can meet
 *
 * What an operation touches beside the function that it names: the merge law, the order behind a removal and the
 * quarantine around a stuck write all rest on the questions here.
 */
#pragma once

#include <stdbool.h>

#include "core/queue.h"

/* The PF that op counts for: its function's PF, the function itself, or BDF_NONE for the whole host. */
Bdf near_pf(const Snapshot *s, const Op *op);

/* Works on one PF and its VFs, and on nothing above or beside them. */
bool near_is_local(const Op *op) __attribute__((pure));

/* op takes fn away from the host. */
bool near_takes_away(const Snapshot *s, const Op *op, Bdf fn);

/*
 * op would wait for a lock that job's stuck writes hold, though these are outside the global one: its PFs and their VFs, every
 * bridge and slot above, the resets below the same port (from 6.12 on they take its lock), the driver's module
 * and others whose loading tries all devices, and a rescan, which asks everybody (KERNEL.md 5.2).
 */
bool near_stuck(const Snapshot *s, const Op *op, const Job *job);
