/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wait
 *
 * Going away never harms: the job is the daemon's, and we only watch.
 */
#include <errno.h>

#include "base/str.h"

#include "core/fault.h"
#include "core/names.h"
#include "core/queue.h"

#include "cli/client.h"
#include "cli/holders.h"
#include "cli/job.h"
#include "cli/progress.h"
#include "cli/record.h"
#include "cli/say.h"
#include "cli/wait.h"
#include "cli/when.h"

/* A daemon that is restarted is back long before. */
#define GONE_USEC (30 * WHEN_USEC_PER_SEC)

static bool is_state(const Wait *w, const char *state) {
        return streq(record_show(w->job, "state"), state);
}

static bool has_ended(const Wait *w) {
        return is_state(w, "ended");
}

static int on_removed(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        const char *path, *result, *name, *message;
        Wait *w = userdata;
        int r;

        r = sd_bus_message_read(m, "uosss", NULL, &path, &result, &name, &message);
        if (r < 0 || !w->path || !streq(path, w->path))
                return 0;
        record_set_text(w->job, "state", "ended");
        record_set_text(w->job, "result", result);
        record_set_text(w->job, "error", name);
        record_set_text(w->job, "message", message);
        w->look = true;
        return 0;
}

static int on_changed(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        const char *interface;
        Wait *w = userdata;
        int r;

        r = sd_bus_message_read_basic(m, 's', &interface);
        if (r < 0 || !streq(interface, BUS_JOB) || !w->job)
                return 0;
        r = record_read_properties(m, w->job);
        job_settle(w->job);
        /* The result, or who is in the way, may not be among what changed with the state. */
        if (r < 0 || has_ended(w) || is_state(w, "wedged"))
                w->look = true;
        return 0;
}

static int watch_properties(Wait *w) {
        Cli *c = w->loop.cli;

        return sd_bus_match_signal_async(c->bus, NULL, c->peer ? NULL : BUS_NAME, w->path,
                                         "org.freedesktop.DBus.Properties", "PropertiesChanged",
                                         on_changed, NULL, w);
}

static int subscribe(Loop *l, void *userdata) {
        Wait *w = userdata;
        int r;

        r = sd_bus_match_signal_async(l->cli->bus, NULL, l->cli->peer ? NULL : BUS_NAME, BUS_PATH,
                                      BUS_MANAGER, "JobRemoved", on_removed, NULL, w);
        return r >= 0 && w->path ? watch_properties(w) : r;
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
        json_object_put(w->job);
        free(w->path);
}

/* True of the daemon's warning that it goes on against somebody: who that is has lines of its own. */
static bool is_about_force(const char *warning) {
        const Fault forced = FAULT(FAULT_FORCED);
        char sentence[FAULT_STR_MAX];
        const char *end = strrchr(fault_format(&forced, sentence, sizeof(sentence)), ';');
        size_t n = strlen(warning);

        return end && n > strlen(end) && streq(warning + n - strlen(end), end);
}

static void warn(json_object *job, bool in_use) {
        json_object *list = record_get(job, "warnings"), *holders = record_get(job, "holders");
        bool forced = !in_use && record_length(holders) > 0;

        for (size_t i = 0; i < record_length(list); i++) {
                const char *s = json_object_get_string(json_object_array_get_idx(list, i));

                if (!forced || !is_about_force(s))
                        say_note("warning: %s", s);
        }
        if (forced)
                holders_say_forced(holders);
}

/* Only these keys: what is over needs no stages. Takes nothing over. NULL: out of memory. */
static json_object *brief(json_object *job) {
        static const char *const keys[] = { "job",   "operation", "object",   "state",  "result",
                                            "error", "message",   "warnings", "holders" };
        json_object *o = json_object_new_object();

        for (size_t i = 0; o && i < ELEMENTSOF(keys); i++)
                json_object_object_add(o, keys[i], json_object_get(record_get(job, keys[i])));
        return o;
}

static int ended_well(const Cli *c, json_object *job, bool skipped) {
        _cleanup_json_ json_object *o = brief(job);

        if (!o)
                return say_oom(c);
        json_object_object_add(o, "exit", json_object_new_int(STATUS_OK));
        if (skipped && c->json == JSON_OFF)
                printf("%s: nothing to do\n", record_show(job, "object"));
        say_json(c, o);
        return STATUS_OK;
}

/* The error says more than the result, but for a job of which a part was done. */
static int status_of(JobResult result, const char *error) {
        return error && result != RESULT_PARTIAL ? fault_exit_status_of(error)
                                                 : job_result_exit_status(result);
}

int wait_told(Cli *c, json_object *job) {
        const char *name = record_show(job, "result"), *error = record_text(job, "error"),
                   *message = record_text(job, "message");
        bool in_use = error && streq(error, fault_bus_name(FAULT_IN_USE));
        JobResult result = job_result_from_string(name);
        char words[256];
        int status;

        progress_clear();
        warn(job, in_use);
        if (result == RESULT_DONE || result == RESULT_SKIPPED)
                return ended_well(c, job, result == RESULT_SKIPPED);
        if (!message) {
                snprintf(words, sizeof(words), "%s: %s ended as %s, job %u",
                         record_show(job, "object"), record_show(job, "operation"), name,
                         (unsigned) record_number(job, "job"));
                message = words;
        }
        status = say_error_with(c, status_of(result, error), error, message, brief(job));
        if (in_use)
                holders_say_refusing(record_get(job, "holders"));
        return status;
}

static int still_going(Wait *w, int status, const char *what) {
        unsigned id = (unsigned) record_number(w->job, "job");
        char words[512];
        int n;

        if (status == STATUS_WEDGED) /* most often it waits for one of these */
                holders_say_forced(record_get(w->job, "holders"));
        n = snprintf(words, sizeof(words), "%s: job %u %s; 'sriovctl wait %u' waits for it",
                     record_show(w->job, "object"), id, what, id);
        if (record_bool(w->job, "cancelable") && status != STATUS_WEDGED &&
            status != STATUS_NO_DAEMON && n > 0 && (size_t) n < sizeof(words))
                snprintf(words + n, sizeof(words) - (size_t) n,
                         ", 'sriovctl cancel %u' withdraws it", id);
        return say_error_with(w->loop.cli, status, NULL, words, brief(w->job));
}

static void show(const Wait *w) {
        json_object *progress = record_get(w->job, "progress");
        const char *stage = record_text(w->job, "stage");
        char percent[16] = "";

        if (progress)
                snprintf(percent, sizeof(percent), " %3.0f%%",
                         json_object_get_double(progress) * 100);
        progress_show("%s: %s, job %u %s%s %s", record_show(w->job, "object"),
                      record_show(w->job, "operation"), (unsigned) record_number(w->job, "job"),
                      w->loop.gone ? "goes on, sriovd is being restarted"
                                   : record_show(w->job, "state"),
                      percent, stage ? stage : "");
}

/*
 * Asks for the whole job: one that ended before we knew its path is found here. If it fails for one
 * whose end we were told, that is enough; if the daemon has just gone, we look again when it is
 * back.
 */
static int look(Wait *w) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        json_object *job;
        int r;

        w->look = w->loop.back = false;
        r = client_try_get(w->loop.cli, w->path, BUS_JOB, &job, &error);
        if (r < 0 && ((has_ended(w) && record_text(w->job, "result")) ||
                      sd_bus_is_open(w->loop.cli->bus) <= 0))
                return 0;
        if (sd_bus_error_has_name(&error, SD_BUS_ERROR_UNKNOWN_OBJECT))
                return say_error_with(w->loop.cli, STATUS_NO_DEVICE, error.name,
                                      "the sriovd that runs now does not know this job any more; "
                                      "'sriovctl history' may have its end",
                                      brief(w->job));
        if (r < 0)
                return client_fail(w->loop.cli, r, &error);
        json_object_put(w->job);
        w->job = job;
        job_settle(job);
        return 0;
}

/* A reason to stop waiting before the end. 0: none. */
static int leave(Wait *w) {
        uint64_t now = when_monotonic();

        if (w->loop.signal != 0)
                return still_going(w, STATUS_SIGNAL + w->loop.signal, "goes on");
        if (is_state(w, "wedged") && !w->stay)
                return still_going(w, STATUS_WEDGED,
                                   "is stuck in the kernel and ends when the kernel lets go");
        if (now >= w->deadline)
                return still_going(w, STATUS_TIMEOUT, "has not ended in time and goes on");
        if (w->loop.gone && now - w->loop.gone_usec > GONE_USEC)
                return still_going(w, STATUS_NO_DAEMON,
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

static int wait_loop(Wait *w) {
        int r;

        for (;;) {
                if ((w->look || w->loop.back) && !w->loop.gone) {
                        r = look(w);
                        if (r > 0)
                                return r;
                }
                if (has_ended(w) && record_text(w->job, "result"))
                        return wait_told(w->loop.cli, w->job);
                r = leave(w);
                if (r > 0)
                        return r;
                show(w);
                r = loop_turn(&w->loop, next_turn(w));
                if (r > 0)
                        return r;
        }
}

int wait_job(Wait *w, const char *path, bool stay) {
        int r;

        w->stay = stay;
        w->path = strdup(path);
        w->job = json_object_new_object();
        if (!w->path || !w->job)
                return say_oom(w->loop.cli);
        r = watch_properties(w);
        if (r < 0)
                return client_fail(w->loop.cli, r, NULL);
        w->look = true;
        return wait_loop(w);
}
