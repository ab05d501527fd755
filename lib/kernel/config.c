/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Config
 *
 * Offsets are those of linux/pci_regs.h. A list of capabilities that leads in a circle, as a device that fell off the bus has it
 * (all ones), ends after as many steps as there is room for.
 */
#include <errno.h>
#include <stdio.h>

#include <linux/pci_regs.h>

#include "base/macro.h"

#include "kernel/attr.h"
#include "kernel/config.h"

#define EXT_BEGIN 0x100

static uint16_t u16_at(const uint8_t *c, size_t at) {
        return (uint16_t) (c[at] | c[at + 1] << 8);
}

static uint32_t u32_at(const uint8_t *c, size_t at) {
        return u16_at(c, at) | (uint32_t) u16_at(c, at + 2) << 16;
}

/* Where the capability begins, with so many bytes behind; 0: nowhere. */
static size_t find(const uint8_t *c, size_t n, uint8_t id, size_t size) {
        size_t at;

        if (n < 64 || !(u16_at(c, PCI_STATUS) & PCI_STATUS_CAP_LIST))
                return 0;
        at = c[PCI_CAPABILITY_LIST] & ~3U;
        for (size_t steps = 0; at >= 64 && at + size <= MIN2(n, (size_t) EXT_BEGIN) && steps < 48;
             steps++) {
                if (c[at] == id)
                        return at;
                at = c[at + 1] & ~3U;
        }
        return 0;
}

static size_t find_ext(const uint8_t *c, size_t n, uint16_t id, size_t size) {
        size_t at = EXT_BEGIN;

        for (size_t steps = 0; at >= EXT_BEGIN && at + size <= n && steps < 480; steps++) {
                uint32_t header = u32_at(c, at);

                if (header == 0 || header == UINT32_MAX)
                        return 0;
                if (PCI_EXT_CAP_ID(header) == id)
                        return at;
                at = PCI_EXT_CAP_NEXT(header);
        }
        return 0;
}

int config_parse_serial(const uint8_t *c, size_t n, char ret[static CONFIG_SERIAL_MAX]) {
        size_t at = find_ext(c, n, PCI_EXT_CAP_ID_DSN, 12);

        if (at == 0)
                return -ENOENT;
        for (unsigned i = 0; i < 8; i++)
                snprintf(ret + 3 * i, 4, "%02x%s", c[at + 11 - i], i < 7 ? "-" : "");
        return 0;
}

int config_parse_msix(const uint8_t *c, size_t n, uint32_t *ret) {
        size_t at = find(c, n, PCI_CAP_ID_MSIX, 4);

        if (at == 0)
                return -ENOENT;
        *ret = (u16_at(c, at + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_QSIZE) + 1U;
        return 0;
}

/* A last byte that looks as the end of a line is lost, which cuts off no capability that matters. */
static int read_config(Kernel *k, Bdf fn, uint8_t buf[static CONFIG_SIZE + 1]) {
        return k->read(k, ATTR_FN(ATTR_CONFIG, fn), (char *) buf, CONFIG_SIZE + 1);
}

int config_serial(Kernel *k, Bdf fn, char ret[static CONFIG_SERIAL_MAX]) {
        uint8_t buf[CONFIG_SIZE + 1];
        int n = read_config(k, fn, buf);

        return n < 0 ? n : config_parse_serial(buf, (size_t) n, ret);
}

int config_msix(Kernel *k, Bdf fn, uint32_t *ret) {
        uint8_t buf[CONFIG_SIZE + 1];
        int n = read_config(k, fn, buf);

        return n < 0 ? n : config_parse_msix(buf, (size_t) n, ret);
}
