/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turn: a program that was let in, and when it is out again
 *
 * It is out when the file is closed or the process is gone. After a successful `remove` no close is ever told, for the file is
 * gone: so the process's own table of files is looked at, too. Whoever keeps the file open and does nothing has a lease; when
 * that ends the queue goes on, and he stands among the unordered for as long as he could still write.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "core/ladder.h"

#include "daemon/gate.h"

typedef struct TurnFile {
        uint64_t ino;
        char name[64]; /* the door's last name: "sriov_numvfs" */
        pid_t tid; /* that opens it */
        bool opened; /* a close was told of: nobody is on his way in any more */
        uint64_t
                running_since; /* its thread was on a CPU, or waited for one, since then: where it is does not show; 0 = it slept */
} TurnFile;

typedef enum TurnState {
        TURN_PENDING, /* one of the unordered is in the kernel just now: it waits for him */
        TURN_INSIDE,
        TURN_WEDGED, /* overdue inside the kernel */
        TURN_UNORDERED, /* its lease ended; its job is over */
} TurnState;

struct Turn {
        Manager *manager;
        uint32_t job;
        size_t index;
        Step step;
        TurnState state;
        Opener who;
        TurnFile *files; /* that it has, or is on its way to; some of them it may have closed */
        size_t n_files;
        uint64_t
                since; /* CLOCK_MONOTONIC, microseconds: it was let in, or last seen inside the kernel's paths */
        uint64_t admitted;
        uint64_t
                inside_since; /* in the kernel's paths at each look since then; 0 = not at the last one */
        uint64_t deadline_usec; /* from inside_since on; while pending from since on */
        uint64_t pause_usec;
        int pidfd;
        int event; /* TURN_PENDING: to be answered */
        uint64_t knocked; /* Knock.since, until it is answered */
        sd_event_source *died, *timer;
};

/* Takes over the knock's descriptors. 0; -ENOMEM, -errno: they are closed and the program is refused. */
int turn_begin(Manager *m, Knock *k, size_t index, const Step *step);
/* The turn that this process has, or NULL: what it opens now belongs to it. */
Turn *turn_of(const Gate *g, pid_t pid);
/* One more door in the same turn. 0, -ENOMEM. */
int turn_add(Turn *t, pid_t tid, uint64_t ino, const char *path);
/* Of any state: the one in which this process has that file. */
Turn *turn_of_file(const Gate *g, pid_t pid, uint64_t ino);
/* Somebody who had a door open before it was held: unordered from the beginning. 0, -errno. */
int turn_add_unordered(Manager *m, const Opener *who, uint64_t ino);
/* A writer of that inode closed it, by that thread: it may have been the one. */
void turns_look(Manager *m, uint64_t ino, pid_t tid);
/* Those who wait for one of the unordered, where that has no end. */
void turns_refuse_pending(Gate *g);
void turns_done(Gate *g);
