/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy files: written
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/macro.h"
#include "base/str.h"
#include "base/utf8.h"

#include "core/names.h"
#include "core/policy.h"

#include "conf/policy-write.h"
#include "conf/policy.h"

static void put_string(FILE *f, const char *s) {
        fputc('"', f);
        for (; *s; s++)
                if (*s == '"' || *s == '\\')
                        fprintf(f, "\\%c", *s);
                else if ((unsigned char) *s < ' ' || *s == 127)
                        fprintf(f, "\\x%02x", (unsigned char) *s);
                else
                        fputc(*s, f);
        fputc('"', f);
}

static void put_setting(FILE *f, const char *name, const char *value) {
        fprintf(f, "        %s = ", name);
        put_string(f, value);
        fputs(";\n", f);
}

/* Numbers as numbers, on and off as true and false: as somebody would have written it. */
static void put_value(FILE *f, const VfAttrs *a, VfKey k) {
        char value[VFATTR_VALUE_MAX];

        vfattrs_get(a, k, value);
        if (value[strspn(value, "0123456789")] == '\0')
                fprintf(f, "%s%s", value, a->value[k] > INT32_MAX ? "L" : "");
        else if (streq(value, "on") || streq(value, "off"))
                fputs(streq(value, "on") ? "true" : "false", f);
        else
                put_string(f, value);
}

static void put_attrs(FILE *f, const VfAttrs *a) {
        for (VfKey k = 0; k < _VFKEY_MAX; k++) {
                if (!(a->has & 1u << k))
                        continue;
                fputc(' ', f);
                for (const char *c = vfkey_to_string(k); *c; c++)
                        fputc(*c == '-' ? '_' : *c, f);
                fputs(" = ", f);
                put_value(f, a, k);
                fputc(';', f);
        }
}

static bool wishes_equal(const VfWish *a, const VfWish *b) {
        return a->has_driver == b->has_driver && streq(a->driver, b->driver) &&
               vfattrs_equal(&a->attrs, &b->attrs);
}

/* Indexes of all from `first` on that are to be the same, as many ranges of them as an entry may have. */
static void put_index(FILE *f, const VfWish *vfs, uint32_t n, uint32_t first, bool *done) {
        unsigned ranges = 0;

        fputs("index = \"", f);
        for (uint32_t i = first, last; i < n && ranges < VF_RANGES_MAX; i = last + 1) {
                last = i;
                if (done[i] || !wishes_equal(vfs + i, vfs + first))
                        continue;
                while (last + 1 < n && !done[last + 1] && wishes_equal(vfs + last + 1, vfs + first))
                        last++;
                fprintf(f, last > i ? "%s%u-%u" : "%s%u", ranges++ > 0 ? "," : "", i, last);
                memset(done + i, true, last + 1 - i);
        }
        fputs("\";", f);
}

static void put_entry(FILE *f, const VfWish *vfs, uint32_t n, uint32_t first, bool *done) {
        const VfWish *wish = vfs + first;

        fputs("                { ", f);
        put_index(f, vfs, n, first, done);
        if (wish->has_driver) {
                fputs(" driver = ", f);
                put_string(f, wish->driver[0] != '\0' ? wish->driver : DRIVER_DEFAULT);
                fputc(';', f);
        }
        put_attrs(f, &wish->attrs);
        fputs(" }", f);
}

static bool is_nothing(const VfWish *wish) {
        return !wish->has_driver && wish->attrs.has == 0;
}

static int put_vfs(FILE *f, const Wanted *w) {
        uint32_t n = (uint32_t) w->n_vfs, entries = 0;
        _cleanup_free_ bool *done = NULL;

        if (w->has_count)
                n = MIN2(n, w->count);
        done = calloc((size_t) n + 1, sizeof(bool));
        if (!done)
                return -ENOMEM;
        for (uint32_t i = 0; i < n; i++) {
                if (done[i] || is_nothing(w->vfs + i))
                        continue;
                fputs(entries++ == 0 ? "        vf = (\n" : ",\n", f);
                put_entry(f, w->vfs, n, i, done);
        }
        if (entries > 0)
                fputs("\n        );\n", f);
        return 0;
}

static int put_policy(FILE *f, const Wanted *w, int32_t priority, const char *by) {
        char line[256];
        int r;

        snprintf(line, sizeof(line), "%s", by);
        utf8_clean(line);
        fprintf(f, "# Written by %s. Change it, or delete it, as you like.\npolicy = ( {\n", line);
        put_setting(f, "name", w->policy[0] != '\0' ? w->policy : BDF_STR(w->pf));
        fprintf(f, "        priority = %d;\n        match = { address = \"%s\"; };\n", priority,
                BDF_STR(w->pf));
        if (w->has_count)
                fprintf(f, "        vfs = %u;\n", w->count);
        else
                put_setting(f, "vfs", "keep");
        if (w->eswitch != ESWITCH_KEEP)
                put_setting(f, "eswitch", eswitch_to_string(w->eswitch));
        put_setting(f, "on_failure", w->flags & OP_ROLLBACK ? "rollback" : "keep");
        put_setting(f, "in_use", w->flags & OP_FORCE_IN_USE ? "force" : "refuse");
        fprintf(f, "        reconcile = %s;\n        disable_on_sleep = %s;\n",
                w->reconcile ? "true" : "false", w->disable_on_sleep ? "true" : "false");
        r = put_vfs(f, w);
        fputs("} );\n", f);
        return r;
}

/* A file that nobody can read would be found at the next start. */
static int prove(const char *text) {
        Mistakes mistakes = {};
        Policies all = {};
        int r = policies_read_text("", text, &all, &mistakes);

        policies_done(&all);
        mistakes_done(&mistakes);
        return r;
}

int policy_text(const Wanted *w, int32_t priority, const char *by, char **ret) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *f;
        int r;

        f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;
        r = put_policy(f, w, priority, by);
        if (ferror(f))
                r = -ENOMEM;
        if (fclose(f) != 0 || r < 0)
                return -ENOMEM;
        r = prove(text);
        if (r == 0)
                *ret = TAKE_PTR(text);
        return r;
}

const char *policy_file_name(Bdf pf, char buf[static POLICY_FILE_MAX]) {
        snprintf(buf, POLICY_FILE_MAX, "50-%s.conf", BDF_STR(pf));
        for (char *c = buf + strlen("50-"); c < buf + strlen(buf) - strlen(".conf"); c++)
                if (*c == ':' || *c == '.')
                        *c = '-';
        return buf;
}

const char *policy_folder(void) {
        const char *path = secure_getenv(POLICY_ENV);

        return path ? path : POLICY_FOLDER;
}

/* The folder, and the one above it: /etc/sriovd is not there before somebody needs it. */
static int make_folder(const char *folder) {
        _cleanup_free_ char *above = strdup(folder);
        char *slash;

        if (!above)
                return -ENOMEM;
        slash = strrchr(above, '/');
        if (slash && slash != above) {
                *slash = '\0';
                if (mkdir(above, 0755) < 0 && errno != EEXIST)
                        return -errno;
        }
        if (mkdir(folder, 0755) < 0)
                return errno == EEXIST ? 0 : -errno;
        /* Whatever the umask: policies are for everybody to read. */
        return chmod(folder, 0755) < 0 ? -errno : 0;
}

static int write_all(int fd, const char *text) {
        for (size_t n = strlen(text); n > 0;) {
                ssize_t done = write(fd, text, n);

                if (done < 0 && errno == EINTR)
                        continue;
                if (done <= 0)
                        return done < 0 ? -errno : -EIO;
                text += done;
                n -= (size_t) done;
        }
        /* Whatever umask we have: it is for everybody to read, as `sriovctl check` does. */
        return fchmod(fd, 0644) < 0 || fsync(fd) < 0 ? -errno : 0;
}

int policy_save(const char *folder, const char *name, const char *text) {
        _cleanup_close_ int dir = -EBADF, fd = -EBADF;
        _cleanup_free_ char *draft = NULL;
        int r;

        if (!name_is_valid(name))
                return -EINVAL;
        r = make_folder(folder);
        if (r < 0)
                return r;
        dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return -errno;
        /* A name that no reader takes for a policy. */
        if (asprintf(&draft, ".%s.%d", name, getpid()) < 0) {
                draft = NULL;
                return -ENOMEM;
        }
        (void) unlinkat(dir, draft, 0);
        fd = openat(dir, draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (fd < 0)
                return -errno;
        r = write_all(fd, text);
        if (r == 0 && renameat(dir, draft, dir, name) < 0)
                r = -errno;
        if (r < 0)
                (void) unlinkat(dir, draft, 0);
        else if (fsync(dir) < 0)
                r = -errno;
        return r;
}
