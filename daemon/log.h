/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log: lines for the journal, with the fields that history is made of
 *
 * A line names the PF first, quotes what the user typed, says what happens next. Where stderr is not the
 * journal's (a terminal, a test) the same line goes there, without its fields.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <syslog.h>

#include "base/macro.h"

#include "core/ladder.h"

#include "daemon/opener.h"
#include "daemon/record.h"

void log_open(void);

/* Another program, for people: "'bash' (process 123, uid 0, /usr/bin/bash, ssh.service)". Returns buf. */
#define LOG_OPENER_MAX 600
const char *log_opener(const Opener *o, char buf[static LOG_OPENER_MAX]);

/* r may be NULL. */
void log_line(int priority, const Record *r, const char *format, ...) _printf_(3, 4);
/* The same at LOG_ERR, "...: why"; error is a negative errno and is returned. */
int log_error_errno(int error, const char *format, ...) _printf_(2, 3);

void log_job_new(const Record *r);
/* Another program's: its turn has begun. r may be NULL. */
void log_job_admitted(const Record *r);
void log_job_step(const Record *r, const Step *step, const StepResult *result, uint64_t usec);
/* outside: proven to be outside the kernel's global lock. lines: the kernel's own, with newlines between; or NULL. */
void log_job_wedged(const Record *r, const Step *step, pid_t pid, const char *where, bool outside,
                    const char *lines);
/* A line of ours for each of the kernel's, so that they are found by the job's fields. lines may be NULL. */
void log_kernel_lines(int priority, const Record *r, const char *lines);
void log_job_end(const Record *r);
