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
#include <linux/rtnetlink.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/rtnl.h"

/* The kernel makes its messages as large as the buffers that it has seen, up to this. */
#define BUFFER_SIZE 32768
/* A list that changed while it was told (NLM_F_DUMP_INTR) is asked for again so often. */
#define TRIES 5

static void closep_mnl(struct mnl_socket **s) {
        if (*s)
                mnl_socket_close(*s);
}

/* A child that could not come back from another namespace would ask the wrong one: it asks nobody any more. */
static bool lost;

static int open_rtnl(struct mnl_socket **ret) {
        _cleanup_(closep_mnl) struct mnl_socket *s = NULL;
        int on = 1;

        if (lost)
                return -ESTALE;
        s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
        if (!s || mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0 ||
            mnl_socket_setsockopt(s, NETLINK_GET_STRICT_CHK, &on, sizeof(on)) < 0)
                return -errno;
        *ret = TAKE_PTR(s);
        return 0;
}

static int dump_once(struct mnl_socket *s, const struct nlmsghdr *request, mnl_cb_t each,
                     void *arg) {
        _cleanup_free_ char *buf = malloc(BUFFER_SIZE);
        ssize_t n;
        int r;

        if (!buf)
                return -ENOMEM;
        if (mnl_socket_sendto(s, request, request->nlmsg_len) < 0)
                return -errno;
        do {
                n = mnl_socket_recvfrom(s, buf, BUFFER_SIZE);
                if (n < 0)
                        return -errno;
                r = mnl_cb_run(buf, (size_t) n, request->nlmsg_seq, mnl_socket_get_portid(s), each,
                               arg);
                if (r < 0)
                        return -errno;
        } while (r > MNL_CB_STOP);
        return 0;
}

typedef union Request {
        struct nlmsghdr header;
        char room[128];
} Request;

/* The payload begins with `header`. */
static struct nlmsghdr *begin(Request *buf, uint16_t type, const void *header, size_t size) {
        struct nlmsghdr *m = mnl_nlmsg_put_header(buf);

        m->nlmsg_type = type;
        m->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
        m->nlmsg_seq = 1;
        memcpy(mnl_nlmsg_put_extra_header(m, size), header, size);
        return m;
}

static const struct nlattr *find_attribute(const struct nlmsghdr *m, size_t header, uint16_t type) {
        const struct nlattr *a;

        mnl_attr_for_each(a, m, header) {
                if (mnl_attr_get_type(a) == type)
                        return a;
        }
        return NULL;
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

static bool has_header(const struct nlmsghdr *m, uint16_t type, size_t size) {
        return m->nlmsg_type == type && mnl_nlmsg_get_payload_len(m) >= size;
}

bool rtnl_parse_address(const struct nlmsghdr *m, uint32_t ifindex, char *buf, size_t size) {
        const struct ifaddrmsg *header = mnl_nlmsg_get_payload(m);
        char ip[INET6_ADDRSTRLEN];
        const struct nlattr *a;

        if (!has_header(m, RTM_NEWADDR, sizeof(*header)) || header->ifa_index != ifindex)
                return false;
        a = find_attribute(m, sizeof(*header), IFA_LOCAL);
        if (!a)
                a = find_attribute(m, sizeof(*header), IFA_ADDRESS);
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

        if (!has_header(m, RTM_NEWROUTE, sizeof(*header)))
                return false;
        /* What an address brings with it is not a use of its own. */
        if (header->rtm_type != RTN_UNICAST || header->rtm_protocol == RTPROT_KERNEL ||
            header->rtm_flags & RTM_F_CLONED)
                return false;
        a = find_attribute(m, sizeof(*header), RTA_DST);
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

bool rtnl_parse_link(const struct nlmsghdr *m, char *const *parents, char ret[static IF_NAMESIZE]) {
        const struct nlattr *parent, *name;

        if (!has_header(m, RTM_NEWLINK, sizeof(struct ifinfomsg)))
                return false;
        parent = find_attribute(m, sizeof(struct ifinfomsg), IFLA_PARENT_DEV_NAME);
        name = find_attribute(m, sizeof(struct ifinfomsg), IFLA_IFNAME);
        if (!parent || !name || mnl_attr_validate(parent, MNL_TYPE_NUL_STRING) < 0 ||
            mnl_attr_validate(name, MNL_TYPE_NUL_STRING) < 0)
                return false;
        STRV_FOREACH (wanted, parents)
                if (streq(*wanted, mnl_attr_get_str(parent)))
                        return str_copy(ret, IF_NAMESIZE, mnl_attr_get_str(name)) >= 0;
        return false;
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
                _cleanup_(closep_mnl) struct mnl_socket *s = NULL;

                c->use = (NetUse){};
                r = open_rtnl(&s);
                if (r >= 0)
                        r = dump_once(s, request, each, c);
        }
        return r;
}

int rtnl_addresses(uint32_t ifindex, NetUse *ret) {
        Request buf = {};
        struct nlmsghdr *m = begin(&buf, RTM_GETADDR, &(struct ifaddrmsg){ .ifa_index = ifindex },
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
                Request buf = {};
                struct nlmsghdr *m =
                        begin(&buf, RTM_GETROUTE, &(struct rtmsg){ .rtm_family = families[i] },
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

typedef struct Find {
        char *const *parents;
        char *name;
        bool found;
} Find;

static int match_link(const struct nlmsghdr *m, void *arg) {
        Find *f = arg;

        if (!f->found)
                f->found = rtnl_parse_link(m, f->parents, f->name);
        return MNL_CB_OK;
}

/* A socket belongs to the namespace in which it was made. */
static int open_inside(int netns, struct mnl_socket **ret) {
        _cleanup_close_ int own = -EBADF;
        int r;

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

int rtnl_find_link(int netns, char *const *parents, char ret[static IF_NAMESIZE]) {
        Request buf = {};
        struct nlmsghdr *m =
                begin(&buf, RTM_GETLINK, &(struct ifinfomsg){}, sizeof(struct ifinfomsg));
        int r = -EINTR;

        for (unsigned i = 0; i < TRIES && r == -EINTR; i++) {
                _cleanup_(closep_mnl) struct mnl_socket *s = NULL;
                Find f = { parents, ret, false };

                r = open_inside(netns, &s);
                if (r >= 0)
                        r = dump_once(s, m, match_link, &f);
                if (r >= 0)
                        return f.found;
        }
        return r;
}
