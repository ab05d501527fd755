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
int rtnl_links(int netns, NetLinks *ret);

/* Single messages. True: this one counts, and buf says what it is. */
bool rtnl_parse_address(const struct nlmsghdr *m, uint32_t ifindex, char *buf, size_t size);
bool rtnl_parse_route(const struct nlmsghdr *m, char *buf, size_t size);
/*
 * True: it is a link. ret->lower is what it is made of, 0 if that is in its own namespace; otherwise *ret_nsid is the number
 * by which its namespace knows that other one.
 */
bool rtnl_parse_link(const struct nlmsghdr *m, NetLink *ret, uint32_t *ret_nsid);
