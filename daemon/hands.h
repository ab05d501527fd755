/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hands: what the next daemon must know of the wards
 *
 * Two files in the runtime directory, which go with the boot: one says that there was a daemon before, the other which PFs people
 * changed by hand. Without them a daemon that is started anew would undo what somebody did a minute ago.
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
/* Writes down those of all wards. A failure is logged. */
void hands_keep(Manager *m);
