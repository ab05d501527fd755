/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Op: what somebody wants, as a value
 *
 * The same struct travels from the bus to the queue and into the ledger. It names devices by address
 * only: whoever makes an Op has turned names (netdev, PF/vf3) into addresses first.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/bdf.h"
#include "core/door.h"
#include "core/vfattr.h"

/*
 * A driver, module, slot or pciehp service name; the longest in Linux 7.2 is 32 characters. Names longer
 * than this are refused as input and never cut.
 */
#define NAME_MAX_LENGTH 64

typedef enum OpKind {
        OP_SET_VFS, /* fn: the PF; count, driver (of the VFs; "" = their default) */
        OP_BIND, /* fn: PF, VF or other endpoint; driver ("" = the kernel's choice) */
        OP_UNBIND, /* fn */
        OP_REMOVE, /* fn: any function but a VF; a bridge takes all below it along */
        OP_RESCAN, /* fn: must be there afterwards, or BDF_NONE */
        OP_RESET, /* fn: PF without VFs, VF or endpoint */
        OP_SLOT_OFF, /* slot */
        OP_SLOT_ON, /* slot */
        OP_UNLOAD, /* driver: the module's name is the driver's, as /sys/bus/pci/drivers/D/module tells */
        OP_FOREIGN, /* another program's write: door, and fn, driver or slot where the door names one; never asked for */
        OP_APPLY, /* fn: the PF; what its policy wants, as Snapshot.wanted has it when its turn comes */
        OP_SET_VF, /* fn: the PF; count: the VF's index, attrs */
        OP_ESWITCH, /* fn: the PF; eswitch */
        _OP_MAX,
        _OP_INVALID = -1,
} OpKind;

typedef enum OpFlags {
        OP_RESCAN_AFTER = 1 << 0, /* remove: find the function again at once */
        OP_ALL_FUNCTIONS = 1 << 1, /* remove: the whole device, highest function first */
        OP_FORCE_IN_USE = 1 << 2, /* start the unbind of a VF that somebody uses */
        OP_FORCE_STORAGE = 1 << 3, /* the same for mounted, swap, dm, md and LVM use */
        OP_ROLLBACK = 1 << 5, /* set-vfs: a VF that fails takes the whole back to what was before */
        OP_ALONE = 1 << 4, /* joined with no other: its asker named the plan it is to follow */
        OP_HAS_DRIVER = 1 << 7, /* set-vf: driver is wanted, too */
        OP_PROTECT =
                1 << 6, /* foreign: refused where an operation of ours would be, GATE_PROTECT */
        OP_LEAVE_OWN = 1 << 8, /* apply: what a VF has chosen by itself stays, wanted_is_own() */
} OpFlags;

/* Which of its functions a NIC's own switch forwards between: devlink's eswitch mode. */
typedef enum Eswitch {
        ESWITCH_KEEP, /* as it is; seen: not known, or there is none */
        ESWITCH_LEGACY,
        ESWITCH_SWITCHDEV,
        _ESWITCH_MAX,
} Eswitch;

const char *eswitch_to_string(Eswitch e) __attribute__((const)); /* "legacy"; "" for ESWITCH_KEEP */
Eswitch eswitch_from_string(const char *s); /* _ESWITCH_MAX if there is none */

typedef struct Op {
        OpKind kind;
        uint32_t flags; /* OpFlags */
        uint32_t count; /* OP_SET_VFS: 0 to 65535; OP_SET_VF: the index */
        Door door; /* OP_FOREIGN */
        Eswitch eswitch; /* OP_ESWITCH */
        VfAttrs attrs; /* OP_SET_VF */
        Bdf fn; /* BDF_NONE where the operation has none */
        char driver[NAME_MAX_LENGTH];
        char slot[NAME_MAX_LENGTH];
} Op;

/* "set-vfs", "bind", ...; NULL for a value out of range. */
const char *op_kind_to_string(OpKind kind) __attribute__((const));
OpKind op_kind_from_string(const char *s); /* _OP_INVALID if there is none */

/* Field by field: padding does not count. */
bool op_equal(const Op *a, const Op *b);

/* Equal but for what is asked for: another count or driver. Only such an op may take another's place. */
bool op_same_subject(const Op *a, const Op *b);
