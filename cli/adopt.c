/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sriovctl adopt
 *
 * The daemon writes the file, for it is the one that saw the PF; here its name is told, or its text.
 */
#include "base/str.h"

#include "cli/client.h"
#include "cli/name.h"
#include "cli/record.h"
#include "cli/say.h"

static int ask(Cli *c, const Name *name, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = client_new_call(c, "Adopt", &m);
        if (r > 0)
                return r;
        r = sd_bus_message_append(m, "s", name->text);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0 && c->dry_run)
                r = sd_bus_message_append(m, "{sv}", "dry-run", "b", true);
        if (r >= 0 && c->reason)
                r = sd_bus_message_append(m, "{sv}", "reason", "s", c->reason);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? client_fail(c, r, NULL) : client_send(c, m, ret);
}

/* Names of devices are in it: all but the ends of its lines stays on the line. */
static void print_text(const char *text) {
        char line[1024];

        while (*text) {
                size_t n = strcspn(text, "\n");

                snprintf(line, sizeof(line), "%.*s", (int) MIN2(n, sizeof(line)), text);
                puts(say_clean(line, line, sizeof(line)));
                text += text[n] == '\n' ? n + 1 : n;
        }
}

int verb_adopt(Cli *c, _unused_ int argc, char **argv) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_json_ json_object *o = json_object_new_object();
        const char *file, *text;
        Name name;
        int r;

        if (!o)
                return say_oom(c);
        r = name_parse(c, argv[1], &name);
        if (r == 0)
                r = ask(c, &name, &m);
        if (r > 0)
                return r;
        r = sd_bus_message_read(m, "ss", &file, &text);
        if (r < 0)
                return client_fail(c, r, NULL);
        record_set_text(o, "file", file);
        record_set_text(o, "text", text);
        say_json(c, o);
        if (c->json != JSON_OFF)
                return 0;
        if (c->dry_run)
                print_text(text);
        else
                puts(file);
        return 0;
}
