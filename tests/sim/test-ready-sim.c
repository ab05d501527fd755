/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is ready, and the lane
 *
 * A rule of udev's may write to a door, and its worker is then held at the gate until the job that made its device is over. Until
 * that worker goes on, udev takes nothing of that device in. A job that waited for its devices to be ready would wait for
 * itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/sim/cases.h"
#include "tests/sim/host.h"

#define SERIALIZE (OP_FORCE_IN_USE | OP_FORCE_STORAGE)

/* The worker: it has the events of the first VF, and writes to a door of another PF. */
typedef struct Worker {
        uint32_t job;
        bool knocked;
        unsigned n_ready; /* looks at VF0 within the job that made it, in which it was ready */
} Worker;

static void udev_works(Host *h, const Step *step, void *arg) {
        static const Op rule = {
                .kind = OP_FOREIGN, .fn = IGB1, .door = DOOR_RESET, .flags = SERIALIZE
        };
        Kernel *k = sim_kernel(h->sim);
        Worker *w = arg;
        Fault fault;

        if (step->rung == RUNG_VFS_ON) {
                sim_hold_udev(h->sim, true);
                w->job = host_submit_foreign(h, &rule, "1", &fault);
                w->knocked = true;
        } else if (step->rung == RUNG_ADMIT)
                sim_hold_udev(h->sim, false);
        else if (w->knocked)
                w->n_ready += k->initialized(k, VF0) > 0;
}

static void run(SimVariant v) {
        Op op = { .kind = OP_SET_VFS, .fn = IGB0, .count = 2, .driver = "igbvf" };
        Sim *sim = sim_new(&(SimConfig){ .variant = v });
        Worker w = {};
        Kernel *k;
        uint32_t ours;
        Fault fault;
        Host h;

        assert_non_null(sim);
        k = sim_kernel(sim);
        host_init(&h, sim);
        h.on_step = udev_works;
        h.on_step_arg = &w;
        ours = host_submit(&h, &op, &fault);
        assert_int_not_equal(ours, 0);
        assert_true(host_run(&h));
        assert_int_not_equal(w.job, 0);
        assert_int_equal(w.n_ready, 0);
        assert_int_equal(host_end(&h, ours)->result, RESULT_DONE);
        assert_int_equal(host_end(&h, w.job)->result, RESULT_DONE);
        assert_true(host_end(&h, ours)->ms <= host_end(&h, w.job)->ms);
        assert_int_equal(k->initialized(k, VF0), KERNEL_UDEV_IDLE);
        host_done(&h);
        sim_free(sim);
}

static void a_job_waits_for_no_udev_that_waits_at_the_gate(void **state) {
        (void) state;
        for (SimVariant v = 0; v < _SIM_VARIANT_MAX; v++)
                run(v);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_job_waits_for_no_udev_that_waits_at_the_gate),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
