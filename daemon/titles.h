/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Titles: what pci.ids calls a vendor and a device
 *
 * libpci ends the process when it is unhappy, so that a child asks it. Until the answer is there, and where there is
 * none, a name is four hex digits.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/snapshot.h"

#include "daemon/worker.h"

typedef struct Manager Manager;

typedef struct Title {
        uint16_t vendor, device;
        bool asked;
        char *vendor_name, *device_name; /* NULL: none known */
} Title;

typedef struct Titles {
        Title *items;
        size_t n;
        bool asking;
} Titles;

void titles_done(Titles *t);
/* Asks for those of PFs that are not known yet. */
void titles_ask(Manager *m);
void titles_answered(Manager *m, const WorkerRequest *request, const WorkerReply *reply);

/* Points into t or at buf. */
const char *titles_vendor(const Titles *t, const Fn *fn, char buf[static 8]);
const char *titles_device(const Titles *t, const Fn *fn, char buf[static 8]);
