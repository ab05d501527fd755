/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * World: which record a name means
 */
#include "base/macro.h"
#include "base/str.h"

#include "core/bdf.h"
#include "core/fault.h"
#include "core/names.h"

#include "cli/client.h"
#include "cli/name.h"
#include "cli/record.h"
#include "cli/say.h"
#include "cli/world.h"

static bool has_netdev(json_object *fn, const char *name) {
        json_object *list = record_get(fn, "netdevs");

        for (size_t i = 0; i < record_length(list); i++)
                if (streq(json_object_get_string(json_object_array_get_idx(list, i)), name))
                        return true;
        return false;
}

static bool is_named(json_object *fn, const Name *name) {
        Bdf b;

        if (!bdf_is_none(name->bdf))
                return bdf_parse(record_show(fn, "address"), &b) == 0 && bdf_equal(b, name->bdf);
        return has_netdev(fn, name->base);
}

/* Counts the functions of a list, and of the lists below, that are meant; *ret is the first. */
static uint32_t find_in(json_object *list, const Name *name, json_object **ret) {
        uint32_t n = 0;

        for (size_t i = 0; i < record_length(list); i++) {
                json_object *fn = json_object_array_get_idx(list, i);

                if (is_named(fn, name) && n++ == 0)
                        *ret = fn;
                n += find_in(record_get(fn, "children"), name,
                             n == 0 ? ret : &(json_object *){ 0 });
        }
        return n;
}

json_object *world_pf(json_object *world, const Name *name) {
        json_object *found = NULL;

        if (name->has_vf || find_in(world, name, &found) != 1)
                return NULL;
        return record_length(record_get(found, "children")) > 0 ? found : NULL;
}

bool world_vf_at(json_object *pf, const char *address) {
        json_object *vfs = record_get(pf, "children");

        for (size_t i = 0; i < record_length(vfs); i++)
                if (streq(record_show(json_object_array_get_idx(vfs, i), "address"), address))
                        return true;
        return false;
}

static json_object *find_vf(json_object *pf, uint32_t index) {
        json_object *list = record_get(pf, "children");

        for (size_t i = 0; i < record_length(list); i++) {
                json_object *vf = json_object_array_get_idx(list, i);

                if (record_number(vf, "index") == index)
                        return vf;
        }
        return NULL;
}

static int fail(const Cli *c, const Fault *f) {
        char buf[FAULT_STR_MAX];

        return say_error(c, fault_exit_status(f->reason), fault_bus_name(f->reason), "%s",
                         fault_format(f, buf, sizeof(buf)));
}

/*
 * Not among PFs and VFs: the daemon knows all functions and says in its words what this is, if we
 * ask for the plan of something that only a PF could do. Nothing is written for a plan.
 */
static int ask_why(Cli *c, const char *name) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const Fault f = fault_text(FAULT(FAULT_NO_SUCH_DEVICE), name);
        int r;

        r = client_call(c, BUS_PATH, BUS_MANAGER, "Plan", &reply, "sa{sv}", "set-vfs", 2,
                        "function", "s", name, "count", "u", 0);
        return r > 0 ? r : fail(c, &f);
}

uint32_t world_match(json_object *world, const Name *name, json_object **ret) {
        json_object *found = NULL;
        uint32_t n = find_in(world, name, &found);

        if (n == 1 && name->has_vf) {
                found = find_vf(found, name->vf);
                n = found ? 1 : 0;
        }
        *ret = found;
        return n;
}

int world_find(Cli *c, json_object *world, const char *typed, json_object **ret) {
        json_object *found;
        Name name;
        uint32_t n;
        int r;

        r = name_parse(c, typed, &name);
        if (r > 0)
                return r;
        n = world_match(world, &name, &found);
        if (n > 1) {
                Fault f = fault_text(FAULT(FAULT_AMBIGUOUS, .number = n), typed);

                (void) bdf_parse(record_show(found, "address"), &f.fn);
                return fail(c, &f);
        }
        if (n == 0)
                return ask_why(c, name.text);
        *ret = found;
        return 0;
}

int world_find_pf(Cli *c, json_object *world, const char *typed, json_object **ret) {
        Fault f = FAULT(FAULT_NOT_PF);
        json_object *fn;
        int r;

        r = world_find(c, world, typed, &fn);
        if (r > 0)
                return r;
        if (streq(record_show(fn, "kind"), "pf")) {
                *ret = fn;
                return 0;
        }
        (void) bdf_parse(record_show(fn, "address"), &f.fn);
        (void) bdf_parse(record_show(fn, "pf"), &f.other);
        return fail(c, &f);
}
