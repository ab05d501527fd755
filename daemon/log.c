/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "base/str.h"

#include "core/names.h"

#include "daemon/journal.h"
#include "daemon/log.h"

#define MESSAGE_ID_JOB_NEW "c1b4b0a8f2f94f0f8c1a4d6c0b4a9e21"
#define MESSAGE_ID_JOB_STEP "7f0f3f1a5a8c4b7ea1d3c2b5e6f70819"
#define MESSAGE_ID_JOB_WEDGED "e2a91c5d04f64a0bb8f3d7c6a5b49e10"

static bool to_journal;
static int journal = -EBADF;
static unsigned lost; /* lines that journald did not take */

void log_open(void) {
        const char *stream = getenv("JOURNAL_STREAM");
        unsigned long long dev, ino;
        struct stat st;

        to_journal = stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
                     fstat(STDERR_FILENO, &st) >= 0 && st.st_dev == dev && st.st_ino == ino;
        if (to_journal)
                journal = journal_open();
}

/* One line in the making: fields one behind the other in buf. */
typedef struct Line {
        struct iovec fields[26];
        size_t n;
        char buf[6144];
        size_t used;
} Line;

static void add(Line *l, const char *format, ...) _printf_(2, 3);
static void add(Line *l, const char *format, ...) {
        size_t room = sizeof(l->buf) - l->used;
        va_list ap;
        int n;

        va_start(ap, format);
        n = vsnprintf(l->buf + l->used, room, format, ap);
        va_end(ap);
        if (n < 0 || l->n == ELEMENTSOF(l->fields))
                return;
        n = MIN2(n, (int) room - 1);
        l->fields[l->n++] = (struct iovec){ l->buf + l->used, (size_t) n };
        l->used += MIN2((size_t) n + 1, room - 1);
}

static void add_opener(Line *l, const Opener *o) {
        if (!o)
                return;
        add(l, FIELD_OPENER_COMMAND "=%s", o->command);
        add(l, FIELD_OPENER_EXE "=%s", o->exe);
        add(l, FIELD_OPENER_UNIT "=%s", o->unit);
        add(l, FIELD_OPENER_FILE "=%s", o->file);
        add(l, FIELD_OPENER_TID "=%d", (int) o->tid);
}

static void add_record(Line *l, const Record *r) {
        if (!r)
                return;
        add_opener(l, r->opener);
        add(l, FIELD_JOB "=%" PRIu32, r->id);
        add(l, FIELD_OPERATION "=%s", op_kind_to_string(r->op.kind));
        add(l, FIELD_OBJECT "=%s", RECORD_OBJECT(r));
        add(l, FIELD_UID "=%" PRIu32, r->uid);
        if (!bdf_is_none(r->pf))
                add(l, "SRIOVD_PF=%s", BDF_STR(r->pf));
}

static int send_to_journal(Line *l, int priority, const char *message) {
        add(l, "PRIORITY=%d", priority);
        add(l, "SYSLOG_IDENTIFIER=sriovd");
        add(l, "MESSAGE=%s", message);
        return journal_send(journal, JOURNAL_SOCKET, l->fields, l->n);
}

/* What journald did not take is counted and said with the next line that it takes. */
static void tell_lost(void) {
        Line l = { .n = 0 };
        char message[96];

        snprintf(message, sizeof(message), "%u line(s) before this are lost: journald did not read",
                 lost);
        if (send_to_journal(&l, LOG_WARNING, message) >= 0)
                lost = 0;
}

static void send(Line *l, int priority, const char *message) {
        if (!to_journal) {
                fprintf(stderr, "%s\n", message);
                return;
        }
        if (lost > 0)
                tell_lost();
        if (send_to_journal(l, priority, message) < 0)
                lost++;
}

void log_line(int priority, const Record *r, const char *format, ...) {
        Line l = { .n = 0 };
        char message[1024];
        va_list ap;

        va_start(ap, format);
        vsnprintf(message, sizeof(message), format, ap);
        va_end(ap);
        add_record(&l, r);
        send(&l, priority, message);
}

int log_error_errno(int error, const char *format, ...) {
        char message[512];
        va_list ap;

        va_start(ap, format);
        vsnprintf(message, sizeof(message), format, ap);
        va_end(ap);
        log_line(LOG_ERR, NULL, "%s: %s", message, strerror(-error));
        return error;
}

/* "0000:01:00.0: job 7" or, where there is no device, "job 7". */
static const char *head(const Record *r, char buf[static 128]) {
        const char *object = RECORD_OBJECT(r);

        snprintf(buf, 128, "%s%sjob %" PRIu32, object, object[0] != '\0' ? ": " : "", r->id);
        return buf;
}

const char *log_opener(const Opener *o, char buf[static LOG_OPENER_MAX]) {
        snprintf(buf, LOG_OPENER_MAX, "'%s' (process %d, uid %" PRIu32 ", %s%s%s)", o->command,
                 (int) o->pid, o->uid, o->exe[0] != '\0' ? o->exe : "unknown executable",
                 o->unit[0] != '\0' ? ", " : "", o->unit);
        return buf;
}

static void log_foreign(const Record *r, const char *id, const char *what) {
        char message[1024], h[128], who[LOG_OPENER_MAX];
        Line l = { .n = 0 };

        snprintf(message, sizeof(message), "%s: %s %s", head(r, h), log_opener(r->opener, who),
                 what);
        add_record(&l, r);
        if (id)
                add(&l, "MESSAGE_ID=%s", id);
        send(&l, LOG_INFO, message);
}

void log_job_admitted(const Record *r) {
        if (r && r->opener)
                log_foreign(r, NULL, "is let in");
}

void log_job_new(const Record *r) {
        Line l = { .n = 0 };
        char message[512], h[128];
        int n;

        if (r->opener) {
                snprintf(message, sizeof(message), "opens %s to write, and waits for its turn",
                         r->opener->file);
                log_foreign(r, MESSAGE_ID_JOB_NEW, message);
                return;
        }
        n = snprintf(message, sizeof(message), "%s: %s", head(r, h), op_kind_to_string(r->op.kind));
        if (r->op.kind == OP_SET_VFS)
                n += snprintf(message + n, sizeof(message) - (size_t) n, " %" PRIu32, r->op.count);
        if (r->op.driver[0] != '\0' && r->op.kind != OP_UNLOAD)
                n += snprintf(message + n, sizeof(message) - (size_t) n, " driver '%s'",
                              r->op.driver);
        snprintf(message + n, sizeof(message) - (size_t) n, ", asked by uid %" PRIu32, r->uid);
        add_record(&l, r);
        add(&l, "MESSAGE_ID=" MESSAGE_ID_JOB_NEW);
        send(&l, LOG_INFO, message);
}

void log_job_step(const Record *r, const Step *step, const StepResult *result, uint64_t usec) {
        Line l = { .n = 0 };
        char message[640], text[STEP_STR_MAX], why[FAULT_STR_MAX], h[128];
        bool done = result->answer == STEP_DONE;
        Fault fault = ladder_fault(step, result);

        if (step->rung == RUNG_REFUSE_IF_HELD && result->answer == STEP_IN_USE &&
            (result->n & ~r->op.flags) == 0)
                fault.reason = FAULT_FORCED;
        snprintf(message, sizeof(message), "%s%s%s (job %" PRIu32 ", %" PRIu64 " ms)",
                 step_format(step, text, sizeof(text)), done ? "" : ": ",
                 done ? "" : fault_format(&fault, why, sizeof(why)), r->id, usec / 1000);
        if (done && r->opener && step->rung == RUNG_ADMIT)
                snprintf(message, sizeof(message),
                         "%s: '%s' (process %d) is out again (%" PRIu64 " ms)", head(r, h),
                         r->opener->command, (int) r->opener->pid, usec / 1000);
        add_record(&l, r);
        add(&l, "MESSAGE_ID=" MESSAGE_ID_JOB_STEP);
        add(&l, "SRIOVD_STEP=%s", rung_to_string(step->rung));
        add(&l, FIELD_RESULT "=%s", step_answer_to_string(result->answer));
        add(&l, FIELD_USEC "=%" PRIu64, usec);
        send(&l, done ? LOG_INFO : LOG_WARNING, message);
}

void log_job_wedged(const Record *r, const Step *step, pid_t pid, const char *where, bool outside,
                    const char *lines) {
        Line l = { .n = 0 };
        char message[3000], text[STEP_STR_MAX];

        snprintf(message, sizeof(message),
                 "%s: stuck in the kernel (job %" PRIu32
                 ", process %d at %s), %s until it comes back",
                 step_format(step, text, sizeof(text)), r->id, (int) pid, where,
                 outside ? "nothing near it is touched" : "no further write");
        add_record(&l, r);
        add(&l, "MESSAGE_ID=" MESSAGE_ID_JOB_WEDGED);
        add(&l, "SRIOVD_STEP=%s", rung_to_string(step->rung));
        send(&l, LOG_CRIT, message);
        log_kernel_lines(LOG_CRIT, r, lines);
}

void log_kernel_lines(int priority, const Record *r, const char *lines) {
        for (const char *p = lines; p && *p != '\0';) {
                int n = (int) strcspn(p, "\n");

                log_line(priority, r, "%s: job %" PRIu32 ": kernel: %.*s", RECORD_OBJECT(r), r->id,
                         n, p);
                p += p[n] == '\0' ? n : n + 1;
        }
}

void log_job_end(const Record *r) {
        Line l = { .n = 0 };
        char message[1400], h[128], who[LOG_OPENER_MAX];
        uint64_t usec = r->started > 0 ? r->ended - r->started : 0;
        bool good = r->result == RESULT_DONE || r->result == RESULT_SKIPPED;

        snprintf(message, sizeof(message), "%s: %s %s%s%s%s%s", head(r, h),
                 op_kind_to_string(r->op.kind), job_result_to_string(r->result),
                 r->opener ? ", " : "", r->opener ? log_opener(r->opener, who) : "",
                 r->message ? ": " : "", r->message ? r->message : "");
        add_record(&l, r);
        add(&l, "MESSAGE_ID=" MESSAGE_ID_JOB_END);
        add(&l, FIELD_RESULT "=%s", job_result_to_string(r->result));
        add(&l, FIELD_PID "=%" PRIu32, r->pid);
        add(&l, FIELD_USEC "=%" PRIu64, usec);
        if (r->error)
                add(&l, FIELD_ERROR "=%s", r->error);
        if (r->reason)
                add(&l, FIELD_REASON "=%s", r->reason);
        send(&l, good ? LOG_NOTICE : LOG_WARNING, message);
}
