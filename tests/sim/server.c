/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim-server: the simulated kernel as a process, in real time
 *
 *      sim-server SOCKET [--variant=O|A|C|R] [--old] [--topology=NAME] [--speed=N]
 *
 * N of its milliseconds pass in one of ours. A write that blocks is answered when the simulated kernel lets go; a client that
 * dies leaves its write where it is, as a killed process does. Ends on SIGTERM.
 */
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "base/str.h"
#include "tests/sim/server.h"

static volatile sig_atomic_t told_to_end;

static void on_signal(int sig) {
        (void) sig;
        told_to_end = 1;
}

static uint64_t real_ms(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void client_close(Client *c) {
        c->fd = close_fd(c->fd);
        c->fd = -EBADF;
}

static void call_free(Call *c) {
        close_fd(c->passed_fd);
        free(c->a);
        free(c->body);
        free(c);
}

static void reply(Call *c) {
        Client *client = c->client;

        if (client->fd >= 0 && (proto_send(client->fd, &c->reply, sizeof(c->reply)) < 0 ||
                                proto_send(client->fd, c->body, c->reply.size) < 0 ||
                                (c->passed_fd >= 0 && proto_send_fd(client->fd, c->passed_fd) < 0)))
                client_close(client);
}

static int call_main(SimTask *t, void *arg) {
        Call *c = arg;

        (void) t;
        if (c->server->sim)
                server_answer(c);
        return 0;
}

static void call_ended(SimTask *t, void *arg) {
        Call *c = arg;

        if (t->state == SIM_TASK_DEAD) {
                client_close(c->client);
                return;
        }
        /* The end of the simulator is not an answer: who waited in it waits on, or sees it go. */
        if (c->server->sim)
                reply(c);
        c->client->n_calls--;
        call_free(c);
}

static bool may_wait(ProtoCall call) {
        return call == PROTO_READ || call == PROTO_WRITE || call == PROTO_LOAD ||
               call == PROTO_UNLOAD || call == PROTO_PAUSE || call == PROTO_USERS ||
               (call >= PROTO_VF_ATTRS && call <= PROTO_FACTS);
}

/* A task of the process that asks. */
static void start(Call *c) {
        SimTask *t = sched_spawn(sim_sched(c->server->sim), call_main, c, call_ended);

        if (!t)
                abort();
        t->pid = c->client->pid;
        t->ppid = c->client->ppid;
        memcpy(t->command, c->client->command, sizeof(t->command));
        c->client->n_calls++;
}

static void serve(Server *s, Client *client) {
        Call *c = calloc(1, sizeof(*c));

        if (!c)
                abort();
        c->server = s;
        c->client = client;
        c->passed_fd = -EBADF;
        if (proto_receive(client->fd, &c->request, sizeof(c->request)) < 0 ||
            c->request.size > PROTO_SIZE_MAX) {
                client_close(client);
                call_free(c);
                return;
        }
        c->a = calloc(1, (size_t) c->request.size + 2);
        if (!c->a)
                abort();
        if (proto_receive(client->fd, c->a, c->request.size) < 0) {
                client_close(client);
                call_free(c);
                return;
        }
        c->b = c->a + strlen(c->a) + 1;
        if (may_wait(c->request.call)) {
                start(c);
                return;
        }
        server_answer(c);
        reply(c);
        call_free(c);
}

/* Never waits for who does not listen; they are told later that they missed something. */
static void on_event(Sim *sim, const KernelEvent *event, void *arg) {
        const Server *s = arg;

        (void) sim;
        for (Client *c = s->clients; c; c = c->next) {
                KernelEvent lost = { .kind = KERNEL_EVENT_LOST, .bdf = BDF_NONE };

                if (!c->watches || c->fd < 0)
                        continue;
                if (c->lost && send(c->fd, &lost, sizeof(lost), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
                        c->lost = false;
                if (send(c->fd, event, sizeof(*event), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
                        c->lost = true;
        }
}

/* Who it is, and whose child: children of one daemon are no strangers to each other. */
static void know_client(Client *c) {
        struct ucred cred = { .pid = 0 };
        socklen_t n = sizeof(cred);
        char path[64];
        _cleanup_fclose_ FILE *f = NULL;

        if (getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) < 0)
                return;
        c->pid = (uint32_t) cred.pid;
        snprintf(path, sizeof(path), "/proc/%d/stat", (int) cred.pid);
        f = fopen(path, "re");
        if (f && fscanf(f, "%*d (%31[^)]) %*c %u", c->command, &c->ppid) != 2)
                c->ppid = 0;
}

static void accept_client(Server *s) {
        Client *c = calloc(1, sizeof(*c));

        if (!c)
                abort();
        c->fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (c->fd < 0) {
                free(c);
                return;
        }
        know_client(c);
        c->next = s->clients;
        s->clients = c;
}

static void forget_gone(Server *s) {
        for (Client **p = &s->clients; *p;) {
                Client *c = *p;

                if (c->fd >= 0 || c->n_calls > 0) {
                        p = &c->next;
                        continue;
                }
                *p = c->next;
                free(c);
        }
}

static int timeout_ms(const Server *s) {
        uint64_t wake = sched_next_wake(sim_sched(s->sim)), ms;

        if (wake == UINT64_MAX)
                return -1;
        ms = wake <= sim_now(s->sim) ? 0 : (wake - sim_now(s->sim) + s->speed - 1) / s->speed;
        return ms > INT_MAX ? INT_MAX : (int) ms;
}

static void let_time_pass(Server *s) {
        sched_run(sim_sched(s->sim), (real_ms() - s->start_ms) * s->speed);
}

static void turn(Server *s) {
        struct pollfd fds[256] = { { .fd = s->listen_fd, .events = POLLIN } };
        Client *who[256] = { NULL };
        nfds_t n = 1;

        forget_gone(s);
        for (Client *c = s->clients; c && n < ELEMENTSOF(fds); c = c->next)
                if (c->fd >= 0) {
                        who[n] = c;
                        fds[n++] = (struct pollfd){ .fd = c->fd, .events = POLLIN };
                }
        /* A bound, for a signal may come just before. */
        if (poll(fds, n, MIN2((unsigned) timeout_ms(s), 500U)) < 0)
                return;
        let_time_pass(s);
        for (nfds_t i = 1; i < n; i++)
                if (fds[i].revents && who[i]->fd >= 0)
                        serve(s, who[i]);
        if (fds[0].revents)
                accept_client(s);
        let_time_pass(s);
}

static int listen_at(const char *path) {
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || str_copy(a.sun_path, sizeof(a.sun_path), path) < 0)
                return -EINVAL;
        unlink(path);
        if (bind(fd, (struct sockaddr *) &a, sizeof(a)) < 0 || listen(fd, 64) < 0) {
                int r = -errno;

                close_fd(fd);
                return r;
        }
        return fd;
}

static int parse_args(int argc, char **argv, SimConfig *config, unsigned *ret_speed) {
        for (int i = 2; i < argc; i++) {
                const char *v;

                if ((v = startswith(argv[i], "--variant="))) {
                        SimVariant n = 0;

                        while (n < _SIM_VARIANT_MAX && !streq(sim_variant_to_string(n), v))
                                n++;
                        if (n == _SIM_VARIANT_MAX)
                                return -EINVAL;
                        config->variant = n;
                } else if ((v = startswith(argv[i], "--topology="))) {
                        config->topology = v;
                } else if ((v = startswith(argv[i], "--speed="))) {
                        *ret_speed = strtoul(v, NULL, 10);
                } else if (streq(argv[i], "--old")) {
                        config->old = true;
                } else {
                        return -EINVAL;
                }
        }
        return argc < 2 || *ret_speed == 0 ? -EINVAL : 0;
}

static void server_done(Server *s) {
        Sim *sim = TAKE_PTR(s->sim);

        sim_free(sim);
        close_fd(s->listen_fd);
        for (Client *c = s->clients, *next; c; c = next) {
                next = c->next;
                close_fd(c->fd);
                free(c);
        }
}

int main(int argc, char **argv) {
        SimConfig config = { .variant = SIM_VARIANT_C };
        Server s = { .speed = 100, .listen_fd = -EBADF };

        if (parse_args(argc, argv, &config, &s.speed) < 0) {
                fprintf(stderr, "sim-server SOCKET [--variant=O|A|C|R] [--old] [--topology=NAME] "
                                "[--speed=N]\n");
                return 2;
        }
        s.sim = sim_new(&config);
        s.listen_fd = listen_at(argv[1]);
        if (!s.sim || s.listen_fd < 0) {
                fprintf(stderr, "sim-server: cannot begin\n");
                return 1;
        }
        sigaction(SIGTERM, &(struct sigaction){ .sa_handler = on_signal }, NULL);
        sim_on_event(s.sim, on_event, &s);
        s.start_ms = real_ms();
        while (!told_to_end)
                turn(&s);
        server_done(&s);
        return 0;
}
