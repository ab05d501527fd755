/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sleep: the host is about to
 *
 * A program that waits at the gate cannot be frozen on 6.1, so that the host would not come to sleep for it; and a write that is
 * begun now would be in the middle of a driver when its device loses its power. So from logind's word on nothing is begun, and
 * who waits is refused; a delay lock gives the word the time to reach us. What a policy wants taken down for the sleep goes first, as far as
 * logind's InhibitDelayMaxSec= has time for it.
 */
#pragma once

#include <stdbool.h>

#include <systemd/sd-bus.h>

typedef struct Manager Manager;

typedef struct Sleep {
        sd_bus_slot *signal, *call;
        int lock; /* logind's; held while the host is awake */
        bool coming; /* logind said so; VFs of PFs with disable_on_sleep are taken down before it */
} Sleep;

/* Listens on the system bus. Without logind nobody tells when the host sleeps, and nothing is lost by that. */
void sleep_watch(Manager *m, sd_bus *bus);
/* What was to be taken down before the sleep is down: from now on nothing is begun. From manager_drain(). */
void sleep_prepare(Manager *m);
/* Nothing is under way any more: the host may go to sleep, if it wants to. */
void sleep_let_go(Manager *m);
void sleep_done(Sleep *s);
