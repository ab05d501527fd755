/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Folder: all names in a directory, one after the other
 */
#pragma once

/*
 * Calls see() for each name but "." and "..", in no order, until it returns < 0. dir stays the caller's, and where it was read to.
 * 0, -errno, or what see() returned.
 */
int folder_walk(int dir, int (*see)(const char *name, void *userdata), void *userdata);
