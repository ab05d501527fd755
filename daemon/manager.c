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
#include "daemon/mode.h"
#include "daemon/recover.h"
#include "daemon/times.h"

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
        for (size_t i = 0; i < s->n_fns; i++)
                snapshot_inherit(s->fns + i, snapshot_find(m->snapshot, s->fns[i].bdf));
        snapshot_free(m->snapshot);
        m->snapshot = s;
        m->gate.stale = true;
        s->quirks = &m->quirks;
        s->wanted = &m->wards.wanted;
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

static void describe(char *buf, size_t size, const Record *r, const char *how) {
        size_t n = strlen(buf);

        if (r)
                snprintf(buf + n, size - n, "%s job %u, %s %s%s", n > 0 ? ";" : ":", r->id,
                         op_kind_to_string(r->op.kind), RECORD_OBJECT(r), how);
}

/* One job has the lane; of those that are stuck beside it the oldest stands for all. */
void manager_tell_status(Manager *m) {
        char status[sizeof(m->status)], jobs[sizeof(status) - 64] = "";
        const Record *running = NULL, *stuck = NULL;
        uint32_t length = queue_length(&m->queue);

        FOREACH_RECORD (r, &m->records) {
                if (r->state == JOB_RUNNING && !running)
                        running = r;
                if (r->state == JOB_WEDGED && !stuck)
                        stuck = r;
        }
        describe(jobs, sizeof(jobs), stuck, " is stuck in the kernel");
        describe(jobs, sizeof(jobs), running, "");
        snprintf(status, sizeof(status), "%s%s", manager_state_to_string(manager_state(m)), jobs);
        if (length > 0)
                snprintf(status + strlen(status), sizeof(status) - strlen(status),
                         ", %u in the queue", length);
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
        m->holds = HOLDS_EMPTY;
        m->bus.fd = m->sleep.lock = -EBADF;
        m->gate.ear = EAR_EMPTY;
        m->gate.marks.group = -EBADF;
        m->gate.marks.latched = BDF_NONE;
        m->world.state = -1;
        m->workers = (Workers){ event, runtime, manager_answered, stuck_overdue, m, {} };
        queue_init(&m->queue);
        metrics_start(m);
        r = add_sources(m);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        return 0;
}

Manager *manager_free(Manager *m) {
        if (!m)
                return NULL;
        gate_done(&m->gate);
        sleep_done(&m->sleep);
        bus_done(&m->bus);
        auth_done(&m->auth);
        watch_done(&m->watch);
        recover_free(m->recovery);
        workers_done(&m->workers);
        stucks_done(&m->stucks);
        sd_event_source_disable_unref(m->sight.patience);
        boot_waits_done(&m->boot_waits);
        saves_done(&m->saves);
        wards_done(&m->wards);
        guards_done(&m->guards);
        holds_done(&m->holds);
        titles_done(&m->titles);
        ready_done(&m->ready);
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

static int read_settings(Settings *ret, SettingsError *ret_error) {
        const char *path = getenv(CONFIG_ENV);

        return path ? settings_read(path, ret, ret_error) : settings_load(ret, ret_error);
}

static void take_settings(Manager *m, const Settings *s) {
        m->settings = *s;
        m->pace.factor = s->deadline_factor;
        m->queue.fan_out = MIN2(s->fan_out, (uint32_t) QUEUE_FAN_OUT);
}

int manager_reload(Manager *m, SettingsError *ret_error) {
        GateMode before = m->settings.gate;
        DriverRows rows;
        Settings s;
        int r;

        r = read_settings(&s, ret_error);
        if (r >= 0)
                r = times_load_rows(&rows, ret_error);
        if (r >= 0)
                r = wards_load(m, ret_error);
        if (r < 0)
                return r;
        take_settings(m, &s);
        times_take_rows(&m->pace, &rows);
        m->quirks = rows.quirks;
        mode_reload(m, before);
        wards_tell(m);
        manager_kick(m);
        return 0;
}

/* A mistake in a file must not take the daemon away from a host that needs it. */
static void load_settings(Manager *m) {
        Settings s = SETTINGS_DEFAULT;
        SettingsError error;
        DriverRows rows;

        if (read_settings(&s, &error) < 0)
                log_line(LOG_ERR, NULL, "%s, going on with the defaults", error.text);
        take_settings(m, &s);
        if (times_load_rows(&rows, &error) < 0)
                log_line(LOG_ERR, NULL, "%s, going on with the other files' deadlines", error.text);
        times_take_rows(&m->pace, &rows);
        m->quirks = rows.quirks;
}

/* Whoever reads what the gate holds waits for the gate, which is us. */
static bool is_door(void *userdata, const char *path) {
        const Manager *m = userdata;

        return m->gate.ear.group >= 0 && marks_have(&m->gate.marks, path);
}

int manager_start(Manager *m) {
        int r;

        load_settings(m);
        r = ledger_open(&m->ledger, m->runtime);
        if (r == -EBUSY)
                return log_error_errno(r, "another sriovd is at work in %s", m->runtime);
        if (r < 0)
                return log_error_errno(r, "cannot keep a ledger in %s", m->runtime);
        times_read(m->ledger.fd, &m->pace);
        r = holds_open(&m->holds, m->event, m->ledger.fd);
        if (r < 0)
                return log_error_errno(r, "cannot keep declared holds in %s/holds", m->runtime);
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
        m->kernel->is_door = is_door;
        m->kernel->is_door_userdata = m;
        wards_start(m);
        r = recover_start(m);
        if (r < 0)
                return log_error_errno(r, "cannot read the ledger in %s", m->runtime);
        r = bus_start(m);
        if (r < 0)
                return r;
        /* Behind the recovery's look for an earlier daemon's children: the gate has children of its own. */
        gate_start(m);
        manager_kick(m);
        return 0;
}
