/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Journal
 *
 * The native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): a field is "NAME=value\n", or where the value has newlines
 * "NAME\n", its length as 64 bits in little endian, the value, "\n".
 */
#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/str.h"

#include "daemon/journal.h"

#define FIELDS_MAX 32
#define PARTS 5 /* of a field, at most */
#define BUFFER_BYTES (1024 * 1024)

int journal_open(void) {
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), size = BUFFER_BYTES;

        if (fd < 0)
                return -errno;
        (void) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        return fd;
}

static size_t put(struct iovec *parts, size_t n, const void *base, size_t length) {
        parts[n] = (struct iovec){ (void *) base, length };
        return n + 1;
}

/* How many parts the field has become. */
static size_t put_field(struct iovec *parts, const struct iovec *field, uint64_t *length) {
        const char *text = field->iov_base, *value = memchr(text, '=', field->iov_len);
        size_t n = 0;

        if (!value || !memchr(value, '\n', field->iov_len - (size_t) (value - text))) {
                n = put(parts, n, text, field->iov_len);
                return put(parts, n, "\n", 1);
        }
        *length = htole64(field->iov_len - (size_t) (value + 1 - text));
        n = put(parts, n, text, (size_t) (value - text));
        n = put(parts, n, "\n", 1);
        n = put(parts, n, length, sizeof(*length));
        n = put(parts, n, value + 1, (size_t) le64toh(*length));
        return put(parts, n, "\n", 1);
}

int journal_send(int fd, const char *path, const struct iovec *fields, size_t n) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        struct iovec parts[FIELDS_MAX * PARTS];
        uint64_t lengths[FIELDS_MAX];
        struct msghdr message = { .msg_name = &address,
                                  .msg_namelen = sizeof(address),
                                  .msg_iov = parts };

        if (n > FIELDS_MAX || str_copy(address.sun_path, sizeof(address.sun_path), path) < 0)
                return -E2BIG;
        for (size_t i = 0; i < n; i++)
                message.msg_iovlen +=
                        put_field(parts + message.msg_iovlen, fields + i, lengths + i);
        return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}
