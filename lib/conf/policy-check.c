/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy files: what is wrong though each word of it is right
 *
 * Two policies of one name, and one address for two VFs.
 */
#include <errno.h>
#include <string.h>

#include <libconfig.h>

#include "base/macro.h"
#include "base/str.h"

#include "conf/policy-read.h"
#include "conf/source.h"

/* An address that one VF is given. */
typedef struct Given {
        uint64_t value;
        uint32_t index;
} Given;

static const Policy *find_name(const Policies *all, const char *name) {
        for (size_t i = 0; i < all->n; i++)
                if (streq(all->items[i].name, name))
                        return all->items + i;
        return NULL;
}

static void check_name(PolicyReader *rd, const config_setting_t *group, const Policy *p) {
        const Policy *other = find_name(rd->all, p->name);

        if (!other)
                other = find_name(&rd->own, p->name);
        if (other)
                policy_say(rd, config_setting_get_member(group, "name"),
                           "there is a policy '%s' already, in %s:%u", p->name, other->file,
                           other->line);
}

static int compare(const void *a, const void *b) {
        const Given *x = a, *y = b;

        if (x->value != y->value)
                return x->value < y->value ? -1 : 1;
        return x->index < y->index ? -1 : x->index > y->index;
}

static bool rule_has(const VfRule *rule, VfKey k) {
        return rule->attrs.has & 1u << k || (k == VFKEY_MAC && rule->mac) ||
               (k == VFKEY_NODE_GUID && rule->node_guid) ||
               (k == VFKEY_PORT_GUID && rule->port_guid);
}

static bool rule_covers(const VfRule *rule, uint32_t index) {
        for (size_t i = 0; i < rule->n_ranges; i++)
                if (index >= rule->ranges[i].first && index <= rule->ranges[i].last)
                        return true;
        return false;
}

/* Where that VF's value was written: the last entry that covers it. */
static const config_setting_t *origin(const config_setting_t *group, const Policy *p,
                                      uint32_t index, VfKey k) {
        for (size_t i = p->n_vf; i > 0; i--)
                if (rule_has(p->vf + i - 1, k) && rule_covers(p->vf + i - 1, index))
                        return config_setting_get_elem(config_setting_get_member(group, "vf"),
                                                       (unsigned) i - 1);
        return config_setting_get_member(group, "vf_default");
}

static void check_twice(PolicyReader *rd, const config_setting_t *group, const Policy *p,
                        const Wanted *w, VfKey k) {
        _cleanup_free_ Given *given = calloc(w->n_vfs + 1, sizeof(Given));
        char value[VFATTR_VALUE_MAX];
        size_t n = 0;

        if (!given) {
                rd->error = -ENOMEM;
                return;
        }
        /* All zeros leave the choice to the VF, as often as one likes. */
        for (uint32_t i = 0; i < w->n_vfs; i++)
                if (w->vfs[i].attrs.value[k] != 0)
                        given[n++] = (Given){ w->vfs[i].attrs.value[k], i };
        qsort(given, n, sizeof(Given), compare);
        for (size_t i = 1; i < n; i++)
                if (given[i].value == given[i - 1].value) {
                        policy_say(rd, origin(group, p, given[i].index, k),
                                   "VFs %u and %u are both given %s %s; write {index} in it",
                                   given[i - 1].index, given[i].index, vfkey_to_string(k),
                                   vfattrs_get(&w->vfs[given[i].index].attrs, k, value));
                        return;
                }
}

static bool policy_has(const Policy *p, VfKey k) {
        bool has = rule_has(&p->vf_default, k);

        for (size_t i = 0; i < p->n_vf && !has; i++)
                has = rule_has(p->vf + i, k);
        return has;
}

/* So many VFs that each index of the file is among them, where the file does not say how many there are. */
static uint16_t count_of(const Policy *p) {
        uint32_t n = UINT8_MAX + 1;

        for (size_t i = 0; i < p->n_vf; i++)
                for (size_t j = 0; j < p->vf[i].n_ranges; j++)
                        n = MAX2(n, p->vf[i].ranges[j].last + 1);
        return (uint16_t) n;
}

static void check_addresses(PolicyReader *rd, const config_setting_t *group, const Policy *p) {
        static const VfKey keys[] = { VFKEY_MAC, VFKEY_NODE_GUID, VFKEY_PORT_GUID };
        const Fn pf = { .total_vfs = count_of(p) };
        Wanted w = {};

        for (size_t i = 0; i < ELEMENTSOF(keys) && rd->error == 0; i++) {
                if (!policy_has(p, keys[i]))
                        continue;
                if (!w.vfs)
                        rd->error = policy_want(p, &pf, &w);
                if (rd->error == 0)
                        check_twice(rd, group, p, &w, keys[i]);
        }
        wanted_done(&w);
}

void policy_check(PolicyReader *rd, const config_setting_t *group, const Policy *p) {
        check_name(rd, group, p);
        check_addresses(rd, group, p);
}
