/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Door: a file of the kernel's that programs write to change the topology
 *
 * What the gate holds open calls of. A door says what is known when a program opens it, which is all that can be planned
 * with: what it will write is known to it alone.
 */
#pragma once

#include <stdbool.h>

typedef enum Door {
        DOOR_NONE,
        DOOR_COUNT, /* sriov_numvfs; names its PF */
        DOOR_REMOVE, /* names its function, and whatever is below it */
        DOOR_RESCAN, /* of the bus type, a bus or a function: all are about the whole host */
        DOOR_RESET, /* reset, reset_subordinate; names its function */
        DOOR_FUNCTION, /* enable, sriov_vf_msix_count, ...; names its function, and is about it alone */
        DOOR_BIND, /* bind, new_id, remove_id of a driver; the function is not named */
        DOOR_UNBIND, /* of a driver; the function is not named */
        DOOR_BUS, /* drivers_probe, drivers_autoprobe */
        DOOR_SLOT, /* a slot's power */
        DOOR_LATCH, /* driver_override, sriov_drivers_autoprobe: held only while a job works on that PF */
        _DOOR_MAX,
} Door;

/* What the gate does with a program that opens a door to write. Each does all that those before it do, but the last. */
typedef enum GateMode {
        GATE_OFF,
        GATE_OBSERVE, /* is told of in the journal, and let in */
        GATE_SERIALIZE, /* waits for its turn; what it takes away is taken down in the safe order first */
        GATE_PROTECT, /* is refused where sriovd's own operation would be: what it takes away is in use */
        GATE_EXCLUSIVE, /* the doors are locked: their mode has no w, which sysfs holds against root as well */
        _GATE_MODE_MAX,
        _GATE_MODE_INVALID = -1,
} GateMode;

/* Its function is known when it is opened. */
bool door_names_function(Door d) __attribute__((const));
/* Works on one PF and its VFs alone. */
bool door_is_local(Door d) __attribute__((const));

const char *door_to_string(Door d) __attribute__((const)); /* for the ledger and the model */
Door door_from_string(const char *s); /* _DOOR_MAX if there is none */
const char *gate_mode_to_string(GateMode m) __attribute__((const)); /* "serialize" */
GateMode gate_mode_from_string(const char *s); /* _GATE_MODE_INVALID if there is none */
