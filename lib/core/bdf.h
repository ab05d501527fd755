/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bdf: where a function sits, "0000:01:10.2"
 *
 * A plain value, ordered as the kernel orders its directory. Domains have 32 bits: Intel VMD and
 * Hyper-V number theirs from 0x10000 on and print five digits or more.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct Bdf {
        uint32_t domain;
        uint16_t rid; /* bus << 8 | device << 3 | function */
} Bdf;

#define BDF_NONE ((Bdf){ UINT32_MAX, UINT16_MAX })
#define BDF_MAX sizeof("ffffffff:ff:1f.7")

static inline bool bdf_is_none(Bdf b) {
        return b.domain == UINT32_MAX && b.rid == UINT16_MAX;
}

static inline unsigned bdf_bus(Bdf b) {
        return b.rid >> 8;
}

static inline unsigned bdf_function(Bdf b) {
        return b.rid & 7;
}

/* <0, 0, >0 by domain, then bus, device, function. */
int bdf_compare(Bdf a, Bdf b);

static inline bool bdf_equal(Bdf a, Bdf b) {
        return a.domain == b.domain && a.rid == b.rid;
}

/* True if both are functions of one device: same domain, bus and device number. */
bool bdf_same_device(Bdf a, Bdf b);

/*
 * Reads "DDDD:BB:DD.F" (domain of 4 to 8 hex digits) or, with domain 0 understood, "BB:DD.F".
 * The whole string must be the address. 0 or -EINVAL.
 */
int bdf_parse(const char *s, Bdf *ret);

/* Writes the form that sysfs uses and returns buf, so that it can stand among printf's arguments. */
const char *bdf_format(Bdf b, char buf[static BDF_MAX]);
#define BDF_STR(b) bdf_format((b), (char[BDF_MAX]){ 0 })
