/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other programs at the doors, with what they do played by the test
 */
#pragma once

#include "tests/unit/queue-play.h"

#define FORCED (OP_FORCE_IN_USE | OP_FORCE_STORAGE)

static inline Op foreign(Door door, Bdf fn, uint32_t flags) {
        return (Op){ .kind = OP_FOREIGN, .door = door, .fn = fn, .flags = flags };
}

static inline Op foreign_driver(Door door, const char *driver, uint32_t flags) {
        Op op = foreign(door, BDF_NONE, flags);

        str_copy(op.driver, sizeof(op.driver), driver);
        return op;
}

static inline Op foreign_slot(uint32_t flags) {
        Op op = foreign(DOOR_SLOT, BDF_NONE, flags);

        str_copy(op.slot, sizeof(op.slot), "1");
        return op;
}

static inline Op at(Door door, uint32_t flags) {
        if (door == DOOR_SLOT)
                return foreign_slot(flags);
        if (door == DOOR_BIND || door == DOOR_UNBIND)
                return foreign_driver(door, "igb", flags);
        return foreign(door, door_names_function(door) ? PF : BDF_NONE, flags);
}

/* Answers "done" up to the step of that rung. */
static inline Effect play_to(Queue *q, const Snapshot *s, Rung rung) {
        for (;;) {
                Effect e = run(q, s);

                assert_int_equal(e.kind, EFFECT_STEP);
                if (e.step->rung == rung)
                        return e;
                answer(q, &e, STEP_DONE, 0);
        }
}

/* What is done from here on, as one line; the job's end is left in *e. */
static inline const char *rest(Queue *q, const Snapshot *s, Effect *e) {
        static char line[512];
        size_t n = 0;

        line[0] = '\0';
        while ((*e = run(q, s)).kind == EFFECT_STEP) {
                n += (size_t) snprintf(line + n, sizeof(line) - n, "%s%s", n > 0 ? " " : "",
                                       rung_to_string(e->step->rung));
                answer(q, e, STEP_DONE, 0);
        }
        assert_int_equal(e->kind, EFFECT_FINISH);
        return line;
}

static inline bool warns(const Job *j, FaultReason reason) {
        for (uint32_t i = 0; i < j->n_warnings; i++)
                if (j->warnings[i].reason == reason)
                        return true;
        return false;
}
