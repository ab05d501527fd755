/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ready: a function is what its user waits for
 *
 * A VF is ready when its driver is as wanted and udev has done its part with it and its net devices; a PF when it has as many
 * VFs as wanted, all of them ready, no job is at it and udev has done with itself. Nothing in the lane waits for that:
 * a udev worker may itself be waiting at the gate, for the end of the very job that made its device. What udev has done is
 * asked only when an event tells of it, and remembered.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <systemd/sd-event.h>

#include "core/snapshot.h"

#include "kernel/kernel.h"

typedef struct Manager Manager;
typedef struct ReadyFn ReadyFn;

typedef struct Readiness {
        ReadyFn *items; /* sorted by address; the last n_new of them not yet */
        size_t n, n_new, room;
        bool looked; /* once: what is there from now on comes with events */
        sd_event_source *
                doubt; /* udev was at work when we looked first: until then, or an event, it may be with any */
} Readiness;

void ready_done(Readiness *r);

/* One of the kernel's events, or udev's. */
void ready_event(Manager *m, const KernelEvent *e);
/* Takes in what the snapshot has. all: it is of after all events that were told of. */
void ready_refresh(Manager *m, bool all);

/* udev has taken it in, and has loaded what module it knows for it: without a driver now, it is without until somebody acts. */
bool ready_is_known(const Manager *m, const Fn *fn);
bool ready_vf(const Manager *m, const Fn *vf);
/* But for its VFs. */
bool ready_pf_itself(const Manager *m, const Fn *pf);
bool ready_pf(const Manager *m, const Fn *pf);
