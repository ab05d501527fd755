/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Journal: lines to systemd-journald, which may be stuck itself
 *
 * journald looks up the device of each kernel message by its uevent file, which takes the device's lock on 6.1: while a write
 * of ours waits for the user of a VF, journald sleeps behind it (seen in the VM lab). sd_journal_sendv() waits for
 * journald, and so would the daemon, 512 lines later. This never waits.
 */
#pragma once

#include <stddef.h>
#include <sys/uio.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* Never blocks. An fd, -errno. */
int journal_open(void);

/*
 * Fields are "NAME=value"; a value may have newlines. 0; -EAGAIN: journald does not read, the line is lost; -errno: there is
 * no journald.
 */
int journal_send(int fd, const char *path, const struct iovec *fields, size_t n);
