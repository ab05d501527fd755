/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Module
 *
 * Loading is modprobe's work (aliases, dependencies, install commands), unloading is one system call: what depends
 * on a PF driver is not sriovd's to take away.
 */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/macro.h"

#include "kernel/module.h"

/* Where distributions put it; the first ones are links to the others on a merged /usr. */
static const char *const places[] = { "/sbin/modprobe", "/usr/sbin/modprobe", "/bin/modprobe",
                                      "/usr/bin/modprobe" };

/* Modprobe takes options from its environment (MODPROBE_OPTIONS), so it gets none of ours. */
static int spawn(const char *path, char *const argv[], pid_t *ret) {
        static char *const environment[] = { (char *) "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
        posix_spawnattr_t attr;
        sigset_t none;
        int r;

        sigemptyset(&none);
        r = posix_spawnattr_init(&attr);
        if (r != 0)
                return -r;
        posix_spawnattr_setsigmask(&attr, &none);
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
        r = posix_spawn(ret, path, NULL, &attr, argv, environment);
        posix_spawnattr_destroy(&attr);
        return -r;
}

static int wait_for(pid_t pid) {
        int status;

        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -EIO;
}

/* The exit status of modprobe, or < 0. */
static int modprobe(const char *option, const char *name) {
        char *const argv[] = { (char *) "modprobe", (char *) option, (char *) "--", (char *) name,
                               NULL };
        int r = -ENOENT;
        pid_t pid = -1;

        for (size_t i = 0; i < ELEMENTSOF(places) && r == -ENOENT; i++)
                r = spawn(places[i], argv, &pid);
        return r < 0 ? r : wait_for(pid);
}

int module_load(const char *name) {
        int r;

        r = modprobe("-q", name);
        if (r <= 0)
                return r;
        /* Its exit status is 1 for all that can go wrong: a dry run tells a missing module from a refused one. */
        r = modprobe("-qn", name);
        if (r < 0)
                return r;
        return r == 0 ? -ENOEXEC : -ENOENT;
}

int module_unload(const char *name) {
        return syscall(SYS_delete_module, name, O_NONBLOCK) < 0 ? -errno : 0;
}
