/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Source
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/str.h"
#include "base/utf8.h"

#include "conf/lint.h"
#include "conf/source.h"
#include "conf/syntax.h"

/* A policy that gives each of some thousand VFs its own address has room in it. */
#define FILE_MAX (1024 * 1024)

int source_fail(SettingsError *e, const char *path, unsigned line, const char *format, ...) {
        int n = snprintf(e->text, sizeof(e->text), "%s:%u: ", path, line);
        va_list ap;

        va_start(ap, format);
        if (n > 0 && (size_t) n < sizeof(e->text))
                vsnprintf(e->text + n, sizeof(e->text) - (size_t) n, format, ap);
        va_end(ap);
        /* It quotes what somebody wrote, and goes over the bus. */
        utf8_clean(e->text);
        return -EBADMSG;
}

/* A FIFO would have its opener wait for whoever writes. */
static int open_text(const char *path, FILE **ret) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        /* A link to /dev/null masks: an empty file, and all defaults. */
        if (!S_ISREG(st.st_mode) && !(S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)))
                return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
        *ret = fdopen(fd, "re");
        if (!*ret)
                return -errno;
        TAKE_FD(fd);
        return 0;
}

static int read_text(const char *path, char **ret, SettingsError *e) {
        _cleanup_fclose_ FILE *f = NULL;
        _cleanup_free_ char *text = NULL;
        size_t n;
        int r;

        r = open_text(path, &f);
        if (r < 0)
                return r;
        text = calloc(1, FILE_MAX + 1);
        if (!text)
                return -ENOMEM;
        n = fread(text, 1, FILE_MAX + 1, f);
        if (ferror(f))
                return -EIO;
        if (n > FILE_MAX)
                return source_fail(e, path, 1, "larger than %d KiB", FILE_MAX / 1024);
        text[n] = '\0';
        if (strlen(text) != n)
                return source_fail(e, path, 1, "has a NUL byte in it");
        *ret = TAKE_PTR(text);
        return 0;
}

/* What libconfig says of a text that is in its format: but for memory, that a name stands twice, and not which. */
static int tell_refusal(const char *path, const char *text, const config_t *config,
                        SettingsError *e) {
        char name[64];
        unsigned line = syntax_twice(text, name, sizeof(name));

        if (line > 0)
                return source_fail(e, path, line, "'%s' stands here twice", name);
        return source_fail(e, path, (unsigned) config_error_line(config), "%s",
                           config_error_text(config));
}

static int parse(const char *path, const char *text, config_t *config, SettingsError *e) {
        _cleanup_free_ char *whole = NULL;
        const char *why = NULL;
        unsigned line;

        line = lint(text, &why);
        if (line == 0)
                line = syntax(text, &why);
        if (line > 0)
                return source_fail(e, path, line, "%s", why);
        /* A comment on a last line that has no end is a syntax error to libconfig 1.5. */
        if (asprintf(&whole, "%s\n", text) < 0) {
                whole = NULL;
                return -ENOMEM;
        }
        config_init(config);
        if (config_read_string(config, whole) == CONFIG_TRUE)
                return 0;
        (void) tell_refusal(path, text, config, e);
        config_destroy(config);
        return -EBADMSG;
}

const char *source_name(const config_setting_t *setting) {
        const char *name = config_setting_name(setting);

        for (const config_setting_t *s = setting; !name && s; s = config_setting_parent(s))
                name = config_setting_name(s);
        return name ? name : "";
}

int source_text_each(const char *path, const char *text, SourceTake take, void *userdata,
                     SettingsError *ret_error) {
        config_setting_t *root;
        config_t config;
        int r;

        r = parse(path, text, &config, ret_error);
        if (r < 0)
                return r;
        root = config_root_setting(&config);
        for (unsigned i = 0; r == 0 && i < (unsigned) config_setting_length(root); i++)
                r = take(path, config_setting_get_elem(root, i), userdata, ret_error);
        config_destroy(&config);
        return r;
}

int source_each(const char *path, SourceTake take, void *userdata, SettingsError *ret_error) {
        _cleanup_free_ char *text = NULL;
        int r;

        ret_error->text[0] = '\0';
        r = read_text(path, &text, ret_error);
        if (r == 0)
                return source_text_each(path, text, take, userdata, ret_error);
        if (r != -EBADMSG)
                snprintf(ret_error->text, sizeof(ret_error->text), "%s: %s", path, strerror(-r));
        return r;
}

int source_integer(const char *path, const config_setting_t *setting, int64_t min, int64_t max,
                   int64_t *ret, SettingsError *ret_error) {
        unsigned line = config_setting_source_line(setting);
        const char *name = source_name(setting);
        long long v;

        if (config_setting_type(setting) != CONFIG_TYPE_INT &&
            config_setting_type(setting) != CONFIG_TYPE_INT64)
                return source_fail(ret_error, path, line, "'%s' is a number", name);
        v = config_setting_get_int64(setting);
        if (v < min || v > max)
                return source_fail(ret_error, path, line, "'%s' is %lld, and can be %lld to %lld",
                                   name, v, (long long) min, (long long) max);
        *ret = v;
        return 0;
}

int source_number(const char *path, const config_setting_t *setting, uint32_t min, uint32_t max,
                  uint32_t *ret, SettingsError *ret_error) {
        int64_t v;
        int r = source_integer(path, setting, min, max, &v, ret_error);

        if (r == 0)
                *ret = (uint32_t) v;
        return r;
}

int source_bool(const char *path, const config_setting_t *setting, bool *ret,
                SettingsError *ret_error) {
        if (config_setting_type(setting) != CONFIG_TYPE_BOOL)
                return source_fail(ret_error, path, config_setting_source_line(setting),
                                   "'%s' is true or false", source_name(setting));
        *ret = config_setting_get_bool(setting) != 0;
        return 0;
}

int source_string(const char *path, const config_setting_t *setting, char *buf, size_t size,
                  SettingsError *ret_error) {
        unsigned line = config_setting_source_line(setting);
        const char *name = source_name(setting), *s = config_setting_get_string(setting);

        if (!s)
                return source_fail(ret_error, path, line, "'%s' is a string", name);
        if (s[0] == '\0' || str_copy(buf, size, s) < 0)
                return source_fail(ret_error, path, line, "'%s' has 1 to %zu letters", name,
                                   size - 1);
        return 0;
}

/* How many letters must be changed, added or left out to make b of a. */
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

const char *source_nearest(const char *word, const char *(*nth)(unsigned i)) {
        const char *nearest = nth(0), *name;

        for (unsigned i = 1; (name = nth(i)); i++)
                if (distance(word, name) < distance(word, nearest))
                        nearest = name;
        return nearest;
}
