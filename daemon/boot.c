/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Boot
 */
#include <errno.h>
#include <stdlib.h>

#include "base/macro.h"

#include "daemon/boot.h"
#include "daemon/manager.h"

struct BootWait {
        Manager *manager;
        BootWait *next;
        sd_bus_message *message;
        sd_event_source *deadline;
};

static void wait_free(BootWait *w) {
        sd_event_source_disable_unref(w->deadline);
        sd_bus_message_unref(w->message);
        free(w);
}

static void wait_drop(BootWaits *all, BootWait *w) {
        for (BootWait **p = &all->first; *p; p = &(*p)->next)
                if (*p == w) {
                        *p = w->next;
                        all->n--;
                        break;
                }
        wait_free(w);
}

void boot_waits_done(BootWaits *all) {
        while (all->first)
                wait_drop(all, all->first);
}

void boot_waits_forget(Manager *m, sd_bus *bus) {
        for (BootWait *w = m->boot_waits.first, *next; w; w = next) {
                next = w->next;
                if (sd_bus_message_get_bus(w->message) == bus)
                        wait_drop(&m->boot_waits, w);
        }
}

static int append(const Manager *m, sd_bus_message *reply, bool settled) {
        const Wards *wards = &m->wards;
        int r = sd_bus_message_append(reply, "b", (int) settled);

        return r < 0 ? r
                     : sd_bus_message_append_array(reply, 'u', wards->boot_jobs,
                                                   wards->n_boot_jobs * sizeof(uint32_t));
}

static void answer(Manager *m, BootWait *w, bool settled) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;

        if (sd_bus_message_new_method_return(w->message, &reply) >= 0 &&
            append(m, reply, settled) >= 0)
                (void) sd_bus_send(NULL, reply, NULL);
        wait_drop(&m->boot_waits, w);
}

void boot_waits_answer(Manager *m) {
        if (!m->boot_waits.first || !wards_are_settled(m))
                return;
        while (m->boot_waits.first)
                answer(m, m->boot_waits.first, true);
}

static int on_deadline(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        BootWait *w = userdata;

        answer(w->manager, w, wards_are_settled(w->manager));
        return 0;
}

static bool is_on_bus(sd_bus_message *message) {
        return sd_bus_is_bus_client(sd_bus_message_get_bus(message)) > 0;
}

int boot_wait(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;
        Fault full = FAULT(FAULT_TOO_MANY_ASK, .number = (uint32_t) m->boot_waits.n);
        BootWait *w;
        int r;

        if (m->boot_waits.n >= (is_on_bus(message) ? BOOT_WAITS_BUS_MAX : BOOT_WAITS_MAX))
                return bus_fault(error, &full);
        w = calloc(1, sizeof(BootWait));
        if (!w)
                return -ENOMEM;
        *w = (BootWait){ .manager = m, .message = sd_bus_message_ref(message) };
        r = sd_event_add_time_relative(m->event, &w->deadline, CLOCK_MONOTONIC,
                                       BOOT_WAIT_SEC * UINT64_C(1000000), 0, on_deadline, w);
        if (r < 0) {
                wait_free(w);
                return r;
        }
        w->next = m->boot_waits.first;
        m->boot_waits.first = w;
        m->boot_waits.n++;
        manager_kick(m);
        return 1;
}
