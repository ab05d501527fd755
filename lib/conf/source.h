/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Source: a file of settings, read, linted and parsed
 *
 * What is the same for every file in libconfig's format: how it is read, how a mistake in it is told, and what numbers
 * and names may look like. Which names there are is each reader's own table.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <libconfig.h>

#include "base/macro.h"

#include "conf/settings.h"

typedef int (*SourceTake)(const char *path, config_setting_t *setting, void *userdata,
                          SettingsError *ret_error);

/*
 * Reads the file and has each setting on its top taken, until one is not 0. 0; -ENOENT: no such file; -EBADMSG: *ret_error
 * says where and why; -errno of the file, with *ret_error; what take() returned.
 */
int source_each(const char *path, SourceTake take, void *userdata, SettingsError *ret_error);

/* The same of a text that somebody has read; path is for messages. */
int source_text_each(const char *path, const char *text, SourceTake take, void *userdata,
                     SettingsError *ret_error);

/* "FILE:LINE: why", on one line. Returns -EBADMSG. */
int source_fail(SettingsError *e, const char *path, unsigned line, const char *format, ...)
        _printf_(4, 5);

/* Its name; one of an array has no name of its own, and so that of the array. */
const char *source_name(const config_setting_t *setting);
/* A number of that range: 0 or -EBADMSG. */
int source_integer(const char *path, const config_setting_t *setting, int64_t min, int64_t max,
                   int64_t *ret, SettingsError *ret_error);
int source_number(const char *path, const config_setting_t *setting, uint32_t min, uint32_t max,
                  uint32_t *ret, SettingsError *ret_error);
/* true or false: 0 or -EBADMSG. */
int source_bool(const char *path, const config_setting_t *setting, bool *ret,
                SettingsError *ret_error);
/* A string that is not empty and shorter than size: 0 or -EBADMSG. */
int source_string(const char *path, const config_setting_t *setting, char *buf, size_t size,
                  SettingsError *ret_error);

/* The word nearest to the one that was written, for "did you mean"; nth says each, and NULL behind the last. */
const char *source_nearest(const char *word, const char *(*nth)(unsigned i));
