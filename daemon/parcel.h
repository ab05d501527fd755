/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parcel: what goes between a child and us beside a plain struct
 *
 * One message on a SOCK_SEQPACKET socket with descriptors on it; and lists of any length, as arrays in a memfd. What
 * arrives is the receiver's own and CLOEXEC. What arrives incomplete is closed and does not count.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PARCEL_FDS_MAX 2
#define PARCEL_LIST_MAX (UINT32_C(16) << 20) /* bytes; more is nonsense */

/* Does not wait: one message at a time always has room. fds that are negative are left out. 0, -errno. */
int parcel_send(int socket, const void *message, size_t size, const int *fds, size_t n_fds);

/*
 * Does not wait. The bytes received, 0 at the end of the socket, -errno as recvmsg() has it. fds come in the order in
 * which they were sent, -EBADF behind the last. -EBADMSG: descriptors were lost on the way (we had no room for them, or they
 * are too many); the message is in the buffer then, whole or not, and nothing of the rest is open.
 */
ssize_t parcel_receive(int socket, void *message, size_t size, int fds[static PARCEL_FDS_MAX]);

/* The array in a memfd, the caller's. 0, -errno. */
int parcel_pack(const void *items, size_t n, size_t size, int *ret_fd);
/* The array out of it, the caller's: exactly n items, or -EBADMSG; -ENOMEM, -errno. NULL for none. */
int parcel_unpack(int fd, size_t n, size_t size, void **ret);
