/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exclusive
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/doors.h"

#include "daemon/exclusive.h"
#include "daemon/log.h"
#include "daemon/manager.h"

#define FILE_NAME "exclusive"
#define ANY_W (S_IWUSR | S_IWGRP | S_IWOTH)

typedef struct Locking {
        FILE *file;
        int sys;
        int first; /* failure */
} Locking;

/* What it was is on disk before it is changed. */
static int lock_door(Locking *l, const char *path) {
        struct stat st;

        if (fstatat(l->sys, path, &st, 0) < 0)
                return errno == ENOENT || errno == ENODEV || errno == ENOTDIR ? 0 : -errno;
        if (!(st.st_mode & ANY_W))
                return 0;
        if (fprintf(l->file, "%04o %s\n", st.st_mode & 07777U, path) < 0 || fflush(l->file) != 0)
                return -EIO;
        if (fchmodat(l->sys, path, st.st_mode & 07777U & ~(mode_t) ANY_W, 0) < 0)
                return -errno;
        return 0;
}

static int found(const DoorPlace *place, void *userdata) {
        Locking *l = userdata;
        int r = lock_door(l, place->path);

        if (r < 0 && l->first == 0)
                l->first = r;
        return 0;
}

static FILE *open_at(int dir, int flags, const char *mode) {
        int fd = openat(dir, FILE_NAME, flags | O_CLOEXEC, 0600);
        FILE *f = fd < 0 ? NULL : fdopen(fd, mode);

        if (!f)
                close_fd(fd);
        return f;
}

void exclusive_apply(Manager *m) {
        _cleanup_fclose_ FILE *f = open_at(m->ledger.fd, O_WRONLY | O_APPEND | O_CREAT, "ae");
        _cleanup_close_ int sys = open(m->kernel->sys, O_PATH | O_DIRECTORY | O_CLOEXEC);
        Locking l = { .file = f, .sys = sys };
        int r = 0;

        if (!f || sys < 0) {
                log_error_errno(-errno, "gate: cannot lock the doors");
                return;
        }
        FOREACH_FN (fn, m->snapshot) {
                (void) doors_of_function(fn, false, found, &l);
        }
        r = doors_of_host(m->kernel, m->snapshot, found, &l);
        if (r < 0 || l.first < 0)
                log_error_errno(r < 0 ? r : l.first, "gate: not all doors could be locked");
}

/* Only what was changed is given back: who gave a door a mode of his own since then has his reason. */
static void unlock_door(int sys, char *line) {
        char *path;
        unsigned long mode = strtoul(line, &path, 8);
        struct stat st;

        if (*path++ != ' ' || startswith(path, "/") || strstr(path, ".."))
                return;
        path[strcspn(path, "\n")] = '\0';
        if (fstatat(sys, path, &st, 0) == 0 && !(st.st_mode & ANY_W))
                (void) !fchmodat(sys, path, (mode_t) mode & 07777U, 0);
}

void exclusive_undo(int runtime, const char *sys_path) {
        _cleanup_fclose_ FILE *f = open_at(runtime, O_RDONLY, "re");
        _cleanup_close_ int sys = sys_path ? open(sys_path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
        _cleanup_free_ char *line = NULL;
        size_t size = 0;

        if (!f || sys < 0)
                return;
        while (getline(&line, &size, f) > 0)
                unlock_door(sys, line);
        (void) unlinkat(runtime, FILE_NAME, 0);
}
