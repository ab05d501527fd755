/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Marks: the doors that fanotify tells us of
 *
 * One inode mark for each door that is there, no mount's and no file system's, so that nothing else on the host is slowed. A mark
 * outlives its device and leaks (measured), so that each has an O_PATH descriptor, which opens nothing, through which it is
 * taken away when the device is gone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "kernel/doors.h"

typedef struct Mark {
        DoorPlace place;
        uint64_t identity; /* of the function's directory, 0 = the door is none's */
        int fd; /* O_PATH */
        dev_t dev;
        ino_t ino;
        bool seen; /* by the sync that is under way */
} Mark;

typedef struct Marks {
        int group; /* fanotify's; the gate's */
        Mark **items; /* sorted by inode */
        size_t n;
        Bdf latched; /* the PF whose latches are held, and its VFs'; BDF_NONE */
        size_t n_failed; /* doors that are there and could not be marked, since the last sync */
} Marks;

/*
 * Marks what is there and not marked, takes away what is gone. sys: "/sys". 0, -errno: some could not be marked (n_failed),
 * the others are.
 */
int marks_sync(Marks *all, Kernel *k, const Snapshot *s, const char *sys);
/* Those of one function at once, without a look at all others: it has just come. */
int marks_add(Marks *all, Kernel *k, const char *sys, Bdf fn);
/* Holds the latches of that PF and its VFs from now on, or of none. */
int marks_latch(Marks *all, Kernel *k, const Snapshot *s, const char *sys, Bdf pf);
/* The door behind an event's descriptor, or NULL. */
const Mark *marks_find(const Marks *all, int fd);
const Mark *marks_find_inode(const Marks *all, uint64_t ino);
/* True if the path below /sys is marked, so that whoever reads the group must not open it. */
bool marks_have(const Marks *all, const char *path);
void marks_clear(Marks *all); /* takes all away */
