/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Boot: who waits for the policies to be in place
 *
 * The unit that the network waits for asks WaitBoot(), which is answered when the wards are settled, or when its time is over: a host
 * whose card does not come up boots all the same.
 */
#pragma once

#include <stddef.h>

#include <systemd/sd-bus.h>

typedef struct Manager Manager;
typedef struct BootWait BootWait;

#define BOOT_WAIT_SEC 30
/* The last of them are for root's own socket. */
#define BOOT_WAITS_MAX 16
#define BOOT_WAITS_BUS_MAX 12

typedef struct BootWaits {
        BootWait *first;
        size_t n;
} BootWaits;

/* The method. */
int boot_wait(sd_bus_message *message, void *userdata, sd_bus_error *error);
/* Tells all who wait, if it is settled. From manager_drain(). */
void boot_waits_answer(Manager *m);
/* That connection is gone, and its messages with it. */
void boot_waits_forget(Manager *m, sd_bus *bus);
void boot_waits_done(BootWaits *all);
