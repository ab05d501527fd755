/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names: what "igb0" and its like mean on this host
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "kernel/attr.h"
#include "tests/scenario/scenario.h"

static const struct {
        const char *kind;
        uint16_t vendor, device;
} kinds[] = {
        { "igb", 0x8086, 0x10c9 }, { "nvme", 0x1b36, 0x0010 }, { "nic", 0x8086, 0x10d3 },
        { "mlx", 0x15b3, 0x1019 }, { "bnxt", 0x14e4, 0x16d7 },
};

/* The nth function of a kind, no VF among them; "igb0" is n = 0. *ret_rest is what follows the number. */
static const Fn *find(const Run *run, const char *name, const char **ret_rest) {
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                const char *digits = startswith(name, kinds[i].kind);
                char *rest;
                unsigned long n;

                if (!digits || digits[0] < '0' || digits[0] > '9')
                        continue;
                n = strtoul(digits, &rest, 10);
                *ret_rest = rest;
                FOREACH_FN (f, run->at_start)
                        if (f->vendor == kinds[i].vendor && f->device == kinds[i].device &&
                            !(f->flags & FN_VF) && n-- == 0)
                                return f;
        }
        return NULL;
}

static const Slot *slot_of(const Run *run, const Fn *f) {
        for (size_t i = 0; i < run->at_start->n_slots; i++)
                if (snapshot_in_slot(&run->at_start->slots[i], f->bdf))
                        return &run->at_start->slots[i];
        return NULL;
}

static int find_vf(const Run *run, const Fn *pf, unsigned index, Bdf *ret) {
        char buf[BDF_MAX];
        int r = run->kernel->link(run->kernel, ATTR_VIRTFN(pf->bdf, index), buf, sizeof(buf));

        return r < 0 ? -ENOENT : bdf_parse(buf, ret);
}

/* Takes "/vfN" or ".port" off the front of rest. */
static int follow(const Run *run, const Fn *f, const char **rest, Bdf *ret) {
        const char *v;

        *ret = f->bdf;
        if ((v = startswith(*rest, "/vf")) && *v >= '0' && *v <= '9') {
                char *end;
                unsigned long index = strtoul(v, &end, 10);

                *rest = end;
                return find_vf(run, f, index, ret);
        }
        if ((v = startswith(*rest, ".port"))) {
                *rest = v;
                *ret = f->parent;
        }
        return 0;
}

int name_resolve(const Run *run, const char *name, Bdf *ret) {
        const char *rest;
        const Fn *f = find(run, name, &rest);
        int r;

        if (!f)
                return bdf_parse(name, ret) < 0 ? -ENOENT : 0;
        r = follow(run, f, &rest, ret);
        return r < 0 ? r : *rest == '\0' ? 0 : -ENOENT;
}

static char *print(const char *format, ...) __attribute__((format(printf, 1, 2)));
static char *print(const char *format, ...) {
        char *s = NULL;
        va_list ap;

        va_start(ap, format);
        if (vasprintf(&s, format, ap) < 0)
                abort();
        va_end(ap);
        return s;
}

/* "igb0/vf1" stays "ADDRESS/vf1", for that is a name of sriovctl's own. */
char *name_in_word(const Run *run, const char *word) {
        const char *rest;
        const Fn *f = find(run, word, &rest);
        const Slot *slot = f ? slot_of(run, f) : NULL;

        if (streq(word, "$job"))
                return print("%s", run->job);
        if (!f)
                return print("%s", word);
        if (streq(rest, ".slot"))
                return print("%s", slot ? slot->name : "none");
        if (streq(rest, ".port"))
                return print("%s", BDF_STR(f->parent));
        if (streq(rest, ".netdev"))
                return print("%s", f->netdevs ? f->netdevs : "none");
        return *rest == '\0' || *rest == '/' ? print("%s%s", BDF_STR(f->bdf), rest)
                                             : print("%s", word);
}

char *name_in_path(const Run *run, const char *word) {
        const char *rest;
        const Fn *f = find(run, word, &rest);
        const Slot *slot = f ? slot_of(run, f) : NULL;
        const char *v;
        Bdf bdf;

        if (!f)
                return print("%s", word);
        if ((v = startswith(rest, ".slot")))
                return print("bus/pci/slots/%s%s", slot ? slot->name : "none", v);
        if (follow(run, f, &rest, &bdf) < 0)
                return print("bus/pci/devices/none%s", rest);
        return print("bus/pci/devices/%s%s", BDF_STR(bdf), rest);
}

bool name_is_there(const Run *run, const char *need) {
        const char *rest;

        if (streq(need, "slot"))
                return run->at_start->n_slots > 0;
        if (streq(need, "vfio")) {
                FOREACH_FN (f, run->at_start)
                        if (f->iommu_group >= 0)
                                return true;
                return false;
        }
        return find(run, need, &rest);
}
