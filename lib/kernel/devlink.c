/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devlink
 *
 * linux/devlink.h; net/devlink/dev.c of the kernel. No device that QEMU emulates has an eswitch: what is here is tested with
 * messages as the kernel's headers define them, and not on a real one.
 */
#include <errno.h>
#include <string.h>

#include <linux/devlink.h>
#include <linux/genetlink.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/devlink.h"

static struct nlmsghdr *begin(NetlinkRequest *buf, uint16_t family, uint8_t command,
                              uint16_t flags) {
        return netlink_begin(buf, family, flags,
                             &(struct genlmsghdr){ .cmd = command, .version = 1 },
                             sizeof(struct genlmsghdr));
}

struct nlmsghdr *devlink_put_family(NetlinkRequest *buf) {
        struct nlmsghdr *m = begin(buf, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);

        mnl_attr_put_strz(m, CTRL_ATTR_FAMILY_NAME, DEVLINK_GENL_NAME);
        return m;
}

static struct nlmsghdr *put_device(NetlinkRequest *buf, uint16_t family, uint8_t command,
                                   uint16_t flags, Bdf pf) {
        struct nlmsghdr *m = begin(buf, family, command, flags);

        mnl_attr_put_strz(m, DEVLINK_ATTR_BUS_NAME, "pci");
        mnl_attr_put_strz(m, DEVLINK_ATTR_DEV_NAME, BDF_STR(pf));
        return m;
}

struct nlmsghdr *devlink_put_get(NetlinkRequest *buf, uint16_t family, Bdf pf) {
        return put_device(buf, family, DEVLINK_CMD_ESWITCH_GET, 0, pf);
}

struct nlmsghdr *devlink_put_set(NetlinkRequest *buf, uint16_t family, Bdf pf, Eswitch mode) {
        struct nlmsghdr *m = put_device(buf, family, DEVLINK_CMD_ESWITCH_SET, NLM_F_ACK, pf);

        mnl_attr_put_u16(m, DEVLINK_ATTR_ESWITCH_MODE,
                         mode == ESWITCH_SWITCHDEV ? DEVLINK_ESWITCH_MODE_SWITCHDEV
                                                   : DEVLINK_ESWITCH_MODE_LEGACY);
        return m;
}

bool devlink_parse_family(const struct nlmsghdr *m, uint16_t *ret) {
        return netlink_is(m, GENL_ID_CTRL, sizeof(struct genlmsghdr)) &&
               netlink_u16(netlink_find(m, sizeof(struct genlmsghdr), CTRL_ATTR_FAMILY_ID), ret);
}

bool devlink_parse_mode(const struct nlmsghdr *m, uint16_t family, Eswitch *ret) {
        uint16_t mode;

        if (!netlink_is(m, family, sizeof(struct genlmsghdr)) ||
            !netlink_u16(netlink_find(m, sizeof(struct genlmsghdr), DEVLINK_ATTR_ESWITCH_MODE),
                         &mode))
                return false;
        *ret = mode == DEVLINK_ESWITCH_MODE_LEGACY      ? ESWITCH_LEGACY
               : mode == DEVLINK_ESWITCH_MODE_SWITCHDEV ? ESWITCH_SWITCHDEV
                                                        : ESWITCH_KEEP;
        return true;
}

typedef struct Answer {
        uint16_t family;
        Eswitch mode;
        bool told;
} Answer;

static int take_family(const struct nlmsghdr *m, void *arg) {
        Answer *a = arg;

        a->told = devlink_parse_family(m, &a->family);
        return MNL_CB_STOP;
}

static int take_mode(const struct nlmsghdr *m, void *arg) {
        Answer *a = arg;

        a->told = devlink_parse_mode(m, a->family, &a->mode);
        return MNL_CB_STOP;
}

/* -ENOENT: a kernel without devlink; -ENODEV: a device that its driver did not register with it. */
static int cannot(int r) {
        return r == -ENOENT || r == -ENODEV ? -EOPNOTSUPP : r;
}

static int open_devlink(struct mnl_socket **ret, Answer *a) {
        NetlinkRequest buf = {};
        int r;

        r = netlink_open(NETLINK_GENERIC, ret);
        if (r < 0)
                return r;
        r = netlink_ask(*ret, devlink_put_family(&buf), take_family, a);
        if (r < 0)
                return cannot(r);
        return a->told ? 0 : -EOPNOTSUPP;
}

int devlink_eswitch_get(Bdf pf, Eswitch *ret) {
        _cleanup_(netlink_closep) struct mnl_socket *s = NULL;
        NetlinkRequest buf = {};
        Answer a = {};
        int r;

        r = open_devlink(&s, &a);
        if (r < 0)
                return r;
        a.told = false;
        r = netlink_ask(s, devlink_put_get(&buf, a.family, pf), take_mode, &a);
        if (r < 0)
                return cannot(r);
        if (!a.told)
                return -EOPNOTSUPP;
        *ret = a.mode;
        return 0;
}

int devlink_eswitch_set(Bdf pf, Eswitch mode) {
        _cleanup_(netlink_closep) struct mnl_socket *s = NULL;
        NetlinkRequest buf = {};
        Answer a = {};
        int r;

        r = open_devlink(&s, &a);
        if (r < 0)
                return r;
        return cannot(netlink_ask(s, devlink_put_set(&buf, a.family, pf, mode), NULL, NULL));
}
