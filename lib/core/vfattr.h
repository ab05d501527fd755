/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VfAttr: what a VF is given beside its driver
 *
 * A value and its words. Keys are what people write: "vlan", "qos", "vlan-proto". An attribute is what the kernel takes in one
 * piece: the VLAN attribute has those three keys, and what is not named of it is 0. One table has all of them, for the policy
 * files, the bus, sriovctl and the ledger alike.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order in which they are set. */
typedef enum VfAttr {
        VFATTR_MSIX, /* sriov_vf_msix_count: only while the VF has no driver */
        VFATTR_QUEUES, /* an NVMe secondary controller's flexible resources, and it is brought online: likewise */
        VFATTR_MAC, /* from here on by rtnetlink, through the PF's net device: linux/if_link.h, IFLA_VF_* */
        VFATTR_VLAN,
        VFATTR_SPOOFCHK,
        VFATTR_TRUST,
        VFATTR_LINK_STATE,
        VFATTR_RATE,
        VFATTR_QUERY_RSS,
        VFATTR_NODE_GUID,
        VFATTR_PORT_GUID,
        _VFATTR_MAX,
} VfAttr;

typedef enum VfKey {
        VFKEY_MSIX, /* vectors, 1 to 2048 */
        VFKEY_QUEUES, /* queue pairs, 1 to 65535, the admin queue counted; seen as 0 while it is offline */
        VFKEY_INTERRUPTS, /* vectors, 1 to 2048; likewise */
        VFKEY_MAC, /* 48 bits, no multicast; 0: the VF may choose */
        VFKEY_VLAN, /* 0 (none) to 4095 */
        VFKEY_QOS, /* 0 to 7 */
        VFKEY_VLAN_PROTO, /* VFATTR_PROTO_* */
        VFKEY_SPOOFCHK, /* 0 or 1 */
        VFKEY_TRUST, /* 0 or 1 */
        VFKEY_LINK_STATE, /* VFATTR_LINK_* */
        VFKEY_MIN_RATE, /* Mbit/s, 0: no limit */
        VFKEY_MAX_RATE, /* likewise */
        VFKEY_QUERY_RSS, /* 0 or 1 */
        VFKEY_NODE_GUID, /* 64 bits */
        VFKEY_PORT_GUID,
        _VFKEY_MAX,
} VfKey;

/* As linux/if_link.h numbers them: IFLA_VF_LINK_STATE_*. */
enum {
        VFATTR_LINK_AUTO,
        VFATTR_LINK_ENABLE,
        VFATTR_LINK_DISABLE,
};

/* Ethertypes are the kernel's matter; 0 is what a VLAN has that names none. */
enum {
        VFATTR_PROTO_8021Q,
        VFATTR_PROTO_8021AD,
};

typedef struct VfAttrs {
        uint32_t has; /* 1 << VFKEY_*: what is wanted, or what was seen */
        uint64_t value[_VFKEY_MAX]; /* 0 where it is not in `has` */
} VfAttrs;

#define VFATTRS_TEXT_MAX 320 /* all keys with their longest values */
#define VFATTR_VALUE_MAX 24

const char *vfkey_to_string(VfKey k) __attribute__((const)); /* "vlan-proto" */
VfKey vfkey_from_string(const char *s); /* '_' counts as '-'; _VFKEY_MAX if there is none */
VfAttr vfkey_attr(VfKey k) __attribute__((const));
/* What a value must be, for a refusal: "0 to 4095". */
const char *vfkey_expects(VfKey k) __attribute__((const));
const char *vfattr_to_string(VfAttr a) __attribute__((const)); /* "vlan" */

/* Takes a value in. 0; -EINVAL: not such a value; -ERANGE. a is left as it was on failure. */
int vfattrs_set(VfAttrs *a, VfKey k, const char *text);
/* The value in words, "02:00:00:00:01:00", "on", "802.1ad". Returns buf. */
const char *vfattrs_get(const VfAttrs *a, VfKey k, char buf[static VFATTR_VALUE_MAX]);

/* A key that means nothing without another one: qos and vlan-proto without vlan, queues without interrupts. _VFKEY_MAX: none. */
VfKey vfattrs_lonely(const VfAttrs *a, VfKey *ret_needs);

/* A key whose value is above that of the key which bounds it: min-rate above max-rate, 0 being no bound. _VFKEY_MAX: none. */
VfKey vfattrs_crossed(const VfAttrs *a, VfKey *ret_bound);

bool vfattrs_have(const VfAttrs *a, VfAttr attr) __attribute__((pure));
/* `wanted` has the attribute, and `seen` does not show it so. */
bool vfattrs_differ(const VfAttrs *wanted, const VfAttrs *seen, VfAttr attr) __attribute__((pure));
/* What `above` has covers what `below` has, attribute by attribute. */
VfAttrs vfattrs_overlay(const VfAttrs *below, const VfAttrs *above);
bool vfattrs_equal(const VfAttrs *a, const VfAttrs *b) __attribute__((pure));

/* One attribute's keys, or all with attr = _VFATTR_MAX: "vlan=100 qos=3". Returns buf. */
const char *vfattrs_format(const VfAttrs *a, VfAttr attr, char *buf, size_t size);
/* The reverse; adds to *a. 0, -EINVAL, -ERANGE. */
int vfattrs_parse(const char *text, VfAttrs *a);

/* True if the attribute is set while the VF has no driver, so that one that is bound must be unbound for it. */
bool vfattr_needs_unbound(VfAttr a) __attribute__((const));
