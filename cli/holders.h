/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holders: who uses a device, as the daemon told, for people
 *
 * A list of records with function, kind, pid, command, detail and force, the option that goes on
 * against this one.
 */
#pragma once

#include <stdbool.h>

#include <json-c/json.h>

/* Makes "pid" null where there is no process, or nobody can tell which. NULL is an empty list. */
void holders_settle(json_object *list);

/* "0000:01:10.0: vfio: qemu-system-x86 (pid 4711), /dev/vfio/12". Returns buf. */
#define HOLDERS_LINE_MAX 256
const char *holders_line(json_object *holder, char buf[static HOLDERS_LINE_MAX]);

/* To stderr, one line each: those for whose sake something was refused. */
void holders_say_refusing(json_object *list);
/* The same for those in spite of whom it was begun. */
void holders_say_forced(json_object *list);
