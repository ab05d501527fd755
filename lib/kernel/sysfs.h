/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sysfs: the seam on a real kernel, or on a tree of files that looks like one
 */
#pragma once

#include "kernel/kernel.h"

/* Where the kernel shows itself. Tests give folders of their own. */
typedef struct Roots {
        const char *sys; /* "/sys" */
        const char *dev; /* "/dev" */
        const char *proc; /* "/proc" */
        const char *cni; /* "/var/lib/cni/sriov/pci": what sriov-cni gave to pods */
        const char *udev; /* "/run/udev"; NULL: there is no udev */
} Roots;

/* A copy of the roots is taken. NULL with errno set. */
Kernel *sysfs_open(const Roots *roots);
