/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proto: whole messages on a stream, and descriptors
 */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/macro.h"
#include "tests/sim/proto.h"

int proto_send(int fd, const void *data, size_t size) {
        for (const char *p = data; size > 0;) {
                ssize_t n = send(fd, p, size, MSG_NOSIGNAL);

                if (n < 0 && errno == EAGAIN) {
                        poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, -1);
                        continue;
                }
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return -EIO;
                p += n;
                size -= n;
        }
        return 0;
}

int proto_receive(int fd, void *data, size_t size) {
        for (char *p = data; size > 0;) {
                ssize_t n = recv(fd, p, size, 0);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return -EIO;
                p += n;
                size -= n;
        }
        return 0;
}

/* Room for one descriptor, aligned as the kernel wants it. */
typedef union FdRoom {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int))];
} FdRoom;

int proto_send_fd(int fd, int passed) {
        char byte = 0;
        FdRoom room = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)),
                                  .cmsg_level = SOL_SOCKET,
                                  .cmsg_type = SCM_RIGHTS } };
        struct iovec iov = { &byte, 1 };
        struct msghdr m = { .msg_iov = &iov,
                            .msg_iovlen = 1,
                            .msg_control = &room,
                            .msg_controllen = sizeof(room) };

        memcpy(CMSG_DATA(&room.head), &passed, sizeof(int));
        return sendmsg(fd, &m, MSG_NOSIGNAL) == 1 ? 0 : -EIO;
}

int proto_receive_fd(int fd, int *ret) {
        char byte;
        FdRoom room;
        struct iovec iov = { &byte, 1 };
        struct msghdr m = { .msg_iov = &iov,
                            .msg_iovlen = 1,
                            .msg_control = &room,
                            .msg_controllen = sizeof(room) };
        const struct cmsghdr *c;

        if (recvmsg(fd, &m, MSG_CMSG_CLOEXEC) != 1)
                return -EIO;
        c = CMSG_FIRSTHDR(&m);
        if (!c || c->cmsg_type != SCM_RIGHTS)
                return -EIO;
        memcpy(ret, CMSG_DATA(c), sizeof(int));
        return 0;
}
