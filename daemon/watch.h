/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watch: the kernel's events keep the snapshot true
 *
 * Events only say where to look. They are gathered for a moment, for the VFs of one PF come in hundreds and
 * each look at a VF is one at its PF too.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <systemd/sd-event.h>

#include "core/bdf.h"

typedef struct Manager Manager;

#define WATCH_DIRTY_MAX 64

typedef struct Watch {
        sd_event_source *io, *soon;
        Bdf dirty[WATCH_DIRTY_MAX];
        size_t n_dirty;
        bool all, rest; /* look at everything; at slots and drivers */
        bool udev; /* nothing to look at, but udev has done something */
} Watch;

int watch_start(Manager *m);
void watch_done(Watch *w);
/* True if something was told of that is not in the snapshot yet. */
bool watch_is_dirty(const Watch *w);
/* Takes in what the kernel has told until now, at once. */
void watch_flush(Manager *m);
