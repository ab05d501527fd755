/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drivers: which rows a data file gives, and what is told to whoever wrote it
 */
#include "tests/unit/test.h"

#include <unistd.h>

#include "conf/drivers.h"

#define FILE_NAME "drivers.conf"
#define ROW "deadlines = ( { driver = \"igb\"; base = 60; } );"

static char directory[] = "/tmp/sriovd-drivers-XXXXXX";
static char path[sizeof(directory) + sizeof(FILE_NAME) + 1];

static int make_directory(void **state) {
        (void) state;
        if (!mkdtemp(directory))
                return -1;
        snprintf(path, sizeof(path), "%s/%s", directory, FILE_NAME);
        return 0;
}

static int remove_directory(void **state) {
        (void) state;
        unlink(path);
        return rmdir(directory);
}

static void write_text(const char *text) {
        _cleanup_fclose_ FILE *f = fopen(path, "we");

        assert_non_null(f);
        assert_true(fputs(text, f) >= 0);
        assert_int_equal(fflush(f), 0);
}

static int read_rows(const char *text, DriverRows *rows, SettingsError *e) {
        write_text(text);
        return drivers_read(path, rows, e);
}

static void a_row_says_how_long_a_driver_may_take(void **state) {
        DriverRows rows = {};
        SettingsError e;

        (void) state;
        assert_int_equal(
                read_rows("deadlines = (\n"
                          "  { driver = \"igb\"; rung = \"vfs-on\"; base = 61; per_vf = 5; },\n"
                          "  { driver = \"*\"; base = 3600; }\n);\n",
                          &rows, &e),
                0);
        assert_int_equal(rows.n, 2);
        assert_string_equal(rows.items[0].driver, "igb");
        assert_int_equal(rows.items[0].rung, RUNG_VFS_ON);
        assert_int_equal(rows.items[0].base_sec, 61);
        assert_int_equal(rows.items[0].per_vf_sec, 5);
        assert_string_equal(rows.items[1].driver, "*");
        assert_int_equal(rows.items[1].rung, _RUNG_MAX);
        assert_int_equal(rows.items[1].base_sec, 3600);
        assert_int_equal(rows.items[1].per_vf_sec, 0);
}

static void a_later_file_comes_behind_an_earlier_one(void **state) {
        Step step = { .rung = RUNG_VFS_ON, .n = 2, .was = "igb" };
        Pace pace = { .factor = 1 };
        DriverRows rows = {};
        SettingsError e;

        (void) state;
        assert_int_equal(read_rows("deadlines = ( { driver = \"igb\"; base = 10; per_vf = 1; } );",
                                   &rows, &e),
                         0);
        assert_int_equal(read_rows("deadlines = ( { driver = \"igb\"; base = 20; per_vf = 2; } );",
                                   &rows, &e),
                         0);
        memcpy(pace.rows, rows.items, sizeof(rows.items));
        pace.n_rows = rows.n;
        assert_int_equal(pace_deadline_sec(&pace, &step), 24);
}

static void a_file_that_is_not_there_is_told_apart(void **state) {
        DriverRows rows = {};
        SettingsError e;

        (void) state;
        assert_int_equal(drivers_read("/nowhere/drivers.conf", &rows, &e), -ENOENT);
        assert_int_equal(drivers_read(directory, &rows, &e), -EISDIR);
        assert_non_null(strstr(e.text, directory));
}

static void every_mistake_is_told_with_its_line_and_gives_no_row(void **state) {
        static const struct {
                const char *text, *line, *words;
        } mistakes[] = {
                { "\ndeadline = ( );", ":2: ", "did you mean 'deadlines'" },
                { "deadlines = 5;", ":1: ", "is a list" },
                { "deadlines = { a = 1; };", ":1: ", "is a list" },
                { "deadlines = (\n 5 );", ":2: ", "has groups in it" },
                { "deadlines = (\n\n { } );", ":3: ", "no 'driver'" },
                { "deadlines = (\n { base = 5; } );", ":2: ", "no 'driver'" },
                { "deadlines = (\n { driver = \"igb\"; } );", ":2: ", "'base' is missing" },
                { ROW "\ndeadlines = ( );", ":2: ", "" },
                { "deadlines = ( { driver = \"igb\";\n base = 60; },\n{ driver = \"ice\";\n bsae = "
                  "60; } );",
                  ":4: ", "did you mean 'base'" },
                { "deadlines = ( { driver = \"igb\"; base = 60;\n rung = \"vfs_on\"; } );",
                  ":2: ", "did you mean 'vfs-on'" },
                { "deadlines = ( { driver = \"igb\"; base = 60; rung = 5; } );",
                  ":1: ", "a string" },
                { "deadlines = ( { driver = 5; base = 60; } );", ":1: ", "a string" },
                { "deadlines = ( { driver = \"\"; base = 60; } );", ":1: ", "letters" },
                { "deadlines = ( { driver = \"a b\"; base = 60; } );",
                  ":1: ", "no name of a driver" },
                { "deadlines = ( { driver = \"../x\"; base = 60; } );",
                  ":1: ", "no name of a driver" },
                { "deadlines = ( { driver = \"igb\"; base = 0; } );", ":1: ", "1 to 3600" },
                { "deadlines = ( { driver = \"igb\"; base = 3601; } );", ":1: ", "1 to 3600" },
                { "deadlines = ( { driver = \"igb\"; base = -1; } );", ":1: ", "1 to 3600" },
                { "deadlines = ( { driver = \"igb\"; base = \"60\"; } );", ":1: ", "is a number" },
                { "deadlines = ( { driver = \"igb\"; base = 1.5; } );", ":1: ", "is a number" },
                { "deadlines = ( { driver = \"igb\"; base = 060; } );", ":1: ", "begins with 0" },
                { "deadlines = ( { driver = \"igb\"; base = 4294967300; } );",
                  ":1: ", "out of range" },
                { "deadlines = ( { driver = \"igb\"; base = 1; per_vf = 601; } );",
                  ":1: ", "0 to 600" },
                { "@include \"/etc\"", ":1: ", "not allowed" },
                { "deadlines = ( {", ":1: ", "syntax error" },
                { "quirk = ( );", ":1: ", "did you mean 'quirks'" },
                { "quirks = (\n { } );", ":2: ", "no 'driver'" },
                { "quirks = ( { driver = \"*\"; } );", ":1: ", "one driver's" },
                { "quirks = ( { driver = \"a\";\n reset_needs = true; } );",
                  ":2: ", "did you mean 'reset_needs_up'" },
                { "quirks = ( { driver = \"a\";\n reset_needs_up = 1; } );",
                  ":2: ", "true or false" },
                { "quirks = ( { driver = \"a\"; base = 5; } );", ":1: ", "there is no 'base'" },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(mistakes); i++) {
                DriverRows rows = { .n = 1 };
                SettingsError e;

                assert_int_equal(read_rows(mistakes[i].text, &rows, &e), -EBADMSG);
                assert_non_null(startswith(e.text, path));
                assert_non_null(strstr(e.text, mistakes[i].line));
                assert_non_null(strstr(e.text, mistakes[i].words));
                assert_int_equal(rows.n, 1);
                assert_int_equal(rows.quirks.n, 0);
        }
}

static void a_quirk_is_one_drivers(void **state) {
        DriverRows rows = {};
        SettingsError e;

        (void) state;
        assert_int_equal(read_rows("quirks = ( { driver = \"igbvf\"; reset_needs_up = true; } );",
                                   &rows, &e),
                         0);
        assert_int_equal(quirks_of(&rows.quirks, "igbvf"), QUIRK_RESET_NEEDS_UP);
        assert_int_equal(quirks_of(&rows.quirks, "igb"), 0);
        assert_int_equal(quirks_of(NULL, "igbvf"), 0);
        /* The host's own file comes behind. */
        assert_int_equal(read_rows("quirks = ( { driver = \"igbvf\"; reset_needs_up = false; } );",
                                   &rows, &e),
                         0);
        assert_int_equal(quirks_of(&rows.quirks, "igbvf"), 0);
}

static void each_quirk_has_its_key(void **state) {
        static const struct {
                const char *key;
                uint32_t flag;
        } rows[] = {
                { "reset_needs_up", QUIRK_RESET_NEEDS_UP },
                { "vfs_need_up", QUIRK_VFS_NEED_UP },
                { "eswitch_after_vfs", QUIRK_ESWITCH_AFTER_VFS },
                { "eswitch_unbinds_vfs", QUIRK_ESWITCH_UNBINDS_VFS },
                { "keep_autoprobe", QUIRK_KEEP_AUTOPROBE },
                { "eswitch_without_vfs", QUIRK_ESWITCH_WITHOUT_VFS },
        };
        DriverRows all = {};
        SettingsError e;

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                DriverRows one = {};
                char text[128];

                snprintf(text, sizeof(text), "quirks = ( { driver = \"a\"; %s = true; } );",
                         rows[i].key);
                assert_int_equal(read_rows(text, &one, &e), 0);
                assert_int_equal(quirks_of(&one.quirks, "a"), rows[i].flag);
        }
        assert_int_equal(read_rows("quirks = ( { driver = \"a\"; keep_autoprobe = true;\n"
                                   "vfs_need_up = true; eswitch_after_vfs = false; } );",
                                   &all, &e),
                         0);
        assert_int_equal(quirks_of(&all.quirks, "a"), QUIRK_KEEP_AUTOPROBE | QUIRK_VFS_NEED_UP);
}

static void quirks_are_bounded(void **state) {
        DriverRows rows = { .quirks.n = QUIRKS_MAX };
        SettingsError e;

        (void) state;
        assert_int_equal(read_rows("quirks = ( { driver = \"a\"; } );", &rows, &e), -EBADMSG);
        assert_non_null(strstr(e.text, "more than"));
        assert_int_equal(rows.quirks.n, QUIRKS_MAX);
}

static void rows_are_bounded(void **state) {
        DriverRows rows = { .n = PACE_ROWS_MAX - 1 };
        SettingsError e;

        (void) state;
        assert_int_equal(read_rows(ROW, &rows, &e), 0);
        assert_int_equal(rows.n, PACE_ROWS_MAX);
        assert_int_equal(read_rows(ROW, &rows, &e), -EBADMSG);
        assert_non_null(strstr(e.text, "more than"));
        assert_int_equal(rows.n, PACE_ROWS_MAX);
}

/* Nothing of it is below the daemon's own figures, which hold where there is no row. No driver's time is a rescan's. */
static void the_shipped_file_is_right_and_generous(void **state) {
        const char *shipped = getenv("DRIVERS_CONF");
        DriverRows rows = {};
        SettingsError e;

        (void) state;
        if (!shipped)
                skip();
        assert_int_equal(drivers_read(shipped, &rows, &e), 0);
        assert_true(rows.n > 0);
        assert_int_equal(quirks_of(&rows.quirks, "igbvf"), QUIRK_RESET_NEEDS_UP);
        assert_int_equal(quirks_of(&rows.quirks, "bnxt_en"),
                         QUIRK_VFS_NEED_UP | QUIRK_ESWITCH_AFTER_VFS);
        assert_int_equal(quirks_of(&rows.quirks, "mlx5_core"), QUIRK_ESWITCH_UNBINDS_VFS);
        for (PaceRow *row = rows.items; row < rows.items + rows.n; row++) {
                for (Rung rung = 0; rung < _RUNG_MAX; rung++)
                        if (rung != RUNG_RESCAN && (row->rung == _RUNG_MAX || row->rung == rung))
                                assert_true(row->base_sec >= rung_base_sec(rung));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_row_says_how_long_a_driver_may_take),
                cmocka_unit_test(a_later_file_comes_behind_an_earlier_one),
                cmocka_unit_test(a_file_that_is_not_there_is_told_apart),
                cmocka_unit_test(every_mistake_is_told_with_its_line_and_gives_no_row),
                cmocka_unit_test(a_quirk_is_one_drivers),
                cmocka_unit_test(each_quirk_has_its_key),
                cmocka_unit_test(quirks_are_bounded),
                cmocka_unit_test(rows_are_bounded),
                cmocka_unit_test(the_shipped_file_is_right_and_generous),
        };

        return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
