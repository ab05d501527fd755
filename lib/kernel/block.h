/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Block: disks and partitions of a function
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "kernel/holder.h"

typedef struct Block {
        char name[64]; /* as in sysfs, "nvme1n1p2"; a '!' stands for a '/' */
        char node[160]; /* "/dev/nvme1n1p2" */
        char *path; /* owned: relative to /sys, below that of its disk */
        char number[32]; /* "259:3" */
        unsigned major, minor;
        bool used; /* by somebody who is told of by name */
} Block;

typedef struct Blocks {
        Block *items;
        size_t n;
} Blocks;

void blocks_done(Blocks *all);
/*
 * Those whose place in the tree of devices is below the function, and the heads of nvme multipath that go through it.
 * 0, -ENOMEM, -errno.
 */
int blocks_find(HolderSearch *s, Blocks *ret);

/* holder-mount.c: where they are mounted. 0, -ENOMEM. */
int holder_mounts(HolderSearch *s, Blocks *all);
