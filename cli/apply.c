/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sriovctl apply
 *
 * One wish, a job for each PF. They are waited for side by side; one that fails is no end of the others.
 */
#include <errno.h>

#include "base/str.h"

#include "cli/boot.h"
#include "cli/change.h"
#include "cli/client.h"
#include "cli/job.h"
#include "cli/record.h"
#include "cli/say.h"
#include "cli/wait.h"
#include "cli/world.h"

/* What it has to be told of at boot is what the daemon does by itself then. */
static int check_boot(const Cli *c, int argc) {
        if (argc > 1 || c->dry_run || c->no_block || c->timeout_usec > 0 || c->force || c->reason ||
            c->expect || c->on_failure || c->columns || c->host)
                return say_usage(
                        c, "apply --boot: waits for what the daemon does by itself, and takes "
                           "--wait and --json alone");
        return 0;
}

static int parse_pfs(Cli *c, int argc, char **argv, char ***ret) {
        _cleanup_strv_ char **pfs = NULL;
        Name name;
        int r;

        for (int i = 1; i < argc; i++) {
                r = name_parse(c, argv[i], &name);
                if (r > 0)
                        return r;
                if (strv_push(&pfs, name.text) < 0)
                        return say_oom(c);
        }
        *ret = TAKE_PTR(pfs);
        return 0;
}

static int read_paths(sd_bus_message *m, char ***ret) {
        const char *path;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "o");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read_basic(m, 'o', &path)) > 0) {
                r = strv_push(ret, path);
                if (r < 0)
                        return r;
        }
        return r;
}

/* Asks for the jobs. */
static int submit(Cli *c, char **pfs, char ***ret_paths) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        const Change change = { .kind = OP_APPLY };
        _cleanup_strv_ char **paths = NULL;
        int r;

        r = client_new_call(c, "Apply", &m);
        if (r > 0)
                return r;
        r = sd_bus_message_append_strv(m, pfs);
        if (r >= 0)
                r = change_append_options(c, &change, false, m);
        if (r < 0)
                return client_fail(c, r, NULL);
        r = client_send(c, m, &reply);
        if (r > 0)
                return r;
        r = read_paths(reply, &paths);
        if (r < 0)
                return client_fail(c, r, NULL);
        *ret_paths = TAKE_PTR(paths);
        return 0;
}

static int submit_and_wait(Cli *c, char **pfs) {
        _cleanup_(wait_done) Wait w;
        _cleanup_strv_ char **paths = NULL;
        int r;

        r = wait_init(&w, c);
        if (r == 0)
                r = submit(c, pfs, &paths);
        if (r > 0)
                return r;
        if (strv_length(paths) == 0 && c->json == JSON_OFF && c->legend)
                say_note("no policy wants anything of a PF of this host; 'sriovctl adopt PF' "
                         "writes one");
        return wait_jobs(&w, paths);
}

static int add_number(Cli *c, const char *path, json_object *list) {
        _cleanup_json_ json_object *job = NULL, *o = json_object_new_object();
        int r;

        if (!o)
                return say_oom(c);
        r = job_get(c, path, &job);
        if (r > 0)
                return r;
        record_set_number(o, "job", record_number(job, "job"));
        if (c->json == JSON_OFF)
                printf("%u\n", (unsigned) record_number(job, "job"));
        return json_object_array_add(list, TAKE_PTR(o)) < 0 ? say_oom(c) : 0;
}

static int submit_only(Cli *c, char **pfs) {
        _cleanup_json_ json_object *o = json_object_new_object(), *list = json_object_new_array();
        _cleanup_strv_ char **paths = NULL;
        int r;

        if (!o || !list)
                return say_oom(c);
        r = submit(c, pfs, &paths);
        for (size_t i = 0; i < strv_length(paths) && r == 0; i++)
                r = add_number(c, paths[i], list);
        if (r > 0)
                return r;
        json_object_object_add(o, "jobs", TAKE_PTR(list));
        say_json(c, o);
        return 0;
}

/* A policy wants something of it, or two do that contradict each other, or it cannot be told yet. */
static bool is_wanted(json_object *pf) {
        const char *state = record_show(pf, "policy_state");

        return record_text(pf, "policy") || streq(state, "conflict") || streq(state, "unknown");
}

/* Those that the daemon would take if none is named. */
static int wanted_pfs(Cli *c, char ***ret) {
        _cleanup_json_ json_object *world = NULL;
        _cleanup_strv_ char **pfs = NULL;
        int r;

        r = world_get(c, &world);
        if (r > 0)
                return r;
        for (size_t i = 0; i < record_length(world); i++) {
                json_object *pf = json_object_array_get_idx(world, i);

                if (is_wanted(pf) && strv_push(&pfs, record_show(pf, "address")) < 0)
                        return say_oom(c);
        }
        *ret = TAKE_PTR(pfs);
        return 0;
}

static int show_plans(Cli *c, char **pfs) {
        _cleanup_strv_ char **wanted = NULL;
        _cleanup_free_ Change *changes = NULL;
        char **all = pfs;
        size_t n;
        int r;

        if (strv_length(pfs) == 0) {
                r = wanted_pfs(c, &wanted);
                if (r > 0)
                        return r;
                all = wanted;
        }
        n = strv_length(all);
        changes = calloc(n + 1, sizeof(Change));
        if (!changes)
                return say_oom(c);
        for (size_t i = 0; i < n; i++) {
                changes[i].kind = OP_APPLY;
                (void) str_copy(changes[i].fn.text, sizeof(changes[i].fn.text), all[i]);
        }
        return plan_show_several(c, changes, n);
}

int verb_apply(Cli *c, int argc, char **argv) {
        _cleanup_strv_ char **pfs = NULL;
        int r;

        if (c->boot) {
                r = check_boot(c, argc);
                return r > 0 ? r : boot_wait(c);
        }
        if (c->expect && argc != 2)
                return say_usage(c, "--expect: a plan is of one PF; name the PF that it is of");
        r = parse_pfs(c, argc, argv, &pfs);
        if (r > 0)
                return r;
        if (c->dry_run)
                return show_plans(c, pfs);
        return c->no_block ? submit_only(c, pfs) : submit_and_wait(c, pfs);
}
