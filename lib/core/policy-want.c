/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy: made concrete
 *
 * Defaults, ranges and words in braces go in, what each VF is to be comes out.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/macro.h"
#include "base/str.h"

#include "core/policy.h"

/* An index that two hex digits cannot hold has no such address: the file's reader refused those that the file names. */
static void expand(const char *text, Bdf pf, uint32_t index, VfKey key, VfAttrs *attrs) {
        if (text)
                (void) policy_expand(text, pf, index, key, attrs);
}

static void cover_one(const VfRule *rule, Bdf pf, uint32_t index, VfWish *wish) {
        VfAttrs attrs = rule->attrs;

        if (rule->has_driver) {
                wish->has_driver = true;
                memcpy(wish->driver, rule->driver, sizeof(wish->driver));
        }
        expand(rule->mac, pf, index, VFKEY_MAC, &attrs);
        expand(rule->node_guid, pf, index, VFKEY_NODE_GUID, &attrs);
        expand(rule->port_guid, pf, index, VFKEY_PORT_GUID, &attrs);
        wish->attrs = vfattrs_overlay(&wish->attrs, &attrs);
}

static void cover(const VfRule *rule, Wanted *w) {
        for (size_t i = 0; i < rule->n_ranges; i++)
                for (uint32_t v = rule->ranges[i].first; v <= rule->ranges[i].last && v < w->n_vfs;
                     v++)
                        cover_one(rule, w->pf, v, w->vfs + v);
        for (uint32_t v = 0; rule->n_ranges == 0 && v < w->n_vfs; v++)
                cover_one(rule, w->pf, v, w->vfs + v);
}

static uint32_t count_of(const Policy *p, const Fn *pf) {
        return p->count_kind == COUNT_NUMBER ? p->count : pf->total_vfs;
}

int policy_want(const Policy *p, const Fn *pf, Wanted *ret) {
        Wanted w = {
                .pf = pf->bdf,
                .has_count = p->count_kind != COUNT_KEEP,
                .count = p->count_kind == COUNT_KEEP ? 0 : count_of(p, pf),
                .eswitch = p->eswitch,
                .flags = (p->rollback ? OP_ROLLBACK : 0u) | (p->force ? OP_FORCE_IN_USE : 0u),
                .reconcile = p->reconcile,
                .disable_on_sleep = p->disable_on_sleep,
                .n_vfs = count_of(p, pf),
        };

        memcpy(w.policy, p->name, sizeof(w.policy));
        if (w.n_vfs > 0) {
                w.vfs = calloc(w.n_vfs, sizeof(VfWish));
                if (!w.vfs)
                        return -ENOMEM;
        }
        cover(&p->vf_default, &w);
        for (size_t i = 0; i < p->n_vf; i++)
                cover(p->vf + i, &w);
        *ret = w;
        return 0;
}

/* The word in braces at the start of text, filled in; its length there, 0 if there is none. */
static size_t fill(const char *text, Bdf pf, uint32_t index, char buf[static 8]) {
        if (startswith(text, "{index}") && index <= UINT8_MAX) {
                snprintf(buf, 8, "%02x", index);
                return strlen("{index}");
        }
        if (startswith(text, "{pf}")) {
                snprintf(buf, 8, "%02x:%02x", pf.rid >> 8, pf.rid & 0xffu);
                return strlen("{pf}");
        }
        return 0;
}

int policy_expand(const char *text, Bdf pf, uint32_t index, VfKey key, VfAttrs *ret) {
        char all[VFATTR_VALUE_MAX] = "", piece[8];
        size_t n = 0, taken;

        for (; *text; text += taken) {
                taken = fill(text, pf, index, piece);
                if (taken == 0) {
                        snprintf(piece, sizeof(piece), "%c", *text);
                        taken = 1;
                }
                if (str_copy(all + n, sizeof(all) - n, piece) < 0)
                        return -EINVAL;
                n += strlen(piece);
        }
        return vfattrs_set(ret, key, all) < 0 ? -EINVAL : 0;
}
