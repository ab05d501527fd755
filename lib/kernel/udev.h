/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watch: what the kernel tells of its PCI devices, and when udev has done its part
 */
#pragma once

#include <stdbool.h>

#include "kernel/kernel.h"

typedef struct Watch Watch;

/* 0; -ENOMEM or what opening a netlink socket can fail with. */
int watch_open(Watch **ret);
Watch *watch_free(Watch *w);

/* Polls readable when watch_next() has something. Owned by the Watch. */
int watch_fd(const Watch *w);
/* 1 and an event, 0 if there is none now, -errno. Never waits. */
int watch_next(Watch *w, KernelEvent *ret);

/* The PCI function in "/devices/pci0000:00/0000:00:01.0/0000:01:00.0/net/eth0": the innermost one. */
bool watch_parse_devpath(const char *devpath, Bdf *ret);

/*
 * Kernel.initialized(): run is "/run/udev", or NULL. udev keeps a file for each device that it has taken in, and has renamed a
 * net device before it writes that: udev_event_execute_rules() in systemd's src/udev/udev-event.c. Files on a tmpfs.
 */
int udev_initialized(Kernel *k, const char *run, Bdf fn);
