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
        int (*take)(const char *path, const config_setting_t *setting, Settings *s,
                    SettingsError *e); /* NULL: a number */
        uint32_t min, max;
        size_t offset;
} Key;

static const char *nth_mode(unsigned i) {
        return gate_mode_to_string((GateMode) i);
}

static int take_gate(const char *path, const config_setting_t *setting, Settings *s,
                     SettingsError *e) {
        char name[32];
        int r = source_string(path, setting, name, sizeof(name), e);

        if (r < 0)
                return r;
        s->gate = gate_mode_from_string(name);
        if (s->gate != _GATE_MODE_INVALID)
                return 0;
        return source_fail(e, path, config_setting_source_line(setting),
                           "there is no gate '%s'; did you mean '%s'?", name,
                           source_nearest(name, nth_mode));
}

/* A bare name is neither: it would never fit, and nobody would be told. */
static bool is_path_or_unit(const char *s) {
        return s[0] == '/' || (strchr(s, '.') && !strchr(s, '/'));
}

static int take_exception(const char *path, const config_setting_t *setting, Settings *s,
                          SettingsError *e) {
        char *name = s->gate_except[s->n_gate_except];
        int r = source_string(path, setting, name, sizeof(s->gate_except[0]), e);

        if (r < 0)
                return r;
        if (!is_path_or_unit(name))
                return source_fail(e, path, config_setting_source_line(setting),
                                   "'%s' is neither an executable's whole path nor a unit's name",
                                   name);
        s->n_gate_except++;
        return 0;
}

static int take_except(const char *path, const config_setting_t *setting, Settings *s,
                       SettingsError *e) {
        unsigned line = config_setting_source_line(setting);
        int n = config_setting_length(setting), r = 0;

        if (!config_setting_is_array(setting) && !config_setting_is_list(setting))
                return source_fail(e, path, line, "'%s' is an array: [ \"/usr/bin/x\" ]",
                                   config_setting_name(setting));
        if (n > GATE_EXCEPT_MAX)
                return source_fail(e, path, line, "more than %d exceptions", GATE_EXCEPT_MAX);
        for (int i = 0; i < n && r == 0; i++)
                r = take_exception(path, config_setting_get_elem(setting, (unsigned) i), s, e);
        return r;
}

#define NUMBER(name, min, max)                                                                     \
        { #name, NULL, min, max, offsetof(Settings, name) }

static const Key keys[] = {
        NUMBER(deadline_factor, 1, 100),
        NUMBER(fan_out, 1, 16),
        NUMBER(ended_jobs, 1, 256),
        NUMBER(ended_minutes, 1, 1440),
        NUMBER(gate_lease, 1, 3600),
        { "gate", take_gate, 0, 0, 0 },
        { "gate_except", take_except, 0, 0, 0 },
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
        if (key->take)
                return key->take(path, setting, userdata, e);
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
