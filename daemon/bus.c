/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bus: connections
 *
 * Messages to the system bus are made only while it is there: what happened before, clients ask for when they come.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/macro.h"

#include "core/names.h"

#include "daemon/bus-policy.h"
#include "daemon/log.h"
#include "daemon/manager.h"

#define SYSTEM_BUS "unix:path=/run/dbus/system_bus_socket"
#define NAME_IS_OURS 1 /* DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER */
#define PEERS_MAX 256
#define RETRY_USEC 5000000
/* So long a client that cannot be let in waits in the socket's queue. */
#define PAUSE_USEC 1000000

struct Connection {
        Manager *manager;
        Connection *next;
        sd_bus *bus;
        bool system;
};

static void connection_free(Connection *c) {
        Connection **p = &c->manager->bus.connections;

        while (*p && *p != c)
                p = &(*p)->next;
        if (*p)
                *p = c->next;
        auth_forget(&c->manager->auth, c->bus);
        inquiries_forget(c->manager, c->bus);
        saves_forget(c->manager, c->bus);
        boot_waits_forget(c->manager, c->bus);
        sd_bus_close_unref(c->bus);
        free(c);
}

static int add_objects(Connection *c) {
        int (*const add[])(sd_bus * bus, Manager * m) = { bus_manager_add, bus_pf_add, bus_vf_add,
                                                          bus_job_add };
        int r = sd_bus_add_object_manager(c->bus, NULL, BUS_PATH);

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(add); i++)
                r = add[i](c->bus, c->manager);
        return r;
}

static int open_system(Manager *m);

static int on_retry(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Manager *m = userdata;

        m->bus.retry = sd_event_source_disable_unref(m->bus.retry);
        (void) open_system(m);
        return 0;
}

/* The jobs go on. What a client asked for on a connection that is gone is done all the same. */
static int on_disconnected(sd_bus_message *message _unused_, void *userdata,
                           sd_bus_error *error _unused_) {
        Connection *c = userdata;
        Manager *m = c->manager;
        bool system = c->system;

        connection_free(c);
        if (!system)
                return 0;
        log_line(LOG_NOTICE, NULL, "the system bus is gone, waiting for the next");
        (void) sd_event_add_time_relative(m->event, &m->bus.retry, CLOCK_MONOTONIC, 100000, 0,
                                          on_retry, m);
        return 0;
}

/* Takes over the bus. 0, -errno. */
static int connection_new(Manager *m, sd_bus *bus, bool system) {
        Connection *c = calloc(1, sizeof(Connection));
        int r;

        if (!c) {
                sd_bus_close_unref(bus);
                return -ENOMEM;
        }
        *c = (Connection){ m, m->bus.connections, bus, system };
        m->bus.connections = c;
        r = sd_bus_set_exit_on_disconnect(bus, false);
        if (r >= 0)
                r = sd_bus_match_signal_async(
                        bus, NULL, "org.freedesktop.DBus.Local", "/org/freedesktop/DBus/Local",
                        "org.freedesktop.DBus.Local", "Disconnected", on_disconnected, NULL, c);
        if (r >= 0)
                r = add_objects(c);
        if (r >= 0)
                r = sd_bus_attach_event(bus, m->event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                connection_free(c);
        return r < 0 ? r : 0;
}

/* That another has it is no error of the bus, but an answer other than "you are the owner". */
static const char *why_no_name(sd_bus_message *reply) {
        uint32_t answer;

        if (sd_bus_message_is_method_error(reply, NULL))
                return sd_bus_message_get_error(reply)->message;
        if (sd_bus_message_read(reply, "u", &answer) < 0)
                return "the answer makes no sense";
        return answer == NAME_IS_OURS ? NULL : "another process has it";
}

static int on_name(sd_bus_message *reply, void *userdata _unused_, sd_bus_error *error _unused_) {
        const char *why = why_no_name(reply);

        if (why)
                log_line(LOG_ERR, NULL,
                         "cannot have the name %s on the system bus: %s; root's clients still find "
                         "the private socket",
                         BUS_NAME, why);
        return 0;
}

/* As sd_bus_open_system() does, but waiting for a bus that is not there yet: we start before it. */
static int start_system(sd_bus *bus) {
        const char *address = secure_getenv("DBUS_SYSTEM_BUS_ADDRESS");
        int r;

        r = sd_bus_set_address(bus, address ? address : SYSTEM_BUS);
        if (r >= 0)
                r = sd_bus_set_description(bus, "sriovd");
        if (r >= 0)
                r = sd_bus_set_bus_client(bus, true);
        if (r >= 0)
                r = sd_bus_set_watch_bind(bus, true);
        return r < 0 ? r : sd_bus_start(bus);
}

static int open_system(Manager *m) {
        sd_bus *bus = NULL;
        int r;

        r = sd_bus_new(&bus);
        if (r >= 0)
                r = start_system(bus);
        if (r >= 0)
                r = sd_bus_request_name_async(bus, NULL, BUS_NAME, 0, on_name, NULL);
        if (r >= 0) {
                sleep_watch(m, bus);
                return connection_new(m, bus, true);
        }
        sd_bus_close_unref(bus);
        log_error_errno(r, "cannot watch for the system bus, trying again");
        return sd_event_add_time_relative(m->event, &m->bus.retry, CLOCK_MONOTONIC, RETRY_USEC, 0,
                                          on_retry, m);
}

static size_t count_peers(const Bus *b) {
        size_t n = 0;

        for (const Connection *c = b->connections; c; c = c->next)
                n += !c->system;
        return n;
}

/* The mode of the socket keeps others out already; this is in case it was changed. */
static bool is_root(int fd) {
        struct ucred cred;
        socklen_t n = sizeof(cred);

        return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) >= 0 && cred.uid == 0;
}

static int peer_new(Manager *m, int fd) {
        sd_id128_t id;
        sd_bus *bus;
        int r;

        r = sd_bus_new(&bus);
        if (r < 0)
                return r;
        r = sd_bus_set_fd(bus, fd, fd);
        if (r < 0) {
                sd_bus_unref(bus);
                return r;
        }
        fd = -EBADF;
        r = sd_id128_randomize(&id);
        if (r >= 0)
                r = sd_bus_set_server(bus, 1, id);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r < 0) {
                sd_bus_close_unref(bus);
                return r;
        }
        return connection_new(m, bus, false);
}

static int on_pause_over(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        const Bus *b = userdata;

        (void) sd_event_source_set_enabled(b->listen, SD_EVENT_ON);
        return 0;
}

/*
 * For want of descriptors or memory: the client stays in the socket's queue, which would wake us again and again. The timer
 * has been there from the start, for it may need a descriptor itself.
 */
static void pause_listening(const Bus *b, int error) {
        int r;

        r = sd_event_source_set_time_relative(b->pause, PAUSE_USEC);
        if (r >= 0)
                r = sd_event_source_set_enabled(b->pause, SD_EVENT_ONESHOT);
        if (r >= 0)
                r = sd_event_source_set_enabled(b->listen, SD_EVENT_OFF);
        log_error_errno(r < 0 ? r : error,
                        "cannot let a client in on the private socket, trying again in 1 s");
}

/* That one client went away again, or was in a hurry, says nothing of the next. */
static bool is_about_one(int error) {
        return error == EAGAIN || error == EINTR || error == ECONNABORTED;
}

static int on_connect(sd_event_source *source _unused_, int fd, uint32_t revents _unused_,
                      void *userdata) {
        _cleanup_close_ int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        Manager *m = userdata;
        int r;

        if (peer < 0 && !is_about_one(errno))
                pause_listening(&m->bus, -errno);
        if (peer < 0 || !is_root(peer) || count_peers(&m->bus) >= PEERS_MAX)
                return 0;
        r = peer_new(m, TAKE_FD(peer));
        if (r < 0)
                log_error_errno(r, "cannot serve a client on the private socket");
        return 0;
}

static int listen_privately(Manager *m) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        Bus *b = &m->bus;
        mode_t mask;
        int r;

        if (asprintf(&b->socket, "%s/%s", m->runtime, PRIVATE_SOCKET) < 0) {
                b->socket = NULL;
                return -ENOMEM;
        }
        if (strlen(b->socket) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        memcpy(address.sun_path, b->socket, strlen(b->socket) + 1);
        b->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (b->fd < 0)
                return -errno;
        /* Of a daemon before us, for this one holds the ledger's lock. */
        (void) unlink(b->socket);
        mask = umask(0177);
        r = bind(b->fd, (struct sockaddr *) &address, sizeof(address));
        umask(mask);
        if (r < 0 || listen(b->fd, SOMAXCONN) < 0)
                return -errno;
        r = sd_event_add_time_relative(m->event, &b->pause, CLOCK_MONOTONIC, PAUSE_USEC, 0,
                                       on_pause_over, b);
        if (r >= 0)
                r = sd_event_source_set_enabled(b->pause, SD_EVENT_OFF);
        return r < 0 ? r : sd_event_add_io(m->event, &b->listen, b->fd, EPOLLIN, on_connect, m);
}

int bus_start(Manager *m) {
        int r;

        r = listen_privately(m);
        if (r < 0)
                return log_error_errno(r, "cannot listen on %s/%s", m->runtime, PRIVATE_SOCKET);
        /* Without a system bus there are still root's clients. */
        (void) open_system(m);
        return 0;
}

void bus_done(Bus *b) {
        /* No flush: it waits for ever for a client that does not read. What fits was sent at once. */
        while (b->connections)
                connection_free(b->connections);
        b->listen = sd_event_source_disable_unref(b->listen);
        b->retry = sd_event_source_disable_unref(b->retry);
        b->pause = sd_event_source_disable_unref(b->pause);
        b->fd = close_fd(b->fd);
        free(b->socket);
        b->socket = NULL;
}

char *bus_fn_path(Bdf bdf, uint32_t flags) {
        char *path;

        return sd_bus_path_encode(flags & FN_PF ? BUS_PATH "/pf" : BUS_PATH "/vf", BDF_STR(bdf),
                                  &path) < 0
                       ? NULL
                       : path;
}

char *bus_job_path(uint32_t id) {
        char text[16], *path;

        snprintf(text, sizeof(text), "%u", id);
        return sd_bus_path_encode(BUS_PATH "/job", text, &path) < 0 ? NULL : path;
}

int bus_fault(sd_bus_error *error, const Fault *fault) {
        char text[FAULT_STR_MAX];

        return sd_bus_error_set(error, fault_bus_name(fault->reason),
                                fault_format(fault, text, sizeof(text)));
}

#define FOREACH_READY(c, b)                                                                        \
        for (Connection *c = (b)->connections; c; c = c->next)                                     \
                if (sd_bus_is_ready(c->bus) > 0)

void bus_added(Bus *b, const char *path, const char *interface) {
        FOREACH_READY (c, b)
                (void) sd_bus_emit_interfaces_added(c->bus, path, interface, NULL);
}

void bus_removed(Bus *b, const char *path, const char *interface) {
        FOREACH_READY (c, b)
                (void) sd_bus_emit_interfaces_removed(c->bus, path, interface, NULL);
}

void bus_changed(Bus *b, const char *path, const char *interface, const char *const *properties) {
        FOREACH_READY (c, b)
                (void) sd_bus_emit_properties_changed_strv(c->bus, path, interface,
                                                           (char **) properties);
}

void bus_job_new(Bus *b, const Record *r) {
        _cleanup_free_ char *path = bus_job_path(r->id);

        if (!path)
                return;
        bus_added(b, path, BUS_JOB);
        FOREACH_READY (c, b)
                (void) sd_bus_emit_signal(c->bus, BUS_PATH, BUS_MANAGER, "JobNew", "uo", r->id,
                                          path);
}

void bus_job_removed(Bus *b, const Record *r) {
        _cleanup_free_ char *path = bus_job_path(r->id);

        if (!path)
                return;
        FOREACH_READY (c, b)
                (void) sd_bus_emit_signal(c->bus, BUS_PATH, BUS_MANAGER, "JobRemoved", "uosss",
                                          r->id, path, job_result_to_string(r->result),
                                          r->error ? r->error : "", r->message ? r->message : "");
}

static int send_drift(sd_bus *bus, const Wanted *w, const Difference *d) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_signal(bus, &m, BUS_PATH, BUS_MANAGER, "Drift");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", BDF_STR(d->pf));
        if (r >= 0)
                r = bus_policy_append(m, w, d);
        return r < 0 ? r : sd_bus_send(bus, m, NULL);
}

void bus_drift(Bus *b, const Wanted *w, const Difference *d) {
        FOREACH_READY (c, b)
                (void) send_drift(c->bus, w, d);
}

void bus_job_changed(Bus *b, Record *r) {
        _cleanup_free_ char *path = bus_job_path(r->id);
        const char *names[24];

        bus_job_news(r, names, ELEMENTSOF(names));
        r->news = 0;
        if (path)
                bus_changed(b, path, BUS_JOB, names);
}
