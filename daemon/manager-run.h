/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Manager-run: what the manager's two halves have of each other
 */
#pragma once

#include "daemon/manager.h"

/* manager-run.c: does what the queue says, a while at a time, then tells what is new. */
void manager_drain(Manager *m);
/* manager-answer.c: the workers' answers; userdata is the manager. */
void manager_answered(pid_t pid, const WorkerRequest *request, const WorkerReply *reply,
                      WorkerFds *fds, void *userdata);

/* manager.c */
void manager_forget_ended(Manager *m);
void manager_tell_status(Manager *m);
