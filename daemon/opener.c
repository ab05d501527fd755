/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opener
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"
#include "base/utf8.h"

#include "core/stack.h"

#include "daemon/opener.h"
#include "daemon/process.h"

#define DESCENT_MAX 64
#define KTHREADD 2

static void closedirp(DIR **d) {
        if (*d)
                closedir(*d);
}

/* The whole file, cut at size - 1. 0, -errno. */
static int read_proc(pid_t pid, const char *name, char *buf, size_t size) {
        _cleanup_close_ int fd = -EBADF;
        char path[64];
        ssize_t n;

        snprintf(path, sizeof(path), "/proc/%d/%s", (int) pid, name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? -ESRCH : -errno;
        n = read(fd, buf, size - 1);
        if (n < 0)
                return -errno;
        buf[n] = '\0';
        return 0;
}

/* The number behind a line's word in /proc/PID/status: "Tgid:\t17". */
static int find_number(const char *status, const char *word, unsigned field, uint64_t *ret) {
        const char *p = strstr(status, word);
        char *end;

        if (!p)
                return -ENODATA;
        p += strlen(word);
        for (unsigned i = 0; i <= field; i++) {
                *ret = strtoull(p, &end, 10);
                if (end == p)
                        return -ENODATA;
                p = end;
        }
        return 0;
}

/* "0::/system.slice/ssh.service\n" */
static void name_unit(char *cgroup, char *buf, size_t size) {
        char *p = startswith(cgroup, "0::") ? cgroup + 3 : strstr(cgroup, "\n0::");
        const char *last;

        if (!p) {
                buf[0] = '\0';
                return;
        }
        if (*p == '\n')
                p += 4;
        p[strcspn(p, "\n")] = '\0';
        last = strrchr(p, '/');
        last = last && strchr(last, '.') ? last + 1 : p;
        snprintf(buf, size, "%.*s", (int) size - 1, last);
}

int opener_read(pid_t tid, Opener *ret) {
        char status[4096], cgroup[1024], path[64];
        Opener o = { .tid = tid };
        uint64_t pid, uid;
        ssize_t n;
        int r;

        r = read_proc(tid, "status", status, sizeof(status));
        if (r < 0)
                return r;
        if (find_number(status, "\nTgid:", 0, &pid) < 0 ||
            find_number(status, "\nUid:", 1, &uid) < 0)
                return -ESRCH;
        o.pid = (pid_t) pid;
        o.uid = (uint32_t) uid;
        r = read_proc(o.pid, "comm", o.command, sizeof(o.command));
        if (r < 0)
                return r;
        o.command[strcspn(o.command, "\n")] = '\0';
        snprintf(path, sizeof(path), "/proc/%d/exe", (int) o.pid);
        n = readlink(path, o.exe, sizeof(o.exe) - 1);
        o.exe[n < 0 ? 0 : n] = '\0';
        if (read_proc(o.pid, "cgroup", cgroup, sizeof(cgroup)) >= 0)
                name_unit(cgroup, o.unit, sizeof(o.unit));
        /* A process has whatever name it likes, and the bus and the journal's lines have room for text only. */
        utf8_clean(o.command);
        utf8_clean(o.exe);
        utf8_clean(o.unit);
        *ret = o;
        return 0;
}

/* A call of the running architecture that opens a file, and where its flags are. */
static const struct {
        long number;
        enum {
                FLAGS_NONE,
                FLAGS_SECOND,
                FLAGS_THIRD,
                FLAGS_IN_MEMORY
        } flags;
} opens[] = {
#ifdef SYS_open
        { SYS_open, FLAGS_SECOND },
#endif
#ifdef SYS_creat
        { SYS_creat, FLAGS_NONE },
#endif
        { SYS_openat, FLAGS_THIRD },
        { SYS_openat2, FLAGS_IN_MEMORY },
#ifdef __x86_64__
        /*
         * Those of 32-bit programs (i386: open, creat, openat; openat2 has the same number). In the 64-bit table these numbers
         * are fstat, lseek and preadv, none of which opens anything. arch/x86/entry/syscalls/syscall_32.tbl
         */
        { 5, FLAGS_SECOND },
        { 8, FLAGS_NONE },
        { 295, FLAGS_THIRD },
#endif
};

/* "257 0xffffff9c 0x7ffd8 0x80241 ...", or "running". */
static int read_call(pid_t tid, long *ret_number, uint64_t args[static 3]) {
        char text[256];
        int r;

        r = read_proc(tid, "syscall", text, sizeof(text));
        if (r < 0)
                return r;
        if (startswith(text, "running"))
                return -EAGAIN;
        if (sscanf(text, "%ld %" SCNx64 " %" SCNx64 " %" SCNx64, ret_number, args, args + 1,
                   args + 2) != 4)
                return -ENODATA;
        return 0;
}

/* struct open_how begins with its flags. */
static int read_flags(pid_t tid, uint64_t address, uint64_t *ret) {
        _cleanup_close_ int fd = -EBADF;
        char path[64];

        snprintf(path, sizeof(path), "/proc/%d/mem", (int) tid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        return pread(fd, ret, sizeof(*ret), (off_t) address) == sizeof(*ret) ? 0 : -EIO;
}

int opener_writes(pid_t tid) {
        uint64_t args[3], flags = O_WRONLY;
        long number;
        int r;

        r = read_call(tid, &number, args);
        if (r < 0)
                return r == -EAGAIN ? r : 1;
        for (size_t i = 0; i < ELEMENTSOF(opens); i++) {
                if (opens[i].number != number)
                        continue;
                if (opens[i].flags == FLAGS_SECOND)
                        flags = args[1];
                else if (opens[i].flags == FLAGS_THIRD)
                        flags = args[2];
                else if (opens[i].flags == FLAGS_IN_MEMORY && read_flags(tid, args[2], &flags) < 0)
                        flags = O_WRONLY;
                /* O_CREAT, O_TRUNC and O_APPEND write nothing without one of these. */
                return (flags & O_ACCMODE) != O_RDONLY;
        }
        return true;
}

int opener_is_opening(pid_t tid) {
        uint64_t args[3];
        long number;
        int r;

        r = read_call(tid, &number, args);
        if (r < 0)
                return r == -EAGAIN ? r : 0;
        for (size_t i = 0; i < ELEMENTSOF(opens); i++)
                if (opens[i].number == number)
                        return 1;
        return 0;
}

/*
 * "0::/system.slice/sriovd.service": ours alone, for a service's cgroup has nobody else in it. "" = whoever started us was
 * no service manager, and our cgroup is others' as well.
 */
static const char *own_cgroup(void) {
        static char own[1024];
        static bool read;

        if (!read) {
                read = true;
                if (getppid() != 1 || read_proc(getpid(), "cgroup", own, sizeof(own)) < 0 ||
                    !strstr(own, ".service\n"))
                        own[0] = '\0';
        }
        return own;
}

static bool is_in_own_cgroup(pid_t pid) {
        char cgroup[1024];

        return own_cgroup()[0] != '\0' && read_proc(pid, "cgroup", cgroup, sizeof(cgroup)) >= 0 &&
               streq(cgroup, own_cgroup());
}

bool opener_is_ours(pid_t pid) {
        char status[4096];
        uint64_t parent;

        if (is_in_own_cgroup(pid))
                return true;
        for (unsigned i = 0; i < DESCENT_MAX && pid > 1; i++) {
                if (pid == getpid() || pid == KTHREADD)
                        return true;
                if (read_proc(pid, "status", status, sizeof(status)) < 0 ||
                    find_number(status, "\nPPid:", 0, &parent) < 0)
                        return false;
                pid = (pid_t) parent;
        }
        return false;
}

bool opener_fd_writes(pid_t pid, const char *fd, uint64_t *ret) {
        char file[64], info[1024];
        const char *flags;
        uint64_t f;

        snprintf(file, sizeof(file), "fdinfo/%.16s", fd);
        if (read_proc(pid, file, info, sizeof(info)) < 0 || find_number(info, "\nino:", 0, ret) < 0)
                return false;
        flags = strstr(info, "flags:");
        if (!flags || sscanf(flags + strlen("flags:"), "%" SCNo64, &f) != 1)
                return false;
        return (f & O_ACCMODE) != O_RDONLY && !(f & O_PATH);
}

/*
 * By fdinfo's inode and the link's last name. No stat(): other files of that process may be on a file system that does not
 * answer, and we would wait for it.
 */
static bool is_it(pid_t pid, const char *fd, uint64_t ino, const char *name) {
        char path[96], target[PATH_MAX], *slash;
        uint64_t number;
        ssize_t n;

        snprintf(path, sizeof(path), "/proc/%d/fd/%.16s", (int) pid, fd);
        n = readlink(path, target, sizeof(target) - 1);
        if (n < 0)
                return false;
        target[n] = '\0';
        slash = strrchr(target, '/');
        /* First the name: what fdinfo has to say of other files may wait for their drivers. */
        return slash && startswith(slash + 1, name) && opener_fd_writes(pid, fd, &number) &&
               number == ino;
}

int opener_holds(pid_t pid, uint64_t ino, const char *name) {
        _cleanup_(closedirp) DIR *d = NULL;
        struct dirent *e;
        char path[64];

        snprintf(path, sizeof(path), "/proc/%d/fd", (int) pid);
        d = opendir(path);
        if (!d)
                return -ESRCH;
        while ((e = readdir(d)))
                if (e->d_name[0] != '.' && is_it(pid, e->d_name, ino, name))
                        return 1;
        return 0;
}

/* A shell's child writes through what the shell has opened: { command; } > file. */
static bool has_child_inside(pid_t pid, char *where, size_t size) {
        char name[64], children[1024], *p = children, *end;

        snprintf(name, sizeof(name), "task/%d/children", (int) pid);
        if (read_proc(pid, name, children, sizeof(children)) < 0)
                return false;
        for (;;) {
                pid_t child = (pid_t) strtol(p, &end, 10);

                if (end == p)
                        return false;
                process_where(child, where, size);
                if (stack_place(where) != STACK_ELSEWHERE)
                        return true;
                p = end;
        }
}

bool opener_is_inside(pid_t pid, char *where, size_t size) {
        _cleanup_(closedirp) DIR *d = NULL;
        struct dirent *e;
        char path[64];

        snprintf(path, sizeof(path), "/proc/%d/task", (int) pid);
        d = opendir(path);
        while (d && (e = readdir(d))) {
                if (e->d_name[0] == '.')
                        continue;
                process_where((pid_t) strtol(e->d_name, NULL, 10), where, size);
                if (stack_place(where) != STACK_ELSEWHERE)
                        return true;
        }
        if (has_child_inside(pid, where, size))
                return true;
        if (size > 0)
                where[0] = '\0';
        return false;
}
