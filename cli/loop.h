/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loop: waiting for the daemon's signals, across its restarts
 *
 * Ctrl-C and SIGTERM are held back from loop_init() on, so that whoever waits can say what goes on
 * without him.
 */
#pragma once

#include <systemd/sd-event.h>

#include "cli/cli.h"

typedef struct Loop Loop;

struct Loop {
        Cli *cli;
        sd_event *event;
        /* Installs matches on cli->bus; called for each new connection. 0 or a negative errno. */
        int (*subscribe)(Loop *l, void *userdata);
        void *userdata;
        int signal; /* SIGINT or SIGTERM came, or 0 */
        bool gone; /* the daemon is not there */
        uint64_t gone_usec; /* CLOCK_MONOTONIC: since when */
        bool back; /* it is there again: look anew. Reset by whoever looked */
};

/* Connects if need be. 0, or a status with the reason told. */
int loop_init(Loop *l, Cli *c, int (*subscribe)(Loop *l, void *userdata), void *userdata);
/* The same, but a daemon that is not there yet is one that is gone; not for one of another host. */
int loop_init_patiently(Loop *l, Cli *c, int (*subscribe)(Loop *l, void *userdata), void *userdata);
void loop_done(Loop *l);

/* A call failed. True if nobody was there to answer it: then the daemon is gone until it is back. */
bool loop_is_gone(Loop *l, const sd_bus_error *error);

/*
 * Handles what comes, for at most so long (UINT64_MAX: no limit), and goes on connecting. 0 or a
 * status.
 */
int loop_turn(Loop *l, uint64_t usec);
