/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * given: what a real kernel answers to lib/kernel about what VFs are given, without a daemon
 *
 * usage: given attrs PF N                a line for each of N VFs
 *        given set PF INDEX KEY=VALUE... one attribute of one VF, as the seam has it
 *        given climb RUNG PF N [NAME]    the step, with its proof
 *        given eswitch PF
 *        given facts PF
 *
 * Prints "0" or the errno's name, or for climb the answer and the errno.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/fault.h"
#include "core/policy.h"
#include "kernel/step.h"

static int say(int r) {
        printf("%s\n", r < 0 ? errno_name(-r) : "0");
        return r < 0;
}

static int show_attrs(Kernel *k, Bdf pf, uint32_t n) {
        _cleanup_free_ VfAttrs *all = calloc((size_t) n + 1, sizeof(VfAttrs));
        char text[VFATTRS_TEXT_MAX];
        int r;

        if (!all)
                return say(-ENOMEM);
        r = k->vf_attrs(k, pf, 0, n, all);
        if (r < 0)
                return say(r);
        for (uint32_t i = 0; i < n; i++)
                printf("vf%u %s\n", i, vfattrs_format(all + i, _VFATTR_MAX, text, sizeof(text)));
        return 0;
}

static int set(Kernel *k, Bdf pf, uint32_t index, char **words) {
        VfAttrs attrs = {};
        VfAttr attr = 0;

        for (; *words; words++)
                if (vfattrs_parse(*words, &attrs) < 0)
                        return say(-EINVAL);
        while (attr < _VFATTR_MAX && !vfattrs_have(&attrs, attr))
                attr++;
        return say(attr < _VFATTR_MAX ? k->vf_set(k, pf, index, attr, &attrs) : -EINVAL);
}

static int climb(Kernel *k, const char *rung, Bdf pf, uint32_t n, const char *name) {
        Step step = { .rung = rung_from_string(rung), .fn = pf, .vf = BDF_NONE, .n = n };
        StepResult result;

        if (step.rung == _RUNG_MAX || str_copy(step.name, sizeof(step.name), name) < 0)
                return say(-EINVAL);
        step_climb(k, &step, &result, NULL);
        printf("%s %s %s\n", step_answer_to_string(result.answer),
               result.error ? errno_name(result.error) : "0", result.text);
        return result.answer != STEP_DONE;
}

static int show_facts(Kernel *k, Bdf pf) {
        PfFacts f = {};
        int r = k->facts(k, pf, &f);

        if (r < 0)
                return say(r);
        STRV_FOREACH (s, f.altnames)
                printf("altname %s\n", *s);
        STRV_FOREACH (s, f.macs)
                printf("mac %s\n", *s);
        printf("serial %s\npath %s\n", f.serial ? f.serial : "-", f.path ? f.path : "-");
        pf_facts_done(&f);
        return 0;
}

static int show_eswitch(Kernel *k, Bdf pf) {
        Eswitch mode = ESWITCH_KEEP;
        int r = k->eswitch_get(k, pf, &mode);

        if (r < 0)
                return say(r);
        printf("%s\n", eswitch_to_string(mode));
        return 0;
}

int main(int argc, char **argv) {
        _cleanup_(kernel_freep) Kernel *k = kernel_open();
        const char *verb = argc > 1 ? argv[1] : "";
        Bdf pf;

        if (!k)
                return say(-errno);
        if (streq(verb, "climb") && argc >= 5 && bdf_parse(argv[3], &pf) >= 0)
                return climb(k, argv[2], pf, (uint32_t) atoi(argv[4]), argc > 5 ? argv[5] : "");
        if (argc < 3 || bdf_parse(argv[2], &pf) < 0)
                return say(-EINVAL);
        if (streq(verb, "attrs") && argc == 4)
                return show_attrs(k, pf, (uint32_t) atoi(argv[3]));
        if (streq(verb, "set") && argc >= 5)
                return set(k, pf, (uint32_t) atoi(argv[3]), argv + 4);
        if (streq(verb, "facts"))
                return show_facts(k, pf);
        if (streq(verb, "eswitch"))
                return show_eswitch(k, pf);
        return say(-EINVAL);
}
