/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sysfs: the seam on a real kernel, or on a tree of files that looks like one
 */
#pragma once

#include "kernel/kernel.h"

/* root: "/sys"; dev_root: "/dev". NULL with errno set. Tests give folders of their own. */
Kernel *sysfs_open(const char *root, const char *dev_root);
