/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Told
 *
 * The daemon's own line says which device, what happened and what to do; here stands who was in the way, what was not over, and what
 * a script needs.
 */
#include <errno.h>

#include "base/str.h"

#include "core/fault.h"
#include "core/queue.h"

#include "cli/holders.h"
#include "cli/progress.h"
#include "cli/record.h"
#include "cli/say.h"
#include "cli/told.h"

static bool has_ended(json_object *job) {
        return streq(record_show(job, "state"), "ended");
}

static bool is_skipped(json_object *job) {
        return has_ended(job) &&
               job_result_from_string(record_show(job, "result")) == RESULT_SKIPPED;
}

static bool is_in_use(json_object *job) {
        const char *error = record_text(job, "error");

        return error && streq(error, fault_bus_name(FAULT_IN_USE));
}

/* True of the daemon's warning that it goes on against somebody: who that is has lines of its own. */
static bool is_about_force(const char *warning) {
        const Fault forced = FAULT(FAULT_FORCED);
        char sentence[FAULT_STR_MAX];
        const char *end = strrchr(fault_format(&forced, sentence, sizeof(sentence)), ';');
        size_t n = strlen(warning);

        return end && n > strlen(end) && streq(warning + n - strlen(end), end);
}

static void warn(json_object *job) {
        json_object *list = record_get(job, "warnings"), *holders = record_get(job, "holders");
        bool forced = !is_in_use(job) && record_length(holders) > 0;

        for (size_t i = 0; i < record_length(list); i++) {
                const char *s = json_object_get_string(json_object_array_get_idx(list, i));

                if (!forced || !is_about_force(s))
                        say_note("warning: %s", s);
        }
        if (forced)
                holders_say_forced(holders);
}

json_object *told_brief(json_object *job) {
        /* Only these: what is over needs no stages. */
        static const char *const keys[] = { "job",   "operation", "object",   "state",  "result",
                                            "error", "message",   "warnings", "holders" };
        json_object *o = json_object_new_object();

        for (size_t i = 0; o && i < ELEMENTSOF(keys); i++)
                json_object_object_add(o, keys[i], json_object_get(record_get(job, keys[i])));
        return o;
}

/* The error says more than the result, but for a job of which a part was done. */
static int status_of(JobResult result, const char *error) {
        return error && result != RESULT_PARTIAL ? fault_exit_status_of(error)
                                                 : job_result_exit_status(result);
}

const char *told_line(json_object *job, int *ret_status, char line[static TOLD_LINE_MAX]) {
        const char *name = record_show(job, "result"), *message = record_text(job, "message");
        JobResult result = job_result_from_string(name);

        line[0] = '\0';
        *ret_status = STATUS_OK;
        if (result == RESULT_DONE || result == RESULT_SKIPPED)
                return line;
        *ret_status = status_of(result, record_text(job, "error"));
        if (message)
                snprintf(line, TOLD_LINE_MAX, "%s", message);
        else
                snprintf(line, TOLD_LINE_MAX, "%s: %s ended as %s, job %u",
                         record_show(job, "object"), record_show(job, "operation"), name,
                         (unsigned) record_number(job, "job"));
        return line;
}

static int ended_well(const Cli *c, json_object *job) {
        _cleanup_json_ json_object *o = told_brief(job);

        if (!o)
                return say_oom(c);
        json_object_object_add(o, "exit", json_object_new_int(STATUS_OK));
        if (is_skipped(job) && c->json == JSON_OFF)
                printf("%s: nothing to do\n", record_show(job, "object"));
        say_json(c, o);
        return STATUS_OK;
}

int told_end(const Cli *c, json_object *job) {
        char line[TOLD_LINE_MAX];
        int status;

        progress_clear();
        warn(job);
        told_line(job, &status, line);
        if (status == STATUS_OK)
                return ended_well(c, job);
        say_error_with(c, status, record_text(job, "error"), line, told_brief(job));
        if (is_in_use(job))
                holders_say_refusing(record_get(job, "holders"));
        return status;
}

static const char *left_line(json_object *job, int status, const char *what, char *line,
                             size_t size) {
        unsigned id = (unsigned) record_number(job, "job");
        int n;

        n = snprintf(line, size, "%s: job %u %s; 'sriovctl wait %u' waits for it",
                     record_show(job, "object"), id, what, id);
        if (record_bool(job, "cancelable") && status != STATUS_WEDGED &&
            status != STATUS_NO_DAEMON && n > 0 && (size_t) n < size)
                snprintf(line + n, size - (size_t) n, ", 'sriovctl cancel %u' withdraws it", id);
        return line;
}

int told_left(const Cli *c, json_object *job, int status, const char *what) {
        char line[TOLD_LINE_MAX];

        if (status == STATUS_WEDGED) /* most often it waits for one of these */
                holders_say_forced(record_get(job, "holders"));
        return say_error_with(c, status, NULL, left_line(job, status, what, line, sizeof(line)),
                              told_brief(job));
}

int told_sum(const int *statuses, size_t n) {
        int sum = n > 0 ? statuses[0] : STATUS_OK;
        size_t n_well = 0, n_partly = 0;

        for (size_t i = 0; i < n; i++) {
                n_well += statuses[i] == STATUS_OK;
                n_partly += statuses[i] == STATUS_OK || statuses[i] == STATUS_PARTIAL;
                if (statuses[i] != sum)
                        sum = STATUS_FAILED;
        }
        return n_well == n ? STATUS_OK : n_partly > 0 ? STATUS_PARTIAL : sum;
}

static bool are_skipped(json_object *const *jobs, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (!is_skipped(jobs[i]))
                        return false;
        return true;
}

/* How one of several is, or is left: with *status, if it has not ended. */
static const char *line_of(json_object *job, int *status, const char *what,
                           char line[static TOLD_LINE_MAX]) {
        if (has_ended(job))
                return told_line(job, status, line);
        if (streq(record_show(job, "state"), "wedged"))
                return left_line(job, STATUS_WEDGED,
                                 "is stuck in the kernel and ends when the kernel lets go", line,
                                 TOLD_LINE_MAX);
        return left_line(job, *status, what, line, TOLD_LINE_MAX);
}

/* "nothing to do" is said once if it is true of all. */
static void say_one(const Cli *c, json_object *job, int status, const char *line, bool quiet) {
        warn(job);
        if (status != STATUS_OK)
                say_note("%s", line);
        else if (c->json == JSON_OFF && !quiet)
                printf("%s: %s\n", record_show(job, "object"),
                       is_skipped(job) ? "nothing to do" : "done");
        if (has_ended(job) && is_in_use(job))
                holders_say_refusing(record_get(job, "holders"));
}

static int add_one(json_object *list, json_object *job, int status, const char *line) {
        json_object *o = told_brief(job);

        if (!o || json_object_array_add(list, o) < 0) {
                json_object_put(o);
                return -ENOMEM;
        }
        if (!isempty(line))
                record_set_text(o, "message", line);
        json_object_object_add(o, "exit", json_object_new_int(status));
        return 0;
}

static int tell_all(const Cli *c, json_object *const *jobs, size_t n, int *statuses,
                    const char *what, json_object *list) {
        bool skipped = are_skipped(jobs, n);

        for (size_t i = 0; i < n; i++) {
                char text[TOLD_LINE_MAX];
                const char *line = line_of(jobs[i], statuses + i, what, text);

                say_one(c, jobs[i], statuses[i], line, skipped);
                if (add_one(list, jobs[i], statuses[i], line) < 0)
                        return say_oom(c);
        }
        if (skipped && c->json == JSON_OFF)
                puts("nothing to do");
        return 0;
}

int told_several(const Cli *c, json_object *const *jobs, size_t n, int status, const char *what) {
        _cleanup_json_ json_object *o = json_object_new_object(), *list = json_object_new_array();
        _cleanup_free_ int *statuses = n > 0 ? calloc(n, sizeof(int)) : NULL;
        int r;

        progress_clear();
        if (!o || !list || (n > 0 && !statuses))
                return say_oom(c);
        for (size_t i = 0; i < n; i++)
                statuses[i] = status;
        r = tell_all(c, jobs, n, statuses, what, list);
        if (r > 0)
                return r;
        if (status == STATUS_OK)
                status = told_sum(statuses, n);
        json_object_object_add(o, "jobs", TAKE_PTR(list));
        json_object_object_add(o, "exit", json_object_new_int(status));
        say_json(c, o);
        return status;
}
