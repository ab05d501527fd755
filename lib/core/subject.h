/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Subject: what an operation means for one function
 *
 * The first half of planning: who is touched and how, and what must be refused before anything is. The rungs
 * of ladder.c ask subjects and nothing else, so that no rung needs to know the operations.
 */
#pragma once

#include "core/fault.h"
#include "core/ladder.h"
#include "core/op.h"
#include "core/snapshot.h"
#include "core/wanted.h"

typedef struct Subject {
        const Fn *fn;
        bool vfs_go; /* its VFs are taken down: parked, then sriov_numvfs = 0 */
        bool keeps_vfs; /* the driver at hand will not take them down: none bound, or it ignored the 0 */
        bool driver_goes; /* its driver is unbound */
        bool goes; /* remove is written here */
        bool resets;
        bool vfs_asked; /* only its VFs are asked who uses them, and nothing is done to them */
        bool must_be_up; /* a reset with its net device down would never end */
        bool returns; /* the driver that comes is the one that went, and its override is left as it is */
        uint32_t vfs_come; /* sriov_numvfs is set to this afterwards; 0: not at all */
        const char *driver_comes; /* bound afterwards; "" = the kernel's choice, NULL = none */
        const Wanted *wanted; /* PF: what each VF that comes is given; NULL: Op.driver for all */
        const VfAttrs *gives; /* VF that is there: what it is given of these; NULL: nothing */
        Eswitch eswitch; /* PF: the mode that it is switched to; ESWITCH_KEEP: it is not */
} Subject;

typedef struct Subjects {
        Subject *
                items; /* highest address first: functions of one device go in this order (KERNEL.md 4.7) */
        size_t n_items;
        Bdf top; /* bridge ports at or below this one are quieted; BDF_NONE = none */
        const Slot *slot; /* its own port stays awake: pciehp is the one that switches it */
} Subjects;

/* 0; LADDER_E_REFUSED with *ret_fault; -ENOMEM. Points into s and op, which must outlive it. */
int subjects_of(const Snapshot *s, const Op *op, const Bdf *keeper, Subjects *ret,
                Fault *ret_fault);
void subjects_done(Subjects *subjects);
