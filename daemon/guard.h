/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guards: vfio groups that nobody else can open
 *
 * A group's node is open once at most (KERNEL.md, rule 3): as long as a guard is held nobody new begins to use what a job is
 * about to take away, and it hinders no unbind. A job's guards go before anything of it is bound again and before
 * its result is told. They are ours alone: no child has them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Guard {
        uint32_t job;
        int32_t group;
        int fd;
} Guard;

typedef struct Guards {
        Guard *items;
        size_t n;
} Guards;

/* Takes over the fd, also on failure. 0, -ENOMEM. */
int guards_add(Guards *all, uint32_t job, int32_t group, int fd);
bool guards_have(const Guards *all, uint32_t job, int32_t group) __attribute__((pure));
void guards_close(Guards *all, uint32_t job); /* all of that job */
void guards_done(Guards *all);
