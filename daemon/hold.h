/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds: uses that clients declare
 *
 * RUNTIME/holds/ID says who holds which function and why. The client has an open description of that file on which
 * we took flock(): the lock lives as long as the client's descriptor, whatever becomes of us, so that a try-lock tells
 * at any time, also after a restart, whether the hold is over. Files alone are the truth: nothing is kept in memory.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "core/holder.h"

typedef struct Hold {
        uint32_t id;
        Bdf fn;
        char who[32]; /* not empty */
        char why[128];
        bool blocks; /* mode "block"; else "note": shown, and refuses nothing */
        uint32_t pid, uid;
} Hold;

typedef struct Holds {
        sd_event *event;
        int dir;
        uint32_t next_id;
        sd_event_source *watch, *soon;
} Holds;

#define HOLDS_EMPTY ((Holds){ .dir = -EBADF })

/* Below the runtime directory. Clears away what ended while nobody looked. 0, -errno. */
int holds_open(Holds *all, sd_event *event, int runtime);
void holds_done(Holds *all);

/* Fills in hold->id. The descriptor is the caller's, to be given away: the hold lasts until its last copy is closed. 0, -errno. */
int holds_new(Holds *all, Hold *hold, int *ret_fd);

/* Adds those of fn, or of all if it is BDF_NONE; those that are over are cleared away. 0, -ENOMEM, -errno. */
int holds_find(Holds *all, Bdf fn, Holders *ret);

/* One line that may be shown: no control characters, and it fits. */
bool hold_text_is_valid(const char *s, size_t size);
/* "block", "note"; 0, -EINVAL. */
int hold_mode_parse(const char *mode, bool *ret_blocks);
