/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scenario-sim, scenario-sysfs: play scenario files and say how they went
 *
 *      scenario-sim [--variant=V] FILE...
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "kernel/scan.h"
#include "tests/scenario/scenario.h"

typedef struct Tally {
        unsigned passed, failed, skipped;
} Tally;

static void run_done(Run *run) {
        for (size_t c = 0; c < run->n_children; c++)
                if (run->children[c].pid > 0)
                        process_end(run->children[c].pid);
        snapshot_free(run->at_start);
        free(run->out);
        free(run->err);
}

/* 0 passed, 1 failed, 2 skipped. *ret_line: where. */
static int play_lines(Run *run, unsigned *ret_line) {
        int r = scan_all(run->kernel, &run->at_start);

        *ret_line = 1;
        if (r < 0)
                return fail(run, "cannot look at the host: %s", strerror(-r));
        for (size_t i = 0; i < run->script->n_lines; i++) {
                *ret_line = run->script->lines[i].number;
                r = directive_run(run, i);
                if (r != 0)
                        return r;
        }
        return 0;
}

static const Line *line_named(const Script *s, const char *name) {
        for (size_t i = 0; i < s->n_lines; i++)
                if (streq(s->lines[i].words[0], name))
                        return &s->lines[i];
        return NULL;
}

static int play(const Script *s, const char *variant, Run *run, unsigned *ret_line) {
        const Line *topology = line_named(s, "topology"), *deadline = line_named(s, "deadline");
        int r;

        if (deadline)
                setenv("SRIOVD_SIM_DEADLINE", deadline->words[1], 1);
        else
                unsetenv("SRIOVD_SIM_DEADLINE");
        *run = (Run){ .script = s };
        *ret_line = 0;
        run->stage = stage_open(variant, topology ? topology->words[1] : "default");
        if (!run->stage)
                return fail(run, "the stage cannot be set");
        run->kernel = stage_kernel(run->stage);
        r = play_lines(run, ret_line);
        if (r != 2)
                stage_put_back(run);
        if (r == 0 && stage_complains(run->stage, run->why, sizeof(run->why)))
                r = 1;
        run_done(run);
        run->stage = stage_close(run->stage);
        return r;
}

static void tell(const Script *s, const char *variant, const Run *run, int r, unsigned line,
                 Tally *tally) {
        char name[128], *nl;
        char why[WHY_MAX];

        snprintf(name, sizeof(name), "%.90s%s%s%s", s->name, variant[0] ? " (" : "", variant,
                 variant[0] ? ")" : "");
        snprintf(why, sizeof(why), "%s", run->why);
        while ((nl = strchr(why, '\n')))
                *nl = ' ';
        if (r == 0) {
                printf("ok %s\n", name);
                tally->passed++;
        } else if (r == 2) {
                printf("skip %s: %s\n", name, why);
                tally->skipped++;
        } else {
                printf("not ok %s: %s (line %u)\n", name, why, line);
                tally->failed++;
        }
        fflush(stdout);
}

static bool has_variant(const Script *s, const char *variant) {
        const Line *l = line_named(s, "variant");

        for (size_t w = 1; l && w < l->n; w++)
                if (streq(l->words[w], variant))
                        return true;
        return !l || variant[0] == '\0';
}

static int play_file(const char *path, const char *only, Tally *tally) {
        _cleanup_(script_freep) Script *s = NULL;
        int r = script_read(path, &s);

        if (r < 0) {
                tally->failed++;
                return r;
        }
        for (const char *const *v = stage_variants; *v; v++) {
                unsigned line;
                Run run;

                if (!has_variant(s, *v) || (only && !streq(only, *v)))
                        continue;
                r = play(s, *v, &run, &line);
                tell(s, *v, &run, r, line, tally);
                if (r == 2)
                        break;
        }
        return 0;
}

int main(int argc, char **argv) {
        const char *only = NULL;
        Tally tally = { 0 };

        signal(SIGPIPE, SIG_IGN);
        for (int i = 1; i < argc; i++)
                if (startswith(argv[i], "--variant="))
                        only = startswith(argv[i], "--variant=");
                else
                        play_file(argv[i], only, &tally);
        printf("scenarios: %u passed, %u failed, %u skipped\n", tally.passed, tally.failed,
               tally.skipped);
        return tally.failed > 0 || tally.passed + tally.skipped == 0;
}
