/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Progress: one line on a terminal that is written over and over
 */
#pragma once

#include "base/macro.h"

/* Shows the line in place of the one before. Nothing where stderr is no terminal. */
void progress_show(const char *format, ...) _printf_(1, 2);

/* Takes the line away, so that a lasting one can be printed. */
void progress_clear(void);
