/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Remote: each call is a message and its reply
 */
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/str.h"
#include "core/policy.h"
#include "tests/sim/proto.h"
#include "tests/sim/remote.h"

typedef struct Remote {
        Kernel kernel;
        int fd, watch_fd;
        char *socket;
} Remote;

static Remote *remote_of(Kernel *k) {
        return (Remote *) ((char *) k - offsetof(Remote, kernel));
}

static int dial(const char *path) {
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = str_copy(a.sun_path, sizeof(a.sun_path), path);
        if (r < 0)
                return r;
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *) &a, sizeof(a)) < 0)
                return -errno;
        return TAKE_FD(fd);
}

/* The simulator is gone, or this task died in it: so does a process in a kernel's Oops. */
static int lost(ProtoCall call) {
        if (call == PROTO_WRITE || call == PROTO_LOAD || call == PROTO_UNLOAD ||
            call == PROTO_VF_SET || call == PROTO_ESWITCH_SET || call == PROTO_UP)
                raise(SIGKILL);
        return -EIO;
}

static int ask(int fd, ProtoCall call, uint64_t number, const char *a, const char *b,
               ProtoReply *ret, char **ret_body) {
        size_t na = a ? strlen(a) + 1 : 0, nb = b ? strlen(b) + 1 : 0;
        ProtoRequest q = { .size = na + nb, .call = call, .number = number };
        _cleanup_free_ char *body = NULL;

        if (proto_send(fd, &q, sizeof(q)) < 0 || proto_send(fd, a, na) < 0 ||
            proto_send(fd, b, nb) < 0 || proto_receive(fd, ret, sizeof(*ret)) < 0 ||
            ret->size > PROTO_SIZE_MAX)
                return lost(call);
        body = calloc(1, (size_t) ret->size + 1);
        if (!body)
                return -ENOMEM;
        if (proto_receive(fd, body, ret->size) < 0)
                return lost(call);
        if (ret_body)
                *ret_body = TAKE_PTR(body);
        return ret->result;
}

static int ask_text(Kernel *k, ProtoCall call, const char *path, char *buf, size_t size) {
        _cleanup_free_ char *body = NULL;
        ProtoReply reply;
        int r = ask(remote_of(k)->fd, call, size, path, NULL, &reply, &body);

        if (r < 0)
                return r;
        snprintf(buf, size, "%s", body);
        return r;
}

static int r_list(Kernel *k, const char *path, char ***ret) {
        _cleanup_free_ char *body = NULL;
        _cleanup_free_ char **list = NULL;
        ProtoReply reply;
        size_t n = 0;
        int r = ask(remote_of(k)->fd, PROTO_LIST, 0, path, NULL, &reply, &body);

        if (r < 0)
                return r;
        list = calloc(reply.number + 1, sizeof(char *));
        if (!list)
                return -ENOMEM;
        for (const char *p = body; n < reply.number; p += strlen(p) + 1) {
                list[n] = strdup(p);
                if (!list[n++])
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(list);
        return 0;
}

static int r_read(Kernel *k, const char *path, char *buf, size_t size) {
        return ask_text(k, PROTO_READ, path, buf, size);
}

static int r_write(Kernel *k, const char *path, const char *value) {
        ProtoReply reply;

        return ask(remote_of(k)->fd, PROTO_WRITE, 0, path, value, &reply, NULL);
}

static int r_link(Kernel *k, const char *path, char *buf, size_t size) {
        return ask_text(k, PROTO_LINK, path, buf, size);
}

static int r_path(Kernel *k, const char *path, char *buf, size_t size) {
        return ask_text(k, PROTO_PATH, path, buf, size);
}

static int r_identity(Kernel *k, const char *path, uint64_t *ret) {
        ProtoReply reply;
        int r = ask(remote_of(k)->fd, PROTO_IDENTITY, 0, path, NULL, &reply, NULL);

        if (r >= 0)
                *ret = reply.number;
        return r;
}

static int r_open_group(Kernel *k, int group, int *ret_fd) {
        ProtoReply reply;
        int r = ask(remote_of(k)->fd, PROTO_OPEN_GROUP, group, NULL, NULL, &reply, NULL);

        if (r < 0)
                return r;
        return proto_receive_fd(remote_of(k)->fd, ret_fd);
}

static int users_of_one(Kernel *k, Bdf fn, UsersMode mode, Holders *ret) {
        _cleanup_free_ char *body = NULL;
        ProtoReply reply;
        int r = ask(remote_of(k)->fd, PROTO_USERS, mode, BDF_STR(fn), NULL, &reply, &body);

        for (size_t i = 0; r >= 0 && i < reply.number; i++) {
                Holder h;

                memcpy(&h, body + i * sizeof(h), sizeof(h));
                r = holders_add(ret, &h);
        }
        return r;
}

static int r_users(Kernel *k, const Bdf *fns, size_t n, UsersMode mode, Holders *ret) {
        size_t there = 0;

        for (size_t i = 0; i < n; i++) {
                int r = users_of_one(k, fns[i], mode, ret);

                if (r < 0 && r != -ENOENT)
                        return r;
                there += r >= 0;
        }
        return there > 0 ? 0 : -ENOENT;
}

static int r_tasks(Kernel *k, Tasks *ret) {
        _cleanup_free_ char *body = NULL;
        ProtoReply reply;
        int r = ask(remote_of(k)->fd, PROTO_TASKS, 0, NULL, NULL, &reply, &body);

        for (size_t i = 0; r >= 0 && i < reply.number; i++) {
                Task t;

                memcpy(&t, body + i * sizeof(t), sizeof(t));
                r = tasks_add(ret, &t);
        }
        return r;
}

static int r_vf_attrs(Kernel *k, Bdf pf, uint32_t first, uint32_t n, VfAttrs *ret) {
        _cleanup_free_ char *body = NULL;
        ProtoReply reply;
        int r = ask(remote_of(k)->fd, PROTO_VF_ATTRS, (uint64_t) first << 32 | n, BDF_STR(pf), NULL,
                    &reply, &body);

        if (r >= 0)
                memcpy(ret, body, MIN2(reply.number, (uint64_t) n) * sizeof(VfAttrs));
        return r;
}

static int r_vf_set(Kernel *k, Bdf pf, uint32_t index, VfAttr attr, const VfAttrs *attrs) {
        char text[VFATTRS_TEXT_MAX];
        ProtoReply reply;

        return ask(remote_of(k)->fd, PROTO_VF_SET, (uint64_t) index << 32 | attr, BDF_STR(pf),
                   vfattrs_format(attrs, attr, text, sizeof(text)), &reply, NULL);
}

static int r_eswitch_get(Kernel *k, Bdf pf, Eswitch *ret) {
        ProtoReply reply;
        int r = ask(remote_of(k)->fd, PROTO_ESWITCH_GET, 0, BDF_STR(pf), NULL, &reply, NULL);

        if (r >= 0)
                *ret = (Eswitch) reply.number;
        return r;
}

static int r_eswitch_set(Kernel *k, Bdf pf, Eswitch mode) {
        ProtoReply reply;

        return ask(remote_of(k)->fd, PROTO_ESWITCH_SET, mode, BDF_STR(pf), NULL, &reply, NULL);
}

static int r_up(Kernel *k, Bdf fn) {
        ProtoReply reply;

        return ask(remote_of(k)->fd, PROTO_UP, 0, BDF_STR(fn), NULL, &reply, NULL);
}

/* "WORD value" */
static int take_fact(const char *line, PfFacts *f) {
        const char *v;

        if ((v = startswith(line, "altname ")))
                return strv_push(&f->altnames, v);
        if ((v = startswith(line, "mac ")))
                return strv_push(&f->macs, v);
        if ((v = startswith(line, "serial ")))
                return (f->serial = strdup(v)) ? 0 : -ENOMEM;
        if ((v = startswith(line, "path ")))
                return (f->path = strdup(v)) ? 0 : -ENOMEM;
        return -EINVAL;
}

static int r_facts(Kernel *k, Bdf pf, PfFacts *ret) {
        _cleanup_free_ char *body = NULL;
        PfFacts f = { .pf = pf };
        ProtoReply reply;
        char *save = NULL;
        int r = ask(remote_of(k)->fd, PROTO_FACTS, 0, BDF_STR(pf), NULL, &reply, &body);

        if (r < 0)
                return r;
        f.identity = reply.number;
        for (char *line = strtok_r(body, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
                if (take_fact(line, &f) < 0)
                        abort();
        *ret = f;
        return 0;
}

static int r_load(Kernel *k, const char *name) {
        ProtoReply reply;

        return ask(remote_of(k)->fd, PROTO_LOAD, 0, name, NULL, &reply, NULL);
}

static int r_unload(Kernel *k, const char *name) {
        ProtoReply reply;

        return ask(remote_of(k)->fd, PROTO_UNLOAD, 0, name, NULL, &reply, NULL);
}

static int r_initialized(Kernel *k, Bdf fn) {
        ProtoReply reply;

        return ask(remote_of(k)->fd, PROTO_INITIALIZED, 0, BDF_STR(fn), NULL, &reply, NULL);
}

static int r_watch(Kernel *k, int *ret_fd) {
        Remote *m = remote_of(k);
        ProtoReply reply;
        int r;

        if (m->watch_fd < 0) {
                r = dial(m->socket);
                if (r < 0)
                        return r;
                m->watch_fd = r;
                r = ask(m->watch_fd, PROTO_WATCH, 0, NULL, NULL, &reply, NULL);
                if (r < 0)
                        return r;
        }
        *ret_fd = m->watch_fd;
        return 0;
}

static int r_next_event(Kernel *k, KernelEvent *ret) {
        const Remote *m = remote_of(k);
        KernelEvent e;
        ssize_t n = recv(m->watch_fd, &e, sizeof(e), MSG_DONTWAIT | MSG_PEEK);

        if (n == 0)
                return -EIO;
        if (n < (ssize_t) sizeof(e))
                return 0;
        if (proto_receive(m->watch_fd, ret, sizeof(*ret)) < 0)
                return -EIO;
        return 1;
}

static void r_pause(Kernel *k, unsigned ms) {
        ProtoReply reply;

        (void) ask(remote_of(k)->fd, PROTO_PAUSE, ms, NULL, NULL, &reply, NULL);
}

static Kernel *r_free(Kernel *k) {
        Remote *m = remote_of(k);

        close_fd(m->fd);
        close_fd(m->watch_fd);
        free(m->socket);
        free(m);
        return NULL;
}

static const Kernel remote_kernel = {
        .list = r_list,
        .read = r_read,
        .write = r_write,
        .link = r_link,
        .path = r_path,
        .identity = r_identity,
        .open_group = r_open_group,
        .users = r_users,
        .tasks = r_tasks,
        .vf_attrs = r_vf_attrs,
        .vf_set = r_vf_set,
        .eswitch_get = r_eswitch_get,
        .eswitch_set = r_eswitch_set,
        .up = r_up,
        .facts = r_facts,
        .load_module = r_load,
        .unload_module = r_unload,
        .initialized = r_initialized,
        .watch = r_watch,
        .next_event = r_next_event,
        .pause = r_pause,
        .free = r_free,
};

Kernel *remote_open(const char *socket) {
        _cleanup_free_ Remote *m = calloc(1, sizeof(*m));

        if (!m)
                return NULL;
        m->kernel = remote_kernel;
        m->watch_fd = -EBADF;
        m->socket = strdup(socket);
        if (!m->socket)
                return NULL;
        m->fd = dial(socket);
        if (m->fd < 0) {
                free(m->socket);
                errno = -m->fd;
                return NULL;
        }
        return &TAKE_PTR(m)->kernel;
}

int remote_control(Kernel *k, const char *command, char **ret) {
        ProtoReply reply;

        return ask(remote_of(k)->fd, PROTO_CONTROL, 0, command, NULL, &reply, ret);
}

Kernel *kernel_open(void) {
        const char *socket = getenv("SRIOVD_SIM");

        if (!socket) {
                errno = EDESTADDRREQ;
                return NULL;
        }
        return remote_open(socket);
}
