/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Quirk: what is so with one driver and not with others
 *
 * Rows out of drivers.conf; no driver's name stands in code. A snapshot carries them to where plans are made.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/op.h"

#define QUIRKS_MAX 64

typedef enum QuirkFlags {
        /* Its reset of a VF whose net device is down never ends: KERNEL.md part 1, hazard 8; igbvf. */
        QUIRK_RESET_NEEDS_UP = 1 << 0,
        /* PF: makes no VFs while its net device is down, and says nothing; bnxt_en (KERNEL.md 2.3). */
        QUIRK_VFS_NEED_UP = 1 << 1,
        /* PF: its eswitch changes mode only with the VFs there already. */
        QUIRK_ESWITCH_AFTER_VFS = 1 << 2,
        /* PF: no VF may have a driver while its eswitch changes mode. */
        QUIRK_ESWITCH_UNBINDS_VFS = 1 << 3,
        /* PF: its VFs must be probed as they are made; autoprobe is left alone. */
        QUIRK_KEEP_AUTOPROBE = 1 << 4,
        /* PF: its eswitch changes mode only while there are no VFs. */
        QUIRK_ESWITCH_WITHOUT_VFS = 1 << 5,
} QuirkFlags;

typedef struct Quirk {
        char driver[NAME_MAX_LENGTH];
        uint32_t flags; /* QuirkFlags; of several rows about a driver the last one holds */
} Quirk;

typedef struct Quirks {
        Quirk items[QUIRKS_MAX];
        size_t n;
} Quirks;

/* The driver's flags; 0 if nothing is said of it. q may be NULL. */
uint32_t quirks_of(const Quirks *q, const char *driver) __attribute__((pure));
