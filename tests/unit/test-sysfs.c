/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The seam on files: each call is what kernel.h says of it, and gives the errno of the system call
 */
#include <pthread.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include "kernel/attr.h"
#include "kernel/module.h"
#include "kernel/udev.h"

#include "tests/unit/fake-tree.h"

#define NOBODY 65534

static void a_directory_lists_its_names(void **state) {
        char **names = NULL;
        Tree t;

        (void) state;
        tree_init(&t);
        assert_int_equal(t.k->list(t.k, "bus/pci/devices", &names), 0);
        strv_sort(names);
        assert_int_equal(strv_length(names), 4);
        assert_string_equal(names[0], "0000:00:01.0");
        assert_string_equal(names[3], "0000:01:10.2");
        strv_free(names);
        names = NULL;
        assert_int_equal(t.k->list(t.k, "bus/isa", &names), -ENOENT);
        assert_int_equal(t.k->list(t.k, PF_DIR "/class", &names), -ENOTDIR);
        assert_null(names);
        tree_done(&t);
}

static void a_large_directory_is_listed_whole(void **state) {
        char **names = NULL, path[64];
        Tree t;

        (void) state;
        tree_init(&t);
        for (unsigned i = 0; i < 3000; i++) {
                snprintf(path, sizeof(path), "virtfn%u", i);
                tree_link(&t, "large", path, "nowhere");
        }
        assert_int_equal(t.k->list(t.k, "large", &names), 0);
        assert_int_equal(strv_length(names), 3000);
        strv_free(names);
        tree_done(&t);
}

static void reading_takes_one_newline_off(void **state) {
        char text[8];
        Tree t;

        (void) state;
        tree_init(&t);
        assert_int_equal(t.k->read(t.k, PF_DIR "/sriov_totalvfs", text, sizeof(text)), 1);
        assert_string_equal(text, "7");
        tree_file(&t, PF_DIR, "two", "ab\n\n");
        assert_int_equal(t.k->read(t.k, PF_DIR "/two", text, sizeof(text)), 3);
        tree_file(&t, PF_DIR, "long", "0123456789");
        assert_int_equal(t.k->read(t.k, PF_DIR "/long", text, sizeof(text)), 7);
        assert_string_equal(text, "0123456");
        assert_int_equal(t.k->read(t.k, PF_DIR "/reset", text, sizeof(text)), 0);
        assert_string_equal(text, "");
        assert_int_equal(t.k->read(t.k, PF_DIR "/none", text, sizeof(text)), -ENOENT);
        assert_int_equal(t.k->read(t.k, PF_DIR, text, sizeof(text)), -EISDIR);
        tree_done(&t);
}

/* No NUL, no newline added, nothing truncated, nothing created. */
static void writing_is_one_write_of_the_text(void **state) {
        char text[32];
        Tree t;

        (void) state;
        tree_init(&t);
        tree_file(&t, PF_DIR, "sriov_numvfs", "....");
        assert_int_equal(t.k->write(t.k, ATTR_FN(ATTR_NUMVFS, BDF(1, 0, 0)), "12"), 0);
        assert_int_equal(t.k->read(t.k, PF_DIR "/sriov_numvfs", text, sizeof(text)), 4);
        assert_string_equal(text, "12..");
        assert_int_equal(t.k->write(t.k, PF_DIR "/none", "1"), -ENOENT);
        assert_int_equal(t.k->read(t.k, PF_DIR "/none", text, sizeof(text)), -ENOENT);
        tree_done(&t);
}

/* /dev/full takes no byte: the errno of write() comes through, not what close() leaves behind. */
static void the_errno_of_a_write_survives_its_close(void **state) {
        Kernel *k = sysfs_open(&(Roots){ "/", "/dev", "/proc", "/nonexistent", NULL });

        (void) state;
        assert_non_null(k);
        assert_int_equal(k->write(k, "dev/full", "1"), -ENOSPC);
        k->free(k);
}

static void a_link_tells_its_last_component(void **state) {
        char name[16], small[4];
        Tree t;

        (void) state;
        tree_init(&t);
        assert_true(t.k->link(t.k, PF_DIR "/driver", name, sizeof(name)) >= 0);
        assert_string_equal(name, "igb");
        tree_link(&t, PF_DIR, "dangling", "devices/pci0000:00/none");
        assert_true(t.k->link(t.k, PF_DIR "/dangling", name, sizeof(name)) >= 0);
        assert_string_equal(name, "none");
        assert_int_equal(t.k->link(t.k, PF_DIR "/dangling", small, sizeof(small)), -ENAMETOOLONG);
        assert_int_equal(t.k->link(t.k, PF_DIR "/none", name, sizeof(name)), -ENOENT);
        assert_int_equal(t.k->link(t.k, PF_DIR "/class", name, sizeof(name)), -EINVAL);
        tree_done(&t);
}

static void a_path_is_where_the_links_lead(void **state) {
        char path[PATH_MAX], small[8];
        Tree t;

        (void) state;
        tree_init(&t);
        assert_true(t.k->path(t.k, "bus/pci/devices/0000:01:00.0", path, sizeof(path)) >= 0);
        assert_string_equal(path, PF_DIR);
        assert_true(t.k->path(t.k, "bus/pci/devices/0000:01:10.0/physfn", path, sizeof(path)) >= 0);
        assert_string_equal(path, PF_DIR);
        assert_int_equal(t.k->path(t.k, "bus/pci/devices/0000:01:00.0", small, sizeof(small)),
                         -ENAMETOOLONG);
        assert_int_equal(t.k->path(t.k, "bus/pci/devices/0000:02:00.0", path, sizeof(path)),
                         -ENOENT);
        tree_link(&t, PF_DIR, "outside", "../../etc");
        assert_true(t.k->path(t.k, PF_DIR "/outside", path, sizeof(path)) < 0);
        tree_done(&t);
}

static void a_directory_made_anew_has_another_identity(void **state) {
        const char *path = "bus/pci/devices/0000:01:10.0";
        uint64_t before, same, after;
        Tree t;

        (void) state;
        tree_init(&t);
        assert_int_equal(t.k->identity(t.k, path, &before), 0);
        assert_int_equal(t.k->identity(t.k, path, &same), 0);
        assert_int_equal(same, before);
        tree_dir(&t,
                 "devices/pci0000:00/other"); /* so that the number is not taken again at once */
        tree_drop(&t, VF_DIR("10.0"));
        assert_int_equal(t.k->identity(t.k, path, &after), -ENOENT);
        tree_dir(&t, "devices/pci0000:00/more");
        tree_dir(&t, VF_DIR("10.0"));
        assert_int_equal(t.k->identity(t.k, path, &after), 0);
        assert_int_not_equal(after, before);
        tree_done(&t);
}

static void a_group_is_a_node_of_vfio(void **state) {
        int fd = -EBADF;
        Tree t;

        (void) state;
        tree_init(&t);
        tree_file(&t, "dev/vfio", "12", "");
        tree_file(&t, "dev/vfio", "noiommu-13", "");
        assert_int_equal(t.k->open_group(t.k, 12, &fd), 0);
        assert_true(fd >= 0);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        close(fd);
        assert_int_equal(t.k->open_group(t.k, 13, &fd), 0);
        close(fd);
        assert_int_equal(t.k->open_group(t.k, 14, &fd), -ENOENT);
        tree_done(&t);
}

static void a_root_that_is_not_there_is_an_error(void **state) {
        (void) state;
        errno = 0;
        assert_null(sysfs_open(&(Roots){ "/nonexistent", "/dev", "/proc", "", NULL }));
        assert_int_equal(errno, ENOENT);
}

static void a_module_that_nobody_has_is_enoent(void **state) {
        int r;

        (void) state;
        assert_int_equal(module_load("sriovd-no-such-module"), -ENOENT);
        r = module_unload("sriovd_no_such_module");
        assert_true(r == -ENOENT || r == -EPERM || r == -ENOSYS);
}

static void an_event_is_about_the_innermost_function(void **state) {
        Bdf bdf;

        (void) state;
        assert_true(watch_parse_devpath("/" PF_DIR, &bdf));
        assert_true(bdf_equal(bdf, BDF(1, 0, 0)));
        assert_true(watch_parse_devpath("/" PF_DIR "/net/enp1s0f0", &bdf));
        assert_true(bdf_equal(bdf, BDF(1, 0, 0)));
        assert_true(watch_parse_devpath("/" PORT_DIR "/0000:00:01.0:pcie004", &bdf));
        assert_true(bdf_equal(bdf, BDF(0, 1, 0)));
        assert_true(watch_parse_devpath("/devices/pci0000:00/0000:00:03.0/virtio0/net/eth0", &bdf));
        assert_true(bdf_equal(bdf, BDF(0, 3, 0)));
        assert_false(watch_parse_devpath("/devices/virtual/net/lo", &bdf));
        assert_false(watch_parse_devpath("", &bdf));
}

static void a_watch_says_nothing_when_nothing_happens(void **state) {
        KernelEvent event;
        Tree t;
        int fd;

        (void) state;
        tree_init(&t);
        assert_int_equal(t.k->next_event(t.k, &event), 0);
        if (t.k->watch(t.k, &fd) < 0) {
                tree_done(&t);
                skip(); /* no netlink in this sandbox */
        }
        assert_true(fd >= 0);
        assert_true(t.k->next_event(t.k, &event) >= 0);
        tree_done(&t);
}

static bool is_count(void *userdata, const char *path) {
        ++*(unsigned *) userdata;
        return strstr(path, "sriov_numvfs") != NULL;
}

/* Whoever hears of opens and opens such a file waits for itself. */
static void a_door_is_never_opened(void **state) {
        unsigned asked = 0;
        char text[8];
        Tree t;

        (void) state;
        tree_init(&t);
        tree_file(&t, PF_DIR, "sriov_numvfs", "2\n");
        t.k->is_door = is_count;
        t.k->is_door_userdata = &asked;
        assert_int_equal(t.k->read(t.k, PF_DIR "/sriov_numvfs", text, sizeof(text)), -EDEADLK);
        assert_int_equal(t.k->write(t.k, PF_DIR "/sriov_numvfs", "0"), -EDEADLK);
        assert_int_equal(asked, 2);
        assert_int_equal(t.k->read(t.k, PF_DIR "/sriov_totalvfs", text, sizeof(text)), 1);
        t.k->is_door = NULL;
        assert_int_equal(t.k->read(t.k, PF_DIR "/sriov_numvfs", text, sizeof(text)), 1);
        assert_string_equal(text, "2");
        tree_done(&t);
}

static mode_t mode_of(const Tree *t, const char *file) {
        char path[PATH_MAX];
        struct stat st;

        snprintf(path, sizeof(path), "%s/%s", t->root, file);
        assert_int_equal(stat(path, &st), 0);
        return st.st_mode & 07777;
}

/* An exclusive gate took the w: it is there for the moment of our own open, and gone again. */
static void a_locked_door_is_locked_again_after_our_write(void **state) {
        char path[PATH_MAX], text[8];
        Tree t;

        (void) state;
        tree_init(&t);
        tree_file(&t, PF_DIR, "sriov_numvfs", "2\n");
        snprintf(path, sizeof(path), "%s/%s", t.root, PF_DIR "/sriov_numvfs");
        assert_int_equal(chmod(path, 0444), 0);
        t.k->unlocks = true;
        assert_int_equal(t.k->write(t.k, PF_DIR "/sriov_numvfs", "0\n"), 0);
        assert_int_equal(mode_of(&t, PF_DIR "/sriov_numvfs"), 0444);
        assert_int_equal(t.k->read(t.k, PF_DIR "/sriov_numvfs", text, sizeof(text)), 1);
        assert_string_equal(text, "0");
        tree_done(&t);
}

typedef struct Unlocker {
        Tree *tree;
        pthread_barrier_t *begin;
        unsigned n_failed;
} Unlocker;

/* Root is held up by no mode of a plain file's, as he is by one of sysfs: so without root's rights to files. */
static void *unlock_and_write(void *userdata) {
        Unlocker *u = userdata;

        setfsuid(NOBODY);
        pthread_barrier_wait(u->begin);
        for (unsigned i = 0; i < 500; i++)
                u->n_failed += u->tree->k->write(u->tree->k, PF_DIR "/sriov_numvfs", "0\n") < 0;
        return NULL;
}

/* Each locks it behind itself, and finds another one's w in the mode. */
static void unlock_side_by_side(Tree *t) {
        Unlocker all[3];
        pthread_t threads[ELEMENTSOF(all)];
        pthread_barrier_t begin;

        assert_int_equal(pthread_barrier_init(&begin, NULL, ELEMENTSOF(all)), 0);
        for (size_t i = 0; i < ELEMENTSOF(all); i++) {
                all[i] = (Unlocker){ .tree = t, .begin = &begin };
                assert_int_equal(pthread_create(threads + i, NULL, unlock_and_write, all + i), 0);
        }
        for (size_t i = 0; i < ELEMENTSOF(all); i++) {
                assert_int_equal(pthread_join(threads[i], NULL), 0);
                assert_int_equal(all[i].n_failed, 0);
        }
        assert_int_equal(mode_of(t, PF_DIR "/sriov_numvfs"), 0444);
}

static void children_that_unlock_one_door_side_by_side_leave_it_locked(void **state) {
        char path[PATH_MAX];
        Tree t;

        (void) state;
        if (geteuid() != 0)
                skip();
        tree_init(&t);
        snprintf(path, sizeof(path), "%s/%s", t.root, PF_DIR "/sriov_numvfs");
        tree_file(&t, PF_DIR, "sriov_numvfs", "2\n");
        assert_int_equal(chmod(t.root, 0755), 0);
        assert_int_equal(chown(path, NOBODY, NOBODY), 0);
        assert_int_equal(chmod(path, 0444), 0);
        t.k->unlocks = true;
        for (size_t i = 0; i < 20; i++)
                unlock_side_by_side(&t);
        tree_done(&t);
}

/* As systemd's udev keeps it: one file a device, by its number where it is a net device. */
static void initialized_is_what_udev_has_a_file_of(void **state) {
        Bdf pf = BDF(1, 0, 0);
        Tree t;

        (void) state;
        tree_init(&t);
        tree_file(&t, PF_DIR "/net/enp1s0f0", "ifindex", "12\n");
        assert_int_equal(t.k->initialized(t.k, pf), KERNEL_NO_UDEV);
        tree_file(&t, "udev", "control", "");
        assert_int_equal(t.k->initialized(t.k, pf), 0);
        tree_file(&t, "udev/data", "+pci:0000:01:00.0", "");
        assert_int_equal(t.k->initialized(t.k, pf), 0);
        tree_file(&t, "udev/data", "n1", "");
        assert_int_equal(t.k->initialized(t.k, pf), 0);
        tree_file(&t, "udev/data", "n12", "");
        assert_int_equal(t.k->initialized(t.k, pf), KERNEL_UDEV_IDLE);
        tree_file(&t, "udev", "queue", "");
        assert_int_equal(t.k->initialized(t.k, pf), 1);
        tree_file(&t, PF_DIR "/net/eth1", "ifindex", "13\n");
        assert_int_equal(t.k->initialized(t.k, pf), 0);
        tree_done(&t);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_directory_lists_its_names),
                cmocka_unit_test(a_large_directory_is_listed_whole),
                cmocka_unit_test(reading_takes_one_newline_off),
                cmocka_unit_test(writing_is_one_write_of_the_text),
                cmocka_unit_test(the_errno_of_a_write_survives_its_close),
                cmocka_unit_test(a_link_tells_its_last_component),
                cmocka_unit_test(a_path_is_where_the_links_lead),
                cmocka_unit_test(a_directory_made_anew_has_another_identity),
                cmocka_unit_test(a_group_is_a_node_of_vfio),
                cmocka_unit_test(a_root_that_is_not_there_is_an_error),
                cmocka_unit_test(a_module_that_nobody_has_is_enoent),
                cmocka_unit_test(an_event_is_about_the_innermost_function),
                cmocka_unit_test(a_watch_says_nothing_when_nothing_happens),
                cmocka_unit_test(a_door_is_never_opened),
                cmocka_unit_test(a_locked_door_is_locked_again_after_our_write),
                cmocka_unit_test(children_that_unlock_one_door_side_by_side_leave_it_locked),
                cmocka_unit_test(initialized_is_what_udev_has_a_file_of),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
