/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sleep
 */
#include <errno.h>
#include <fcntl.h>
#include <syslog.h>

#include "base/macro.h"

#include "daemon/gate.h"
#include "daemon/log.h"
#include "daemon/manager.h"
#include "daemon/sleep.h"

#define LOGIND "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager"

static int on_lock(sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        Manager *m = userdata;
        int fd;

        if (sd_bus_message_is_method_error(reply, NULL) ||
            sd_bus_message_read(reply, "h", &fd) < 0 || m->gate.asleep)
                return 0;
        /* The message closes its own. */
        m->sleep.lock = close_fd(m->sleep.lock);
        m->sleep.lock = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        return 0;
}

static void take_lock(Manager *m, sd_bus *bus) {
        Sleep *s = &m->sleep;

        s->call = sd_bus_slot_unref(s->call);
        (void) sd_bus_call_method_async(bus, &s->call, LOGIND, "Inhibit", on_lock, m, "ssss",
                                        "sleep", "sriovd", "Devices are being changed", "delay");
}

static int on_prepare(sd_bus_message *message, void *userdata, sd_bus_error *error _unused_) {
        Manager *m = userdata;
        int sleeps;

        if (sd_bus_message_read(message, "b", &sleeps) < 0)
                return 0;
        m->gate.asleep = sleeps;
        log_line(LOG_NOTICE, NULL,
                 sleeps ? "the host is about to sleep, nothing is begun until it is awake"
                        : "the host is awake");
        if (!sleeps)
                take_lock(m, sd_bus_message_get_bus(message));
        manager_kick(m);
        return 0;
}

/* What is under way is waited for, as long as logind waits. */
void sleep_let_go(Manager *m) {
        if (m->gate.asleep && workers_busy(&m->workers) == 0 && !gate_is_busy(&m->gate))
                m->sleep.lock = close_fd(m->sleep.lock);
}

void sleep_watch(Manager *m, sd_bus *bus) {
        Sleep *s = &m->sleep;

        sleep_done(s);
        /* What was told on a bus that is gone is not taken back there. */
        m->gate.asleep = false;
        if (sd_bus_match_signal_async(bus, &s->signal, LOGIND, "PrepareForSleep", on_prepare, NULL,
                                      m) >= 0)
                take_lock(m, bus);
}

void sleep_done(Sleep *s) {
        s->signal = sd_bus_slot_unref(s->signal);
        s->call = sd_bus_slot_unref(s->call);
        s->lock = close_fd(s->lock);
}
