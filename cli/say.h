/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Say: every word that leaves sriovctl
 *
 * An error is one line on stderr, and with --json one object on stdout as well.
 */
#pragma once

#include <json-c/json.h>

#include "cli/cli.h"

static inline void json_putp(json_object **o) {
        json_object_put(*o);
}
#define _cleanup_json_ _cleanup_(json_putp)

/* Each prints the line and returns the status. bus_name: "org.sriovd1.Error.…" or NULL. */
int say_error(const Cli *c, int status, const char *bus_name, const char *format, ...)
        _printf_(4, 5);
int say_usage(const Cli *c, const char *format, ...) _printf_(2, 3);
int say_oom(const Cli *c);
/*
 * The same for an error whose object has more keys; takes details over and adds error, message,
 * exit.
 */
int say_error_with(const Cli *c, int status, const char *bus_name, const char *message,
                   json_object *details);

/* To stderr: something to know about what goes on or was done. */
void say_note(const char *format, ...) _printf_(1, 2);

/* To stderr, below the line before: one of the things that it was about. */
void say_below(const char *format, ...) _printf_(1, 2);

/* One value on stdout as --json asks for; nothing without --json. */
void say_json(const Cli *c, json_object *o);

/* Flushes stdout. A full disk or a closed pipe is an error, not a success without output. */
int say_flush(int status);

/*
 * Copies s with control characters as '?': what comes from outside stays on its line. Returns buf.
 */
const char *say_clean(const char *s, char *buf, size_t size);

/* NO_COLOR, a dumb terminal and anything that is no terminal have none. */
bool say_colors(void);
