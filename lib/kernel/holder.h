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
#include "kernel/census.h"
#include "kernel/kernel.h"
#include "kernel/sysfs.h"

/* Addresses or routes of a net device: one to show, and how many there are. */
typedef struct NetUse {
        char first[64]; /* "10.0.0.1/24", "default" */
        unsigned n;
} NetUse;

/* A net device of another namespace. */
typedef struct NetLink {
        size_t space; /* which one, in the census */
        char name[IF_NAMESIZE];
        char parent[64]; /* the device that it belongs to, "" if that is not told */
        uint32_t lower; /* ifindex of the one in our own namespace that it is made of; 0: of none */
        bool untold; /* may belong to a device that is not told: before 5.14 no kernel tells */
} NetLink;

typedef struct NetLinks {
        NetLink *items;
        size_t n;
} NetLinks;

int net_links_add(NetLinks *all, const NetLink *link); /* a copy. 0, -ENOMEM */

/* What is asked of the kernel beyond /sys and /proc. Each 0 or -errno unless it says more. */
typedef struct HolderAsks {
        /* In our own network namespace, those that somebody gave it. No such net device: none, or -ENODEV. */
        int (*addresses)(uint32_t ifindex, NetUse *ret);
        int (*routes)(uint32_t ifindex, NetUse *ret);
        /* Adds the net devices of the namespace behind the fd; -1: of our own. */
        int (*links)(int netns, NetLinks *ret);
        /* Claims a block device for a moment. -EBUSY: somebody has claimed it. */
        int (*claim)(const char *path);
} HolderAsks;

extern const HolderAsks holder_asks_kernel;

/* A device node; who has it open is looked for when all families have said what they want. */
typedef struct HolderNode {
        HolderKind kind;
        bool block, has_number;
        unsigned major, minor;
        char path[160]; /* "/dev/vfio/12", as people know it */
} HolderNode;

/*
 * What is the same for all functions, looked at when it is first wanted. It is kept for an instant beyond one search, so that
 * the steps of a job that ask for one VF after the other need not walk /proc each.
 */
typedef struct HolderView {
        bool has_census, has_links;
        bool kept; /* from an earlier search */
        uint64_t since; /* usec of CLOCK_MONOTONIC */
        Census census;
        NetLinks links;
        bool tells_parents; /* this kernel says which device a link belongs to */
        int links_error; /* 0: all namespaces were asked; -errno: why one was not */
} HolderView;

/* Zero is one that has seen nothing. */
void holder_view_done(HolderView *v);

typedef struct HolderSearch {
        Kernel *k;
        const Roots *roots;
        const HolderAsks *asks;
        HolderView *view;
        UsersMode mode;
        Bdf fn;
        char driver[NAME_MAX_LENGTH]; /* "": none */
        HolderNode *nodes; /* owned */
        size_t n_nodes;
        char **vfio_members; /* owned: addresses of the IOMMU group's functions, if its users are looked for */
        bool vfio_busy; /* proven: somebody has the vfio group, and must be named */
        Holders *found;
} HolderSearch;

/* Where a search looks. */
typedef struct HolderWorld {
        Kernel *k;
        const Roots *roots;
        const HolderAsks *asks;
        HolderView *view;
} HolderWorld;

/* The seam's users(). 0, -ENOMEM, -ENOENT: none of these functions is there. */
int holder_search(const HolderWorld *w, const Bdf *fns, size_t n, UsersMode mode, Holders *ret);

/* The view's parts; they are the view's. 0, -ENOMEM. */
int holder_census(HolderSearch *s, const Census **ret);
int holder_links(HolderSearch *s, const NetLinks **ret); /* of all network namespaces but our own */
/* What was kept from an earlier search is looked at anew. True if it was. */
bool holder_view_renew(HolderSearch *s);

/* Families. 0, -ENOMEM. */
int holder_vfio(HolderSearch *s);
int holder_net(HolderSearch *s);
/* Net devices elsewhere: of these devices, and made of ours with these numbers. */
int holder_netns(HolderSearch *s, char *const *parents, const NetLinks *ours);
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
