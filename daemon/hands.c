/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hands
 *
 * One line a PF: its address and the number of its directory, for another one may sit there after a rescan.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"

#include "daemon/hands.h"
#include "daemon/log.h"
#include "daemon/manager.h"
#include "daemon/text.h"

#define FIRST "booted"
#define BY_HAND "by-hand"
#define TEMPORARY "." BY_HAND

bool hands_is_first(int dir) {
        return faccessat(dir, FIRST, F_OK, 0) < 0;
}

void hands_note_first(int dir) {
        int fd = openat(dir, FIRST, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        if (fd < 0)
                log_error_errno(-errno, "cannot note that policies were applied at boot");
        close_fd(fd);
}

static FILE *open_at(int dir, const char *name, int flags, const char *mode) {
        int fd = openat(dir, name, flags | O_CLOEXEC, 0600);
        FILE *f = fd < 0 ? NULL : fdopen(fd, mode);

        if (!f)
                close_fd(fd);
        return f;
}

bool hands_have(int dir, Bdf pf, uint64_t identity) {
        _cleanup_fclose_ FILE *f = open_at(dir, BY_HAND, O_RDONLY, "r");
        char line[128];

        while (f && fgets(line, sizeof(line), f)) {
                char *words = line;
                uint64_t number;
                Bdf b;

                line[strcspn(line, "\n")] = '\0';
                if (text_get_bdf(&words, &b) >= 0 &&
                    text_get_number(&words, UINT64_MAX, &number) >= 0 && bdf_equal(b, pf) &&
                    number == identity)
                        return true;
        }
        return false;
}

static int keep(const Wards *all, int dir) {
        FILE *f = open_at(dir, TEMPORARY, O_WRONLY | O_CREAT | O_TRUNC, "w");
        int r = 0;

        if (!f)
                return -errno;
        for (const Ward *w = all->items; w && w < all->items + all->n; w++) {
                if (!w->by_hand)
                        continue;
                text_put_bdf(f, w->pf);
                text_put_number(f, w->identity);
                fputc('\n', f);
        }
        if (ferror(f))
                r = -EIO;
        if (fclose(f) != 0 && r == 0)
                r = -errno;
        if (r == 0 && renameat(dir, TEMPORARY, dir, BY_HAND) < 0)
                r = -errno;
        return r;
}

void hands_keep(Manager *m) {
        int r = keep(&m->wards, m->ledger.fd);

        if (r < 0)
                log_error_errno(r, "cannot note what was done by hand; a restart may undo it");
}
