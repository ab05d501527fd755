/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy
 *
 * A table says what a PF is known by, and one walk finds the policy that fits. It reads no file and asks nobody.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/macro.h"
#include "base/str.h"
#include "base/utf8.h"

#include "core/policy.h"

/* What is known of a PF under one key. */
typedef struct Known {
        const char *pattern;
        int flags; /* of fnmatch(3) */
        bool fits;
} Known;

/* Of which PF, and what a child told of it (NULL: nothing yet). */
typedef struct Subject {
        const Snapshot *s;
        const Fn *pf;
        const PfFacts *facts;
} Subject;

static void see(Known *k, const char *fact) {
        k->fits = k->fits || (fact && fnmatch(k->pattern, fact, k->flags) == 0);
}

static void see_all(Known *k, char *const *facts) {
        STRV_FOREACH (f, facts)
                see(k, *f);
}

static void see_number(Known *k, int digits, uint32_t n) {
        char text[16];

        /* People copy it from lspci -n, which has no 0x, as well as from sysfs. */
        snprintf(text, sizeof(text), "0x%0*x", digits, n);
        see(k, text);
        see(k, text + 2);
}

static void see_address(Known *k, const Subject *x) {
        const char *text = BDF_STR(x->pf->bdf);

        see(k, text);
        if (x->pf->bdf.domain == 0)
                see(k, text + strlen("0000:"));
}

static void see_driver(Known *k, const Subject *x) {
        see(k, x->pf->driver);
}

static void see_vendor(Known *k, const Subject *x) {
        see_number(k, 4, x->pf->vendor);
}

static void see_device(Known *k, const Subject *x) {
        see_number(k, 4, x->pf->device);
}

/* PCI Code and ID Assignment Specification: base classes, the upper 8 of the 24 bits. */
static const struct {
        uint32_t base;
        const char *name;
} classes[] = {
        { 0x01, "storage" },    { 0x02, "network" }, { 0x03, "display" },
        { 0x0b, "processing" }, { 0x10, "crypto" },  { 0x12, "accelerator" },
};

static void see_class(Known *k, const Subject *x) {
        for (size_t i = 0; i < ELEMENTSOF(classes); i++)
                if (x->pf->class >> 16 == classes[i].base)
                        see(k, classes[i].name);
        see_number(k, 6, x->pf->class);
}

static void see_slot(Known *k, const Subject *x) {
        for (size_t i = 0; i < x->s->n_slots; i++)
                if (snapshot_in_slot(x->s->slots + i, x->pf->bdf))
                        see(k, x->s->slots[i].name);
}

static void see_netdev(Known *k, const Subject *x) {
        char name[NAME_MAX_LENGTH];
        size_t n;

        for (const char *p = x->pf->netdevs; p && *p; p += n + strspn(p + n, " ")) {
                n = strcspn(p, " ");
                if (snprintf(name, sizeof(name), "%.*s", (int) n, p) < (int) sizeof(name))
                        see(k, name);
        }
        if (x->facts)
                see_all(k, x->facts->altnames);
}

static void see_mac(Known *k, const Subject *x) {
        if (x->facts)
                see_all(k, x->facts->macs);
}

static void see_serial(Known *k, const Subject *x) {
        if (x->facts)
                see(k, x->facts->serial);
}

static void see_path(Known *k, const Subject *x) {
        if (x->facts)
                see(k, x->facts->path);
}

typedef struct Row {
        const char *name;
        void (*see)(Known *k, const Subject *x);
        int flags; /* of fnmatch(3): names are written as they are, hex digits as one likes */
        bool asked; /* a child must have told, before "no" is an answer */
} Row;

static const Row rows[_MATCH_MAX] = {
        [MATCH_ADDRESS] = { "address", see_address, FNM_CASEFOLD, false },
        [MATCH_DRIVER] = { "driver", see_driver, 0, false },
        [MATCH_VENDOR] = { "vendor", see_vendor, FNM_CASEFOLD, false },
        [MATCH_DEVICE] = { "device", see_device, FNM_CASEFOLD, false },
        [MATCH_CLASS] = { "class", see_class, FNM_CASEFOLD, false },
        [MATCH_SLOT] = { "slot", see_slot, 0, false },
        [MATCH_NETDEV] = { "netdev", see_netdev, 0, true },
        [MATCH_MAC] = { "mac", see_mac, FNM_CASEFOLD, true },
        [MATCH_SERIAL] = { "serial", see_serial, FNM_CASEFOLD, true },
        [MATCH_PATH] = { "path", see_path, 0, true },
};

const char *match_key_to_string(MatchKey k) {
        return k < _MATCH_MAX ? rows[k].name : NULL;
}

MatchKey match_key_from_string(const char *s) {
        MatchKey k = 0;

        while (k < _MATCH_MAX && !streq(s, rows[k].name))
                k++;
        return k;
}

const char *match_class_name(unsigned i) {
        return i < ELEMENTSOF(classes) ? classes[i].name : NULL;
}

void pf_facts_done(PfFacts *f) {
        strv_free(f->altnames);
        strv_free(f->macs);
        free(f->serial);
        free(f->path);
        *f = (PfFacts){};
}

static void rule_done(VfRule *rule) {
        free(rule->mac);
        free(rule->node_guid);
        free(rule->port_guid);
}

void policy_done(Policy *p) {
        for (MatchKey k = 0; k < _MATCH_MAX; k++)
                strv_free(p->match[k]);
        for (size_t i = 0; i < p->n_vf; i++)
                rule_done(p->vf + i);
        rule_done(&p->vf_default);
        free(p->vf);
        free(p->file);
        *p = (Policy){};
}

void policies_done(Policies *all) {
        for (size_t i = 0; i < all->n; i++)
                policy_done(all->items + i);
        free(all->items);
        *all = (Policies){};
}

const char *policy_name_place(const Policy *p, char buf[static POLICIES_BOTH_MAX]) {
        snprintf(buf, POLICIES_BOTH_MAX, "%.32s (%s:%u)", p->name, p->file, p->line);
        utf8_clean(buf);
        return buf;
}

const char *policies_name_both(const Policy *a, const Policy *b,
                               char buf[static POLICIES_BOTH_MAX]) {
        snprintf(buf, POLICIES_BOTH_MAX, "%.32s (%s:%u) and %.32s (%s:%u)", a->name, a->file,
                 a->line, b->name, b->file, b->line);
        utf8_clean(buf);
        return buf;
}

typedef enum Fit {
        FIT_NO,
        FIT_MAYBE, /* nobody has told yet what it asks for */
        FIT_YES,
} Fit;

static Fit key_fits(const Policy *p, MatchKey k, const Subject *x) {
        STRV_FOREACH (pattern, p->match[k]) {
                Known known = { *pattern, rows[k].flags, false };

                rows[k].see(&known, x);
                if (known.fits)
                        return FIT_YES;
        }
        return rows[k].asked && !x->facts ? FIT_MAYBE : FIT_NO;
}

static Fit policy_fits(const Policy *p, const Subject *x) {
        Fit all = FIT_YES;

        for (MatchKey k = 0; k < _MATCH_MAX && all != FIT_NO; k++)
                if (p->match[k])
                        all = MIN2(all, key_fits(p, k, x));
        return all;
}

/* True if it is all the same which of the two has the PF: both want nothing. */
static bool agree(const Policy *a, const Policy *b) {
        return !a->manage && !b->manage;
}

int policy_find(const Policies *all, const Snapshot *s, const Fn *pf, const PfFacts *facts,
                const Policy **ret, const Policy **ret_other) {
        /* Those of another device that sat there before say nothing of this one. */
        bool current = facts && facts->identity == pf->identity;
        const Subject x = { s, pf, current ? facts : NULL };
        const Policy *best = NULL, *rival = NULL;
        Fit fits;

        for (const Policy *p = all->items; p && p < all->items + all->n; p++) {
                if (policy_fits(p, &x) != FIT_YES || (best && p->priority < best->priority))
                        continue;
                if (!best || p->priority > best->priority) {
                        best = p;
                        rival = NULL;
                } else if (!rival && !agree(best, p)) {
                        rival = p;
                }
        }
        for (const Policy *p = all->items; p && p < all->items + all->n; p++) {
                fits = policy_fits(p, &x);
                if (fits == FIT_MAYBE &&
                    (!best || p->priority > best->priority ||
                     (p->priority == best->priority && !rival && !agree(best, p))))
                        return POLICY_E_UNKNOWN;
        }
        if (!best)
                return POLICY_E_NONE;
        *ret = best;
        if (!rival && !best->manage)
                return POLICY_E_NONE;
        if (!rival)
                return 0;
        *ret_other = rival;
        return POLICY_E_CONFLICT;
}
