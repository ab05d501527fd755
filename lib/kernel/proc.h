/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proc: what /proc tells of other tasks
 *
 * `proc` is the folder itself, "/proc", so that tests can bring their own. Nothing here waits for a lock that the
 * task holds while it sleeps in sysfs, and nothing asks a file system that may be gone: links are read, not followed.
 * "Not there" is -ESRCH for tasks that have ended, and zombies are.
 */
#pragma once

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROC_COMMAND_MAX 32

typedef struct ProcStat {
        char command[PROC_COMMAND_MAX];
        char state; /* 'R', 'S', 'D', 'I', 'Z', ... */
        uint32_t parent;
        uint32_t n_threads; /* 0: not told */
} ProcStat;

/* The next number among a folder's names: pids, tids, fds. 1; 0 at the end; -ESRCH, -errno. */
int proc_next(DIR *d, uint32_t *ret);
/* "PROC/name", or "PROC/PID/name" for pid != 0. NULL with errno set. */
DIR *proc_open_folder(const char *proc, uint32_t pid, const char *name);
static inline void proc_close_folder(DIR **d) {
        if (*d)
                closedir(*d);
}

/* Up to size - 1 bytes of a file that is told in one piece, ended with NUL. The length, -ESRCH, -errno. */
ssize_t proc_read(const char *proc, uint32_t pid, const char *name, char *buf, size_t size);
/* Where PROC/PID/name leads, as text. 0, -ESRCH, -errno. */
int proc_link(const char *proc, uint32_t pid, const char *name, char *buf, size_t size);

int proc_stat(const char *proc, uint32_t pid, ProcStat *ret);
/* Its name, "" if it is gone. Returns buf. */
const char *proc_command(const char *proc, uint32_t pid, char buf[static PROC_COMMAND_MAX]);

/* The number out of "net:[4026531840]", the name of such a link. 0, -EINVAL. */
int proc_parse_namespace(const char *link, const char *kind, uint64_t *ret);
/* Of a task ("net", "mnt"); pid 0: our own. 0, -ESRCH, -errno. */
int proc_namespace(const char *proc, uint32_t pid, const char *kind, uint64_t *ret);

/* The functions of the kernel it sleeps in, innermost first: "mutex_lock < pci_lock_...". 0, -ESRCH, -errno. */
int proc_stack(const char *proc, uint32_t pid, char *buf, size_t size);
/* The same, or what else tells where it is, or "unknown". Returns buf. */
const char *proc_where(const char *proc, uint32_t pid, char *buf, size_t size);
