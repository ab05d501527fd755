/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Elsewhere: sysfs as other network namespaces have it
 *
 * A sysfs that is mounted in another network namespace is another file system with inodes of its own, of the same devices: whoever
 * writes there comes past every mark that stands on ours. Children only: the way to such a mount leads through a root that may
 * be on a file system that does not answer.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

typedef struct Elsewhere {
        uint64_t dev; /* st_dev */
        uint32_t pid; /* of a process that has it mounted */
        char command[64];
        char point[256]; /* where, as that process sees it */
        int error; /* 0, or why it could not be opened */
} Elsewhere;

/*
 * The n-th such file system, each counted once. own: st_dev of ours. 1: *ret and, unless ret->error, *ret_fd, an O_PATH
 * descriptor of its top; 0: there are no more; -errno.
 */
int elsewhere_find(const char *proc, uint64_t own, size_t n, Elsewhere *ret, int *ret_fd);
