/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mount: lines of /proc/PID/mountinfo
 */
#pragma once

#include <stdint.h>

typedef struct Mount {
        unsigned major,
                minor; /* as stat's st_dev has it: of the disk, or of nothing that is one (btrfs) */
        char *root, *point, *type, *source;
} Mount;

/* Cuts a line in pieces and takes the escapes (\040) out of them. 0, -EBADMSG. */
int mount_parse(char *line, Mount *ret);

/*
 * Calls each() for all mounts that a process sees; pid 0: ourselves. What each() returns below 0 ends it. 0, -ESRCH,
 * -errno.
 */
int mount_each(const char *proc, uint32_t pid, int (*each)(void *arg, const Mount *m), void *arg);
