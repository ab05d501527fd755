/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holders of a vfio group
 *
 * The kernel lets one at a time into a group, or into devices of it by their own nodes, so that an open that fails with
 * EBUSY proves a user and one that goes well proves that there is none (KERNEL.md part 1 rule 3). On a kernel without groups,
 * and where nobody's way may be barred (a QEMU that starts while the test has the group open fails), all that is left is to
 * look who has the nodes open.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/attr.h"
#include "kernel/holder.h"
#include "kernel/look.h"

static int want_group(HolderSearch *s, const char *prefix, int32_t group) {
        char path[96], number[32];
        struct stat st;
        bool has_number;

        snprintf(path, sizeof(path), "%s/vfio/%s%" PRIi32, s->roots->dev, prefix, group);
        if (stat(path, &st) < 0)
                return holder_cannot_tell(s, -errno, "%s", path);
        has_number = S_ISCHR(st.st_mode);
        if (has_number)
                snprintf(number, sizeof(number), "%u:%u", major(st.st_rdev), minor(st.st_rdev));
        return holder_want_node(s, HOLDER_VFIO, has_number ? number : NULL, "%s", path);
}

/* The devices' own nodes: without a number they are not there, and only groups are. */
static int want_devices(HolderSearch *s, Bdf member) {
        _cleanup_strv_ char **names = NULL;
        char entry[NAME_MAX_LENGTH + 8], number[32];
        int r;

        r = s->k->list(s->k, ATTR_FN(ATTR_VFIO_DEV, member), &names);
        if (r < 0)
                return holder_cannot_tell(s, r, "vfio devices of %s", BDF_STR(member));
        STRV_FOREACH (name, names) {
                snprintf(entry, sizeof(entry), "%.60s/dev", *name);
                r = s->k->read(s->k, ATTR_ENTRY(ATTR_VFIO_DEV, member, entry), number,
                               sizeof(number));
                if (r < 0)
                        r = holder_cannot_tell(s, r, "number of %.60s", *name);
                else
                        r = holder_want_node(s, HOLDER_VFIO, number, "%s/vfio/devices/%.32s",
                                             s->roots->dev, *name);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int want_all(HolderSearch *s, int32_t group) {
        Bdf fn;
        int r;

        r = want_group(s, "", group);
        if (r >= 0)
                r = want_group(s, "noiommu-", group);
        STRV_FOREACH (member, s->vfio_members) {
                if (r < 0)
                        return r;
                if (bdf_parse(*member, &fn) >= 0)
                        r = want_devices(s, fn);
        }
        return r;
}

/* Proven to be in use, and not even a node to look for. */
static int tell_unseen(HolderSearch *s, int32_t group) {
        s->vfio_busy = false;
        return holder_found(s, HOLDER_VFIO, 0,
                            "vfio group %" PRIi32 " is open, by whom cannot be told", group);
}

/* 0: nobody has the group, 1: who may have it is to be looked for. -ENOMEM. */
static int test_group(HolderSearch *s, int32_t group) {
        int r, fd;

        if (s->mode != USERS_TEST)
                return 1;
        r = s->k->open_group(s->k, group, &fd);
        if (r >= 0) {
                close_fd(fd);
                return 0;
        }
        s->vfio_busy = r == -EBUSY;
        if (r != -EBUSY)
                r = holder_cannot_tell(s, r, "vfio group %" PRIi32, group);
        return r == -ENOMEM ? r : 1;
}

int holder_vfio(HolderSearch *s) {
        int32_t group;
        int r;

        if (s->mode == USERS_TESTED)
                return 0;
        r = look_iommu_group(s->k, s->fn, &group);
        if (r < 0)
                return holder_cannot_tell(s, r, "its IOMMU group");
        r = test_group(s, group);
        if (r <= 0)
                return r;
        r = s->k->list(s->k, ATTR_FN(ATTR_IOMMU_DEVICES, s->fn), &s->vfio_members);
        if (r < 0 && r != -ENOENT) {
                r = holder_cannot_tell(s, r, "functions of IOMMU group %" PRIi32, group);
                if (r < 0)
                        return r;
        }
        r = want_all(s, group);
        if (r < 0)
                return r;
        return s->vfio_busy && s->n_nodes == 0 ? tell_unseen(s, group) : 0;
}
