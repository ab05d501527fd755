/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Given: what a PF's VFs have, and one attribute more, wherever in the kernel each of them is kept
 *
 * Behind the seam's vf_attrs(), vf_set() and up(): kernel.h has the words. dev is where nodes are, "/dev".
 */
#pragma once

#include "core/vfattr.h"
#include "kernel/kernel.h"

int given_attrs(Kernel *k, const char *dev, Bdf pf, uint32_t first, uint32_t n, VfAttrs *ret);
int given_set(Kernel *k, const char *dev, Bdf pf, uint32_t index, VfAttr attr,
              const VfAttrs *attrs);
int given_up(Kernel *k, Bdf pf);

/*
 * The numbers of a function's net devices in our namespace, sorted. A net device that is renamed while we look is looked for
 * again. 0 and *ret, the caller's; -ENODEV: it has none.
 */
int given_links(Kernel *k, Bdf fn, uint32_t **ret, size_t *ret_n);
