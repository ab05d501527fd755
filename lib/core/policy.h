/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy: which PFs are meant, and what is wanted of them
 *
 * The value behind policy.d: lib/conf makes it out of files, this file matches it and makes a Wanted of it. One PF has one policy,
 * the one of the highest priority: they are never mixed, so that a file can be read alone. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/snapshot.h"
#include "core/wanted.h"

/* What a PF is known by. The snapshot has the first six; the others are asked by a child, and may be unknown for a while. */
typedef enum MatchKey {
        MATCH_ADDRESS, /* "0000:01:00.0" */
        MATCH_DRIVER, /* "igb"; "" where none is bound, which "*" alone fits: a file has no empty pattern */
        MATCH_VENDOR, /* "0x8086" */
        MATCH_DEVICE, /* "0x10c9" */
        MATCH_CLASS, /* "network" (match_class_name() has all), or "0x020000" */
        MATCH_SLOT, /* as /sys/bus/pci/slots calls it */
        MATCH_NETDEV, /* "ens1f0"; altnames are among the facts */
        MATCH_MAC, /* the permanent one */
        MATCH_SERIAL, /* PCIe Device Serial Number, "00-1b-21-ff-ff-c0-ff-ee" */
        MATCH_PATH, /* udev's ID_PATH, "pci-0000:01:00.0" */
        _MATCH_MAX,
} MatchKey;

const char *match_key_to_string(MatchKey k) __attribute__((const));
MatchKey match_key_from_string(const char *s); /* _MATCH_MAX if there is none */
/* The words for classes, "network"; NULL behind the last. */
const char *match_class_name(unsigned i) __attribute__((const));

/* What only a child can ask. NULL: none, or not known. Owned by whoever made it. */
typedef struct PfFacts {
        Bdf pf;
        uint64_t identity; /* of the PF's directory, as Fn.identity */
        char **altnames; /* of all its net devices */
        char **macs; /* permanent ones, "02:00:00:00:00:01" */
        char *serial, *path;
} PfFacts;

void pf_facts_done(PfFacts *f);

typedef enum PolicyCount {
        COUNT_KEEP, /* however many there are */
        COUNT_NUMBER,
        COUNT_MAX, /* sriov_totalvfs */
} PolicyCount;

#define VF_RANGES_MAX 16

/* What some VFs are given: vf_default, or one of vf. */
typedef struct VfRule {
        struct {
                uint32_t first, last;
        } ranges[VF_RANGES_MAX];
        size_t n_ranges; /* 0: all */
        bool has_driver;
        char driver[NAME_MAX_LENGTH]; /* as VfWish.driver */
        VfAttrs attrs;
        /*
         * In the stead of attrs' values where they hold {index} or {pf}: two hex digits of the index, four as two bytes of the
         * PF's bus and function ("02:00:{pf}:00:{index}"). NULL: none. Owned.
         */
        char *mac, *node_guid, *port_guid;
} VfRule;

#define POLICY_PRIORITY_MAX 1000000 /* and as far below 0 */

typedef struct Policy {
        char name[NAME_MAX_LENGTH];
        char *file; /* where it stands, for people. Owned. */
        unsigned line;
        int32_t priority; /* the highest that fits has the PF */
        char **match
                [_MATCH_MAX]; /* patterns of fnmatch(3), of which one must fit; NULL: not asked. Owned. */
        PolicyCount count_kind;
        uint32_t count;
        Eswitch eswitch;
        bool rollback; /* on_failure = "rollback" */
        bool force; /* in_use = "force": OP_FORCE_IN_USE */
        bool reconcile; /* repair drift; default true */
        bool manage; /* false: hands off, no policy of lower priority counts either. Default true. */
        bool disable_on_sleep;
        VfRule vf_default;
        VfRule *vf; /* a later one covers an earlier one, attribute by attribute. Owned. */
        size_t n_vf;
} Policy;

typedef struct Policies {
        Policy *items; /* in the order of their files. Owned. */
        size_t n;
} Policies;

void policy_done(Policy *p);
void policies_done(Policies *all);

#define POLICIES_BOTH_MAX 128
/* "a (FILE:LINE)", and "a (FILE:LINE) and b (FILE:LINE)", for people; cut where there is no room. Returns buf. */
const char *policy_name_place(const Policy *p, char buf[static POLICIES_BOTH_MAX]);
const char *policies_name_both(const Policy *a, const Policy *b,
                               char buf[static POLICIES_BOTH_MAX]);

#define POLICY_E_NONE 1 /* none fits, or the one that does says manage = false */
#define POLICY_E_CONFLICT 2 /* two of equal priority fit: *ret and *ret_other */
#define POLICY_E_UNKNOWN                                                                           \
        3 /* one could fit, and what it asks for is not known (yet): facts is NULL */

/*
 * The policy of that PF. facts NULL, or those of another identity: not asked yet. 0 and *ret, or one of the answers above. Two that
 * both say manage = false are no conflict. With POLICY_E_NONE *ret is the one that says so, or is left as it was.
 */
int policy_find(const Policies *all, const Snapshot *s, const Fn *pf, const PfFacts *facts,
                const Policy **ret, const Policy **ret_other);

/*
 * Makes it concrete, for as many VFs as are wanted, or as there can be where their number is kept. An address with {index} in it is
 * none of a VF above 255. 0 and *ret, the caller's to wanted_done(); -ENOMEM.
 */
int policy_want(const Policy *p, const Fn *pf, Wanted *ret);

/* "{index}" and "{pf}" of a MAC or GUID filled in. 0; -EINVAL: what comes out is none. */
int policy_expand(const char *text, Bdf pf, uint32_t index, VfKey key, VfAttrs *ret);
