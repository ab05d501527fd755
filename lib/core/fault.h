/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fault: why something was refused or went wrong
 *
 * One table gives each reason its D-Bus error, sriovctl's exit status and its sentence: which device, what
 * happened, what to do next. A Fault is a value that the core makes and the edges print.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/bdf.h"
#include "core/op.h"

typedef enum FaultReason {
        FAULT_NONE,
        /* what was asked for makes no sense */
        FAULT_NO_SUCH_DEVICE, /* text: as typed */
        FAULT_AMBIGUOUS, /* text: as typed; number: candidates */
        FAULT_NO_SUCH_SLOT, /* text */
        FAULT_NO_SUCH_JOB, /* number */
        FAULT_NOT_SRIOV, /* fn */
        FAULT_NOT_PF, /* fn (a VF was named), other: its PF */
        FAULT_TOO_MANY_VFS, /* fn, number, limit */
        FAULT_BAD_NUMBER, /* text: as typed */
        FAULT_BAD_NAME, /* text: a driver or slot name that cannot be one */
        FAULT_BAD_OPTION, /* text: unknown or mistyped option */
        FAULT_NO_SUCH_DRIVER, /* text */
        FAULT_NO_SUCH_VF, /* fn: the PF, number: the index, limit: VFs there */
        FAULT_NO_SUCH_ATTR, /* fn, text: the key as typed */
        FAULT_BAD_ATTR, /* fn, text: the value as typed, number: VfKey */
        FAULT_LONELY_ATTR, /* fn, number: VfKey, limit: the VfKey that it needs beside it */
        FAULT_CROSSED_ATTR, /* fn, number: VfKey, limit: the VfKey that it must not be above */
        FAULT_BAD_ESWITCH, /* fn, text: a mode that is none */
        FAULT_NO_POLICY, /* fn */
        FAULT_HANDS_OFF, /* fn, text: "a (FILE:LINE)" */
        FAULT_HIGHEST_PRIORITY, /* fn, text: "a (FILE:LINE)", number: its priority */
        FAULT_POLICY_CONFLICT, /* fn, text: "a (FILE:LINE) and b (FILE:LINE)" */
        /* the world does not allow it */
        FAULT_VF_HAS_NO_REMOVE, /* fn, other: its PF */
        FAULT_LOWEST_FUNCTION, /* fn, other: another PF of the device */
        FAULT_ORPHANS, /* fn, other: an orphan, text: bridge above */
        FAULT_HAS_VFS, /* fn, number: VFs; for reset of a PF */
        FAULT_NO_RESET, /* fn */
        FAULT_DRIVER_HAS_VFS, /* fn, number: VFs, text: driver; for another program's unbind */
        FAULT_LINK_DOWN, /* fn, text: its net device; for reset of a VF */
        FAULT_NO_DRIVER, /* fn: a PF without a driver cannot make VFs */
        FAULT_ATTR_UNSUPPORTED, /* fn, text: what its driver cannot set */
        FAULT_NO_ESWITCH, /* fn, text: the mode that its driver does not take */
        FAULT_ESWITCH_NEEDS_VFS, /* fn, text: the mode that its driver has only with VFs */
        FAULT_VF_BOUND, /* fn, text: what is set only without a driver, and "it is bound to ..." */
        FAULT_NOT_BOUND, /* text: unload of a driver that is not loaded */
        FAULT_IN_USE, /* fn, text: who; force=in-use overrides it */
        FAULT_STORAGE_IN_USE, /* fn, text: who; only force=storage does */
        FAULT_MODULE_IN_USE, /* text: module; its functions are unbound already */
        FAULT_BAD_HOLD, /* text: a mode of Hold() that is none */
        FAULT_BAD_GATE, /* text: a mode of the gate that is none */
        FAULT_NO_GATE, /* text: the mode that was asked for, and why it cannot be */
        FAULT_FOREIGN_BRIDGE, /* fn: bind or unbind of a bridge */
        /* not now */
        FAULT_GOING, /* fn, number: the job that removes it */
        FAULT_QUEUE_FULL, /* number: how many wait */
        FAULT_STALE, /* fn: the device was re-enumerated in between */
        FAULT_PLAN_STALE, /* the world changed since the plan */
        FAULT_WEDGED, /* number: the job that is stuck, fn: its PF */
        FAULT_QUARANTINED, /* fn, number: the job that is stuck on it */
        FAULT_FOREIGN_STUCK, /* fn, number: pid, text: command and where */
        FAULT_ASLEEP, /* the host is about to sleep */
        FAULT_BUSY, /* fn, number: the job that works on it now; for Hold() */
        FAULT_NO_ANSWER, /* text: what was asked, number: seconds */
        FAULT_TOO_MANY_ASK, /* number: questions that wait for an answer */
        FAULT_NOT_AUTHORIZED, /* text: action */
        /* the kernel did not do it */
        FAULT_KERNEL, /* fn, error, text: rung, or "setting vlan=100" */
        FAULT_ENOMEM_VFS, /* fn, number: ENOMEM of sriov_numvfs means bus numbers or MMIO */
        FAULT_KEPT_VFS, /* fn, number: 0 was accepted and so many VFs are still there */
        FAULT_WRONG_COUNT, /* fn, number: VFs there, limit: VFs asked for */
        FAULT_UNPROVEN, /* fn, text: likewise; the write returned but its effect was not seen in time */
        FAULT_STILL_THERE, /* fn: removed, and there */
        FAULT_NOT_FOUND_AFTER, /* fn: rescanned, and not there */
        FAULT_NOT_TAKEN, /* fn: no driver took it */
        FAULT_VANISHED, /* fn: it went away in the middle */
        FAULT_WORKER_DIED, /* fn, text: rung; the child ended without a result */
        /* how a job can end without a failure of the kernel */
        FAULT_CANCELED, /* number: job */
        FAULT_SUPERSEDED, /* number: the job that took its place */
        FAULT_TIMEOUT, /* number: job */
        FAULT_FORCED, /* fn, text: who; a warning: its user was there, and force went on */
        FAULT_ROLLED_BACK, /* fn, number: VFs that are there again; a warning */
        FAULT_MORE_WARNINGS, /* number: of those for which there was no room; a warning */
        FAULT_OPENER_GONE, /* another program, before it was let in */
        FAULT_LEFT_THERE, /* fn: another program was let in to take it away, and did not */
        FAULT_VFS_LOST, /* fn, number: VFs taken down for such a program; a warning */
        FAULT_PORT_QUIET, /* fn, text: service unbound for such a program; a warning */
        FAULT_INTERRUPTED, /* number: job */
        FAULT_NOT_KEPT, /* fn, text: the folder, error */
        FAULT_KEPT_UNREAD, /* fn, text: a file's mistake */
        FAULT_INTERNAL, /* error */
        _FAULT_MAX,
} FaultReason;

typedef struct Fault {
        FaultReason reason;
        int error; /* positive errno of the kernel, or 0 */
        Bdf fn, other;
        uint32_t new_vf; /* index and 1 of fn's VF, whose address is not known; 0: fn itself */
        uint32_t number, limit;
        char text[160];
} Fault;

/* For initialisers: FAULT(FAULT_GOING, .fn = bdf, .number = id) */
#define FAULT(r, ...) ((Fault){ .reason = (r), .fn = BDF_NONE, .other = BDF_NONE, __VA_ARGS__ })

/* The same with text, which is cut at the field's size: it is shown, never acted on. */
Fault fault_text(Fault f, const char *text);

/* "org.sriovd1.Error.Range"; NULL for FAULT_NONE. */
const char *fault_bus_name(FaultReason reason) __attribute__((const));
/* sriovctl's exit status for it, 0 to 20, as sriovctl(1) lists them. */
int fault_exit_status(FaultReason reason) __attribute__((const));
/* The exit status behind a bus error's name, as a client needs it; 1 for names unknown. */
int fault_exit_status_of(const char *bus_name);

/* One line without a newline: what happened and what to do. Returns buf. */
const char *fault_format(const Fault *f, char *buf, size_t size);
#define FAULT_STR_MAX 512

/* "EBUSY", or "an unknown errno". */
const char *errno_name(int error);
