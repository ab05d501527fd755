/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bus-options: the a{sv} at the end of every changing method
 *
 * A key that the method does not know is an error, so that an old daemon never ignores a safety option.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <systemd/sd-bus.h>

#include "daemon/manager.h"

/* What the methods allow beyond what all do. */
typedef enum OptionSet {
        OPTIONS_FORCE = 1 << 0,
        OPTIONS_DRIVER = 1 << 1, /* SetVFs: the VFs' driver */
        OPTIONS_REMOVE = 1 << 2, /* rescan, all-functions */
        OPTIONS_JOB = 1 << 5, /* timeout, expect */
        OPTIONS_ON_FAILURE = 1 << 4, /* SetVFs: keep or rollback */
        OPTIONS_PLAN = 1 << 3, /* the arguments of the method that is planned */
        OPTIONS_PERSIST = 1 << 6, /* SetVFs: a policy from now on */
        OPTIONS_DRY_RUN = 1 << 7, /* Adopt: says what it would write; then OP_ALONE is set */
} OptionSet;

typedef struct Options {
        char function[256];
        bool has_on_failure, has_count, has_driver, has_slot, has_index, has_attrs, has_mode;
        Fault wrong; /* with the words of an attribute or mode; its fn is not known yet */
        Wish wish; /* op.flags, op.count, op.driver, op.slot and the rest are filled in; op.kind and op.fn are not */
} Options;

/* Reads the dictionary that comes next in m. 0, or < 0 with error set. */
int options_read(sd_bus_message *m, uint32_t allowed, Options *ret, sd_bus_error *error);

/* A mode of the eswitch; one that is none is noted in o->wrong. */
void options_set_mode(Options *o, const char *mode);

/* The sets of options of an operation. */
uint32_t options_of(OpKind kind);
