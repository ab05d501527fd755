/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holder: somebody who uses a function
 *
 * What lib/kernel finds, the ladder weighs and clients are shown. A holder is a value; which option overrides it is
 * a matter of its kind alone, and that table is here. "Cannot tell" is a kind of its own and counts as in use.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/bdf.h"
#include "core/op.h"

typedef enum HolderKind {
        HOLDER_VFIO, /* its vfio group, or its own vfio node, is open */
        HOLDER_NETDEV, /* its net device is up and has addresses or routes of its own */
        HOLDER_MASTER, /* its net device is a port of a bridge, bond or team, or below a VLAN, macvlan, ... */
        HOLDER_NETNS, /* its net device was moved to another network namespace */
        HOLDER_MOUNT,
        HOLDER_SWAP,
        HOLDER_DM,
        HOLDER_MD,
        HOLDER_LVM,
        HOLDER_BLOCK, /* a block device of it is open, or claimed in the kernel by one that shows no name */
        HOLDER_DRM,
        HOLDER_RDMA,
        HOLDER_MDEV,
        HOLDER_VDPA,
        HOLDER_CNI, /* allocated to a pod by sriov-cni */
        HOLDER_HOLD, /* declared with Hold() */
        HOLDER_NOTE, /* declared with Hold(), mode "note": shown, and refuses nothing */
        HOLDER_UNKNOWN, /* cannot be told; detail says why */
        _HOLDER_KIND_MAX,
} HolderKind;

typedef struct Holder {
        HolderKind kind;
        Bdf fn;
        uint32_t pid; /* 0: no process, or it cannot be told which */
        char command[32]; /* of pid; who declared the hold; or "" */
        char detail[128]; /* "/dev/vfio/12", "10.0.0.1/24 on eth3", "/dev/nvme1n1 on /srv" */
} Holder;

/* A list that grows; zero is an empty one. */
typedef struct Holders {
        Holder *items;
        size_t n;
} Holders;

int holders_add(
        Holders *all,
        const Holder *h); /* a copy; one that is in it already is not added again. 0, -ENOMEM */
void holders_done(Holders *all);

const char *holder_kind_to_string(HolderKind kind) __attribute__((const)); /* "vfio" */
HolderKind holder_kind_from_string(const char *s); /* _HOLDER_KIND_MAX if there is none */

/* The option that overrides it: OP_FORCE_IN_USE, OP_FORCE_STORAGE, or 0 for one that refuses nothing. */
uint32_t holder_force(HolderKind kind) __attribute__((const));
/* All that is needed to go on against every one in the list; 0: nobody is in the way. */
uint32_t holders_force(const Holders *all) __attribute__((pure));

/* "vfio: qemu-system-x86 (pid 4711), /dev/vfio/12"; without the function. Returns buf. */
const char *holder_format(const Holder *h, char *buf, size_t size);
#define HOLDER_STR_MAX 224
/* The first who is in the way, so, and how many more are: "..., and 3 more"; "" if nobody is. Cut to fit. Returns buf. */
const char *holders_format(const Holders *all, char *buf, size_t size);
