/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Job: the daemon's jobs as records
 */
#pragma once

#include <json-c/json.h>

#include "cli/cli.h"

/* Each with job, state, path, operation, object; waiting and running ones first. */
int job_list(Cli *c, json_object **ret);

/* The number that was typed; to be called before the daemon is asked for anything. */
int job_parse(const Cli *c, const char *typed, uint32_t *ret);

/* The object path of the job. The daemon makes paths, we only look them up. */
int job_find(Cli *c, uint32_t id, char **ret_path);

/* All that is known of it. */
int job_get(Cli *c, const char *path, json_object **ret);

/*
 * Makes null what is none: progress that the daemon cannot tell yet, the pid of no process; and puts
 * command, exe, unit, file and tid of another program beside the rest.
 */
void job_settle(json_object *job);
