/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who uses the disks of a function: mounts, swap, dm, md, LVM, claims, open nodes
 */
#include "kernel/mount.h"

#include "tests/unit/fake-holder.h"

#define DISK PF_DIR "/nvme/nvme1/nvme1n1"
#define PART DISK "/nvme1n1p1"

static void put_disk(Found *f, const char *path, const char *number) {
        const char *name = strrchr(path, '/') + 1;
        char holders[256];

        tree_file(&f->tree, path, "dev", number);
        snprintf(holders, sizeof(holders), "%s/holders", path);
        tree_dir(&f->tree, "%s", holders);
        tree_link(&f->tree, "class/block", name, path);
        tree_file(&f->tree, "dev", name, "");
}

/* An nvme with one disk of one partition, and a disk of somebody else. */
static void disks_init(Found *f) {
        found_init(f);
        tree_file(&f->tree, PF_DIR, "class", "0x010802\n");
        tree_drop(&f->tree, PF_DIR "/net");
        put_disk(f, DISK, "259:0\n");
        put_disk(f, PART, "259:1\n");
        put_disk(f, ROOT_BUS "/0000:00:1f.2/sda", "8:0\n");
}

static void put_mounts(Found *f, unsigned pid, const char *lines) {
        char directory[64];

        snprintf(directory, sizeof(directory), "proc/%u", pid);
        tree_file(&f->tree, directory, "mountinfo", lines);
}

static void disks_that_nobody_uses_are_free(void **state) {
        Found f;

        (void) state;
        disks_init(&f);
        put_mounts(&f, 1, "21 1 8:0 / / rw shared:1 - ext4 /dev/sda rw\n");
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_nobody(&f);
        assert_int_equal(world.n_claims, 2);
        found_done(&f);
}

static void a_mounted_partition_is_in_use(void **state) {
        Found f;

        (void) state;
        disks_init(&f);
        put_mounts(&f, 1,
                   "21 1 8:0 / / rw shared:1 - ext4 /dev/sda rw\n"
                   "40 21 259:1 / /srv/my\\040data rw shared:2 - xfs /dev/nvme1n1p1 rw\n"
                   "41 21 259:1 /sub /mnt rw shared:2 - xfs /dev/nvme1n1p1 rw\n");
        /* The claim of the partition is one of its disk, and explained by the mount. */
        world.claimed = "nvme1n1";
        world.claim_error = -EBUSY;
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "mount: /dev/nvme1n1p1 on /srv/my data");
        found_done(&f);
}

static void a_mount_in_another_namespace_is_its_processes(void **state) {
        Found f;

        (void) state;
        disks_init(&f);
        tree_process(&f.tree, 50, "backupd", 1, 9);
        put_mounts(&f, 50, "40 21 259:1 / /srv rw - xfs /dev/nvme1n1p1 rw\n");
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "mount: backupd (pid 50), /dev/nvme1n1p1 on /srv");
        found_done(&f);
}

static void a_mount_namespace_whose_process_went_is_not_done_without(void **state) {
        Found f;

        (void) state;
        disks_init(&f);
        tree_process(&f.tree, 50, "backupd", 1, 9);
        tree_drop(&f.tree, "proc/50/mountinfo");
        assert_int_equal(look(&f, fn, USERS_LOOK), 0);
        assert_holders(&f, "block: mounts of all namespaces: Stale file handle");
        found_done(&f);
}

static void mounts_that_cannot_be_read_are_not_none(void **state) {
        Found f;

        (void) state;
        disks_init(&f);
        put_mounts(&f, 1, "what is this\n");
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "block: mounts of all namespaces: Bad message");
        found_done(&f);
}

static void a_disk_of_a_btrfs_is_in_use(void **state) {
        Found f;

        (void) state;
        disks_init(&f);
        tree_dir(&f.tree, "fs/btrfs/features");
        tree_dir(&f.tree, "fs/btrfs/af02/devices/sda");
        tree_dir(&f.tree, "fs/btrfs/af02/devices/nvme1n1p1");
        put_mounts(&f, 1, "40 21 0:52 / /pool rw shared:2 - btrfs /dev/sda rw\n");
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "mount: /dev/nvme1n1p1 on /pool");
        /* Where it is mounted is not seen; that it is, is. */
        put_mounts(&f, 1, "");
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "mount: /dev/nvme1n1p1 in a btrfs");
        found_done(&f);
}

static void swap_is_in_use(void **state) {
        char text[256];
        Found f;

        (void) state;
        disks_init(&f);
        snprintf(text, sizeof(text), "Filename\tType\n%s/dev/nvme1n1p1 partition\t1\t0\t-2\n",
                 f.tree.root);
        tree_file(&f.tree, "proc", "swaps", text);
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "swap: /dev/nvme1n1p1");
        found_done(&f);
}

static void put_holder(Found *f, const char *name) {
        char directory[64];

        tree_link(&f->tree, PART "/holders", name, "devices/virtual/block");
        snprintf(directory, sizeof(directory), "devices/virtual/block/%s", name);
        tree_dir(&f->tree, "%s", directory);
        tree_link(&f->tree, "class/block", name, directory);
}

static void what_is_made_of_a_disk_is_named(void **state) {
        Found f;

        (void) state;
        disks_init(&f);
        put_holder(&f, "dm-0");
        tree_file(&f.tree, "devices/virtual/block/dm-0/dm", "uuid", "LVM-abcdef\n");
        tree_file(&f.tree, "devices/virtual/block/dm-0/dm", "name", "vg-home\n");
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "lvm: /dev/nvme1n1p1 in vg-home");
        tree_file(&f.tree, "devices/virtual/block/dm-0/dm", "uuid", "CRYPT-LUKS2-abcdef\n");
        tree_file(&f.tree, "devices/virtual/block/dm-0/dm", "name", "safe\n");
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "dm: /dev/nvme1n1p1 in safe");
        tree_drop(&f.tree, PART "/holders/dm-0");
        put_holder(&f, "md127");
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "md: /dev/nvme1n1p1 in md127");
        tree_drop(&f.tree, PART "/holders/md127");
        put_holder(&f, "bcache0");
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "block: /dev/nvme1n1p1 in bcache0");
        assert_int_equal(holders_force(&f.holders), OP_FORCE_STORAGE);
        found_done(&f);
}

static void a_claim_that_nothing_explains_is_told(void **state) {
        Found f;

        (void) state;
        disks_init(&f);
        world.claimed = "nvme1n1p1";
        world.claim_error = -EBUSY;
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f,
                       "block: /dev/nvme1n1p1 is claimed in the kernel, by whom cannot be told");
        found_done(&f);
}

static void a_claim_that_cannot_be_tried_is_not_free(void **state) {
        Found f;

        (void) state;
        disks_init(&f);
        world.claimed = "nvme1n1p1";
        world.claim_error = -EACCES;
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "block: whether /dev/nvme1n1p1 is claimed: Permission denied");
        world.claim_error = -ENOENT;
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "block: whether /dev/nvme1n1p1 is claimed: Input/output error");
        world.claim_error = -ENOMEDIUM;
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_nobody(&f);
        found_done(&f);
}

/* As udev's probe of a new disk does. */
static void a_claim_for_a_moment_is_no_use(void **state) {
        Found f;

        (void) state;
        disks_init(&f);
        world.claimed = "nvme1n1p1";
        world.claim_error = -EBUSY;
        world.claim_until = 3;
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_nobody(&f);
        assert_in_range(world.paused, 1, 999);
        /* One that stays is waited for no longer than a second, however many disks there are. */
        world.claim_until = 0;
        world.paused = 0;
        world.claimed = "";
        assert_int_equal(look(&f, fn, USERS_TESTED), 0);
        assert_int_equal(f.holders.n, 1);
        assert_int_equal(world.paused, 1000);
        found_done(&f);
}

/* Who wants to mount it in that moment would be refused. */
static void a_mere_look_claims_no_disk(void **state) {
        Found f;

        (void) state;
        disks_init(&f);
        world.claimed = "";
        world.claim_error = -EBUSY;
        assert_int_equal(look(&f, fn, USERS_LOOK), 0);
        assert_nobody(&f);
        put_mounts(&f, 1, "40 21 259:1 / /srv rw shared:2 - xfs /dev/nvme1n1p1 rw\n");
        assert_int_equal(look(&f, fn, USERS_GLANCE), 0);
        assert_holders(&f, "mount: /dev/nvme1n1p1 on /srv");
        assert_int_equal(world.n_claims, 0);
        found_done(&f);
}

static void whoever_has_a_disk_open_is_named_but_udev(void **state) {
        Found f;

        (void) state;
        disks_init(&f);
        tree_process(&f.tree, 60, "(udev-worker)", 1, 1);
        tree_open_file(&f.tree, 60, 9, TREE_PATH(&f.tree, "dev/nvme1n1"));
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_nobody(&f);
        tree_process(&f.tree, 61, "dd", 1, 1);
        tree_open_file(&f.tree, 61, 9, TREE_PATH(&f.tree, "dev/nvme1n1"));
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "block: dd (pid 61), /dev/nvme1n1");
        found_done(&f);
}

/* The disk that people use belongs to no controller; the path through ours is hidden. */
static void the_head_of_an_nvme_multipath_is_ours(void **state) {
        Found f;

        (void) state;
        found_init(&f);
        tree_file(&f.tree, PF_DIR, "class", "0x010802\n");
        put_disk(&f, PF_DIR "/nvme/nvme3/nvme1c3n2", "0:0\n");
        tree_file(&f.tree, PF_DIR "/nvme/nvme3/nvme1c3n2", "hidden", "1\n");
        put_disk(&f, "devices/virtual/nvme-subsystem/nvme-subsys1/nvme1n2", "259:4\n");
        put_disk(&f, "devices/virtual/nvme-subsystem/nvme-subsys1/nvme1n2/nvme1n2p1", "259:5\n");
        put_disk(&f, "devices/virtual/nvme-subsystem/nvme-subsys1/nvme1n21", "259:6\n");
        put_mounts(&f, 1,
                   "40 21 259:5 / /srv rw - xfs /dev/nvme1n2p1 rw\n"
                   "41 21 259:6 / /other rw - xfs /dev/nvme1n21 rw\n");
        world.claimed = "nvme1c3n2"; /* it has no node that could be claimed */
        world.claim_error = -EBUSY;
        assert_int_equal(look(&f, fn, USERS_TEST), 0);
        assert_holders(&f, "mount: /dev/nvme1n2p1 on /srv");
        found_done(&f);
}

/* mountinfo */

static void assert_mount(const char *text, const char *point, const char *type,
                         const char *source) {
        char line[256];
        Mount m;

        snprintf(line, sizeof(line), "%s", text);
        assert_int_equal(mount_parse(line, &m), 0);
        assert_string_equal(m.point, point);
        assert_string_equal(m.type, type);
        assert_string_equal(m.source, source);
}

static void lines_of_mountinfo_are_read_with_any_options(void **state) {
        char line[64];
        Mount m;

        (void) state;
        assert_mount("36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw\n", "/mnt2",
                     "ext3", "/dev/root");
        assert_mount("36 35 98:0 / / rw - tmpfs none rw\n", "/", "tmpfs", "none");
        assert_mount("36 35 98:0 / /a\\011b\\134c rw shared:1 master:2 unbindable - xfs /dev/x rw",
                     "/a\tb\\c", "xfs", "/dev/x");
        assert_mount("36 35 0:4 net:[4026532] /run/netns/a rw - nsfs  rw\n", "/run/netns/a", "nsfs",
                     "rw");
        strcpy(line, "36 35 98:0 / /");
        assert_int_equal(mount_parse(line, &m), -EBADMSG);
        strcpy(line, "36 35 x / / rw - ext3 /dev/root rw");
        assert_int_equal(mount_parse(line, &m), -EBADMSG);
        strcpy(line, "");
        assert_int_equal(mount_parse(line, &m), -EBADMSG);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(disks_that_nobody_uses_are_free),
                cmocka_unit_test(a_mounted_partition_is_in_use),
                cmocka_unit_test(a_mount_in_another_namespace_is_its_processes),
                cmocka_unit_test(mounts_that_cannot_be_read_are_not_none),
                cmocka_unit_test(a_disk_of_a_btrfs_is_in_use),
                cmocka_unit_test(swap_is_in_use),
                cmocka_unit_test(what_is_made_of_a_disk_is_named),
                cmocka_unit_test(a_claim_that_nothing_explains_is_told),
                cmocka_unit_test(a_claim_that_cannot_be_tried_is_not_free),
                cmocka_unit_test(a_claim_for_a_moment_is_no_use),
                cmocka_unit_test(a_mere_look_claims_no_disk),
                cmocka_unit_test(a_mount_namespace_whose_process_went_is_not_done_without),
                cmocka_unit_test(whoever_has_a_disk_open_is_named_but_udev),
                cmocka_unit_test(the_head_of_an_nvme_multipath_is_ours),
                cmocka_unit_test(lines_of_mountinfo_are_read_with_any_options),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
