/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nvme: secondary controllers, which is what an NVMe PF's VFs are
 *
 * Each is offline, so that no driver can take it, until its PF's controller has given it queues and interrupts and has brought it
 * online: NVM Express Base Specification, "Virtualization Enhancements". Commands wait for the controller: children only.
 */
#pragma once

#include <linux/nvme_ioctl.h>

#include "core/vfattr.h"
#include "kernel/kernel.h"

/* Sends a command to the PF's controller: 0, a status of NVMe (> 0), -errno. */
typedef struct NvmeAdmin {
        int (*send)(struct NvmeAdmin *a, struct nvme_admin_cmd *command);
        int fd; /* of the controller's node */
} NvmeAdmin;

/* dev is where nodes are, "/dev". -EOPNOTSUPP: the PF has no NVMe controller. The caller closes ret->fd. */
int nvme_open(Kernel *k, const char *dev, Bdf pf, NvmeAdmin *ret);

/*
 * Queues and interrupts of VFs, from index first on, n of them; one that is offline has 0 of both.
 * -EOPNOTSUPP: this controller has no secondary ones that can be given anything.
 */
int nvme_vf_attrs(NvmeAdmin *a, uint32_t first, uint32_t n, VfAttrs *ret);

/*
 * Takes that VF offline, gives it what attrs says and brings it online. -EBUSY: not in the state that it is in; -ERANGE: so many
 * are not there to give; -ENOENT: there is no such secondary controller. On failure one that was
 * online has what it had, as far as the controller lets it; another is left offline.
 */
int nvme_vf_set(NvmeAdmin *a, uint32_t index, const VfAttrs *attrs);
