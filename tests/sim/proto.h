/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proto: the Kernel's calls over a unix stream socket
 *
 * One call at a time on a connection: a request, and its reply when the simulated kernel lets go. WATCH turns the
 * connection into a stream of KernelEvent. Both ends are one machine and one build.
 */
#pragma once

#include <stdint.h>

typedef enum ProtoCall {
        PROTO_LIST, /* a -> names, each ended by NUL */
        PROTO_READ, /* a; number: size -> text */
        PROTO_WRITE, /* a, b */
        PROTO_LINK, /* a; number: size -> text */
        PROTO_PATH, /* a; number: size -> text */
        PROTO_IDENTITY, /* a -> number */
        PROTO_OPEN_GROUP, /* number -> a descriptor behind the reply */
        PROTO_USERS, /* a: an address; number: UsersMode -> Holder[number] */
        PROTO_TASKS, /* -> Task[number] */
        PROTO_VF_ATTRS, /* a: an address; number: first << 32 | n -> VfAttrs[number] */
        PROTO_VF_SET, /* a: an address; number: index << 32 | VfAttr; b: vfattrs_format() */
        PROTO_ESWITCH_GET, /* a: an address -> number */
        PROTO_ESWITCH_SET, /* a: an address; number: Eswitch */
        PROTO_UP, /* a: an address */
        PROTO_FACTS, /* a: an address -> number: identity; lines "altname ...", "mac ...", "serial ...", "path ..." */
        PROTO_LOAD, /* a */
        PROTO_UNLOAD, /* a */
        PROTO_PAUSE, /* number: ms of the simulator's time */
        PROTO_INITIALIZED, /* a: an address */
        PROTO_WATCH,
        PROTO_CONTROL, /* a: a command of control.c -> text */
        _PROTO_MAX,
} ProtoCall;

typedef struct ProtoRequest {
        uint32_t size; /* of what follows: a and b, each ended by NUL */
        uint32_t call;
        uint64_t number;
} ProtoRequest;

typedef struct ProtoReply {
        uint32_t size; /* of what follows */
        int32_t result;
        uint64_t number;
} ProtoReply;

#define PROTO_SIZE_MAX (64U * 1024U * 1024U)

/* All of it or nothing. 0; -EIO = the other end is gone. */
int proto_send(int fd, const void *data, size_t size);
int proto_receive(int fd, void *data, size_t size);
/* A descriptor. 0, -EIO. */
int proto_send_fd(int fd, int passed);
int proto_receive_fd(int fd, int *ret);
