/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings: what sriovd.conf says of the daemon itself
 *
 * /etc/sriovd/sriovd.conf, or else that of /run, or else that of /usr/lib: the first one that is there counts alone.
 * Every mistake is an error with file and line; nothing is guessed and nothing clamped.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/door.h"

#define GATE_EXCEPT_MAX 16

typedef struct Settings {
        uint32_t
                deadline_factor; /* 1 to 100: how many times the usual a write may take before it is called stuck */
        uint32_t fan_out; /* 1 to 16: VF binds and unbinds at once, as far as the queue has them */
        uint32_t ended_jobs; /* 1 to 256: how many are remembered */
        uint32_t ended_minutes; /* 1 to 1440: and for how long */
        GateMode gate;
        uint32_t
                gate_lease; /* 1 to 3600 s: how long a program that was let in may keep a file open and do nothing */
        char gate_except[GATE_EXCEPT_MAX]
                        [256]; /* executables ("/usr/bin/x") and units ("x.service") that pass */
        size_t n_gate_except;
} Settings;

#define SETTINGS_DEFAULT                                                                           \
        ((Settings){ .deadline_factor = 1,                                                         \
                     .fan_out = 4,                                                                 \
                     .ended_jobs = 256,                                                            \
                     .ended_minutes = 10,                                                          \
                     .gate = GATE_SERIALIZE,                                                       \
                     .gate_lease = 10 })

/* "FILE:LINE: what is wrong" */
typedef struct SettingsError {
        char text[512];
} SettingsError;

/*
 * Reads that file. 0, and *ret; -ENOENT: no such file; -EBADMSG: *ret_error says where and why; -errno of the file, with
 * *ret_error. What the file does not name has its default.
 */
int settings_read(const char *path, Settings *ret, SettingsError *ret_error);

/* The first of the usual files that is there, or the defaults. 0, -EBADMSG, -errno. */
int settings_load(Settings *ret, SettingsError *ret_error);
