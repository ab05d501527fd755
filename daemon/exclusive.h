/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exclusive: doors that are locked
 *
 * sysfs holds the mode of a file against root as well, so that a door without any w lets nobody in. What the modes were stands
 * in RUNTIME/exclusive, for they stay when we are gone, and must be put right by whoever comes after: the next daemon, or the
 * unit's ExecStopPost=. Doors without w are not marked: fanotify opens each event's door to write, and readers would be refused.
 */
#pragma once

#include "kernel/kernel.h"

typedef struct Manager Manager;

/* Locks all doors that are not locked yet. Failures are logged. */
void exclusive_apply(Manager *m);
/* Unlocks what the file in that directory names, and forgets the file. sys: "/sys". */
void exclusive_undo(int runtime, const char *sys);
