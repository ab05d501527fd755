/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Manager: from its beginning to its end, and what it remembers
 *
 * What the queue says is done in manager-run.c, what clients ask for is in manager-submit.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <systemd/sd-daemon.h>

#include "base/str.h"

#include "core/names.h"

#include "kernel/scan.h"

#include "daemon/log.h"
#include "daemon/manager-run.h"
#include "daemon/recover.h"

#define USEC_PER_SEC UINT64_C(1000000)

uint64_t manager_now(void) {
        struct timespec ts;

        clock_gettime(CLOCK_REALTIME, &ts);
        return (uint64_t) ts.tv_sec * USEC_PER_SEC + (uint64_t) ts.tv_nsec / 1000;
}

static const char *const state_names[_MANAGER_STATE_MAX] = {
        [MANAGER_IDLE] = "idle",
        [MANAGER_BUSY] = "busy",
        [MANAGER_WEDGED] = "wedged",
};

const char *manager_state_to_string(ManagerState s) {
        return s < _MANAGER_STATE_MAX ? state_names[s] : NULL;
}

ManagerState manager_state(const Manager *m) {
        uint32_t id;

        if (queue_wedged(&m->queue) || recover_is_stuck(m->recovery, &id))
                return MANAGER_WEDGED;
        return m->recovery || queue_length(&m->queue) > 0 ? MANAGER_BUSY : MANAGER_IDLE;
}

void manager_kick(Manager *m) {
        (void) sd_event_source_set_enabled(m->drain, SD_EVENT_ONESHOT);
}

int manager_look(Manager *m) {
        Snapshot *s;
        int r;

        r = scan_all(m->kernel, &s);
        if (r < 0)
                return log_error_errno(r,
                                       "cannot look at the PCI functions, keeping the last view");
        snapshot_free(m->snapshot);
        m->snapshot = s;
        return 0;
}

/* Forgets jobs that ended too long ago or are too many; comes again when the next one is due. */
void manager_forget_ended(Manager *m) {
        uint64_t keep_usec = (uint64_t) m->settings.ended_minutes * 60 * USEC_PER_SEC,
                 now = manager_now();
        Record *r;
        size_t n;

        while ((r = records_oldest_ended(&m->records, &n)) &&
               (n > m->settings.ended_jobs || r->ended + keep_usec <= now)) {
                _cleanup_free_ char *path = bus_job_path(r->id);

                ledger_forget(&m->ledger, r->id);
                records_drop(&m->records, r);
                if (path)
                        bus_removed(&m->bus, path, BUS_JOB);
        }
        if (!r) {
                (void) sd_event_source_set_enabled(m->expiry, SD_EVENT_OFF);
                return;
        }
        /* Clocks are set back, too. */
        (void) sd_event_source_set_time_relative(m->expiry,
                                                 MIN2(r->ended + keep_usec - now, keep_usec));
        (void) sd_event_source_set_enabled(m->expiry, SD_EVENT_ONESHOT);
}

void manager_tell_status(Manager *m) {
        char status[sizeof(m->status)];
        ManagerState state = manager_state(m);
        const Record *running = NULL;

        FOREACH_RECORD (r, &m->records)
                if (r->state == JOB_RUNNING || r->state == JOB_WEDGED)
                        running = r;
        if (running)
                snprintf(status, sizeof(status), "%s: job %u, %s %s, %u in the queue",
                         manager_state_to_string(state), running->id,
                         op_kind_to_string(running->op.kind), RECORD_OBJECT(running),
                         queue_length(&m->queue));
        else
                snprintf(status, sizeof(status), "%s", manager_state_to_string(state));
        if (streq(status, m->status))
                return;
        memcpy(m->status, status, sizeof(status));
        (void) sd_notifyf(0, "STATUS=%s", status);
}

static int on_drain(sd_event_source *source _unused_, void *userdata) {
        manager_drain(userdata);
        return 0;
}

static int on_expiry(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        manager_forget_ended(userdata);
        return 0;
}

static int add_sources(Manager *m) {
        int r;

        r = sd_event_add_defer(m->event, &m->drain, on_drain, m);
        if (r < 0)
                return r;
        /* What has come in is taken in first, so that one drain does for all of it. */
        r = sd_event_source_set_priority(m->drain, SD_EVENT_PRIORITY_IDLE);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(m->drain, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = sd_event_add_time_relative(m->event, &m->expiry, CLOCK_MONOTONIC, 0, USEC_PER_SEC,
                                       on_expiry, m);
        if (r < 0)
                return r;
        return sd_event_source_set_enabled(m->expiry, SD_EVENT_OFF);
}

int manager_new(sd_event *event, const char *runtime, Manager **ret) {
        _cleanup_(manager_freep) Manager *m = calloc(1, sizeof(Manager));
        int r;

        if (!m)
                return -ENOMEM;
        m->event = sd_event_ref(event);
        m->runtime = runtime;
        m->settings = SETTINGS_DEFAULT;
        m->ledger = LEDGER_EMPTY;
        m->bus.fd = -EBADF;
        m->world.state = -1;
        m->workers = (Workers){ event, runtime, manager_answered, manager_overdue, m, {} };
        queue_init(&m->queue);
        r = add_sources(m);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        return 0;
}

Manager *manager_free(Manager *m) {
        if (!m)
                return NULL;
        bus_done(&m->bus);
        auth_done(&m->auth);
        watch_done(&m->watch);
        recover_free(m->recovery);
        workers_done(&m->workers);
        titles_done(&m->titles);
        world_done(&m->world);
        records_done(&m->records);
        queue_done(&m->queue);
        ledger_done(&m->ledger);
        snapshot_free(m->snapshot);
        if (m->kernel)
                m->kernel->free(m->kernel);
        sd_event_source_disable_unref(m->drain);
        sd_event_source_disable_unref(m->expiry);
        sd_event_unref(m->event);
        free(m);
        return NULL;
}

/* A mistake in the file must not take the daemon away from a host that needs it. */
static void load_settings(Manager *m) {
        SettingsError error;

        if (manager_reload(m, &error) < 0)
                log_line(LOG_ERR, NULL, "%s, going on with the defaults", error.text);
}

int manager_start(Manager *m) {
        int r;

        load_settings(m);
        r = ledger_open(&m->ledger, m->runtime);
        if (r == -EBUSY)
                return log_error_errno(r, "another sriovd is at work in %s", m->runtime);
        if (r < 0)
                return log_error_errno(r, "cannot keep a ledger in %s", m->runtime);
        m->kernel = kernel_open();
        if (!m->kernel)
                return log_error_errno(-errno, "cannot reach the kernel");
        /* Before the first look, so that nothing happens unseen between the two. */
        r = watch_start(m);
        if (r < 0)
                return log_error_errno(r, "cannot watch the kernel's events");
        m->snapshot = snapshot_new();
        if (!m->snapshot)
                return log_error_errno(-ENOMEM, "cannot start");
        (void) manager_look(m);
        r = recover_start(m);
        if (r < 0)
                return log_error_errno(r, "cannot read the ledger in %s", m->runtime);
        r = bus_start(m);
        if (r < 0)
                return r;
        manager_kick(m);
        return 0;
}
