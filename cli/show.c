/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sriovctl show
 *
 * All that is known of one PF or VF: "key: value", as networkctl and systemctl do.
 */
#include <errno.h>

#include "base/str.h"

#include "core/names.h"

#include "cli/client.h"
#include "cli/job.h"
#include "cli/record.h"
#include "cli/say.h"
#include "cli/table.h"
#include "cli/world.h"

typedef struct Line {
        const char *label;
        Column column;
} Line;

static const Line pf_lines[] = {
        { "Vendor", { .key = "vendor" } },
        { "Device", { .key = "device" } },
        { "Class", { .key = "class" } },
        { "Driver", { .key = "driver" } },
        { "Net devices", { .key = "netdevs" } },
        { "State", { .key = "state", .look = LOOK_STATE } },
        { "VFs", { .key = "vfs" } },
        { "Total VFs", { .key = "total_vfs" } },
        { "Policy", { .key = "policy" } },
        { "Policy state", { .key = "policy_state" } },
        { "Ready", { .key = "ready" } },
        { "Eswitch mode", { .key = "eswitch_mode" } },
        { "Autoprobe", { .key = "autoprobe" } },
        { "NUMA node", { .key = "numa_node" } },
        { "IOMMU group", { .key = "iommu_group" } },
};

static const Line vf_lines[] = {
        { "PF", { .key = "pf" } },
        { "Index", { .key = "index" } },
        { "Driver", { .key = "driver" } },
        { "Net devices", { .key = "netdevs" } },
        { "Ready", { .key = "ready" } },
        { "Attributes", { .key = "attributes" } },
        { "IOMMU group", { .key = "iommu_group" } },
};

static void print_lines(json_object *fn, const Line *lines, size_t n) {
        char buf[TABLE_VALUE_MAX];

        for (size_t i = 0; i < n; i++)
                printf("%14s: %s\n", lines[i].label,
                       table_value(&lines[i].column, record_get(fn, lines[i].column.key), buf,
                                   sizeof(buf)));
}

static bool is_wedged(json_object *job) {
        return streq(record_show(job, "state"), "wedged");
}

/* A job that is stuck on a VF keeps others from its PF as well, and the other way round. */
static bool is_near(json_object *fn, json_object *job) {
        const char *object = record_show(job, "object");

        if (streq(object, record_show(fn, "address")))
                return !streq(record_show(job, "state"), "ended");
        return is_wedged(job) && (world_vf_at(fn, object) || streq(object, record_show(fn, "pf")));
}

static int pick_jobs(json_object *jobs, bool (*test)(json_object *fn, json_object *job),
                     json_object *fn, json_object *picked) {
        for (size_t i = 0; i < record_length(jobs); i++) {
                json_object *job = json_object_array_get_idx(jobs, i);

                if (test(fn, job) && json_object_array_add(picked, json_object_get(job)) < 0)
                        return -ENOMEM;
        }
        return 0;
}

/* One that is stuck on a bridge, a slot or a driver, and does not say what it has below it. */
static bool is_far(json_object *fn, json_object *job) {
        return is_wedged(job) && !is_near(fn, job);
}

/* The jobs that are waiting or running on it, and those that it is quarantined for. */
static int add_jobs(Cli *c, json_object *fn) {
        _cleanup_json_ json_object *jobs = NULL, *mine = json_object_new_array();
        int r;

        if (!mine)
                return say_oom(c);
        r = job_list(c, &jobs);
        if (r > 0)
                return r;
        r = pick_jobs(jobs, is_near, fn, mine);
        if (r == 0 && record_length(mine) == 0 && streq(record_show(fn, "state"), "quarantined"))
                r = pick_jobs(jobs, is_far, fn, mine);
        if (r < 0)
                return say_oom(c);
        json_object_object_add(fn, "jobs", TAKE_PTR(mine));
        return 0;
}

static void print_jobs(json_object *jobs) {
        for (size_t i = 0; i < record_length(jobs); i++) {
                json_object *job = json_object_array_get_idx(jobs, i);

                printf("%14s: %u %s %s (%s)\n", "Job", (unsigned) record_number(job, "job"),
                       record_show(job, "operation"), record_show(job, "object"),
                       record_show(job, "state"));
        }
}

/* A daemon of before does not tell. */
static bool is_unready(json_object *vf) {
        return record_get(vf, "ready") && !record_bool(vf, "ready");
}

static void print_vfs(json_object *vfs) {
        const Column list = { .key = "netdevs" };
        char netdevs[TABLE_VALUE_MAX], attributes[TABLE_VALUE_MAX];

        for (size_t i = 0; i < record_length(vfs); i++) {
                json_object *vf = json_object_array_get_idx(vfs, i);
                char label[24];

                snprintf(label, sizeof(label), "VF %u", (unsigned) record_number(vf, "index"));
                printf("%14s: %s, driver %s, net devices %s, attributes %s%s\n", label,
                       record_show(vf, "address"), record_show(vf, "driver"),
                       table_value(&list, record_get(vf, "netdevs"), netdevs, sizeof(netdevs)),
                       table_value(&list, record_get(vf, "attributes"), attributes,
                                   sizeof(attributes)),
                       is_unready(vf) ? ", not ready" : "");
        }
}

static void print_function(json_object *fn) {
        bool is_pf = streq(record_show(fn, "kind"), "pf");

        printf("%s\n", record_show(fn, "address"));
        if (is_pf)
                print_lines(fn, pf_lines, ELEMENTSOF(pf_lines));
        else
                print_lines(fn, vf_lines, ELEMENTSOF(vf_lines));
        print_jobs(record_get(fn, "jobs"));
        print_vfs(record_get(fn, "children"));
}

int verb_show(Cli *c, _unused_ int argc, char **argv) {
        _cleanup_json_ json_object *world = NULL;
        json_object *fn;
        int r;

        r = world_get(c, &world);
        if (r == 0)
                r = world_find(c, world, argv[1], &fn);
        if (r == 0)
                r = add_jobs(c, fn);
        if (r > 0)
                return r;
        if (c->json == JSON_OFF)
                print_function(fn);
        say_json(c, fn);
        return 0;
}
