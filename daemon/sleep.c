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

/* Their VFs do not outlive the sleep, or keep the host from it: down in the safe order, and back with the PF's policy. */
static void take_down(Manager *m) {
        const Caller caller = { .uid = 0 };

        for (Ward *w = m->wards.items; w && w < m->wards.items + m->wards.n; w++) {
                const Wanted *wanted = wards_wanted(m, w->pf);
                const Fn *pf = snapshot_find(m->snapshot, w->pf);
                Wish wish = { .op = { .kind = OP_SET_VFS, .fn = w->pf, .flags = OP_ALONE },
                              .reason = "sleep",
                              .automatic = true,
                              .insists = true };
                Fault fault;

                if (!wanted || !wanted->disable_on_sleep || !pf || pf->n_vfs == 0 || w->asleep)
                        continue;
                wish.op.flags |= wanted->flags & (OP_FORCE_IN_USE | OP_FORCE_STORAGE);
                w->asleep = manager_submit(m, &wish, &caller, &w->job, &fault) == 0;
                w->back = w->asleep ? pf->n_vfs : 0;
        }
}

static bool are_down(const Manager *m) {
        for (const Ward *w = m->wards.items; w && w < m->wards.items + m->wards.n; w++) {
                const Record *r = w->asleep ? records_find(&m->records, w->job) : NULL;

                if (r && r->state != JOB_ENDED)
                        return false;
        }
        return true;
}

/* One that is still going down when the host wakes comes to its end first; one that has not begun does not begin. */
static void bring_back(Manager *m) {
        Fault fault;

        for (Ward *w = m->wards.items; w && w < m->wards.items + m->wards.n; w++) {
                const Record *r = w->asleep ? records_find(&m->records, w->job) : NULL;

                if (r && r->state == JOB_WAITING)
                        (void) queue_cancel(&m->queue, r->id, 0, RESULT_CANCELED, &fault);
                if (r && r->state != JOB_ENDED)
                        continue;
                w->asleep = false;
                /* Who kept its VFs has nothing to come back to. */
                if (r && r->result == RESULT_DONE)
                        wards_resume(m, w, w->back);
        }
}

void sleep_prepare(Manager *m) {
        if (!m->sleep.coming && !m->gate.asleep)
                bring_back(m);
        if (!m->sleep.coming || !are_down(m))
                return;
        m->sleep.coming = false;
        m->gate.asleep = true;
        log_line(LOG_NOTICE, NULL,
                 "the host is about to sleep, nothing is begun until it is awake");
}

static void fall_asleep(Manager *m) {
        m->sleep.coming = true;
        take_down(m);
        sleep_prepare(m);
}

/* A sleep may have cost a VF what it was given, or a controller its queues, and no event tells of it. */
static void look_anew(Manager *m) {
        for (Ward *w = m->wards.items; w && w < m->wards.items + m->wards.n; w++)
                w->seen = w->judged = 0;
}

static void wake_up(Manager *m) {
        m->sleep.coming = m->gate.asleep = false;
        bring_back(m);
        look_anew(m);
        log_line(LOG_NOTICE, NULL, "the host is awake");
}

static int on_prepare(sd_bus_message *message, void *userdata, sd_bus_error *error _unused_) {
        Manager *m = userdata;
        int sleeps;

        if (sd_bus_message_read(message, "b", &sleeps) < 0)
                return 0;
        if (sleeps)
                fall_asleep(m);
        else
                wake_up(m);
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
        if (m->gate.asleep || m->sleep.coming)
                wake_up(m);
        if (sd_bus_match_signal_async(bus, &s->signal, LOGIND, "PrepareForSleep", on_prepare, NULL,
                                      m) >= 0)
                take_lock(m, bus);
}

void sleep_done(Sleep *s) {
        s->signal = sd_bus_slot_unref(s->signal);
        s->call = sd_bus_slot_unref(s->call);
        s->lock = close_fd(s->lock);
}
