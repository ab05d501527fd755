/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Folder
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include "base/folder.h"
#include "base/macro.h"
#include "base/str.h"

int folder_walk(int dir, int (*see)(const char *name, void *userdata), void *userdata) {
        const struct dirent *e;
        int fd, r = 0;
        DIR *d;

        fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        d = fdopendir(fd);
        if (!d) {
                r = -errno;
                close_fd(fd);
                return r;
        }
        for (errno = 0; r >= 0 && (e = readdir(d)); errno = 0)
                if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
                        r = see(e->d_name, userdata);
        /* Half of the names is none: whoever missed one would take it for not there. */
        if (r >= 0 && errno > 0)
                r = -errno;
        closedir(d);
        return r < 0 ? r : 0;
}
