/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wanted: what one PF and its VFs are to be
 *
 * A policy made concrete for one PF: patterns, defaults and {index} are gone. Wanted minus seen is what OP_APPLY plans, what
 * `sriovctl diff` shows and what drift is: all of them ask the questions of this file, so that none can see a difference
 * that the others do not. A value; a snapshot carries those of all PFs to where plans are made.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/bdf.h"
#include "core/op.h"
#include "core/vfattr.h"

/* As the name of a driver: no driver at all. "" is the kernel's choice, which people write as "default". */
#define DRIVER_NONE "none"
#define DRIVER_DEFAULT "default"

typedef struct Snapshot Snapshot;
typedef struct Fn Fn;

/* Of one VF. */
typedef struct VfWish {
        bool has_driver; /* else whatever it has is right */
        char driver[NAME_MAX_LENGTH]; /* "" = the kernel's choice, DRIVER_NONE = none */
        VfAttrs attrs;
} VfWish;

typedef struct Wanted {
        Bdf pf;
        char policy[NAME_MAX_LENGTH]; /* its name, for people */
        bool has_count; /* else the number of VFs is right as it is ("keep") */
        uint32_t
                count; /* 0 to sriov_totalvfs, or more: then an apply is refused (FAULT_TOO_MANY_VFS) */
        Eswitch eswitch; /* ESWITCH_KEEP: whatever it is */
        uint32_t
                flags; /* OpFlags of an apply that nobody asked for by hand: OP_ROLLBACK, OP_FORCE_IN_USE */
        bool reconcile; /* drift is repaired */
        bool disable_on_sleep; /* its VFs are taken down before the host sleeps */
        VfWish *vfs; /* by index, n_vfs of them; a VF beyond has no wish. Owned. */
        size_t n_vfs;
} Wanted;

typedef struct Wanteds {
        Wanted *items; /* sorted by pf; owned */
        size_t n;
} Wanteds;

void wanted_done(Wanted *w);
void wanteds_done(Wanteds *all);
/* Puts w (taking over w->vfs) at its place, in the stead of an older one. 0, -ENOMEM. */
int wanteds_put(Wanteds *all, Wanted *w);
const Wanted *wanteds_find(const Wanteds *all, Bdf pf)
        __attribute__((pure)); /* NULL: nothing is wanted of it; all may be NULL */

/* The wish for that VF; one without any wish where there is none. */
const VfWish *wanted_vf(const Wanted *w, uint32_t index) __attribute__((pure));

/* Another number of VFs is wanted. */
bool wanted_count_differs(const Wanted *w, const Fn *pf) __attribute__((pure));
/* Another mode is wanted; one that was never seen counts as another. */
bool wanted_eswitch_differs(const Wanted *w, const Fn *pf) __attribute__((pure));
/*
 * Another driver is wanted. The kernel's choice is right whatever it was, and it was no choice where driver_override is set; that
 * it made none is right where the autoprobe of its PF is off.
 */
bool wanted_driver_differs(const VfWish *wish, const Snapshot *s, const Fn *vf)
        __attribute__((pure));
bool wanted_other_driver(const char *driver, const Snapshot *s, const Fn *vf) __attribute__((pure));

/* It asks for what a scan does not see: an attribute of a VF, a mode of the eswitch, or the kernel's choice of a driver. */
bool wanted_needs_sight(const Wanted *w) __attribute__((pure));

/* One thing that is not as it is wanted. */
typedef struct Difference {
        Bdf pf;
        int32_t vf; /* its index, -1: the PF itself */
        char what[16]; /* "vfs", "eswitch", "driver" or an attribute: "vlan" */
        char wanted[NAME_MAX_LENGTH],
                seen[NAME_MAX_LENGTH]; /* in words; seen "" = cannot be seen */
        bool own; /* the VF's own choice: drift of it is told and left */
        bool disruptive; /* to put it right takes something away: a VF that is there, or the driver of one */
} Difference;

typedef struct Differences {
        Difference *items;
        size_t n;
} Differences;

/*
 * What it has there it may have chosen by itself: a trusted VF its MAC, as guests do that bond their VFs. The kernel's PF drivers take
 * that over the one they were given.
 */
bool wanted_is_own(const Fn *vf, VfAttr attr);

void differences_done(Differences *d);
/* Adds those of one PF and of the VFs that it has now, if their number stays. 0, -ENOMEM. */
int wanted_minus_seen(const Wanted *w, const Snapshot *s, Differences *ret);
