/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings
 *
 * One table has all keys with their ranges.
 */
#include <errno.h>
#include <stddef.h>

#include <libconfig.h>

#include "base/macro.h"
#include "base/str.h"

#include "conf/settings.h"
#include "conf/source.h"

typedef struct Key {
        const char *name;
        uint32_t min, max;
        size_t offset;
} Key;

static const Key keys[] = {
        { "deadline_factor", 1, 100, offsetof(Settings, deadline_factor) },
        { "fan_out", 1, 16, offsetof(Settings, fan_out) },
        { "ended_jobs", 1, 256, offsetof(Settings, ended_jobs) },
        { "ended_minutes", 1, 1440, offsetof(Settings, ended_minutes) },
};

static const char *const places[] = {
        "/etc/sriovd/sriovd.conf",
        "/run/sriovd/sriovd.conf",
        "/usr/lib/sriovd/sriovd.conf",
};

static const Key *find_key(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                if (streq(keys[i].name, name))
                        return keys + i;
        return NULL;
}

static const char *nth_key(unsigned i) {
        return i < ELEMENTSOF(keys) ? keys[i].name : NULL;
}

static int take(const char *path, config_setting_t *setting, void *userdata, SettingsError *e) {
        const char *name = config_setting_name(setting);
        const Key *key = find_key(name);

        if (!key)
                return source_fail(e, path, config_setting_source_line(setting),
                                   "there is no '%s'; did you mean '%s'?", name,
                                   source_nearest(name, nth_key));
        return source_number(path, setting, key->min, key->max,
                             (uint32_t *) ((char *) userdata + key->offset), e);
}

int settings_read(const char *path, Settings *ret, SettingsError *ret_error) {
        Settings s = SETTINGS_DEFAULT;
        int r = source_each(path, take, &s, ret_error);

        if (r == 0)
                *ret = s;
        return r;
}

int settings_load(Settings *ret, SettingsError *ret_error) {
        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                int r = settings_read(places[i], ret, ret_error);

                if (r != -ENOENT)
                        return r;
        }
        *ret = SETTINGS_DEFAULT;
        return 0;
}
