/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A folder that looks like /sys, for the tests of sysfs.c and scan.c
 *
 * As in the real one, devices are folders below devices/ by the tree of buses, and bus/pci/devices has links to them.
 */
#pragma once

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sys/stat.h>

#include "kernel/sysfs.h"

#include "tests/unit/test.h"

typedef struct Tree {
        char root[64]; /* /sys and all other roots are this one folder: their names do not meet */
        char proc[80], dev[80], cni[80], udev[80];
        Kernel *k;
} Tree;

#define ROOT_BUS "devices/pci0000:00"
#define PORT_DIR ROOT_BUS "/0000:00:01.0"
#define PF_DIR PORT_DIR "/0000:01:00.0"
#define VF_DIR(dev) PORT_DIR "/0000:01:" dev

static inline void _printf_(2, 3) tree_dir(const Tree *t, const char *format, ...) {
        char path[PATH_MAX], rest[1024];
        va_list ap;

        va_start(ap, format);
        vsnprintf(rest, sizeof(rest), format, ap);
        va_end(ap);
        for (char *p = rest;; *p++ = '/') {
                p = strchrnul(p, '/');
                bool last = *p == '\0';

                *p = '\0';
                snprintf(path, sizeof(path), "%s/%s", t->root, rest);
                if (mkdir(path, 0755) < 0)
                        assert_int_equal(errno, EEXIST);
                if (last)
                        return;
        }
}

static inline void tree_file(const Tree *t, const char *directory, const char *name,
                             const char *value) {
        char path[PATH_MAX];
        int fd;

        tree_dir(t, "%s", directory);
        snprintf(path, sizeof(path), "%s/%s/%s", t->root, directory, name);
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, value, strlen(value)), strlen(value));
        close(fd);
}

/* Links of sysfs are relative; "to" is from the root. */
static inline void tree_link(const Tree *t, const char *directory, const char *name,
                             const char *to) {
        char path[PATH_MAX], target[PATH_MAX] = "../";

        tree_dir(t, "%s", directory);
        for (const char *p = directory; *p; p++)
                if (*p == '/')
                        strcat(target, "../");
        strcat(target, to);
        snprintf(path, sizeof(path), "%s/%s/%s", t->root, directory, name);
        assert_int_equal(symlink(target, path), 0);
}

static inline int tree_drop_one(const char *path, const struct stat *st, int type,
                                struct FTW *ftw) {
        (void) st;
        (void) type;
        (void) ftw;
        return remove(path);
}

/* With all that is below it. */
static inline void tree_drop(const Tree *t, const char *path) {
        char whole[PATH_MAX];

        snprintf(whole, sizeof(whole), "%s/%s", t->root, path);
        assert_int_equal(nftw(whole, tree_drop_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static inline void tree_function(const Tree *t, const char *path, const char *class,
                                 const char *vendor, const char *device) {
        tree_file(t, path, "class", class);
        tree_file(t, path, "vendor", vendor);
        tree_file(t, path, "device", device);
        tree_file(t, path, "numa_node", "-1\n");
        tree_link(t, "bus/pci/devices", strrchr(path, '/') + 1, path);
}

static inline void tree_bind(const Tree *t, const char *path, const char *driver) {
        char directory[256];

        snprintf(directory, sizeof(directory), "bus/pci/drivers/%s", driver);
        tree_dir(t, "%s", directory);
        tree_link(t, path, "driver", directory);
        tree_link(t, directory, strrchr(path, '/') + 1, path);
}

static inline void tree_vf(const Tree *t, const char *pf, const char *vf, const char *virtfn) {
        tree_function(t, vf, "0x020000\n", "0x8086\n", "0x10ca\n");
        tree_link(t, vf, "physfn", pf);
        tree_link(t, pf, virtfn, vf);
}

/* A port with an igb below it that has two VFs. */
static inline void tree_init(Tree *t) {
        strcpy(t->root, "/tmp/sriovd-tree-XXXXXX");
        assert_non_null(mkdtemp(t->root));
        tree_function(t, PORT_DIR, "0x060400\n", "0x1b36\n", "0x000c\n");
        tree_bind(t, PORT_DIR, "pcieport");
        tree_function(t, PF_DIR, "0x020000\n", "0x8086\n", "0x10c9\n");
        tree_bind(t, PF_DIR, "igb");
        tree_file(t, PF_DIR, "sriov_totalvfs", "7\n");
        tree_file(t, PF_DIR, "sriov_drivers_autoprobe", "1\n");
        tree_file(t, PF_DIR, "reset", "");
        tree_dir(t, PF_DIR "/net/enp1s0f0");
        tree_dir(t, "kernel/iommu_groups/12");
        tree_link(t, PF_DIR, "iommu_group", "kernel/iommu_groups/12");
        tree_vf(t, PF_DIR, VF_DIR("10.0"), "virtfn0");
        tree_vf(t, PF_DIR, VF_DIR("10.2"), "virtfn1");
        tree_file(t, "bus/pci/slots/1", "address", "0000:01:00\n");
        tree_dir(t, "bus/pci_express/drivers/pciehp");
        tree_file(t, "bus/pci_express/drivers/pciehp", "bind", "");
        tree_dir(t, PORT_DIR "/0000:00:01.0:pcie004");
        tree_link(t, "bus/pci_express/drivers/pciehp", "0000:00:01.0:pcie004",
                  PORT_DIR "/0000:00:01.0:pcie004");
        snprintf(t->proc, sizeof(t->proc), "%s/proc", t->root);
        snprintf(t->dev, sizeof(t->dev), "%s/dev", t->root);
        snprintf(t->cni, sizeof(t->cni), "%s/cni", t->root);
        tree_dir(t, "proc");
        tree_dir(t, "dev");
        snprintf(t->udev, sizeof(t->udev), "%s/udev", t->root);
        t->k = sysfs_open(&(Roots){ t->root, t->dev, t->proc, t->cni, t->udev });
        assert_non_null(t->k);
}

static inline void tree_done(Tree *t) {
        t->k->free(t->k);
        tree_drop(t, "");
}
