/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Surprise: a device goes, or its driver does, at any moment of a job
 *
 * 20 rounds, 200 with SRIOVD_LONG. The moments are those of virtual time, spread over the whole of a job, so that each round
 * is the same in each run. Who takes the device is the slot's button, another's `remove`, or another's rmmod: none
 * can be kept out, and where the kernel itself deadlocks on it (KERNEL.md 3.1) nothing is left to us but to say so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "kernel/attr.h"
#include "tests/sim/outcome.h"

typedef enum Who {
        WHO_BUTTON,
        WHO_REMOVE,
        WHO_RMMOD,
        _WHO_MAX,
} Who;

static const char *const who_names[] = { "the button", "a foreign remove", "a foreign rmmod" };

typedef struct Round {
        unsigned number;
        const Case *c;
        SimVariant v;
        Who who;
        uint64_t ms;
        Sim *sim;
        Host h;
} Round;

static unsigned failures, n_deadlocks, results[_RESULT_MAX];

_printf_(3, 4) static bool check(const Round *r, bool ok, const char *format, ...) {
        va_list ap;

        if (ok)
                return true;
        failures++;
        print_error("round %u, %s in %s, %s at %llu ms: ", r->number, r->c->name,
                    sim_variant_to_string(r->v), who_names[r->who], (unsigned long long) r->ms);
        va_start(ap, format);
        vprint_error(format, ap);
        va_end(ap);
        print_error("\n");
        sim_print_reports(r->sim, stderr);
        return false;
}

/* Those of one igb in its own slot, that do something, and do not wait for a user. */
static bool fits(const Case *c) {
        return !c->topology && c->result == RESULT_DONE && bdf_equal(c->op.fn, IGB0) &&
               !(c->op.flags & OP_FORCE_IN_USE) && c->op.kind != OP_FOREIGN;
}

/* How long the job takes when nothing happens. */
static uint64_t duration_of(const Case *c, SimVariant v) {
        Sim *sim = case_world(c, v);
        uint64_t begun = sim_now(sim), ms;
        Fault fault;
        uint32_t id;
        Host h;

        case_host(c, sim, &h);
        id = host_submit(&h, &c->op, &fault);
        assert_true(id != 0 && host_run(&h));
        ms = host_end(&h, id)->ms - begun;
        host_done(&h);
        sim_free(sim);
        return ms;
}

static int strike(SimTask *t, void *arg) {
        const Round *r = arg;
        Kernel *k = sim_kernel(r->sim);

        (void) t;
        k->pause(k, (unsigned) r->ms);
        switch (r->who) {
        case WHO_BUTTON:
                (void) sim_button(r->sim, PORT0);
                break;
        case WHO_REMOVE:
                (void) k->write(k, ATTR_FN(ATTR_REMOVE, IGB0), "1");
                break;
        default:
                (void) k->unload_module(k, "igb");
                break;
        }
        return 0;
}

/* By itself, or with one of ours: for good. */
static bool kernel_is_lost(const Sim *sim) {
        return sim_reports(sim, SIM_DEADLOCK) + sim_reports(sim, SIM_OOPS) +
                       sim_reports(sim, SIM_HANG) + sim_reports(sim, SIM_UAF) >
               0;
}

/* The device is there again, with its driver and no VFs; then the next job must be one like any other. */
static void put_back(Round *r) {
        Kernel *k = sim_kernel(r->sim);
        const HostEnd *end;
        Fault fault;
        uint32_t id;

        (void) k->load_module(k, "igb");
        (void) sim_button(r->sim, PORT0);
        sim_settle(r->sim);
        (void) k->write(k, ATTR_BUS(ATTR_RESCAN), "1");
        (void) k->write(k, ATTR_FN(ATTR_NUMVFS, IGB0), "0");
        id = host_submit(&r->h, &(Op){ .kind = OP_SET_VFS, .fn = IGB1, .count = 2 }, &fault);
        if (!check(r, id != 0 && host_run(&r->h), "the next job does not end"))
                return;
        end = host_end(&r->h, id);
        check(r, end && end->result == RESULT_DONE, "the next job: %s",
              end ? job_result_to_string(end->result) : "not told of");
}

static void check_lost(Round *r, bool over) {
        Fault fault;
        Op next = { .kind = OP_SET_VFS, .fn = IGB1, .count = 1 };

        n_deadlocks++;
        check(r, kernel_is_lost(r->sim), "stuck, and the kernel is well");
        if (over)
                return;
        check(r, queue_is_closed(&r->h.queue) || queue_wedged(&r->h.queue), "stuck, and not told");
        if (queue_is_closed(&r->h.queue))
                check(r, host_submit(&r->h, &next, &fault) == 0 && fault.reason == FAULT_WEDGED,
                      "more is sent after a stuck write");
}

static void check_ended(Round *r, uint32_t id) {
        const HostEnd *end = host_end(&r->h, id);
        const char *parked = outcome_left_parked(r->sim);

        if (!check(r, end && end->times == 1, "is not told of once"))
                return;
        check(r, end->result > RESULT_NONE && end->result < _RESULT_MAX, "has no result");
        check(r, end->result == RESULT_DONE || end->fault.reason != FAULT_NONE,
              "%s, and no word why", job_result_to_string(end->result));
        results[end->result]++;
        if (kernel_is_lost(r->sim))
                return;
        check(r, !parked, "%s", parked ? parked : "");
        put_back(r);
}

static void play(Round *r) {
        Fault fault;
        uint32_t id;
        bool over;

        r->sim = case_world(r->c, r->v);
        case_host(r->c, r->sim, &r->h);
        assert_non_null(sched_spawn(sim_sched(r->sim), strike, r, NULL));
        id = host_submit(&r->h, &r->c->op, &fault);
        assert_int_not_equal(id, 0);
        over = host_run(&r->h);
        sim_settle(r->sim);
        /* A thread of the kernel's is nobody's write: whatever meets here would be two of ours. */
        if (r->who == WHO_BUTTON)
                check(r, sim_reports(r->sim, SIM_MEET) == 0, "two of ours met");
        if (over)
                check_ended(r, id);
        else
                check_lost(r, over);
        host_done(&r->h);
        sim_free(r->sim);
}

static const Case *nth_case(unsigned n) {
        for (;;)
                for (const Case *c = case_next(NULL); c; c = case_next(c))
                        if (fits(c) && n-- == 0)
                                return c;
}

static void whoever_goes_in_the_middle_of_a_job_leaves_a_named_result(void **state) {
        unsigned rounds = getenv("SRIOVD_LONG") ? 200 : 20;

        (void) state;
        for (unsigned i = 0; i < rounds; i++) {
                Round r = { .number = i, .c = nth_case(i), .v = i % _SIM_VARIANT_MAX };

                r.who = i / 2 % _WHO_MAX;
                /* The golden ratio's multiples fill any span evenly, however many there are. */
                r.ms = duration_of(r.c, r.v) * (i * 618 % 1000) / 1000;
                play(&r);
        }
        for (JobResult j = RESULT_NONE + 1; j < _RESULT_MAX; j++)
                if (results[j] > 0)
                        print_message("%s: %u\n", job_result_to_string(j), results[j]);
        print_message("the kernel itself was lost: %u\n", n_deadlocks);
        assert_int_equal(failures, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(whoever_goes_in_the_middle_of_a_job_leaves_a_named_result),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
