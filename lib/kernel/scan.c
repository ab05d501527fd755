/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scan
 *
 * The host changes while it is looked at, so the order matters: a VF's physfn link is made after its PF's virtfn link
 * and lives longer than that (drivers/pci/iov.c, pci_iov_sysfs_link() and pci_iov_remove_virtfn()). VFs are therefore
 * looked at before the links of their PFs, and one that no link leads to is looked at again before
 * it is called an orphan.
 */
#include <errno.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/attr.h"
#include "kernel/look.h"
#include "kernel/scan.h"

#define _cleanup_links_ _cleanup_(vf_links_done)

/* Says which VF it is, or that its PF does not know it. */
static void place_vf(Kernel *k, Fn *fn, const VfLink *link) {
        Bdf pf;

        if (link && (!(fn->flags & FN_VF) || bdf_equal(link->pf, fn->pf))) {
                fn->flags = (fn->flags | FN_VF) & ~(uint32_t) FN_ORPHAN;
                fn->pf = link->pf;
                fn->vf_index = link->index;
        } else if (fn->flags & FN_VF && look_physfn(k, fn->bdf, &pf) > 0)
                fn->flags |= FN_ORPHAN;
}

static int scan_functions(Kernel *k, Snapshot *s) {
        _cleanup_strv_ char **names = NULL;
        int r;

        r = k->list(k, ATTR_BUS(ATTR_DEVICES), &names);
        if (r < 0)
                return r;
        STRV_FOREACH (name, names) {
                Bdf bdf;
                Fn fn;

                if (bdf_parse(*name, &bdf) < 0)
                        continue;
                r = look_fn(k, bdf, &fn);
                if (r == -ENOMEM)
                        return r;
                if (r < 0)
                        continue; /* gone between the listing and the look */
                r = snapshot_append(s, &fn);
                free(fn.netdevs);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The VFs of all PFs, with one listing for each PF and none for a VF. */
static int scan_vfs(Kernel *k, Snapshot *s) {
        _cleanup_links_ VfLinks links = {};

        for (size_t i = 0; i < s->n_fns; i++) {
                Fn *fn = s->fns + i;
                uint32_t n;

                if (!(fn->flags & FN_PF))
                        continue;
                if (look_vf_links(k, fn->bdf, &links, &n) == -ENOMEM)
                        return -ENOMEM;
                fn->n_vfs = (uint16_t) n;
        }
        vf_links_sort(&links);
        for (size_t i = 0; i < s->n_fns; i++)
                place_vf(k, s->fns + i, vf_links_find(&links, s->fns[i].bdf));
        return 0;
}

int scan_all(Kernel *k, Snapshot **ret) {
        _cleanup_(snapshot_freep) Snapshot *s = snapshot_new();
        int r;

        if (!s)
                return -ENOMEM;
        r = scan_functions(k, s);
        if (r < 0)
                return r;
        r = scan_vfs(k, s);
        if (r < 0)
                return r;
        snapshot_seal(s);
        r = scan_rest(k, s);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

/* Puts what is there now in the place of what was seen before. */
static int refresh(Kernel *k, Snapshot *s, Bdf bdf, const VfLinks *links, uint32_t n_vfs) {
        Fn fn;
        int r;

        r = look_fn(k, bdf, &fn);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                snapshot_drop(s, bdf);
                return 0;
        }
        if (fn.flags & FN_PF)
                fn.n_vfs = (uint16_t) n_vfs;
        else
                place_vf(k, &fn, vf_links_find(links, bdf));
        snapshot_inherit(&fn, snapshot_find(s, bdf));
        r = snapshot_put(s, &fn);
        free(fn.netdevs);
        return r;
}

/*
 * VFs come in the order of their addresses, a thousand of them with an event each. The number after the last one's is
 * tried first, for a listing of all links at each of the events would make the whole quadratic.
 */
static int find_link(Kernel *k, const Snapshot *s, Bdf pf, Bdf vf, VfLinks *links) {
        const Fn *last = NULL;
        uint32_t index = 0;
        Bdf found;

        FOREACH_FN (f, s) {
                if (bdf_compare(f->bdf, vf) > 0)
                        break;
                if (f->flags & FN_VF && bdf_equal(f->pf, pf))
                        last = f;
        }
        if (last)
                index = last->vf_index + !bdf_equal(last->bdf, vf);
        if (look_vf(k, pf, index, &found) < 0 || !bdf_equal(found, vf))
                return look_vf_links(k, pf, links, NULL);
        links->items = malloc(sizeof(VfLink));
        if (!links->items)
                return -ENOMEM;
        links->items[links->n_items++] = (VfLink){ vf, pf, (uint16_t) index };
        return 0;
}

/* A VF, and the count of its PF. */
static int scan_vf(Kernel *k, Snapshot *s, Bdf pf, Bdf vf) {
        _cleanup_links_ VfLinks links = {};
        uint32_t n = 0;
        int r;

        r = find_link(k, s, pf, vf, &links);
        if (r == -ENOMEM)
                return r;
        vf_links_sort(&links);
        r = refresh(k, s, vf, &links, 0);
        if (r < 0)
                return r;
        if (look_count_vfs(k, pf, &n) == -ENOMEM)
                return -ENOMEM;
        return refresh(k, s, pf, &links, n);
}

/* The VFs that the snapshot has of pf, those that links lead to left out. */
static int list_old_vfs(const Snapshot *s, Bdf pf, const VfLinks *links, Bdf **ret, size_t *ret_n) {
        Bdf *vfs;
        size_t n = 0;

        vfs = calloc(s->n_fns + 1, sizeof(Bdf));
        if (!vfs)
                return -ENOMEM;
        FOREACH_FN (f, s)
                if (f->flags & FN_VF && bdf_equal(f->pf, pf) && !vf_links_find(links, f->bdf))
                        vfs[n++] = f->bdf;
        *ret = vfs;
        *ret_n = n;
        return 0;
}

/* A function that is no VF, and the VFs that it has or had. */
static int scan_with_vfs(Kernel *k, Snapshot *s, Bdf bdf) {
        _cleanup_links_ VfLinks links = {};
        _cleanup_free_ Bdf *old = NULL;
        uint32_t n = 0;
        size_t n_old;
        int r;

        if (look_vf_links(k, bdf, &links, &n) == -ENOMEM)
                return -ENOMEM;
        vf_links_sort(&links);
        r = list_old_vfs(s, bdf, &links, &old, &n_old);
        if (r < 0)
                return r;
        r = refresh(k, s, bdf, &links, n);
        for (size_t i = 0; r >= 0 && i < links.n_items; i++)
                r = refresh(k, s, links.items[i].vf, &links, 0);
        for (size_t i = 0; r >= 0 && i < n_old; i++)
                r = refresh(k, s, old[i], &links, 0);
        return r;
}

int scan_fn(Kernel *k, Snapshot *s, Bdf bdf) {
        const Fn *before = snapshot_find(s, bdf);
        Bdf pf;

        if (look_physfn(k, bdf, &pf) > 0)
                return scan_vf(k, s, pf, bdf);
        if (before && before->flags & FN_VF)
                return scan_vf(k, s, before->pf, bdf);
        return scan_with_vfs(k, s, bdf);
}

static int scan_slot(Kernel *k, Snapshot *s, const char *name) {
        char address[BDF_MAX + 2];
        Slot slot = {};
        Bdf first;
        int r;

        r = k->read(k, ATTR_NAME(ATTR_SLOT_ADDRESS, name), address, BDF_MAX);
        if (r < 0 || str_copy(slot.name, sizeof(slot.name), name) < 0)
                return 0;
        /* "0000:01:00" is a device; "0000:01" stands for a slot whose device number nobody knows. */
        strcat(address, ".0");
        if (bdf_parse(address, &first) < 0)
                return 0;
        slot.domain = first.domain;
        slot.bus = (uint8_t) bdf_bus(first);
        slot.device = first.rid >> 3 & 0x1f;
        return snapshot_add_slot(s, &slot);
}

static int scan_service(Snapshot *s, const char *name) {
        const char *colon = strrchr(name, ':');
        char port[BDF_MAX];
        Service service;

        if (!colon || (size_t) (colon - name) >= sizeof(port) ||
            str_copy(service.name, sizeof(service.name), name) < 0)
                return 0;
        *(char *) mempcpy(port, name, (size_t) (colon - name)) = '\0';
        if (bdf_parse(port, &service.port) < 0)
                return 0; /* "bind", "module", ... */
        return snapshot_add_service(s, &service);
}

/* Names in a directory of a kind, sorted; none where the kernel has no such kind. */
static int list_sorted(Kernel *k, Attr kind, char ***ret) {
        int r;

        r = k->list(k, ATTR_BUS(kind), ret);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                *ret = NULL;
        strv_sort(*ret);
        return 0;
}

int scan_rest(Kernel *k, Snapshot *s) {
        _cleanup_strv_ char **slots = NULL, **services = NULL;
        char **drivers;
        int r;

        r = list_sorted(k, ATTR_SLOTS, &slots);
        if (r < 0)
                return r;
        r = list_sorted(k, ATTR_SERVICES, &services);
        if (r < 0)
                return r;
        r = list_sorted(k, ATTR_DRIVERS, &drivers);
        if (r < 0)
                return r;
        strv_free(s->drivers);
        s->drivers = drivers;
        s->n_slots = s->n_services = 0;
        STRV_FOREACH (name, slots) {
                r = scan_slot(k, s, *name);
                if (r < 0)
                        return r;
        }
        STRV_FOREACH (name, services) {
                r = scan_service(s, *name);
                if (r < 0)
                        return r;
        }
        return 0;
}
