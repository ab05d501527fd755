/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Marks: every door that is there has one, no other file does, and what is gone leaves nothing behind
 */
#include <sys/fanotify.h>
#include <unistd.h>

#include "kernel/scan.h"

#include "daemon/marks.h"

#include "tests/unit/fake-tree.h"

#define FN_PATH "bus/pci/devices/0000:01:00.0/"
#define VF_PATH "bus/pci/devices/0000:01:10.0/"

typedef struct World {
        Tree t;
        Snapshot *s;
        Marks marks;
} World;

static void look(World *w) {
        snapshot_free(w->s);
        w->s = NULL;
        assert_int_equal(scan_all(w->t.k, &w->s), 0);
}

static int set_up(void **state) {
        World *w = calloc(1, sizeof(World));

        if (!w)
                return -1;
        tree_init(&w->t);
        tree_file(&w->t, PF_DIR, "sriov_numvfs", "2\n");
        tree_file(&w->t, PF_DIR, "remove", "");
        tree_file(&w->t, PF_DIR, "driver_override", "");
        tree_file(&w->t, VF_DIR("10.0"), "driver_override", "");
        tree_file(&w->t, "bus/pci", "rescan", "");
        look(w);
        w->marks = (Marks){ .latched = BDF_NONE };
        w->marks.group = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_WRONLY);
        *state = w;
        return 0;
}

static int tear_down(void **state) {
        World *w = *state;

        if (w->marks.group >= 0) {
                marks_clear(&w->marks);
                close(w->marks.group);
        }
        snapshot_free(w->s);
        tree_done(&w->t);
        free(w);
        return 0;
}

/* What the kernel says; -1: this kernel or user may not have any. */
static int count(const World *w) {
        char path[64], line[512];
        int n = 0;
        FILE *f;

        if (w->marks.group < 0)
                return -1;
        snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", w->marks.group);
        f = fopen(path, "re");
        assert_non_null(f);
        while (fgets(line, sizeof(line), f))
                n += startswith(line, "fanotify ino:") != NULL;
        fclose(f);
        return n;
}

static int sync_all(World *w) {
        if (w->marks.group < 0)
                skip();
        return marks_sync(&w->marks, w->t.k, w->s, w->t.root);
}

static void a_door_is_known_by_its_name(void **state) {
        World *w = *state;
        const char *doors[] = { FN_PATH "sriov_numvfs",
                                FN_PATH "remove",
                                VF_PATH "reset",
                                "bus/pci/rescan",
                                "bus/pci/drivers/igb/unbind",
                                "bus/pci/slots/1/power" };
        const char *others[] = { FN_PATH "class", FN_PATH "sriov_totalvfs", "bus/pci", "nothing" };

        for (size_t i = 0; i < ELEMENTSOF(doors); i++)
                assert_true(marks_have(&w->marks, doors[i]));
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                assert_false(marks_have(&w->marks, others[i]));
}

/* By the marks themselves: one that could not be taken away must not be opened either. */
static void a_latch_is_one_as_long_as_it_is_marked(void **state) {
        World *w = *state;
        const char *latches[] = { FN_PATH "driver_override", VF_PATH "driver_override" };

        if (w->marks.group < 0)
                skip();
        for (size_t i = 0; i < ELEMENTSOF(latches); i++)
                assert_false(marks_have(&w->marks, latches[i]));
        assert_int_equal(marks_latch(&w->marks, w->t.k, w->s, w->t.root, PF), 0);
        for (size_t i = 0; i < ELEMENTSOF(latches); i++)
                assert_true(marks_have(&w->marks, latches[i]));
        assert_false(marks_have(&w->marks, "bus/pci/devices/0000:09:00.0/driver_override"));
        w->marks.latched = BDF_NONE;
        assert_true(marks_have(&w->marks, latches[0]));
        assert_int_equal(sync_all(w), 0);
        assert_false(marks_have(&w->marks, latches[0]));
}

static void each_door_that_is_there_is_marked_once(void **state) {
        World *w = *state;

        assert_int_equal(sync_all(w), 0);
        /* The PF's count, remove and reset; the bus's rescan; pciehp's bind. */
        assert_int_equal(w->marks.n, 5);
        assert_int_equal(count(w), 5);
        assert_int_equal(sync_all(w), 0);
        assert_int_equal(count(w), 5);
}

static void latches_come_and_go(void **state) {
        World *w = *state;

        assert_int_equal(sync_all(w), 0);
        assert_int_equal(marks_latch(&w->marks, w->t.k, w->s, w->t.root, PF), 0);
        assert_int_equal(count(w), 5 + 3);
        assert_int_equal(marks_latch(&w->marks, w->t.k, w->s, w->t.root, BDF_NONE), 0);
        assert_int_equal(count(w), 5);
}

/* As in sysfs the inodes outlive the device, for they have marks: only through a descriptor can those be taken away. */
static void take_away(const World *w) {
        char from[PATH_MAX], to[PATH_MAX];

        tree_drop(&w->t, "bus/pci/devices/0000:01:00.0");
        snprintf(from, sizeof(from), "%s/%s", w->t.root, PF_DIR);
        snprintf(to, sizeof(to), "%s/gone", w->t.root);
        assert_int_equal(rename(from, to), 0);
}

static void what_is_gone_loses_its_marks(void **state) {
        World *w = *state;

        assert_int_equal(sync_all(w), 0);
        take_away(w);
        look(w);
        assert_int_equal(sync_all(w), 0);
        assert_int_equal(w->marks.n, 2);
        assert_int_equal(count(w), 2);
}

static void what_is_made_anew_is_marked_anew(void **state) {
        World *w = *state;
        const Mark *mark;
        struct stat st;
        char path[PATH_MAX];

        assert_int_equal(sync_all(w), 0);
        take_away(w);
        tree_function(&w->t, PF_DIR, "0x020000\n", "0x8086\n", "0x10c9\n");
        tree_file(&w->t, PF_DIR, "remove", "");
        look(w);
        assert_int_equal(sync_all(w), 0);
        snprintf(path, sizeof(path), "%s/%s/remove", w->t.root, PF_DIR);
        assert_int_equal(stat(path, &st), 0);
        mark = marks_find_inode(&w->marks, st.st_ino);
        assert_non_null(mark);
        assert_int_equal(mark->place.door, DOOR_REMOVE);
        assert_int_equal(count(w), 3);
}

static void a_door_is_found_by_its_descriptor(void **state) {
        World *w = *state;
        char path[PATH_MAX];
        const Mark *mark;
        int fd, other;

        assert_int_equal(sync_all(w), 0);
        snprintf(path, sizeof(path), "%s/%s/sriov_numvfs", w->t.root, PF_DIR);
        fd = open(path, O_PATH | O_CLOEXEC);
        snprintf(path, sizeof(path), "%s/%s/class", w->t.root, PF_DIR);
        other = open(path, O_PATH | O_CLOEXEC);
        assert_true(fd >= 0 && other >= 0);
        mark = marks_find(&w->marks, fd);
        assert_non_null(mark);
        assert_int_equal(mark->place.door, DOOR_COUNT);
        assert_true(bdf_equal(mark->place.fn, PF));
        assert_string_equal(mark->place.path, FN_PATH "sriov_numvfs");
        assert_null(marks_find(&w->marks, other));
        close(fd);
        close(other);
}

static void what_cannot_be_marked_is_counted_and_told(void **state) {
        World *w = *state;
        Marks broken = { .group = -1, .latched = BDF_NONE };

        assert_int_equal(marks_sync(&broken, w->t.k, w->s, w->t.root), -EBADF);
        assert_int_equal(broken.n_failed, 5);
        assert_int_equal(broken.n, 0);
        marks_clear(&broken);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
                TEST(a_door_is_known_by_its_name),
                TEST(a_latch_is_one_as_long_as_it_is_marked),
                TEST(each_door_that_is_there_is_marked_once),
                TEST(latches_come_and_go),
                TEST(what_is_gone_loses_its_marks),
                TEST(what_is_made_anew_is_marked_anew),
                TEST(a_door_is_found_by_its_descriptor),
                TEST(what_cannot_be_marked_is_counted_and_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
