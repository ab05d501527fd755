/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stack: where in the kernel a task sleeps, and whom that concerns
 *
 * Reads the names of a kernel stack, innermost first: "mutex_lock < pci_lock_rescan_remove < sriov_numvfs_store". The
 * top frame names the caller of a lock and not the lock (KERNEL.md 2.1), and small functions are inlined away on some
 * builds: what is not proven to be outside the global rescan/remove lock counts as inside.
 */
#pragma once

typedef enum StackPlace {
        STACK_ELSEWHERE, /* not in PCI's or drivers' paths at all */
        STACK_DEVICE, /* proven: holds or waits for locks of single devices alone */
        STACK_GLOBAL, /* holds or waits for the global rescan/remove lock, or may do so */
        _STACK_PLACE_MAX,
} StackPlace;

/* For a task of which nothing else is known. "" and "unknown" are STACK_ELSEWHERE. */
StackPlace stack_place(const char *stack) __attribute__((pure));

/* The outermost frame that says what was asked for: "sriov_numvfs_store". Returns buf, "" if there is none. */
#define STACK_FRAME_MAX 64
const char *stack_entry(const char *stack, char buf[static STACK_FRAME_MAX]);

const char *stack_place_to_string(StackPlace p)
        __attribute__((const)); /* "elsewhere", "device", "global" */
