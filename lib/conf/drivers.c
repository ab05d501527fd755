/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drivers
 *
 * deadlines = ( { driver = "igb"; rung = "vfs-on"; base = 60; per_vf = 5; }, ... );
 */
#include <errno.h>
#include <string.h>

#include <libconfig.h>

#include "base/macro.h"
#include "base/str.h"

#include "conf/drivers.h"
#include "conf/source.h"

#define LIST "deadlines"
#define PER_VF_MAX 600

static const char *const places[] = {
        "/usr/lib/sriovd/drivers.conf",
        "/etc/sriovd/drivers.conf",
};

typedef enum Key {
        KEY_DRIVER,
        KEY_RUNG,
        KEY_BASE,
        KEY_PER_VF,
        _KEY_MAX
} Key;

static const char *const keys[_KEY_MAX] = {
        [KEY_DRIVER] = "driver",
        [KEY_RUNG] = "rung",
        [KEY_BASE] = "base",
        [KEY_PER_VF] = "per_vf",
};

static const char *nth_key(unsigned i) {
        return i < _KEY_MAX ? keys[i] : NULL;
}

static const char *nth_rung(unsigned i) {
        return i < _RUNG_MAX ? rung_to_string((Rung) i) : NULL;
}

static Key find_key(const char *name) {
        Key k = 0;

        while (k < _KEY_MAX && !streq(keys[k], name))
                k++;
        return k;
}

static int take_driver(const char *path, const config_setting_t *setting, PaceRow *row,
                       SettingsError *e) {
        int r = source_string(path, setting, row->driver, sizeof(row->driver), e);

        if (r < 0 || streq(row->driver, "*") || name_is_valid(row->driver))
                return r;
        return source_fail(e, path, config_setting_source_line(setting),
                           "'%s' is no name of a driver", row->driver);
}

static int take_rung(const char *path, const config_setting_t *setting, PaceRow *row,
                     SettingsError *e) {
        char name[NAME_MAX_LENGTH];
        int r = source_string(path, setting, name, sizeof(name), e);

        if (r < 0)
                return r;
        row->rung = rung_from_string(name);
        if (row->rung != _RUNG_MAX)
                return 0;
        return source_fail(e, path, config_setting_source_line(setting),
                           "there is no rung '%s'; did you mean '%s'?", name,
                           source_nearest(name, nth_rung));
}

static int take_key(const char *path, const config_setting_t *setting, PaceRow *row,
                    SettingsError *e) {
        const char *name = config_setting_name(setting);

        switch (find_key(name)) {
        case KEY_DRIVER:
                return take_driver(path, setting, row, e);
        case KEY_RUNG:
                return take_rung(path, setting, row, e);
        case KEY_BASE:
                return source_number(path, setting, 1, PACE_MAX_SEC, &row->base_sec, e);
        case KEY_PER_VF:
                return source_number(path, setting, 0, PER_VF_MAX, &row->per_vf_sec, e);
        default:
                return source_fail(e, path, config_setting_source_line(setting),
                                   "there is no '%s'; did you mean '%s'?", name,
                                   source_nearest(name, nth_key));
        }
}

static int take_row(const char *path, config_setting_t *setting, DriverRows *rows,
                    SettingsError *e) {
        unsigned line = config_setting_source_line(setting);
        PaceRow row = { .rung = _RUNG_MAX };
        int r = 0;

        if (!config_setting_is_group(setting))
                return source_fail(e, path, line, "'" LIST "' has groups in it: { driver = ... }");
        for (unsigned i = 0; r == 0 && i < (unsigned) config_setting_length(setting); i++)
                r = take_key(path, config_setting_get_elem(setting, i), &row, e);
        if (r < 0)
                return r;
        if (row.driver[0] == '\0')
                return source_fail(e, path, line, "no 'driver' is named here; \"*\" means all");
        if (row.base_sec == 0)
                return source_fail(e, path, line, "'base' is missing here");
        if (rows->n == ELEMENTSOF(rows->items))
                return source_fail(e, path, line, "more than %d rows in all", PACE_ROWS_MAX);
        rows->items[rows->n++] = row;
        return 0;
}

static int take_list(const char *path, config_setting_t *setting, DriverRows *rows,
                     SettingsError *e) {
        unsigned line = config_setting_source_line(setting);
        const char *name = config_setting_name(setting);
        int r = 0;

        if (!streq(name, LIST))
                return source_fail(e, path, line, "there is no '%s'; did you mean '" LIST "'?",
                                   name);
        if (!config_setting_is_list(setting))
                return source_fail(e, path, line, "'" LIST "' is a list: ( { ... }, { ... } )");
        for (unsigned i = 0; r == 0 && i < (unsigned) config_setting_length(setting); i++)
                r = take_row(path, config_setting_get_elem(setting, i), rows, e);
        return r;
}

int drivers_read(const char *path, DriverRows *rows, SettingsError *ret_error) {
        size_t n_before = rows->n;
        config_setting_t *root;
        config_t config;
        int r;

        r = source_read(path, &config, ret_error);
        if (r < 0)
                return r;
        root = config_root_setting(&config);
        for (unsigned i = 0; r == 0 && i < (unsigned) config_setting_length(root); i++)
                r = take_list(path, config_setting_get_elem(root, i), rows, ret_error);
        config_destroy(&config);
        if (r < 0)
                rows->n = n_before;
        return r;
}

int drivers_load(DriverRows *ret, SettingsError *ret_error) {
        int first = 0;

        ret->n = 0;
        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                SettingsError error;
                int r = drivers_read(places[i], ret, &error);

                if (r == 0 || r == -ENOENT || first < 0)
                        continue;
                first = r;
                *ret_error = error;
        }
        return first;
}
