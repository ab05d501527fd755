/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Look
 *
 * Only attributes that attr.c marks as never blocking, and only what one function says of itself or of its VFs.
 */
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/attr.h"
#include "kernel/look.h"

void vf_links_done(VfLinks *l) {
        free(l->items);
        *l = (VfLinks){};
}

static int compare_links(const void *a, const void *b) {
        return bdf_compare(((const VfLink *) a)->vf, ((const VfLink *) b)->vf);
}

void vf_links_sort(VfLinks *l) {
        if (l->n_items > 0)
                qsort(l->items, l->n_items, sizeof(VfLink), compare_links);
}

const VfLink *vf_links_find(const VfLinks *l, Bdf vf) {
        VfLink wanted = { .vf = vf };

        return l->n_items > 0
                       ? bsearch(&wanted, l->items, l->n_items, sizeof(VfLink), compare_links)
                       : NULL;
}

/* Room at powers of two: how many there are tells how many fit. */
static int push_link(VfLinks *l, VfLink link) {
        if ((l->n_items & (l->n_items - 1)) == 0) {
                VfLink *more = reallocarray(l->items, l->n_items == 0 ? 1 : l->n_items * 2,
                                            sizeof(VfLink));

                if (!more)
                        return -ENOMEM;
                l->items = more;
        }
        l->items[l->n_items++] = link;
        return 0;
}

bool look_exists(Kernel *k, const char *path) {
        uint64_t identity;

        return k->identity(k, path, &identity) >= 0;
}

int look_vf_links(Kernel *k, Bdf pf, VfLinks *links, uint32_t *ret_n) {
        _cleanup_strv_ char **names = NULL;
        uint32_t n = 0, index;
        Bdf vf;
        int r;

        r = k->list(k, ATTR_FN(ATTR_DIRECTORY, pf), &names);
        if (r < 0)
                return r;
        STRV_FOREACH (name, names) {
                if (attr_parse_virtfn(*name, &index) < 0)
                        continue;
                n++;
                if (!links || look_vf(k, pf, index, &vf) < 0)
                        continue;
                r = push_link(links, (VfLink){ vf, pf, (uint16_t) index });
                if (r < 0)
                        return r;
        }
        if (ret_n)
                *ret_n = n;
        return 0;
}

int look_count_vfs(Kernel *k, Bdf pf, uint32_t *ret) {
        return look_vf_links(k, pf, NULL, ret);
}

/* A link to another function. -ENOENT also if it leads to something else. */
static int look_link(Kernel *k, const char *path, Bdf *ret) {
        char name[NAME_MAX_LENGTH];

        if (k->link(k, path, name, sizeof(name)) < 0 || bdf_parse(name, ret) < 0)
                return -ENOENT;
        return 0;
}

int look_vf(Kernel *k, Bdf pf, uint32_t index, Bdf *ret) {
        return look_link(k, ATTR_VIRTFN(pf, index), ret);
}

int look_physfn(Kernel *k, Bdf vf, Bdf *ret) {
        return look_link(k, ATTR_FN(ATTR_PHYSFN, vf), ret) >= 0;
}

int look_driver(Kernel *k, Bdf fn, char driver[static NAME_MAX_LENGTH]) {
        int r;

        r = k->link(k, ATTR_FN(ATTR_DRIVER, fn), driver, NAME_MAX_LENGTH);
        if (r == -ENOENT)
                driver[0] = '\0';
        return r == -ENOENT ? 0 : MIN2(r, 0);
}

int look_is_up(Kernel *k, Bdf fn, const char *netdev) {
        char path[ATTR_PATH_MAX], text[32];
        int r;

        snprintf(path, sizeof(path), "%s/flags", ATTR_ENTRY(ATTR_NET, fn, netdev));
        r = k->read(k, path, text, sizeof(text));
        return r < 0 ? r : (strtoul(text, NULL, 0) & IFF_UP) != 0;
}

bool look_is_vfio(const char *driver) {
        return strstr(driver, "vfio") != NULL;
}

int look_iommu_group(Kernel *k, Bdf fn, int32_t *ret) {
        char name[NAME_MAX_LENGTH];
        uint32_t group;
        int r;

        r = k->link(k, ATTR_FN(ATTR_IOMMU_GROUP, fn), name, sizeof(name));
        if (r < 0)
                return r;
        r = parse_u32(name, INT32_MAX, &group);
        if (r < 0)
                return r;
        *ret = (int32_t) group;
        return 0;
}

/* Hexadecimal with "0x" or decimal, as the kernel prints it. */
static int look_number(Kernel *k, Attr a, Bdf fn, long *ret) {
        char text[32], *end;
        long n;
        int r;

        r = k->read(k, ATTR_FN(a, fn), text, sizeof(text));
        if (r < 0)
                return r;
        n = strtol(text, &end, 0);
        if (end == text || *end != '\0')
                return -EINVAL;
        *ret = n;
        return 0;
}

/* The directory above in the tree of devices is the bridge above in the tree of buses. */
static int look_parent(Kernel *k, Bdf fn, Bdf *ret) {
        char path[PATH_MAX], *slash, *above;
        int r;

        r = k->path(k, ATTR_FN(ATTR_DIRECTORY, fn), path, sizeof(path));
        if (r < 0)
                return r;
        slash = strrchr(path, '/');
        if (!slash)
                return -EINVAL;
        *slash = '\0';
        above = strrchr(path, '/');
        if (bdf_parse(above ? above + 1 : path, ret) < 0)
                *ret = BDF_NONE;
        return 0;
}

/* Names with blanks between, sorted. NULL: none. */
static int look_netdevs(Kernel *k, Bdf fn, char **ret) {
        _cleanup_strv_ char **names = NULL;
        size_t size = 1;
        char *p;

        *ret = NULL;
        if (k->list(k, ATTR_FN(ATTR_NET, fn), &names) < 0 || strv_length(names) == 0)
                return 0;
        strv_sort(names);
        STRV_FOREACH (name, names)
                size += strlen(*name) + 1;
        p = *ret = malloc(size);
        if (!p)
                return -ENOMEM;
        STRV_FOREACH (name, names)
                p = stpcpy(stpcpy(p, p == *ret ? "" : " "), *name);
        return 0;
}

/* While the gate holds the file for a job, it is for nobody else to open. */
static void look_autoprobe(Kernel *k, Fn *fn) {
        long n;
        int r = look_number(k, ATTR_AUTOPROBE, fn->bdf, &n);

        if (r == -EDEADLK)
                fn->flags |= FN_AUTOPROBE_UNSEEN;
        else if (r >= 0 && n != 0)
                fn->flags |= FN_AUTOPROBE;
}

/* What makes it a PF, a VF or a bridge. */
static void look_kind(Kernel *k, Fn *fn) {
        long n;

        if (fn->class >> 8 == 0x0604)
                fn->flags |= FN_BRIDGE;
        if (look_physfn(k, fn->bdf, &fn->pf) > 0)
                fn->flags |= FN_VF;
        else if (look_number(k, ATTR_TOTALVFS, fn->bdf, &n) >= 0) {
                fn->flags |= FN_PF;
                fn->total_vfs = (uint16_t) n;
                look_autoprobe(k, fn);
        }
        if (look_exists(k, ATTR_FN(ATTR_RESET, fn->bdf)))
                fn->flags |= FN_RESET;
}

int look_fn(Kernel *k, Bdf bdf, Fn *ret) {
        Fn fn = { .bdf = bdf, .pf = BDF_NONE, .numa_node = -1, .iommu_group = -1 };
        long class, vendor, device, node;
        int r;

        r = k->identity(k, ATTR_FN(ATTR_DIRECTORY, bdf), &fn.identity);
        if (r < 0)
                return r;
        r = look_parent(k, bdf, &fn.parent);
        if (r < 0)
                return r;
        /* These are in every function's directory: without one it is going away. */
        if (look_number(k, ATTR_CLASS, bdf, &class) < 0 ||
            look_number(k, ATTR_VENDOR, bdf, &vendor) < 0 ||
            look_number(k, ATTR_DEVICE, bdf, &device) < 0)
                return -ENODEV;
        fn.class = (uint32_t) class & 0xffffff;
        fn.vendor = (uint16_t) vendor;
        fn.device = (uint16_t) device;
        if (look_number(k, ATTR_NUMA_NODE, bdf, &node) >= 0)
                fn.numa_node = (int32_t) node;
        (void) look_iommu_group(k, bdf, &fn.iommu_group);
        /* No driver of today has a name that long. It must not pass for none, and cut it would be another's. */
        if (look_driver(k, bdf, fn.driver) < 0)
                fn.driver[0] = '?';
        look_kind(k, &fn);
        r = look_netdevs(k, bdf, &fn.netdevs);
        if (r < 0)
                return r;
        *ret = fn;
        return 0;
}
