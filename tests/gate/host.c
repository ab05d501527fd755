/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In the place of lib/kernel/host.c: a tree of files at $SRIOVD_TREE that looks like a kernel
 *
 * The gate's own kernel is the running one, for fanotify works on any file: so that the daemon and real writers can be tried
 * without devices.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/sysfs.h"

Kernel *kernel_open(void) {
        const char *tree = getenv("SRIOVD_TREE");
        char sys[PATH_MAX], dev[PATH_MAX], udev[PATH_MAX];

        if (!tree) {
                errno = EINVAL;
                return NULL;
        }
        snprintf(sys, sizeof(sys), "%s/sys", tree);
        snprintf(dev, sizeof(dev), "%s/dev", tree);
        snprintf(udev, sizeof(udev), "%s/udev", tree);
        return sysfs_open(&(Roots){
                .sys = sys, .dev = dev, .proc = "/proc", .cni = "/nowhere", .udev = udev });
}
