/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Gate: other programs take their turn
 *
 * fanotify holds the open of a door by any other program until it is answered, so that unmodified programs become jobs of the
 * queue. This file hears them knock and answers; whose turn it is the queue says, and how long a turn lasts turn.c sees.
 *
 * The daemon must never open a door itself, not even to read, nor wait for anybody who might: it would wait for itself. Its
 * descriptor is never in a child and never in the service manager's store: when the last copy closes, the kernel lets in all
 * who wait, and only then.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "core/door.h"
#include "core/ladder.h"

#include "daemon/ear.h"
#include "daemon/elsewhere.h"
#include "daemon/marks.h"
#include "daemon/opener.h"

typedef struct Manager Manager;
typedef struct Record Record;
typedef struct Turn Turn;

/* One open call that waits for its answer. */
typedef struct Knock {
        Manager *manager;
        uint32_t job;
        int event; /* fanotify's descriptor of the door, with which it is answered */
        int pidfd;
        sd_event_source *died;
        Opener who;
        uint64_t ino;
        uint64_t since; /* metrics_wait_begins() */
} Knock;

typedef struct Gate {
        GateMode mode; /* as it works: GATE_OFF also where it cannot */
        GateMode wanted; /* mode.h */
        char why_off[128]; /* it was wanted and cannot: why; "" else */
        Ear ear;
        Marks marks;
        Others others; /* of sysfs in other network namespaces */
        bool stale; /* doors may have come or gone since the last sync */
        bool asleep; /* the host is about to sleep: nobody is let in */
        Knock **knocks;
        size_t n_knocks;
        Turn **turns; /* let in, and still inside; and those whose lease ended: unordered */
        size_t n_turns;
        uint64_t n_passed, n_denied; /* opens to write since the start, let in and refused */
} Gate;

/*
 * Opens the gate as the settings say. Where it cannot (no fanotify, no sysfs behind the kernel), it is off and says so in
 * the journal: a host without a gate is better off than one without a daemon.
 */
void gate_start(Manager *m);
/* Closes it: whoever waits is let in by the kernel. */
void gate_done(Gate *g);

/* Another mode from now on. 0, -errno (logged): it is as it was. */
int gate_set_mode(Manager *m, GateMode mode);

/* A function has just come: its doors are held before we know more of it, for others have heard of it as well. */
void gate_add(Manager *m, Bdf fn);
/* Marks what came and forgets what went, if anything did. */
void gate_sync(Manager *m);

/* Somebody opens that door to write: passes, waits or is refused. Takes over the event's descriptor. */
void gate_knock(Manager *m, const Mark *mark, const Opener *o, int event);
/* RUNG_ADMIT of that job: its program is let in. 0; -ESRCH: it is gone; -errno. */
int gate_admit(Manager *m, Record *r, size_t index, const Step *step);
/* The job has ended: if its program still waits, it is refused, and why is told. */
void gate_job_ended(Manager *m, const Record *r);
/* The lane is closed, or the host is going to sleep: who waits is refused rather than left hanging. */
void gate_refuse_waiting(Manager *m);
/* A job of ours begins or ends to work on this PF; BDF_NONE: on none. */
void gate_latch(Manager *m, Bdf pf);
/* True if somebody is inside. */
bool gate_is_busy(const Gate *g);
/* True if somebody whose lease ended may still write: to be looked at before each write of ours. */
bool gate_has_unordered(const Gate *g);

/* gate.c's half of turn.c: other threads of that process that wait belong to its turn. */
void gate_let_siblings_in(Manager *m, Turn *t);
