/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drivers
 *
 * deadlines = ( { driver = "igb"; rung = "vfs-on"; base = 60; per_vf = 5; }, ... );
 * quirks = ( { driver = "igbvf"; reset_needs_up = true; }, ... );
 */
#include <errno.h>
#include <string.h>

#include <libconfig.h>

#include "base/macro.h"
#include "base/str.h"

#include "conf/drivers.h"
#include "conf/source.h"

#define PER_VF_MAX 600

static const char *const places[] = {
        "/usr/lib/sriovd/drivers.conf",
        "/etc/sriovd/drivers.conf",
};

/* One row while it is read: of either list. */
typedef struct Draft {
        const char *path;
        char driver[NAME_MAX_LENGTH];
        PaceRow pace;
        uint32_t flags;
        SettingsError *error;
} Draft;

typedef int (*Take)(const config_setting_t *setting, Draft *d);

typedef struct Key {
        const char *name;
        Take take;
} Key;

static const char *nth_rung(unsigned i) {
        return i < _RUNG_MAX ? rung_to_string((Rung) i) : NULL;
}

static int take_driver(const config_setting_t *setting, Draft *d) {
        int r = source_string(d->path, setting, d->driver, sizeof(d->driver), d->error);

        if (r < 0 || streq(d->driver, "*") || name_is_valid(d->driver))
                return r;
        return source_fail(d->error, d->path, config_setting_source_line(setting),
                           "'%s' is no name of a driver", d->driver);
}

static int take_rung(const config_setting_t *setting, Draft *d) {
        char name[NAME_MAX_LENGTH];
        int r = source_string(d->path, setting, name, sizeof(name), d->error);

        if (r < 0)
                return r;
        d->pace.rung = rung_from_string(name);
        if (d->pace.rung != _RUNG_MAX)
                return 0;
        return source_fail(d->error, d->path, config_setting_source_line(setting),
                           "there is no rung '%s'; did you mean '%s'?", name,
                           source_nearest(name, nth_rung));
}

static int take_base(const config_setting_t *setting, Draft *d) {
        return source_number(d->path, setting, 1, PACE_MAX_SEC, &d->pace.base_sec, d->error);
}

static int take_per_vf(const config_setting_t *setting, Draft *d) {
        return source_number(d->path, setting, 0, PER_VF_MAX, &d->pace.per_vf_sec, d->error);
}

static const struct {
        const char *name;
        uint32_t flag;
} flags[] = {
        { "reset_needs_up", QUIRK_RESET_NEEDS_UP },
        { "vfs_need_up", QUIRK_VFS_NEED_UP },
        { "eswitch_after_vfs", QUIRK_ESWITCH_AFTER_VFS },
        { "eswitch_unbinds_vfs", QUIRK_ESWITCH_UNBINDS_VFS },
        { "keep_autoprobe", QUIRK_KEEP_AUTOPROBE },
        { "eswitch_without_vfs", QUIRK_ESWITCH_WITHOUT_VFS },
};

/* Its key says which. */
static int take_flag(const config_setting_t *setting, Draft *d) {
        bool is;
        int r = source_bool(d->path, setting, &is, d->error);

        for (size_t i = 0; r >= 0 && is && i < ELEMENTSOF(flags); i++)
                if (streq(flags[i].name, config_setting_name(setting)))
                        d->flags |= flags[i].flag;
        return r;
}

static int add_deadline(const Draft *d, unsigned line, DriverRows *rows) {
        if (d->pace.base_sec == 0)
                return source_fail(d->error, d->path, line, "'base' is missing here");
        if (rows->n == ELEMENTSOF(rows->items))
                return source_fail(d->error, d->path, line, "more than %d rows in all",
                                   PACE_ROWS_MAX);
        rows->items[rows->n] = d->pace;
        memcpy(rows->items[rows->n++].driver, d->driver, sizeof(d->driver));
        return 0;
}

static int add_quirk(const Draft *d, unsigned line, DriverRows *rows) {
        Quirks *q = &rows->quirks;

        if (streq(d->driver, "*"))
                return source_fail(d->error, d->path, line, "a quirk is one driver's, not all");
        if (q->n == ELEMENTSOF(q->items))
                return source_fail(d->error, d->path, line, "more than %d quirks in all",
                                   QUIRKS_MAX);
        q->items[q->n].flags = d->flags;
        memcpy(q->items[q->n++].driver, d->driver, sizeof(d->driver));
        return 0;
}

static const Key deadline_keys[] = {
        { "driver", take_driver },
        { "rung", take_rung },
        { "base", take_base },
        { "per_vf", take_per_vf },
        {},
};

static const Key quirk_keys[] = {
        { "driver", take_driver },
        { "reset_needs_up", take_flag },
        { "vfs_need_up", take_flag },
        { "eswitch_after_vfs", take_flag },
        { "eswitch_unbinds_vfs", take_flag },
        { "keep_autoprobe", take_flag },
        { "eswitch_without_vfs", take_flag },
        {},
};

static const struct {
        const char *name;
        const Key *keys;
        int (*add)(const Draft *d, unsigned line, DriverRows *rows);
} lists[] = {
        { "deadlines", deadline_keys, add_deadline },
        { "quirks", quirk_keys, add_quirk },
};

static const char *nth_list(unsigned i) {
        return i < ELEMENTSOF(lists) ? lists[i].name : NULL;
}

static const char *nth_deadline_key(unsigned i) {
        return deadline_keys[i].name;
}

static const char *nth_quirk_key(unsigned i) {
        return quirk_keys[i].name;
}

static int take_key(const config_setting_t *setting, const Key *keys, Draft *d) {
        const char *name = config_setting_name(setting);

        for (const Key *k = keys; k->name; k++)
                if (streq(k->name, name))
                        return k->take(setting, d);
        return source_fail(
                d->error, d->path, config_setting_source_line(setting),
                "there is no '%s'; did you mean '%s'?", name,
                source_nearest(name, keys == quirk_keys ? nth_quirk_key : nth_deadline_key));
}

static int take_row(const char *path, config_setting_t *setting, size_t list, DriverRows *rows,
                    SettingsError *e) {
        unsigned line = config_setting_source_line(setting);
        Draft d = { .path = path, .pace.rung = _RUNG_MAX, .error = e };
        int r = 0;

        if (!config_setting_is_group(setting))
                return source_fail(e, path, line, "'%s' has groups in it: { driver = ... }",
                                   lists[list].name);
        for (unsigned i = 0; r == 0 && i < (unsigned) config_setting_length(setting); i++)
                r = take_key(config_setting_get_elem(setting, i), lists[list].keys, &d);
        if (r < 0)
                return r;
        if (d.driver[0] == '\0')
                return source_fail(e, path, line, "no 'driver' is named here%s",
                                   lists[list].keys == deadline_keys ? "; \"*\" means all" : "");
        return lists[list].add(&d, line, rows);
}

static int take_list(const char *path, config_setting_t *setting, void *userdata,
                     SettingsError *e) {
        unsigned line = config_setting_source_line(setting);
        const char *name = config_setting_name(setting);
        size_t list = 0;
        int r = 0;

        while (list < ELEMENTSOF(lists) && !streq(lists[list].name, name))
                list++;
        if (list == ELEMENTSOF(lists))
                return source_fail(e, path, line, "there is no '%s'; did you mean '%s'?", name,
                                   source_nearest(name, nth_list));
        if (!config_setting_is_list(setting))
                return source_fail(e, path, line, "'%s' is a list: ( { ... }, { ... } )", name);
        for (unsigned i = 0; r == 0 && i < (unsigned) config_setting_length(setting); i++)
                r = take_row(path, config_setting_get_elem(setting, i), list, userdata, e);
        return r;
}

int drivers_read(const char *path, DriverRows *rows, SettingsError *ret_error) {
        size_t n_before = rows->n, n_quirks = rows->quirks.n;
        int r = source_each(path, take_list, rows, ret_error);

        if (r < 0) {
                rows->n = n_before;
                rows->quirks.n = n_quirks;
        }
        return r;
}

int drivers_load(DriverRows *ret, SettingsError *ret_error) {
        int first = 0;

        ret->n = ret->quirks.n = 0;
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
