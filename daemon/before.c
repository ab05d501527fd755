/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Before
 */
#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"

#include "daemon/before.h"
#include "daemon/log.h"
#include "daemon/manager.h"
#include "daemon/turn.h"

static void closedirp(DIR **d) {
        if (*d)
                closedir(*d);
}

/* No stat(): other files of that process may be on a file system that does not answer. */
static bool is_below(pid_t pid, const char *fd, const char *sys, char target[static PATH_MAX]) {
        char path[64];
        const char *rest;
        ssize_t n;

        snprintf(path, sizeof(path), "/proc/%d/fd/%.16s", (int) pid, fd);
        n = readlink(path, target, PATH_MAX - 1);
        if (n < 0)
                return false;
        target[n] = '\0';
        rest = startswith(target, sys);
        return rest && rest[0] == '/';
}

static void look_at_file(Manager *m, pid_t pid, const char *fd) {
        char target[PATH_MAX];
        const Mark *mark;
        uint64_t ino;
        Opener o;

        if (!is_below(pid, fd, m->kernel->sys, target) || !opener_fd_writes(pid, fd, &ino))
                return;
        mark = marks_find_inode(&m->gate.marks, ino);
        if (!mark || turn_of_file(&m->gate, pid, mark->ino) || opener_is_ours(pid) ||
            opener_read(pid, &o) < 0)
                return;
        snprintf(o.file, sizeof(o.file), "%s", mark->place.path);
        if (turn_add_unordered(m, &o, mark->ino) >= 0)
                log_line(LOG_WARNING, NULL,
                         "%s: '%s' (process %d) had it open before the gate; what it writes is in "
                         "no order",
                         o.file, o.command, (int) pid);
}

static void look_at_process(Manager *m, pid_t pid) {
        _cleanup_(closedirp) DIR *d = NULL;
        struct dirent *e;
        char path[64];

        snprintf(path, sizeof(path), "/proc/%d/fd", (int) pid);
        d = opendir(path);
        while (d && (e = readdir(d)))
                if (e->d_name[0] != '.')
                        look_at_file(m, pid, e->d_name);
}

static int look(sd_event_source *source, void *userdata) {
        _cleanup_(closedirp) DIR *d = opendir("/proc");
        Manager *m = userdata;
        struct dirent *e;

        while (d && m->gate.ear.group >= 0 && (e = readdir(d)))
                if (isdigit((unsigned char) e->d_name[0]))
                        look_at_process(m, (pid_t) strtol(e->d_name, NULL, 10));
        (void) sd_event_source_set_floating(source, false);
        return 0;
}

void before_look(Manager *m) {
        sd_event_source *source;

        if (sd_event_add_defer(m->event, &source, look, m) < 0)
                return;
        (void) sd_event_source_set_priority(source, SD_EVENT_PRIORITY_IDLE);
        /* The loop's alone: it may end before it comes to this. */
        (void) sd_event_source_set_floating(source, true);
        sd_event_source_unref(source);
}
