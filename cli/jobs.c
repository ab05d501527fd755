/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sriovctl jobs, job, wait, cancel, reload
 */
#include <errno.h>

#include "base/str.h"

#include "core/names.h"

#include "cli/client.h"
#include "cli/holders.h"
#include "cli/job.h"
#include "cli/ready.h"
#include "cli/record.h"
#include "cli/say.h"
#include "cli/table.h"
#include "cli/wait.h"

static const Column columns[] = {
        { "JOB", "job", LOOK_NUMBER, true },
        { "OPERATION", "operation", LOOK_TEXT, true },
        { "OBJECT", "object", LOOK_TEXT, true },
        { "STATE", "state", LOOK_STATE, true },
        { "RESULT", "result", LOOK_STATE, true },
        { "STAGE", "stage", LOOK_TEXT, true },
        { "PROGRESS", "progress", LOOK_PERCENT, true },
        { "UID", "uid", LOOK_NUMBER, true },
        { "PID", "pid", LOOK_NUMBER, false },
        { "COMMAND", "command", LOOK_TEXT, true },
        { "EXE", "exe", LOOK_TEXT, false },
        { "UNIT", "unit", LOOK_TEXT, false },
        { "FILE", "file", LOOK_TEXT, false },
        { "CREATED", "created", LOOK_TIME, false },
        { "STARTED", "started", LOOK_TIME, false },
        { "ENDED", "ended", LOOK_TIME, false },
        { "REASON", "reason", LOOK_TEXT, false },
        { "ERROR", "error", LOOK_TEXT, false },
        { "MESSAGE", "message", LOOK_CUT, false },
};

static const Table table = { "jobs", columns, ELEMENTSOF(columns) };

/* Questions that are under way at once: few for any bus, and enough that a round trip for each is no matter. */
#define AT_ONCE 64

typedef struct Answers {
        Cli *c;
        size_t n_awaited;
        int failed; /* the first exit status, 0 = none */
} Answers;

/* One job that is asked about. */
typedef struct Asked {
        Answers *all;
        json_object *job; /* the list's */
        sd_bus_slot *slot;
} Asked;

/* Fills in what the list does not tell. A job that is forgotten in between is left as listed. */
static int take_details(Cli *c, json_object *job, sd_bus_message *m) {
        const sd_bus_error *e = sd_bus_message_get_error(m);
        int r;

        if (e && sd_bus_error_has_name(e, SD_BUS_ERROR_UNKNOWN_OBJECT))
                return 0;
        if (e)
                return client_fail(c, -sd_bus_error_get_errno(e), e);
        r = record_read_properties(m, job);
        if (r < 0)
                return client_fail(c, r, NULL);
        job_settle(job);
        return 0;
}

static int on_details(sd_bus_message *m, void *userdata, sd_bus_error *error _unused_) {
        Asked *a = userdata;
        Answers *all = a->all;

        all->n_awaited--;
        if (all->failed == 0)
                all->failed = take_details(all->c, a->job, m);
        return 0;
}

static int ask(Asked *a) {
        Cli *c = a->all->c;
        int r;

        r = sd_bus_call_method_async(c->bus, &a->slot, c->peer ? NULL : BUS_NAME,
                                     record_show(a->job, "path"), "org.freedesktop.DBus.Properties",
                                     "GetAll", on_details, a, "s", BUS_JOB);
        if (r >= 0)
                a->all->n_awaited++;
        return r;
}

static int await(const Answers *all) {
        int r = 0;

        while (r >= 0 && all->n_awaited > 0) {
                r = sd_bus_process(all->c->bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(all->c->bus, UINT64_MAX);
        }
        return r;
}

static int add_some_details(Cli *c, json_object *list, size_t first) {
        Asked asked[AT_ONCE] = {};
        Answers all = { .c = c };
        size_t n = MIN2(record_length(list) - first, (size_t) AT_ONCE);
        int r = 0;

        for (size_t i = 0; i < n && r >= 0; i++) {
                asked[i] = (Asked){ &all, json_object_array_get_idx(list, first + i), NULL };
                r = ask(asked + i);
        }
        if (r >= 0)
                r = await(&all);
        for (size_t i = 0; i < n; i++)
                sd_bus_slot_unref(asked[i].slot);
        return r < 0 ? client_fail(c, r, NULL) : all.failed;
}

static int add_details(Cli *c, json_object *list) {
        int r = 0;

        for (size_t i = 0; i < record_length(list) && r == 0; i += AT_ONCE)
                r = add_some_details(c, list, i);
        for (size_t i = 0; i < record_length(list); i++)
                json_object_object_del(json_object_array_get_idx(list, i), "path");
        return r;
}

static bool is_wedged(json_object *job) {
        return streq(record_show(job, "state"), "wedged");
}

static int jobs_get(Cli *c, json_object **ret) {
        _cleanup_json_ json_object *list = NULL, *shown = json_object_new_array();
        int r;

        if (!shown)
                return say_oom(c);
        r = job_list(c, &list);
        if (r > 0)
                return r;
        for (size_t i = 0; i < record_length(list); i++) {
                json_object *job = json_object_array_get_idx(list, i);

                if (!c->all && streq(record_show(job, "state"), "ended"))
                        continue;
                if (json_object_array_add(shown, json_object_get(job)) < 0)
                        return say_oom(c);
        }
        r = add_details(c, shown);
        if (r > 0)
                return r;
        *ret = TAKE_PTR(shown);
        return 0;
}

static void hint_wedged(json_object *jobs) {
        for (size_t i = 0; i < record_length(jobs); i++) {
                json_object *job = json_object_array_get_idx(jobs, i);
                unsigned id = (unsigned) record_number(job, "job");

                if (is_wedged(job))
                        say_note("job %u is stuck in the kernel; 'sriovctl job %u' tells where", id,
                                 id);
        }
}

int verb_jobs(Cli *c, _unused_ int argc, _unused_ char **argv) {
        _cleanup_json_ json_object *jobs = NULL;
        Selection s;
        int r;

        r = table_select(c, &table, &s);
        if (r == 0)
                r = jobs_get(c, &jobs);
        if (r > 0)
                return r;
        if (record_length(jobs) == 0 && c->json == JSON_OFF && c->legend)
                say_note(c->all ? "no jobs" : "no jobs waiting or running");
        r = table_print(c, &table, &s, jobs);
        if (r == 0 && c->json == JSON_OFF && c->legend)
                hint_wedged(jobs);
        return r;
}

static void print_line(const char *label, const char *value) {
        printf("%12s: %s\n", label, value);
}

static void print_steps(json_object *steps) {
        const Column took = { .look = LOOK_SPAN };
        char buf[TABLE_VALUE_MAX], clean[TABLE_VALUE_MAX];

        for (size_t i = 0; i < record_length(steps); i++) {
                json_object *step = json_object_array_get_idx(steps, i);

                printf("%12s  %s: %s, %s (%s)\n", i == 0 ? "Steps" : "", record_show(step, "rung"),
                       say_clean(record_show(step, "text"), clean, sizeof(clean)),
                       record_show(step, "answer"),
                       table_value(&took, record_get(step, "usec"), buf, sizeof(buf)));
        }
}

static void print_holders(json_object *holders) {
        char line[HOLDERS_LINE_MAX], clean[HOLDERS_LINE_MAX];

        for (size_t i = 0; i < record_length(holders); i++)
                print_line("Holder",
                           say_clean(holders_line(json_object_array_get_idx(holders, i), line),
                                     clean, sizeof(clean)));
}

/* A stack and lines of the kernel's log, one below the other. */
static void print_stuck(const char *text) {
        char line[TABLE_VALUE_MAX];

        for (bool first = true; text && *text; first = false) {
                size_t n = strcspn(text, "\n");

                snprintf(line, sizeof(line), "%.*s", (int) MIN2(n, sizeof(line)), text);
                printf("%12s%c %s\n", first ? "Stuck" : "", first ? ':' : ' ',
                       say_clean(line, line, sizeof(line)));
                text += text[n] == '\n' ? n + 1 : n;
        }
}

static void print_job(json_object *job) {
        static const struct {
                const char *label;
                Column column;
        } lines[] = {
                { "Job", { .key = "job" } },
                { "Operation", { .key = "operation" } },
                { "Object", { .key = "object" } },
                { "State", { .key = "state" } },
                { "Result", { .key = "result" } },
                { "Message", { .key = "message" } },
                { "Stage", { .key = "stage" } },
                { "Stages", { .key = "stages" } },
                { "Progress", { .key = "progress", .look = LOOK_PERCENT } },
                { "Created", { .key = "created", .look = LOOK_TIME } },
                { "Started", { .key = "started", .look = LOOK_TIME } },
                { "Ended", { .key = "ended", .look = LOOK_TIME } },
                { "UID", { .key = "uid" } },
                { "PID", { .key = "pid" } },
                { "Command", { .key = "command" } },
                { "Executable", { .key = "exe" } },
                { "Unit", { .key = "unit" } },
                { "File", { .key = "file" } },
                { "Reason", { .key = "reason" } },
                { "Cancelable", { .key = "cancelable" } },
        };
        json_object *warnings = record_get(job, "warnings");
        char buf[TABLE_VALUE_MAX];

        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                json_object *v = record_get(job, lines[i].column.key);

                if (v && !(json_object_is_type(v, json_type_array) && record_length(v) == 0))
                        print_line(lines[i].label,
                                   table_value(&lines[i].column, v, buf, sizeof(buf)));
        }
        for (size_t i = 0; i < record_length(warnings); i++)
                print_line("Warning",
                           say_clean(json_object_get_string(json_object_array_get_idx(warnings, i)),
                                     buf, sizeof(buf)));
        print_holders(record_get(job, "holders"));
        print_stuck(record_text(job, "stuck"));
        print_steps(record_get(job, "steps"));
}

int verb_job(Cli *c, _unused_ int argc, char **argv) {
        _cleanup_json_ json_object *job = NULL;
        _cleanup_free_ char *path = NULL;
        uint32_t id;
        int r;

        r = job_parse(c, argv[1], &id);
        if (r == 0)
                r = job_find(c, id, &path);
        if (r == 0)
                r = job_get(c, path, &job);
        if (r > 0)
                return r;
        if (c->json == JSON_OFF)
                print_job(job);
        say_json(c, job);
        return 0;
}

int verb_wait(Cli *c, int argc, char **argv) {
        _cleanup_free_ char *path = NULL;
        _cleanup_(wait_done) Wait w = { 0 };
        uint32_t id;
        int r;

        if (c->ready)
                return ready_wait(c, argc - 1, argv + 1);
        if (argc > 2)
                return say_usage(c, "wait: one job at a time; --ready waits for several devices");
        r = job_parse(c, argv[1], &id);
        if (r == 0)
                r = wait_init(&w, c);
        if (r == 0)
                r = job_find(c, id, &path);
        return r > 0 ? r : wait_job(&w, path, true);
}

int verb_cancel(Cli *c, int argc, char **argv) {
        int r, first = 0;
        uint32_t id;

        for (int i = 1; i < argc; i++) {
                r = job_parse(c, argv[i], &id);
                if (r > 0)
                        return r;
        }
        for (int i = 1; i < argc; i++) {
                _cleanup_free_ char *path = NULL;

                r = job_parse(c, argv[i], &id);
                if (r == 0)
                        r = job_find(c, id, &path);
                if (r == 0)
                        r = client_call(c, path, BUS_JOB, "Cancel", NULL, NULL);
                if (first == 0)
                        first = r;
        }
        return first;
}

int verb_reload(Cli *c, _unused_ int argc, _unused_ char **argv) {
        return client_call(c, BUS_PATH, BUS_MANAGER, "Reload", NULL, NULL);
}
