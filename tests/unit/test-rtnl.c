/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rtnetlink: which of its messages count, and what this kernel answers
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <libmnl/libmnl.h>

#include "kernel/rtnl.h"

#include "tests/unit/test.h"

typedef union Message {
        struct nlmsghdr header;
        char room[256];
} Message;

static struct nlmsghdr *message(Message *m, uint16_t type, const void *header, size_t size) {
        memset(m, 0, sizeof(*m));
        mnl_nlmsg_put_header(m);
        m->header.nlmsg_type = type;
        memcpy(mnl_nlmsg_put_extra_header(&m->header, size), header, size);
        return &m->header;
}

static void put_ip(struct nlmsghdr *m, uint16_t type, int family, const char *text) {
        uint8_t ip[16];

        assert_int_equal(inet_pton(family, text, ip), 1);
        mnl_attr_put(m, type, family == AF_INET ? 4 : 16, ip);
}

static void address(int family, const char *text, unsigned char length, const char *expected) {
        char buf[64];
        struct ifaddrmsg header = { .ifa_family = (unsigned char) family,
                                    .ifa_prefixlen = length,
                                    .ifa_index = 7 };
        Message m;

        message(&m, RTM_NEWADDR, &header, sizeof(header));
        put_ip(&m.header, IFA_ADDRESS, family, text);
        assert_false(rtnl_parse_address(&m.header, 8, buf, sizeof(buf)));
        if (!rtnl_parse_address(&m.header, 7, buf, sizeof(buf)))
                strcpy(buf, "none");
        assert_string_equal(buf, expected);
}

static void addresses_that_somebody_gave_count(void **state) {
        char buf[64];
        Message m;

        (void) state;
        address(AF_INET, "10.0.0.1", 24, "10.0.0.1/24");
        address(AF_INET, "169.254.3.1", 16, "169.254.3.1/16");
        address(AF_INET6, "2001:db8::1", 64, "2001:db8::1/64");
        address(AF_INET6, "fe80::5054:ff:fe12:3456", 64, "none");
        address(AF_INET6, "febf::1", 64, "none");
        address(AF_INET6, "fec0::1", 64, "fec0::1/64");
        /* The other end of a tunnel is IFA_ADDRESS, ours is IFA_LOCAL. */
        message(&m, RTM_NEWADDR,
                &(struct ifaddrmsg){ .ifa_family = AF_INET, .ifa_index = 7, .ifa_prefixlen = 32 },
                sizeof(struct ifaddrmsg));
        put_ip(&m.header, IFA_ADDRESS, AF_INET, "10.9.9.9");
        put_ip(&m.header, IFA_LOCAL, AF_INET, "10.9.9.1");
        assert_true(rtnl_parse_address(&m.header, 7, buf, sizeof(buf)));
        assert_string_equal(buf, "10.9.9.1/32");
}

static void a_message_that_is_cut_counts_for_nothing(void **state) {
        char buf[64];
        Message m;

        (void) state;
        message(&m, RTM_NEWADDR, &(struct ifaddrmsg){ .ifa_family = AF_INET, .ifa_index = 7 }, 4);
        assert_false(rtnl_parse_address(&m.header, 0, buf, sizeof(buf)));
        message(&m, RTM_NEWADDR, &(struct ifaddrmsg){ .ifa_family = AF_INET, .ifa_index = 7 },
                sizeof(struct ifaddrmsg));
        assert_false(rtnl_parse_address(&m.header, 7, buf, sizeof(buf)));
        mnl_attr_put(&m.header, IFA_LOCAL, 2, "xx");
        assert_false(rtnl_parse_address(&m.header, 7, buf, sizeof(buf)));
        assert_false(rtnl_parse_route(&m.header, buf, sizeof(buf)));
}

static void route(struct rtmsg header, const char *to, const char *expected) {
        char buf[64] = "none";
        Message m;

        message(&m, RTM_NEWROUTE, &header, sizeof(header));
        if (to)
                put_ip(&m.header, RTA_DST, header.rtm_family, to);
        if (!rtnl_parse_route(&m.header, buf, sizeof(buf)))
                strcpy(buf, "none");
        assert_string_equal(buf, expected);
}

#define ROUTE(family, ...)                                                                         \
        ((struct rtmsg){ .rtm_family = (family), .rtm_type = RTN_UNICAST, __VA_ARGS__ })

static void routes_that_somebody_made_count(void **state) {
        (void) state;
        route(ROUTE(AF_INET, .rtm_protocol = RTPROT_BOOT), NULL, "default");
        route(ROUTE(AF_INET, .rtm_protocol = RTPROT_STATIC, .rtm_dst_len = 16), "10.1.0.0",
              "10.1.0.0/16");
        route(ROUTE(AF_INET6, .rtm_protocol = RTPROT_RA, .rtm_dst_len = 64),
              "2001:db8::", "2001:db8::/64");
        route(ROUTE(AF_INET, .rtm_protocol = RTPROT_KERNEL, .rtm_dst_len = 24), "10.0.0.0", "none");
        route(ROUTE(AF_INET6, .rtm_protocol = RTPROT_BOOT, .rtm_dst_len = 64), "fe80::", "none");
        route(ROUTE(AF_INET6, .rtm_protocol = RTPROT_BOOT, .rtm_dst_len = 8), "ff00::", "none");
        route(ROUTE(AF_INET, .rtm_protocol = RTPROT_BOOT, .rtm_type = RTN_LOCAL), "10.0.0.1",
              "none");
        route(ROUTE(AF_INET6, .rtm_protocol = RTPROT_BOOT, .rtm_flags = RTM_F_CLONED), NULL,
              "none");
}

static struct nlmsghdr *link_message(Message *m, const char *name, unsigned flags) {
        message(m, RTM_NEWLINK, &(struct ifinfomsg){ .ifi_index = 9, .ifi_flags = flags },
                sizeof(struct ifinfomsg));
        mnl_attr_put_strz(&m->header, IFLA_IFNAME, name);
        return &m->header;
}

static void a_link_is_known_by_the_device_it_belongs_to(void **state) {
        struct nlmsghdr *h;
        uint32_t nsid = 99;
        NetLink link;
        Message m;

        (void) state;
        h = link_message(&m, "eth5", 0);
        assert_true(rtnl_parse_link(h, &link, &nsid));
        assert_string_equal(link.name, "eth5");
        assert_string_equal(link.parent, "");
        assert_true(link.untold);
        mnl_attr_put_strz(h, IFLA_PARENT_DEV_NAME, "virtio3");
        assert_true(rtnl_parse_link(h, &link, &nsid));
        assert_string_equal(link.parent, "virtio3");
        assert_false(link.untold);
        assert_int_equal(link.lower, 0);
        assert_int_equal(nsid, 99);
        /* A text without its end. */
        h = link_message(&m, "eth5", 0);
        mnl_attr_put(h, IFLA_PARENT_DEV_NAME, 7, "virtio3");
        assert_true(rtnl_parse_link(h, &link, &nsid));
        assert_string_equal(link.parent, "");
        message(&m, RTM_NEWLINK, &(struct ifinfomsg){}, 4);
        assert_false(rtnl_parse_link(&m.header, &link, &nsid));
}

static void a_link_with_a_kind_was_made_by_hand(void **state) {
        struct nlattr *info;
        struct nlmsghdr *h;
        uint32_t nsid = 99;
        NetLink link;
        Message m;

        (void) state;
        h = link_message(&m, "lo", IFF_LOOPBACK);
        assert_true(rtnl_parse_link(h, &link, &nsid));
        assert_false(link.untold);
        h = link_message(&m, "mv0", 0);
        info = mnl_attr_nest_start(h, IFLA_LINKINFO);
        mnl_attr_put_strz(h, IFLA_INFO_KIND, "macvlan");
        mnl_attr_nest_end(h, info);
        mnl_attr_put_u32(h, IFLA_LINK, 7);
        assert_true(rtnl_parse_link(h, &link, &nsid));
        assert_false(link.untold);
        assert_int_equal(link.lower, 0); /* number 7 of its own namespace */
        mnl_attr_put_u32(h, IFLA_LINK_NETNSID, 3);
        assert_true(rtnl_parse_link(h, &link, &nsid));
        assert_int_equal(link.lower, 7);
        assert_int_equal(nsid, 3);
        /* The same number as its own, which old kernels leave out. */
        h = link_message(&m, "mv0", 0);
        mnl_attr_put_u32(h, IFLA_LINK_NETNSID, 0);
        assert_true(rtnl_parse_link(h, &link, &nsid));
        assert_int_equal(link.lower, 9);
}

/* This kernel, in a network namespace that has nothing but lo (index 1) */

enum {
        LIVE_OK,
        LIVE_WRONG,
        LIVE_NO_NAMESPACE
};

static int set_up(const char *name) {
        struct ifreq request = {};
        int r, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        strcpy(request.ifr_name, name);
        request.ifr_flags = IFF_UP;
        r = ioctl(fd, SIOCSIFFLAGS, &request);
        close(fd);
        return r;
}

static int live(void) {
        _cleanup_free_ NetLink *items = NULL;
        NetLinks links = {};
        ino_t before, after;
        struct stat st;
        NetUse u = { .n = 99 };
        int fd, r;

        fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        if (fd < 0 || unshare(CLONE_NEWNET) < 0)
                return LIVE_NO_NAMESPACE;
        if (rtnl_addresses(1, &u) != 0 || u.n != 0 || rtnl_routes(1, &u) != 0 || u.n != 0 ||
            set_up("lo") < 0)
                return LIVE_WRONG;
        if (rtnl_addresses(1, &u) != 0 || u.n == 0 || !streq(u.first, "127.0.0.1/8") ||
            rtnl_routes(1, &u) != 0 || u.n != 0)
                return LIVE_WRONG;
        /* One that is not there has none of either, or is no such device: kernels differ. */
        u.n = 0;
        r = rtnl_addresses(4711, &u);
        if ((r != 0 && r != -ENODEV) || u.n != 0)
                return LIVE_WRONG;
        r = rtnl_routes(4711, &u);
        if ((r != 0 && r != -ENODEV) || u.n != 0)
                return LIVE_WRONG;
        /* Into another, and back. */
        if (stat("/proc/self/ns/net", &st) < 0)
                return LIVE_WRONG;
        before = st.st_ino;
        r = rtnl_links(fd, &links);
        items = links.items;
        if (r != 0 || links.n == 0 || stat("/proc/self/ns/net", &st) < 0)
                return LIVE_WRONG;
        after = st.st_ino;
        return before == after ? LIVE_OK : LIVE_WRONG;
}

static int run(const char *command) {
        int status = system(command);

        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A child that sits in a network namespace of its own and ends with us. -1: it cannot have one. */
static pid_t other_namespace(void) {
        int ready[2];
        pid_t pid;
        char c;

        if (pipe2(ready, O_CLOEXEC) < 0)
                return -1;
        pid = fork();
        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                c = unshare(CLONE_NEWNET) < 0;
                (void) !write(ready[1], &c, 1);
                pause();
                _exit(0);
        }
        close(ready[1]);
        if (pid >= 0 && (read(ready[0], &c, 1) != 1 || c != 0))
                pid = -1;
        close(ready[0]);
        return pid;
}

/*
 * One of ours with a macvlan, which is moved to another namespace. There are two more macvlans: one of a device of that
 * place, one of a device of a third; both devices have the number of ours.
 */
static bool make_links(pid_t there, pid_t third) {
        char command[512];

        snprintf(command, sizeof(command),
                 "exec >/dev/null 2>&1; add() { $2 ip link add d$1 index 41 type veth && "
                 "$2 ip link add link d$1 name v$1 type macvlan; }\n"
                 "add 0 && ip link set v0 netns %d && add 1 'nsenter -t %d -n' && "
                 "add 2 'nsenter -t %d -n' && nsenter -t %d -n ip link set v2 netns %d",
                 there, there, third, third, there);
        return run(command) == 0;
}

static int live_upper(void) {
        _cleanup_free_ NetLink *items = NULL;
        unsigned found = 0, macvlans = 0;
        NetLinks links = {};
        pid_t there, third;
        char path[64];
        int fd, r;

        if (unshare(CLONE_NEWNET) < 0)
                return LIVE_NO_NAMESPACE;
        there = other_namespace();
        third = other_namespace();
        if (there < 0 || third < 0 || !make_links(there, third))
                return LIVE_NO_NAMESPACE;
        snprintf(path, sizeof(path), "/proc/%d/ns/net", there);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        r = rtnl_links(fd, &links);
        close(fd);
        items = links.items;
        for (size_t i = 0; i < links.n; i++) {
                macvlans += links.items[i].name[0] == 'v' && !links.items[i].untold;
                if (links.items[i].lower == 41 && streq(links.items[i].name, "v0"))
                        found++;
                else if (links.items[i].lower != 0)
                        return LIVE_WRONG;
        }
        return r == 0 && found == 1 && macvlans >= 3 ? LIVE_OK : LIVE_WRONG;
}

static void in_a_child(int (*f)(void)) {
        int status;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0)
                _exit(f());
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) == LIVE_NO_NAMESPACE)
                skip();
        assert_int_equal(WEXITSTATUS(status), LIVE_OK);
}

static void this_kernel_answers_for_one_netdev(void **state) {
        (void) state;
        in_a_child(live);
}

static void this_kernel_tells_what_is_made_of_ours_elsewhere(void **state) {
        (void) state;
        in_a_child(live_upper);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(addresses_that_somebody_gave_count),
                cmocka_unit_test(a_message_that_is_cut_counts_for_nothing),
                cmocka_unit_test(routes_that_somebody_made_count),
                cmocka_unit_test(a_link_is_known_by_the_device_it_belongs_to),
                cmocka_unit_test(a_link_with_a_kind_was_made_by_hand),
                cmocka_unit_test(this_kernel_answers_for_one_netdev),
                cmocka_unit_test(this_kernel_tells_what_is_made_of_ours_elsewhere),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
