/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sriovctl list
 */
#include <stdio.h>

#include "base/macro.h"
#include "base/str.h"

#include "cli/record.h"
#include "cli/say.h"
#include "cli/table.h"
#include "cli/world.h"

static const Column columns[] = {
        { "ADDRESS", "address", LOOK_TEXT, true },
        { "DRIVER", "driver", LOOK_TEXT, true },
        { "NETDEVS", "netdevs", LOOK_TEXT, true },
        { "VFS", "vfs", LOOK_NUMBER, true },
        { "TOTAL", "total_vfs", LOOK_NUMBER, true },
        { "STATE", "state", LOOK_STATE, true },
        { "POLICY", "policy", LOOK_TEXT, true },
        { "NAME", "name", LOOK_CUT, true },
        { "KIND", "kind", LOOK_TEXT, false },
        { "INDEX", "index", LOOK_NUMBER, false },
        { "PF", "pf", LOOK_TEXT, false },
        { "VENDOR", "vendor", LOOK_TEXT, false },
        { "DEVICE", "device", LOOK_TEXT, false },
        { "CLASS", "class", LOOK_TEXT, false },
        { "AUTOPROBE", "autoprobe", LOOK_TEXT, false },
        { "NUMA", "numa_node", LOOK_NUMBER, false },
        { "IOMMU", "iommu_group", LOOK_NUMBER, false },
        { "ESWITCH", "eswitch_mode", LOOK_TEXT, false },
        { "POLICY-STATE", "policy_state", LOOK_TEXT, false },
        { "READY", "ready", LOOK_TEXT, false },
        { "MAC", "mac", LOOK_TEXT, false },
        { "ATTRIBUTES", "attributes", LOOK_TEXT, false },
};

static const Table table = { "pfs", columns, ELEMENTSOF(columns) };

/* "Intel Corporation 82576 Gigabit Network Connection", or "VF 3" */
static void add_name(json_object *fn) {
        const char *vendor = record_text(fn, "vendor"), *device = record_text(fn, "device");
        char buf[TABLE_VALUE_MAX];

        if (!vendor && !device)
                snprintf(buf, sizeof(buf), "VF %u", (unsigned) record_number(fn, "index"));
        else
                snprintf(buf, sizeof(buf), "%s %s", vendor ? vendor : "", device ? device : "");
        record_set_text(fn, "name", buf);
}

static void prepare(const Cli *c, json_object *rows) {
        for (size_t i = 0; i < record_length(rows); i++) {
                json_object *fn = json_object_array_get_idx(rows, i);

                add_name(fn);
                if (c->vfs)
                        prepare(c, record_get(fn, "children"));
                else
                        json_object_object_del(fn, "children");
        }
}

/* Those of the columns, and what puts them together; --json has all, unless --output names some. */
static const char **keys_of(const Selection *s, const char *keys[static TABLE_COLUMNS_MAX + 8]) {
        static const char *const always[] = { "address", "index", "pf", "vendor", "device" };
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTSOF(always); i++)
                keys[n++] = always[i];
        for (size_t i = 0; i < s->n_columns; i++) {
                bool has = false;

                for (size_t j = 0; j < ELEMENTSOF(always); j++)
                        has = has || streq(s->columns[i]->key, always[j]);
                if (!has)
                        keys[n++] = s->columns[i]->key;
        }
        keys[n] = NULL;
        return keys;
}

int verb_list(Cli *c, _unused_ int argc, _unused_ char **argv) {
        const char *keys[TABLE_COLUMNS_MAX + 8];
        _cleanup_json_ json_object *world = NULL;
        Selection s;
        int r;

        r = table_select(c, &table, &s);
        if (r == 0)
                r = world_get_keys(c, c->json == JSON_OFF || c->columns ? keys_of(&s, keys) : NULL,
                                   &world);
        if (r > 0)
                return r;
        prepare(c, world);
        if (record_length(world) == 0 && c->json == JSON_OFF && c->legend)
                say_note("no device of this host has SR-IOV");
        return table_print(c, &table, &s, world);
}
