/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VfLink
 *
 * Structs and meanings: linux/if_link.h; rtnl_fill_vfinfo() and do_setvfinfo() in net/core/rtnetlink.c. The kernel goes through a
 * batch of attributes one by one and stops at the first that fails, with those before it in force: so each message has one.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "base/macro.h"

#include "kernel/vf-link.h"

_Static_assert((int) VFATTR_LINK_AUTO == (int) IFLA_VF_LINK_STATE_AUTO &&
                       (int) VFATTR_LINK_ENABLE == (int) IFLA_VF_LINK_STATE_ENABLE &&
                       (int) VFATTR_LINK_DISABLE == (int) IFLA_VF_LINK_STATE_DISABLE,
               "link states are numbered as the kernel's");

static void see(VfAttrs *a, VfKey key, uint64_t value) {
        a->has |= 1u << key;
        a->value[key] = value;
}

/* The struct of an attribute; all of them begin with the VF's index. */
static bool take(const struct nlattr *info, uint16_t type, void *ret, size_t size) {
        const struct nlattr *a = netlink_find_nested(info, type);

        if (!a || mnl_attr_get_payload_len(a) < size)
                return false;
        memcpy(ret, mnl_attr_get_payload(a), size);
        return true;
}

static void take_mac(const struct nlattr *info, VfAttrs *a) {
        struct ifla_vf_mac mac;
        uint64_t v = 0;

        if (!take(info, IFLA_VF_MAC, &mac, sizeof(mac)))
                return;
        for (size_t i = 0; i < ETH_ALEN; i++)
                v = v << 8 | mac.mac[i];
        see(a, VFKEY_MAC, v);
}

/* From 4.9 on the list has what the kernel can do, one entry; the attribute beside it has no protocol. */
static void take_vlan(const struct nlattr *info, VfAttrs *a) {
        struct ifla_vf_vlan_info full = { .vlan_proto = htons(ETH_P_8021Q) };
        struct ifla_vf_vlan plain;

        if (!take(netlink_find_nested(info, IFLA_VF_VLAN_LIST), IFLA_VF_VLAN_INFO, &full,
                  sizeof(full))) {
                if (!take(info, IFLA_VF_VLAN, &plain, sizeof(plain)))
                        return;
                full.vlan = plain.vlan;
                full.qos = plain.qos;
        }
        see(a, VFKEY_VLAN, full.vlan);
        see(a, VFKEY_QOS, full.qos);
        see(a, VFKEY_VLAN_PROTO,
            full.vlan_proto == htons(ETH_P_8021AD) ? VFATTR_PROTO_8021AD : VFATTR_PROTO_8021Q);
}

static void take_rate(const struct nlattr *info, VfAttrs *a) {
        struct ifla_vf_rate rate;

        if (!take(info, IFLA_VF_RATE, &rate, sizeof(rate)))
                return;
        see(a, VFKEY_MIN_RATE, rate.min_tx_rate);
        see(a, VFKEY_MAX_RATE, rate.max_tx_rate);
}

static void take_guid(const struct nlattr *info, uint16_t type, VfKey key, VfAttrs *a) {
        struct ifla_vf_guid guid;

        if (take(info, type, &guid, sizeof(guid)))
                see(a, key, guid.guid);
}

/* Those that are a number each, all of one form. */
static const struct {
        VfAttr attr;
        VfKey key;
        uint16_t type;
        uint32_t max;
} settings[] = {
        { VFATTR_SPOOFCHK, VFKEY_SPOOFCHK, IFLA_VF_SPOOFCHK, 1 },
        { VFATTR_TRUST, VFKEY_TRUST, IFLA_VF_TRUST, 1 },
        { VFATTR_LINK_STATE, VFKEY_LINK_STATE, IFLA_VF_LINK_STATE, IFLA_VF_LINK_STATE_DISABLE },
        { VFATTR_QUERY_RSS, VFKEY_QUERY_RSS, IFLA_VF_RSS_QUERY_EN, 1 },
};

/* -1: the driver does not tell, for the kernel presets some so. */
static void take_settings(const struct nlattr *info, VfAttrs *a) {
        struct ifla_vf_spoofchk setting;

        for (size_t i = 0; i < ELEMENTSOF(settings); i++)
                if (take(info, settings[i].type, &setting, sizeof(setting)) &&
                    setting.setting <= settings[i].max)
                        see(a, settings[i].key, setting.setting);
}

/* The address of an InfiniBand VF is no MAC, and is what its port GUID says. */
static void take_vf(const struct nlattr *info, bool ether, VfAttrs *a) {
        if (ether)
                take_mac(info, a);
        take_vlan(info, a);
        take_rate(info, a);
        take_settings(info, a);
        take_guid(info, IFLA_VF_IB_NODE_GUID, VFKEY_NODE_GUID, a);
        take_guid(info, IFLA_VF_IB_PORT_GUID, VFKEY_PORT_GUID, a);
}

bool link_parse_vfs(const struct nlmsghdr *m, uint32_t first, uint32_t n, VfAttrs *ret) {
        const struct ifinfomsg *header = mnl_nlmsg_get_payload(m);
        const struct nlattr *list, *info;
        struct ifla_vf_mac mac;

        if (!netlink_is(m, RTM_NEWLINK, sizeof(*header)))
                return false;
        list = netlink_find(m, sizeof(*header), IFLA_VFINFO_LIST);
        if (!list)
                return false;
        mnl_attr_for_each_nested(info, list) {
                /* The index is in each of its attributes; this one is always there. */
                if (mnl_attr_get_type(info) == IFLA_VF_INFO &&
                    take(info, IFLA_VF_MAC, &mac, sizeof(mac)) && mac.vf >= first &&
                    mac.vf - first < n)
                        take_vf(info, header->ifi_type == ARPHRD_ETHER, ret + (mac.vf - first));
        }
        return true;
}

struct nlmsghdr *link_put_get(NetlinkRequest *buf, uint32_t ifindex, uint32_t ext_mask) {
        struct nlmsghdr *m = netlink_begin(buf, RTM_GETLINK, 0,
                                           &(struct ifinfomsg){ .ifi_index = (int) ifindex },
                                           sizeof(struct ifinfomsg));

        mnl_attr_put_u32(m, IFLA_EXT_MASK, ext_mask);
        return m;
}

typedef struct Look {
        uint32_t first, n;
        VfAttrs *attrs;
        bool told;
} Look;

static int look(const struct nlmsghdr *m, void *arg) {
        Look *l = arg;

        l->told = link_parse_vfs(m, l->first, l->n, l->attrs);
        return MNL_CB_STOP;
}

int link_vf_attrs(uint32_t ifindex, uint32_t first, uint32_t n, VfAttrs *ret) {
        _cleanup_(netlink_closep) struct mnl_socket *s = NULL;
        Look l = { first, n, ret, false };
        NetlinkRequest buf = {};
        int r;

        r = netlink_open(NETLINK_ROUTE, &s);
        if (r < 0)
                return r;
        r = netlink_ask(s, link_put_get(&buf, ifindex, RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS),
                        look, &l);
        return r < 0 ? r : l.told;
}

static void put_mac(struct nlmsghdr *m, uint32_t index, const VfAttrs *a) {
        struct ifla_vf_mac mac = { .vf = index };

        for (unsigned i = 0; i < ETH_ALEN; i++)
                mac.mac[i] = (uint8_t) (a->value[VFKEY_MAC] >> 8 * (ETH_ALEN - 1 - i));
        mnl_attr_put(m, IFLA_VF_MAC, sizeof(mac), &mac);
}

static void put_vlan(struct nlmsghdr *m, uint32_t index, const VfAttrs *a) {
        bool ad = a->value[VFKEY_VLAN_PROTO] == VFATTR_PROTO_8021AD;
        struct ifla_vf_vlan_info vlan = { .vf = index,
                                          .vlan = (uint32_t) a->value[VFKEY_VLAN],
                                          .qos = (uint32_t) a->value[VFKEY_QOS],
                                          .vlan_proto = htons(ad ? ETH_P_8021AD : ETH_P_8021Q) };
        struct nlattr *list = mnl_attr_nest_start(m, IFLA_VF_VLAN_LIST);

        mnl_attr_put(m, IFLA_VF_VLAN_INFO, sizeof(vlan), &vlan);
        mnl_attr_nest_end(m, list);
}

static void put_rate(struct nlmsghdr *m, uint32_t index, const VfAttrs *a) {
        struct ifla_vf_rate rate = { .vf = index,
                                     .min_tx_rate = (uint32_t) a->value[VFKEY_MIN_RATE],
                                     .max_tx_rate = (uint32_t) a->value[VFKEY_MAX_RATE] };

        mnl_attr_put(m, IFLA_VF_RATE, sizeof(rate), &rate);
}

/* A number in the host's order, whose first byte in words is its highest: iproute2, ib_set_vf_guid(). */
static void put_guid(struct nlmsghdr *m, uint32_t index, uint16_t type, uint64_t value) {
        struct ifla_vf_guid guid;

        memset(&guid, 0, sizeof(guid)); /* its padding as well */
        guid.vf = index;
        guid.guid = value;
        mnl_attr_put(m, type, sizeof(guid), &guid);
}

static bool put_setting(struct nlmsghdr *m, uint32_t index, VfAttr attr, const VfAttrs *a) {
        for (size_t i = 0; i < ELEMENTSOF(settings); i++)
                if (settings[i].attr == attr) {
                        struct ifla_vf_spoofchk setting = {
                                .vf = index, .setting = (uint32_t) a->value[settings[i].key]
                        };

                        mnl_attr_put(m, settings[i].type, sizeof(setting), &setting);
                        return true;
                }
        return false;
}

static bool put_attr(struct nlmsghdr *m, uint32_t index, VfAttr attr, const VfAttrs *a) {
        switch (attr) {
        case VFATTR_MAC:
                put_mac(m, index, a);
                return true;
        case VFATTR_VLAN:
                put_vlan(m, index, a);
                return true;
        case VFATTR_RATE:
                put_rate(m, index, a);
                return true;
        case VFATTR_NODE_GUID:
                put_guid(m, index, IFLA_VF_IB_NODE_GUID, a->value[VFKEY_NODE_GUID]);
                return true;
        case VFATTR_PORT_GUID:
                put_guid(m, index, IFLA_VF_IB_PORT_GUID, a->value[VFKEY_PORT_GUID]);
                return true;
        default:
                return put_setting(m, index, attr, a);
        }
}

struct nlmsghdr *link_put_vf(NetlinkRequest *buf, uint32_t ifindex, uint32_t index, VfAttr attr,
                             const VfAttrs *attrs) {
        struct nlmsghdr *m = netlink_begin(buf, RTM_SETLINK, NLM_F_ACK,
                                           &(struct ifinfomsg){ .ifi_index = (int) ifindex },
                                           sizeof(struct ifinfomsg));
        struct nlattr *list = mnl_attr_nest_start(m, IFLA_VFINFO_LIST),
                      *info = mnl_attr_nest_start(m, IFLA_VF_INFO);
        bool known = put_attr(m, index, attr, attrs);

        mnl_attr_nest_end(m, info);
        mnl_attr_nest_end(m, list);
        return known ? m : NULL;
}

static int send_one(const struct nlmsghdr *m) {
        _cleanup_(netlink_closep) struct mnl_socket *s = NULL;
        int r;

        r = netlink_open(NETLINK_ROUTE, &s);
        return r < 0 ? r : netlink_ask(s, m, NULL, NULL);
}

int link_vf_set(uint32_t ifindex, uint32_t index, VfAttr attr, const VfAttrs *attrs) {
        NetlinkRequest buf = {};
        const struct nlmsghdr *m = link_put_vf(&buf, ifindex, index, attr, attrs);

        return m ? send_one(m) : -EOPNOTSUPP;
}

int link_up(uint32_t ifindex) {
        NetlinkRequest buf = {};

        return send_one(netlink_begin(&buf, RTM_SETLINK, NLM_F_ACK,
                                      &(struct ifinfomsg){ .ifi_index = (int) ifindex,
                                                           .ifi_flags = IFF_UP,
                                                           .ifi_change = IFF_UP },
                                      sizeof(struct ifinfomsg)));
}
