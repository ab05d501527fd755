/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cli: what was typed, and the way to the daemon
 *
 * One struct goes through all verbs. In cli/ every function that can fail tells the user why itself
 * and returns the exit status, so that callers only pass it on: 0 is success here as everywhere.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <systemd/sd-bus.h>

#include "base/macro.h"

/* sriovctl(1), EXIT STATUS. Those that only the daemon's errors have are in core/fault.c. */
enum {
        STATUS_OK = 0,
        STATUS_FAILED = 1,
        STATUS_USAGE = 2,
        STATUS_TIMEOUT = 3,
        STATUS_PARTIAL = 4,
        STATUS_DENIED = 6,
        STATUS_NO_DAEMON = 8,
        STATUS_WEDGED = 9,
        STATUS_NO_DEVICE = 10,
        STATUS_DIFFERENT = 20,
        STATUS_SIGNAL = 128, /* plus the signal's number, as a shell has it: 130 for Ctrl-C */
};

typedef enum Json {
        JSON_OFF,
        JSON_SHORT,
        JSON_PRETTY,
} Json;

typedef struct Cli {
        /* output */
        Json json;
        const char *columns; /* as typed, or NULL */
        bool legend;

        /* connection */
        const char *host;
        sd_bus *bus;
        bool peer; /* the private socket: no names, no senders */

        /* changes */
        bool dry_run;
        bool no_block;
        bool wait_limited;
        uint64_t wait_usec; /* until we give up waiting; the job goes on */
        uint64_t timeout_usec; /* until the job gives up; 0 = never */
        char **force;
        const char *driver;
        const char *reason;
        const char *expect;
        const char *on_failure;
        bool rescan;
        bool all_functions;
        bool persist;
        bool boot;

        /* looking */
        bool vfs;
        bool all;
        bool lines_limited;
        uint32_t lines;
        uint64_t since; /* CLOCK_REALTIME, µs */
        const char *directory;
        bool ready;
        const char *file;

        /* hold */
        const char *mode, *why;
        char **command; /* what stands behind "--", or NULL */
} Cli;

typedef int (*VerbFunction)(Cli *c, int argc, char **argv); /* argv[0] is the verb */

/*
 * list.c, show.c, users.c, change.c, apply.c, diff.c, vf.c, eswitch.c, adopt.c, plan.c, hold.c, jobs.c, history.c, monitor.c,
 * doctor.c, gate.c, metrics.c, check.c
 */
int verb_list(Cli *c, int argc, char **argv);
int verb_show(Cli *c, int argc, char **argv);
int verb_users(Cli *c, int argc, char **argv);
int verb_set(Cli *c, int argc, char **argv);
int verb_bind(Cli *c, int argc, char **argv);
int verb_unbind(Cli *c, int argc, char **argv);
int verb_remove(Cli *c, int argc, char **argv);
int verb_rescan(Cli *c, int argc, char **argv);
int verb_reset(Cli *c, int argc, char **argv);
int verb_slot(Cli *c, int argc, char **argv);
int verb_unload(Cli *c, int argc, char **argv);
int verb_apply(Cli *c, int argc, char **argv);
int verb_diff(Cli *c, int argc, char **argv);
int verb_vf(Cli *c, int argc, char **argv);
int verb_eswitch(Cli *c, int argc, char **argv);
int verb_adopt(Cli *c, int argc, char **argv);
int verb_plan(Cli *c, int argc, char **argv);
int verb_hold(Cli *c, int argc, char **argv);
int verb_jobs(Cli *c, int argc, char **argv);
int verb_job(Cli *c, int argc, char **argv);
int verb_wait(Cli *c, int argc, char **argv);
int verb_cancel(Cli *c, int argc, char **argv);
int verb_history(Cli *c, int argc, char **argv);
int verb_monitor(Cli *c, int argc, char **argv);
int verb_doctor(Cli *c, int argc, char **argv);
int verb_gate(Cli *c, int argc, char **argv);
int verb_metrics(Cli *c, int argc, char **argv);
int verb_check(Cli *c, int argc, char **argv);
int verb_reload(Cli *c, int argc, char **argv);
int verb_help(Cli *c, int argc, char **argv);

/* For `plan VERB ...`: runs another verb of the table, which must be one that changes something. */
int verb_run_change(Cli *c, int argc, char **argv);
