/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Process: who a process is, whether it still lives, and where in the kernel it stands
 *
 * A pid alone names nobody for long: the start time makes it one process. Nothing here signals anybody, for
 * the first signal makes a wait in the kernel uninterruptible.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct Process {
        pid_t pid;
        uint64_t start_time; /* clock ticks since boot, field 22 of /proc/PID/stat */
} Process;

/* Fills in the start time of pid. 0, -ESRCH if there is none or only a zombie, -errno. */
int process_read(pid_t pid, Process *ret);

/* A pidfd that polls readable when the process is over. 0, -ESRCH if it is already, -errno. */
int process_open(const Process *p, int *ret_fd);

/*
 * The functions of the kernel it sleeps in, innermost first: "mutex_lock < pci_lock_rescan_remove < ..."; where the kernel shows
 * no stack its wchan alone, or "unknown". Returns buf.
 */
const char *process_where(pid_t pid, char *buf, size_t size);

/* What a worker calls itself while it only looks: it writes nothing, and nobody need wait for it. */
#define PROCESS_ASKER "sriovd-asker"
#define PROCESS_WORKER "sriovd-worker"

/*
 * Workers of a daemon with this runtime directory in our own cgroup: the truth about children left in the
 * kernel, but for those that only look. *ret is the caller's. 0, -ENOMEM, or -errno where the cgroup cannot be read.
 */
int process_find_workers(const char *runtime, Process **ret, size_t *ret_n);
