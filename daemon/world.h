/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * World: what clients have been told of the devices
 *
 * Compares it with what is known now and tells the difference, no more: whatever made it change, an event, a
 * look or a job, comes through here.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/door.h"
#include "core/snapshot.h"

typedef struct Manager Manager;

typedef enum PfState {
        PF_OK,
        PF_WAITING,
        PF_BUSY,
        PF_QUARANTINED,
        _PF_STATE_MAX,
} PfState;

const char *pf_state_to_string(PfState s);
PfState world_pf_state(const Manager *m, const Fn *pf);
/* No job that waits or runs has anything to do with this VF. */
bool world_vf_is_at_rest(const Manager *m, const Fn *vf);

typedef struct Seen Seen;

typedef struct World {
        Seen *seen; /* sorted by address */
        size_t n;
        int state; /* of the manager; -1: never told */
        uint32_t length;
        GateMode gate;
} World;

void world_publish(Manager *m);
void world_done(World *w);
