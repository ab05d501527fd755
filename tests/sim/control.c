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

#define WORDS_MAX 12

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
        if (streq(w->word[0], "drop") && streq(word(w, 1), "all")) {
                sim_drop_all(sim);
                return 0;
        }
        if (bdf_parse(word(w, 1), &bdf) < 0)
                return -EINVAL;
        return sim_hold(sim, bdf, streq(w->word[0], "hold"));
}

/* "use ADDRESS KIND [DETAIL...]", "use ADDRESS up" */
static int run_use(Sim *sim, const Words *w, FILE *f) {
        HolderKind kind = holder_kind_from_string(word(w, 2));
        char detail[128] = "";
        Bdf bdf;

        (void) f;
        if (bdf_parse(word(w, 1), &bdf) < 0)
                return -EINVAL;
        if (streq(w->word[0], "unuse"))
                return sim_unuse(sim, bdf);
        /* Up, with nothing on it: nobody's use. */
        if (streq(word(w, 2), "up") || streq(word(w, 2), "down"))
                return sim_set_link(sim, bdf, streq(word(w, 2), "up"));
        if (kind == _HOLDER_KIND_MAX)
                return -EINVAL;
        for (size_t i = 3; i < w->n; i++) {
                strncat(detail, i > 3 ? " " : "", sizeof(detail) - strlen(detail) - 1);
                strncat(detail, w->word[i], sizeof(detail) - strlen(detail) - 1);
        }
        return sim_use(sim, bdf, kind, w->n > 3 ? detail : NULL);
}

static int run_users(Sim *sim, const Words *w, FILE *f) {
        _cleanup_(holders_done) Holders all = {};
        char buf[HOLDER_STR_MAX];
        Kernel *k = sim_kernel(sim);
        Bdf bdf;
        int r = bdf_parse(word(w, 1), &bdf) < 0 ? -EINVAL : k->users(k, &bdf, 1, USERS_TEST, &all);

        for (size_t i = 0; i < all.n; i++)
                fprintf(f, "%s\n", holder_format(&all.items[i], buf, sizeof(buf)));
        return r;
}

static int run_rtnl(Sim *sim, const Words *w, FILE *f) {
        (void) f;
        sim_hold_rtnl(sim, streq(word(w, 1), "hold"));
        return 0;
}

/* "given ADDRESS": what the VFs of a PF have, a line each, and its eswitch */
static int run_given(Sim *sim, const Words *w, FILE *f) {
        Kernel *k = sim_kernel(sim);
        Eswitch mode = ESWITCH_KEEP;
        VfAttrs attrs[16] = {};
        char text[VFATTRS_TEXT_MAX];
        Bdf pf;
        int r = bdf_parse(word(w, 1), &pf) < 0 ? -EINVAL
                                               : k->vf_attrs(k, pf, 0, ELEMENTSOF(attrs), attrs);

        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(attrs); i++)
                if (attrs[i].has != 0)
                        fprintf(f, "vf%zu %s\n", i,
                                vfattrs_format(attrs + i, _VFATTR_MAX, text, sizeof(text)));
        if (k->eswitch_get(k, pf, &mode) >= 0)
                fprintf(f, "eswitch %s\n", eswitch_to_string(mode));
        return 0;
}

static int run_give(Sim *sim, const Words *w, FILE *f) {
        Kernel *k = sim_kernel(sim);
        VfAttrs attrs;
        Bdf pf;

        (void) f;
        if (bdf_parse(word(w, 1), &pf) < 0 || vfattrs_parse(word(w, 3), &attrs) < 0)
                return -EINVAL;
        for (VfAttr a = 0; a < _VFATTR_MAX; a++)
                if (vfattrs_have(&attrs, a))
                        return k->vf_set(k, pf, (uint32_t) strtoul(word(w, 2), NULL, 10), a,
                                         &attrs);
        return -EINVAL;
}

static int run_overrides(Sim *sim, const Words *w, FILE *f) {
        _cleanup_strv_ char **names = NULL;
        Kernel *k = sim_kernel(sim);
        int r = k->list(k, "bus/pci/devices", &names);

        (void) w;
        STRV_FOREACH (name, names) {
                char path[96], buf[64];

                snprintf(path, sizeof(path), "bus/pci/devices/%s/driver_override", *name);
                if (k->read(k, path, buf, sizeof(buf)) > 0 && !streq(buf, "(null)"))
                        fprintf(f, "%s %s\n", *name, buf);
        }
        return r;
}

static int run_where(Sim *sim, const Words *w, FILE *f) {
        const SimTask *t = sim_task_of(sim, strtoul(word(w, 1), NULL, 10));
        char stack[512];

        fputs(t ? sim_stack(t, stack, sizeof(stack)) : "unknown", f);
        return 0;
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

/* "udev hold" and "udev release" */
static int run_udev(Sim *sim, const Words *w, FILE *f) {
        (void) f;
        sim_hold_udev(sim, streq(word(w, 1), "hold"));
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
        { "button", run_button }, { "use", run_use },       { "unuse", run_use },
        { "users", run_users },   { "where", run_where },   { "overrides", run_overrides },
        { "rtnl", run_rtnl },     { "given", run_given },   { "udev", run_udev },
        { "give", run_give },
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
