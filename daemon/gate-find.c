/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Gate, for the doctor
 */
#include <stdarg.h>
#include <stdio.h>

#include "base/macro.h"
#include "base/str.h"

#include "daemon/gate-find.h"
#include "daemon/manager.h"
#include "daemon/turn.h"

static int tell(Findings *ret, FindingState state, const char *subject, const char *format, ...)
        _printf_(4, 5);
static int tell(Findings *ret, FindingState state, const char *subject, const char *format, ...) {
        Finding f = { .state = state, .check = "gate" };
        va_list ap;

        snprintf(f.subject, sizeof(f.subject), "%.63s", subject);
        va_start(ap, format);
        vsnprintf(f.text, sizeof(f.text), format, ap);
        va_end(ap);
        return findings_add(ret, &f);
}

static int find_off(const Manager *m, Findings *ret) {
        const Gate *g = &m->gate;

        /* A kernel that is simulated has nobody else. */
        if (g->mode != GATE_OFF || g->wanted == GATE_OFF || !m->kernel->sys)
                return 0;
        return tell(ret, FINDING_WARN, "",
                    "off, though sriovd.conf or 'sriovctl gate' says '%s': %s; what other programs "
                    "write to sysfs meets what sriovd writes",
                    gate_mode_to_string(g->wanted),
                    g->why_off[0] != '\0' ? g->why_off : "it could not be opened");
}

static int find_doors(const Gate *g, Findings *ret) {
        _cleanup_strv_ char **lines = others_uncovered(&g->others);
        int r = 0;

        if (g->marks.n_failed > 0)
                r = tell(ret, FINDING_WARN, "",
                         "%zu files that are there could not be held; the journal says why",
                         g->marks.n_failed);
        STRV_FOREACH (line, lines)
                if (r >= 0)
                        r = tell(ret, FINDING_WARN, "", "not held: %s", *line);
        return r;
}

static int find_unordered(const Gate *g, Findings *ret) {
        int r = 0;

        for (size_t i = 0; i < g->n_turns && r >= 0; i++) {
                const Opener *o = &g->turns[i]->who;

                if (g->turns[i]->state == TURN_UNORDERED)
                        r = tell(ret, FINDING_WARN, o->command,
                                 "process %d keeps '%s' open, and what it writes there is in no "
                                 "order; it is over when it closes that or ends",
                                 (int) o->pid, o->file);
        }
        return r;
}

int gate_find(const Manager *m, Findings *ret) {
        const Gate *g = &m->gate;
        size_t before = ret->n;
        int r = find_off(m, ret);

        if (r >= 0)
                r = find_doors(g, ret);
        if (r >= 0)
                r = find_unordered(g, ret);
        if (r >= 0 && ret->n == before)
                r = tell(ret, FINDING_OK, "", "%s, as it is wanted", gate_mode_to_string(g->mode));
        return r;
}
