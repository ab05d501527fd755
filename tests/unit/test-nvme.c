/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nvme: the commands that a secondary controller gets, in their order, and lists of such controllers
 */
#include "kernel/nvme.h"

#include "tests/unit/test.h"

#define CONTROLLERS_MAX 300

typedef struct Controller {
        uint16_t id, vf, queues, interrupts;
        bool online;
} Controller;

/* A controller that keeps the commands of Virtualization Management. */
typedef struct Card {
        NvmeAdmin admin; /* first, so that one is the other */
        bool virtualizes;
        Controller all[CONTROLLERS_MAX]; /* by id */
        size_t n;
        struct nvme_admin_cmd log[16];
        size_t n_log;
        size_t fails_at; /* the command that gets ... (from 1; 0: none) */
        int status; /* ... this */
} Card;

static void put16(uint8_t *buf, unsigned v) {
        buf[0] = (uint8_t) v;
        buf[1] = (uint8_t) (v >> 8);
}

static void list_from(const Card *c, unsigned from, uint8_t *buf) {
        for (size_t i = 0; i < c->n && buf[0] < 127; i++) {
                uint8_t *e = buf + 32 + 32 * buf[0];
                const Controller *s = c->all + i;

                if (s->id < from)
                        continue;
                buf[0]++;
                put16(e, s->id);
                put16(e + 2, 0x77); /* the primary's */
                e[4] = s->online;
                put16(e + 8, s->vf);
                put16(e + 10, s->queues);
                put16(e + 12, s->interrupts);
        }
}

static int answer(NvmeAdmin *a, struct nvme_admin_cmd *command) {
        Card *c = (Card *) a;
        uint8_t *buf = (uint8_t *) (uintptr_t) command->addr;

        if (command->opcode == 0x06) {
                assert_int_equal(command->data_len, 4096);
                memset(buf, 0, 4096);
                if ((command->cdw10 & 0xff) == 0x01)
                        put16(buf + 256, c->virtualizes ? 0x0080 : 0x0006);
                else if ((command->cdw10 & 0xff) == 0x15)
                        list_from(c, command->cdw10 >> 16, buf);
                else
                        return 0x4002;
                return 0;
        }
        assert_true(c->n_log < ELEMENTSOF(c->log));
        c->log[c->n_log++] = *command;
        return c->n_log == c->fails_at ? c->status : 0;
}

static void card_init(Card *c, size_t n) {
        memset(c, 0, sizeof(*c));
        c->admin.send = answer;
        c->virtualizes = true;
        c->n = n;
        for (size_t i = 0; i < n; i++)
                c->all[i] = (Controller){ .id = (uint16_t) (i + 1), .vf = (uint16_t) (i + 1) };
}

static VfAttrs attrs_of(const char *text) {
        VfAttrs a = {};

        assert_int_equal(vfattrs_parse(text, &a), 0);
        return a;
}

static void a_controller_goes_offline_gets_its_resources_and_comes_online(void **state) {
        VfAttrs a = attrs_of("queues=5 interrupts=4");
        Card c;

        (void) state;
        card_init(&c, 4);
        c.all[2].id = 9; /* identifiers are the device's own business */
        assert_int_equal(nvme_vf_set(&c.admin, 2, &a), 0);
        assert_int_equal(c.n_log, 4);
        for (size_t i = 0; i < 4; i++) {
                static const uint32_t cdw10[] = { 0x00090007, 0x00090008, 0x00090108, 0x00090009 },
                                      cdw11[] = { 0, 5, 4, 0 };

                assert_int_equal(c.log[i].opcode, 0x1c);
                assert_int_equal(c.log[i].cdw10, cdw10[i]);
                assert_int_equal(c.log[i].cdw11, cdw11[i]);
        }
}

static void the_first_refusal_is_the_answer(void **state) {
        static const struct {
                int status, error;
        } rows[] = {
                { 0x4121, -ERANGE },     { 0x4120, -EBUSY },  { 0x411f, -ENOENT },
                { 0x4122, -EINVAL },     { 0x4002, -EINVAL }, { 0x0006, -EIO },
                { 0x4001, -EOPNOTSUPP }, { -EINTR, -EINTR },
        };
        VfAttrs a = attrs_of("queues=5 interrupts=4");

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                for (size_t at = 1; at <= 4; at++) {
                        Card c;

                        card_init(&c, 1);
                        c.fails_at = at;
                        c.status = rows[i].status;
                        assert_int_equal(nvme_vf_set(&c.admin, 0, &a), rows[i].error);
                        assert_int_equal(c.n_log, at);
                }
}

static void one_that_worked_has_again_what_it_had(void **state) {
        static const uint32_t cdw10[] = { 0x00010007, 0x00010008, 0x00010007,
                                          0x00010008, 0x00010108, 0x00010009 },
                              cdw11[] = { 0, 99, 0, 3, 2, 0 };
        VfAttrs a = attrs_of("queues=99 interrupts=4");
        Card c;

        (void) state;
        card_init(&c, 1);
        c.all[0] = (Controller){ .id = 1, .vf = 1, .queues = 3, .interrupts = 2, .online = true };
        c.fails_at = 2;
        c.status = 0x4121;
        assert_int_equal(nvme_vf_set(&c.admin, 0, &a), -ERANGE);
        assert_int_equal(c.n_log, ELEMENTSOF(cdw10));
        for (size_t i = 0; i < ELEMENTSOF(cdw10); i++) {
                assert_int_equal(c.log[i].cdw10, cdw10[i]);
                assert_int_equal(c.log[i].cdw11, cdw11[i]);
        }
}

static void what_is_online_shows_what_it_has_and_what_is_not_has_0(void **state) {
        VfAttrs seen[3] = {}, a = attrs_of("queues=5 interrupts=4");
        Card c;

        (void) state;
        card_init(&c, 4);
        c.all[1].online = c.all[3].online = true;
        c.all[1].queues = 5;
        c.all[1].interrupts = 4;
        c.all[2].queues = 2; /* given, and not online: nothing that a driver could use */
        assert_int_equal(nvme_vf_attrs(&c.admin, 1, 3, seen), 0);
        assert_false(vfattrs_differ(&a, seen, VFATTR_QUEUES));
        assert_true(vfattrs_have(seen + 1, VFATTR_QUEUES));
        assert_int_equal(seen[1].value[VFKEY_QUEUES], 0);
        assert_int_equal(seen[1].value[VFKEY_INTERRUPTS], 0);
        assert_true(vfattrs_have(seen + 2, VFATTR_QUEUES));
        assert_int_equal(seen[2].value[VFKEY_QUEUES], 0);
}

static void a_long_list_is_asked_for_in_pieces(void **state) {
        static VfAttrs seen[CONTROLLERS_MAX];
        VfAttrs a = attrs_of("queues=2 interrupts=1");
        static Card c;

        (void) state;
        card_init(&c, CONTROLLERS_MAX);
        for (size_t i = 0; i < CONTROLLERS_MAX; i++)
                c.all[i].online = true;
        assert_int_equal(nvme_vf_attrs(&c.admin, 0, CONTROLLERS_MAX, seen), 0);
        for (size_t i = 0; i < CONTROLLERS_MAX; i++)
                assert_true(vfattrs_have(seen + i, VFATTR_QUEUES));
        assert_int_equal(nvme_vf_set(&c.admin, CONTROLLERS_MAX - 1, &a), 0);
        assert_int_equal(c.log[0].cdw10 >> 16, CONTROLLERS_MAX);
        assert_int_equal(nvme_vf_set(&c.admin, CONTROLLERS_MAX, &a), -ENOENT);
}

/* A list that never ends: a broken controller must not keep us. */
static void a_list_out_of_order_ends(void **state) {
        VfAttrs seen = {};
        static Card c;

        (void) state;
        card_init(&c, 127);
        for (size_t i = 0; i < 127; i++)
                c.all[i].id = UINT16_MAX;
        assert_int_equal(nvme_vf_attrs(&c.admin, 0, 1, &seen), 0);
        card_init(&c, 127);
        for (size_t i = 0; i < 127; i++)
                c.all[i].id = (uint16_t) (5000 - i);
        assert_int_equal(nvme_vf_attrs(&c.admin, 0, 1, &seen), 0);
}

static void a_controller_that_cannot_is_not_asked_further(void **state) {
        VfAttrs seen = {}, a = attrs_of("queues=2 interrupts=1");
        Card c;

        (void) state;
        card_init(&c, 2);
        c.virtualizes = false;
        assert_int_equal(nvme_vf_attrs(&c.admin, 0, 1, &seen), -EOPNOTSUPP);
        assert_int_equal(nvme_vf_set(&c.admin, 0, &a), -EOPNOTSUPP);
        assert_int_equal(c.n_log, 0);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_controller_goes_offline_gets_its_resources_and_comes_online),
                cmocka_unit_test(the_first_refusal_is_the_answer),
                cmocka_unit_test(one_that_worked_has_again_what_it_had),
                cmocka_unit_test(what_is_online_shows_what_it_has_and_what_is_not_has_0),
                cmocka_unit_test(a_long_list_is_asked_for_in_pieces),
                cmocka_unit_test(a_list_out_of_order_ends),
                cmocka_unit_test(a_controller_that_cannot_is_not_asked_further),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
