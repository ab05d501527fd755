/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wait
 *
 * Going away never harms: a job is the daemon's, and we only watch.
 */
#include <errno.h>

#include "base/str.h"

#include "core/names.h"

#include "cli/client.h"
#include "cli/job.h"
#include "cli/progress.h"
#include "cli/record.h"
#include "cli/say.h"
#include "cli/told.h"
#include "cli/wait.h"
#include "cli/when.h"

/* A daemon that is restarted is back long before. */
#define GONE_USEC (30 * WHEN_USEC_PER_SEC)

static bool is_state(const Waited *j, const char *state) {
        return streq(record_show(j->job, "state"), state);
}

static bool has_ended(const Waited *j) {
        return is_state(j, "ended") && record_text(j->job, "result");
}

static Waited *find(Wait *w, const char *path) {
        for (size_t i = 0; i < w->n_jobs; i++)
                if (streq(w->jobs[i].path, path))
                        return w->jobs + i;
        return NULL;
}

static int on_removed(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        const char *path, *result, *name, *message;
        Wait *w = userdata;
        Waited *j;
        int r;

        r = sd_bus_message_read(m, "uosss", NULL, &path, &result, &name, &message);
        j = r < 0 ? NULL : find(w, path);
        if (!j)
                return 0;
        record_set_text(j->job, "state", "ended");
        record_set_text(j->job, "result", result);
        record_set_text(j->job, "error", name);
        record_set_text(j->job, "message", message);
        j->look = true;
        return 0;
}

static int on_changed(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        const char *interface;
        Waited *j = userdata;
        int r;

        r = sd_bus_message_read_basic(m, 's', &interface);
        if (r < 0 || !streq(interface, BUS_JOB))
                return 0;
        r = record_read_properties(m, j->job);
        job_settle(j->job);
        /* The result, or who is in the way, may not be among what changed with the state. */
        if (r < 0 || is_state(j, "ended") || is_state(j, "wedged"))
                j->look = true;
        return 0;
}

static int watch_properties(Wait *w) {
        Cli *c = w->loop.cli;
        int r = 0;

        for (size_t i = 0; i < w->n_jobs && r >= 0; i++)
                r = sd_bus_match_signal_async(c->bus, NULL, c->peer ? NULL : BUS_NAME,
                                              w->jobs[i].path, "org.freedesktop.DBus.Properties",
                                              "PropertiesChanged", on_changed, NULL, w->jobs + i);
        return r;
}

static int subscribe(Loop *l, void *userdata) {
        Wait *w = userdata;
        int r;

        r = sd_bus_match_signal_async(l->cli->bus, NULL, l->cli->peer ? NULL : BUS_NAME, BUS_PATH,
                                      BUS_MANAGER, "JobRemoved", on_removed, NULL, w);
        return r >= 0 ? watch_properties(w) : r;
}

int wait_init(Wait *w, Cli *c) {
        *w = (Wait){ .deadline = UINT64_MAX };
        if (c->wait_limited && __builtin_add_overflow(when_monotonic(), c->wait_usec, &w->deadline))
                w->deadline = UINT64_MAX;
        return loop_init(&w->loop, c, subscribe, w);
}

void wait_done(Wait *w) {
        progress_clear();
        loop_done(&w->loop);
        for (size_t i = 0; i < w->n_jobs; i++) {
                json_object_put(w->jobs[i].job);
                free(w->jobs[i].path);
        }
        free(w->jobs);
}

/* The one that is at work, or the first that waits; how many have ended. */
static const Waited *pick(const Wait *w, size_t *ret_ended) {
        const Waited *first = NULL, *running = NULL;

        *ret_ended = 0;
        for (size_t i = 0; i < w->n_jobs; i++) {
                const Waited *j = w->jobs + i;

                if (has_ended(j))
                        (*ret_ended)++;
                else if (is_state(j, "running") && !running)
                        running = j;
                else if (!first)
                        first = j;
        }
        return running ? running : first ? first : w->jobs;
}

static void show(const Wait *w) {
        size_t n_ended;
        const Waited *j = pick(w, &n_ended);
        json_object *progress = record_get(j->job, "progress");
        const char *stage = record_text(j->job, "stage");
        char percent[16] = "", count[48] = "";

        if (progress)
                snprintf(percent, sizeof(percent), " %3.0f%%",
                         json_object_get_double(progress) * 100);
        if (w->n_jobs > 1)
                snprintf(count, sizeof(count), "%zu of %zu ended; ", n_ended, w->n_jobs);
        progress_show("%s%s: %s, job %u %s%s %s", count, record_show(j->job, "object"),
                      record_show(j->job, "operation"), (unsigned) record_number(j->job, "job"),
                      w->loop.gone ? "goes on, sriovd is being restarted"
                                   : record_show(j->job, "state"),
                      percent, stage ? stage : "");
}

/*
 * Asks for the whole job: one that ended before we knew its path is found here. If it fails for one
 * whose end we were told, that is enough; if the daemon has just gone, we look again when it is
 * back.
 */
static int look(Wait *w, Waited *j) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        json_object *job;
        int r;

        j->look = false;
        r = client_try_get(w->loop.cli, j->path, BUS_JOB, &job, &error);
        if (r < 0 && (has_ended(j) || sd_bus_is_open(w->loop.cli->bus) <= 0))
                return 0;
        if (sd_bus_error_has_name(&error, SD_BUS_ERROR_UNKNOWN_OBJECT))
                return say_error_with(w->loop.cli, STATUS_NO_DEVICE, error.name,
                                      "the sriovd that runs now does not know this job any more; "
                                      "'sriovctl history' may have its end",
                                      told_brief(j->job));
        if (r < 0)
                return client_fail(w->loop.cli, r, &error);
        json_object_put(j->job);
        j->job = job;
        job_settle(job);
        return 0;
}

static int look_at_all(Wait *w) {
        bool back = w->loop.back;
        int r = 0;

        if (w->loop.gone)
                return 0;
        w->loop.back = false;
        for (size_t i = 0; i < w->n_jobs && r == 0; i++)
                if (back || w->jobs[i].look)
                        r = look(w, w->jobs + i);
        return r;
}

static int tell_several(const Wait *w, int status, const char *what) {
        _cleanup_free_ json_object **jobs = calloc(w->n_jobs + 1, sizeof(*jobs));

        if (!jobs)
                return say_oom(w->loop.cli);
        for (size_t i = 0; i < w->n_jobs; i++)
                jobs[i] = w->jobs[i].job;
        return told_several(w->loop.cli, jobs, w->n_jobs, status, what);
}

/* Where one of several is stuck, the others only go on. */
static int leave(const Wait *w, int status, const char *what) {
        if (!w->several)
                return told_left(w->loop.cli, w->jobs->job, status, what);
        return tell_several(w, status, status == STATUS_WEDGED ? "goes on" : what);
}

static bool is_any(const Wait *w, const char *state) {
        for (size_t i = 0; i < w->n_jobs; i++)
                if (is_state(w->jobs + i, state))
                        return true;
        return false;
}

/* A reason to stop waiting before the end. 0: none. */
static int try_leave(const Wait *w) {
        uint64_t now = when_monotonic();

        if (w->loop.signal != 0)
                return leave(w, STATUS_SIGNAL + w->loop.signal, "goes on");
        if (is_any(w, "wedged") && !w->stay)
                return leave(w, STATUS_WEDGED,
                             "is stuck in the kernel and ends when the kernel lets go");
        if (now >= w->deadline)
                return leave(w, STATUS_TIMEOUT, "has not ended in time and goes on");
        if (w->loop.gone && now - w->loop.gone_usec > GONE_USEC)
                return leave(w, STATUS_NO_DAEMON,
                             "is kept, but sriovd went away and does not come back");
        return 0;
}

static uint64_t next_turn(const Wait *w) {
        uint64_t until = w->deadline, now = when_monotonic();

        if (w->loop.gone)
                until = MIN2(until, w->loop.gone_usec + GONE_USEC + 1);
        if (until == UINT64_MAX)
                return UINT64_MAX;
        return until > now ? until - now : 0;
}

static bool have_all_ended(const Wait *w) {
        for (size_t i = 0; i < w->n_jobs; i++)
                if (!has_ended(w->jobs + i))
                        return false;
        return true;
}

static int wait_loop(Wait *w) {
        int r;

        for (;;) {
                r = look_at_all(w);
                if (r > 0)
                        return r;
                if (have_all_ended(w))
                        return w->several ? tell_several(w, STATUS_OK, NULL)
                                          : told_end(w->loop.cli, w->jobs->job);
                r = try_leave(w);
                if (r > 0)
                        return r;
                show(w);
                r = loop_turn(&w->loop, next_turn(w));
                if (r > 0)
                        return r;
        }
}

/* One job can be named twice: its askers were joined. */
static int add(Wait *w, const char *path) {
        Waited *j = w->jobs + w->n_jobs;

        if (find(w, path))
                return 0;
        *j = (Waited){ .path = strdup(path), .job = json_object_new_object(), .look = true };
        w->n_jobs++;
        return j->path && j->job ? 0 : -ENOMEM;
}

static int start(Wait *w, char *const *paths) {
        int r = 0;

        w->jobs = calloc(strv_length(paths) + 1, sizeof(Waited));
        if (!w->jobs)
                r = -ENOMEM;
        for (size_t i = 0; i < strv_length(paths) && r >= 0; i++)
                r = add(w, paths[i]);
        if (r >= 0)
                r = watch_properties(w);
        return r < 0 ? client_fail(w->loop.cli, r, NULL) : wait_loop(w);
}

int wait_jobs(Wait *w, char *const *paths) {
        w->several = true;
        return start(w, paths);
}

int wait_job(Wait *w, const char *path, bool stay) {
        char *const paths[] = { (char *) path, NULL };

        w->stay = stay;
        return start(w, paths);
}
