/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bus: org.sriovd1.Job
 *
 * Ended jobs stay for a while. Steps done only invalidate Results: a long list is not sent with each new line of it.
 */
#include <errno.h>

#include "base/macro.h"
#include "base/str.h"

#include "core/names.h"

#include "daemon/bus-get.h"
#include "daemon/bus-manager.h"
#include "daemon/manager.h"
#include "daemon/users.h"

static Record *find(const Manager *m, const char *path) {
        _cleanup_free_ char *name = NULL;
        uint32_t id;

        if (sd_bus_path_decode(path, BUS_PATH "/job", &name) <= 0 ||
            parse_u32(name, UINT32_MAX, &id) < 0)
                return NULL;
        return records_find(&m->records, id);
}

static int method_cancel(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;
        const Record *r;
        Caller caller;
        Fault fault;
        int k;

        k = auth_check(&m->auth, message, ACTION_MANAGE, &caller, error);
        if (k <= 0)
                return k < 0 ? k : 1;
        /* It may have been forgotten while the bus was asked. */
        r = find(m, sd_bus_message_get_path(message));
        if (!r)
                return sd_bus_error_set(error, fault_bus_name(FAULT_NO_SUCH_JOB),
                                        "the job is over and forgotten");
        if (manager_cancel(m, r->id, &caller, &fault) != 0)
                return bus_fault(error, &fault);
        return sd_bus_reply_method_return(message, NULL);
}

DEFINE_GETTER(get_id, find, Record) {
        (void) m;
        return sd_bus_message_append(reply, "u", object->id);
}

DEFINE_GETTER(get_operation, find, Record) {
        (void) m;
        return sd_bus_message_append(reply, "s", op_kind_to_string(object->op.kind));
}

DEFINE_GETTER(get_object, find, Record) {
        (void) m;
        return sd_bus_message_append(reply, "s", RECORD_OBJECT(object));
}

DEFINE_GETTER(get_state, find, Record) {
        (void) m;
        return sd_bus_message_append(reply, "s", job_state_to_string(object->state));
}

DEFINE_GETTER(get_result, find, Record) {
        (void) m;
        return sd_bus_message_append(
                reply, "s", object->state == JOB_ENDED ? job_result_to_string(object->result) : "");
}

DEFINE_GETTER(get_stage, find, Record) {
        (void) m;
        return sd_bus_message_append(
                reply, "s", object->stage < _RUNG_MAX ? rung_to_string(object->stage) : "");
}

DEFINE_GETTER(get_stages, find, Record) {
        int r = sd_bus_message_open_container(reply, 'a', "s");

        (void) m;
        for (size_t i = 0; r >= 0 && i < object->n_stages; i++)
                r = sd_bus_message_append(reply, "s", rung_to_string(object->stages[i]));
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static bool is_good(const Record *r) {
        return r->state == JOB_ENDED && (r->result == RESULT_DONE || r->result == RESULT_SKIPPED);
}

DEFINE_GETTER(get_progress, find, Record) {
        double progress =
                object->n_steps > 0 ? (double) object->n_acts / (double) object->n_steps : 0.0;

        (void) m;
        return sd_bus_message_append(reply, "d", is_good(object) ? 1.0 : MIN2(progress, 1.0));
}

DEFINE_GETTER(get_progress_valid, find, Record) {
        (void) m;
        return sd_bus_message_append(reply, "b", object->n_steps > 0 || is_good(object));
}

DEFINE_GETTER(get_uid, find, Record) {
        (void) m;
        return sd_bus_message_append(reply, "u", object->uid);
}

DEFINE_GETTER(get_pid, find, Record) {
        (void) m;
        return sd_bus_message_append(reply, "u", object->pid);
}

DEFINE_GETTER(get_reason, find, Record) {
        (void) m;
        return sd_bus_message_append(reply, "s", object->reason ? object->reason : "");
}

DEFINE_GETTER(get_created, find, Record) {
        (void) m;
        return sd_bus_message_append(reply, "t", object->created);
}

DEFINE_GETTER(get_started, find, Record) {
        (void) m;
        return sd_bus_message_append(reply, "t", object->started);
}

DEFINE_GETTER(get_ended, find, Record) {
        (void) m;
        return sd_bus_message_append(reply, "t", object->ended);
}

/* Until the end a cancel is heard: between two steps, and at the latest when the kernel lets go. */
DEFINE_GETTER(get_cancelable, find, Record) {
        (void) m;
        return sd_bus_message_append(reply, "b", object->state != JOB_ENDED);
}

DEFINE_GETTER(get_warnings, find, Record) {
        (void) m;
        return sd_bus_message_append_strv(reply, object->warnings);
}

DEFINE_GETTER(get_results, find, Record) {
        int r = sd_bus_message_open_container(reply, 'a', "a{sv}");

        (void) m;
        for (const Act *a = object->acts; r >= 0 && a && a < object->acts + object->n_acts; a++)
                r = sd_bus_message_append(reply, "a{sv}", 5, "rung", "s", rung_to_string(a->rung),
                                          "function", "s", bdf_is_none(a->fn) ? "" : BDF_STR(a->fn),
                                          "text", "s", a->text, "usec", "t", a->usec, "answer", "s",
                                          step_answer_to_string(a->answer));
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* What would be said of it is said when it is true. */
DEFINE_GETTER(get_error, find, Record) {
        (void) m;
        return sd_bus_message_append(
                reply, "s", object->state == JOB_ENDED && object->error ? object->error : "");
}

DEFINE_GETTER(get_message, find, Record) {
        (void) m;
        return sd_bus_message_append(
                reply, "s", object->state == JOB_ENDED && object->message ? object->message : "");
}

DEFINE_GETTER(get_holders, find, Record) {
        (void) m;
        return users_append(reply, &object->holders);
}

DEFINE_GETTER(get_opener, find, Record) {
        (void) m;
        return bus_gate_append_opener(reply, object->opener);
}

DEFINE_GETTER(get_stuck, find, Record) {
        (void) m;
        return sd_bus_message_append(reply, "s", object->stuck ? object->stuck : "");
}

#define CONSTANT SD_BUS_VTABLE_PROPERTY_CONST
#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define INVALIDATES SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("Cancel", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_cancel,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Id", "u", get_id, 0, CONSTANT),
        SD_BUS_PROPERTY("Operation", "s", get_operation, 0, CONSTANT),
        SD_BUS_PROPERTY("Object", "s", get_object, 0, CONSTANT),
        SD_BUS_PROPERTY("State", "s", get_state, 0, CHANGES),
        SD_BUS_PROPERTY("Result", "s", get_result, 0, CHANGES),
        SD_BUS_PROPERTY("Stage", "s", get_stage, 0, CHANGES),
        SD_BUS_PROPERTY("Stages", "as", get_stages, 0, CHANGES),
        SD_BUS_PROPERTY("Progress", "d", get_progress, 0, CHANGES),
        SD_BUS_PROPERTY("ProgressValid", "b", get_progress_valid, 0, CHANGES),
        SD_BUS_PROPERTY("UID", "u", get_uid, 0, CONSTANT),
        SD_BUS_PROPERTY("PID", "u", get_pid, 0, CONSTANT),
        SD_BUS_PROPERTY("Reason", "s", get_reason, 0, CONSTANT),
        SD_BUS_PROPERTY("Created", "t", get_created, 0, CONSTANT),
        SD_BUS_PROPERTY("Started", "t", get_started, 0, CHANGES),
        SD_BUS_PROPERTY("Ended", "t", get_ended, 0, CHANGES),
        SD_BUS_PROPERTY("Cancelable", "b", get_cancelable, 0, CHANGES),
        SD_BUS_PROPERTY("Warnings", "as", get_warnings, 0, CHANGES),
        SD_BUS_PROPERTY("Results", "aa{sv}", get_results, 0, INVALIDATES),
        SD_BUS_PROPERTY("Holders", "aa{sv}", get_holders, 0, INVALIDATES),
        SD_BUS_PROPERTY("Opener", "a{sv}", get_opener, 0, CONSTANT),
        SD_BUS_PROPERTY("Stuck", "s", get_stuck, 0, CHANGES),
        SD_BUS_PROPERTY("Error", "s", get_error, 0, CHANGES),
        SD_BUS_PROPERTY("Message", "s", get_message, 0, CHANGES),
        SD_BUS_VTABLE_END,
};

static const struct {
        RecordNews news;
        const char *name;
} news[] = {
        { NEWS_STATE, "State" },       { NEWS_STATE, "Result" },       { NEWS_STATE, "Started" },
        { NEWS_STATE, "Ended" },       { NEWS_STATE, "Cancelable" },   { NEWS_STATE, "Error" },
        { NEWS_STATE, "Message" },     { NEWS_STEP, "Stage" },         { NEWS_STEP, "Progress" },
        { NEWS_STEP, "Results" },      { NEWS_STEP, "ProgressValid" }, { NEWS_STAGES, "Stages" },
        { NEWS_WARNINGS, "Warnings" }, { NEWS_HOLDERS, "Holders" },    { NEWS_STUCK, "Stuck" },
};

void bus_job_news(const Record *r, const char **ret, size_t size) {
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTSOF(news) && n + 1 < size; i++)
                if (r->news & news[i].news)
                        ret[n++] = news[i].name;
        ret[n] = NULL;
}

static int found(sd_bus *bus _unused_, const char *path, const char *interface _unused_,
                 void *userdata, void **ret_found, sd_bus_error *error _unused_) {
        if (!find(userdata, path))
                return 0;
        *ret_found = userdata;
        return 1;
}

static int enumerate(sd_bus *bus _unused_, const char *prefix _unused_, void *userdata,
                     char ***ret_nodes, sd_bus_error *error _unused_) {
        const Manager *m = userdata;
        char **paths = calloc(m->records.n + 1, sizeof(char *));
        size_t n = 0;

        if (!paths)
                return -ENOMEM;
        FOREACH_RECORD (r, &m->records) {
                paths[n] = bus_job_path(r->id);
                if (!paths[n++]) {
                        strv_free(paths);
                        return -ENOMEM;
                }
        }
        *ret_nodes = paths;
        return 0;
}

int bus_job_add(sd_bus *bus, Manager *m) {
        int r;

        r = sd_bus_add_fallback_vtable(bus, NULL, BUS_PATH "/job", BUS_JOB, vtable, found, m);
        if (r < 0)
                return r;
        return sd_bus_add_node_enumerator(bus, NULL, BUS_PATH "/job", enumerate, m);
}
