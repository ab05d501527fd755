/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rtnl: what rtnetlink tells of one net device
 *
 * Questions open a socket of their own and ask for no more than they want (NETLINK_GET_STRICT_CHK), so that a router with
 * a million routes does not have to tell them all. They wait for RTNL, which drivers hold for seconds: children only.
 */
#pragma once

#include <linux/netlink.h>

#include "kernel/holder.h"

/* HolderAsks has the words. */
int rtnl_addresses(uint32_t ifindex, NetUse *ret);
int rtnl_routes(uint32_t ifindex, NetUse *ret);
int rtnl_find_link(int netns, char *const *parents, char ret[static IF_NAMESIZE]);

/* Single messages. True: this one counts, and buf says what it is. */
bool rtnl_parse_address(const struct nlmsghdr *m, uint32_t ifindex, char *buf, size_t size);
bool rtnl_parse_route(const struct nlmsghdr *m, char *buf, size_t size);
/* True: the device that this net device belongs to has one of the names. */
bool rtnl_parse_link(const struct nlmsghdr *m, char *const *parents, char ret[static IF_NAMESIZE]);
