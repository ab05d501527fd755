/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Before: who had a door open before it was held
 *
 * fanotify tells of opens, and these were before its mark. Whoever has such a file may write to it at any time: he stands among
 * the unordered. All of /proc is looked at once, when nothing else is to be done.
 */
#pragma once

typedef struct Manager Manager;

/* Looks soon. Without the memory for it nobody is found. */
void before_look(Manager *m);
