/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings
 *
 * One table has all keys with their ranges.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <libconfig.h>

#include "base/macro.h"
#include "base/str.h"

#include "conf/lint.h"
#include "conf/settings.h"

#define FILE_MAX (64 * 1024)

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

static int fail(SettingsError *e, const char *path, unsigned line, const char *format, ...)
        _printf_(4, 5);
static int fail(SettingsError *e, const char *path, unsigned line, const char *format, ...) {
        int n = snprintf(e->text, sizeof(e->text), "%s:%u: ", path, line);
        va_list ap;

        va_start(ap, format);
        if (n > 0 && (size_t) n < sizeof(e->text))
                vsnprintf(e->text + n, sizeof(e->text) - (size_t) n, format, ap);
        va_end(ap);
        return -EBADMSG;
}

static int read_text(const char *path, char **ret, SettingsError *e) {
        _cleanup_fclose_ FILE *f = fopen(path, "re");
        _cleanup_free_ char *text = NULL;
        struct stat st;
        size_t n;

        if (!f || fstat(fileno(f), &st) < 0)
                return -errno;
        /* A link to /dev/null masks: an empty file, and all defaults. */
        if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))
                return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
        text = calloc(1, FILE_MAX + 1);
        if (!text)
                return -ENOMEM;
        n = fread(text, 1, FILE_MAX + 1, f);
        if (ferror(f))
                return -EIO;
        if (n > FILE_MAX)
                return fail(e, path, 1, "larger than %d KiB", FILE_MAX / 1024);
        text[n] = '\0';
        if (strlen(text) != n)
                return fail(e, path, 1, "has a NUL byte in it");
        *ret = TAKE_PTR(text);
        return 0;
}

static const Key *find_key(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                if (streq(keys[i].name, name))
                        return keys + i;
        return NULL;
}

/* How many letters must be changed, added or left out to make b of a: for "did you mean". */
static size_t distance(const char *a, const char *b) {
        size_t row[64], n = strlen(b);

        if (n >= ELEMENTSOF(row))
                return SIZE_MAX;
        for (size_t j = 0; j <= n; j++)
                row[j] = j;
        for (size_t i = 1; a[i - 1] != '\0'; i++) {
                size_t diagonal = row[0];

                row[0] = i;
                for (size_t j = 1; j <= n; j++) {
                        size_t best = diagonal + (a[i - 1] != b[j - 1]);

                        best = MIN2(best, row[j] + 1);
                        best = MIN2(best, row[j - 1] + 1);
                        diagonal = row[j];
                        row[j] = best;
                }
        }
        return row[n];
}

static const char *nearest_key(const char *name) {
        const char *nearest = keys[0].name;

        for (size_t i = 1; i < ELEMENTSOF(keys); i++)
                if (distance(name, keys[i].name) < distance(name, nearest))
                        nearest = keys[i].name;
        return nearest;
}

static int take(const char *path, const config_setting_t *setting, Settings *s, SettingsError *e) {
        unsigned line = config_setting_source_line(setting);
        const char *name = config_setting_name(setting);
        const Key *key = find_key(name);
        long long v;

        if (!key)
                return fail(e, path, line, "there is no '%s'; did you mean '%s'?", name,
                            nearest_key(name));
        if (config_setting_type(setting) != CONFIG_TYPE_INT &&
            config_setting_type(setting) != CONFIG_TYPE_INT64)
                return fail(e, path, line, "'%s' is a number", name);
        v = config_setting_get_int64(setting);
        if (v < key->min || v > key->max)
                return fail(e, path, line, "'%s' is %lld, and can be %u to %u", name, v, key->min,
                            key->max);
        *(uint32_t *) ((char *) s + key->offset) = (uint32_t) v;
        return 0;
}

static int parse(const char *path, const char *text, config_t *config, Settings *s,
                 SettingsError *e) {
        const config_setting_t *root;
        int r = 0;

        if (config_read_string(config, text) != CONFIG_TRUE)
                return fail(e, path, (unsigned) config_error_line(config), "%s",
                            config_error_text(config));
        root = config_root_setting(config);
        for (unsigned i = 0; r == 0 && i < (unsigned) config_setting_length(root); i++)
                r = take(path, config_setting_get_elem((config_setting_t *) root, i), s, e);
        return r;
}

int settings_read(const char *path, Settings *ret, SettingsError *ret_error) {
        _cleanup_free_ char *text = NULL;
        Settings s = SETTINGS_DEFAULT;
        const char *why;
        config_t config;
        unsigned line;
        int r;

        ret_error->text[0] = '\0';
        r = read_text(path, &text, ret_error);
        if (r < 0) {
                if (r != -EBADMSG)
                        snprintf(ret_error->text, sizeof(ret_error->text), "%s: %s", path,
                                 strerror(-r));
                return r;
        }
        line = lint(text, &why);
        if (line > 0)
                return fail(ret_error, path, line, "%s", why);
        config_init(&config);
        r = parse(path, text, &config, &s, ret_error);
        config_destroy(&config);
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
