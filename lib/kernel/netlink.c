/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Netlink
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/macro.h"

#include "kernel/netlink.h"

/*
 * A link's answer has all of its VFs in one attribute, which ends at 64 KiB; messages of a dump are as large as the buffers
 * that the kernel has seen, up to 32 KiB.
 */
#define BUFFER_SIZE (128 * 1024)

void netlink_closep(struct mnl_socket **s) {
        if (*s)
                mnl_socket_close(*s);
}

int netlink_open(int bus, struct mnl_socket **ret) {
        _cleanup_(netlink_closep) struct mnl_socket *s = NULL;
        int on = 1;

        s = mnl_socket_open2(bus, SOCK_CLOEXEC);
        if (!s || mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0 ||
            mnl_socket_setsockopt(s, NETLINK_GET_STRICT_CHK, &on, sizeof(on)) < 0)
                return -errno;
        *ret = TAKE_PTR(s);
        return 0;
}

struct nlmsghdr *netlink_begin(NetlinkRequest *buf, uint16_t type, uint16_t flags,
                               const void *header, size_t size) {
        struct nlmsghdr *m = mnl_nlmsg_put_header(buf);

        m->nlmsg_type = type;
        m->nlmsg_flags = NLM_F_REQUEST | flags;
        m->nlmsg_seq = 1;
        memcpy(mnl_nlmsg_put_extra_header(m, size), header, size);
        return m;
}

/* The kernel's own ENOTSUPP, which is no errno of programs: some drivers let it out. */
#define KERNEL_ENOTSUPP 524

static int failed(void) {
        return errno == KERNEL_ENOTSUPP ? -EOPNOTSUPP : -errno;
}

int netlink_ask(struct mnl_socket *s, const struct nlmsghdr *request, mnl_cb_t each, void *arg) {
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
                        return failed();
        } while (r > MNL_CB_STOP);
        return 0;
}

const struct nlattr *netlink_find(const struct nlmsghdr *m, size_t header, uint16_t type) {
        const struct nlattr *a;

        mnl_attr_for_each(a, m, header) {
                if (mnl_attr_get_type(a) == type)
                        return a;
        }
        return NULL;
}

const struct nlattr *netlink_find_nested(const struct nlattr *nest, uint16_t type) {
        const struct nlattr *a;

        if (!nest)
                return NULL;
        mnl_attr_for_each_nested(a, nest) {
                if (mnl_attr_get_type(a) == type)
                        return a;
        }
        return NULL;
}

const char *netlink_text(const struct nlattr *a) {
        return a && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0 ? mnl_attr_get_str(a) : "";
}

static bool take(const struct nlattr *a, void *ret, size_t size) {
        if (!a || mnl_attr_get_payload_len(a) < size)
                return false;
        memcpy(ret, mnl_attr_get_payload(a), size);
        return true;
}

bool netlink_u32(const struct nlattr *a, uint32_t *ret) {
        return take(a, ret, sizeof(*ret));
}

bool netlink_u16(const struct nlattr *a, uint16_t *ret) {
        return take(a, ret, sizeof(*ret));
}

bool netlink_is(const struct nlmsghdr *m, uint16_t type, size_t header) {
        return m->nlmsg_type == type && mnl_nlmsg_get_payload_len(m) >= header;
}
