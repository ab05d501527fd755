/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trail: how a state was come to, for whoever has to find out why it is wrong
 */
#pragma once

#include "core/ladder.h"

void trail_push(const char *what, uint32_t job, const Step *step, const char *how);
void trail_pop(void);
void trail_print(void);
