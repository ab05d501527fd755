/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Name: what people type for a device
 *
 * "0000:01:00.0", "01:00.0", "pci/0000:01:00.0", a netdev or one of its other names, and each of
 * these with "/vfN". The daemon turns all of them into functions but for the other names, which
 * only the kernel knows: those are turned into the netdev's name here.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/bdf.h"

#include "cli/cli.h"

typedef struct Name {
        char text[256]; /* for the daemon */
        char base[240]; /* without "pci/" and "/vfN" */
        Bdf bdf; /* what base is, or BDF_NONE */
        bool has_vf;
        uint32_t vf;
} Name;

/* Says why not: a name that is empty, too long or no UTF-8 never reaches the daemon. */
int name_parse(const Cli *c, const char *typed, Name *ret);
