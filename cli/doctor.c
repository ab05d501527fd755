/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sriovctl doctor
 *
 * The daemon examines the host in a child; here it is only shown. Bad is an exit status, for those
 * who ask every minute.
 */
#include <errno.h>

#include "base/str.h"

#include "core/names.h"

#include "cli/client.h"
#include "cli/record.h"
#include "cli/say.h"
#include "cli/table.h"

static const Column columns[] = {
        { "CHECK", "check", LOOK_TEXT, true },
        { "STATE", "state", LOOK_STATE, true },
        { "SUBJECT", "subject", LOOK_TEXT, true },
        { "TEXT", "text", LOOK_WRAP, true },
};

static const Table table = { "findings", columns, ELEMENTSOF(columns) };

static bool is_any_bad(json_object *findings) {
        for (size_t i = 0; i < record_length(findings); i++)
                if (streq(record_show(json_object_array_get_idx(findings, i), "state"), "bad"))
                        return true;
        return false;
}

int verb_doctor(Cli *c, _unused_ int argc, _unused_ char **argv) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_json_ json_object *findings = NULL;
        Selection s;
        int r;

        r = table_select(c, &table, &s);
        if (r == 0)
                r = client_call(c, BUS_PATH, BUS_MANAGER, "Diagnose", &m, NULL);
        if (r > 0)
                return r;
        r = record_read_value(m, &findings);
        if (r < 0)
                return client_fail(c, r, NULL);
        r = table_print(c, &table, &s, findings);
        if (r > 0)
                return r;
        return is_any_bad(findings) ? STATUS_FAILED : STATUS_OK;
}
