/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ready: neither sooner nor later than it is so, in whatever order it is told of
 */
#include "tests/unit/test.h"

#include "core/wanted.h"

#include "daemon/log.h"
#include "daemon/manager.h"

/* udev's database, by the index of a VF, and how often it was asked. */
typedef struct Udev {
        Kernel kernel; /* first, so that one is the other */
        bool knows_pf, knows[4], none, busy;
        unsigned n_asked;
} Udev;

static PfState state;

PfState world_pf_state(const Manager *m, const Fn *pf) {
        (void) m;
        (void) pf;
        return state;
}

static bool at_rest = true;

bool world_vf_is_at_rest(const Manager *m, const Fn *vf) {
        (void) m;
        (void) vf;
        return at_rest;
}

int log_error_errno(int error, const char *format, ...) {
        (void) format;
        return error;
}

void manager_kick(Manager *m) {
        (void) m;
}

static int initialized(Kernel *k, Bdf fn) {
        Udev *u = (Udev *) k;

        u->n_asked++;
        if (u->none)
                return KERNEL_NO_UDEV;
        if (!(bdf_equal(fn, PF) ? u->knows_pf : u->knows[(fn.rid - VF0.rid) / 2]))
                return 0;
        return u->busy ? 1 : KERNEL_UDEV_IDLE;
}

typedef struct Host {
        Manager m;
        Udev udev;
        uint64_t seq;
} Host;

static Host *host_new(uint16_t n, const char *vf_driver) {
        Host *h = calloc(1, sizeof(Host));

        assert_non_null(h);
        h->m.snapshot = small_world("igb", n, vf_driver);
        for (Fn *f = h->m.snapshot->fns; f < h->m.snapshot->fns + h->m.snapshot->n_fns; f++)
                f->identity = 1 + f->bdf.rid;
        h->udev = (Udev){ .kernel.initialized = initialized,
                          .knows_pf = true,
                          .knows = { true, true, true, true } };
        h->m.kernel = &h->udev.kernel;
        state = PF_OK;
        return h;
}

static void host_free(Host *h) {
        ready_done(&h->m.ready);
        snapshot_free(h->m.snapshot);
        free(h);
}

static Fn *fn_of(Host *h, Bdf bdf) {
        return (Fn *) snapshot_find(h->m.snapshot, bdf);
}

static void look_again(Host *h) {
        ready_refresh(&h->m, true);
}

static bool vf_is_ready(Host *h, Bdf bdf) {
        return ready_vf(&h->m, fn_of(h, bdf));
}

static bool pf_is_ready(Host *h) {
        return ready_pf(&h->m, fn_of(h, PF));
}

static uint64_t tell(Host *h, Bdf bdf, const char *action) {
        KernelEvent e = { .kind = KERNEL_EVENT_CHANGED, .bdf = bdf, .own = true, .seq = ++h->seq };

        snprintf(e.action, sizeof(e.action), "%s", action);
        ready_event(&h->m, &e);
        return e.seq;
}

static void udev_tells(Host *h, Bdf bdf, uint64_t seq, bool own, const char *action) {
        KernelEvent e = { .kind = KERNEL_EVENT_UDEV, .bdf = bdf, .own = own, .seq = seq };

        snprintf(e.action, sizeof(e.action), "%s", action);
        ready_event(&h->m, &e);
}

static void a_host_that_nothing_happens_to_is_ready(void **data) {
        Host *h = host_new(2, "igbvf");

        (void) data;
        assert_false(vf_is_ready(h, VF0));
        look_again(h);
        assert_true(vf_is_ready(h, VF0));
        assert_true(vf_is_ready(h, VF1));
        assert_true(pf_is_ready(h));
        host_free(h);
}

static void udev_is_asked_when_something_was_told_and_not_otherwise(void **data) {
        Host *h = host_new(2, "igbvf");
        unsigned n;

        (void) data;
        h->udev.knows[1] = false;
        look_again(h);
        n = h->udev.n_asked;
        for (unsigned i = 0; i < 10; i++)
                look_again(h);
        assert_int_equal(h->udev.n_asked, n);
        assert_false(vf_is_ready(h, VF1));
        assert_false(pf_is_ready(h));
        h->udev.knows[1] = true;
        look_again(h);
        assert_false(vf_is_ready(h, VF1));
        udev_tells(h, VF1, ++h->seq, false, "add");
        look_again(h);
        assert_int_equal(h->udev.n_asked, n + 1);
        assert_true(vf_is_ready(h, VF1));
        assert_true(pf_is_ready(h));
        host_free(h);
}

static void another_driver_or_net_device_is_asked_about(void **data) {
        Host *h = host_new(1, "igbvf");

        (void) data;
        look_again(h);
        h->udev.knows[0] = false;
        fn_of(h, VF0)->netdevs = strdup("eth0");
        look_again(h);
        assert_false(vf_is_ready(h, VF0));
        host_free(h);
}

static void what_another_job_of_the_pf_has_to_do_comes_first(void **data) {
        Host *h = host_new(1, "igbvf");

        (void) data;
        look_again(h);
        for (state = PF_WAITING; state < _PF_STATE_MAX; state++)
                assert_false(pf_is_ready(h));
        state = PF_OK;
        assert_true(pf_is_ready(h));
        at_rest = false;
        assert_false(vf_is_ready(h, VF0));
        assert_false(pf_is_ready(h));
        at_rest = true;
        assert_true(vf_is_ready(h, VF0));
        host_free(h);
}

static void a_pf_is_as_wanted_or_not_ready(void **data) {
        VfWish wishes[] = { { .has_driver = true, .driver = "vfio-pci" }, { .has_driver = true } };
        Wanted one = { .pf = PF, .has_count = true, .count = 2, .vfs = wishes, .n_vfs = 2 };
        Wanteds all = { &one, 1 };
        Host *h = host_new(2, "igbvf");

        (void) data;
        look_again(h);
        h->m.snapshot->wanted = &all;
        assert_false(vf_is_ready(h, VF0));
        /* The kernel's choice is right whatever it was. */
        assert_true(vf_is_ready(h, VF1));
        assert_false(pf_is_ready(h));
        strcpy(wishes[0].driver, "igbvf");
        assert_true(pf_is_ready(h));
        one.count = 3;
        assert_true(vf_is_ready(h, VF0));
        assert_false(pf_is_ready(h));
        one.has_count = false;
        assert_true(pf_is_ready(h));
        host_free(h);
}

static void a_link_whose_vf_was_not_seen_yet_is_waited_for(void **data) {
        Host *h = host_new(2, "igbvf");

        (void) data;
        look_again(h);
        fn_of(h, PF)->n_vfs = 3;
        assert_false(pf_is_ready(h));
        host_free(h);
}

/* The file of the one that went is what udev still has. */
static void the_next_at_an_address_is_not_taken_for_the_one_that_went(void **data) {
        Host *h = host_new(1, "");
        uint64_t removed, added;

        (void) data;
        look_again(h);
        removed = tell(h, VF0, "remove");
        snapshot_drop(h->m.snapshot, VF0);
        look_again(h);
        added = tell(h, VF0, "add");
        put_fn(h->m.snapshot, (Fn){ .bdf = VF0, .pf = PF, .flags = FN_VF, .identity = 77 }, "");
        snapshot_seal(h->m.snapshot);
        look_again(h);
        assert_false(vf_is_ready(h, VF0));
        udev_tells(h, VF0, removed, true, "remove");
        h->udev.knows[0] = false;
        look_again(h);
        assert_false(vf_is_ready(h, VF0));
        h->udev.knows[0] = true;
        udev_tells(h, VF0, added, true, "add");
        look_again(h);
        assert_true(vf_is_ready(h, VF0));
        host_free(h);
}

/* A job looks at what it has made before the events of it are read. */
static void see_before_it_is_told_of(const char *driver) {
        Host *h = host_new(1, driver);
        uint64_t removed;

        look_again(h);
        fn_of(h, VF0)->identity = 77;
        look_again(h);
        assert_false(vf_is_ready(h, VF0));
        udev_tells(h, VF0, 0, true, "change");
        look_again(h);
        assert_false(vf_is_ready(h, VF0));
        (void) tell(h, VF0, "unbind");
        removed = tell(h, VF0, "remove");
        (void) tell(h, VF0, "add");
        (void) tell(h, VF0, "bind");
        look_again(h);
        assert_false(vf_is_ready(h, VF0));
        udev_tells(h, VF0, removed, true, "remove");
        look_again(h);
        assert_true(vf_is_ready(h, VF0));
        /* And once more. */
        fn_of(h, VF0)->identity = 78;
        look_again(h);
        assert_false(vf_is_ready(h, VF0));
        host_free(h);
}

static void nor_is_one_that_is_seen_before_it_is_told_of(void **data) {
        (void) data;
        see_before_it_is_told_of("igbvf");
        see_before_it_is_told_of("");
}

/* A look may miss one: it is gone for it, and is the same when it is seen again. */
static void one_that_was_missed_is_the_same_as_before(void **data) {
        Host *h = host_new(1, "");
        Fn fn;

        (void) data;
        look_again(h);
        fn = *fn_of(h, VF0);
        snapshot_drop(h->m.snapshot, VF0);
        look_again(h);
        put_fn(h->m.snapshot, fn, "");
        snapshot_seal(h->m.snapshot);
        look_again(h);
        assert_true(vf_is_ready(h, VF0));
        host_free(h);
}

/* A look sees that it is gone before the kernel's word of it is read; udev takes longer still, and the next is there by then. */
static void one_that_was_seen_to_go_before_it_is_told_of_waits_for_no_other_word(void **data) {
        Host *h = host_new(1, "");
        uint64_t removed, added;

        (void) data;
        look_again(h);
        snapshot_drop(h->m.snapshot, VF0);
        look_again(h);
        removed = tell(h, VF0, "remove");
        look_again(h);
        added = tell(h, VF0, "add");
        put_fn(h->m.snapshot, (Fn){ .bdf = VF0, .pf = PF, .flags = FN_VF, .identity = 77 }, "");
        snapshot_seal(h->m.snapshot);
        look_again(h);
        assert_false(vf_is_ready(h, VF0));
        udev_tells(h, VF0, removed, true, "remove");
        udev_tells(h, VF0, added, true, "add");
        look_again(h);
        assert_true(vf_is_ready(h, VF0));
        host_free(h);
}

/* The link to it is made before its probe has begun. */
static void a_driver_is_bound_when_the_kernel_says_so(void **data) {
        Host *h = host_new(1, "");

        (void) data;
        look_again(h);
        (void) tell(h, VF0, "unbind");
        strcpy(fn_of(h, VF0)->driver, "igbvf");
        look_again(h);
        assert_false(vf_is_ready(h, VF0));
        (void) tell(h, VF0, "bind");
        look_again(h);
        assert_true(vf_is_ready(h, VF0));
        host_free(h);
}

/* All that happened before the first look at it counts. */
static void what_was_told_before_the_first_look_is_not_lost(void **data) {
        Host *h = host_new(0, "");

        (void) data;
        look_again(h);
        (void) tell(h, VF0, "add");
        (void) tell(h, VF0, "bind");
        ready_refresh(&h->m, false);
        put_fn(h->m.snapshot, (Fn){ .bdf = VF0, .pf = PF, .flags = FN_VF, .identity = 77 },
               "igbvf");
        snapshot_seal(h->m.snapshot);
        look_again(h);
        assert_true(vf_is_ready(h, VF0));
        host_free(h);
}

/* Its file is written before the driver's module is loaded. */
static void a_file_alone_is_not_enough_while_udev_is_at_work(void **data) {
        Host *h = host_new(1, "");
        uint64_t added;

        (void) data;
        look_again(h);
        udev_tells(h, VF0, tell(h, VF0, "remove"), true, "remove");
        added = tell(h, VF0, "add");
        fn_of(h, VF0)->identity = 77;
        h->udev.busy = true;
        look_again(h);
        assert_false(ready_is_known(&h->m, fn_of(h, VF0)));
        assert_false(vf_is_ready(h, VF0));
        udev_tells(h, VF0, added, true, "add");
        look_again(h);
        assert_true(ready_is_known(&h->m, fn_of(h, VF0)));
        assert_true(vf_is_ready(h, VF0));
        host_free(h);
}

static void what_udev_had_in_its_hands_when_we_came_is_in_doubt(void **data) {
        Host *h = host_new(1, "");

        (void) data;
        assert_int_equal(sd_event_new(&h->m.event), 0);
        h->udev.busy = true;
        look_again(h);
        assert_non_null(h->m.ready.doubt);
        assert_false(ready_is_known(&h->m, fn_of(h, PF)));
        udev_tells(h, PF, ++h->seq, true, "add");
        assert_true(ready_is_known(&h->m, fn_of(h, PF)));
        assert_false(ready_is_known(&h->m, fn_of(h, VF0)));
        /* No event of it comes: it was through with that one. */
        assert_true(sd_event_source_set_time(h->m.ready.doubt, 0) >= 0);
        assert_true(sd_event_run(h->m.event, 0) >= 0);
        assert_true(ready_is_known(&h->m, fn_of(h, VF0)));
        assert_null(h->m.ready.doubt);
        sd_event_unref(h->m.event);
        host_free(h);
}

static void lost_events_leave_what_can_be_looked_at(void **data) {
        Host *h = host_new(1, "igbvf");
        unsigned n;

        (void) data;
        look_again(h);
        (void) tell(h, VF0, "unbind");
        (void) tell(h, VF0, "remove");
        fn_of(h, VF0)->identity = 77;
        look_again(h);
        assert_false(vf_is_ready(h, VF0));
        n = h->udev.n_asked;
        ready_event(&h->m, &(KernelEvent){ .kind = KERNEL_EVENT_LOST });
        look_again(h);
        assert_true(h->udev.n_asked > n);
        assert_true(vf_is_ready(h, VF0));
        host_free(h);
}

static void without_udev_nobody_waits_for_it(void **data) {
        Host *h = host_new(1, "");

        (void) data;
        h->udev.none = true;
        look_again(h);
        (void) tell(h, VF0, "remove");
        fn_of(h, VF0)->identity = 77;
        look_again(h);
        assert_true(pf_is_ready(h));
        host_free(h);
}

static void what_is_gone_is_forgotten(void **data) {
        Host *h = host_new(2, "");

        (void) data;
        look_again(h);
        assert_int_equal(h->m.ready.n, 3);
        for (unsigned i = 0; i < 1000; i++)
                (void) tell(h, (Bdf){ 1, (uint16_t) i }, "change");
        look_again(h);
        assert_int_equal(h->m.ready.n, 3);
        udev_tells(h, VF1, tell(h, VF1, "remove"), true, "remove");
        snapshot_drop(h->m.snapshot, VF1);
        look_again(h);
        assert_int_equal(h->m.ready.n, 2);
        host_free(h);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_host_that_nothing_happens_to_is_ready),
                cmocka_unit_test(udev_is_asked_when_something_was_told_and_not_otherwise),
                cmocka_unit_test(another_driver_or_net_device_is_asked_about),
                cmocka_unit_test(what_another_job_of_the_pf_has_to_do_comes_first),
                cmocka_unit_test(a_pf_is_as_wanted_or_not_ready),
                cmocka_unit_test(a_link_whose_vf_was_not_seen_yet_is_waited_for),
                cmocka_unit_test(the_next_at_an_address_is_not_taken_for_the_one_that_went),
                cmocka_unit_test(nor_is_one_that_is_seen_before_it_is_told_of),
                cmocka_unit_test(one_that_was_missed_is_the_same_as_before),
                cmocka_unit_test(
                        one_that_was_seen_to_go_before_it_is_told_of_waits_for_no_other_word),
                cmocka_unit_test(a_driver_is_bound_when_the_kernel_says_so),
                cmocka_unit_test(what_was_told_before_the_first_look_is_not_lost),
                cmocka_unit_test(a_file_alone_is_not_enough_while_udev_is_at_work),
                cmocka_unit_test(what_udev_had_in_its_hands_when_we_came_is_in_doubt),
                cmocka_unit_test(lost_events_leave_what_can_be_looked_at),
                cmocka_unit_test(without_udev_nobody_waits_for_it),
                cmocka_unit_test(what_is_gone_is_forgotten),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
