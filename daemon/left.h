/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Left: children of an earlier daemon that may still be in the kernel
 *
 * They are not ours any more: nobody tells us of their end but a pidfd. They are waited for and never signaled.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "daemon/process.h"

typedef struct Left Left;

typedef struct Lefts {
        sd_event *event;
        void (*over)(void *userdata); /* the last one is gone */
        void (*stuck)(const Process *p, void *userdata); /* one did not go in its time */
        void *userdata;
        Left **items;
        size_t n;
} Lefts;

/* Waits for it if it still lives; one that is waited for already is left as it is. 0, -errno. */
int lefts_await(Lefts *all, const Process *p, uint64_t deadline_usec);
void lefts_done(Lefts *all);
/* The i-th of n. */
const Process *lefts_process(const Lefts *all, size_t i);
