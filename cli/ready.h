/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ready: until devices can be used
 */
#pragma once

#include <json-c/json.h>

#include "cli/cli.h"

/* Until all of these are ready; one that is not there may come late. Returns the exit status. */
int ready_wait(Cli *c, int n, char **typed);

/* What a PF or VF that is not ready lacks, in one line with its address. Returns line. */
#define READY_LINE_MAX 512
const char *ready_missing(json_object *fn, char line[static READY_LINE_MAX]);
