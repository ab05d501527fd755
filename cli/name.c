/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Name
 *
 * if_nametoindex() takes no RTNL: a driver that holds it for seconds does not hold us up.
 */
#include <net/if.h>
#include <stdio.h>

#include "base/str.h"

#include "cli/name.h"
#include "cli/say.h"

#define VF_MAX 65534 /* the last index that 65,535 VFs have */

/* Cuts "/vfN" off the base. */
static void take_vf(Name *n) {
        char *slash = strrchr(n->base, '/');
        const char *digits = slash ? startswith(slash, "/vf") : NULL;

        n->has_vf = digits && parse_u32(digits, VF_MAX, &n->vf) == 0;
        if (n->has_vf)
                *slash = '\0';
}

/* Names of another host's netdevs are that host's business. */
static void take_altname(const Cli *c, Name *n) {
        char ifname[IF_NAMESIZE];
        unsigned index;

        if (c->host)
                return;
        index = if_nametoindex(n->base);
        if (index == 0 || !if_indextoname(index, ifname) || streq(ifname, n->base))
                return;
        (void) str_copy(n->base, sizeof(n->base), ifname);
        if (n->has_vf)
                snprintf(n->text, sizeof(n->text), "%s/vf%u", n->base, n->vf);
        else
                snprintf(n->text, sizeof(n->text), "%s", n->base);
}

int name_parse(const Cli *c, const char *typed, Name *ret) {
        Name n = { .bdf = BDF_NONE };
        const char *address;

        if (isempty(typed))
                return say_usage(c, "a device must have a name; 'sriovctl list' shows them");
        if (str_copy(n.text, sizeof(n.text), typed) < 0 ||
            str_copy(n.base, sizeof(n.base), typed) < 0)
                return say_usage(c, "%.32s...: too long for the name of a device", typed);
        take_vf(&n);
        address = startswith(n.base, "pci/");
        if (bdf_parse(address ? address : n.base, &n.bdf) < 0) {
                n.bdf = BDF_NONE;
                take_altname(c, &n);
        }
        *ret = n;
        return 0;
}
