/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sriovctl apply --boot
 *
 * The daemon makes the pass over the policies by itself; here somebody only waits for it, before D-Bus is there, and never for
 * longer than the host can be held up.
 */
#include <errno.h>
#include <time.h>

#include "core/names.h"

#include "base/str.h"

#include "cli/boot.h"
#include "cli/client.h"
#include "cli/job.h"
#include "cli/ready.h"
#include "cli/record.h"
#include "cli/say.h"
#include "cli/told.h"
#include "cli/when.h"
#include "cli/world.h"

#define BOOT_USEC (30 * WHEN_USEC_PER_SEC)
/* How often a socket that is not there is tried again. */
#define RECONNECT_USEC (200 * UINT64_C(1000))
/* What is asked when the time is over: by then a daemon that does not answer has held the host up enough. */
#define LAST_USEC (2 * WHEN_USEC_PER_SEC)

typedef struct Boot {
        Cli *cli;
        uint64_t deadline; /* CLOCK_MONOTONIC */
        bool settled;
        json_object *ids; /* of its jobs, or NULL: not told */
        json_object *jobs, *missing; /* for --json */
} Boot;

static void boot_done(Boot *b) {
        json_object_put(b->ids);
        json_object_put(b->jobs);
        json_object_put(b->missing);
}

static uint64_t left(const Boot *b) {
        uint64_t now = when_monotonic();

        return b->deadline > now ? b->deadline - now : 0;
}

/* One call, for as long as there is time. 0, -ETIMEDOUT, or another negative errno with *error. */
static int ask(Boot *b, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        json_object *ids = NULL;
        int r, settled;

        r = sd_bus_message_new_method_call(b->cli->bus, &m, NULL, BUS_PATH, BUS_MANAGER,
                                           "WaitBoot");
        if (r >= 0)
                r = sd_bus_call(b->cli->bus, m, MAX2(left(b), 1), error, &reply);
        if (r >= 0)
                r = sd_bus_message_read(reply, "b", &settled);
        if (r >= 0)
                r = record_read_value(reply, &ids);
        if (r < 0)
                return r;
        json_object_put(b->ids);
        b->ids = ids;
        b->settled = settled;
        return 0;
}

/* The daemon is not there, or is no more: it will be started. */
static bool is_away(int r, const sd_bus_error *error) {
        return r == -ENOENT || r == -ECONNREFUSED || r == -ECONNRESET || r == -ENOTCONN ||
               r == -EPIPE || sd_bus_error_has_name(error, SD_BUS_ERROR_DISCONNECTED);
}

static void rest(const Boot *b) {
        uint64_t usec = MIN2(RECONNECT_USEC, left(b));
        const struct timespec ts = { .tv_nsec = (long) usec * 1000 };

        (void) nanosleep(&ts, NULL);
}

static bool is_late(int r, const sd_bus_error *error) {
        return r == -ETIMEDOUT || sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY);
}

/* The daemon has a time of its own for one call, which may be shorter than ours. */
static int ask_until(Boot *b) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        for (;;) {
                sd_bus_error_free(&error);
                r = client_try_private(b->cli);
                if (r >= 0)
                        r = ask(b, &error);
                if (b->settled || is_late(r, &error) || (r >= 0 && left(b) == 0))
                        return 0;
                if (r < 0 && (!is_away(r, &error) || left(b) == 0))
                        return client_fail(b->cli, r, &error);
                if (r < 0)
                        client_close(b->cli);
                rest(b);
        }
}

/* Where the daemon did not tell which are, each that is not over keeps the host waiting. */
static bool is_ours(const Boot *b, json_object *job) {
        for (size_t i = 0; i < record_length(b->ids); i++)
                if (json_object_get_uint64(json_object_array_get_idx(b->ids, i)) ==
                    record_number(job, "job"))
                        return true;
        return !b->ids && !streq(record_show(job, "state"), "ended");
}

static int tell_job(Boot *b, const char *path) {
        _cleanup_json_ json_object *job = NULL, *o = NULL;
        char line[TOLD_LINE_MAX];
        int status, r;

        r = job_get(b->cli, path, &job);
        if (r > 0)
                return r;
        if (streq(record_show(job, "state"), "ended")) {
                told_line(job, &status, line);
                if (status != STATUS_OK)
                        say_note("warning: %s", line);
        } else
                say_note("%s: job %u has not ended and goes on", record_show(job, "object"),
                         (unsigned) record_number(job, "job"));
        o = told_brief(job);
        return !o || json_object_array_add(b->jobs, TAKE_PTR(o)) < 0 ? say_oom(b->cli) : 0;
}

static int tell_jobs(Boot *b) {
        _cleanup_json_ json_object *jobs = NULL;
        int r;

        r = job_list(b->cli, &jobs);
        for (size_t i = 0; i < record_length(jobs) && r == 0; i++) {
                json_object *job = json_object_array_get_idx(jobs, i);

                if (is_ours(b, job))
                        r = tell_job(b, record_text(job, "path"));
        }
        return r;
}

/* Each PF that a policy wants something of, and that is not there yet. */
static int tell_missing(Boot *b) {
        _cleanup_json_ json_object *world = NULL;
        char line[READY_LINE_MAX];
        int r;

        r = world_get(b->cli, &world);
        if (r > 0)
                return r;
        for (size_t i = 0; i < record_length(world); i++) {
                json_object *pf = json_object_array_get_idx(world, i);

                if (!record_text(pf, "policy") || record_bool(pf, "ready"))
                        continue;
                say_note("%s", ready_missing(pf, line));
                if (json_object_array_add(b->missing, json_object_new_string(line)) < 0)
                        return say_oom(b->cli);
        }
        return 0;
}

static int tell(Boot *b) {
        int r;

        r = tell_jobs(b);
        if (r > 0 || b->settled)
                return r;
        r = tell_missing(b);
        if (r == 0)
                say_note("what the policies want at boot was not done in time, and goes on; "
                         "'sriovctl "
                         "diff' and 'sriovctl jobs' show what is left");
        return r > 0 ? r : STATUS_TIMEOUT;
}

static int finish(Boot *b, int status) {
        _cleanup_json_ json_object *o = json_object_new_object();

        if (!o)
                return say_oom(b->cli);
        json_object_object_add(o, "settled", json_object_new_boolean(b->settled));
        json_object_object_add(o, "jobs", TAKE_PTR(b->jobs));
        json_object_object_add(o, "missing", TAKE_PTR(b->missing));
        json_object_object_add(o, "exit", json_object_new_int(status));
        say_json(b->cli, o);
        return status;
}

int boot_wait(Cli *c) {
        _cleanup_(boot_done) Boot b = { .cli = c,
                                        .jobs = json_object_new_array(),
                                        .missing = json_object_new_array() };
        int r;

        if (!b.jobs || !b.missing)
                return say_oom(c);
        if (__builtin_add_overflow(when_monotonic(), c->wait_limited ? c->wait_usec : BOOT_USEC,
                                   &b.deadline))
                b.deadline = UINT64_MAX;
        r = ask_until(&b);
        if (r > 0)
                return r;
        r = sd_bus_set_method_call_timeout(c->bus, LAST_USEC);
        if (r < 0)
                return client_fail(c, r, NULL);
        r = tell(&b);
        return r == STATUS_OK || r == STATUS_TIMEOUT ? finish(&b, r) : r;
}
