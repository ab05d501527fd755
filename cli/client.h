/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Client: the connection to sriovd, and what its errors mean
 *
 * Root takes the private socket, which is there before D-Bus is and when D-Bus is not; all others,
 * and root where the socket does not answer, take the system bus, which starts the daemon if need
 * be.
 */
#pragma once

#include <json-c/json.h>
#include <systemd/sd-bus.h>

#include "cli/cli.h"

/* Connects, unless it is connected already. Says why not. */
int client_open(Cli *c);
void client_close(Cli *c);
/* Connects to the private socket or not at all, without a word. 0 or a negative errno. */
int client_try_private(Cli *c);
/*
 * As client_open() does, without a word; a bus counts only if it is up within moments: early at boot its socket is there long before
 * anybody answers. 0 or a negative errno, and then client_reopen() is for root's private socket, where it will be first.
 */
int client_try_open(Cli *c);
/* The same without a word, and only the way that worked before. 0 or a negative errno. */
int client_reopen(Cli *c);

/* A call to a method of the manager, to be filled in. */
int client_new_call(Cli *c, const char *member, sd_bus_message **ret);
/* Sends it and waits for the answer. ret_reply may be NULL. */
int client_send(Cli *c, sd_bus_message *m, sd_bus_message **ret_reply);
/* The same without a word. A negative errno, with the bus's error in ret_error. */
int client_try_send(Cli *c, sd_bus_message *m, sd_bus_message **ret_reply, sd_bus_error *ret_error);
/* All in one, for arguments that are known beforehand. */
int client_call(Cli *c, const char *path, const char *interface, const char *member,
                sd_bus_message **ret_reply, const char *types, ...);

/* All properties of one interface of an object, as record.h has them. */
int client_get(Cli *c, const char *path, const char *interface, json_object **ret);
/* The same without a word. 0 or a negative errno, with the bus's error in ret_error. */
int client_try_get(Cli *c, const char *path, const char *interface, json_object **ret,
                   sd_bus_error *ret_error);

/* What went wrong, in words: e as the bus gave it, or r as sd-bus did. Returns the exit status. */
int client_why(const Cli *c, int r, const sd_bus_error *e, char *buf, size_t size);
#define CLIENT_WHY_MAX 2048
/* Says what went wrong: e as the bus gave it, or r as sd-bus did. */
int client_fail(const Cli *c, int r, const sd_bus_error *e);
