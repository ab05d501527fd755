/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opener: another program that opens a door
 *
 * Who it is and what for, read out of /proc while its thread sleeps in open(), so that nothing of it changes meanwhile.
 * Nothing here waits: /proc's files of tasks take no lock of a device.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct Opener {
        pid_t pid, tid; /* the process, and the thread of it that opens */
        uint32_t uid; /* effective */
        char command[64];
        char exe[256]; /* "" = cannot be told */
        char unit
                [128]; /* of its cgroup: "ssh.service", or the cgroup's path where that names none */
        char file[256]; /* the door's path below /sys, which the gate fills in */
} Opener;

/* 0; -ESRCH: it is gone. */
int opener_read(pid_t tid, Opener *ret);

/*
 * 1 if it may write with what it opens, 0 if it reads; -EAGAIN: it does not sleep yet, and nothing can be told. Which is not in fanotify's event, but in the arguments of the call that the thread
 * sleeps in; those of openat2() lie in its memory, and io_uring has none: what cannot be told counts as writing.
 */
int opener_writes(pid_t tid);

/* True if the thread sleeps in a call that opens, -EAGAIN if it runs just now, false also if it is gone. */
int opener_is_opening(pid_t tid);

/*
 * True for a child of ours and whatever it started (a line of modprobe's may write sriov_numvfs): in our cgroup where that
 * is a service's, else by descent. And for the kernel's own helpers, which whoever called them waits for.
 */
bool opener_is_ours(pid_t pid);

/* True if that descriptor of the process is open to write; *ret is its inode. */
bool opener_fd_writes(pid_t pid, const char *fd, uint64_t *ret);
/* 1: the process has a file of that inode and that name open to write; 0: no; -ESRCH: it is gone. */
int opener_holds(pid_t pid, uint64_t ino, const char *name);

/* True if one of its threads, or a child of its first one, is in the kernel's paths of core/stack.h now; where: the stack. */
bool opener_is_inside(pid_t pid, char *where, size_t size);
