/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Given
 *
 * Three places: the PF's net device (vf-link.c), its NVMe controller (nvme.c), and for interrupts a file of the VF and the VF's own
 * configuration space. What one of them cannot tell is left out, and asks for no name of a driver.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/attr.h"
#include "kernel/config.h"
#include "kernel/given.h"
#include "kernel/look.h"
#include "kernel/nvme.h"
#include "kernel/vf-link.h"

#define RENAMES 3

static int compare(const void *a, const void *b) {
        const uint32_t *x = a, *y = b;

        return *x < *y ? -1 : *x > *y;
}

static int read_index(Kernel *k, Bdf fn, const char *name, uint32_t *ret) {
        char path[ATTR_PATH_MAX], text[16];
        int r;

        snprintf(path, sizeof(path), "%s/ifindex", ATTR_ENTRY(ATTR_NET, fn, name));
        r = k->read(k, path, text, sizeof(text));
        return r < 0 ? r : parse_u32(text, UINT32_MAX, ret);
}

static int read_links(Kernel *k, Bdf fn, uint32_t **ret, size_t *ret_n) {
        _cleanup_strv_ char **names = NULL;
        _cleanup_free_ uint32_t *all = NULL;
        size_t n = 0;
        int r;

        r = k->list(k, ATTR_FN(ATTR_NET, fn), &names);
        if (r < 0)
                return r == -ENOENT ? -ENODEV : r;
        all = calloc(strv_length(names) + 1, sizeof(*all));
        if (!all)
                return -ENOMEM;
        STRV_FOREACH (name, names) {
                r = read_index(k, fn, *name, all + n++);
                if (r < 0)
                        return r;
        }
        if (n == 0)
                return -ENODEV;
        qsort(all, n, sizeof(*all), compare);
        *ret = TAKE_PTR(all);
        *ret_n = n;
        return 0;
}

int given_links(Kernel *k, Bdf fn, uint32_t **ret, size_t *ret_n) {
        int r = -ENOENT;

        for (unsigned i = 0; i < RENAMES && r == -ENOENT; i++)
                r = read_links(k, fn, ret, ret_n);
        return r;
}

/* What is missing is nothing that went wrong. */
static int or_untold(int r) {
        return r == -EOPNOTSUPP || r == -ENODEV || r == -ENOENT || r == -ENOTTY ? 0 : r;
}

/*
 * With an eswitch in switchdev mode the PF's own net device stands beside those that represent its VFs, which know of no VFs of
 * theirs: the first that tells is the PF's.
 */
static int add_link_attrs(Kernel *k, Bdf pf, uint32_t first, uint32_t n, VfAttrs *ret) {
        _cleanup_free_ uint32_t *links = NULL;
        size_t n_links = 0;
        int r;

        r = given_links(k, pf, &links, &n_links);
        for (size_t i = 0; i < n_links; i++) {
                r = or_untold(link_vf_attrs(links[i], first, n, ret));
                if (r != 0)
                        break;
        }
        return or_untold(MIN2(r, 0));
}

/*
 * Only where the PF's driver shares vectors out does anybody choose their number. It shows as the size of the table in the VF's
 * capability: Documentation/ABI/testing/sysfs-bus-pci, sriov_vf_msix_count.
 */
static int add_msix(Kernel *k, Bdf pf, uint32_t first, uint32_t n, VfAttrs *ret) {
        char text[16];
        uint32_t count;
        Bdf vf;
        int r;

        /* The PF's lock is not worth taking for VFs that are not there. */
        if (n == 0 || look_vf(k, pf, first, &vf) < 0)
                return 0;
        r = k->read(k, ATTR_FN(ATTR_TOTAL_MSIX, pf), text, sizeof(text));
        if (r < 0 || streq(text, "0"))
                return or_untold(MIN2(r, 0));
        for (uint32_t i = 0; i < n; i++) {
                if (look_vf(k, pf, first + i, &vf) < 0)
                        continue;
                r = config_msix(k, vf, &count);
                if (r < 0) {
                        if (or_untold(r) < 0)
                                return r;
                        continue;
                }
                ret[i].has |= 1u << VFKEY_MSIX;
                ret[i].value[VFKEY_MSIX] = count;
        }
        return 0;
}

static int add_queues(Kernel *k, const char *dev, Bdf pf, uint32_t first, uint32_t n,
                      VfAttrs *ret) {
        NvmeAdmin a = { .fd = -EBADF };
        int r;

        r = nvme_open(k, dev, pf, &a);
        if (r >= 0)
                r = nvme_vf_attrs(&a, first, n, ret);
        close_fd(a.fd);
        return or_untold(r);
}

int given_attrs(Kernel *k, const char *dev, Bdf pf, uint32_t first, uint32_t n, VfAttrs *ret) {
        _cleanup_free_ VfAttrs *all = calloc((size_t) n + 1, sizeof(VfAttrs));
        int r;

        if (!all)
                return -ENOMEM;
        r = add_link_attrs(k, pf, first, n, all);
        if (r >= 0)
                r = add_msix(k, pf, first, n, all);
        if (r >= 0)
                r = add_queues(k, dev, pf, first, n, all);
        if (r >= 0)
                memcpy(ret, all, n * sizeof(VfAttrs));
        return r;
}

/* One that cannot says so before it has changed anything. */
static int set_link(Kernel *k, Bdf pf, uint32_t index, VfAttr attr, const VfAttrs *attrs) {
        _cleanup_free_ uint32_t *links = NULL;
        size_t n = 0;
        int r;

        r = given_links(k, pf, &links, &n);
        if (r < 0)
                return r == -ENODEV ? -EOPNOTSUPP : r;
        r = -EOPNOTSUPP;
        for (size_t i = 0; i < n && r == -EOPNOTSUPP; i++)
                r = link_vf_set(links[i], index, attr, attrs);
        return r;
}

/*
 * The writer is in a file of the VF and waits for its PF's lock, so that it must never meet sriov_numvfs = 0, which has that lock
 * and waits for the file (KERNEL.md part 1, hazard 3). Kernels before 5.14 have no such file.
 */
static int set_msix(Kernel *k, Bdf pf, uint32_t index, const VfAttrs *attrs) {
        char text[16];
        Bdf vf;
        int r;

        r = look_vf(k, pf, index, &vf);
        if (r < 0)
                return r;
        if (!look_exists(k, ATTR_FN(ATTR_MSIX_COUNT, vf)))
                return -EOPNOTSUPP;
        snprintf(text, sizeof(text), "%" PRIu64, attrs->value[VFKEY_MSIX]);
        return k->write(k, ATTR_FN(ATTR_MSIX_COUNT, vf), text);
}

static int set_queues(Kernel *k, const char *dev, Bdf pf, uint32_t index, const VfAttrs *attrs) {
        NvmeAdmin a = { .fd = -EBADF };
        int r;

        r = nvme_open(k, dev, pf, &a);
        if (r >= 0)
                r = nvme_vf_set(&a, index, attrs);
        close_fd(a.fd);
        return r;
}

int given_set(Kernel *k, const char *dev, Bdf pf, uint32_t index, VfAttr attr,
              const VfAttrs *attrs) {
        if (attr == VFATTR_MSIX)
                return set_msix(k, pf, index, attrs);
        if (attr == VFATTR_QUEUES)
                return set_queues(k, dev, pf, index, attrs);
        return set_link(k, pf, index, attr, attrs);
}

int given_up(Kernel *k, Bdf pf) {
        _cleanup_free_ uint32_t *links = NULL;
        size_t n = 0;
        int r;

        r = given_links(k, pf, &links, &n);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = link_up(links[i]);
        return r;
}
