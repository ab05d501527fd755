/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy files: any text is a policy or a mistake with its line; and a policy that was read can be written, and is the same
 */
#include <stdbool.h>

#include "base/str.h"
#include "base/utf8.h"

#include "conf/policy-write.h"
#include "conf/policy.h"

#include "tests/fuzz/fuzz.h"

#define FILE_NAME "fuzz.conf"
/* More VFs take their time, and show no more. */
#define VFS_MAX 300

static void check_mistakes(const char *text, const Mistakes *mistakes) {
        for (size_t i = 0; i < mistakes->n; i++) {
                const Mistake *m = mistakes->items + i;

                PROMISE(startswith(m->error.text, FILE_NAME ":"));
                PROMISE(m->line > 0 && m->line <= lines_of(text));
                PROMISE(m->file_length == strlen(FILE_NAME));
                PROMISE(mistake_why(m)[0] != '\0');
                PROMISE(utf8_is_valid(m->error.text) && !strchr(m->error.text, '\n'));
        }
}

static void check_equal(const Wanted *a, const Wanted *b) {
        PROMISE(streq(a->policy, b->policy));
        PROMISE(a->has_count == b->has_count && a->count == b->count && a->n_vfs == b->n_vfs);
        PROMISE(a->eswitch == b->eswitch && a->flags == b->flags);
        PROMISE(a->reconcile == b->reconcile && a->disable_on_sleep == b->disable_on_sleep);
        for (size_t i = 0; i < a->n_vfs; i++) {
                PROMISE(a->vfs[i].has_driver == b->vfs[i].has_driver);
                PROMISE(streq(a->vfs[i].driver, b->vfs[i].driver));
                PROMISE(vfattrs_equal(&a->vfs[i].attrs, &b->vfs[i].attrs));
        }
}

static void check_written(const Policy *p) {
        Fn pf = { .bdf = { 0, 0x3b02 }, .total_vfs = 12 };
        Mistakes mistakes = {};
        Policies all = {};
        Wanted w, back;
        char *text;

        if (!p->manage || (p->count_kind == COUNT_NUMBER && p->count > VFS_MAX))
                return;
        PROMISE(policy_want(p, &pf, &w) == 0);
        PROMISE(policy_text(&w, p->priority, "the fuzzer", &text) == 0);
        PROMISE(policies_read_text(FILE_NAME, text, &all, &mistakes) == 0);
        PROMISE(all.n == 1 && mistakes.n_all == 0);
        PROMISE(policy_want(all.items, &pf, &back) == 0);
        check_equal(&w, &back);
        wanted_done(&w);
        wanted_done(&back);
        policies_done(&all);
        free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char *text = text_of(data, size);
        Mistakes mistakes = {};
        Policies all = {};
        int r = policies_read_text(FILE_NAME, text, &all, &mistakes);

        PROMISE(r == (mistakes.n_all > 0 ? -EBADMSG : 0));
        PROMISE(r == 0 || all.n == 0);
        check_mistakes(text, &mistakes);
        for (size_t i = 0; i < all.n; i++)
                check_written(all.items + i);
        policies_done(&all);
        mistakes_done(&mistakes);
        free(text);
        return 0;
}
