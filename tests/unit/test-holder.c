/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who uses a function: vfio, device nodes, children, pods
 */
#include "tests/unit/fake-holder.h"

static void a_function_that_is_not_there_has_no_users(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        assert_int_equal(look(&f, (Bdf){ 0, 0x0300 }, USERS_TEST), -ENOENT);
        assert_nobody(&f);
        found_done(&f);
}

static void a_function_that_nobody_uses_is_free(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_nobody(&f);
        assert_int_equal(look(&f, vf0, USERS_TEST), 0);
        assert_nobody(&f);
        found_done(&f);
}

/* vfio */

static int group_answer;

static int fake_group(Kernel *k, int group, int *ret_fd) {
        (void) k;
        assert_int_equal(group, 12);
        *ret_fd = -EBADF;
        return group_answer;
}

static int no_group(Kernel *k, int group, int *ret_fd) {
        (void) k;
        (void) group;
        (void) ret_fd;
        fail_msg("a mere question opened a vfio group");
        return -EBUSY;
}

/* A VF in group 12, that QEMU may have. */
static void put_vfio(Found *f, int answer) {
        const Tree *t = &f->tree;

        tree_bind(t, VF_DIR("10.0"), "vfio-pci");
        tree_link(t, VF_DIR("10.0"), "iommu_group", "kernel/iommu_groups/12");
        tree_link(t, "kernel/iommu_groups/12/devices", "0000:01:10.0", VF_DIR("10.0"));
        tree_link(t, "kernel/iommu_groups/12/devices", "0000:01:10.2", VF_DIR("10.2"));
        tree_file(t, "dev/vfio", "12", "");
        tree_process(t, 4711, "qemu-system-x86", 1, 1);
        tree_open_file(t, 4711, 3, "/dev/null");
        f->tree.k->open_group = fake_group;
        group_answer = answer;
}

static void a_vfio_group_that_opens_is_free(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        put_vfio(&f, 0);
        tree_open_file(&f.tree, 4711, 20, TREE_PATH(&f.tree, "dev/vfio/12"));
        assert_int_equal(look(&f, vf0, USERS_TEST), 0);
        assert_nobody(&f);
        found_done(&f);
}

static void the_user_of_a_vfio_group_is_named(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        put_vfio(&f, -EBUSY);
        tree_open_file(&f.tree, 4711, 20, TREE_PATH(&f.tree, "dev/vfio/12"));
        tree_open_file(&f.tree, 4711, 21, TREE_PATH(&f.tree, "dev/vfio/12"));
        assert_int_equal(look(&f, vf0, USERS_TEST), 0);
        assert_holders(&f, "vfio: qemu-system-x86 (pid 4711), /dev/vfio/12");
        assert_int_equal(f.holders.items[0].kind, HOLDER_VFIO);
        assert_true(bdf_equal(f.holders.items[0].fn, vf0));
        /* Whoever has tested the group himself knows of it. */
        assert_int_equal(look(&f, vf0, USERS_TESTED), 0);
        assert_nobody(&f);
        found_done(&f);
}

static void a_vfio_user_that_is_not_seen_is_one(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        put_vfio(&f, -EBUSY);
        assert_int_equal(look(&f, vf0, USERS_TEST), 0);
        assert_holders(&f, "vfio: /dev/vfio/12 is open, by whom cannot be told");
        assert_int_equal(f.holders.items[0].pid, 0);
        tree_drop(&f.tree, "dev/vfio");
        assert_int_equal(look(&f, vf0, USERS_TEST), 0);
        assert_holders(&f, "vfio: vfio group 12 is open, by whom cannot be told");
        found_done(&f);
}

static void the_user_of_a_group_without_an_iommu_is_named(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        put_vfio(&f, -EBUSY);
        tree_file(&f.tree, "dev/vfio", "noiommu-12", "");
        tree_open_file(&f.tree, 4711, 20, TREE_PATH(&f.tree, "dev/vfio/noiommu-12"));
        assert_int_equal(look(&f, vf0, USERS_TEST), 0);
        assert_holders(&f, "vfio: qemu-system-x86 (pid 4711), /dev/vfio/noiommu-12");
        found_done(&f);
}

/* Its node has number 1:5, /dev/zero: as a container would have it, under another name. */
static void a_vfio_device_of_the_whole_group_counts(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        put_vfio(&f, -EBUSY);
        tree_file(&f.tree, VF_DIR("10.2") "/vfio-dev/vfio7", "dev", "1:5\n");
        tree_open_file(&f.tree, 4711, 20, "/dev/zero");
        assert_int_equal(look(&f, vf0, USERS_TEST), 0);
        assert_holders(&f, "vfio: qemu-system-x86 (pid 4711), /dev/vfio/devices/vfio7");
        found_done(&f);
}

/* A kernel without groups: nothing can be tested, and who has the node open is found all the same. */
static void without_groups_open_nodes_tell(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        put_vfio(&f, -ENOENT);
        tree_drop(&f.tree, "dev/vfio");
        tree_file(&f.tree, VF_DIR("10.0") "/vfio-dev/vfio3", "dev", "511:3\n");
        assert_int_equal(look(&f, vf0, USERS_TEST), 0);
        assert_nobody(&f);
        tree_open_file(&f.tree, 4711, 20, TREE_PATH(&f.tree, "dev/vfio/devices/vfio3"));
        assert_int_equal(look(&f, vf0, USERS_TEST), 0);
        assert_holders(&f, "vfio: qemu-system-x86 (pid 4711), /dev/vfio/devices/vfio3");
        found_done(&f);
}

static void an_open_device_tells_its_function(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        put_vfio(&f, -EBUSY);
        tree_open_file(&f.tree, 4711, 20, "anon_inode:[vfio-device]");
        tree_file(&f.tree, "proc/4711/fdinfo", "20",
                  "pos:\t0\nvfio-device-syspath: "
                  "/sys/devices/pci0000:00/0000:00:01.0/0000:01:10.2\n");
        assert_int_equal(look(&f, vf0, USERS_TEST), 0);
        assert_holders(&f, "vfio: qemu-system-x86 (pid 4711), vfio device 0000:01:10.2");
        tree_file(&f.tree, "proc/4711/fdinfo", "20",
                  "vfio-device-syspath: /sys/devices/pci0000:00/0000:00:01.0/0000:09:00.0\n");
        assert_int_equal(look(&f, vf0, USERS_TEST), 0);
        assert_holders(&f, "vfio: /dev/vfio/12 is open, by whom cannot be told");
        found_done(&f);
}

/* A QEMU that starts while the group is open for a test fails. */
static void a_mere_look_opens_no_group(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        put_vfio(&f, 0);
        f.tree.k->open_group = no_group;
        tree_open_file(&f.tree, 4711, 20, TREE_PATH(&f.tree, "dev/vfio/12"));
        assert_int_equal(look(&f, vf0, USERS_LOOK), 0);
        assert_holders(&f, "vfio: qemu-system-x86 (pid 4711), /dev/vfio/12");
        assert_int_equal(look(&f, vf0, USERS_GLANCE), 0);
        assert_holders(&f, "vfio: qemu-system-x86 (pid 4711), /dev/vfio/12");
        tree_drop(&f.tree, "proc/4711");
        assert_int_equal(look(&f, vf0, USERS_LOOK), 0);
        assert_nobody(&f);
        found_done(&f);
}

/* Without a group's node, as with devices' own nodes alone, the open device tells. */
static void a_mere_look_sees_an_open_device(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        put_vfio(&f, 0);
        f.tree.k->open_group = no_group;
        tree_drop(&f.tree, "dev/vfio");
        tree_open_file(&f.tree, 4711, 20, "anon_inode:[vfio-device]");
        tree_file(&f.tree, "proc/4711/fdinfo", "20",
                  "vfio-device-syspath: /sys/devices/pci0000:00/0000:00:01.0/0000:01:10.0\n");
        assert_int_equal(look(&f, vf0, USERS_LOOK), 0);
        assert_holders(&f, "vfio: qemu-system-x86 (pid 4711), vfio device 0000:01:10.0");
        found_done(&f);
}

static void a_group_that_cannot_be_tested_is_not_free(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        put_vfio(&f, -EACCES);
        assert_int_equal(look(&f, vf0, USERS_TEST), 0);
        assert_holders(&f, "unknown: vfio group 12: Permission denied");
        found_done(&f);
}

/* nodes */

static void put_node(Found *f, const char *class, const char *name, const char *number) {
        char directory[256];

        snprintf(directory, sizeof(directory), "%s/%s/%s", PF_DIR, class, name);
        tree_file(&f->tree, directory, "dev", number);
}

static void open_nodes_of_a_function_are_seen(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        put_node(&f, "drm", "card0", "226:0\n");
        put_node(&f, "infiniband_verbs", "uverbs0", "1:3\n");
        put_node(&f, "infiniband_mad", "umad0", "231:0\n");
        put_node(&f, "uio", "uio0", "240:0\n");
        tree_dir(&f.tree, PF_DIR "/drm/card0-HDMI-A-1");
        tree_process(&f.tree, 10, "Xorg", 1, 1);
        tree_open_file(&f.tree, 10, 5, TREE_PATH(&f.tree, "dev/dri/card0"));
        tree_process(&f.tree, 11, "ibv_rc_pingpong", 1, 1);
        tree_open_file(&f.tree, 11, 5, "/dev/null");
        tree_process(&f.tree, 12, "opensm", 1, 1);
        tree_open_file(&f.tree, 12, 5, TREE_PATH(&f.tree, "dev/infiniband/umad0"));
        tree_process(&f.tree, 13, "dpdk-testpmd", 1, 1);
        tree_open_file(&f.tree, 13, 5, TREE_PATH(&f.tree, "dev/uio0"));
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_int_equal(f.holders.n, 4);
        for (size_t i = 0; i < f.holders.n; i++) {
                const Holder *h = f.holders.items + i;
                static const HolderKind kinds[] = { HOLDER_DRM, HOLDER_RDMA, HOLDER_RDMA,
                                                    HOLDER_UNKNOWN };

                assert_in_range(h->pid, 10, 13);
                assert_int_equal(h->kind, kinds[h->pid - 10]);
        }
        found_done(&f);
}

/* Only the living threads of a process whose first one ended show its files. */
static void a_process_whose_first_thread_ended_has_files(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        put_node(&f, "drm", "card0", "226:0\n");
        tree_process(&f.tree, 10, "Xorg", 1, 1);
        tree_dir(&f.tree, "proc/10/task/10");
        tree_text_link(&f.tree, "proc/10/task/14/fd", "5", TREE_PATH(&f.tree, "dev/dri/card0"));
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "drm: Xorg (pid 10), /dev/dri/card0");
        found_done(&f);
}

static void our_own_files_are_no_use(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        put_node(&f, "drm", "card0", "226:0\n");
        tree_process(&f.tree, (unsigned) getpid(), "test-holder", 1, 1);
        tree_open_file(&f.tree, (unsigned) getpid(), 5, TREE_PATH(&f.tree, "dev/dri/card0"));
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_nobody(&f);
        found_done(&f);
}

static void without_proc_nothing_of_nodes_can_be_told(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        put_node(&f, "drm", "card0", "226:0\n");
        tree_drop(&f.tree, "proc");
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(
                &f, "unknown: what of its net devices is in other namespaces: Input/output error",
                "unknown: who has /dev/dri/card0 open: Input/output error");
        found_done(&f);
}

/* children */

static void children_on_other_buses_are_seen(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        tree_dir(&f.tree, PF_DIR "/83b8f4f2");
        tree_link(&f.tree, "bus/mdev/devices", "83b8f4f2", PF_DIR "/83b8f4f2");
        tree_dir(&f.tree, VF_DIR("10.0") "/vdpa0");
        tree_link(&f.tree, "bus/vdpa/devices", "vdpa0", VF_DIR("10.0") "/vdpa0");
        tree_bind(&f.tree, VF_DIR("10.0"), "octep_vdpa");
        tree_file(&f.tree, VF_DIR("10.0"), "class", "0x078000\n");
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "mdev: 83b8f4f2");
        assert_int_equal(look(&f, vf0, USERS_TEST), 0);
        assert_holders(&f, "vdpa: vdpa0");
        found_done(&f);
}

/* A variant driver of vfio makes them as well. */
static void a_vfio_function_can_have_children(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        put_vfio(&f, 0);
        tree_dir(&f.tree, VF_DIR("10.0") "/83b8f4f2");
        tree_link(&f.tree, "bus/mdev/devices", "83b8f4f2", VF_DIR("10.0") "/83b8f4f2");
        assert_int_equal(look(&f, vf0, USERS_TESTED), 0);
        assert_holders(&f, "mdev: 83b8f4f2");
        found_done(&f);
}

/* pods */

static void a_function_of_a_pod_is_in_use(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        tree_file(&f.tree, "run/netns", "cni-77", "");
        tree_file(&f.tree, "cni", "0000:01:10.0", TREE_PATH(&f.tree, "run/netns/cni-77"));
        assert_int_equal(look(&f, vf0, USERS_TESTED), 0);
        assert_holders(&f, "cni: pod in /run/netns/cni-77");
        assert_int_equal(look(&f, fn, USERS_TESTED), 0);
        assert_nobody(&f);
        found_done(&f);
}

static void a_pod_that_is_gone_holds_nothing(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        tree_file(&f.tree, "cni", "0000:01:10.0", TREE_PATH(&f.tree, "run/netns/cni-77"));
        assert_int_equal(look(&f, vf0, USERS_TESTED), 0);
        assert_nobody(&f);
        tree_file(&f.tree, "cni", "0000:01:10.0", "\n");
        assert_int_equal(look(&f, vf0, USERS_TESTED), 0);
        assert_nobody(&f);
        found_done(&f);
}

static void a_pods_file_that_cannot_be_read_is_not_free(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        tree_dir(&f.tree, "cni/0000:01:10.0");
        assert_int_equal(look(&f, vf0, USERS_TESTED), 0);
        assert_holders(&f, "unknown: /cni/0000:01:10.0: Is a directory");
        found_done(&f);
}

/* many functions */

static void one_look_serves_many_functions(void **state) {
        const Bdf all[] = { fn, { 0, 0x0300 }, vf0, fn };
        HolderView view = {};
        Found f;

        (void) state;
        found_init(&f);
        put_vfio(&f, 0);
        put_node(&f, "drm", "card0", "226:0\n");
        tree_process(&f.tree, 10, "Xorg", 1, 1);
        tree_open_file(&f.tree, 10, 5, TREE_PATH(&f.tree, "dev/dri/card0"));
        tree_open_file(&f.tree, 4711, 20, TREE_PATH(&f.tree, "dev/vfio/12"));
        tree_process(&f.tree, 22, "nginx", 5, 1);
        assert_int_equal(look_with(&f, &view, all, ELEMENTSOF(all), USERS_LOOK), 0);
        /* The group is that of both. */
        assert_int_equal(f.holders.n, 3);
        assert_true(bdf_equal(f.holders.items[0].fn, fn) && bdf_equal(f.holders.items[1].fn, fn));
        assert_int_equal(f.holders.items[0].pid + f.holders.items[1].pid, 10 + 4711);
        assert_true(bdf_equal(f.holders.items[2].fn, vf0));
        assert_int_equal(f.holders.items[2].pid, 4711);
        assert_int_equal(world.n_asked, 1);
        /* What was kept too long is looked at anew. */
        view.since = 0;
        assert_int_equal(look_with(&f, &view, &fn, 1, USERS_LOOK), 0);
        assert_int_equal(world.n_asked, 2);
        /* None of those is there. */
        assert_int_equal(look_with(&f, &view, all + 1, 1, USERS_LOOK), -ENOENT);
        holder_view_done(&view);
        found_done(&f);
}

/* What was kept from the step before does not know him; the kernel does. */
static void he_who_came_after_the_look_is_named(void **state) {
        HolderView view = {};
        Found f;

        (void) state;
        found_init(&f);
        put_vfio(&f, -EBUSY);
        assert_int_equal(look_with(&f, &view, &vf0, 1, USERS_TEST), 0);
        assert_int_equal(f.holders.items[0].pid, 0);
        tree_process(&f.tree, 4712, "crosvm", 1, 1);
        tree_open_file(&f.tree, 4712, 20, TREE_PATH(&f.tree, "dev/vfio/12"));
        assert_int_equal(look_with(&f, &view, &vf0, 1, USERS_TEST), 0);
        assert_holders(&f, "vfio: crosvm (pid 4712), /dev/vfio/12");
        holder_view_done(&view);
        found_done(&f);
}

static int (*true_list)(Kernel *k, const char *path, char ***ret);
static unsigned lists_left;

static int short_list(Kernel *k, const char *path, char ***ret) {
        return lists_left-- == 0 ? -ENOMEM : true_list(k, path, ret);
}

/* Whichever list it is that there was no room for. */
static void without_memory_nothing_is_free(void **state) {
        unsigned n = 0;
        Found f;
        int r;

        (void) state;
        found_init(&f);
        put_node(&f, "drm", "card0", "226:0\n");
        tree_dir(&f.tree, PF_DIR "/virtio3/net");
        true_list = f.tree.k->list;
        f.tree.k->list = short_list;
        do {
                lists_left = n++;
                r = look(&f, fn, USERS_TEST);
                assert_true(r == -ENOMEM || lists_left < n);
        } while (r == -ENOMEM);
        assert_int_equal(r, 0);
        /* The last look needed fewer lists than it had: none of them was done without. */
        assert_int_equal(lists_left, 0);
        assert_true(n > 8);
        f.tree.k->list = true_list;
        found_done(&f);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_function_that_is_not_there_has_no_users),
                cmocka_unit_test(a_function_that_nobody_uses_is_free),
                cmocka_unit_test(a_vfio_group_that_opens_is_free),
                cmocka_unit_test(the_user_of_a_vfio_group_is_named),
                cmocka_unit_test(a_vfio_user_that_is_not_seen_is_one),
                cmocka_unit_test(the_user_of_a_group_without_an_iommu_is_named),
                cmocka_unit_test(a_vfio_device_of_the_whole_group_counts),
                cmocka_unit_test(without_groups_open_nodes_tell),
                cmocka_unit_test(an_open_device_tells_its_function),
                cmocka_unit_test(a_mere_look_opens_no_group),
                cmocka_unit_test(a_mere_look_sees_an_open_device),
                cmocka_unit_test(a_group_that_cannot_be_tested_is_not_free),
                cmocka_unit_test(one_look_serves_many_functions),
                cmocka_unit_test(he_who_came_after_the_look_is_named),
                cmocka_unit_test(without_memory_nothing_is_free),
                cmocka_unit_test(open_nodes_of_a_function_are_seen),
                cmocka_unit_test(a_process_whose_first_thread_ended_has_files),
                cmocka_unit_test(our_own_files_are_no_use),
                cmocka_unit_test(without_proc_nothing_of_nodes_can_be_told),
                cmocka_unit_test(children_on_other_buses_are_seen),
                cmocka_unit_test(a_vfio_function_can_have_children),
                cmocka_unit_test(a_function_of_a_pod_is_in_use),
                cmocka_unit_test(a_pod_that_is_gone_holds_nothing),
                cmocka_unit_test(a_pods_file_that_cannot_be_read_is_not_free),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
