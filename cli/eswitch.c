/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sriovctl eswitch
 *
 * The mode of the switch that a NIC has inside, as devlink(8) has it.
 */
#include "base/str.h"

#include "core/fault.h"

#include "cli/change.h"
#include "cli/record.h"
#include "cli/say.h"
#include "cli/suggest.h"
#include "cli/world.h"

static int unknown_mode(const Cli *c, const char *pf, const char *typed) {
        const char *const names[] = { eswitch_to_string(ESWITCH_LEGACY),
                                      eswitch_to_string(ESWITCH_SWITCHDEV) };
        const char *near = suggest(typed, names, ELEMENTSOF(names));

        return say_error(c, STATUS_USAGE, fault_bus_name(FAULT_BAD_ESWITCH),
                         near ? "%s: '%s': no eswitch mode; did you mean '%s'?"
                              : "%s: '%s': no eswitch mode; there are legacy and switchdev%s",
                         pf, typed, near ? near : "");
}

static int show(Cli *c, const char *typed) {
        _cleanup_json_ json_object *world = NULL, *o = json_object_new_object();
        const char *mode;
        json_object *pf;
        int r;

        if (!o)
                return say_oom(c);
        r = world_get(c, &world);
        if (r == 0)
                r = world_find_pf(c, world, typed, &pf);
        if (r > 0)
                return r;
        mode = record_text(pf, "eswitch_mode");
        record_set_text(o, "pf", record_text(pf, "address"));
        record_set_text(o, "eswitch_mode", mode);
        say_json(c, o);
        if (c->json != JSON_OFF)
                return 0;
        puts(mode ? mode : "-");
        if (!mode && c->legend)
                say_note("%s: no mode was seen; its driver may have none",
                         record_show(pf, "address"));
        return 0;
}

int verb_eswitch(Cli *c, int argc, char **argv) {
        Change change = { .kind = OP_ESWITCH };
        int r;

        r = name_parse(c, argv[1], &change.fn);
        if (r > 0)
                return r;
        if (argc == 2)
                return c->dry_run ? say_usage(c, "%s: give the mode, legacy or switchdev", argv[1])
                                  : show(c, argv[1]);
        change.eswitch = eswitch_from_string(argv[2]);
        if (change.eswitch == _ESWITCH_MAX)
                return unknown_mode(c, argv[1], argv[2]);
        return change_run(c, &change);
}
