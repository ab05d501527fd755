/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other sysfs: doors as other network namespaces have them
 *
 * A child finds their file systems, one a question, and each gets marks of its own. Asked for when the gate opens and then when
 * doors are looked at anyway, at most once a minute: one that is mounted in between is not held so long, which is said.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/elsewhere.h"

#include "daemon/marks.h"
#include "daemon/worker.h"

typedef struct Manager Manager;

#define OTHERS_MAX 16

typedef struct Other {
        Elsewhere what;
        int top; /* O_PATH; -EBADF: it could not be opened */
        Marks marks;
        bool seen; /* in the round that is under way */
} Other;

typedef struct Others {
        Other items[OTHERS_MAX];
        size_t n, at; /* at: the number that is asked for */
        bool asking, more; /* more: there are others than these */
        uint64_t asked; /* CLOCK_MONOTONIC, microseconds */
} Others;

void others_ask(Manager *m, bool now); /* if it is time, or at once */
void others_answered(Manager *m, const WorkerRequest *request, const WorkerReply *reply,
                     WorkerFds *fds);
void others_sync(Manager *m);
/* Their door behind an event's descriptor, or NULL. */
const Mark *others_find(const Others *all, int fd);
/* One line for each that is not held; the caller's list, NULL = none, or no memory. */
char **others_uncovered(const Others *all);
void others_clear(Others *all);
