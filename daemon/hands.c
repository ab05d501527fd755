/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hands
 *
 * One line a PF: its address and the number of its directory, for another one may sit there after a rescan; then what was agreed.
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
#define AGREED "agreed"
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

/* The numbers of that PF's line behind its address: its directory's, which must be that, and up to one more. */
static bool find(int dir, const char *name, Bdf pf, uint64_t identity, uint64_t *ret_more) {
        _cleanup_fclose_ FILE *f = open_at(dir, name, O_RDONLY, "r");
        char line[128];

        while (f && fgets(line, sizeof(line), f)) {
                char *words = line;
                uint64_t number;
                Bdf b;

                line[strcspn(line, "\n")] = '\0';
                if (text_get_bdf(&words, &b) >= 0 &&
                    text_get_number(&words, UINT64_MAX, &number) >= 0 && bdf_equal(b, pf) &&
                    number == identity)
                        return !ret_more || text_get_number(&words, UINT64_MAX, ret_more) >= 0;
        }
        return false;
}

bool hands_have(int dir, Bdf pf, uint64_t identity) {
        return find(dir, BY_HAND, pf, identity, NULL);
}

bool hands_agreed(int dir, Bdf pf, uint64_t identity, uint64_t *ret) {
        return find(dir, AGREED, pf, identity, ret);
}

static void put(FILE *f, const Ward *w, bool agreed) {
        text_put_bdf(f, w->pf);
        text_put_number(f, w->identity);
        if (agreed)
                text_put_number(f, w->agreed);
        fputc('\n', f);
}

static int keep(const Wards *all, int dir, bool agreed) {
        FILE *f = open_at(dir, TEMPORARY, O_WRONLY | O_CREAT | O_TRUNC, "w");
        int r = 0;

        if (!f)
                return -errno;
        for (const Ward *w = all->items; w && w < all->items + all->n; w++)
                if (agreed ? w->has_agreed : w->by_hand)
                        put(f, w, agreed);
        if (ferror(f))
                r = -EIO;
        if (fclose(f) != 0 && r == 0)
                r = -errno;
        if (r == 0 && renameat(dir, TEMPORARY, dir, agreed ? AGREED : BY_HAND) < 0)
                r = -errno;
        return r;
}

void hands_keep(Manager *m) {
        int r = keep(&m->wards, m->ledger.fd, false);

        m->wards.unkept = false;
        if (r >= 0)
                r = keep(&m->wards, m->ledger.fd, true);
        if (r < 0)
                log_error_errno(r, "cannot note what was done by hand; a restart may undo it");
}
