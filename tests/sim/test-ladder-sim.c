/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every operation, on every lock variant, with every write of it failing, lying or blocking in turn
 *
 * Whatever the kernel answers and wherever: the job ends once with a named result, nothing is in flight beside
 * another, no lock is taken the wrong way round beside another, no PF loses its driver while it has VFs, autoprobe is
 * what it was and nothing stays parked.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "kernel/attr.h"
#include "tests/sim/host.h"

#define IGB0 ((Bdf){ 0, 0x0100 })
#define IGB1 ((Bdf){ 0, 0x0200 })
#define NVME ((Bdf){ 0, 0x0300 })
#define PORT0 ((Bdf){ 0, 0x0008 })
#define VF0 ((Bdf){ 0, 0x0180 })

static void must(int r) {
        if (r < 0)
                fail_msg("setting up: %s", strerror(-r));
}

static void fresh(Sim *sim) {
        (void) sim;
}

static void with_vfs(Sim *sim) {
        Kernel *k = sim_kernel(sim);

        must(k->write(k, ATTR_FN(ATTR_NUMVFS, IGB0), "3"));
}

static void with_vfio_vfs(Sim *sim) {
        Kernel *k = sim_kernel(sim);

        must(k->load_module(k, "vfio-pci"));
        must(k->write(k, ATTR_FN(ATTR_AUTOPROBE, IGB0), "0"));
        must(k->write(k, ATTR_FN(ATTR_NUMVFS, IGB0), "2"));
        for (unsigned i = 0; i < 2; i++) {
                Bdf vf = { 0, 0x0180 + 2 * i };

                must(k->write(k, ATTR_FN(ATTR_OVERRIDE, vf), "vfio-pci"));
                must(k->write(k, ATTR_NAME(ATTR_DRIVER_BIND, "vfio-pci"), BDF_STR(vf)));
        }
}

static void with_held_vf(Sim *sim) {
        with_vfio_vfs(sim);
        must(sim_hold(sim, VF0, true));
}

static void inherited(Sim *sim) {
        must(sim_inherit(sim, IGB0, 3));
}

static void inherited_driverless(Sim *sim) {
        Kernel *k = sim_kernel(sim);

        must(sim_inherit(sim, IGB0, 3));
        must(k->write(k, ATTR_NAME(ATTR_DRIVER_UNBIND, "igb"), BDF_STR(IGB0)));
}

static void driverless(Sim *sim) {
        Kernel *k = sim_kernel(sim);

        must(k->write(k, ATTR_NAME(ATTR_DRIVER_UNBIND, "igb"), BDF_STR(IGB0)));
}

static void nvme_with_vfs(Sim *sim) {
        Kernel *k = sim_kernel(sim);

        must(k->write(k, ATTR_FN(ATTR_NUMVFS, NVME), "2"));
}

static void slot_off(Sim *sim) {
        Kernel *k = sim_kernel(sim);

        must(k->write(k, ATTR_NAME(ATTR_SLOT_POWER, "1"), "0"));
}

static void removed(Sim *sim) {
        Kernel *k = sim_kernel(sim);

        must(k->write(k, ATTR_FN(ATTR_REMOVE, IGB0), "1"));
}

static void with_vfs_behind_switch(Sim *sim) {
        Kernel *k = sim_kernel(sim);

        must(k->write(k, ATTR_FN(ATTR_NUMVFS, ((Bdf){ 0, 0x0300 })), "2"));
        must(k->write(k, ATTR_FN(ATTR_NUMVFS, ((Bdf){ 0, 0x0400 })), "3"));
}

typedef struct Case {
        const char *name;
        void (*before)(Sim *);
        Op op;
        JobResult result; /* when all goes well */
        const char *topology;
} Case;

#define CASE(n, b, r, ...)                                                                         \
        {                                                                                          \
                .name = n, .before = b, .result = r, .op = {.fn = BDF_NONE, __VA_ARGS__ }          \
        }

static const Case cases[] = {
        CASE("enable", fresh, RESULT_DONE, .kind = OP_SET_VFS, .fn = IGB0, .count = 3),
        CASE("enable with vfio-pci", fresh, RESULT_DONE, .kind = OP_SET_VFS, .fn = IGB0, .count = 2,
             .driver = "vfio-pci"),
        CASE("enable nvme", fresh, RESULT_DONE, .kind = OP_SET_VFS, .fn = NVME, .count = 2),
        CASE("enable, driverless", driverless, _RESULT_MAX, .kind = OP_SET_VFS, .fn = IGB0,
             .count = 2),
        CASE("resize", with_vfs, RESULT_DONE, .kind = OP_SET_VFS, .fn = IGB0, .count = 2),
        CASE("resize of vfio", with_vfio_vfs, RESULT_DONE, .kind = OP_SET_VFS, .fn = IGB0,
             .count = 3, .driver = "vfio-pci"),
        CASE("already so", with_vfs, RESULT_SKIPPED, .kind = OP_SET_VFS, .fn = IGB0, .count = 3),
        CASE("disable", with_vfs, RESULT_DONE, .kind = OP_SET_VFS, .fn = IGB0),
        CASE("disable vfio", with_vfio_vfs, RESULT_DONE, .kind = OP_SET_VFS, .fn = IGB0),
        CASE("disable held", with_held_vf, RESULT_REFUSED, .kind = OP_SET_VFS, .fn = IGB0),
        CASE("disable inherited", inherited, RESULT_DONE, .kind = OP_SET_VFS, .fn = IGB0),
        CASE("disable inherited, driverless", inherited_driverless, RESULT_DONE, .kind = OP_SET_VFS,
             .fn = IGB0),
        CASE("resize inherited", inherited, RESULT_DONE, .kind = OP_SET_VFS, .fn = IGB0,
             .count = 1),
        CASE("disable nvme", nvme_with_vfs, RESULT_DONE, .kind = OP_SET_VFS, .fn = NVME),
        CASE("bind the PF", driverless, RESULT_DONE, .kind = OP_BIND, .fn = IGB0, .driver = "igb"),
        CASE("bind the PF, any driver", driverless, RESULT_DONE, .kind = OP_BIND, .fn = IGB0),
        CASE("bind the PF to vfio-pci", with_vfs, RESULT_DONE, .kind = OP_BIND, .fn = IGB0,
             .driver = "vfio-pci"),
        CASE("bind a VF to vfio-pci", with_vfs, RESULT_DONE, .kind = OP_BIND, .fn = VF0,
             .driver = "vfio-pci"),
        CASE("bind a VF to its default", with_vfio_vfs, _RESULT_MAX, .kind = OP_BIND, .fn = VF0),
        CASE("unbind a VF", with_vfs, RESULT_DONE, .kind = OP_UNBIND, .fn = VF0),
        CASE("unbind a held VF", with_held_vf, RESULT_REFUSED, .kind = OP_UNBIND, .fn = VF0),
        CASE("unbind the PF", with_vfs, RESULT_DONE, .kind = OP_UNBIND, .fn = IGB0),
        CASE("unbind the PF with inherited VFs", inherited, RESULT_DONE, .kind = OP_UNBIND,
             .fn = IGB0),
        CASE("unbind nvme", nvme_with_vfs, RESULT_DONE, .kind = OP_UNBIND, .fn = NVME),
        CASE("remove", with_vfs, RESULT_DONE, .kind = OP_REMOVE, .fn = IGB0),
        CASE("remove held", with_held_vf, RESULT_REFUSED, .kind = OP_REMOVE, .fn = IGB0),
        CASE("remove and rescan", with_vfio_vfs, RESULT_DONE, .kind = OP_REMOVE, .fn = IGB0,
             .flags = OP_RESCAN_AFTER),
        CASE("remove nvme and rescan", nvme_with_vfs, RESULT_DONE, .kind = OP_REMOVE, .fn = NVME,
             .flags = OP_RESCAN_AFTER),
        CASE("remove inherited", inherited_driverless, RESULT_DONE, .kind = OP_REMOVE, .fn = IGB0),
        CASE("remove the bridge", with_vfs, RESULT_DONE, .kind = OP_REMOVE, .fn = PORT0),
        CASE("remove the bridge and rescan", with_vfs, RESULT_DONE, .kind = OP_REMOVE, .fn = PORT0,
             .flags = OP_RESCAN_AFTER),
        { .name = "remove a switch",
          .before = with_vfs_behind_switch,
          .result = RESULT_DONE,
          .topology = "switch",
          .op = { .kind = OP_REMOVE, .fn = PORT0, .flags = OP_RESCAN_AFTER } },
        { .name = "remove all functions",
          .before = with_vfs,
          .result = RESULT_DONE,
          .topology = "dual",
          .op = { .kind = OP_REMOVE, .fn = IGB0, .flags = OP_ALL_FUNCTIONS } },
        { .name = "remove the lowest function",
          .before = with_vfs,
          .result = RESULT_REFUSED,
          .topology = "dual",
          .op = { .kind = OP_REMOVE, .fn = IGB0 } },
        CASE("rescan", removed, RESULT_DONE, .kind = OP_RESCAN, .fn = IGB0),
        CASE("rescan all", removed, RESULT_DONE, .kind = OP_RESCAN),
        CASE("reset the PF", fresh, RESULT_DONE, .kind = OP_RESET, .fn = IGB0),
        CASE("reset the PF with VFs", with_vfs, RESULT_REFUSED, .kind = OP_RESET, .fn = IGB0),
        CASE("reset a VF", with_vfs, RESULT_DONE, .kind = OP_RESET, .fn = VF0),
        CASE("reset a vfio VF", with_vfio_vfs, RESULT_DONE, .kind = OP_RESET, .fn = VF0),
        CASE("slot off", with_vfs, RESULT_DONE, .kind = OP_SLOT_OFF, .slot = "1"),
        CASE("slot on", slot_off, RESULT_DONE, .kind = OP_SLOT_ON, .slot = "1"),
        CASE("unload", with_vfs, RESULT_DONE, .kind = OP_UNLOAD, .driver = "igb"),
        CASE("unload nvme", nvme_with_vfs, RESULT_DONE, .kind = OP_UNLOAD, .driver = "nvme"),
};

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
} Watched;

static void watch(Sim *sim, const char *path, const char *value, int result, void *arg) {
        Watched *w = arg;

        (void) sim;
        if (result <= 0 || ++w->seen != w->nth)
                return;
        snprintf(w->path, sizeof(w->path), "%s", path);
        snprintf(w->value, sizeof(w->value), "%s", value);
}

static Sim *world_of(const Case *c, SimVariant v) {
        Sim *sim = sim_new(&(SimConfig){ .variant = v, .topology = c->topology });

        assert_non_null(sim);
        c->before(sim);
        assert_int_equal(sim_reports(sim, _SIM_REPORT_MAX), 0);
        return sim;
}

static unsigned failures;

static bool check(bool ok, const Case *c, SimVariant v, const Answer *a, const Watched *w, Sim *sim,
                  const char *format, ...) {
        va_list ap;

        if (ok || ++failures > 40)
                return ok;
        print_error("%s in %s", c->name, sim_variant_to_string(v));
        if (a)
                print_error(", write %u (%s > %s): %s", w->nth, w->value, w->path, a->name);
        print_error(": ");
        va_start(ap, format);
        vprint_error(format, ap);
        va_end(ap);
        print_error("\n");
        sim_print_reports(sim, stderr);
        return false;
}

/* Nothing stays parked or held, but where the very write that gives it back was made to fail. */
static const char *left_behind(Sim *sim, const Watched *w, const char *autoprobe_before) {
        static char text[128];
        _cleanup_strv_ char **names = NULL;
        Kernel *k = sim_kernel(sim);

        if (k->list(k, ATTR_BUS(ATTR_DEVICES), &names) < 0)
                return "no devices";
        STRV_FOREACH (name, names) {
                char buf[64];
                Bdf fn;

                if (bdf_parse(*name, &fn) < 0)
                        continue;
                if (k->read(k, ATTR_FN(ATTR_OVERRIDE, fn), buf, sizeof(buf)) >= 0 &&
                    (streq(buf, PARK_OVERRIDE) || streq(buf, STUB_DRIVER)) &&
                    !strstr(w->path, "driver_override")) {
                        snprintf(text, sizeof(text), "%s is left with override %s", *name, buf);
                        return text;
                }
                if (bdf_equal(fn, IGB0) && !strstr(w->path, "autoprobe") &&
                    k->read(k, ATTR_FN(ATTR_AUTOPROBE, fn), buf, sizeof(buf)) >= 0 &&
                    !streq(buf, autoprobe_before))
                        return "autoprobe is left changed";
        }
        return NULL;
}

static void run_with(const Case *c, SimVariant v, const Answer *a, unsigned nth,
                     unsigned *ret_writes) {
        Sim *sim = world_of(c, v);
        Kernel *k = sim_kernel(sim);
        Watched w = { .nth = nth };
        uint64_t before = 0, after = 0;
        char autoprobe[8] = "1";
        const HostEnd *end;
        const char *left;
        Fault fault;
        Host h;
        uint32_t id;
        unsigned base = sim_writes(sim, NULL);

        k->identity(k, ATTR_FN(ATTR_DIRECTORY, IGB0), &before);
        (void) k->read(k, ATTR_FN(ATTR_AUTOPROBE, IGB0), autoprobe, sizeof(autoprobe));
        sim_on_write(sim, watch, &w);
        if (a)
                sim_fault(sim, "*", a->kind, a->error, a->number, 0, nth);
        host_init(&h, sim);
        id = host_submit(&h, &c->op, &fault);
        if (id != 0) {
                bool over = host_run(&h);

                if (a && a->kind == SIM_FAULT_BLOCK && !over) {
                        check(queue_wedged(&h.queue) != NULL, c, v, a, &w, sim,
                              "stuck and not wedged");
                        sim_go(sim);
                        over = host_run(&h);
                }
                check(over, c, v, a, &w, sim, "does not end");
                end = host_end(&h, id);
                if (check(end && end->times == 1, c, v, a, &w, sim, "is not told of once")) {
                        check(end->result > RESULT_NONE && end->result < _RESULT_MAX, c, v, a, &w,
                              sim, "has no result");
                        check(a || c->result == _RESULT_MAX || c->result == end->result, c, v, a,
                              &w, sim, "%s, not %s: %s", job_result_to_string(end->result),
                              job_result_to_string(c->result),
                              fault_format(&end->fault, (char[FAULT_STR_MAX]){ 0 }, FAULT_STR_MAX));
                }
        } else {
                check(c->result == RESULT_REFUSED, c, v, a, &w, sim, "refused at the door");
        }
        check(sim_reports(sim, _SIM_REPORT_MAX) == 0, c, v, a, &w, sim,
              "the kernel was put in danger");
        k->identity(k, ATTR_FN(ATTR_DIRECTORY, IGB0), &after);
        left = left_behind(sim, &w, before == after ? autoprobe : "1");
        check(!left, c, v, a, &w, sim, "%s", left ? left : "");
        *ret_writes = sim_writes(sim, NULL) - base;
        host_done(&h);
        sim_free(sim);
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
        Sim *sim = world_of(c, v);
        Canceler canceler = { .nth = nth };
        Watched w = { .nth = 0 };
        char autoprobe[8] = "1";
        Kernel *k = sim_kernel(sim);
        const HostEnd *end;
        const char *left;
        uint64_t before = 0, after = 0;
        Fault fault;
        uint32_t id;
        Host h;

        k->identity(k, ATTR_FN(ATTR_DIRECTORY, IGB0), &before);
        (void) k->read(k, ATTR_FN(ATTR_AUTOPROBE, IGB0), autoprobe, sizeof(autoprobe));
        host_init(&h, sim);
        h.on_step = cancel_at;
        h.on_step_arg = &canceler;
        id = host_submit(&h, &c->op, &fault);
        if (id != 0) {
                check(host_run(&h), c, v, NULL, &w, sim, "canceled at step %u: does not end", nth);
                end = host_end(&h, id);
                check(end && end->times == 1 && end->result > RESULT_NONE, c, v, NULL, &w, sim,
                      "canceled at step %u: is not told of once", nth);
        }
        check(sim_reports(sim, _SIM_REPORT_MAX) == 0, c, v, NULL, &w, sim,
              "canceled at step %u: the kernel was put in danger", nth);
        k->identity(k, ATTR_FN(ATTR_DIRECTORY, IGB0), &after);
        left = left_behind(sim, &w, before == after ? autoprobe : "1");
        check(!left || canceler.seen < nth, c, v, NULL, &w, sim, "canceled at step %u: %s", nth,
              left ? left : "");
        host_done(&h);
        sim_free(sim);
        return canceler.seen >= nth;
}

static void a_cancel_between_any_two_steps_leaves_nothing(void **state) {
        (void) state;
        failures = 0;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                for (int v = 0; v < _SIM_VARIANT_MAX; v++)
                        for (unsigned nth = 1; cancel_run(&cases[i], v, nth); nth++)
                                ;
        assert_int_equal(failures, 0);
}

static void every_operation_ends_as_it_should_on_every_variant(void **state) {
        unsigned n;

        (void) state;
        failures = 0;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                for (int v = 0; v < _SIM_VARIANT_MAX; v++)
                        run_with(&cases[i], v, NULL, 0, &n);
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
        Sim *sim = world_of(c, v);
        Watched w = { .nth = 0 };
        Fault fault;
        Host h;

        sim_on_write(sim, visitor, NULL);
        host_init(&h, sim);
        if (host_submit(&h, &c->op, &fault) != 0)
                check(host_run(&h), c, v, NULL, &w, sim, "does not end");
        check(sim_reports(sim, _SIM_REPORT_MAX) == 0, c, v, NULL, &w, sim,
              "the kernel was put in danger");
        host_done(&h);
        sim_free(sim);
}

/* Dies without the rung park-vf. */
static void a_user_who_comes_late_is_never_waited_for_under_the_global_lock(void **state) {
        (void) state;
        failures = 0;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                for (int v = 0; v < _SIM_VARIANT_MAX; v++)
                        run_with_visitor(&cases[i], v, user_comes);
        assert_int_equal(failures, 0);
}

/* Dies without the rung quiet-port. */
static void a_button_that_is_pressed_while_its_port_goes_is_heard_by_nobody(void **state) {
        (void) state;
        failures = 0;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                for (int v = 0; v < _SIM_VARIANT_MAX; v++)
                        run_with_visitor(&cases[i], v, button_is_pressed);
        assert_int_equal(failures, 0);
}

static void whatever_a_write_answers_nothing_is_left_and_nothing_meets(void **state) {
        unsigned long runs = 0;

        (void) state;
        failures = 0;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                for (int v = 0; v < _SIM_VARIANT_MAX; v++) {
                        unsigned n, ignored;

                        run_with(&cases[i], v, NULL, 0, &n);
                        for (unsigned nth = 1; nth <= n; nth++)
                                for (size_t a = 0; a < ELEMENTSOF(answers); a++, runs++)
                                        run_with(&cases[i], v, &answers[a], nth, &ignored);
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
