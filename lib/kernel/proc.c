/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proc
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/proc.h"

/* A task that ended while it was looked at is told by several numbers. */
static int gone_or(int r) {
        return r == -ENOENT || r == -EINVAL ? -ESRCH : r;
}

bool proc_next(DIR *d, uint32_t *ret) {
        struct dirent *entry;

        while ((entry = readdir(d)))
                if (parse_u32(entry->d_name, INT32_MAX, ret) >= 0)
                        return true;
        return false;
}

static const char *path_of(const char *proc, uint32_t pid, const char *name, char *buf) {
        if (pid == 0)
                snprintf(buf, PATH_MAX, "%s/%s", proc, name);
        else
                snprintf(buf, PATH_MAX, "%s/%" PRIu32 "/%s", proc, pid, name);
        return buf;
}
#define PATH_OF(proc, pid, name) path_of((proc), (pid), (name), (char[PATH_MAX]){ 0 })

DIR *proc_open_folder(const char *proc, uint32_t pid, const char *name) {
        _cleanup_close_ int fd = open(PATH_OF(proc, pid, name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *d;

        if (fd < 0)
                return NULL;
        d = fdopendir(fd);
        if (d)
                TAKE_FD(fd);
        return d;
}

ssize_t proc_read(const char *proc, uint32_t pid, const char *name, char *buf, size_t size) {
        _cleanup_close_ int fd = open(PATH_OF(proc, pid, name), O_RDONLY | O_CLOEXEC | O_NOCTTY);
        ssize_t n;

        if (fd < 0)
                return gone_or(-errno);
        n = read(fd, buf, size - 1);
        if (n < 0)
                return gone_or(-errno);
        buf[n] = '\0';
        return n;
}

int proc_link(const char *proc, uint32_t pid, const char *name, char *buf, size_t size) {
        ssize_t n = readlink(PATH_OF(proc, pid, name), buf, size);

        if (n < 0)
                return gone_or(-errno);
        if ((size_t) n >= size)
                return -ENAMETOOLONG;
        buf[n] = '\0';
        return 0;
}

int proc_stat(const char *proc, uint32_t pid, ProcStat *ret) {
        char buf[1024], state, *name, *end;
        uint32_t parent, n_threads = 0;
        ssize_t n;

        n = proc_read(proc, pid, "stat", buf, sizeof(buf));
        if (n < 0)
                return (int) n;
        /* The name stands in parentheses and may hold any byte, also ')'. */
        name = strchr(buf, '(');
        end = strrchr(buf, ')');
        if (!name || !end ||
            sscanf(end + 1,
                   " %c %" SCNu32 " %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
                   "%" SCNu32,
                   &state, &parent, &n_threads) < 2)
                return -EBADMSG;
        *end = '\0';
        if (state == 'Z' || state == 'X')
                return -ESRCH;
        *ret = (ProcStat){ .state = state, .parent = parent, .n_threads = n_threads };
        snprintf(ret->command, sizeof(ret->command), "%s", name + 1);
        return 0;
}

const char *proc_command(const char *proc, uint32_t pid, char buf[static PROC_COMMAND_MAX]) {
        if (proc_read(proc, pid, "comm", buf, PROC_COMMAND_MAX) < 0)
                buf[0] = '\0';
        buf[strcspn(buf, "\n")] = '\0';
        return buf;
}

int proc_parse_namespace(const char *link, const char *kind, uint64_t *ret) {
        const char *rest = startswith(link, kind);
        char end;

        return rest && sscanf(rest, ":[%" SCNu64 "%c", ret, &end) == 2 && end == ']' ? 0 : -EINVAL;
}

int proc_namespace(const char *proc, uint32_t pid, const char *kind, uint64_t *ret) {
        char name[32], link[64];
        int r;

        snprintf(name, sizeof(name), "%sns/%s", pid == 0 ? "self/" : "", kind);
        r = proc_link(proc, pid, name, link, sizeof(link));
        return r < 0 ? r : proc_parse_namespace(link, kind, ret);
}

/* "[<0>] mutex_lock+0x2f/0x40" becomes "mutex_lock". */
static const char *frame_name(char *line) {
        char *name = strstr(line, "] ");

        name = name ? name + 2 : line;
        name[strcspn(name, "+/ \n")] = '\0';
        return name;
}

int proc_stack(const char *proc, uint32_t pid, char *buf, size_t size) {
        char stack[4096], *save = NULL;
        size_t used = 0;
        ssize_t n;

        n = proc_read(proc, pid, "stack", stack, sizeof(stack));
        if (n < 0)
                return (int) n;
        buf[0] = '\0';
        for (char *line = strtok_r(stack, "\n", &save); line && used < size;
             line = strtok_r(NULL, "\n", &save))
                used += (size_t) snprintf(buf + used, size - used, "%s%s", used > 0 ? " < " : "",
                                          frame_name(line));
        return 0;
}

const char *proc_where(const char *proc, uint32_t pid, char *buf, size_t size) {
        if (proc_stack(proc, pid, buf, size) >= 0 && buf[0] != '\0')
                return buf;
        if (proc_read(proc, pid, "wchan", buf, size) <= 0 || streq(buf, "0"))
                snprintf(buf, size, "unknown");
        return buf;
}

typedef struct Walk {
        int (*each)(void *arg, const ProcFile *file);
        void *arg;
        unsigned n_files;
} Walk;

static int walk_files(Walk *w, const char *proc, uint32_t pid, const char *name) {
        _cleanup_(proc_close_folder) DIR *d = NULL;
        char link[PATH_MAX];
        uint32_t fd;

        d = proc_open_folder(proc, pid, name);
        if (!d)
                return gone_or(-errno);
        while (proc_next(d, &fd)) {
                ProcFile file = { .pid = pid, .link = link, .directory = dirfd(d) };
                ssize_t n;
                int r;

                snprintf(file.fd, sizeof(file.fd), "%" PRIu32, fd);
                w->n_files++;
                n = readlinkat(file.directory, file.fd, link, sizeof(link) - 1);
                if (n < 0) {
                        if (errno == ENOENT)
                                continue;
                        /* A path too long to be told: the file is asked by its number all the same. */
                        if (errno != ENAMETOOLONG)
                                return -errno;
                        n = 0;
                }
                link[n] = '\0';
                r = w->each(w->arg, &file);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* A process whose first thread has ended shows its files only with those that live. */
static int walk_process(Walk *w, const char *proc, uint32_t pid) {
        _cleanup_(proc_close_folder) DIR *d = NULL;
        char name[32];
        uint32_t tid;
        int r;

        w->n_files = 0;
        r = walk_files(w, proc, pid, "fd");
        if (r < 0 || w->n_files > 0)
                return r;
        d = proc_open_folder(proc, pid, "task");
        while (d && r >= 0 && w->n_files == 0 && proc_next(d, &tid)) {
                if (tid == pid)
                        continue;
                snprintf(name, sizeof(name), "task/%" PRIu32 "/fd", tid);
                r = walk_files(w, proc, pid, name);
        }
        return r;
}

int proc_each_file(const char *proc, int (*each)(void *arg, const ProcFile *file), void *arg,
                   unsigned *ret_unseen) {
        Walk w = { each, arg, 0 };
        _cleanup_(proc_close_folder) DIR *d = NULL;
        uint32_t pid;
        int r;

        d = proc_open_folder(proc, 0, "");
        if (!d)
                return -errno;
        while (proc_next(d, &pid)) {
                if (pid == (uint32_t) getpid())
                        continue;
                r = walk_process(&w, proc, pid);
                if (r == -EACCES || r == -EPERM)
                        ++*ret_unseen;
                else if (r < 0 && r != -ESRCH)
                        return r;
        }
        return 0;
}
