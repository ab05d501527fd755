/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Job
 */
#include <errno.h>

#include "base/str.h"

#include "core/fault.h"
#include "core/names.h"

#include "cli/client.h"
#include "cli/holders.h"
#include "cli/job.h"
#include "cli/record.h"
#include "cli/say.h"

static int read_job(sd_bus_message *m, json_object *list) {
        const char *state, *path, *operation, *object;
        json_object *o;
        uint32_t id;
        int r;

        r = sd_bus_message_read(m, "(usoss)", &id, &state, &path, &operation, &object);
        if (r <= 0)
                return r;
        o = json_object_new_object();
        if (!o || json_object_array_add(list, o) < 0) {
                json_object_put(o);
                return -ENOMEM;
        }
        record_set_number(o, "job", id);
        record_set_text(o, "state", state);
        record_set_text(o, "path", path);
        record_set_text(o, "operation", operation);
        record_set_text(o, "object", object);
        return 1;
}

int job_list(Cli *c, json_object **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_json_ json_object *list = json_object_new_array();
        int r;

        if (!list)
                return say_oom(c);
        r = client_call(c, BUS_PATH, BUS_MANAGER, "ListJobs", &m, NULL);
        if (r > 0)
                return r;
        r = sd_bus_message_enter_container(m, 'a', "(usoss)");
        while (r > 0)
                r = read_job(m, list);
        if (r < 0)
                return client_fail(c, r, NULL);
        *ret = TAKE_PTR(list);
        return 0;
}

int job_parse(const Cli *c, const char *typed, uint32_t *ret) {
        if (parse_u32(typed, UINT32_MAX, ret) == 0)
                return 0;
        return say_usage(c, "'%s' is not the number of a job; 'sriovctl jobs' shows them", typed);
}

int job_find(Cli *c, uint32_t id, char **ret_path) {
        _cleanup_json_ json_object *jobs = NULL;
        char buf[FAULT_STR_MAX];
        Fault f;
        int r;

        r = job_list(c, &jobs);
        if (r > 0)
                return r;
        for (size_t i = 0; i < record_length(jobs); i++) {
                json_object *job = json_object_array_get_idx(jobs, i);

                if (record_number(job, "job") != id)
                        continue;
                *ret_path = strdup(record_text(job, "path"));
                return *ret_path ? 0 : say_oom(c);
        }
        f = FAULT(FAULT_NO_SUCH_JOB, .number = id);
        return say_error(c, fault_exit_status(f.reason), fault_bus_name(f.reason), "%s",
                         fault_format(&f, buf, sizeof(buf)));
}

/* Another program stands beside what we know of it anyway, its pid and uid; null for a job of ours. */
static void settle_opener(json_object *job) {
        static const char *const keys[] = { "command", "exe", "unit", "file", "tid" };
        json_object *opener = record_get(job, "opener");

        if (!opener)
                return;
        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                json_object_object_add(job, keys[i], json_object_get(record_get(opener, keys[i])));
        json_object_object_del(job, "opener");
}

void job_settle(json_object *job) {
        json_object *valid = record_get(job, "progress_valid");

        settle_opener(job);
        holders_settle(record_get(job, "holders"));
        if (!valid)
                return;
        if (!json_object_get_boolean(valid))
                record_set_text(job, "progress", NULL);
        json_object_object_del(job, "progress_valid");
}

int job_get(Cli *c, const char *path, json_object **ret) {
        int r;

        r = client_get(c, path, BUS_JOB, ret);
        if (r == 0)
                job_settle(*ret);
        return r;
}
