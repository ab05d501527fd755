/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nvme
 *
 * Numbers of the NVM Express Base Specification 1.4, sections 5.15.2 (Identify), 5.22 (Virtualization Management) and 4.6.1 (status
 * codes); the same in all later ones. Nothing of it needs the VF itself: commands go to the PF's controller.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/attr.h"
#include "kernel/nvme.h"

enum {
        OPCODE_IDENTIFY = 0x06,
        OPCODE_VIRTUALIZATION = 0x1c,
        IDENTIFY_SIZE = 4096,
        IDENTIFY_CONTROLLER = 0x01,
        IDENTIFY_SECONDARY = 0x15,
        OACS_AT = 256, /* what the controller can do: two bytes */
        OACS_VIRTUALIZATION = 1 << 7,
        ACTION_OFFLINE = 7,
        ACTION_ASSIGN = 8,
        ACTION_ONLINE = 9,
        RESOURCE_QUEUES = 0,
        RESOURCE_INTERRUPTS = 1,
};

/* One of a list that begins with the number of them, in 32 bytes. */
#define LIST_BEGIN 32
#define ENTRY_SIZE 32
#define ENTRIES_MAX ((IDENTIFY_SIZE - LIST_BEGIN) / ENTRY_SIZE)

typedef struct Secondary {
        uint16_t id, vf; /* vf: its number, from 1; 0: not a VF */
        uint16_t queues, interrupts;
        bool online;
} Secondary;

/* Tells each; > 0 ends the walk. */
typedef int (*Each)(const Secondary *s, void *arg);

static int to_errno(int status) {
        if (status <= 0)
                return status;
        /* Above the code are bits that say whether to try again. */
        switch (status & 0x7ff) {
        case 0x001: /* invalid command opcode */
                return -EOPNOTSUPP;
        case 0x002: /* invalid field in command */
        case 0x122: /* invalid resource identifier */
                return -EINVAL;
        case 0x11f: /* invalid controller identifier */
                return -ENOENT;
        case 0x120: /* invalid secondary controller state */
                return -EBUSY;
        case 0x121: /* invalid number of controller resources */
                return -ERANGE;
        default:
                return -EIO;
        }
}

static int identify(NvmeAdmin *a, uint32_t what, uint16_t from, uint8_t *buf) {
        struct nvme_admin_cmd command = { .opcode = OPCODE_IDENTIFY,
                                          .addr = (uint64_t) (uintptr_t) buf,
                                          .data_len = IDENTIFY_SIZE,
                                          .cdw10 = what | (uint32_t) from << 16 };

        return to_errno(a->send(a, &command));
}

static uint16_t u16_at(const uint8_t *buf, size_t at) {
        return (uint16_t) (buf[at] | buf[at + 1] << 8);
}

static Secondary entry_at(const uint8_t *buf, size_t i) {
        const uint8_t *e = buf + LIST_BEGIN + i * ENTRY_SIZE;

        return (Secondary){ .id = u16_at(e, 0),
                            .online = e[4] & 1,
                            .vf = u16_at(e, 8),
                            .queues = u16_at(e, 10),
                            .interrupts = u16_at(e, 12) };
}

static int can(NvmeAdmin *a) {
        uint8_t buf[IDENTIFY_SIZE] = { 0 };
        int r = identify(a, IDENTIFY_CONTROLLER, 0, buf);

        if (r < 0)
                return r;
        return u16_at(buf, OACS_AT) & OACS_VIRTUALIZATION ? 0 : -EOPNOTSUPP;
}

/* A list has at most 127; the next one is asked for from behind the last identifier on. */
static int walk(NvmeAdmin *a, Each each, void *arg) {
        uint8_t buf[IDENTIFY_SIZE] = { 0 };
        uint16_t from = 0;
        size_t n;
        int r;

        r = can(a);
        if (r < 0)
                return r;
        do {
                r = identify(a, IDENTIFY_SECONDARY, from, buf);
                if (r < 0)
                        return r;
                n = MIN2((size_t) buf[0], (size_t) ENTRIES_MAX);
                for (size_t i = 0; i < n; i++) {
                        Secondary s = entry_at(buf, i);

                        r = each(&s, arg);
                        if (r != 0)
                                return MIN2(r, 0);
                        if (s.id < from || s.id == UINT16_MAX)
                                return 0; /* not in order, or the last that can be */
                        from = (uint16_t) (s.id + 1);
                }
        } while (n == ENTRIES_MAX);
        return 0;
}

typedef struct Look {
        uint32_t first, n;
        VfAttrs *attrs;
} Look;

/* Offline it has nothing that a driver could use, whatever it was given: one is seen to have 0 then, not to be unable. */
static int look(const Secondary *s, void *arg) {
        const Look *l = arg;
        uint32_t index = s->vf - 1U;
        VfAttrs *a;

        if (s->vf == 0 || index < l->first || index - l->first >= l->n)
                return 0;
        a = l->attrs + (index - l->first);
        a->has |= 1u << VFKEY_QUEUES | 1u << VFKEY_INTERRUPTS;
        a->value[VFKEY_QUEUES] = s->online ? s->queues : 0;
        a->value[VFKEY_INTERRUPTS] = s->online ? s->interrupts : 0;
        return 0;
}

int nvme_vf_attrs(NvmeAdmin *a, uint32_t first, uint32_t n, VfAttrs *ret) {
        Look l = { first, n, ret };

        return walk(a, look, &l);
}

typedef struct Find {
        uint32_t index;
        Secondary found;
        bool is;
} Find;

static int find(const Secondary *s, void *arg) {
        Find *f = arg;

        if (s->vf == 0 || s->vf - 1U != f->index)
                return 0;
        f->found = *s;
        f->is = true;
        return 1;
}

static int manage(NvmeAdmin *a, uint16_t id, uint32_t action, uint32_t resource, uint64_t number) {
        struct nvme_admin_cmd command = { .opcode = OPCODE_VIRTUALIZATION,
                                          .cdw10 = action | resource << 8 | (uint32_t) id << 16,
                                          .cdw11 = (uint32_t) number };

        return to_errno(a->send(a, &command));
}

static int assign(NvmeAdmin *a, uint16_t id, uint64_t queues, uint64_t interrupts) {
        int r = manage(a, id, ACTION_OFFLINE, 0, 0);

        if (r >= 0)
                r = manage(a, id, ACTION_ASSIGN, RESOURCE_QUEUES, queues);
        if (r >= 0)
                r = manage(a, id, ACTION_ASSIGN, RESOURCE_INTERRUPTS, interrupts);
        return r < 0 ? r : manage(a, id, ACTION_ONLINE, 0, 0);
}

int nvme_vf_set(NvmeAdmin *a, uint32_t index, const VfAttrs *attrs) {
        Find f = { .index = index };
        int r;

        r = walk(a, find, &f);
        if (r < 0)
                return r;
        if (!f.is)
                return -ENOENT;
        r = assign(a, f.found.id, attrs->value[VFKEY_QUEUES], attrs->value[VFKEY_INTERRUPTS]);
        /* One that worked does so again: a wish that cannot be had must not cost what was there. */
        if (r < 0 && f.found.online)
                (void) assign(a, f.found.id, f.found.queues, f.found.interrupts);
        return r;
}

static int send_ioctl(NvmeAdmin *a, struct nvme_admin_cmd *command) {
        int r = ioctl(a->fd, NVME_IOCTL_ADMIN_CMD, command);

        return r < 0 ? -errno : r;
}

/* The node is the PF's if it has the number that sysfs says, whatever its name is by now. */
static int open_node(Kernel *k, const char *dev, Bdf pf, const char *name) {
        _cleanup_close_ int fd = -EBADF;
        char path[PATH_MAX], text[32];
        struct stat st;
        int r;

        snprintf(path, sizeof(path), "%s/dev", ATTR_ENTRY(ATTR_NVME, pf, name));
        r = k->read(k, path, text, sizeof(text));
        if (r < 0)
                return r;
        snprintf(path, sizeof(path), "%s/%s", dev, name);
        fd = open(path, O_RDWR | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        snprintf(path, sizeof(path), "%u:%u", major(st.st_rdev), minor(st.st_rdev));
        return streq(path, text) ? TAKE_FD(fd) : -ENODEV;
}

int nvme_open(Kernel *k, const char *dev, Bdf pf, NvmeAdmin *ret) {
        _cleanup_strv_ char **names = NULL;
        int r;

        r = k->list(k, ATTR_FN(ATTR_NVME, pf), &names);
        if (r == -ENOENT || (r >= 0 && !names[0]))
                return -EOPNOTSUPP;
        if (r < 0)
                return r;
        r = open_node(k, dev, pf, names[0]);
        if (r < 0)
                return r;
        *ret = (NvmeAdmin){ .send = send_ioctl, .fd = r };
        return 0;
}
