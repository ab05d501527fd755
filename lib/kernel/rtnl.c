/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rtnl
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/netlink.h"
#include "kernel/rtnl.h"

/* A list that changed while it was told (NLM_F_DUMP_INTR) is asked for again so often. */
#define TRIES 5

/* A child that could not come back from another namespace would ask the wrong one: it asks nobody any more. */
static bool lost;

static int open_rtnl(struct mnl_socket **ret) {
        return lost ? -ESTALE : netlink_open(NETLINK_ROUTE, ret);
}

static bool format_ip(int family, const struct nlattr *a, char *buf, size_t size) {
        size_t length = family == AF_INET ? 4 : 16;

        return (family == AF_INET || family == AF_INET6) && mnl_attr_get_payload_len(a) >= length &&
               inet_ntop(family, mnl_attr_get_payload(a), buf, (socklen_t) size);
}

/* fe80::/10 comes by itself to each interface that is up; ff00::/8 with what listens to neighbours. */
static bool is_automatic(int family, const struct nlattr *a) {
        const uint8_t *ip = mnl_attr_get_payload(a);

        return family == AF_INET6 && mnl_attr_get_payload_len(a) >= 16 &&
               ((ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80) || ip[0] == 0xff);
}

bool rtnl_parse_address(const struct nlmsghdr *m, uint32_t ifindex, char *buf, size_t size) {
        const struct ifaddrmsg *header = mnl_nlmsg_get_payload(m);
        char ip[INET6_ADDRSTRLEN];
        const struct nlattr *a;

        if (!netlink_is(m, RTM_NEWADDR, sizeof(*header)) || header->ifa_index != ifindex)
                return false;
        a = netlink_find(m, sizeof(*header), IFA_LOCAL);
        if (!a)
                a = netlink_find(m, sizeof(*header), IFA_ADDRESS);
        if (!a || is_automatic(header->ifa_family, a) ||
            !format_ip(header->ifa_family, a, ip, sizeof(ip)))
                return false;
        snprintf(buf, size, "%s/%u", ip, header->ifa_prefixlen);
        return true;
}

bool rtnl_parse_route(const struct nlmsghdr *m, char *buf, size_t size) {
        const struct rtmsg *header = mnl_nlmsg_get_payload(m);
        const struct nlattr *a;
        char ip[INET6_ADDRSTRLEN];

        if (!netlink_is(m, RTM_NEWROUTE, sizeof(*header)))
                return false;
        /* What an address brings with it is not a use of its own. */
        if (header->rtm_type != RTN_UNICAST || header->rtm_protocol == RTPROT_KERNEL ||
            header->rtm_flags & RTM_F_CLONED)
                return false;
        a = netlink_find(m, sizeof(*header), RTA_DST);
        if (!a) {
                snprintf(buf, size, "default");
                return true;
        }
        if (is_automatic(header->rtm_family, a) ||
            !format_ip(header->rtm_family, a, ip, sizeof(ip)))
                return false;
        snprintf(buf, size, "%s/%u", ip, header->rtm_dst_len);
        return true;
}

bool rtnl_parse_link(const struct nlmsghdr *m, NetLink *ret, uint32_t *ret_nsid) {
        const struct ifinfomsg *header = mnl_nlmsg_get_payload(m);
        NetLink link = {};
        uint32_t lower;

        if (!netlink_is(m, RTM_NEWLINK, sizeof(*header)))
                return false;
        lower = (uint32_t) header->ifi_index;
        snprintf(link.name, sizeof(link.name), "%s",
                 netlink_text(netlink_find(m, sizeof(*header), IFLA_IFNAME)));
        snprintf(link.parent, sizeof(link.parent), "%s",
                 netlink_text(netlink_find(m, sizeof(*header), IFLA_PARENT_DEV_NAME)));
        /* Before 4.20 one that has the number of what it is made of kept that to itself. */
        (void) netlink_u32(netlink_find(m, sizeof(*header), IFLA_LINK), &lower);
        if (netlink_u32(netlink_find(m, sizeof(*header), IFLA_LINK_NETNSID), ret_nsid))
                link.lower = lower;
        link.untold = link.parent[0] == '\0' && !(header->ifi_flags & IFF_LOOPBACK) &&
                      !netlink_find_nested(netlink_find(m, sizeof(*header), IFLA_LINKINFO),
                                           IFLA_INFO_KIND);
        *ret = link;
        return true;
}

typedef struct Count {
        uint32_t ifindex;
        unsigned char family;
        NetUse use;
} Count;

static void count(NetUse *use, const char *text) {
        if (use->n++ == 0)
                snprintf(use->first, sizeof(use->first), "%s", text);
}

static int count_address(const struct nlmsghdr *m, void *arg) {
        char text[INET6_ADDRSTRLEN + 8];
        Count *c = arg;

        if (rtnl_parse_address(m, c->ifindex, text, sizeof(text)))
                count(&c->use, text);
        return MNL_CB_OK;
}

static int count_route(const struct nlmsghdr *m, void *arg) {
        char text[INET6_ADDRSTRLEN + 8];
        Count *c = arg;

        /* One without a handler for the family tells those of all. */
        if (rtnl_parse_route(m, text, sizeof(text)) &&
            ((const struct rtmsg *) mnl_nlmsg_get_payload(m))->rtm_family == c->family)
                count(&c->use, text);
        return MNL_CB_OK;
}

static int ask(const struct nlmsghdr *request, mnl_cb_t each, Count *c) {
        int r = -EINTR;

        for (unsigned i = 0; i < TRIES && r == -EINTR; i++) {
                _cleanup_(netlink_closep) struct mnl_socket *s = NULL;

                c->use = (NetUse){};
                r = open_rtnl(&s);
                if (r >= 0)
                        r = netlink_ask(s, request, each, c);
        }
        return r;
}

int rtnl_addresses(uint32_t ifindex, NetUse *ret) {
        NetlinkRequest buf = {};
        struct nlmsghdr *m = netlink_begin(&buf, RTM_GETADDR, NLM_F_DUMP,
                                           &(struct ifaddrmsg){ .ifa_index = ifindex },
                                           sizeof(struct ifaddrmsg));
        Count c = { .ifindex = ifindex };
        int r;

        r = ask(m, count_address, &c);
        if (r >= 0)
                *ret = c.use;
        return r;
}

int rtnl_routes(uint32_t ifindex, NetUse *ret) {
        static const unsigned char families[] = { AF_INET, AF_INET6 };
        NetUse use = {};

        for (size_t i = 0; i < ELEMENTSOF(families); i++) {
                NetlinkRequest buf = {};
                struct nlmsghdr *m = netlink_begin(&buf, RTM_GETROUTE, NLM_F_DUMP,
                                                   &(struct rtmsg){ .rtm_family = families[i] },
                                                   sizeof(struct rtmsg));
                Count c = { .family = families[i] };
                int r;

                mnl_attr_put_u32(m, RTA_OIF, ifindex);
                r = ask(m, count_route, &c);
                /* A kernel without IPv6. */
                if (r == -EOPNOTSUPP || r == -EAFNOSUPPORT)
                        continue;
                if (r < 0)
                        return r;
                if (use.n == 0)
                        memcpy(use.first, c.use.first, sizeof(use.first));
                use.n += c.use.n;
        }
        *ret = use;
        return 0;
}

/* A socket belongs to the namespace in which it was made. */
static int open_inside(int netns, struct mnl_socket **ret) {
        _cleanup_close_ int own = -EBADF;
        int r;

        if (netns < 0)
                return open_rtnl(ret);
        own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        if (own < 0 || setns(netns, CLONE_NEWNET) < 0)
                return -errno;
        r = open_rtnl(ret);
        if (setns(own, CLONE_NEWNET) < 0) {
                lost = true;
                return -ESTALE;
        }
        return r;
}

/* Links of one namespace; beside each the number by which its namespace knows that of what it is made of. */
typedef struct Gather {
        NetLinks links;
        uint32_t *nsids;
} Gather;

static void gather_done(Gather *g) {
        free(g->links.items);
        free(g->nsids);
}

static int gather_link(const struct nlmsghdr *m, void *arg) {
        Gather *g = arg;
        uint32_t nsid = UINT32_MAX, *more;
        NetLink link;

        if (!rtnl_parse_link(m, &link, &nsid))
                return MNL_CB_OK;
        more = reallocarray(g->nsids, g->links.n + 1, sizeof(uint32_t));
        if (more)
                g->nsids = more;
        if (!more || net_links_add(&g->links, &link) < 0) {
                errno = ENOMEM;
                return MNL_CB_ERROR;
        }
        g->nsids[g->links.n - 1] = nsid;
        return MNL_CB_OK;
}

static int gather_links(struct mnl_socket *s, Gather *g) {
        NetlinkRequest buf = {};
        struct nlmsghdr *m = netlink_begin(&buf, RTM_GETLINK, NLM_F_DUMP, &(struct ifinfomsg){},
                                           sizeof(struct ifinfomsg));

        mnl_attr_put_u32(m, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
        return netlink_ask(s, m, gather_link, g);
}

static int take_nsid(const struct nlmsghdr *m, void *arg) {
        if (m->nlmsg_type == RTM_NEWNSID)
                (void) netlink_u32(netlink_find(m, sizeof(struct rtgenmsg), NETNSA_NSID), arg);
        return MNL_CB_STOP;
}

/* Our own namespace's number in that of the socket. The kernel gave it one when it told of a link that is made of one of ours. */
static int own_nsid(struct mnl_socket *s, uint32_t *ret) {
        _cleanup_close_ int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        NetlinkRequest buf = {};
        struct nlmsghdr *m =
                netlink_begin(&buf, RTM_GETNSID, 0, &(struct rtgenmsg){}, sizeof(struct rtgenmsg));

        if (own < 0)
                return -errno;
        mnl_attr_put_u32(m, NETNSA_FD, (uint32_t) own);
        *ret = UINT32_MAX;
        return netlink_ask(s, m, take_nsid, ret);
}

static bool has_lower(const NetLinks *links) {
        for (size_t i = 0; i < links->n; i++)
                if (links->items[i].lower != 0)
                        return true;
        return false;
}

static int ask_links(int netns, Gather *g) {
        _cleanup_(netlink_closep) struct mnl_socket *s = NULL;
        uint32_t own = UINT32_MAX;
        int r;

        r = open_inside(netns, &s);
        if (r >= 0)
                r = gather_links(s, g);
        if (r >= 0 && has_lower(&g->links))
                r = own_nsid(s, &own);
        for (size_t i = 0; r >= 0 && i < g->links.n; i++)
                if (own == UINT32_MAX || g->nsids[i] != own)
                        g->links.items[i].lower = 0;
        return r;
}

int rtnl_links(int netns, NetLinks *ret) {
        int r = -EINTR;

        for (unsigned i = 0; i < TRIES && r == -EINTR; i++) {
                _cleanup_(gather_done) Gather g = {};

                r = ask_links(netns, &g);
                for (size_t j = 0; r >= 0 && j < g.links.n; j++)
                        r = net_links_add(ret, g.links.items + j);
        }
        return r;
}
