/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VfLink: the messages that set and tell what a VF has, to the byte, and what this kernel answers about a link without VFs
 *
 * The structs are those of linux/if_link.h. InfiniBand GUIDs can be set on no emulated card: their bytes are all that is shown.
 */
#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "kernel/fact.h"
#include "kernel/vf-link.h"

#include "tests/unit/netlink-bytes.h"

static VfAttrs attrs_of(const char *text) {
        VfAttrs a = {};

        assert_int_equal(vfattrs_parse(text, &a), 0);
        return a;
}

/* To set something on VF 3 of net device 7: a header, and one attribute of one VF in two nests. */
#define SET(length, nests)                                                                         \
        length " 00 00 00 13 00 05 00 01 00 00 00 00 00 00 00 | "                                  \
               "00 00 00 00 07 00 00 00 00 00 00 00 00 00 00 00 | " nests
#define VF3 "03 00 00 00 "

static void sets(VfAttr attr, const char *text, const char *bytes) {
        VfAttrs a = attrs_of(text);
        NetlinkRequest buf = {};

        assert_bytes(link_put_vf(&buf, 7, 3, attr, &a), bytes);
}

static void each_attribute_is_one_of_one_vf(void **state) {
        (void) state;
        sets(VFATTR_VLAN, "vlan=100 qos=3",
             SET("40", "20 00 16 80 1c 00 01 80 18 00 0c 80 14 00 01 00 | " VF3
                       "64 00 00 00 03 00 00 00 81 00 00 00"));
        sets(VFATTR_VLAN, "vlan=4095 vlan-proto=802.1ad",
             SET("40", "20 00 16 80 1c 00 01 80 18 00 0c 80 14 00 01 00 | " VF3
                       "ff 0f 00 00 00 00 00 00 88 a8 00 00"));
        sets(VFATTR_MAC, "mac=02:00:5e:10:00:01 vlan=9",
             SET("50", "30 00 16 80 2c 00 01 80 28 00 01 00 | " VF3 "02 00 5e 10 00 01 00 00 "
                       "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"));
        sets(VFATTR_RATE, "max-rate=1000",
             SET("38", "18 00 16 80 14 00 01 80 10 00 06 00 | " VF3 "00 00 00 00 e8 03 00 00"));
        sets(VFATTR_SPOOFCHK, "spoofchk=on",
             SET("34", "14 00 16 80 10 00 01 80 0c 00 04 00 | " VF3 "01 00 00 00"));
        sets(VFATTR_LINK_STATE, "link-state=disable",
             SET("34", "14 00 16 80 10 00 01 80 0c 00 05 00 | " VF3 "02 00 00 00"));
        sets(VFATTR_QUERY_RSS, "query-rss=on",
             SET("34", "14 00 16 80 10 00 01 80 0c 00 07 00 | " VF3 "01 00 00 00"));
        sets(VFATTR_TRUST, "trust=off",
             SET("34", "14 00 16 80 10 00 01 80 0c 00 09 00 | " VF3 "00 00 00 00"));
        sets(VFATTR_NODE_GUID, "node-guid=00:11:22:33:44:55:66:77",
             SET("3c", "1c 00 16 80 18 00 01 80 14 00 0a 00 | " VF3
                       "00 00 00 00 77 66 55 44 33 22 11 00"));
        sets(VFATTR_PORT_GUID, "port-guid=fe:11:22:33:44:55:66:77",
             SET("3c", "1c 00 16 80 18 00 01 80 14 00 0b 00 | " VF3
                       "00 00 00 00 77 66 55 44 33 22 11 fe"));
}

static void what_no_link_sets_is_not_sent(void **state) {
        VfAttrs a = attrs_of("msix=3 queues=2 interrupts=2");
        NetlinkRequest buf = {};

        (void) state;
        assert_null(link_put_vf(&buf, 7, 3, VFATTR_MSIX, &a));
        assert_null(link_put_vf(&buf, 7, 3, VFATTR_QUEUES, &a));
        assert_int_equal(link_vf_set(7, 3, VFATTR_MSIX, &a), -EOPNOTSUPP);
}

static void one_link_is_asked_for_with_its_vfs(void **state) {
        NetlinkRequest buf = {};

        (void) state;
        assert_bytes(link_put_get(&buf, 7, RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS),
                     "28 00 00 00 12 00 01 00 01 00 00 00 00 00 00 00 | "
                     "00 00 00 00 07 00 00 00 00 00 00 00 00 00 00 00 | 08 00 1d 00 09 00 00 00");
}

/* As rtnl_fill_vfinfo() makes it, in its order; `setting` -1 is what a driver did not fill in. */
static void put_vf(struct nlmsghdr *m, uint32_t index, uint32_t unknown) {
        struct nlattr *vf = mnl_attr_nest_start(m, IFLA_VF_INFO), *list;
        struct ifla_vf_mac mac = { .vf = index, .mac = { 2, 0, 0, 0, 1, (uint8_t) index } };
        struct ifla_vf_vlan vlan = { index, 100 + index, 3 };
        struct ifla_vf_vlan_info info = { index, 100 + index, 3, htons(0x88a8) };
        struct ifla_vf_rate rate = { index, 10, 1000 };
        struct ifla_vf_tx_rate tx_rate = { index, 1000 };
        struct ifla_vf_spoofchk on = { index, 1 }, untold = { index, unknown };
        struct ifla_vf_link_state link = { index, IFLA_VF_LINK_STATE_ENABLE };
        struct ifla_vf_guid guid = { index, UINT64_C(0x0011223344556677) };

        mnl_attr_put(m, IFLA_VF_MAC, sizeof(mac), &mac);
        mnl_attr_put(m, IFLA_VF_BROADCAST, 32, (uint8_t[32]){ 0xff });
        mnl_attr_put(m, IFLA_VF_VLAN, sizeof(vlan), &vlan);
        mnl_attr_put(m, IFLA_VF_RATE, sizeof(rate), &rate);
        mnl_attr_put(m, IFLA_VF_TX_RATE, sizeof(tx_rate), &tx_rate);
        mnl_attr_put(m, IFLA_VF_SPOOFCHK, sizeof(on), &on);
        mnl_attr_put(m, IFLA_VF_LINK_STATE, sizeof(link), &link);
        mnl_attr_put(m, IFLA_VF_RSS_QUERY_EN, sizeof(untold), &untold);
        mnl_attr_put(m, IFLA_VF_TRUST, sizeof(untold), &untold);
        mnl_attr_put(m, IFLA_VF_IB_NODE_GUID, sizeof(guid), &guid);
        list = mnl_attr_nest_start(m, IFLA_VF_VLAN_LIST);
        mnl_attr_put(m, IFLA_VF_VLAN_INFO, sizeof(info), &info);
        mnl_attr_nest_end(m, list);
        mnl_attr_nest_end(m, vf);
}

static struct nlmsghdr *link_with_vfs(Received *r, unsigned short type, uint32_t n,
                                      uint32_t unknown) {
        struct ifinfomsg header = { .ifi_type = type, .ifi_index = 7 };
        struct nlattr *list;
        struct nlmsghdr *m;

        memset(r, 0, sizeof(*r));
        m = mnl_nlmsg_put_header(r);
        m->nlmsg_type = RTM_NEWLINK;
        memcpy(mnl_nlmsg_put_extra_header(m, sizeof(header)), &header, sizeof(header));
        mnl_attr_put_strz(m, IFLA_IFNAME, "ens1f0");
        mnl_attr_put_u32(m, IFLA_NUM_VF, n);
        list = mnl_attr_nest_start(m, IFLA_VFINFO_LIST);
        for (uint32_t i = 0; i < n; i++)
                put_vf(m, i, unknown);
        mnl_attr_nest_end(m, list);
        return m;
}

static void assert_text(const VfAttrs *a, const char *expected) {
        char text[VFATTRS_TEXT_MAX];

        assert_string_equal(vfattrs_format(a, _VFATTR_MAX, text, sizeof(text)), expected);
}

#define TOLD "qos=3 vlan-proto=802.1ad spoofchk=on "

static void what_a_driver_tells_is_seen_and_no_more(void **state) {
        VfAttrs a[2] = {};
        struct nlmsghdr *m;
        Received r;

        (void) state;
        m = link_with_vfs(&r, ARPHRD_ETHER, 3, UINT32_MAX);
        assert_true(link_parse_vfs(m, 1, 2, a));
        assert_text(
                a, "mac=02:00:00:00:01:01 vlan=101 " TOLD
                   "link-state=enable min-rate=10 max-rate=1000 node-guid=00:11:22:33:44:55:66:77");
        assert_int_equal(a[1].value[VFKEY_VLAN], 102);
        memset(a, 0, sizeof(a));
        m = link_with_vfs(&r, ARPHRD_INFINIBAND, 1, 1);
        assert_true(link_parse_vfs(m, 0, 1, a));
        assert_text(a, "vlan=100 " TOLD "trust=on link-state=enable min-rate=10 max-rate=1000 "
                       "query-rss=on node-guid=00:11:22:33:44:55:66:77");
}

static void what_is_set_is_what_is_told(void **state) {
        VfAttrs seen = {}, wanted = attrs_of("mac=02:00:00:00:01:00 vlan=100 qos=3 "
                                             "vlan-proto=802.1ad spoofchk=on link-state=enable "
                                             "min-rate=10 max-rate=1000");
        Received r;

        (void) state;
        assert_true(link_parse_vfs(link_with_vfs(&r, ARPHRD_ETHER, 1, 1), 0, 1, &seen));
        for (VfAttr a = 0; a < _VFATTR_MAX; a++)
                assert_false(vfattrs_differ(&wanted, &seen, a));
}

static void a_message_that_is_cut_tells_nothing(void **state) {
        VfAttrs a = {};
        struct nlmsghdr *m;
        Received r;

        (void) state;
        /* Whatever is cut off: nothing is read beyond it, which the sanitizer would tell. */
        for (uint32_t cut = 0;; cut += 4) {
                uint8_t *copy;

                m = link_with_vfs(&r, ARPHRD_ETHER, 1, 1);
                if (cut + MNL_NLMSG_HDRLEN > m->nlmsg_len)
                        break;
                m->nlmsg_len -= cut;
                copy = malloc(m->nlmsg_len);
                assert_non_null(copy);
                memcpy(copy, m, m->nlmsg_len);
                (void) link_parse_vfs((struct nlmsghdr *) (void *) copy, 0, 1, &a);
                free(copy);
        }
        m = link_with_vfs(&r, ARPHRD_ETHER, 0, 0);
        m->nlmsg_type = RTM_NEWADDR;
        assert_false(link_parse_vfs(m, 0, 1, &a));
}

/* Facts come out of the same message. */
static void a_link_tells_its_other_names_and_its_first_address(void **state) {
        _cleanup_strv_ char **altnames = NULL, **macs = NULL;
        struct nlattr *names;
        struct nlmsghdr *m;
        Received r;

        (void) state;
        m = link_with_vfs(&r, ARPHRD_ETHER, 0, 0);
        mnl_attr_put(m, IFLA_PERM_ADDRESS, 6, "\x52\x54\x00\xab\xcd\xef");
        names = mnl_attr_nest_start(m, IFLA_PROP_LIST);
        mnl_attr_put_strz(m, IFLA_ALT_IFNAME, "enp1s0f0np0");
        mnl_attr_put_strz(m, IFLA_ALT_IFNAME, "enx525400abcdef");
        mnl_attr_nest_end(m, names);
        assert_int_equal(fact_parse_link(m, &altnames, &macs), 0);
        assert_int_equal(strv_length(macs), 1);
        assert_string_equal(macs[0], "52:54:00:ab:cd:ef");
        assert_int_equal(strv_length(altnames), 2);
        assert_string_equal(altnames[0], "enp1s0f0np0");
        assert_string_equal(altnames[1], "enx525400abcdef");
        /* InfiniBand's is 20 bytes long. */
        m = link_with_vfs(&r, ARPHRD_INFINIBAND, 0, 0);
        mnl_attr_put(m, IFLA_PERM_ADDRESS, 20, (uint8_t[20]){ 1 });
        assert_int_equal(fact_parse_link(m, &altnames, &macs), 0);
        assert_int_equal(strv_length(macs), 1);
}

/* This kernel, in a network namespace that has nothing but lo (index 1), which is down */

enum {
        LIVE_OK,
        LIVE_WRONG,
        LIVE_NO_NAMESPACE
};

static bool lo_is_up(void) {
        struct ifreq request = { .ifr_name = "lo" };
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;

        r = ioctl(fd, SIOCGIFFLAGS, &request);
        close(fd);
        return r == 0 && request.ifr_flags & IFF_UP;
}

static int live(void) {
        VfAttrs seen[2] = {}, a = { .has = 1u << VFKEY_TRUST };

        if (unshare(CLONE_NEWNET) < 0)
                return LIVE_NO_NAMESPACE;
        if (link_vf_attrs(1, 0, 2, seen) != 0 || seen[0].has != 0)
                return LIVE_WRONG;
        if (link_vf_set(1, 0, VFATTR_TRUST, &a) != -EOPNOTSUPP ||
            link_vf_set(4711, 0, VFATTR_TRUST, &a) != -ENODEV || link_up(4711) != -ENODEV)
                return LIVE_WRONG;
        return !lo_is_up() && link_up(1) == 0 && lo_is_up() ? LIVE_OK : LIVE_WRONG;
}

static void this_kernel_answers_for_a_link_without_vfs(void **state) {
        int status;
        pid_t pid = fork();

        (void) state;
        assert_true(pid >= 0);
        if (pid == 0)
                _exit(live());
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) == LIVE_NO_NAMESPACE)
                skip();
        assert_int_equal(WEXITSTATUS(status), LIVE_OK);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_attribute_is_one_of_one_vf),
                cmocka_unit_test(what_no_link_sets_is_not_sent),
                cmocka_unit_test(one_link_is_asked_for_with_its_vfs),
                cmocka_unit_test(what_a_driver_tells_is_seen_and_no_more),
                cmocka_unit_test(what_is_set_is_what_is_told),
                cmocka_unit_test(a_message_that_is_cut_tells_nothing),
                cmocka_unit_test(a_link_tells_its_other_names_and_its_first_address),
                cmocka_unit_test(this_kernel_answers_for_a_link_without_vfs),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
