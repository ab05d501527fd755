/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Client
 *
 * The daemon's own errors already are sentences and are passed on as they are. Only errors of the
 * way to it are put into words here.
 */
#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "base/str.h"

#include "core/fault.h"
#include "core/names.h"

#include "cli/client.h"
#include "cli/record.h"
#include "cli/say.h"
#include "cli/when.h"

/* A full backlog would make connect() wait for a daemon that may never call accept(). */
#define CONNECT_TIMEOUT_SEC 5
#define BUS_USEC (2 * WHEN_USEC_PER_SEC)

static int private_connect(int *ret) {
        const char *dir = getenv(RUNTIME_DIRECTORY_ENV);
        struct timeval timeout = { .tv_sec = CONNECT_TIMEOUT_SEC };
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = -EBADF;
        int n;

        n = snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/%s",
                     isempty(dir) ? RUNTIME_DIRECTORY : dir, PRIVATE_SOCKET);
        if (n < 0 || (size_t) n >= sizeof(sa.sun_path))
                return -ENAMETOOLONG;
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0)
                return -errno;
        if (connect(fd, (struct sockaddr *) &sa, sizeof(sa)) < 0)
                return -errno;
        *ret = TAKE_FD(fd);
        return 0;
}

/* A peer has no Hello, no names and no matches to install: sd_bus_set_bus_client() stays false. */
static int private_open(sd_bus **ret) {
        _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = private_connect(&fd);
        if (r < 0)
                return r;
        r = sd_bus_new(&bus);
        if (r < 0)
                return r;
        r = sd_bus_set_fd(bus, fd, fd);
        if (r < 0)
                return r;
        TAKE_FD(fd);
        r = sd_bus_start(bus);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(bus);
        return 0;
}

int client_open(Cli *c) {
        int r;

        if (c->bus)
                return 0;
        c->peer = !c->host && geteuid() == 0 && private_open(&c->bus) >= 0;
        if (c->peer)
                return 0;
        r = c->host ? sd_bus_open_system_remote(&c->bus, c->host) : sd_bus_open_system(&c->bus);
        if (r == -EINVAL && c->host)
                return say_usage(c, "'%s' is not a host; give HOST or USER@HOST", c->host);
        if (r < 0)
                return client_fail(c, r, NULL);
        return 0;
}

int client_try_private(Cli *c) {
        if (c->bus)
                return 0;
        c->peer = true;
        return private_open(&c->bus);
}

static bool is_up(sd_bus *bus) {
        uint64_t end = when_monotonic() + BUS_USEC, now;
        int r;

        while ((r = sd_bus_is_ready(bus)) == 0) {
                r = sd_bus_process(bus, NULL);
                now = when_monotonic();
                if (r == 0 && now < end)
                        r = sd_bus_wait(bus, end - now);
                if (r < 0 || now >= end)
                        return false;
        }
        return r > 0;
}

int client_try_open(Cli *c) {
        int r;

        c->peer = geteuid() == 0;
        r = c->peer ? client_reopen(c) : -ENOTCONN;
        if (r >= 0)
                return 0;
        c->peer = false;
        r = client_reopen(c);
        if (r >= 0 && is_up(c->bus))
                return 0;
        client_close(c);
        c->peer = geteuid() == 0;
        return r < 0 ? r : -ENOTCONN;
}

int client_reopen(Cli *c) {
        client_close(c);
        if (c->host) /* ssh might ask for a password again, in the middle of our lines */
                return -ENOTCONN;
        return c->peer ? private_open(&c->bus) : sd_bus_open_system(&c->bus);
}

void client_close(Cli *c) {
        c->bus = sd_bus_flush_close_unref(c->bus);
}

/* What the bus itself answers when nobody is behind the name, or nobody answers. */
static bool is_no_daemon(const char *name, int r) {
        static const char *const names[] = {
                SD_BUS_ERROR_SERVICE_UNKNOWN,
                SD_BUS_ERROR_NAME_HAS_NO_OWNER,
                SD_BUS_ERROR_DISCONNECTED,
                SD_BUS_ERROR_NO_REPLY,
                SD_BUS_ERROR_NO_SERVER,
                SD_BUS_ERROR_TIMEOUT,
                "org.freedesktop.DBus.Error.TimedOut",
        };

        for (size_t i = 0; name && i < ELEMENTSOF(names); i++)
                if (streq(name, names[i]))
                        return true;
        if (name && startswith(name, "org.freedesktop.DBus.Error.Spawn."))
                return true;
        switch (-r) {
        case ENOENT:
        case ECONNREFUSED:
        case ECONNRESET:
        case ENOTCONN:
        case EPIPE:
        case ETIMEDOUT:
        case EAGAIN:
                return true;
        default:
                return false;
        }
}

static bool is_denied(const char *name, int r) {
        return r == -EACCES || r == -EPERM ||
               (name &&
                (streq(name, SD_BUS_ERROR_ACCESS_DENIED) || streq(name, SD_BUS_ERROR_AUTH_FAILED) ||
                 streq(name, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED)));
}

static bool is_version_skew(const char *name) {
        return name && (streq(name, SD_BUS_ERROR_UNKNOWN_METHOD) ||
                        streq(name, SD_BUS_ERROR_UNKNOWN_INTERFACE) ||
                        streq(name, SD_BUS_ERROR_UNKNOWN_OBJECT) ||
                        streq(name, SD_BUS_ERROR_UNKNOWN_PROPERTY) ||
                        streq(name, SD_BUS_ERROR_INVALID_ARGS));
}

int client_why(const Cli *c, int r, const sd_bus_error *e, char *buf, size_t size) {
        const char *name = e && sd_bus_error_is_set(e) ? e->name : NULL;
        const char *why = name && e->message ? e->message : strerror(r < 0 ? -r : EIO);

        if (name && startswith(name, "org.sriovd1.Error.")) {
                snprintf(buf, size, "%s", why);
                return fault_exit_status_of(name);
        }
        if (is_denied(name, r)) {
                snprintf(buf, size, "not authorised (%s); ask as root", why);
                return STATUS_DENIED;
        }
        if (r == -ETIMEDOUT || (name && streq(name, SD_BUS_ERROR_NO_REPLY))) {
                snprintf(buf, size,
                         "sriovd does not answer; 'systemctl status sriovd' may tell why");
                return STATUS_NO_DAEMON;
        }
        if (c->host && is_no_daemon(name, r)) {
                snprintf(buf, size, "cannot reach the sriovd of %s (%s)", c->host, why);
                return STATUS_NO_DAEMON;
        }
        if (is_no_daemon(name, r)) {
                snprintf(buf, size,
                         "cannot reach sriovd (%s); 'systemctl status sriovd' tells why, "
                         "'systemctl start sriovd' starts it",
                         why);
                return STATUS_NO_DAEMON;
        }
        if (is_version_skew(name))
                snprintf(buf, size,
                         "sriovd does not know this request (%s); is it of another version than "
                         "sriovctl?",
                         why);
        else
                snprintf(buf, size, "asking sriovd failed: %s", why);
        return STATUS_FAILED;
}

int client_fail(const Cli *c, int r, const sd_bus_error *e) {
        char message[CLIENT_WHY_MAX];
        int status;

        if (r == -ENOMEM && !(e && sd_bus_error_is_set(e)))
                return say_oom(c);
        status = client_why(c, r, e, message, sizeof(message));
        return say_error(c, status, e && sd_bus_error_is_set(e) ? e->name : NULL, "%s", message);
}

int client_new_call(Cli *c, const char *member, sd_bus_message **ret) {
        int r;

        r = client_open(c);
        if (r > 0)
                return r;
        r = sd_bus_message_new_method_call(c->bus, ret, c->peer ? NULL : BUS_NAME, BUS_PATH,
                                           BUS_MANAGER, member);
        return r < 0 ? client_fail(c, r, NULL) : 0;
}

int client_try_send(Cli *c, sd_bus_message *m, sd_bus_message **ret_reply,
                    sd_bus_error *ret_error) {
        return sd_bus_call(c->bus, m, 0, ret_error, ret_reply);
}

int client_send(Cli *c, sd_bus_message *m, sd_bus_message **ret_reply) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = client_try_send(c, m, ret_reply, &error);
        return r < 0 ? client_fail(c, r, &error) : 0;
}

int client_call(Cli *c, const char *path, const char *interface, const char *member,
                sd_bus_message **ret_reply, const char *types, ...) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        va_list ap;
        int r;

        r = client_open(c);
        if (r > 0)
                return r;
        va_start(ap, types);
        r = sd_bus_call_methodv(c->bus, c->peer ? NULL : BUS_NAME, path, interface, member, &error,
                                ret_reply, types, ap);
        va_end(ap);
        return r < 0 ? client_fail(c, r, &error) : 0;
}

int client_try_get(Cli *c, const char *path, const char *interface, json_object **ret,
                   sd_bus_error *ret_error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_json_ json_object *o = json_object_new_object();
        int r;

        if (!o)
                return -ENOMEM;
        r = sd_bus_call_method(c->bus, c->peer ? NULL : BUS_NAME, path,
                               "org.freedesktop.DBus.Properties", "GetAll", ret_error, &m, "s",
                               interface);
        if (r >= 0)
                r = record_read_properties(m, o);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(o);
        return 0;
}

int client_get(Cli *c, const char *path, const char *interface, json_object **ret) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = client_open(c);
        if (r > 0)
                return r;
        r = client_try_get(c, path, interface, ret, &error);
        return r < 0 ? client_fail(c, r, &error) : 0;
}
