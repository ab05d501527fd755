/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fact
 *
 * Each fact may be missing, and none is worth more than the others: what one source does not tell is left out.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <libudev.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/attr.h"
#include "kernel/config.h"
#include "kernel/fact.h"
#include "kernel/given.h"
#include "kernel/vf-link.h"

typedef struct Lists {
        char ***altnames, ***macs;
        int r;
} Lists;

/* Other hardware has longer addresses, which no policy matches by. */
static int add_mac(const struct nlattr *a, char ***macs) {
        char text[3 * ETH_ALEN];
        const uint8_t *b;

        if (!a || mnl_attr_get_payload_len(a) != ETH_ALEN)
                return 0;
        b = mnl_attr_get_payload(a);
        snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4],
                 b[5]);
        return strv_push(macs, text);
}

int fact_parse_link(const struct nlmsghdr *m, char ***altnames, char ***macs) {
        const struct nlattr *names, *a;
        int r;

        if (!netlink_is(m, RTM_NEWLINK, sizeof(struct ifinfomsg)))
                return 0;
        r = add_mac(netlink_find(m, sizeof(struct ifinfomsg), IFLA_PERM_ADDRESS), macs);
        names = netlink_find(m, sizeof(struct ifinfomsg), IFLA_PROP_LIST);
        if (r < 0 || !names)
                return r;
        mnl_attr_for_each_nested(a, names) {
                if (r >= 0 && mnl_attr_get_type(a) == IFLA_ALT_IFNAME && netlink_text(a)[0] != '\0')
                        r = strv_push(altnames, netlink_text(a));
        }
        return r;
}

static int take_link(const struct nlmsghdr *m, void *arg) {
        Lists *l = arg;

        l->r = fact_parse_link(m, l->altnames, l->macs);
        return MNL_CB_STOP;
}

static int ask_link(uint32_t ifindex, Lists *l) {
        _cleanup_(netlink_closep) struct mnl_socket *s = NULL;
        NetlinkRequest buf = {};
        int r;

        r = netlink_open(NETLINK_ROUTE, &s);
        if (r >= 0)
                r = netlink_ask(s, link_put_get(&buf, ifindex, RTEXT_FILTER_SKIP_STATS), take_link,
                                l);
        return r < 0 && r != -ENOMEM ? 0 : MIN2(r, l->r);
}

static int ask_links(Kernel *k, Bdf pf, Lists *l) {
        _cleanup_free_ uint32_t *links = NULL;
        size_t n = 0;
        int r;

        r = given_links(k, pf, &links, &n);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = ask_link(links[i], l);
        return MIN2(r, 0);
}

static void unref_device(struct udev_device **d) {
        udev_device_unref(*d);
}

static void unref_udev(struct udev **u) {
        udev_unref(*u);
}

/* NULL: udev has not seen it yet, or knows none. */
static int ask_udev(const char *sys, Bdf pf, char **ret) {
        _cleanup_(unref_udev) struct udev *udev = udev_new();
        _cleanup_(unref_device) struct udev_device *d = NULL;
        const char *path = NULL;
        char directory[PATH_MAX];

        if (!udev)
                return -ENOMEM;
        snprintf(directory, sizeof(directory), "%s/%s", sys, ATTR_FN(ATTR_DIRECTORY, pf));
        d = udev_device_new_from_syspath(udev, directory);
        if (d)
                path = udev_device_get_property_value(d, "ID_PATH");
        *ret = path ? strdup(path) : NULL;
        return path && !*ret ? -ENOMEM : 0;
}

static int ask_serial(Kernel *k, Bdf pf, char **ret) {
        char serial[CONFIG_SERIAL_MAX];

        if (config_serial(k, pf, serial) < 0)
                return 0;
        *ret = strdup(serial);
        return *ret ? 0 : -ENOMEM;
}

int fact_read(Kernel *k, const char *sys, Bdf pf, PfFacts *ret) {
        _cleanup_strv_ char **altnames = NULL, **macs = NULL;
        _cleanup_free_ char *serial = NULL, *path = NULL;
        Lists l = { &altnames, &macs, 0 };
        uint64_t identity;
        int r;

        r = k->identity(k, ATTR_FN(ATTR_DIRECTORY, pf), &identity);
        if (r < 0)
                return r;
        r = ask_links(k, pf, &l);
        if (r >= 0)
                r = ask_serial(k, pf, &serial);
        if (r >= 0)
                r = ask_udev(sys, pf, &path);
        if (r < 0)
                return r;
        *ret = (PfFacts){ .pf = pf,
                          .identity = identity,
                          .altnames = TAKE_PTR(altnames),
                          .macs = TAKE_PTR(macs),
                          .serial = TAKE_PTR(serial),
                          .path = TAKE_PTR(path) };
        return 0;
}
