/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parcel
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"

#include "daemon/parcel.h"

typedef union Control {
        struct cmsghdr header; /* for its alignment */
        char bytes[CMSG_SPACE(PARCEL_FDS_MAX * sizeof(int))];
} Control;

int parcel_send(int socket, const void *message, size_t size, const int *fds, size_t n_fds) {
        struct iovec iov = { (void *) message, size };
        struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
        Control control = {};
        struct cmsghdr *c = &control.header;
        int open[PARCEL_FDS_MAX];
        size_t n = 0;
        ssize_t sent;

        for (size_t i = 0; i < n_fds && n < PARCEL_FDS_MAX; i++)
                if (fds[i] >= 0)
                        open[n++] = fds[i];
        if (n > 0) {
                m.msg_control = control.bytes;
                m.msg_controllen = CMSG_SPACE(n * sizeof(int));
                *c = (struct cmsghdr){ CMSG_LEN(n * sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
                memcpy(CMSG_DATA(c), open, n * sizeof(int));
        }
        sent = sendmsg(socket, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0)
                return -errno;
        return (size_t) sent == size ? 0 : -EIO;
}

/* Takes over what is in the control data, also where it was cut. Returns how many. */
static size_t take_fds(struct msghdr *m, int fds[static PARCEL_FDS_MAX]) {
        size_t n = 0;

        for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
                size_t have;

                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
                        continue;
                have = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
                for (size_t i = 0; i < have; i++) {
                        int fd;

                        memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
                        if (n < PARCEL_FDS_MAX)
                                fds[n++] = fd;
                        else
                                close_fd(fd);
                }
        }
        return n;
}

ssize_t parcel_receive(int socket, void *message, size_t size, int fds[static PARCEL_FDS_MAX]) {
        struct iovec iov = { message, size };
        Control control = {};
        struct msghdr m = { .msg_iov = &iov,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof(control) };
        ssize_t received;
        size_t n;

        for (size_t i = 0; i < PARCEL_FDS_MAX; i++)
                fds[i] = -EBADF;
        received = recvmsg(socket, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (received < 0)
                return -errno;
        n = take_fds(&m, fds);
        if (!(m.msg_flags & (MSG_CTRUNC | MSG_TRUNC)))
                return received;
        for (size_t i = 0; i < n; i++)
                fds[i] = close_fd(fds[i]);
        return -EBADMSG;
}

/* Whole, or not at all: a short write to memory is one that has no more of it. */
static int write_all(int fd, const char *p, size_t size) {
        while (size > 0) {
                ssize_t k = write(fd, p, size);

                if (k < 0)
                        return -errno;
                if (k == 0)
                        return -ENOSPC;
                p += k;
                size -= (size_t) k;
        }
        return 0;
}

int parcel_pack(const void *items, size_t n, size_t size, int *ret_fd) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        if (n > PARCEL_LIST_MAX / size)
                return -E2BIG;
        fd = memfd_create("sriovd-list", MFD_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = write_all(fd, items, n * size);
        if (r < 0)
                return r;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int parcel_unpack(int fd, size_t n, size_t size, void **ret) {
        _cleanup_free_ char *items = NULL;
        struct stat st;
        size_t got = 0;

        if (n > PARCEL_LIST_MAX / size)
                return -EBADMSG;
        if (n == 0) {
                *ret = NULL;
                return 0;
        }
        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_size < 0 || (size_t) st.st_size != n * size)
                return -EBADMSG;
        items = malloc(n * size);
        if (!items)
                return -ENOMEM;
        /* At their places, for the two ends of a memfd have one offset. */
        while (got < n * size) {
                ssize_t k = pread(fd, items + got, n * size - got, (off_t) got);

                if (k < 0)
                        return -errno;
                if (k == 0)
                        return -EBADMSG;
                got += (size_t) k;
        }
        *ret = TAKE_PTR(items);
        return 0;
}
