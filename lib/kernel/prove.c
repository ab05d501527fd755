/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prove
 *
 * A write that returned 0 is a hint (KERNEL.md 2.3: some drivers take a count and do another thing). What counts
 * are links and directories, which nobody can show without having them.
 */
#include "base/macro.h"
#include "base/str.h"

#include "kernel/attr.h"
#include "kernel/look.h"
#include "kernel/prove.h"

#define LONGEST_PAUSE_MS 64u

Proof proof_begin(Kernel *k, unsigned ms) {
        return (Proof){ .k = k, .left = ms, .next = 1 };
}

bool proof_again(Proof *p) {
        unsigned ms = MIN2(p->next, p->left);

        if (ms == 0)
                return false;
        p->k->pause(p->k, ms);
        p->left -= ms;
        p->next = MIN2(p->next * 2, LONGEST_PAUSE_MS);
        return true;
}

bool prove_gone(Kernel *k, Bdf fn, uint64_t identity) {
        uint64_t now;

        return k->identity(k, ATTR_FN(ATTR_DIRECTORY, fn), &now) < 0 ||
               (identity != 0 && now != identity);
}

int prove_count_children(Kernel *k, Bdf pf, uint32_t *ret) {
        _cleanup_strv_ char **names = NULL;
        uint32_t n = 0;
        Bdf fn, parent;
        int r;

        r = k->list(k, ATTR_BUS(ATTR_DEVICES), &names);
        if (r < 0)
                return r;
        STRV_FOREACH (name, names)
                if (bdf_parse(*name, &fn) >= 0 && look_physfn(k, fn, &parent) > 0 &&
                    bdf_equal(parent, pf))
                        n++;
        *ret = n;
        return 0;
}

bool prove_vfs(Kernel *k, Bdf pf, uint32_t n) {
        Bdf vf, parent;

        for (uint32_t i = 0; i < n; i++)
                if (look_vf(k, pf, i, &vf) < 0 || look_physfn(k, vf, &parent) == 0 ||
                    !bdf_equal(parent, pf))
                        return false;
        return true;
}

bool prove_reads(Kernel *k, const char *path, const char *value) {
        char text[NAME_MAX_LENGTH];

        return k->read(k, path, text, sizeof(text)) >= 0 && streq(text, value);
}
