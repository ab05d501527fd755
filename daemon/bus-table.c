/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bus: GetTable()
 *
 * The same properties by the same getters as GetManagedObjects(), of all PFs or of all VFs, and of those only that were asked for:
 * without a name for each, a message of thousands of VFs is a small one.
 */
#include <errno.h>
#include <stdio.h>

#include "base/macro.h"
#include "base/str.h"

#include "core/names.h"

#include "daemon/bus-fn.h"
#include "daemon/bus-manager.h"

#define COLUMNS_MAX 32

typedef struct Columns {
        uint32_t flag; /* FN_PF or FN_VF */
        const sd_bus_vtable *items[COLUMNS_MAX];
        size_t n;
        char types[COLUMNS_MAX * 8]; /* of a row's members */
} Columns;

static int read_interface(sd_bus_message *message, const sd_bus_vtable **ret, uint32_t *ret_flag,
                          sd_bus_error *error) {
        const char *interface;
        int r = sd_bus_message_read(message, "s", &interface);

        if (r < 0)
                return r;
        *ret_flag = streq(interface, BUS_PF) ? FN_PF : FN_VF;
        if (!streq(interface, BUS_PF) && !streq(interface, BUS_VF))
                return bus_ask_refuse(error, FAULT_BAD_OPTION, interface);
        *ret = *ret_flag == FN_PF ? bus_pf_vtable : bus_vf_vtable;
        return 0;
}

static const sd_bus_vtable *find(const sd_bus_vtable *vtable, const char *name) {
        for (; vtable->type != _SD_BUS_VTABLE_END; vtable++)
                if (vtable->type == _SD_BUS_VTABLE_PROPERTY &&
                    streq(vtable->x.property.member, name))
                        return vtable;
        return NULL;
}

/* Each once: some, as VFPaths, are a walk over all functions. */
static int add(Columns *columns, const sd_bus_vtable *property) {
        size_t at = strlen(columns->types), n = strlen(property->x.property.signature);

        for (size_t i = 0; i < columns->n; i++)
                if (columns->items[i] == property)
                        return -EEXIST;
        if (columns->n == COLUMNS_MAX || at + n >= sizeof(columns->types))
                return -E2BIG;
        columns->items[columns->n++] = property;
        memcpy(columns->types + at, property->x.property.signature, n + 1);
        return 0;
}

static int read_columns(sd_bus_message *message, Columns *columns, sd_bus_error *error) {
        const sd_bus_vtable *vtable, *property;
        const char *name;
        int r;

        r = read_interface(message, &vtable, &columns->flag, error);
        if (r >= 0)
                r = sd_bus_message_enter_container(message, 'a', "s");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read_basic(message, 's', &name)) > 0) {
                property = find(vtable, name);
                if (!property || add(columns, property) < 0)
                        return bus_ask_refuse(error, FAULT_BAD_OPTION, name);
        }
        /* A row of nothing is no type of D-Bus. */
        if (r >= 0 && columns->n == 0)
                return bus_ask_refuse(error, FAULT_BAD_OPTION, "");
        return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int append_row(sd_bus_message *reply, Manager *m, const Columns *columns, const Fn *f) {
        const char *path = bus_fn_seek(m, f, columns->flag);
        int r = sd_bus_message_open_container(reply, 'r', columns->types);

        for (size_t i = 0; r >= 0 && i < columns->n; i++)
                r = columns->items[i]->x.property.get(NULL, path, NULL, NULL, reply, m, NULL);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_rows(sd_bus_message *reply, Manager *m, const Columns *columns) {
        char row[sizeof(columns->types) + 2], rows[sizeof(row) + 1];
        int r;

        snprintf(row, sizeof(row), "(%s)", columns->types);
        snprintf(rows, sizeof(rows), "a%s", row);
        r = sd_bus_message_open_container(reply, 'v', rows);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', row);
        FOREACH_FN (f, m->snapshot)
                if (r >= 0 && bus_fn_is_object(f, columns->flag))
                        r = append_row(reply, m, columns, f);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

int bus_manager_get_table(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Columns columns = {};
        int r;

        r = read_columns(message, &columns, error);
        if (r >= 0)
                r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = append_rows(reply, userdata, &columns);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}
