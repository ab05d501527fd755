/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scan: look at the kernel, make a Snapshot
 *
 * Reads only what attr.c marks as never blocking, so that the daemon's loop may call it.
 */
#pragma once

#include "core/snapshot.h"
#include "kernel/kernel.h"

/* Everything. 0, -ENOMEM, or -errno of the listing of bus/pci/devices. Functions that vanish meanwhile are left out. */
int scan_all(Kernel *k, Snapshot **ret);

/*
 * One function again, its PF if it is a VF, and its VFs if it is a PF: put into s, or dropped from it. 0, -ENOMEM.
 */
int scan_fn(Kernel *k, Snapshot *s, Bdf bdf);

/* Slots, services and drivers again. 0, -ENOMEM. */
int scan_rest(Kernel *k, Snapshot *s);
