/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holders
 *
 * The words for one are the core's, so that a line here is the same as in the daemon's log.
 */
#include <stdio.h>

#include "base/str.h"

#include "core/holder.h"

#include "cli/holders.h"
#include "cli/record.h"
#include "cli/say.h"

void holders_settle(json_object *list) {
        for (size_t i = 0; i < record_length(list); i++) {
                json_object *holder = json_object_array_get_idx(list, i);

                if (record_number(holder, "pid") == 0)
                        record_set_text(holder, "pid", NULL);
        }
}

static const char *text_of(json_object *holder, const char *key) {
        const char *s = record_text(holder, key);

        return s ? s : "";
}

const char *holders_line(json_object *holder, char buf[static HOLDERS_LINE_MAX]) {
        Holder h = { .kind = holder_kind_from_string(text_of(holder, "kind")) };
        char words[HOLDER_STR_MAX];

        h.pid = (uint32_t) record_number(holder, "pid");
        snprintf(h.command, sizeof(h.command), "%s", text_of(holder, "command"));
        snprintf(h.detail, sizeof(h.detail), "%s", text_of(holder, "detail"));
        if (h.kind < _HOLDER_KIND_MAX)
                holder_format(&h, words, sizeof(words));
        else /* of a daemon that is younger than we are */
                snprintf(words, sizeof(words), "%s: %s", text_of(holder, "kind"), h.detail);
        snprintf(buf, HOLDERS_LINE_MAX, "%s: %s", record_show(holder, "function"), words);
        return buf;
}

void holders_say_refusing(json_object *list) {
        char line[HOLDERS_LINE_MAX];

        for (size_t i = 0; i < record_length(list); i++)
                say_below("%s", holders_line(json_object_array_get_idx(list, i), line));
}

void holders_say_forced(json_object *list) {
        char line[HOLDERS_LINE_MAX];

        for (size_t i = 0; i < record_length(list); i++) {
                json_object *holder = json_object_array_get_idx(list, i);

                say_note("%s: %s", record_text(holder, "force") ? "forced" : "warning",
                         holders_line(holder, line));
        }
}
