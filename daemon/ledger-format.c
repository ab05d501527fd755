/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ledger: steps and what came of them in words, there and back
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"

#include "daemon/ledger-format.h"
#include "daemon/text.h"

static const char *const step_state_names[] = {
        [STEP_STATE_WAITING] = "waiting",
        [STEP_STATE_RUNNING] = "running",
        [STEP_STATE_DONE] = "done",
        [STEP_STATE_FAILED] = "failed",
        /* Where it stands is for each daemon to find out anew. */
        [STEP_STATE_OUTSIDE] = "running",
};

void format_acts(FILE *f, const Record *r) {
        for (const Act *a = r->acts; a && a < r->acts + r->n_acts; a++) {
                fputs("act", f);
                text_put(f, rung_to_string(a->rung));
                text_put(f, step_answer_to_string(a->answer));
                text_put_bdf(f, a->fn);
                text_put_number(f, a->usec);
                text_put(f, a->text);
                fputc('\n', f);
        }
}

void format_holders(FILE *f, const Holders *holders) {
        for (size_t i = 0; i < holders->n; i++) {
                const Holder *h = holders->items + i;

                fputs("holder", f);
                text_put(f, holder_kind_to_string(h->kind));
                text_put_bdf(f, h->fn);
                text_put_number(f, h->pid);
                text_put(f, h->command);
                text_put(f, h->detail);
                fputc('\n', f);
        }
}

void format_step(FILE *f, const Step *step, StepState state) {
        fputs("step", f);
        text_put(f, step_state_names[state]);
        text_put(f, rung_to_string(step->rung));
        text_put_bdf(f, step->fn);
        text_put_bdf(f, step->vf);
        text_put_number(f, step->n);
        text_put_number(f, step->identity);
        text_put(f, step->name);
        text_put(f, step->was);
        text_put(f, step->override);
        fputc('\n', f);
}

void format_whole(FILE *f) {
        fputs("whole\n", f);
}

void format_outcome(FILE *f, const Outcome *o) {
        fputs("end", f);
        text_put_number(f, o->index);
        text_put(f, step_answer_to_string(o->result.answer));
        text_put_number(f, (uint64_t) o->result.error);
        text_put_number(f, o->result.n);
        text_put(f, o->result.override);
        text_put(f, o->result.text);
        text_put_number(f, o->usec);
        fputc('\n', f);
}

static int parse_answer(const char *name) {
        for (StepAnswer a = 0; a < _STEP_ANSWER_MAX; a++)
                if (streq(step_answer_to_string(a), name))
                        return (int) a;
        return -EBADMSG;
}

static int parse_act(Record *r, char *words) {
        char answer[NAME_MAX_LENGTH];
        Act act = {}, *more;
        int k;

        if (parse_rung(&words, &act.rung) < 0 || text_get(&words, answer, sizeof(answer)) < 0 ||
            (k = parse_answer(answer)) < 0 || text_get_bdf(&words, &act.fn) < 0 ||
            text_get_number(&words, UINT64_MAX, &act.usec) < 0)
                return -EBADMSG;
        act.answer = (StepAnswer) k;
        k = text_get_string(&words, &act.text);
        if (k < 0)
                return k;
        more = reallocarray(r->acts, r->n_acts + 1, sizeof(Act));
        if (!more) {
                free(act.text);
                return -ENOMEM;
        }
        r->acts = more;
        r->acts[r->n_acts++] = act;
        return 0;
}

/* A kind that only another version knows is somebody all the same. */
static int parse_holder(Record *r, char *words) {
        char kind[NAME_MAX_LENGTH];
        Holder h = {};

        if (text_get(&words, kind, sizeof(kind)) < 0 || text_get_bdf(&words, &h.fn) < 0 ||
            parse_number(&words, &h.pid) < 0 ||
            text_get(&words, h.command, sizeof(h.command)) < 0 ||
            text_get(&words, h.detail, sizeof(h.detail)) < 0)
                return -EBADMSG;
        h.kind = holder_kind_from_string(kind);
        if (h.kind == _HOLDER_KIND_MAX)
                h.kind = HOLDER_UNKNOWN;
        return holders_add(&r->holders, &h);
}

/* Room for one more step, its state and its child. */
static int grow_plan(Record *r) {
        size_t n = r->plan ? r->plan->n_steps : 0;
        StepState *states;
        Process *children;

        if (!r->plan)
                r->plan = plan_new();
        if (!r->plan)
                return -ENOMEM;
        states = reallocarray(r->states, n + 1, sizeof(StepState));
        if (!states)
                return -ENOMEM;
        r->states = states;
        children = reallocarray(r->children, n + 1, sizeof(Process));
        if (!children)
                return -ENOMEM;
        r->children = children;
        return 0;
}

static int parse_step(Record *r, char *words) {
        char state[NAME_MAX_LENGTH];
        Step step = {};
        int s, k;

        if (text_get(&words, state, sizeof(state)) < 0 ||
            (s = find_name(step_state_names, ELEMENTSOF(step_state_names), state)) < 0 ||
            parse_rung(&words, &step.rung) < 0 || text_get_bdf(&words, &step.fn) < 0 ||
            text_get_bdf(&words, &step.vf) < 0 || parse_number(&words, &step.n) < 0 ||
            text_get_number(&words, UINT64_MAX, &step.identity) < 0 ||
            text_get(&words, step.name, sizeof(step.name)) < 0 ||
            text_get(&words, step.was, sizeof(step.was)) < 0 ||
            text_get(&words, step.override, sizeof(step.override)) < 0)
                return -EBADMSG;
        k = grow_plan(r);
        if (k < 0)
                return k;
        k = plan_push(r->plan, &step);
        if (k < 0)
                return k;
        r->states[r->plan->n_steps - 1] = (StepState) s;
        r->children[r->plan->n_steps - 1] = (Process){};
        return 0;
}

static int parse_begin(Record *r, char *words) {
        uint64_t index, pid, start;

        if (!r->plan || text_get_number(&words, r->plan->n_steps - 1, &index) < 0 ||
            text_get_number(&words, INT32_MAX, &pid) < 0 ||
            text_get_number(&words, UINT64_MAX, &start) < 0)
                return -EBADMSG;
        r->states[index] = STEP_STATE_RUNNING;
        r->children[index] = (Process){ (pid_t) pid, start };
        return 0;
}

int parse_outcome(char *words, Outcome *ret) {
        char answer[NAME_MAX_LENGTH];
        uint64_t index, error;
        Outcome o = {};
        int k;

        if (text_get_number(&words, SIZE_MAX, &index) < 0 ||
            text_get(&words, answer, sizeof(answer)) < 0 || (k = parse_answer(answer)) < 0 ||
            text_get_number(&words, INT32_MAX, &error) < 0 ||
            parse_number(&words, &o.result.n) < 0 ||
            text_get(&words, o.result.override, sizeof(o.result.override)) < 0 ||
            text_get(&words, o.result.text, sizeof(o.result.text)) < 0 ||
            text_get_number(&words, UINT64_MAX, &o.usec) < 0)
                return -EBADMSG;
        o.index = index;
        o.result.answer = (StepAnswer) k;
        o.result.error = (int) error;
        *ret = o;
        return 0;
}

/* Each VF has its own result: one that fails makes the whole partial. Kept VFs are for another plan. */
static void note_failure(Record *r, const Step *step, const StepResult *result) {
        Fault fault = ladder_fault(step, result);
        bool partial = ladder_fails_alone(&r->op, r->plan, step) &&
                       (!(r->op.flags & OP_ROLLBACK) || r->rolling);

        if (r->phase == CLIMB_BACK || r->result != RESULT_NONE || result->answer == STEP_KEPT)
                return;
        r->result = partial ? RESULT_PARTIAL : job_result_of_fault(fault.reason);
        (void) record_set_fault(r, &fault);
}

/* As climb.c does: somebody who is in the way, and against whom it was to go on. */
static bool is_forced(const Record *r, const Step *step, const StepResult *result) {
        return step->rung == RUNG_REFUSE_IF_HELD && result->answer == STEP_IN_USE &&
               (result->n & ~r->op.flags) == 0;
}

int apply_outcome(Record *r, const Outcome *o) {
        bool good = o->result.answer == STEP_DONE || o->result.answer == STEP_NO_DRIVER;
        Step *step;

        if (!r->plan || o->index >= r->plan->n_steps)
                return -EBADMSG;
        step = r->plan->steps + o->index;
        good = good || is_forced(r, step, &o->result);
        r->states[o->index] = good ? STEP_STATE_DONE : STEP_STATE_FAILED;
        r->children[o->index] = (Process){};
        step_keep_override(step, &o->result);
        if (!good && o->result.answer != STEP_DIED)
                note_failure(r, step, &o->result);
        return record_add_act(r, step, o->result.answer, o->usec);
}

static int parse_end(Record *r, char *words) {
        Outcome o;
        int k;

        k = parse_outcome(words, &o);
        return k < 0 ? k : apply_outcome(r, &o);
}

static int parse_whole(Record *r, char *words _unused_) {
        r->whole = true;
        return 0;
}

static const struct {
        const char *key;
        int (*parse)(Record *r, char *words);
} lists[] = {
        { "act", parse_act },     { "holder", parse_holder }, { "step", parse_step },
        { "begin", parse_begin }, { "end", parse_end },       { "whole", parse_whole },
};

int parse_line(Record *r, char *line) {
        size_t n = strcspn(line, " ");
        char *words = line[n] == '\0' ? line + n : line + n + 1;

        line[n] = '\0';
        for (size_t i = 0; i < ELEMENTSOF(lists); i++)
                if (streq(lists[i].key, line))
                        return lists[i].parse(r, words);
        return parse_head(r, line, words);
}
