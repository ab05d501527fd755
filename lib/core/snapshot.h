/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshot: the PCI functions of the host as they were seen once
 *
 * A value made by lib/kernel/scan.c or by a test. Nothing in it is a promise: the world goes on. It holds only
 * what can be read without waiting for a device lock (KERNEL.md 2.2): directories, links and lock-free
 * attributes. sriov_numvfs is not in it, and what driver_override says only a child tells, for their readers take the device lock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/bdf.h"
#include "core/op.h"
#include "core/quirk.h"

typedef enum FnFlags {
        FN_PF = 1 << 0, /* has sriov_totalvfs */
        FN_VF = 1 << 1, /* has a physfn link */
        FN_ORPHAN =
                1
                << 2, /* a VF that its PF does not know: physfn dangles, or no virtfn link comes back */
        FN_BRIDGE = 1 << 3, /* class 0x0604xx */
        FN_AUTOPROBE = 1 << 4, /* PF: sriov_drivers_autoprobe is 1 */
        FN_RESET = 1 << 5, /* has a reset file */
        FN_AUTOPROBE_UNSEEN =
                1 << 6, /* PF: it could not be looked at; snapshot_inherit() makes it what it was */
        FN_OVERRIDDEN = 1 << 7, /* VF: a child saw that its driver_override is set */
} FnFlags;

typedef struct Fn {
        Bdf bdf;
        Bdf parent; /* the bridge above; BDF_NONE on a root bus */
        Bdf pf; /* VF: its PF, else BDF_NONE */
        uint32_t flags;
        uint32_t class; /* 24 bits, as the class file has them */
        uint16_t vendor, device;
        uint16_t total_vfs; /* PF: sriov_totalvfs */
        uint16_t n_vfs; /* PF: number of virtfn links, which is what sriov_numvfs would say */
        uint16_t vf_index; /* VF */
        int32_t numa_node; /* -1: none */
        int32_t iommu_group; /* -1: none */
        uint64_t identity; /* st_ino of the directory: another after re-enumeration */
        char driver[NAME_MAX_LENGTH]; /* "" = none bound */
        char *netdevs; /* names with blanks between, sorted; NULL = none. Owned. */
        /* What only a child can ask, so that a scan leaves it out: snapshot_inherit() keeps what was seen last. */
        VfAttrs attrs; /* VF: those that could be seen */
        Eswitch eswitch; /* PF; ESWITCH_KEEP: not seen, or it has none */
} Fn;

typedef struct Slot {
        char name[NAME_MAX_LENGTH];
        uint32_t domain;
        uint8_t bus, device; /* the slot's address file: functions of this device sit in it */
} Slot;

/* One of pciehp's services; unbinding it stops the port's interrupt thread (KERNEL.md 4.10). */
typedef struct Service {
        char name[NAME_MAX_LENGTH]; /* "0000:00:01.0:pcie004" */
        Bdf port;
} Service;

typedef struct Snapshot {
        Fn *fns; /* sorted by bdf */
        size_t n_fns;
        Slot *slots;
        size_t n_slots;
        Service *services;
        size_t n_services;
        char **drivers; /* of the PCI bus, sorted, NULL at the end */
        const Quirks *quirks; /* of drivers; borrowed, NULL = none are known */
        const struct Wanteds *wanted; /* what policies want; borrowed, NULL = nothing */
} Snapshot;

Snapshot *snapshot_new(void);
Snapshot *snapshot_free(Snapshot *s);
static inline void snapshot_freep(Snapshot **s) {
        snapshot_free(*s);
}

/* Puts a copy of fn (taking over fn->netdevs) at its place, in the stead of an older one. 0, -ENOMEM. */
int snapshot_put(Snapshot *s, Fn *fn);
/* Adds at the end, for a scan that brings many: call snapshot_seal() before the next look-up. 0, -ENOMEM. */
int snapshot_append(Snapshot *s, Fn *fn);
/* Sorts, and marks VFs as orphans whose PF is missing; a PF that is back but does not know them only the scan can see. */
void snapshot_seal(Snapshot *s);
/* What could not be seen of fn, or was not asked, is as it was in old (NULL: fn is new), and else as the kernel makes it. */
void snapshot_inherit(Fn *fn, const Fn *old);
/* What a child saw of that function, if it is still the same. */
void snapshot_tell(Snapshot *s, Bdf bdf, uint64_t identity, const VfAttrs *attrs, Eswitch eswitch);
void snapshot_tell_override(Snapshot *s, Bdf bdf, uint64_t identity, bool set);
void snapshot_drop(Snapshot *s, Bdf bdf); /* nothing if it is not there */
int snapshot_add_slot(Snapshot *s, const Slot *slot); /* 0, -ENOMEM */
int snapshot_add_service(Snapshot *s, const Service *service); /* 0, -ENOMEM */

/* The function, or NULL. Valid until the snapshot changes. */
const Fn *snapshot_find(const Snapshot *s, Bdf bdf) __attribute__((pure));
const Fn *snapshot_find_vf(const Snapshot *s, Bdf pf, uint32_t index) __attribute__((pure));
const Slot *snapshot_find_slot(const Snapshot *s, const char *name) __attribute__((pure));
bool snapshot_has_driver(const Snapshot *s, const char *driver) __attribute__((pure));

/* True if fn is `top` or sits below it. A VF counts as below whatever its PF is below. */
bool snapshot_is_below(const Snapshot *s, Bdf fn, Bdf top) __attribute__((pure));
bool snapshot_in_slot(const Slot *slot, Bdf fn) __attribute__((pure));

/* An orphan VF on the same bus as fn, or NULL: nothing about SR-IOV may be written there (KERNEL.md 4.9). */
const Fn *snapshot_orphan_near(const Snapshot *s, const Fn *fn) __attribute__((pure));

/*
 * Turns what people type into a function: an address with or without domain, a netdev, "pci/ADDRESS" (devlink's
 * form), or one of these with "/vfN" behind. 1 = found; 0 = no such device; > 1 = that many functions fit, and
 * *ret is the first of them.
 */
int snapshot_resolve(const Snapshot *s, const char *name, const Fn **ret);

/* Walks all functions, in order. */
#define FOREACH_FN(f, s) for (const Fn *f = (s)->fns; f && f < (s)->fns + (s)->n_fns; f++)
