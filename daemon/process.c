/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Process
 *
 * Reads /proc only: stat, stack, wchan and cmdline of a task that sleeps in sysfs wait for no lock which that task
 * holds.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/proc.h"

#include "daemon/process.h"

/* The whole of a small file; it may hold NUL bytes, one more is put behind. Returns the length. */
static ssize_t read_file(const char *path, char *buf, size_t size) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        size_t n = 0;

        if (fd < 0)
                return -errno;
        while (n < size - 1) {
                ssize_t k = read(fd, buf + n, size - 1 - n);

                if (k < 0)
                        return -errno;
                if (k == 0)
                        break;
                n += (size_t) k;
        }
        buf[n] = '\0';
        return (ssize_t) n;
}

static ssize_t read_proc(pid_t pid, const char *name, char *buf, size_t size) {
        char path[64];

        snprintf(path, sizeof(path), "/proc/%d/%s", (int) pid, name);
        return read_file(path, buf, size);
}

int process_read(pid_t pid, Process *ret) {
        char buf[1024], state;
        uint64_t start;
        const char *p;
        ssize_t n;

        n = read_proc(pid, "stat", buf, sizeof(buf));
        if (n < 0)
                return n == -ENOENT ? -ESRCH : (int) n;
        /* The name stands in parentheses and may hold any byte, also ')'. */
        p = strrchr(buf, ')');
        if (!p ||
            sscanf(p + 1,
                   " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
                   "%" SCNu64,
                   &state, &start) != 2)
                return -EBADMSG;
        if (state == 'Z' || state == 'X')
                return -ESRCH;
        *ret = (Process){ pid, start };
        return 0;
}

int process_open(const Process *p, int *ret_fd) {
        _cleanup_close_ int fd = -EBADF;
        Process now;
        int r;

        fd = (int) syscall(SYS_pidfd_open, p->pid, 0);
        if (fd < 0)
                return -errno;
        /* Looked at after the pidfd is held, so that both are about the same process. */
        r = process_read(p->pid, &now);
        if (r < 0)
                return r;
        if (now.start_time != p->start_time)
                return -ESRCH;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

const char *process_where(pid_t pid, char *buf, size_t size) {
        return proc_where("/proc", (uint32_t) pid, buf, size);
}

/* "0::/system.slice/sriovd.service" gives the path of the file with our neighbours' pids. */
static int own_cgroup(char *ret, size_t size) {
        char buf[4096], *p;
        ssize_t n;

        n = read_file("/proc/self/cgroup", buf, sizeof(buf));
        if (n < 0)
                return (int) n;
        p = strstr(buf, "0::/");
        if (!p || (p != buf && p[-1] != '\n'))
                return -ENODATA;
        p += strlen("0::");
        p[strcspn(p, "\n")] = '\0';
        if ((size_t) snprintf(ret, size, "/sys/fs/cgroup%s/cgroup.procs", p) >= size)
                return -ENAMETOOLONG;
        return 0;
}

/* argv is PROGRAM --worker RUNTIME; a daemon in a test has neighbours that are another's workers. */
static bool is_worker_of(pid_t pid, const char *runtime) {
        char buf[4096];
        const char *arg, *end;
        ssize_t n;

        n = read_proc(pid, "cmdline", buf, sizeof(buf));
        if (n <= 0)
                return false;
        end = buf + n;
        arg = buf + strlen(buf) + 1;
        if (arg >= end || !streq(arg, "--worker"))
                return false;
        arg += strlen(arg) + 1;
        return arg < end && streq(arg, runtime);
}

static bool is_asker(pid_t pid) {
        char name[32];

        return read_proc(pid, "comm", name, sizeof(name)) > 0 && streq(name, PROCESS_ASKER "\n");
}

int process_find_workers(const char *runtime, Process **ret, size_t *ret_n) {
        _cleanup_free_ Process *found = NULL;
        _cleanup_fclose_ FILE *f = NULL;
        char path[4200];
        size_t n = 0;
        int pid, r;

        r = own_cgroup(path, sizeof(path));
        if (r < 0)
                return r;
        f = fopen(path, "re");
        if (!f)
                return -errno;
        while (fscanf(f, "%d", &pid) == 1) {
                Process p, *more;

                if (pid == getpid() || !is_worker_of(pid, runtime) || is_asker(pid) ||
                    process_read(pid, &p) < 0)
                        continue;
                more = reallocarray(found, n + 1, sizeof(Process));
                if (!more)
                        return -ENOMEM;
                found = more;
                found[n++] = p;
        }
        *ret = TAKE_PTR(found);
        *ret_n = n;
        return 0;
}
