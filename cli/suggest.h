/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Suggest: the word that was probably meant
 */
#pragma once

#include <stddef.h>

/*
 * The nearest of n words, or NULL if none is near: not more than a third of the letters may differ.
 */
const char *suggest(const char *typed, const char *const *words, size_t n);
