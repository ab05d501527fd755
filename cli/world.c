/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * World
 *
 * One or two calls, one sort and one look-up a VF: 1,024 VFs are no reason to wait.
 */
#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"

#include "core/bdf.h"
#include "core/names.h"

#include "cli/client.h"
#include "cli/field.h"
#include "cli/record.h"
#include "cli/say.h"
#include "cli/world.h"

typedef struct Item {
        Bdf bdf;
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

/* Takes o over. */
static int items_add(Items *list, json_object *o) {
        Item item = { .bdf = BDF_NONE, .o = o };

        if (list->n == list->n_allocated) {
                size_t n = list->n_allocated ? list->n_allocated * 2 : 64;
                Item *items = reallocarray(list->items, n, sizeof(Item));

                if (!items) {
                        json_object_put(o);
                        return -ENOMEM;
                }
                list->items = items;
                list->n_allocated = n;
        }
        (void) bdf_parse(record_show(o, "address"), &item.bdf);
        list->items[list->n++] = item;
        return 0;
}

static json_object *new_record(const char *kind) {
        json_object *o = json_object_new_object();

        if (o)
                record_set_text(o, "kind", kind);
        return o;
}

static int read_interface(sd_bus_message *m, const char *interface, Items *pfs, Items *vfs) {
        Items *list = streq(interface, BUS_PF) ? pfs : streq(interface, BUS_VF) ? vfs : NULL;
        _cleanup_json_ json_object *o = NULL;
        int r;

        if (!list)
                return sd_bus_message_skip(m, "a{sv}");
        o = new_record(list == pfs ? "pf" : "vf");
        if (!o)
                return -ENOMEM;
        r = record_read_properties(m, o);
        return r < 0 ? r : items_add(list, TAKE_PTR(o));
}

static int read_object(sd_bus_message *m, Items *pfs, Items *vfs) {
        const char *interface;
        int r;

        r = sd_bus_message_skip(m, "o");
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "{sa{sv}}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sa{sv}")) > 0) {
                r = sd_bus_message_read_basic(m, 's', &interface);
                if (r >= 0)
                        r = read_interface(m, interface, pfs, vfs);
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

static int compare_item(const void *a, const void *b) {
        return bdf_compare(((const Item *) a)->bdf, ((const Item *) b)->bdf);
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

/* The bus names the PF by its path, and people by its address. */
static const Item *find_pf(const Items *pfs, json_object *vf) {
        const char *path = record_text(vf, "pf");
        _cleanup_free_ char *address = NULL;
        Item key = { .bdf = BDF_NONE };

        if (pfs->n == 0 || !path || sd_bus_path_decode(path, BUS_PATH "/pf", &address) <= 0 ||
            bdf_parse(address, &key.bdf) < 0)
                return NULL;
        return bsearch(&key, pfs->items, pfs->n, sizeof(Item), compare_item);
}

/* To its PF, or to the orphans. */
static int place_vf(const Items *pfs, json_object *orphans, Item *vf) {
        const Item *pf = find_pf(pfs, vf->o);

        record_set_text(vf->o, "pf", pf ? record_text(pf->o, "address") : NULL);
        return place(pf ? record_get(pf->o, "children") : orphans, vf);
}

static int build(Items *pfs, Items *vfs, json_object *world, json_object *orphans) {
        int r;

        if (pfs->n > 0)
                qsort(pfs->items, pfs->n, sizeof(Item), compare_item);
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
        json_object_array_sort(orphans, compare_address);
        for (size_t i = 0; i < record_length(orphans); i++)
                if (json_object_array_add(
                            world, json_object_get(json_object_array_get_idx(orphans, i))) < 0)
                        return -ENOMEM;
        return 0;
}

static int call_objects(Cli *c, Items *pfs, Items *vfs, sd_bus_error *ret_error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_call_method(c->bus, c->peer ? NULL : BUS_NAME, BUS_PATH,
                               "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", ret_error,
                               &m, NULL);
        return r < 0 ? r : read_objects(m, pfs, vfs);
}

#define COLUMNS_MAX 32

typedef struct Columns {
        const Field *items[COLUMNS_MAX];
        size_t n;
} Columns;

/* Keys that are no property of these functions, or of none, are left out. */
static void choose(const char *const *keys, uint32_t of, Columns *ret) {
        ret->n = 0;
        for (; *keys && ret->n < COLUMNS_MAX; keys++) {
                const Field *f = field_of_key(*keys);

                if (f && f->of & of)
                        ret->items[ret->n++] = f;
        }
}

static int read_row(sd_bus_message *m, const Columns *columns, json_object *o) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < columns->n; i++) {
                json_object *v = NULL;

                r = record_read_value(m, &v);
                if (r >= 0)
                        r = record_put(o, columns->items[i], v);
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* The rows are an "a(...)"; *ret: what is between the brackets. */
static int enter_rows(sd_bus_message *m, char **ret) {
        const char *rows;
        int r = sd_bus_message_peek_type(m, NULL, &rows);

        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'v', rows);
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', rows + 1);
        if (r < 0)
                return r;
        *ret = strndup(rows + 2, strlen(rows) - 3);
        return *ret ? 0 : -ENOMEM;
}

static int read_rows(sd_bus_message *m, const Columns *columns, const char *kind, Items *list) {
        _cleanup_free_ char *types = NULL;
        int r = enter_rows(m, &types);

        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'r', types)) > 0) {
                _cleanup_json_ json_object *o = new_record(kind);

                r = o ? read_row(m, columns, o) : -ENOMEM;
                if (r >= 0)
                        r = items_add(list, TAKE_PTR(o));
                if (r < 0)
                        return r;
        }
        return r;
}

static int call_table(Cli *c, const char *interface, const Columns *columns, Items *list,
                      sd_bus_error *ret_error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(c->bus, &call, c->peer ? NULL : BUS_NAME, BUS_PATH,
                                           BUS_MANAGER, "GetTable");
        if (r >= 0)
                r = sd_bus_message_append(call, "s", interface);
        if (r >= 0)
                r = sd_bus_message_open_container(call, 'a', "s");
        for (size_t i = 0; r >= 0 && i < columns->n; i++)
                r = sd_bus_message_append(call, "s", columns->items[i]->property);
        if (r >= 0)
                r = sd_bus_message_close_container(call);
        if (r >= 0)
                r = sd_bus_call(c->bus, call, 0, ret_error, &m);
        return r < 0 ? r : read_rows(m, columns, streq(interface, BUS_PF) ? "pf" : "vf", list);
}

static int call_tables(Cli *c, const char *const *keys, Items *pfs, Items *vfs,
                       sd_bus_error *ret_error) {
        Columns columns;
        int r;

        choose(keys, FIELD_PF, &columns);
        r = call_table(c, BUS_PF, &columns, pfs, ret_error);
        if (r < 0)
                return r;
        choose(keys, FIELD_VF, &columns);
        return call_table(c, BUS_VF, &columns, vfs, ret_error);
}

static int fetch(Cli *c, const char *const *keys, json_object **ret, sd_bus_error *ret_error) {
        _cleanup_json_ json_object *world = json_object_new_array(),
                                   *orphans = json_object_new_array();
        _cleanup_(items_done) Items pfs = { 0 }, vfs = { 0 };
        int r;

        if (!world || !orphans)
                return -ENOMEM;
        r = keys ? call_tables(c, keys, &pfs, &vfs, ret_error)
                 : call_objects(c, &pfs, &vfs, ret_error);
        if (r >= 0)
                r = build(&pfs, &vfs, world, orphans);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(world);
        return 0;
}

int world_try_get(Cli *c, json_object **ret, sd_bus_error *ret_error) {
        return fetch(c, NULL, ret, ret_error);
}

int world_get_keys(Cli *c, const char *const *keys, json_object **ret) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = client_open(c);
        if (r > 0)
                return r;
        r = fetch(c, keys, ret, &error);
        return r < 0 ? client_fail(c, r, &error) : 0;
}

int world_get(Cli *c, json_object **ret) {
        return world_get_keys(c, NULL, ret);
}
