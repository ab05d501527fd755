/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hands: what the next daemon must know of the wards
 *
 * Files in the runtime directory, which go with the boot: one says that there was a daemon before, one which PFs people
 * changed by hand, one what was asked for last of each. Without them a daemon that is started anew would undo what somebody did a
 * minute ago, or make what nobody asked for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/bdf.h"

typedef struct Manager Manager;

/* No daemon has come as far as hands_note_first() since the host was started. dir: the runtime directory. */
bool hands_is_first(int dir);
void hands_note_first(int dir);

bool hands_have(int dir, Bdf pf, uint64_t identity);
/* The number of what was asked for last of that PF; false: not known. */
bool hands_agreed(int dir, Bdf pf, uint64_t identity, uint64_t *ret);
/* Writes down those of all wards. A failure is logged. */
void hands_keep(Manager *m);
