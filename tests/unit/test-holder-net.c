/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who uses a net device, and where it went
 */
#include "tests/unit/fake-holder.h"

#define NET PF_DIR "/net/enp1s0f0"

static void put_netdev(Found *f, const char *flags) {
        tree_file(&f->tree, NET, "flags", flags);
        tree_file(&f->tree, NET, "ifindex", "7\n");
}

static NetUse use(const char *first, unsigned n) {
        NetUse u = { .n = n };

        snprintf(u.first, sizeof(u.first), "%s", first);
        return u;
}

static void a_netdev_that_is_up_with_addresses_is_in_use(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        put_netdev(&f, "0x1003\n");
        world.addresses = use("10.0.0.1/24", 1);
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "netdev: 10.0.0.1/24 on enp1s0f0");
        assert_int_equal(world.ifindex, 7);
        world.addresses = use("10.0.0.1/24", 3);
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "netdev: 10.0.0.1/24 on enp1s0f0, and 2 more");
        found_done(&f);
}

static void routes_without_an_address_are_a_use(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        put_netdev(&f, "0x1003\n");
        world.routes = use("10.1.0.0/16", 1);
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "netdev: route 10.1.0.0/16 on enp1s0f0");
        found_done(&f);
}

static void a_netdev_that_is_down_or_bare_is_free(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        put_netdev(&f, "0x1003\n");
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_nobody(&f);
        put_netdev(&f, "0x1002\n");
        world.addresses = use("10.0.0.1/24", 1);
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_nobody(&f);
        found_done(&f);
}

static void addresses_that_cannot_be_asked_for_are_not_none(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        put_netdev(&f, "0x1003\n");
        world.addresses_error = -EPERM;
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "unknown: addresses of enp1s0f0: Operation not permitted");
        world.addresses_error = 0;
        world.routes_error = -EIO;
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "unknown: routes of enp1s0f0: Input/output error");
        world.routes_error = -ENODEV; /* it went meanwhile */
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_nobody(&f);
        put_netdev(&f, "what\n");
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "unknown: state of enp1s0f0: Bad message");
        world.addresses_error = -ENOMEM;
        put_netdev(&f, "0x1003\n");
        assert_int_equal(look(&f, fn, USERS_TEST), -ENOMEM);
        found_done(&f);
}

static void a_function_that_goes_meanwhile_is_not_there(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        put_netdev(&f, "0x1003\n");
        world.pulled = &f.tree;
        assert_int_equal(look(&f, fn, USERS_TEST), -ENOENT);
        found_done(&f);
}

static void a_part_of_something_larger_is_in_use(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        put_netdev(&f, "0x1002\n");
        tree_link(&f.tree, NET, "upper_br0", "devices/virtual/net/br0");
        tree_link(&f.tree, NET, "master", "devices/virtual/net/br0");
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "master: enp1s0f0 is a port of br0");
        tree_drop(&f.tree, NET "/master");
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "master: enp1s0f0 is below br0");
        found_done(&f);
}

static void a_virtio_netdev_belongs_to_its_function(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        tree_drop(&f.tree, PF_DIR "/net");
        tree_file(&f.tree, PF_DIR "/virtio3/net/eth0", "flags", "0x1003\n");
        tree_file(&f.tree, PF_DIR "/virtio3/net/eth0", "ifindex", "9\n");
        world.addresses = use("fd00::1/64", 1);
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "netdev: fd00::1/64 on eth0");
        assert_int_equal(world.n_asked, 0);
        found_done(&f);
}

/* While another holds RTNL; what needs none of it is told. */
static void a_glance_asks_for_no_addresses(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        put_netdev(&f, "0x1003\n");
        tree_link(&f.tree, NET, "upper_br0", "devices/virtual/net/br0");
        tree_process(&f.tree, 22, "nginx", 5, 1);
        world.addresses = use("10.0.0.1/24", 1);
        assert_int_equal(look(&f, fn, USERS_GLANCE), 0);
        assert_holders(&f, "master: enp1s0f0 is below br0",
                       "unknown: addresses of its net devices: Connection timed out");
        assert_int_equal(world.ifindex, 0);
        assert_int_equal(world.n_asked, 0);
        assert_int_equal(look(&f, fn, USERS_LOOK), 0);
        assert_holders(&f, "master: enp1s0f0 is below br0", "netdev: 10.0.0.1/24 on enp1s0f0");
        found_done(&f);
}

/* namespaces */

static void move_netdev(Found *f, const char *netns) {
        tree_drop(&f->tree, PF_DIR "/net");
        world.netns = netns;
        world.netdev = "eth5";
        world.parent = "0000:01:00.0";
}

static void a_netdev_in_a_containers_namespace_is_found(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        move_netdev(&f, "net:[5]");
        tree_process(&f.tree, 20, "bash", 1, 1);
        tree_process(&f.tree, 21, "pause", 4, 1);
        tree_process(&f.tree, 22, "nginx", 5, 1);
        tree_process(&f.tree, 23, "nginx", 5, 1);
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_int_equal(f.holders.n, 1);
        assert_int_equal(f.holders.items[0].kind, HOLDER_NETNS);
        assert_in_range(f.holders.items[0].pid, 22, 23);
        assert_string_equal(f.holders.items[0].command, "nginx");
        assert_string_equal(f.holders.items[0].detail, "eth5 in another network namespace");
        /* Each namespace is asked once, our own never. */
        assert_int_equal(world.n_asked, 2);
        found_done(&f);
}

static void mount_netns(Found *f, const char *name, unsigned number) {
        char line[256];

        tree_file(&f->tree, "run/netns", name, "");
        snprintf(line, sizeof(line),
                 "99 25 0:4 net:[%u] %s/run/netns/%s rw shared:9 - nsfs nsfs rw\n", number,
                 f->tree.root, name);
        tree_file(&f->tree, "proc/self", "mountinfo", line);
}

static void a_netdev_in_a_named_namespace_is_found(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        move_netdev(&f, "blue");
        mount_netns(&f, "blue", 6);
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "netns: eth5 in /run/netns/blue");
        /* One in it is named as well. */
        tree_process(&f.tree, 21, "pause", 6, 1);
        world.netns = "net:[6]";
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "netns: pause (pid 21), eth5 in /run/netns/blue");
        found_done(&f);
}

static void a_namespace_that_is_but_an_open_file_is_found(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        move_netdev(&f, "net:[8]");
        tree_process(&f.tree, 21, "keeper", 1, 1);
        tree_file(&f.tree, "proc/21/fd", "net:[8]", "");
        tree_open_file(&f.tree, 21, 3, "net:[8]");
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "netns: keeper (pid 21), eth5 in another network namespace");
        found_done(&f);
}

/* Of a macvlan that alone was given to a container nothing is to be seen here. */
static void what_is_made_of_it_in_another_namespace_is_found(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        put_netdev(&f, "0x1002\n");
        tree_process(&f.tree, 22, "nginx", 5, 1);
        world.netns = "net:[5]";
        world.netdev = "mv0";
        world.lower = 7;
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(
                &f, "master: nginx (pid 22), enp1s0f0 is below mv0 in another network namespace");
        world.lower = 8;
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_nobody(&f);
        found_done(&f);
}

/* Two ports of one function, or what DSA makes. */
static void one_that_stayed_hides_none_that_went(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        move_netdev(&f, "net:[5]");
        put_netdev(&f, "0x1002\n");
        tree_process(&f.tree, 22, "nginx", 5, 1);
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "netns: nginx (pid 22), eth5 in another network namespace");
        found_done(&f);
}

/* Before 5.14. */
static void a_link_that_does_not_tell_its_device_may_be_ours(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        move_netdev(&f, "net:[5]");
        tree_process(&f.tree, 22, "nginx", 5, 1);
        world.parent = NULL;
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_nobody(&f); /* a kind of its own: made by hand */
        world.untold = true;
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "unknown: what of its net devices is in other namespaces: "
                           "Operation not supported");
        world.told_here = true;
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_nobody(&f);
        found_done(&f);
}

static void the_netdev_of_a_virtio_function_is_looked_for_by_its_child(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        move_netdev(&f, "net:[5]");
        world.parent = "virtio3";
        tree_dir(&f.tree, PF_DIR "/virtio3");
        tree_process(&f.tree, 22, "nginx", 5, 1);
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "netns: nginx (pid 22), eth5 in another network namespace");
        found_done(&f);
}

static void a_driver_without_a_netdev_is_no_use(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        move_netdev(&f, NULL);
        tree_process(&f.tree, 22, "nginx", 5, 1);
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_nobody(&f);
        assert_int_equal(world.n_asked, 1);
        found_done(&f);
}

static void only_network_functions_with_a_driver_have_netdevs(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        move_netdev(&f, "net:[5]");
        tree_process(&f.tree, 22, "nginx", 5, 1);
        tree_file(&f.tree, PF_DIR, "class", "0x010802\n");
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_nobody(&f);
        tree_file(&f.tree, PF_DIR, "class", "0x020000\n");
        tree_drop(&f.tree, PF_DIR "/driver");
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_nobody(&f);
        tree_bind(&f.tree, PF_DIR, "vfio-pci");
        assert_int_equal(look(&f, fn, USERS_TESTED), 0);
        assert_nobody(&f);
        assert_int_equal(world.n_asked, 0);
        found_done(&f);
}

static void a_namespace_that_cannot_be_entered_may_have_it(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        move_netdev(&f, NULL);
        tree_process(&f.tree, 22, "nginx", 5, 1);
        world.links_error = -EPERM;
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "unknown: what of its net devices is in other namespaces: "
                           "Operation not permitted");
        found_done(&f);
}

/* It is tried again, and then it is not known. */
static void a_namespace_that_went_is_looked_for_anew(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        move_netdev(&f, NULL);
        tree_process(&f.tree, 22, "nginx", 5, 1);
        world.links_error = -ESRCH;
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(
                &f, "unknown: what of its net devices is in other namespaces: Stale file handle");
        assert_int_equal(world.n_asked, 3);
        found_done(&f);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_netdev_that_is_up_with_addresses_is_in_use),
                cmocka_unit_test(routes_without_an_address_are_a_use),
                cmocka_unit_test(a_netdev_that_is_down_or_bare_is_free),
                cmocka_unit_test(addresses_that_cannot_be_asked_for_are_not_none),
                cmocka_unit_test(a_function_that_goes_meanwhile_is_not_there),
                cmocka_unit_test(a_part_of_something_larger_is_in_use),
                cmocka_unit_test(a_virtio_netdev_belongs_to_its_function),
                cmocka_unit_test(a_netdev_in_a_containers_namespace_is_found),
                cmocka_unit_test(a_netdev_in_a_named_namespace_is_found),
                cmocka_unit_test(a_namespace_that_is_but_an_open_file_is_found),
                cmocka_unit_test(a_glance_asks_for_no_addresses),
                cmocka_unit_test(what_is_made_of_it_in_another_namespace_is_found),
                cmocka_unit_test(one_that_stayed_hides_none_that_went),
                cmocka_unit_test(a_link_that_does_not_tell_its_device_may_be_ours),
                cmocka_unit_test(the_netdev_of_a_virtio_function_is_looked_for_by_its_child),
                cmocka_unit_test(a_driver_without_a_netdev_is_no_use),
                cmocka_unit_test(only_network_functions_with_a_driver_have_netdevs),
                cmocka_unit_test(a_namespace_that_cannot_be_entered_may_have_it),
                cmocka_unit_test(a_namespace_that_went_is_looked_for_anew),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
