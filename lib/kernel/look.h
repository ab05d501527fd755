/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Look: single questions to the kernel that never wait
 *
 * Shared by the scan, which asks for all, and by the rungs, which prove their work by asking again.
 */
#pragma once

#include "core/snapshot.h"
#include "kernel/kernel.h"

/* Links from PFs to their VFs, as virtfnN shows them. */
typedef struct VfLink {
        Bdf vf, pf;
        uint16_t index;
} VfLink;

typedef struct VfLinks {
        VfLink *items;
        size_t n_items;
} VfLinks;

void vf_links_done(VfLinks *l);
void vf_links_sort(VfLinks *l); /* by VF, before the first find */
const VfLink *vf_links_find(const VfLinks *l, Bdf vf) __attribute__((pure));

/* True if path leads to something. */
bool look_exists(Kernel *k, const char *path);

/* Appends the PF's VFs and counts its links, those to nowhere too. 0, -ENOMEM, -errno. ret_n may be NULL. */
int look_vf_links(Kernel *k, Bdf pf, VfLinks *links, uint32_t *ret_n);
int look_count_vfs(Kernel *k, Bdf pf, uint32_t *ret);

/* The VF behind virtfnN. 0, -ENOENT. */
int look_vf(Kernel *k, Bdf pf, uint32_t index, Bdf *ret);
/* 1 and the PF that physfn names, whether that is there or not; 0: no VF. */
int look_physfn(Kernel *k, Bdf vf, Bdf *ret);

/* The driver's name, or "" if none is bound. 0, -errno. */
int look_driver(Kernel *k, Bdf fn, char driver[static NAME_MAX_LENGTH]);

/* One of its net devices: 1 up, 0 down, -errno. */
int look_is_up(Kernel *k, Bdf fn, const char *netdev);

/* True for vfio-pci and for variant drivers, which are called after their hardware: mlx5_vfio_pci, pds-vfio-pci. */
bool look_is_vfio(const char *driver) __attribute__((pure));

/* 0 and the group, -ENOENT: none. */
int look_iommu_group(Kernel *k, Bdf fn, int32_t *ret);

/*
 * All of a function that it tells of itself; n_vfs, vf_index and FN_ORPHAN are left to the scan. 0, -ENOMEM, or why it
 * cannot be seen: -ENOENT, -ENODEV. ret->netdevs is the caller's.
 */
int look_fn(Kernel *k, Bdf bdf, Fn *ret);
