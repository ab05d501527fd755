/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ear: hears fanotify's events
 *
 * Tells those who open a door to write from those who read and from our own children, who pass at once. gate.c decides about
 * the others.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include <systemd/sd-event.h>

typedef struct Manager Manager;
typedef struct Gate Gate;

#define EAR_TRIES 64

/* Its thread was on a CPU when we looked: what it opens for shows only when it sleeps. */
typedef struct Unheard {
        int event;
        pid_t tid;
        unsigned tries;
} Unheard;

typedef struct Ear {
        int group; /* fanotify's */
        sd_event_source *io, *again;
        Unheard *unheard;
        size_t n_unheard;
} Ear;

#define EAR_EMPTY ((Ear){ .group = -EBADF })

/* 0, -errno: nothing is open. */
int ear_open(Manager *m);
/* Whoever waits is let in, for the kernel does so when the last descriptor of the group is gone. */
void ear_close(Ear *e);
/* Answers one open and closes the event's descriptor. 0, -errno. */
int ear_answer(const Ear *e, int event, bool allow);
