/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proto: whole messages on a stream
 */
#include <poll.h>
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
