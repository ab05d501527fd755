/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * World: the smallest host on which every rung has something to do
 *
 * PF A under a hot-plug port with up to two VFs; PF B on the next port, found without a driver and with one
 * VF that an earlier owner left. A plain value, so that the walk can copy and compare it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/ladder.h"
#include "core/snapshot.h"

#define WORLD_PFS 2
#define WORLD_VFS 2

typedef enum WorldDriver {
        DRIVER_UNBOUND,
        DRIVER_OWN,
        DRIVER_STUB,
        DRIVER_VFIO
} WorldDriver;

typedef struct WorldVf {
        uint8_t driver; /* WorldDriver */
        uint8_t override; /* 0 = none, 1 = parked, 2 = a driver's name */
        uint8_t given; /* bits of what is wanted of it: 1 = trust, 2 = msix */
} WorldVf;

typedef struct WorldPf {
        uint8_t here, driver, n_vfs, autoprobe;
        uint8_t keeps; /* its own driver ignores a 0 */
        uint8_t switchdev;
        WorldVf vfs[WORLD_VFS];
} WorldPf;

typedef struct World {
        WorldPf pfs[WORLD_PFS];
        uint8_t quiet; /* the port's service is unbound */
        uint8_t late; /* its driver wants the VFs there before the eswitch changes */
} World;

World world_new(void);
Bdf world_pf(unsigned i);
Bdf world_port(unsigned i);
Snapshot *world_look(const World *w);

/*
 * True if the step of op may be started: no PF is unbound or removed with VFs that its driver made, and no VF is given what it
 * cannot be given while it has a driver.
 */
bool world_allows(const World *w, const Op *op, const Step *step);

/* The effect of a step that succeeds, and its answer. */
StepAnswer world_do(World *w, const Step *step, StepResult *ret);

/* Another program is in and writes what the door of op is for, to the first PF where it names one. */
StepAnswer world_be_written(World *w, const Op *op);
