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
        .links = rtnl_links,
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

static int look_addresses(HolderSearch *s, const Netdev *n, uint32_t ifindex) {
        NetUse use = {};
        int r;

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

static int read_flags(HolderSearch *s, const Netdev *n, unsigned long *ret) {
        char text[32], *end;
        int r;

        r = read_of(s, n, "flags", text, sizeof(text));
        if (r < 0)
                return r;
        *ret = strtoul(text, &end, 0);
        return end == text || *end != '\0' ? -EBADMSG : 0;
}

static int read_ifindex(HolderSearch *s, const Netdev *n, uint32_t *ret) {
        char text[32];
        int r;

        r = read_of(s, n, "ifindex", text, sizeof(text));
        return r < 0 ? r : parse_u32(text, INT32_MAX, ret);
}

/* Its number is kept, for what is made of it in other namespaces. */
static int look_netdev(HolderSearch *s, const Netdev *n, NetLinks *ours) {
        unsigned long flags;
        NetLink link = {};
        int r;

        r = look_uppers(s, n);
        if (r < 0)
                return r;
        r = read_flags(s, n, &flags);
        if (r >= 0)
                r = read_ifindex(s, n, &link.lower);
        if (r < 0)
                return holder_cannot_tell(s, r, "state of %s", n->name);
        r = str_copy(link.name, sizeof(link.name), n->name);
        if (r >= 0)
                r = net_links_add(ours, &link);
        if (r < 0 || s->mode == USERS_GLANCE)
                return r;
        return flags & IFF_UP ? look_addresses(s, n, link.lower) : 0;
}

/* Those of one device that net devices can belong to. */
static int look_folder(HolderSearch *s, const char *folder, NetLinks *ours) {
        _cleanup_strv_ char **names = NULL;
        int r;

        r = s->k->list(s->k, ATTR_ENTRY(ATTR_DIRECTORY, s->fn, folder), &names);
        if (r < 0)
                return holder_cannot_tell(s, r, "its net devices");
        STRV_FOREACH (name, names) {
                r = look_netdev(s, &(Netdev){ folder, *name }, ours);
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool is_network(HolderSearch *s) {
        char class[16];

        return s->k->read(s->k, ATTR_FN(ATTR_CLASS, s->fn), class, sizeof(class)) < 0 ||
               startswith(class, "0x02");
}

/* A virtio function's net device belongs to the virtio device below it, which is one of *ret_parents then. */
static int look_here(HolderSearch *s, NetLinks *ours, char ***ret_parents) {
        _cleanup_strv_ char **names = NULL;
        char folder[64];
        int r;

        r = look_folder(s, attr_name(ATTR_NET), ours);
        if (r >= 0)
                r = strv_push(ret_parents, BDF_STR(s->fn));
        if (r < 0)
                return r;
        r = s->k->list(s->k, ATTR_FN(ATTR_DIRECTORY, s->fn), &names);
        if (r < 0)
                return holder_cannot_tell(s, r, "its devices");
        STRV_FOREACH (name, names) {
                if (!startswith(*name, "virtio"))
                        continue;
                snprintf(folder, sizeof(folder), "%.40s/%s", *name, attr_name(ATTR_NET));
                r = look_folder(s, folder, ours);
                if (r >= 0)
                        r = strv_push(ret_parents, *name);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* One of several may have been moved, so that those that stayed are no reason not to look elsewhere. */
int holder_net(HolderSearch *s) {
        _cleanup_strv_ char **parents = NULL;
        NetLinks ours = {};
        int r;

        r = look_here(s, &ours, &parents);
        if (r >= 0 && (ours.n > 0 || is_network(s)))
                r = s->mode == USERS_GLANCE
                            ? holder_cannot_tell(s, -ETIMEDOUT, "addresses of its net devices")
                            : holder_netns(s, parents, &ours);
        free(ours.items);
        return r;
}
