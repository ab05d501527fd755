/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A logind that does one thing: tells that the host sleeps
 *
 * Lines on stdin: "sleep", "wake". Lines on stdout: "ready", "locked WHAT MODE" when somebody takes a lock, "free" when the last
 * descriptor of the lock is closed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "base/macro.h"
#include "base/str.h"

#define NAME "org.freedesktop.login1"
#define PATH "/org/freedesktop/login1"
#define INTERFACE "org.freedesktop.login1.Manager"

static int on_free(sd_event_source *source, int fd, uint32_t events _unused_,
                   void *userdata _unused_) {
        sd_event_source_disable_unref(source);
        close_fd(fd);
        printf("free\n");
        return 0;
}

static int on_inhibit(sd_bus_message *m, void *userdata, sd_bus_error *error _unused_) {
        const char *what, *who, *why, *mode;
        sd_event_source *source;
        int r, fds[2];

        r = sd_bus_message_read(m, "ssss", &what, &who, &why, &mode);
        if (r >= 0 && pipe2(fds, O_CLOEXEC) < 0)
                r = -errno;
        if (r >= 0)
                r = sd_event_add_io(userdata, &source, fds[0], EPOLLHUP, on_free, NULL);
        if (r < 0)
                return r;
        printf("locked %s %s\n", what, mode);
        r = sd_bus_reply_method_return(m, "h", fds[1]);
        close_fd(fds[1]);
        return r;
}

static int on_line(sd_event_source *source, int fd, uint32_t events _unused_, void *userdata) {
        char line[64];
        ssize_t n = read(fd, line, sizeof(line) - 1);

        if (n <= 0)
                return sd_event_exit(sd_event_source_get_event(source), 0);
        line[n] = '\0';
        return sd_bus_emit_signal(userdata, PATH, INTERFACE, "PrepareForSleep", "b",
                                  startswith(line, "sleep") != NULL);
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Inhibit", "ssss", "h", on_inhibit, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_SIGNAL("PrepareForSleep", "b", 0),
        SD_BUS_VTABLE_END,
};

int main(void) {
        sd_event *event = NULL;
        sd_bus *bus = NULL;
        int r;

        setvbuf(stdout, NULL, _IOLBF, 0);
        r = sd_event_new(&event);
        if (r >= 0)
                r = sd_bus_open_system(&bus);
        if (r >= 0)
                r = sd_bus_add_object_vtable(bus, NULL, PATH, INTERFACE, vtable, event);
        if (r >= 0)
                r = sd_bus_request_name(bus, NAME, 0);
        if (r >= 0)
                r = sd_bus_attach_event(bus, event, 0);
        if (r >= 0)
                r = sd_event_add_io(event, NULL, STDIN_FILENO, EPOLLIN, on_line, bus);
        if (r >= 0) {
                printf("ready\n");
                r = sd_event_loop(event);
        }
        (void) sd_bus_detach_event(bus);
        sd_bus_flush_close_unref(bus);
        sd_event_unref(event);
        return r < 0;
}
