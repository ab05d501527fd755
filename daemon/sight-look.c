/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sight: the child's side
 *
 * What one PF does not tell is left out: the others are told all the same.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/attr.h"
#include "kernel/grip.h"
#include "kernel/look.h"

#include "daemon/sight.h"

void sight_items_done(SightItems *all) {
        free(all->items);
        *all = (SightItems){};
}

static int add(SightItems *all, const SightItem *item) {
        SightItem *more;

        /* At powers of two: how many there are tells how many fit. */
        if (all->n == 0 || (all->n & (all->n - 1)) == 0) {
                more = reallocarray(all->items, all->n == 0 ? 1 : all->n * 2, sizeof(SightItem));
                if (!more)
                        return -ENOMEM;
                all->items = more;
        }
        all->items[all->n++] = *item;
        return 0;
}

static int add_text(SightItems *all, SightKind kind, Bdf pf, const char *text) {
        SightItem item = { .kind = kind, .fn = pf };

        return !text || str_copy(item.text, sizeof(item.text), text) < 0 ? 0 : add(all, &item);
}

static int add_facts(Kernel *k, Bdf pf, SightItems *all) {
        PfFacts facts = {};
        int r = k->facts(k, pf, &facts);

        if (r < 0)
                return r == -ENOMEM ? r : 0;
        r = add_text(all, SIGHT_SERIAL, pf, facts.serial);
        if (r >= 0)
                r = add_text(all, SIGHT_PATH, pf, facts.path);
        STRV_FOREACH (name, facts.altnames)
                if (r >= 0)
                        r = add_text(all, SIGHT_ALTNAME, pf, *name);
        STRV_FOREACH (mac, facts.macs)
                if (r >= 0)
                        r = add_text(all, SIGHT_MAC, pf, *mac);
        pf_facts_done(&facts);
        return r;
}

static int add_vfs(Kernel *k, Bdf pf, uint32_t n, SightItems *all) {
        _cleanup_free_ VfAttrs *attrs = calloc(n + 1, sizeof(VfAttrs));
        char override[NAME_MAX_LENGTH];
        int r = 0;

        if (!attrs)
                return -ENOMEM;
        if (n == 0 || k->vf_attrs(k, pf, 0, n, attrs) < 0)
                return 0;
        for (uint32_t i = 0; r >= 0 && i < n; i++) {
                SightItem item = { .kind = SIGHT_VF, .attrs = attrs[i] };

                if (look_vf(k, pf, i, &item.fn) < 0 ||
                    k->identity(k, ATTR_FN(ATTR_DIRECTORY, item.fn), &item.identity) < 0 ||
                    override_read(k, item.fn, override) < 0)
                        continue;
                item.overridden = override[0] != '\0';
                r = add(all, &item);
        }
        return r;
}

static int look_at(Kernel *k, Bdf pf, SightItems *all) {
        SightItem item = { .kind = SIGHT_PF, .fn = pf };
        uint32_t n;
        int r;

        r = k->identity(k, ATTR_FN(ATTR_DIRECTORY, pf), &item.identity);
        if (r >= 0)
                r = look_count_vfs(k, pf, &n);
        if (r < 0)
                return r;
        if (k->eswitch_get(k, pf, &item.eswitch) < 0)
                item.eswitch = ESWITCH_KEEP;
        r = add(all, &item);
        if (r >= 0)
                r = add_facts(k, pf, all);
        return r < 0 ? r : add_vfs(k, pf, n, all);
}

int sight_look(Kernel *k, Bdf pf, SightItems *ret) {
        _cleanup_strv_ char **names = NULL;
        char text[16];
        Bdf fn;
        int r;

        if (!bdf_is_none(pf))
                return look_at(k, pf, ret);
        r = k->list(k, ATTR_BUS(ATTR_DEVICES), &names);
        STRV_FOREACH (name, names) {
                if (r < 0)
                        return r;
                if (bdf_parse(*name, &fn) >= 0 &&
                    k->read(k, ATTR_FN(ATTR_TOTALVFS, fn), text, sizeof(text)) >= 0 &&
                    look_at(k, fn, ret) == -ENOMEM)
                        return -ENOMEM;
        }
        return r;
}
