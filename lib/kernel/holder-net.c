/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holders of a net device
 *
 * Up, and with an address or a route that somebody gave it; or part of something larger: a port of a bridge, below a
 * VLAN. What a kernel gives to each interface that is up (link-local addresses, their routes) is nobody's use.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/attr.h"
#include "kernel/holder.h"
#include "kernel/look.h"
#include "kernel/rtnl.h"

static int claim(const char *path) {
        int fd = open(path, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        close_fd(fd);
        return 0;
}

const HolderAsks holder_asks_kernel = {
        .addresses = rtnl_addresses,
        .routes = rtnl_routes,
        .find_link = rtnl_find_link,
        .claim = claim,
};

/* A net device by the folder that it stands in, relative to the function's: "net/eth0", "virtio3/net/eth0". */
typedef struct Netdev {
        const char *folder, *name;
} Netdev;

static int read_of(HolderSearch *s, const Netdev *n, const char *file, char *buf, size_t size) {
        char entry[128];

        snprintf(entry, sizeof(entry), "%s/%s/%s", n->folder, n->name, file);
        return s->k->read(s->k, ATTR_ENTRY(ATTR_DIRECTORY, s->fn, entry), buf, size);
}

/* "upper_br0" is a link to whatever is made of it. */
static int look_uppers(HolderSearch *s, const Netdev *n) {
        _cleanup_strv_ char **names = NULL;
        char entry[128], master[IF_NAMESIZE] = "";
        int r;

        snprintf(entry, sizeof(entry), "%s/%s", n->folder, n->name);
        r = s->k->list(s->k, ATTR_ENTRY(ATTR_DIRECTORY, s->fn, entry), &names);
        if (r < 0)
                return holder_cannot_tell(s, r, "what %s is a part of", n->name);
        snprintf(entry, sizeof(entry), "%s/%s/master", n->folder, n->name);
        (void) s->k->link(s->k, ATTR_ENTRY(ATTR_DIRECTORY, s->fn, entry), master, sizeof(master));
        STRV_FOREACH (name, names) {
                const char *upper = startswith(*name, "upper_");

                if (!upper)
                        continue;
                r = holder_found(s, HOLDER_MASTER, 0, "%s is %s %s", n->name,
                                 streq(upper, master) ? "a port of" : "below", upper);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int tell_use(HolderSearch *s, const Netdev *n, const char *what, const NetUse *use) {
        if (use->n > 1)
                return holder_found(s, HOLDER_NETDEV, 0, "%s%s on %s, and %u more", what,
                                    use->first, n->name, use->n - 1);
        return holder_found(s, HOLDER_NETDEV, 0, "%s%s on %s", what, use->first, n->name);
}

static int look_addresses(HolderSearch *s, const Netdev *n) {
        NetUse use = {};
        char text[32];
        uint32_t ifindex;
        int r;

        r = read_of(s, n, "ifindex", text, sizeof(text));
        if (r >= 0)
                r = parse_u32(text, INT32_MAX, &ifindex);
        if (r >= 0)
                r = s->asks->addresses(ifindex, &use);
        if (r < 0)
                return holder_cannot_tell(s, r, "addresses of %s", n->name);
        if (use.n > 0)
                return tell_use(s, n, "", &use);
        r = s->asks->routes(ifindex, &use);
        if (r < 0)
                return holder_cannot_tell(s, r, "routes of %s", n->name);
        return use.n > 0 ? tell_use(s, n, "route ", &use) : 0;
}

static int look_netdev(HolderSearch *s, const Netdev *n) {
        char text[32], *end;
        unsigned long flags;
        int r;

        r = look_uppers(s, n);
        if (r < 0)
                return r;
        r = read_of(s, n, "flags", text, sizeof(text));
        if (r < 0)
                return holder_cannot_tell(s, r, "state of %s", n->name);
        flags = strtoul(text, &end, 0);
        if (end == text || *end != '\0')
                return holder_cannot_tell(s, -EBADMSG, "state of %s", n->name);
        return flags & IFF_UP ? look_addresses(s, n) : 0;
}

/* Those of one device that net devices can belong to. 0 or more: so many. */
static int look_folder(HolderSearch *s, const char *folder) {
        _cleanup_strv_ char **names = NULL;
        int r, n = 0;

        r = s->k->list(s->k, ATTR_ENTRY(ATTR_DIRECTORY, s->fn, folder), &names);
        if (r < 0)
                return holder_cannot_tell(s, r, "its net devices");
        STRV_FOREACH (name, names) {
                r = look_netdev(s, &(Netdev){ folder, *name });
                if (r < 0)
                        return r;
                n++;
        }
        return n;
}

static bool is_network(HolderSearch *s) {
        char class[16];

        return s->k->read(s->k, ATTR_FN(ATTR_CLASS, s->fn), class, sizeof(class)) < 0 ||
               startswith(class, "0x02");
}

/* A virtio function's net device belongs to the virtio device below it. */
int holder_net(HolderSearch *s) {
        _cleanup_strv_ char **names = NULL, **parents = NULL;
        char folder[64];
        int r, n;

        n = look_folder(s, attr_name(ATTR_NET));
        if (n < 0)
                return n;
        r = strv_push(&parents, BDF_STR(s->fn));
        if (r < 0)
                return r;
        (void) s->k->list(s->k, ATTR_FN(ATTR_DIRECTORY, s->fn), &names);
        STRV_FOREACH (name, names) {
                if (!startswith(*name, "virtio"))
                        continue;
                snprintf(folder, sizeof(folder), "%.40s/%s", *name, attr_name(ATTR_NET));
                r = look_folder(s, folder);
                if (r < 0)
                        return r;
                n += r;
                r = strv_push(&parents, *name);
                if (r < 0)
                        return r;
        }
        return n == 0 && is_network(s) ? holder_netns(s, parents) : 0;
}
