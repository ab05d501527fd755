/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counter: how often anybody wrote to an attribute of PCI in sysfs
 *
 * fanotify tells of each file that was open for writing and is closed. A child takes that down at once, for the kernel
 * makes one event of two alike that wait, and one whose file is gone by then cannot be told.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/fanotify.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "tests/scenario/counter.h"

#define LATE_USEC 100000 /* by this much the child may be behind */

struct Counter {
        pid_t pid;
        FILE *written; /* a path a line, as often as it was written */
};

/* Its own descriptors of those files are for writing too: sysfs gives not even root what has no mode bit. */
static int watch(void) {
        int fd = fanotify_init(FAN_CLOEXEC | FAN_UNLIMITED_QUEUE, O_WRONLY | O_CLOEXEC);

        if (fd >= 0 && fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_CLOSE_WRITE,
                                     AT_FDCWD, "/sys") < 0)
                fd = close_fd(fd);
        return fd;
}

static void note(FILE *written, int fd) {
        char link[32], path[512];
        ssize_t n;

        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        n = readlink(link, path, sizeof(path) - 1);
        close_fd(fd);
        path[n > 0 ? n : 0] = '\0';
        if (strstr(path, "/pci"))
                fprintf(written, "%s\n", path);
        fflush(written);
}

/* One event at a time: one whose file is gone fails a read() without hiding those behind it. */
static _Noreturn void take_down(FILE *written, int fd) {
        struct fanotify_event_metadata e;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
                if (read(fd, &e, sizeof(e)) == sizeof(e) && e.fd >= 0)
                        note(written, e.fd);
}

Counter *counter_new(void) {
        Counter *c = calloc(1, sizeof(*c));
        int fd = watch();

        if (c && fd >= 0)
                c->written = tmpfile();
        if (!c || !c->written) {
                close_fd(fd);
                free(c);
                return NULL;
        }
        c->pid = fork();
        if (c->pid == 0)
                take_down(c->written, fd);
        close_fd(fd);
        return c;
}

Counter *counter_free(Counter *c) {
        if (c->pid > 0) {
                kill(c->pid, SIGKILL);
                waitpid(c->pid, NULL, 0);
        }
        fclose(c->written);
        free(c);
        return NULL;
}

/* By pread(), for the child writes at the file position that it shares with us. */
unsigned counter_count(Counter *c, const char *name) {
        static char text[1 << 16];
        unsigned count = 0;
        ssize_t n;

        usleep(LATE_USEC);
        n = pread(fileno(c->written), text, sizeof(text) - 1, 0);
        text[n > 0 ? n : 0] = '\0';
        for (char *rest = NULL, *line = strtok_r(text, "\n", &rest); line;
             line = strtok_r(NULL, "\n", &rest))
                count += name[0] == '\0' || streq(strrchr(line, '/') + 1, name);
        return count;
}
