/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every operation, on every lock variant, with every write of it failing, lying or blocking in turn
 *
 * Whatever the kernel answers and wherever: the job ends once with a named result, nothing is in flight beside
 * another, no lock is taken the wrong way round beside another, no PF loses its driver while it has VFs, autoprobe is
 * what it was, nothing stays parked, and no VF keeps an override that is of no use to it or loses a driver for nothing. What is called
 * done is so.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "kernel/attr.h"
#include "tests/sim/outcome.h"

/* What each write answers. The errnos are those that KERNEL.md chapter 2 knows, by what follows from them. */
typedef struct Answer {
        const char *name;
        SimFaultKind kind;
        int error;
        unsigned number;
} Answer;

static const Answer answers[] = {
        { "EBUSY", SIM_FAULT_ERRNO, EBUSY, 0 },   { "ENODEV", SIM_FAULT_ERRNO, ENODEV, 0 },
        { "ENOENT", SIM_FAULT_ERRNO, ENOENT, 0 }, { "EINVAL", SIM_FAULT_ERRNO, EINVAL, 0 },
        { "ENOMEM", SIM_FAULT_ERRNO, ENOMEM, 0 }, { "EPERM", SIM_FAULT_ERRNO, EPERM, 0 },
        { "EAGAIN", SIM_FAULT_ERRNO, EAGAIN, 0 }, { "EIO", SIM_FAULT_ERRNO, EIO, 0 },
        { "ENOTTY", SIM_FAULT_ERRNO, ENOTTY, 0 }, { "nothing done", SIM_FAULT_LIE, 0, UINT_MAX },
        { "another count", SIM_FAULT_LIE, 0, 1 }, { "block", SIM_FAULT_BLOCK, 0, 0 },
};

/* The write that was made to fail, as it went by. */
typedef struct Watched {
        unsigned nth, seen;
        char path[128], value[64];
        char numvfs[ATTR_PATH_MAX]; /* of the PF under test */
        unsigned n_numvfs;
        const Queue *queue;
        bool back; /* it was on the way back */
} Watched;

static bool is_on_way_back(const Job *j) {
        return j->climb.phase == CLIMB_BACK || j->rolling;
}

static void watch(Sim *sim, const char *path, const char *value, int result, void *arg) {
        Watched *w = arg;

        (void) sim;
        w->n_numvfs += result > 0 && streq(path, w->numvfs);
        if (result <= 0 || ++w->seen != w->nth)
                return;
        w->back = queue_find(w->queue, 1) && is_on_way_back(queue_find(w->queue, 1));
        snprintf(w->path, sizeof(w->path), "%s", path);
        snprintf(w->value, sizeof(w->value), "%s", value);
}

static unsigned failures;

/* One case under test, and what it is compared with. */
typedef struct Trial {
        const Case *c;
        SimVariant v;
        const Answer *a;
        Watched w;
        Sim *sim;
        Host h;
        Before before;
        unsigned canceled_at; /* 0: not */
} Trial;

_printf_(3, 4) static bool check(const Trial *t, bool ok, const char *format, ...) {
        va_list ap;

        if (ok || ++failures > 40)
                return ok;
        print_error("%s in %s", t->c->name, sim_variant_to_string(t->v));
        if (t->a)
                print_error(", write %u (%s > %s): %s", t->w.nth, t->w.value, t->w.path,
                            t->a->name);
        if (t->canceled_at > 0)
                print_error(", canceled at step %u", t->canceled_at);
        print_error(": ");
        va_start(ap, format);
        vprint_error(format, ap);
        va_end(ap);
        print_error("\n");
        sim_print_reports(t->sim, stderr);
        return false;
}

/*
 * The VF that the failed write was about may be left as that left it: where it stands for itself, or where it failed on the
 * way back, or lied. Returns buf, "" = no VF.
 */
static const char *excuse(const Trial *t, const HostEnd *end, char buf[static 256]) {
        static const char *const files[] = { "driver_override", "/bind", "/unbind",
                                             "drivers_probe" };

        buf[0] = '\0';
        if (t->a && t->a->kind == SIM_FAULT_ERRNO && !t->w.back &&
            (!end || end->result != RESULT_PARTIAL))
                return buf;
        for (size_t i = 0; i < ELEMENTSOF(files); i++)
                if (strstr(t->w.path, files[i]))
                        snprintf(buf, 256, "%s > %s", t->w.value, t->w.path);
        return buf;
}

static void check_left(const Trial *t, const char *left) {
        check(t, !left, "%s", left ? left : "");
}

/* Nothing stays parked or held, but where the very write that gives it back was made to fail. */
static void check_left_behind(const Trial *t) {
        char buf[256];

        if (!strstr(t->w.path, "driver_override"))
                check_left(t, outcome_left_parked(t->sim));
        if (!strstr(t->w.path, "autoprobe"))
                check_left(t, outcome_left_probe(&t->before, t->sim));
        check_left(t, outcome_left_override(&t->before, t->c, t->sim,
                                            excuse(t, host_end(&t->h, 1), buf)));
}

static void trial_init(Trial *t, const Case *c, SimVariant v, const Answer *a, unsigned nth) {
        *t = (Trial){ .c = c, .v = v, .a = a, .w = { .nth = nth } };
        t->sim = case_world(c, v);
        before_note(&t->before, t->sim, case_pf(c, t->sim));
        attr_path_fn(ATTR_NUMVFS, t->before.pf, t->w.numvfs);
        t->w.queue = &t->h.queue;
        sim_on_write(t->sim, watch, &t->w);
        case_host(c, t->sim, &t->h);
}

static void trial_done(Trial *t) {
        for (int r = 0; r < _SIM_REPORT_MAX; r++)
                check(t, t->c->allows & 1u << r || sim_reports(t->sim, r) == 0,
                      "the kernel was put in danger: %s", sim_report_kind_to_string(r));
        check_left_behind(t);
        host_done(&t->h);
        sim_free(t->sim);
}

/* Somebody holds VF 0, and force began its unbind: nobody else may come to harm by that. */
static void check_forced(Trial *t) {
        /* Another program's own write, which we had no word in. */
        if (t->c->allows & 1u << SIM_USER_WAIT)
                return;
        check(t, t->w.n_numvfs == 0,
              "sriov_numvfs is written while a VF's unbind has not returned");
        check(t, !queue_is_closed(&t->h.queue), "one VF that is held closes the lane");
}

/* What blocks goes on, the user of a VF lets go: then all must end. */
static void trial_run(Trial *t) {
        bool over = host_run(&t->h);

        if (!over) {
                check(t, queue_wedged(&t->h.queue) != NULL, "stuck and not wedged");
                if (!t->a)
                        check_forced(t);
                sim_go(t->sim);
                sim_drop_all(t->sim);
                over = host_run(&t->h);
        }
        /* The fault may lie behind the user's leave. */
        if (!over) {
                sim_go(t->sim);
                over = host_run(&t->h);
        }
        check(t, over, "does not end");
}

/* What was asked to go back is where it was, if the one write that failed was not of the way back itself. */
static void check_rollback(const Trial *t, const HostEnd *end) {
        if (!(t->c->op.flags & OP_ROLLBACK) || end->result == RESULT_DONE || t->canceled_at > 0 ||
            (t->a && t->a->kind != SIM_FAULT_ERRNO))
                return;
        check_left(t, outcome_changed(&t->before, t->sim));
}

/* Whoever says that it is done has done it; and what it could not do has cost no VF the driver that it had. */
static void check_given(const Trial *t, const HostEnd *end) {
        char buf[256];

        switch (t->c->op.kind) {
        case OP_SET_VFS:
        case OP_APPLY:
        case OP_SET_VF:
        case OP_ESWITCH:
                break;
        default:
                return;
        }
        if (end->result == RESULT_DONE || end->result == RESULT_SKIPPED)
                check_left(t, outcome_differs(t->c, t->sim));
        else
                check_left(t, outcome_lost_driver(&t->before, t->c, t->sim, excuse(t, end, buf)));
}

/* What the case says of IGB0, where nothing was in the way. */
static void check_after(Trial *t) {
        Kernel *k = sim_kernel(t->sim);
        char numvfs[8] = "", driver[NAME_MAX_LENGTH] = "";

        if (t->a || t->canceled_at > 0)
                return;
        (void) k->read(k, ATTR_FN(ATTR_NUMVFS, IGB0), numvfs, sizeof(numvfs));
        (void) k->link(k, ATTR_FN(ATTR_DRIVER, IGB0), driver, sizeof(driver));
        check(t, !t->c->numvfs || streq(numvfs, t->c->numvfs), "'%s' VFs, not '%s'", numvfs,
              t->c->numvfs);
        check(t, !t->c->driver || streq(driver, t->c->driver), "driver '%s', not '%s'", driver,
              t->c->driver);
}

static uint32_t submit(Trial *t) {
        Fault fault;

        return t->c->op.kind == OP_FOREIGN
                       ? host_submit_foreign(&t->h, &t->c->op, t->c->value, &fault)
                       : host_submit(&t->h, &t->c->op, &fault);
}

static void check_end(Trial *t, uint32_t id) {
        const HostEnd *end = host_end(&t->h, id);

        if (!check(t, end && end->times == 1, "is not told of once"))
                return;
        check(t, end->result > RESULT_NONE && end->result < _RESULT_MAX, "has no result");
        check(t,
              t->a || t->canceled_at || t->c->result == _RESULT_MAX || t->c->result == end->result,
              "%s, not %s: %s", job_result_to_string(end->result),
              job_result_to_string(t->c->result),
              fault_format(&end->fault, (char[FAULT_STR_MAX]){ 0 }, FAULT_STR_MAX));
        check_rollback(t, end);
        check_given(t, end);
        check_after(t);
}

/* A job that waits behind it is not lost whatever comes of the first. */
static uint32_t submit_next(Trial *t) {
        Op next = { .kind = OP_SET_VFS,
                    .fn = bdf_equal(t->before.pf, IGB1) ? IGB0 : IGB1,
                    .count = 1 };
        Fault fault;

        /* Where it would be about what the first takes away it is refused at the door. */
        return t->c->topology && !streq(t->c->topology, "given")
                       ? 0
                       : host_submit(&t->h, &next, &fault);
}

static void run_with(const Case *c, SimVariant v, const Answer *a, unsigned nth,
                     unsigned *ret_writes) {
        unsigned base;
        uint32_t id, next;
        Trial t;

        trial_init(&t, c, v, a, nth);
        base = sim_writes(t.sim, NULL);
        if (a)
                sim_fault(t.sim, "*", a->kind, a->error, a->number, 0, nth);
        id = submit(&t);
        next = submit_next(&t);
        if (id != 0 || next != 0)
                trial_run(&t);
        if (id != 0)
                check_end(&t, id);
        else
                check(&t, c->result == RESULT_REFUSED, "refused at the door");
        if (next != 0)
                check(&t, host_end(&t.h, next) && host_end(&t.h, next)->times == 1,
                      "the job behind it is lost");
        *ret_writes = sim_writes(t.sim, NULL) - base;
        trial_done(&t);
}

/* Cancels when its nth step has begun. */
typedef struct Canceler {
        unsigned nth, seen;
} Canceler;

static void cancel_at(Host *h, const Step *step, void *arg) {
        Canceler *c = arg;
        Fault fault;

        (void) step;
        if (++c->seen == c->nth)
                queue_cancel(&h->queue, 1, 0, RESULT_CANCELED, &fault);
}

static bool cancel_run(const Case *c, SimVariant v, unsigned nth) {
        Canceler canceler = { .nth = nth };
        uint32_t id;
        Trial t;

        trial_init(&t, c, v, NULL, 0);
        t.canceled_at = nth;
        t.h.on_step = cancel_at;
        t.h.on_step_arg = &canceler;
        id = submit(&t);
        if (id != 0) {
                trial_run(&t);
                check_end(&t, id);
        }
        trial_done(&t);
        return canceler.seen >= nth;
}

static void a_cancel_between_any_two_steps_leaves_nothing(void **state) {
        (void) state;
        failures = 0;
        for (const Case *c = case_next(NULL); c; c = case_next(c))
                for (int v = 0; v < _SIM_VARIANT_MAX; v++)
                        for (unsigned nth = 1; cancel_run(c, v, nth); nth++)
                                ;
        assert_int_equal(failures, 0);
}

static void every_operation_ends_as_it_should_on_every_variant(void **state) {
        unsigned n;

        (void) state;
        failures = 0;
        for (const Case *c = case_next(NULL); c; c = case_next(c))
                for (int v = 0; v < _SIM_VARIANT_MAX; v++)
                        run_with(c, v, NULL, 0, &n);
        assert_int_equal(failures, 0);
}

/* What happens just as a write enters the kernel, when it is too late to look again. */
static void user_comes(Sim *sim, const char *path, const char *value, int result, void *arg) {
        char driver[NAME_MAX_LENGTH];
        Kernel *k = sim_kernel(sim);

        (void) arg;
        if (result != 1 || !strstr(path, "sriov_numvfs") || !streq(value, "0"))
                return;
        /* Without its driver there is no group to open. */
        if (k->link(k, ATTR_FN(ATTR_DRIVER, VF0), driver, sizeof(driver)) >= 0 &&
            streq(driver, "vfio-pci"))
                sim_hold(sim, VF0, true);
}

static void button_is_pressed(Sim *sim, const char *path, const char *value, int result,
                              void *arg) {
        /* The port's own, and the innermost one of the switch. */
        static const Bdf ports[] = { { 0, 0x0008 }, { 0, 0x0208 } };

        (void) value;
        (void) arg;
        for (size_t i = 0; i < ELEMENTSOF(ports); i++)
                if (result == 1 && streq(path, ATTR_FN(ATTR_REMOVE, PORT0)))
                        (void) sim_button(sim, ports[i]);
}

static void run_with_visitor(const Case *c, SimVariant v,
                             void (*visitor)(Sim *, const char *, const char *, int, void *)) {
        Trial t;

        trial_init(&t, c, v, NULL, 0);
        sim_on_write(t.sim, visitor, NULL);
        /* The guard would keep this user out: here it is the order alone that must do. */
        t.h.no_guards = true;
        if (submit(&t) != 0)
                trial_run(&t);
        trial_done(&t);
}

/* Dies without the rung park-vf. */
static void a_user_who_comes_late_is_never_waited_for_under_the_global_lock(void **state) {
        (void) state;
        failures = 0;
        for (const Case *c = case_next(NULL); c; c = case_next(c))
                for (int v = 0; v < _SIM_VARIANT_MAX; v++)
                        run_with_visitor(c, v, user_comes);
        assert_int_equal(failures, 0);
}

/* Dies without the rung quiet-port. */
static void a_button_that_is_pressed_while_its_port_goes_is_heard_by_nobody(void **state) {
        (void) state;
        failures = 0;
        for (const Case *c = case_next(NULL); c; c = case_next(c))
                for (int v = 0; v < _SIM_VARIANT_MAX; v++)
                        run_with_visitor(c, v, button_is_pressed);
        assert_int_equal(failures, 0);
}

/* What VFs are given takes no lock of which there are variants: each of these cases has its turn on one, and all with SRIOVD_LONG. */
static bool is_its_turn(const Case *c, size_t index, int v) {
        return !c->topology || !streq(c->topology, "given") || getenv("SRIOVD_LONG") ||
               index % _SIM_VARIANT_MAX == (size_t) v;
}

static void whatever_a_write_answers_nothing_is_left_and_nothing_meets(void **state) {
        unsigned long runs = 0;
        size_t i = 0;

        (void) state;
        failures = 0;
        for (const Case *c = case_next(NULL); c; c = case_next(c), i++)
                for (int v = 0; v < _SIM_VARIANT_MAX; v++) {
                        unsigned n, ignored;

                        if (!is_its_turn(c, i, v))
                                continue;
                        run_with(c, v, NULL, 0, &n);
                        for (unsigned nth = 1; nth <= n; nth++)
                                for (size_t a = 0; a < ELEMENTSOF(answers); a++, runs++)
                                        run_with(c, v, &answers[a], nth, &ignored);
                }
        print_message("%lu climbs\n", runs);
        assert_int_equal(failures, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_operation_ends_as_it_should_on_every_variant),
                cmocka_unit_test(a_user_who_comes_late_is_never_waited_for_under_the_global_lock),
                cmocka_unit_test(a_button_that_is_pressed_while_its_port_goes_is_heard_by_nobody),
                cmocka_unit_test(a_cancel_between_any_two_steps_leaves_nothing),
                cmocka_unit_test(whatever_a_write_answers_nothing_is_left_and_nothing_meets),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
