/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holder: who uses a function, as far as root can see
 *
 * One family of users a file, each a function that adds what it finds. "Not found" is a result only where all that had
 * to be looked at could be looked at; the rest is HOLDER_UNKNOWN. For children: rtnetlink waits for RTNL, an open of
 * a block device for its driver.
 */
#pragma once

#include <net/if.h>

#include "core/holder.h"
#include "core/names.h"
#include "core/snapshot.h"
#include "kernel/kernel.h"
#include "kernel/sysfs.h"

/* Addresses or routes of a net device: one to show, and how many there are. */
typedef struct NetUse {
        char first[64]; /* "10.0.0.1/24", "default" */
        unsigned n;
} NetUse;

/* What is asked of the kernel beyond /sys and /proc. Each 0 or -errno unless it says more. */
typedef struct HolderAsks {
        /* In our own network namespace, those that somebody gave it. No such net device: none, or -ENODEV. */
        int (*addresses)(uint32_t ifindex, NetUse *ret);
        int (*routes)(uint32_t ifindex, NetUse *ret);
        /* In the namespace behind the fd: 1 and the net device of a device with one of these names, 0: none. */
        int (*find_link)(int netns, char *const *parents, char ret[static IF_NAMESIZE]);
        /* Claims a block device for a moment. -EBUSY: somebody has claimed it. */
        int (*claim)(const char *path);
} HolderAsks;

extern const HolderAsks holder_asks_kernel;

/* A device node; who has it open is looked for once, when all families have said what they want. */
typedef struct HolderNode {
        HolderKind kind;
        bool block, has_number;
        unsigned major, minor;
        char path[160]; /* "/dev/vfio/12", as people know it */
} HolderNode;

typedef struct HolderSearch {
        Kernel *k;
        const Roots *roots;
        const HolderAsks *asks;
        Bdf fn;
        bool vfio_tested;
        char driver[NAME_MAX_LENGTH]; /* "": none */
        HolderNode *nodes; /* owned */
        size_t n_nodes;
        char **vfio_members; /* owned: addresses of the IOMMU group's functions, if its users are looked for */
        bool vfio_busy; /* proven: somebody has the vfio group, and must be named */
        Holders *found;
} HolderSearch;

/* The seam's users(). 0, -ENOMEM, -ENOENT: there is no such function. */
int holder_search(Kernel *k, const Roots *roots, Bdf fn, bool vfio_tested, const HolderAsks *asks,
                  Holders *ret);

/* Families. 0, -ENOMEM. */
int holder_vfio(HolderSearch *s);
int holder_net(HolderSearch *s);
int holder_netns(HolderSearch *s,
                 char *const *parents); /* no net device of these devices is seen here */
int holder_block(HolderSearch *s);
int holder_nodes(HolderSearch *s);
int holder_children(HolderSearch *s);
int holder_cni(HolderSearch *s);

/* For families. pid 0: none; the command is looked up. 0, -ENOMEM. */
int holder_found(HolderSearch *s, HolderKind kind, uint32_t pid, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
/* Adds HOLDER_UNKNOWN: the words, and why. What is gone (-ENOENT, -ENODEV, -ESRCH) is no question. 0, -ENOMEM. */
int holder_cannot_tell(HolderSearch *s, int error, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
/* number: "259:0" as a file of sysfs has it; NULL: only the path is known. 0, -ENOMEM. */
int holder_want_node(HolderSearch *s, HolderKind kind, const char *number, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
/* Whoever has the nodes open. */
int holder_openers(HolderSearch *s);
