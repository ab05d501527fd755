/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Users: what children find and what clients declare, in one
 *
 * Children look for those who use a function without saying so; declared holds are known to the daemon alone. Here the
 * second are added to the first: to what refuse-if-held answers, and to what Holders() shows.
 */
#pragma once

#include <systemd/sd-bus.h>

#include "core/holder.h"

#include "daemon/worker.h"

typedef struct Manager Manager;

/* The list that came with a reply. 0, -ENOMEM, -EBADMSG, -errno. */
int users_unpack(const WorkerReply *reply, const WorkerFds *fds, Holders *ret);
/* To whoever merely asks, guards of our own are no users. */
void users_drop_guards(Holders *all);

/*
 * The answer of a refuse-if-held: *ret is everybody who is there (the caller's), never nobody if it is "in use", and a declared
 * hold that blocks makes "done" to "in use". What cannot be told makes it fail.
 */
void users_complete(Manager *m, const WorkerRequest *request, const WorkerReply *reply,
                    const WorkerFds *fds, StepResult *result, Holders *ret);

/* aa{sv}, as Holders() and the Job's property of that name have it. 0 or more, -errno. */
int users_append(sd_bus_message *message, const Holders *all);
