/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pci: what vendors and devices are called
 *
 * For children only: libpci ends the process when it cannot go on.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Fills both buffers with names from the host's pci.ids or hardware database, "" where there is none; a name that is
 * too long ends in dots. 0, -ENOMEM. Nothing is asked of the devices or of the network.
 */
int pci_names(uint16_t vendor, uint16_t device, char *ret_vendor, size_t vendor_size,
              char *ret_device, size_t device_size);
