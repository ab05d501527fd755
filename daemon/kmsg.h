/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kmsg: what the kernel has logged since a job began
 *
 * An fd of /dev/kmsg has a place of its own in the log, so that each job that is under way has one: what stood there before
 * is not its matter. Where the log cannot be read there are no lines, and nothing else is missing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/bdf.h"

#define KMSG_LINES_MAX 20
#define KMSG_TEXT_MAX 4096

/* Whose lines are wanted. */
typedef struct KmsgFilter {
        const Bdf *fns; /* any line that names one of these, with or without its domain */
        size_t n_fns;
        const char *driver; /* "" = none; a line that names it together with any device */
        pid_t pid; /* 0 = none; a line about this child of ours */
} KmsgFilter;

/* The log from now on, never waiting for more; -errno. */
int kmsg_open(void);

/* One record as /dev/kmsg gives it, "6,1234,5678,-;text\n KEY=value\n". */
bool kmsg_matches(const char *record, const KmsgFilter *filter);

/*
 * All that came since the last call and matches, "[   12.345678] text" each, with newlines between: at most the first
 * KMSG_LINES_MAX lines, and how many more there were. NULL if there is none. The caller's.
 */
char *kmsg_read(int fd, const KmsgFilter *filter);
