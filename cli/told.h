/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Told: the last words about jobs
 *
 * Of one that ended, and of one that is left before its end. Each function prints and returns the exit status.
 */
#pragma once

#include <stddef.h>

#include <json-c/json.h>

#include "cli/cli.h"

/* A job that has ended. */
int told_end(const Cli *c, json_object *job);

/* One that has not, and why we go: "goes on". */
int told_left(const Cli *c, json_object *job, int status, const char *what);

/*
 * Several, a line for each. Those that have not ended are left with that status, which is the whole one then. Else it is 0 if all
 * went well, STATUS_PARTIAL if some did, and their own if none did.
 */
int told_several(const Cli *c, json_object *const *jobs, size_t n, int status, const char *what);

/* What several that have ended come to. */
int told_sum(const int *statuses, size_t n);

/* The keys of a job that is over, as --json has them. NULL: out of memory. */
json_object *told_brief(json_object *job);
/* The status of a job that has ended, and its line ("" for one that went well). Returns line. */
#define TOLD_LINE_MAX 1024
const char *told_line(json_object *job, int *ret_status, char line[static TOLD_LINE_MAX]);
