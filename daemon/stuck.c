/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stuck
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#include "core/stack.h"

#include "daemon/judge.h"
#include "daemon/kmsg.h"
#include "daemon/log.h"
#include "daemon/manager.h"
#include "daemon/recover.h"
#include "daemon/stuck.h"
#include "daemon/times.h"

#define USEC_PER_SEC UINT64_C(1000000)
/* Deep enough for the outermost frames, which say what was written. */
#define WHERE_MAX 2048

struct Stuck {
        Manager *manager;
        pid_t pid;
        uint32_t job;
        size_t index;
        Step step;
        bool waits_for_others;
        uint32_t look_sec;
        sd_event_source *look;
};

static void stuck_free(Stuck *s) {
        sd_event_source_disable_unref(s->look);
        free(s);
}

void stucks_done(Stucks *all) {
        for (size_t i = 0; i < all->n; i++)
                stuck_free(all->items[i]);
        free(all->items);
        *all = (Stucks){};
}

static Stuck *find(const Stucks *all, pid_t pid) {
        for (size_t i = 0; i < all->n; i++)
                if (all->items[i]->pid == pid)
                        return all->items[i];
        return NULL;
}

static Stuck *stuck_add(Manager *m, const Worker *w) {
        Stucks *all = &m->stucks;
        Stuck **more = reallocarray(all->items, all->n + 1, sizeof(Stuck *)),
              *s = calloc(1, sizeof(Stuck));

        if (more)
                all->items = more;
        if (!s || !more) {
                free(s);
                return NULL;
        }
        *s = (Stuck){ .manager = m,
                      .pid = w->process.pid,
                      .job = w->request.job,
                      .index = w->request.index,
                      .step = w->request.step };
        all->items[all->n++] = s;
        return s;
}

static void stuck_drop(Stucks *all, Stuck *s) {
        for (size_t i = 0; i < all->n; i++)
                if (all->items[i] == s) {
                        all->items[i] = all->items[--all->n];
                        break;
                }
        stuck_free(s);
}

/* All functions that the job is about: what it names, and what its PF has now. *ret is the caller's, NULL for none. */
static size_t functions_of(const Manager *m, const Record *r, const Step *step, Bdf **ret) {
        const Job *j = queue_find(&m->queue, r->id);
        const Plan *plan = j && j->climb.plan ? j->climb.plan : r->plan;
        size_t n = 0, max = 4 + (plan ? 2 * plan->n_steps : 0) + m->snapshot->n_fns;
        Bdf *fns = calloc(max, sizeof(Bdf));

        *ret = fns;
        if (!fns)
                return 0;
        fns[n++] = r->pf;
        fns[n++] = r->op.fn;
        fns[n++] = step->fn;
        fns[n++] = step->vf;
        for (size_t i = 0; plan && i < plan->n_steps; i++) {
                fns[n++] = plan->steps[i].fn;
                fns[n++] = plan->steps[i].vf;
        }
        FOREACH_FN (f, m->snapshot)
                if (f->flags & FN_VF && bdf_equal(f->pf, step->fn))
                        fns[n++] = f->bdf;
        return n;
}

/* The caller's, NULL = the kernel said nothing. */
static char *read_kernel_log(const Manager *m, const Record *r, const Step *step, pid_t pid) {
        _cleanup_free_ Bdf *fns = NULL;
        KmsgFilter filter = { .driver = pace_driver(step), .pid = pid };

        filter.n_fns = functions_of(m, r, step, &fns);
        filter.fns = fns;
        return kmsg_read(r->kmsg, &filter);
}

/* Where it is first, then what the kernel had to say. */
static void keep_text(Record *r, pid_t pid, const char *where, const char *lines) {
        _cleanup_free_ char *text = NULL;
        int n;

        n = asprintf(&text, "process %d at %s%s%s", (int) pid, where, lines ? "\n" : "",
                     lines ? lines : "");
        if (n < 0) {
                text = NULL;
                return;
        }
        (void) record_add_stuck(r, text);
}

/* The innermost function is short enough for a line among others. */
static const char *innermost(const char *where, char buf[static STACK_FRAME_MAX]) {
        snprintf(buf, STACK_FRAME_MAX, "%.*s", (int) strcspn(where, " "), where);
        return buf;
}

static void warn(Record *r, const Step *step, pid_t pid, const char *where) {
        char text[STEP_STR_MAX], frame[STACK_FRAME_MAX], warning[sizeof(text) + sizeof(frame) + 64];

        snprintf(warning, sizeof(warning), "%s: stuck in the kernel in process %d, at %s",
                 step_format(step, text, sizeof(text)), (int) pid, innermost(where, frame));
        (void) record_warn(r, warning);
}

static void note(Manager *m, const Record *r) {
        int k = ledger_note(&m->ledger, r);

        if (k < 0)
                log_error_errno(k, "job %u: cannot write the ledger", r->id);
}

static int on_look(sd_event_source *source, uint64_t usec, void *userdata);

/* Only as long as something is stuck, and nobody knows where. */
static void look_again(Stuck *s) {
        sd_event *event = s->manager->event;
        int r;

        s->look_sec = judge_next_look_sec(s->look_sec);
        s->look = sd_event_source_disable_unref(s->look);
        r = sd_event_add_time_relative(event, &s->look, CLOCK_MONOTONIC, s->look_sec * USEC_PER_SEC,
                                       0, on_look, s);
        if (r < 0)
                log_error_errno(r, "job %u: cannot look again at process %d", s->job, (int) s->pid);
}

/* Tells the queue what the stack proves. True if that is that it is outside the global lock. */
static bool judge(Stuck *s, const char *where) {
        Manager *m = s->manager;
        bool outside = judge_is_outside(m->snapshot, &s->step, where);

        s->waits_for_others = judge_waits_for_others(where);
        if (m->recovery)
                recover_overdue(m);
        else
                (void) queue_overdue(&m->queue, s->job, s->index, outside);
        if (!m->recovery && judge_is_unclear(m->snapshot, &s->step, where))
                look_again(s);
        return outside && !m->recovery;
}

static int on_look(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Stuck *s = userdata;
        Manager *m = s->manager;
        Record *r = records_find(&m->records, s->job);
        char where[WHERE_MAX];

        process_where(s->pid, where, sizeof(where));
        if (!r || judge_is_unclear(m->snapshot, &s->step, where)) {
                look_again(s);
                return 0;
        }
        if (judge(s, where))
                log_line(LOG_NOTICE, r,
                         "%s: job %u: process %d is outside the kernel's global lock, others go on",
                         RECORD_OBJECT(r), r->id, (int) s->pid);
        keep_text(r, s->pid, where, NULL);
        r->news |= NEWS_STATE | NEWS_WARNINGS;
        note(m, r);
        manager_kick(m);
        return 0;
}

void stuck_begin(Record *r) {
        if (r->kmsg < 0)
                r->kmsg = kmsg_open();
}

void stuck_end(Record *r) {
        r->kmsg = close_fd(r->kmsg);
}

void stuck_overdue(const Worker *w, void *userdata) {
        _cleanup_free_ char *lines = NULL;
        const Step *step = &w->request.step;
        Manager *m = userdata;
        Record *r = records_find(&m->records, w->request.job);
        char where[WHERE_MAX];
        bool outside = false;
        Stuck *s;

        if (!r || w->request.work != WORKER_STEP)
                return;
        process_where(w->process.pid, where, sizeof(where));
        s = stuck_add(m, w);
        if (s)
                outside = judge(s, where);
        else if (m->recovery)
                recover_overdue(m);
        else
                (void) queue_overdue(&m->queue, r->id, w->request.index, false);
        lines = read_kernel_log(m, r, step, w->process.pid);
        keep_text(r, w->process.pid, where, lines);
        warn(r, step, w->process.pid, where);
        r->state = JOB_WEDGED;
        r->news |= NEWS_STATE | NEWS_WARNINGS;
        note(m, r);
        log_job_wedged(r, step, w->process.pid, where, outside, lines);
        manager_kick(m);
}

/* Outside only if it is known what is to be left alone; most doors do not name it. */
void stuck_foreign(Manager *m, Record *r, size_t index, const Step *step, pid_t pid,
                   const char *where) {
        _cleanup_free_ char *lines = read_kernel_log(m, r, step, pid);
        bool outside = stack_place(where) == STACK_DEVICE && !bdf_is_none(step->fn);

        (void) queue_overdue(&m->queue, r->id, index, outside);
        keep_text(r, pid, where, lines);
        warn(r, step, pid, where);
        r->state = JOB_WEDGED;
        r->news |= NEWS_STATE | NEWS_WARNINGS;
        if (!r->unlisted)
                note(m, r);
        log_job_wedged(r, step, pid, where, outside, lines);
        manager_kick(m);
}

static void tell_return(const Stuck *s, const Record *r, const Outcome *outcome) {
        char text[STEP_STR_MAX];

        step_format(&s->step, text, sizeof(text));
        if (outcome->result.answer == STEP_DIED)
                log_line(LOG_WARNING, r, "%s: process %d, which was stuck, is gone (job %u)", text,
                         (int) s->pid, r->id);
        else
                log_line(LOG_NOTICE, r,
                         "%s: process %d came back from the kernel after %" PRIu64 " s (job %u)",
                         text, (int) s->pid, outcome->usec / USEC_PER_SEC, r->id);
}

/* A wait for somebody else says nothing of how long the driver takes. */
static void learn(Manager *m, const Step *step, uint64_t usec) {
        int k;

        if (!pace_learn(&m->pace, step, usec))
                return;
        k = times_write(m->ledger.fd, &m->pace);
        if (k < 0)
                log_error_errno(k, "cannot keep how long %s took", rung_to_string(step->rung));
}

void stuck_step_over(Manager *m, Record *r, pid_t pid, const Step *step, const Outcome *outcome) {
        _cleanup_free_ char *lines = NULL;
        Stuck *s = find(&m->stucks, pid);
        /* What was forced may have waited for a user, which says nothing of its driver. */
        bool learns = outcome->result.answer != STEP_DIED && !(s && s->waits_for_others) &&
                      !(r->op.flags & (OP_FORCE_IN_USE | OP_FORCE_STORAGE));

        if (s) {
                tell_return(s, r, outcome);
                stuck_drop(&m->stucks, s);
        }
        if (learns)
                learn(m, step, outcome->usec);
        if (outcome->result.answer != STEP_FAILED && outcome->result.answer != STEP_DIED)
                return;
        lines = read_kernel_log(m, r, step, pid);
        log_kernel_lines(LOG_WARNING, r, lines);
}

int stuck_find(const Manager *m, Findings *ret) {
        size_t before = ret->n;
        int k = 0;

        FOREACH_RECORD (r, &m->records) {
                const Job *j = queue_find(&m->queue, r->id);
                bool aside = j && j->aside;
                Finding f = { .state = aside ? FINDING_WARN : FINDING_BAD, .check = "stuck-jobs" };

                if (k < 0 || r->state != JOB_WEDGED)
                        continue;
                snprintf(f.subject, sizeof(f.subject), "%s", RECORD_OBJECT(r));
                snprintf(f.text, sizeof(f.text),
                         "job %" PRIu32 " is stuck in the kernel, nothing %s can be changed; %s",
                         r->id, aside ? "near it" : "else",
                         r->stuck ? r->stuck : "nobody knows where");
                f.text[strcspn(f.text, "\n")] = '\0';
                k = findings_add(ret, &f);
        }
        if (k >= 0 && ret->n == before)
                k = findings_add(ret, &(Finding){ .state = FINDING_OK,
                                                  .check = "stuck-jobs",
                                                  .text = "no job is stuck in the kernel" });
        return k;
}

/* "0000:01:00.0: job 7: " or nothing. */
static const char *head(const Record *r, char buf[static 96]) {
        const char *object = r ? RECORD_OBJECT(r) : "";

        buf[0] = '\0';
        if (r)
                snprintf(buf, 96, "%s%sjob %" PRIu32 ": ", object, object[0] != '\0' ? ": " : "",
                         r->id);
        return buf;
}

void stuck_left(Manager *m, Record *r, const Process *p) {
        char where[WHERE_MAX], frame[STACK_FRAME_MAX], h[96], warning[256];

        process_where(p->pid, where, sizeof(where));
        log_line(
                LOG_CRIT, r,
                "%sprocess %d of an earlier sriovd is stuck in the kernel at %s, no write until it "
                "comes back",
                head(r, h), (int) p->pid, where);
        if (!r)
                return;
        snprintf(warning, sizeof(warning),
                 "process %d of an earlier sriovd: stuck in the kernel, at %s", (int) p->pid,
                 innermost(where, frame));
        (void) record_warn(r, warning);
        keep_text(r, p->pid, where, NULL);
        r->state = JOB_WEDGED;
        r->news |= NEWS_STATE | NEWS_WARNINGS;
        note(m, r);
}

void stuck_stays(const Record *r, pid_t pid) {
        char where[WHERE_MAX], h[96];

        log_line(LOG_WARNING, r,
                 "%sprocess %d stays in the kernel at %s; the next sriovd waits for it", head(r, h),
                 (int) pid, process_where(pid, where, sizeof(where)));
}

void stuck_goodbye(const Manager *m) {
        for (size_t i = 0; i < WORKERS_MAX; i++) {
                const Worker *w = m->workers.items[i];

                if (w && w->busy && w->request.work == WORKER_STEP)
                        stuck_stays(records_find(&m->records, w->request.job), w->process.pid);
        }
}
