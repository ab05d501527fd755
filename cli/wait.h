/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wait: until jobs have ended
 */
#pragma once

#include <json-c/json.h>

#include "cli/cli.h"
#include "cli/loop.h"

typedef struct Waited {
        char *path;
        json_object *job; /* as last seen */
        bool look; /* ask for all of it again */
} Waited;

typedef struct Wait {
        Loop loop;
        uint64_t deadline; /* CLOCK_MONOTONIC, UINT64_MAX: none */
        bool stay; /* a job stuck in the kernel is no reason to go */
        bool several; /* told as a list, one too */
        Waited *jobs;
        size_t n_jobs;
} Wait;

/* To be called before a job is asked for, or its end could be missed. */
int wait_init(Wait *w, Cli *c);
void wait_done(Wait *w);

/* Waits and says how it ended. stay: see above. Returns the exit status. */
int wait_job(Wait *w, const char *path, bool stay);

/* Waits for all of them, side by side. */
int wait_jobs(Wait *w, char *const *paths);
