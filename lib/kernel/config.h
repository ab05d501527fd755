/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Config: two things that a function tells in its configuration space
 *
 * A read waits for resets and for the second in which VFs are made or taken (pci_wait_cfg()): children only.
 */
#pragma once

#include "core/bdf.h"
#include "kernel/kernel.h"

#define CONFIG_SIZE 4096

/* Device Serial Number as lspci writes it, "00-1b-21-ff-ff-c0-ff-ee". 0, -ENOENT: it has none. */
#define CONFIG_SERIAL_MAX 24
int config_serial(Kernel *k, Bdf fn, char ret[static CONFIG_SERIAL_MAX]);
/* The number of vectors in its MSI-X table. 0, -ENOENT: it has none. */
int config_msix(Kernel *k, Bdf fn, uint32_t *ret);

/* The same out of n bytes that were read. */
int config_parse_serial(const uint8_t *c, size_t n, char ret[static CONFIG_SERIAL_MAX]);
int config_parse_msix(const uint8_t *c, size_t n, uint32_t *ret);
