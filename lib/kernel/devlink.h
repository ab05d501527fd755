/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devlink: the eswitch mode of a PF
 *
 * By generic netlink. A change of mode unloads and loads half of a driver and waits for RTNL in it: children only.
 */
#pragma once

#include "core/bdf.h"
#include "core/op.h"
#include "kernel/netlink.h"

/* ESWITCH_KEEP: a mode that this program does not know. -EOPNOTSUPP: the device has no devlink, or no such mode. */
int devlink_eswitch_get(Bdf pf, Eswitch *ret);
int devlink_eswitch_set(Bdf pf, Eswitch mode);

/* Single messages; family is the number that the kernel gave "devlink". */
struct nlmsghdr *devlink_put_family(NetlinkRequest *buf);
struct nlmsghdr *devlink_put_get(NetlinkRequest *buf, uint16_t family, Bdf pf);
struct nlmsghdr *devlink_put_set(NetlinkRequest *buf, uint16_t family, Bdf pf, Eswitch mode);
bool devlink_parse_family(const struct nlmsghdr *m, uint16_t *ret);
bool devlink_parse_mode(const struct nlmsghdr *m, uint16_t family, Eswitch *ret);
