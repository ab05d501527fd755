/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Doors: where the doors of this host are
 *
 * Every file whose attr.c row is a door, by the functions, drivers, slots and buses that are there now. Directories alone
 * are read, which wait for no lock, and no door is opened.
 */
#pragma once

#include "core/door.h"
#include "core/op.h"
#include "core/snapshot.h"

#include "kernel/attr.h"
#include "kernel/kernel.h"

typedef struct DoorPlace {
        Door door;
        Bdf fn; /* that the door names, else BDF_NONE */
        char name[NAME_MAX_LENGTH]; /* the driver's or slot's, else "" */
        char path
                [ATTR_PATH_MAX]; /* relative to /sys; need not be there: not all functions have all files */
} DoorPlace;

/* Those of one function, latches only with latches. found() returns < 0 to stop, which is returned. */
int doors_of_function(const Fn *fn, bool latches, int (*found)(const DoorPlace *d, void *userdata),
                      void *userdata);
/* Those of drivers, slots and buses. 0, -ENOMEM, -errno of a directory, or what found() returned. */
int doors_of_host(Kernel *k, const Snapshot *s, int (*found)(const DoorPlace *d, void *userdata),
                  void *userdata);
