/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fail: what can fail for want of memory or room does so where the test wants it
 *
 * For a program of one file that is linked with --wrap for each function below. What is tried again is tried at once.
 */
#pragma once

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <systemd/sd-event.h>

#include "base/macro.h"

#include "daemon/ledger.h"

static size_t tries, fail_at; /* 0 = none */
static bool writes_fail, timers_fail;

static bool fails(void) {
        return ++tries == fail_at;
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size) {
        errno = ENOMEM;
        return fails() ? NULL : __real_calloc(n, size);
}

void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size) {
        errno = ENOMEM;
        return fails() ? NULL : __real_reallocarray(p, n, size);
}

char *__real_strdup(const char *s);
char *__wrap_strdup(const char *s);
char *__wrap_strdup(const char *s) {
        errno = ENOMEM;
        return fails() ? NULL : __real_strdup(s);
}

/* What getline() is made of where it is inlined. */
ssize_t __real___getdelim(char **line, size_t *size, int end, FILE *f);
ssize_t __wrap___getdelim(char **line, size_t *size, int end, FILE *f);
ssize_t __wrap___getdelim(char **line, size_t *size, int end, FILE *f) {
        errno = ENOMEM;
        return fails() ? -1 : __real___getdelim(line, size, end, f);
}

ssize_t __real_getline(char **line, size_t *size, FILE *f);
ssize_t __wrap_getline(char **line, size_t *size, FILE *f);
ssize_t __wrap_getline(char **line, size_t *size, FILE *f) {
        errno = ENOMEM;
        return fails() ? -1 : __real_getline(line, size, f);
}

int __real_ledger_write(const Ledger *l, const Record *r, const Climb *climb);
int __wrap_ledger_write(const Ledger *l, const Record *r, const Climb *climb);
int __wrap_ledger_write(const Ledger *l, const Record *r, const Climb *climb) {
        return writes_fail || fails() ? -ENOSPC : __real_ledger_write(l, r, climb);
}

int __real_ledger_note(const Ledger *l, const Record *r);
int __wrap_ledger_note(const Ledger *l, const Record *r);
int __wrap_ledger_note(const Ledger *l, const Record *r) {
        return fails() ? -ENOSPC : __real_ledger_note(l, r);
}

int __real_ledger_end(const Ledger *l, uint32_t id, const Outcome *outcome);
int __wrap_ledger_end(const Ledger *l, uint32_t id, const Outcome *outcome);
int __wrap_ledger_end(const Ledger *l, uint32_t id, const Outcome *outcome) {
        return fails() ? -ENOSPC : __real_ledger_end(l, id, outcome);
}

/* What is tried again is tried at once. */
int __real_sd_event_add_time_relative(sd_event *e, sd_event_source **s, clockid_t clock,
                                      uint64_t usec, uint64_t accuracy,
                                      sd_event_time_handler_t callback, void *userdata);
int __wrap_sd_event_add_time_relative(sd_event *e, sd_event_source **s, clockid_t clock,
                                      uint64_t usec, uint64_t accuracy,
                                      sd_event_time_handler_t callback, void *userdata);
int __wrap_sd_event_add_time_relative(sd_event *e, sd_event_source **s, clockid_t clock,
                                      uint64_t usec, uint64_t accuracy,
                                      sd_event_time_handler_t callback, void *userdata) {
        (void) usec;
        return timers_fail ? -ENOMEM
                           : __real_sd_event_add_time_relative(e, s, clock, 0, accuracy, callback,
                                                               userdata);
}
