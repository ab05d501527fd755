/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control: a table of commands
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/fault.h"
#include "tests/sim/control.h"

#define WORDS_MAX 8

typedef struct Words {
        char *word[WORDS_MAX];
        size_t n;
} Words;

static const char *word(const Words *w, size_t i) {
        return i < w->n ? w->word[i] : "";
}

static int errno_of(const char *name) {
        for (int e = 1; e < 200; e++)
                if (streq(errno_name(e), name))
                        return e;
        return 0;
}

static int run_fault(Sim *sim, const Words *w, FILE *f) {
        SimFaultKind kind = SIM_FAULT_BLOCK;
        unsigned number = UINT_MAX, ms = 0, nth = 0;
        int error = 0;

        (void) f;
        for (size_t i = 2; i < w->n; i++) {
                const char *v;

                if ((v = startswith(w->word[i], "errno="))) {
                        kind = SIM_FAULT_ERRNO;
                        error = errno_of(v);
                        if (error == 0)
                                return -EINVAL;
                } else if ((v = startswith(w->word[i], "lie"))) {
                        kind = SIM_FAULT_LIE;
                        number = *v == '=' ? strtoul(v + 1, NULL, 10) : UINT_MAX;
                } else if ((v = startswith(w->word[i], "delay="))) {
                        kind = SIM_FAULT_DELAY;
                        ms = strtoul(v, NULL, 10);
                } else if ((v = startswith(w->word[i], "nth="))) {
                        nth = strtoul(v, NULL, 10);
                } else if (!streq(w->word[i], "block")) {
                        return -EINVAL;
                }
        }
        return w->n < 3 ? -EINVAL : sim_fault(sim, w->word[1], kind, error, number, ms, nth);
}

static int run_clear(Sim *sim, const Words *w, FILE *f) {
        (void) w;
        (void) f;
        sim_clear_faults(sim);
        return 0;
}

static int run_release(Sim *sim, const Words *w, FILE *f) {
        (void) w;
        (void) f;
        sim_go(sim);
        return 0;
}

static int run_hold(Sim *sim, const Words *w, FILE *f) {
        Bdf bdf;

        (void) f;
        if (bdf_parse(word(w, 1), &bdf) < 0)
                return -EINVAL;
        return sim_hold(sim, bdf, streq(w->word[0], "hold"));
}

static int run_inherit(Sim *sim, const Words *w, FILE *f) {
        Bdf bdf;

        (void) f;
        if (bdf_parse(word(w, 1), &bdf) < 0)
                return -EINVAL;
        return sim_inherit(sim, bdf, strtoul(word(w, 2), NULL, 10));
}

static int run_link(Sim *sim, const Words *w, FILE *f) {
        Bdf bdf;

        (void) f;
        if (bdf_parse(word(w, 1), &bdf) < 0)
                return -EINVAL;
        return sim_set_link(sim, bdf, streq(word(w, 2), "up"));
}

static int run_aer(Sim *sim, const Words *w, FILE *f) {
        Bdf bdf;

        (void) f;
        if (bdf_parse(word(w, 1), &bdf) < 0)
                return -EINVAL;
        return sim_aer(sim, bdf) ? 0 : -ENOENT;
}

static int run_button(Sim *sim, const Words *w, FILE *f) {
        Bdf bdf;

        (void) f;
        return bdf_parse(word(w, 1), &bdf) < 0 ? -EINVAL : sim_button(sim, bdf);
}

static int run_reports(Sim *sim, const Words *w, FILE *f) {
        sim_print_reports(sim, f);
        if (streq(word(w, 1), "forget"))
                sim_forget_reports(sim);
        return 0;
}

static int run_writes(Sim *sim, const Words *w, FILE *f) {
        fprintf(f, "%u\n", sim_writes(sim, w->n > 1 ? w->word[1] : NULL));
        return 0;
}

static int run_flying(Sim *sim, const Words *w, FILE *f) {
        (void) w;
        for (const SimOp *o = sim_sched(sim)->ops; o; o = o->next)
                if (o->ended == 0)
                        fprintf(f, "%s\n", o->what);
        return 0;
}

static int run_now(Sim *sim, const Words *w, FILE *f) {
        (void) w;
        fprintf(f, "%" PRIu64 "\n", sim_now(sim));
        return 0;
}

static const struct {
        const char *name;
        int (*run)(Sim *sim, const Words *w, FILE *f);
} commands[] = {
        { "fault", run_fault },   { "clear", run_clear },   { "release", run_release },
        { "hold", run_hold },     { "drop", run_hold },     { "inherit", run_inherit },
        { "link", run_link },     { "aer", run_aer },       { "reports", run_reports },
        { "writes", run_writes }, { "flying", run_flying }, { "now", run_now },
        { "button", run_button },
};

int control_run(Sim *sim, const char *command, FILE *f) {
        _cleanup_free_ char *copy = strdup(command);
        Words w = { .n = 0 };
        char *save = NULL;

        if (!copy)
                return -ENOMEM;
        for (char *s = strtok_r(copy, " ", &save); s && w.n < WORDS_MAX;
             s = strtok_r(NULL, " ", &save))
                w.word[w.n++] = s;
        for (size_t i = 0; i < ELEMENTSOF(commands); i++)
                if (w.n > 0 && streq(commands[i].name, w.word[0]))
                        return commands[i].run(sim, &w, f);
        return -EINVAL;
}
