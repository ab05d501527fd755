/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sriovctl history
 *
 * Read from the journal and not from the daemon, which may be stopped and remembers minutes only.
 */
#include <errno.h>

#include <systemd/sd-journal.h>

#include "base/str.h"

#include "core/names.h"

#include "cli/record.h"
#include "cli/say.h"
#include "cli/table.h"

#define LINES_DEFAULT 50

static const Column columns[] = {
        { "TIME", "time", LOOK_TIME, true },           { "JOB", "job", LOOK_NUMBER, true },
        { "OPERATION", "operation", LOOK_TEXT, true }, { "OBJECT", "object", LOOK_TEXT, true },
        { "RESULT", "result", LOOK_STATE, true },      { "TOOK", "usec", LOOK_SPAN, true },
        { "UID", "uid", LOOK_NUMBER, true },           { "PID", "pid", LOOK_NUMBER, false },
        { "COMMAND", "command", LOOK_TEXT, true },     { "EXE", "exe", LOOK_TEXT, false },
        { "UNIT", "unit", LOOK_TEXT, false },          { "FILE", "file", LOOK_TEXT, false },
        { "REASON", "reason", LOOK_TEXT, true },       { "ERROR", "error", LOOK_TEXT, false },
        { "MESSAGE", "message", LOOK_CUT, true },
};

static const Table table = { "history", columns, ELEMENTSOF(columns) };

static const struct {
        const char *field, *key;
        bool number;
} fields[] = {
        { FIELD_JOB, "job", true },
        { FIELD_OPERATION, "operation", false },
        { FIELD_OBJECT, "object", false },
        { FIELD_RESULT, "result", false },
        { FIELD_USEC, "usec", true },
        { FIELD_UID, "uid", true },
        { FIELD_PID, "pid", true },
        { FIELD_REASON, "reason", false },
        { FIELD_ERROR, "error", false },
        { "MESSAGE", "message", false },
        { FIELD_OPENER_COMMAND, "command", false },
        { FIELD_OPENER_EXE, "exe", false },
        { FIELD_OPENER_UNIT, "unit", false },
        { FIELD_OPENER_FILE, "file", false },
};

static void journal_closep(sd_journal **j) {
        sd_journal_close(*j);
}

/* Fields are bytes of any kind and length. What is shown is text of a line's length. */
static void add_field(sd_journal *j, json_object *entry, size_t i) {
        size_t length, name = strlen(fields[i].field) + 1;
        char text[512], clean[512];
        const void *data;
        uint64_t n;

        json_object_object_add(entry, fields[i].key, NULL);
        if (sd_journal_get_data(j, fields[i].field, &data, &length) < 0 || length <= name)
                return;
        length = MIN2(length - name, sizeof(text) - 1);
        memcpy(text, (const char *) data + name, length);
        text[length] = '\0';
        if (!fields[i].number)
                record_set_text(entry, fields[i].key, say_clean(text, clean, sizeof(clean)));
        else if (parse_u64(text, UINT64_MAX, &n) == 0)
                record_set_number(entry, fields[i].key, n);
}

static int add_entry(sd_journal *j, uint64_t usec, json_object *list) {
        json_object *entry = json_object_new_object();

        if (!entry || json_object_array_add(list, entry) < 0) {
                json_object_put(entry);
                return -ENOMEM;
        }
        record_set_number(entry, "time", usec);
        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                add_field(j, entry, i);
        return 0;
}

/*
 * Everybody may write any field into the journal, but _UID is set by journald itself: only root's
 * lines count.
 */
static int journal_open(const Cli *c, sd_journal **ret) {
        _cleanup_(journal_closep) sd_journal *j = NULL;
        int r;

        r = c->directory ? sd_journal_open_directory(&j, c->directory, 0)
                         : sd_journal_open(&j, SD_JOURNAL_LOCAL_ONLY);
        if (r >= 0)
                r = sd_journal_add_match(j, "MESSAGE_ID=" MESSAGE_ID_JOB_END, 0);
        if (r >= 0)
                r = sd_journal_add_match(j, "_UID=0", 0);
        if (r >= 0)
                r = sd_journal_seek_tail(j);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(j);
        return 0;
}

/* Newest first, as many as wanted. */
static int journal_read(const Cli *c, sd_journal *j, json_object *list) {
        uint32_t left = c->lines_limited ? c->lines : LINES_DEFAULT;
        int r = 0;

        while (left-- > 0 && (r = sd_journal_previous(j)) > 0) {
                uint64_t usec;

                r = sd_journal_get_realtime_usec(j, &usec);
                if (r < 0 || usec < c->since)
                        break;
                r = add_entry(j, usec, list);
                if (r < 0)
                        break;
        }
        return r < 0 ? r : 0;
}

static int reversed(json_object *list, json_object *ret) {
        for (size_t i = record_length(list); i > 0; i--)
                if (json_object_array_add(
                            ret, json_object_get(json_object_array_get_idx(list, i - 1))) < 0)
                        return -ENOMEM;
        return 0;
}

int verb_history(Cli *c, _unused_ int argc, _unused_ char **argv) {
        _cleanup_json_ json_object *list = json_object_new_array(),
                                   *oldest_first = json_object_new_array();
        _cleanup_(journal_closep) sd_journal *j = NULL;
        Selection s;
        int r;

        if (!list || !oldest_first)
                return say_oom(c);
        if (c->host)
                return say_usage(c,
                                 "history is read from this host's journal; 'ssh %s sriovctl "
                                 "history' reads the other's",
                                 c->host);
        r = table_select(c, &table, &s);
        if (r > 0)
                return r;
        r = journal_open(c, &j);
        if (r >= 0)
                r = journal_read(c, j, list);
        if (r >= 0)
                r = reversed(list, oldest_first);
        if (r < 0)
                return say_error(c, r == -EACCES ? STATUS_DENIED : STATUS_FAILED, NULL,
                                 "cannot read the journal: %s", strerror(-r));
        if (record_length(list) == 0 && c->json == JSON_OFF && c->legend)
                say_note("no jobs in the journal%s",
                         geteuid() == 0 ? "" : ", as far as you may read it");
        return table_print(c, &table, &s, oldest_first);
}
