/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Co: a function that can stop in the middle and go on later
 *
 * Each task of the simulated kernel is one. There are no threads: exactly one runs, until it suspends itself.
 */
#pragma once

#include "base/macro.h"

typedef struct Co Co;

/* NULL if there is no memory. fn(arg) starts with the first co_resume(). */
Co *co_new(void (*fn)(void *), void *arg);
/* Only of one that has returned or never ran: what lies on its stack is not unwound. */
Co *co_free(Co *co);
/* Runs it until it suspends itself or returns. */
void co_resume(Co *co);
/* Back to whoever resumed the one that runs now. */
void co_suspend(void);
