/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VfLink: what the VFs of a PF have, as its net device tells it, and one attribute of one VF set through it
 *
 * rtnetlink's IFLA_VFINFO_LIST, always by the number of the net device. All of it waits for RTNL: children only.
 */
#pragma once

#include "core/vfattr.h"
#include "kernel/netlink.h"

/*
 * Asks for what the VFs have, from index first on, n of them; adds to ret what was told. 1: it told of VFs; 0: it did not,
 * for it knows of none; -ENODEV: no such net device, ...
 */
int link_vf_attrs(uint32_t ifindex, uint32_t first, uint32_t n, VfAttrs *ret);
/* The kernel's -errno; -EOPNOTSUPP: not by this device, or not through a net device at all. */
int link_vf_set(uint32_t ifindex, uint32_t index, VfAttr attr, const VfAttrs *attrs);
/* Brings the net device up. */
int link_up(uint32_t ifindex);

/* Single messages. */
struct nlmsghdr *link_put_vf(NetlinkRequest *buf, uint32_t ifindex, uint32_t index, VfAttr attr,
                             const VfAttrs *attrs); /* NULL: not an attribute of links */
struct nlmsghdr *link_put_get(NetlinkRequest *buf, uint32_t ifindex, uint32_t ext_mask);
bool link_parse_vfs(const struct nlmsghdr *m, uint32_t first, uint32_t n, VfAttrs *ret);
