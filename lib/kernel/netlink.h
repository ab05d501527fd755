/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Netlink: one question on a socket of its own, and what an answer is made of
 *
 * Whatever is asked here may wait for RTNL or for a device's devlink lock, which drivers hold for seconds: children only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libmnl/libmnl.h>

/* Room for a request that names one attribute of one VF. */
typedef union NetlinkRequest {
        struct nlmsghdr header;
        char room[256];
} NetlinkRequest;

void netlink_closep(struct mnl_socket **s);

/* bus: NETLINK_ROUTE or NETLINK_GENERIC. Requests are checked to the letter by the kernel (NETLINK_GET_STRICT_CHK). 0, -errno. */
int netlink_open(int bus, struct mnl_socket **ret);

/* The request begins with `header` behind its own; flags come on top of NLM_F_REQUEST. Returns &buf->header. */
struct nlmsghdr *netlink_begin(NetlinkRequest *buf, uint16_t type, uint16_t flags,
                               const void *header, size_t size);

/*
 * Sends it and tells each answer to `each` (NULL: of none) until the kernel says that it is done: by NLMSG_DONE of a dump, by
 * its acknowledgement where NLM_F_ACK asks for one, or by MNL_CB_STOP of `each`. 0, or the kernel's -errno; -EINTR: a dump that
 * changed while it was told.
 */
int netlink_ask(struct mnl_socket *s, const struct nlmsghdr *request, mnl_cb_t each, void *arg);

/* The attribute behind a header of that size, or within a nest; NULL: there is none. */
const struct nlattr *netlink_find(const struct nlmsghdr *m, size_t header, uint16_t type);
const struct nlattr *netlink_find_nested(const struct nlattr *nest, uint16_t type);
/* "" where it is missing or no text. */
const char *netlink_text(const struct nlattr *a);
bool netlink_u32(const struct nlattr *a, uint32_t *ret);
bool netlink_u16(const struct nlattr *a, uint16_t *ret);
/* A message of that type with at least so large a header. */
bool netlink_is(const struct nlmsghdr *m, uint16_t type, size_t header);
