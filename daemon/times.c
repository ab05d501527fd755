/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Times
 *
 * One line a time: "seen RUNG DRIVER PERCENT".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"

#include "core/names.h"

#include "daemon/text.h"
#include "daemon/times.h"

#define FILE_NAME "times"
#define TEMPORARY "." FILE_NAME

int times_load_rows(DriverRows *ret, SettingsError *ret_error) {
        const char *path = getenv(DRIVERS_ENV);

        if (!path)
                return drivers_load(ret, ret_error);
        ret->n = ret->quirks.n = 0;
        return drivers_read(path, ret, ret_error);
}

void times_take_rows(Pace *p, const DriverRows *rows) {
        memcpy(p->rows, rows->items, rows->n * sizeof(PaceRow));
        p->n_rows = rows->n;
}

static PaceSeen *find(Pace *p, const PaceSeen *seen) {
        for (PaceSeen *s = p->seen; s < p->seen + p->n_seen; s++)
                if (s->rung == seen->rung && streq(s->driver, seen->driver))
                        return s;
        return NULL;
}

static void take(Pace *p, const PaceSeen *seen) {
        PaceSeen *old = find(p, seen);

        if (old)
                old->percent = old->percent > seen->percent ? old->percent : seen->percent;
        else if (p->n_seen < PACE_SEEN_MAX)
                p->seen[p->n_seen++] = *seen;
}

static int parse(char *line, PaceSeen *ret) {
        char rung[NAME_MAX_LENGTH];
        uint64_t percent;

        if (!startswith(line, "seen "))
                return -EBADMSG;
        line += strlen("seen ");
        if (text_get(&line, rung, sizeof(rung)) < 0 ||
            text_get(&line, ret->driver, sizeof(ret->driver)) < 0 ||
            text_get_number(&line, (uint64_t) PACE_MAX_SEC * 100, &percent) < 0 || percent == 0)
                return -EBADMSG;
        ret->rung = rung_from_string(rung);
        ret->percent = (uint32_t) percent;
        return ret->rung == _RUNG_MAX ? -EBADMSG : 0;
}

static FILE *open_at(int dir, const char *name, int flags, const char *mode) {
        int fd = openat(dir, name, flags | O_CLOEXEC, 0600);
        FILE *f = fd < 0 ? NULL : fdopen(fd, mode);

        if (!f)
                close_fd(fd);
        return f;
}

void times_read(int dir, Pace *p) {
        _cleanup_fclose_ FILE *f = open_at(dir, FILE_NAME, O_RDONLY, "re");
        _cleanup_free_ char *line = NULL;
        size_t size = 0;
        ssize_t n;

        /* However long somebody made it, more lines than these are none of ours. */
        for (size_t i = 0; f && i < PACE_SEEN_MAX && (n = getline(&line, &size, f)) > 0; i++) {
                PaceSeen seen = {};

                line[line[n - 1] == '\n' ? n - 1 : n] = '\0';
                if (parse(line, &seen) == 0)
                        take(p, &seen);
        }
}

static int write_all(FILE *f, const Pace *p) {
        for (const PaceSeen *s = p->seen; s < p->seen + p->n_seen; s++) {
                fputs("seen", f);
                text_put(f, rung_to_string(s->rung));
                text_put(f, s->driver);
                text_put_number(f, s->percent);
                fputc('\n', f);
        }
        return fflush(f) == 0 && !ferror(f) ? 0 : -errno;
}

int times_write(int dir, const Pace *p) {
        _cleanup_fclose_ FILE *f = open_at(dir, TEMPORARY, O_WRONLY | O_CREAT | O_TRUNC, "we");
        int r;

        if (!f)
                return -errno;
        r = write_all(f, p);
        if (r == 0 && renameat(dir, TEMPORARY, dir, FILE_NAME) < 0)
                r = -errno;
        if (r < 0)
                (void) unlinkat(dir, TEMPORARY, 0);
        return r;
}
