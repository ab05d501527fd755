/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * World
 *
 * One GetManagedObjects, one sort and one look-up a VF: 1,024 VFs are no reason to wait.
 */
#include <errno.h>

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

typedef struct Item {
        const char *path; /* in the reply */
        json_object *o; /* owned until it has its place */
} Item;

typedef struct Items {
        Item *items;
        size_t n, n_allocated;
} Items;

static void items_done(Items *list) {
        for (size_t i = 0; i < list->n; i++)
                json_object_put(list->items[i].o);
        free(list->items);
}

static int items_add(Items *list, const Item *item) {
        if (list->n == list->n_allocated) {
                size_t n = list->n_allocated ? list->n_allocated * 2 : 64;
                Item *items = reallocarray(list->items, n, sizeof(Item));

                if (!items)
                        return -ENOMEM;
                list->items = items;
                list->n_allocated = n;
        }
        list->items[list->n++] = *item;
        return 0;
}

static int read_interface(sd_bus_message *m, const char *path, const char *interface, Items *pfs,
                          Items *vfs) {
        Items *list = streq(interface, BUS_PF) ? pfs : streq(interface, BUS_VF) ? vfs : NULL;
        Item item = { .path = path };
        int r;

        if (!list)
                return sd_bus_message_skip(m, "a{sv}");
        item.o = json_object_new_object();
        if (!item.o)
                return -ENOMEM;
        record_set_text(item.o, "kind", list == pfs ? "pf" : "vf");
        r = record_read_properties(m, item.o);
        if (r >= 0)
                r = items_add(list, &item);
        if (r < 0)
                json_object_put(item.o);
        return r;
}

static int read_object(sd_bus_message *m, Items *pfs, Items *vfs) {
        const char *path, *interface;
        int r;

        r = sd_bus_message_read_basic(m, 'o', &path);
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "{sa{sv}}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sa{sv}")) > 0) {
                r = sd_bus_message_read_basic(m, 's', &interface);
                if (r >= 0)
                        r = read_interface(m, path, interface, pfs, vfs);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_objects(sd_bus_message *m, Items *pfs, Items *vfs) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{oa{sa{sv}}}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "oa{sa{sv}}")) > 0) {
                r = read_object(m, pfs, vfs);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r;
}

static int compare_path(const void *a, const void *b) {
        return strcmp(((const Item *) a)->path, ((const Item *) b)->path);
}

static int compare_address(const void *a, const void *b) {
        Bdf x = BDF_NONE, y = BDF_NONE;

        (void) bdf_parse(record_show(*(json_object *const *) a, "address"), &x);
        (void) bdf_parse(record_show(*(json_object *const *) b, "address"), &y);
        return bdf_compare(x, y);
}

static int compare_index(const void *a, const void *b) {
        uint64_t x = record_number(*(json_object *const *) a, "index"),
                 y = record_number(*(json_object *const *) b, "index");

        return x < y ? -1 : x > y;
}

static int place(json_object *list, Item *item) {
        if (json_object_array_add(list, item->o) < 0)
                return -ENOMEM;
        item->o = NULL;
        return 0;
}

/* To its PF, or to the orphans. The bus names the PF by its path, and people by its address. */
static int place_vf(const Items *pfs, json_object *orphans, Item *vf) {
        const char *path = record_text(vf->o, "pf");
        const Item key = { .path = path ? path : "/" }, *pf = NULL;

        if (pfs->n > 0)
                pf = bsearch(&key, pfs->items, pfs->n, sizeof(Item), compare_path);

        if (!pf) {
                record_set_text(vf->o, "pf", NULL);
                return place(orphans, vf);
        }
        record_set_text(vf->o, "pf", record_text(pf->o, "address"));
        return place(record_get(pf->o, "children"), vf);
}

static int build(Items *pfs, Items *vfs, json_object *world, json_object *orphans) {
        int r;

        if (pfs->n > 0)
                qsort(pfs->items, pfs->n, sizeof(Item), compare_path);
        for (size_t i = 0; i < pfs->n; i++)
                if (json_object_object_add(pfs->items[i].o, "children", json_object_new_array()) <
                    0)
                        return -ENOMEM;
        for (size_t i = 0; i < vfs->n; i++) {
                r = place_vf(pfs, orphans, &vfs->items[i]);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < pfs->n; i++) {
                json_object_array_sort(record_get(pfs->items[i].o, "children"), compare_index);
                r = place(world, &pfs->items[i]);
                if (r < 0)
                        return r;
        }
        json_object_array_sort(world, compare_address);
        json_object_array_sort(orphans, compare_address);
        for (size_t i = 0; i < record_length(orphans); i++)
                if (json_object_array_add(
                            world, json_object_get(json_object_array_get_idx(orphans, i))) < 0)
                        return -ENOMEM;
        return 0;
}

int world_try_get(Cli *c, json_object **ret, sd_bus_error *ret_error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_json_ json_object *world = json_object_new_array(),
                                   *orphans = json_object_new_array();
        _cleanup_(items_done) Items pfs = { 0 }, vfs = { 0 };
        int r;

        if (!world || !orphans)
                return -ENOMEM;
        r = sd_bus_call_method(c->bus, c->peer ? NULL : BUS_NAME, BUS_PATH,
                               "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", ret_error,
                               &m, NULL);
        if (r >= 0)
                r = read_objects(m, &pfs, &vfs);
        if (r >= 0)
                r = build(&pfs, &vfs, world, orphans);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(world);
        return 0;
}

int world_get(Cli *c, json_object **ret) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = client_open(c);
        if (r > 0)
                return r;
        r = world_try_get(c, ret, &error);
        return r < 0 ? client_fail(c, r, &error) : 0;
}

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
