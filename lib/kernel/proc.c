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

int proc_next(DIR *d, uint32_t *ret) {
        struct dirent *entry;

        do {
                errno = 0;
                entry = readdir(d);
                if (!entry)
                        return gone_or(-errno);
        } while (parse_u32(entry->d_name, INT32_MAX, ret) < 0);
        return 1;
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
        return opendir(PATH_OF(proc, pid, name));
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
