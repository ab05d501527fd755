/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Server: a call of a client, and its answer
 */
#pragma once

#include "tests/sim/proto.h"
#include "tests/sim/sim.h"

typedef struct Client {
        int fd; /* < 0: gone, and only its calls are left */
        uint32_t pid, ppid;
        char command[32];
        unsigned n_calls;
        bool watches, lost;
        struct Client *next;
} Client;

typedef struct Server {
        Sim *sim;
        Client *clients;
        uint64_t start_ms;
        unsigned speed;
        int listen_fd;
} Server;

/* A call that may wait, and who gets its answer. */
typedef struct Call {
        Server *server;
        Client *client;
        ProtoRequest request;
        char *a, *b; /* b lies in a */
        ProtoReply reply;
        char *body;
        int passed_fd; /* goes along; -EBADF: none */
} Call;

/* Does what was asked for, which may wait where the kernel would, and fills in the reply. */
void server_answer(Call *c);
