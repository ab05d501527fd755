/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plan: a list of steps, in words and in faults
 *
 * Holds no order of its own: ladder.c and wayback.c make plans, this file keeps and tells them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/macro.h"
#include "base/str.h"

#include "core/ladder.h"

Plan *plan_new(void) {
        return calloc(1, sizeof(Plan));
}

Plan *plan_free(Plan *p) {
        if (p)
                free(p->steps);
        free(p);
        return NULL;
}

int plan_push(Plan *p, const Step *step) {
        if (p->n_steps == 0 || (p->n_steps & (p->n_steps - 1)) == 0) {
                Step *more =
                        reallocarray(p->steps, p->n_steps == 0 ? 1 : p->n_steps * 2, sizeof(Step));

                if (!more)
                        return -ENOMEM;
                p->steps = more;
        }
        p->steps[p->n_steps++] = *step;
        return 0;
}

void plan_keep(Plan *p, Rung rung) {
        size_t n = 0;

        for (size_t i = 0; i < p->n_steps; i++)
                if (p->steps[i].rung == rung)
                        p->steps[n++] = p->steps[i];
        p->n_steps = n;
}

void step_keep_override(Step *step, const StepResult *result) {
        if (step->rung != RUNG_PARK_VF && step->rung != RUNG_OVERRIDE_VF)
                return;
        /* Our own, left by an earlier try, is nothing to go back to. */
        if (step->override[0] == '\0' && !streq(result->override, PARK_OVERRIDE))
                memcpy(step->override, result->override, sizeof(step->override));
}

static const char *const answer_names[_STEP_ANSWER_MAX] = {
        [STEP_DONE] = "done",   [STEP_FAILED] = "failed",     [STEP_KEPT] = "kept",
        [STEP_WRONG] = "wrong", [STEP_UNPROVEN] = "unproven", [STEP_STALE] = "stale",
        [STEP_GONE] = "gone",   [STEP_IN_USE] = "in-use",     [STEP_NO_DRIVER] = "no-driver",
        [STEP_DIED] = "died",   [STEP_BLOCKED] = "blocked",   [STEP_DOWN] = "down",
};

const char *step_answer_to_string(StepAnswer a) {
        return a < _STEP_ANSWER_MAX ? answer_names[a] : NULL;
}

/* The function a step is about as people see it: a VF where it is one and its address is known. */
static Bdf step_subject(const Step *step) {
        return bdf_is_none(step->vf) ? step->fn : step->vf;
}

static bool is_about_new_vf(const Step *step) {
        return bdf_is_none(step->vf) &&
               (step->rung == RUNG_OVERRIDE_VF || step->rung == RUNG_UNBIND_VF ||
                step->rung == RUNG_CONFIGURE_VF || step->rung == RUNG_BIND_VF);
}

static const char *word(const Step *step, const char *key, char buf[static 16]) {
        if (startswith(key, "name"))
                return step->name[0] != '\0' ? step->name : "the kernel's choice";
        if (startswith(key, "was"))
                return step->was;
        snprintf(buf, 16, "%u", step->n);
        return buf;
}

const char *step_format(const Step *step, char *buf, size_t size) {
        const char *text = rung_text(step->rung);
        char number[16], words[128];
        size_t n = 0;

        for (; *text && n + 1 < sizeof(words); text++) {
                const char *w;

                if (*text != '{') {
                        words[n++] = *text;
                        continue;
                }
                for (w = word(step, text + 1, number); *w && n + 1 < sizeof(words);)
                        words[n++] = *w++;
                text = strchr(text, '}');
        }
        words[n] = '\0';
        if (bdf_is_none(step->fn))
                snprintf(buf, size, "%s", words);
        else if (is_about_new_vf(step))
                snprintf(buf, size, "%s/vf%u: %s", BDF_STR(step->fn), step->n, words);
        else
                snprintf(buf, size, "%s: %s", BDF_STR(step_subject(step)), words);
        return buf;
}

/* What the step was at, in a sentence: "setting vlan=100", or the name of its rung. */
static Fault fault_at(const Step *step, Fault f) {
        char text[sizeof(f.text)];

        if (step->rung != RUNG_CONFIGURE_VF)
                return fault_text(f, rung_to_string(step->rung));
        snprintf(text, sizeof(text), "setting %s", step->name);
        return fault_text(f, text);
}

/* The VF has a driver, which was not there when the plan was made. */
static Fault bound_fault(const Step *step, const StepResult *result, Bdf fn) {
        char text[sizeof(((Fault *) 0)->text)];

        snprintf(text, sizeof(text), "%.60s: %.90s", step->name, result->text);
        return fault_text(FAULT(FAULT_VF_BOUND, .fn = fn, .error = result->error), text);
}

/* ENOMEM and ENOENT of sriov_numvfs do not mean what they say (KERNEL.md 2.3). */
static Fault kernel_fault(const Step *step, const StepResult *result, Bdf fn) {
        int error = result->error;

        if (step->rung == RUNG_VFS_ON && error == ENOMEM)
                return FAULT(FAULT_ENOMEM_VFS, .fn = fn, .number = step->n, .error = error);
        if (step->rung == RUNG_LOAD_DRIVER && error == ENOENT)
                return fault_text(FAULT(FAULT_NO_SUCH_DRIVER, .fn = fn, .error = error),
                                  step->name);
        if (error == EOPNOTSUPP && step->rung == RUNG_CONFIGURE_VF)
                return fault_text(FAULT(FAULT_ATTR_UNSUPPORTED, .fn = fn, .error = error),
                                  step->name);
        if (error == EOPNOTSUPP && (step->rung == RUNG_ESWITCH || step->rung == RUNG_ESWITCH_VFS))
                return fault_text(FAULT(FAULT_NO_ESWITCH, .fn = fn, .error = error), step->name);
        if (step->rung == RUNG_ADMIT && error == ESRCH)
                return FAULT(FAULT_OPENER_GONE);
        if (step->rung == RUNG_CONFIGURE_VF && error == EBUSY && result->text[0] != '\0')
                return bound_fault(step, result, fn);
        return FAULT(FAULT_KERNEL, .fn = fn, .error = error);
}

static FaultReason in_use_reason(const Step *step, const StepResult *result) {
        if (step->rung == RUNG_UNLOAD)
                return FAULT_MODULE_IN_USE;
        return result->n & OP_FORCE_STORAGE ? FAULT_STORAGE_IN_USE : FAULT_IN_USE;
}

Fault ladder_fault(const Step *step, const StepResult *result) {
        Bdf fn = step_subject(step);
        Fault f;

        switch (result->answer) {
        case STEP_DONE:
                return FAULT(FAULT_NONE);
        case STEP_FAILED:
                f = kernel_fault(step, result, fn);
                break;
        case STEP_KEPT:
                f = FAULT(FAULT_KEPT_VFS, .fn = fn, .number = result->n);
                break;
        case STEP_WRONG:
                f = FAULT(FAULT_WRONG_COUNT, .fn = fn, .number = result->n, .limit = step->n);
                break;
        case STEP_UNPROVEN:
                f = FAULT(step->rung == RUNG_REMOVE   ? FAULT_STILL_THERE
                          : step->rung == RUNG_RESCAN ? FAULT_NOT_FOUND_AFTER
                                                      : FAULT_UNPROVEN,
                          .fn = fn);
                break;
        case STEP_STALE:
                f = FAULT(FAULT_STALE, .fn = fn);
                break;
        case STEP_GONE:
                f = step->rung == RUNG_ADMIT ? FAULT(FAULT_OPENER_GONE)
                                             : FAULT(FAULT_VANISHED, .fn = fn);
                break;
        case STEP_IN_USE:
                f = fault_text(FAULT(in_use_reason(step, result), .fn = fn), result->text);
                break;
        case STEP_BLOCKED:
                f = fault_text(FAULT(FAULT_FOREIGN_STUCK, .fn = fn, .number = result->n),
                               result->text);
                break;
        case STEP_DOWN:
                f = fault_text(FAULT(FAULT_LINK_DOWN, .fn = fn), result->text);
                break;
        case STEP_NO_DRIVER:
                f = FAULT(FAULT_NOT_TAKEN, .fn = fn);
                break;
        default:
                f = fault_text(FAULT(FAULT_WORKER_DIED, .fn = fn), rung_to_string(step->rung));
                break;
        }
        /* Another device at the address is another PF. */
        if (is_about_new_vf(step) && f.reason != FAULT_STALE)
                f.new_vf = step->n + 1;
        return f.text[0] != '\0' ? f : fault_at(step, f);
}
