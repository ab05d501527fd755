/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Module: loading and unloading drivers of the running kernel
 */
#pragma once

/*
 * modprobe -q NAME, waited for. 0; -ENOENT: there is no such module, or no modprobe; -ENOEXEC: there is one and the
 * kernel did not take it, modprobe said why on stderr; or what starting a program can fail with.
 */
int module_load(const char *name);

/* delete_module(NAME, O_NONBLOCK). 0, -EWOULDBLOCK (in use), -EBUSY, -ENOENT, -EPERM. */
int module_unload(const char *name);
