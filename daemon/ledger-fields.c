/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ledger: the head of a job in words, there and back
 *
 * One table for the fields of a record, so that what is written is also read.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"

#include "daemon/ledger-format.h"
#include "daemon/text.h"

typedef enum Kind {
        KIND_U32,
        KIND_U64,
        KIND_BOOL,
        KIND_BDF,
        KIND_NAME, /* char[NAME_MAX_LENGTH] */
        KIND_STRING, /* char *, NULL = left out */
        KIND_OP,
        KIND_ATTRS,
        KIND_ESWITCH,
        KIND_STATE,
        KIND_RESULT,
        KIND_PHASE,
        KIND_RUNG,
} Kind;

typedef struct Field {
        const char *key;
        Kind kind;
        size_t offset;
} Field;

#define FIELD(key, kind, member)                                                                   \
        { key, KIND_##kind, offsetof(Record, member) }

static const Field fields[] = {
        FIELD("id", U32, id),
        FIELD("operation", OP, op.kind),
        FIELD("flags", U32, op.flags),
        FIELD("count", U32, op.count),
        FIELD("function", BDF, op.fn),
        FIELD("driver", NAME, op.driver),
        FIELD("slot", NAME, op.slot),
        FIELD("attributes", ATTRS, op.attrs),
        FIELD("eswitch", ESWITCH, op.eswitch),
        FIELD("pf", BDF, pf),
        FIELD("state", STATE, state),
        FIELD("result", RESULT, result),
        FIELD("order", U64, order),
        FIELD("uid", U32, uid),
        FIELD("pid", U32, pid),
        FIELD("reason", STRING, reason),
        FIELD("expect", STRING, expect),
        FIELD("timeout", U64, timeout_usec),
        FIELD("created", U64, created),
        FIELD("started", U64, started),
        FIELD("ended", U64, ended),
        FIELD("phase", PHASE, phase),
        FIELD("error", STRING, error),
        FIELD("message", STRING, message),
        FIELD("stuck", STRING, stuck),
        FIELD("has-before", BOOL, has_before),
        FIELD("count-before", U32, count_before),
        FIELD("driver-before", NAME, driver_before),
        FIELD("rolling", BOOL, rolling),
        FIELD("automatic", BOOL, automatic),
        FIELD("persist", BOOL, persist),
};

static const char *const phase_names[] = {
        [CLIMB_LOOK] = "look",
        [CLIMB_UP] = "up",
        [CLIMB_BACK] = "back",
        [CLIMB_OVER] = "over",
};

static void format_field(FILE *f, const Field *field, const void *at) {
        const char *s;

        if (field->kind == KIND_STRING && !*(char *const *) at)
                return;
        fputs(field->key, f);
        switch (field->kind) {
        case KIND_U32:
                text_put_number(f, *(const uint32_t *) at);
                break;
        case KIND_U64:
                text_put_number(f, *(const uint64_t *) at);
                break;
        case KIND_BOOL:
                text_put_number(f, *(const bool *) at);
                break;
        case KIND_BDF:
                text_put_bdf(f, *(const Bdf *) at);
                break;
        case KIND_NAME:
                text_put(f, at);
                break;
        case KIND_STRING:
                text_put(f, *(char *const *) at);
                break;
        case KIND_OP:
                s = op_kind_to_string(*(const OpKind *) at);
                text_put(f, s ? s : "");
                break;
        case KIND_ATTRS:
                text_put(f, vfattrs_format(at, _VFATTR_MAX, (char[VFATTRS_TEXT_MAX]){ 0 },
                                           VFATTRS_TEXT_MAX));
                break;
        case KIND_ESWITCH:
                text_put(f, eswitch_to_string(*(const Eswitch *) at));
                break;
        case KIND_STATE:
                text_put(f, job_state_to_string(*(const JobState *) at));
                break;
        case KIND_RESULT:
                text_put(f, job_result_to_string(*(const JobResult *) at));
                break;
        case KIND_PHASE:
                text_put(f, phase_names[*(const ClimbPhase *) at]);
                break;
        case KIND_RUNG:
                text_put(f, rung_to_string(*(const Rung *) at));
                break;
        }
        fputc('\n', f);
}

void format_head(FILE *f, const Record *r) {
        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                format_field(f, fields + i, (const char *) r + fields[i].offset);
        fputs("askers", f);
        for (uint32_t i = 0; i < r->n_askers; i++)
                text_put_number(f, r->askers[i]);
        fputs("\nstages", f);
        for (size_t i = 0; i < r->n_stages; i++)
                text_put(f, rung_to_string(r->stages[i]));
        fputc('\n', f);
        STRV_FOREACH (s, r->warnings) {
                fputs("warning", f);
                text_put(f, *s);
                fputc('\n', f);
        }
}

int find_name(const char *const *names, size_t n, const char *name) {
        for (size_t i = 0; i < n; i++)
                if (names[i] && streq(names[i], name))
                        return (int) i;
        return -EBADMSG;
}

int parse_number(char **words, uint32_t *ret) {
        uint64_t n;
        int r = text_get_number(words, UINT32_MAX, &n);

        if (r >= 0)
                *ret = (uint32_t) n;
        return r;
}

static int parse_bool(char **words, bool *ret) {
        uint64_t n;
        int r = text_get_number(words, 1, &n);

        if (r >= 0)
                *ret = n != 0;
        return r;
}

static int parse_state(const char *name) {
        for (JobState s = JOB_WAITING; s < _JOB_STATE_MAX; s++)
                if (streq(job_state_to_string(s), name))
                        return (int) s;
        return -EBADMSG;
}

/* The fields whose word is one of a list. The value, or -EBADMSG. */
static int parse_enum(Kind kind, const char *word) {
        int v;

        switch (kind) {
        case KIND_OP:
                v = op_kind_from_string(word);
                return v == _OP_INVALID ? -EBADMSG : v;
        case KIND_ESWITCH:
                v = (int) (word[0] == '\0' ? ESWITCH_KEEP : eswitch_from_string(word));
                return v == _ESWITCH_MAX ? -EBADMSG : v;
        case KIND_STATE:
                return parse_state(word);
        case KIND_RESULT:
                v = (int) job_result_from_string(word);
                return v == _RESULT_MAX ? -EBADMSG : v;
        case KIND_PHASE:
                return find_name(phase_names, ELEMENTSOF(phase_names), word);
        default:
                v = (int) rung_from_string(word);
                return v == _RUNG_MAX ? -EBADMSG : v;
        }
}

static int parse_attrs(char **words, VfAttrs *ret) {
        char text[VFATTRS_TEXT_MAX];

        *ret = (VfAttrs){};
        return text_get(words, text, sizeof(text)) < 0 || vfattrs_parse(text, ret) < 0 ? -EBADMSG
                                                                                       : 0;
}

static int parse_field(const Field *field, char **words, void *at) {
        char word[NAME_MAX_LENGTH];
        int r;

        switch (field->kind) {
        case KIND_U32:
                return parse_number(words, at);
        case KIND_U64:
                return text_get_number(words, UINT64_MAX, at);
        case KIND_BOOL:
                return parse_bool(words, at);
        case KIND_BDF:
                return text_get_bdf(words, at);
        case KIND_NAME:
                return text_get(words, at, NAME_MAX_LENGTH);
        case KIND_STRING:
                return text_get_string(words, at);
        case KIND_ATTRS:
                return parse_attrs(words, at);
        default:
                r = text_get(words, word, sizeof(word));
                if (r < 0)
                        return r;
                r = parse_enum(field->kind, word);
                if (r < 0)
                        return r;
                /* Enums are as wide as int in this ABI, and all of these are. */
                *(int *) at = r;
                return 0;
        }
}

int parse_rung(char **words, Rung *ret) {
        return parse_field(&(Field){ .kind = KIND_RUNG }, words, ret);
}

static int parse_askers(Record *r, char *words) {
        for (r->n_askers = 0; *words != '\0' && r->n_askers < QUEUE_ASKERS; r->n_askers++)
                if (parse_number(&words, r->askers + r->n_askers) < 0)
                        return -EBADMSG;
        return 0;
}

static int parse_stages(Record *r, char *words) {
        for (r->n_stages = 0; *words != '\0' && r->n_stages < _RUNG_MAX; r->n_stages++)
                if (parse_rung(&words, r->stages + r->n_stages) < 0)
                        return -EBADMSG;
        return 0;
}

static int parse_warning(Record *r, char *words) {
        _cleanup_free_ char *text = NULL;
        int k;

        k = text_get_string(&words, &text);
        return k < 0 ? k : record_warn(r, text);
}

static const struct {
        const char *key;
        int (*parse)(Record *r, char *words);
} lists[] = {
        { "askers", parse_askers },
        { "stages", parse_stages },
        { "warning", parse_warning },
};

int parse_head(Record *r, const char *key, char *words) {
        for (size_t i = 0; i < ELEMENTSOF(lists); i++)
                if (streq(lists[i].key, key))
                        return lists[i].parse(r, words);
        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                if (streq(fields[i].key, key))
                        return parse_field(fields + i, &words, (char *) r + fields[i].offset);
        return 0;
}
