/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names: what both sides of the bus, the journal and the file system must spell alike
 *
 * Nothing but constants. Paths of single objects are made by the daemon and told to clients; no client builds one.
 */
#pragma once

#define BUS_NAME "org.sriovd1"
#define BUS_PATH "/org/sriovd1"
#define BUS_MANAGER "org.sriovd1.Manager"
#define BUS_PF "org.sriovd1.PF"
#define BUS_VF "org.sriovd1.VF"
#define BUS_JOB "org.sriovd1.Job"

#define RUNTIME_DIRECTORY "/run/sriovd"
#define RUNTIME_DIRECTORY_ENV "SRIOVD_RUNTIME_DIRECTORY"
/* The one file of settings to read, in the stead of the usual places. */
#define CONFIG_ENV "SRIOVD_CONFIG"
/* The same for what drivers may take: the one file in the stead of both. */
#define DRIVERS_ENV "SRIOVD_DRIVERS"
/* The one folder of policies to read, in the stead of the usual ones. */
#define POLICY_ENV "SRIOVD_POLICY"
/* Where a policy is written that somebody asked for by sriovctl. */
#define POLICY_FOLDER "/etc/sriovd/policy.d"
/* Below the runtime directory: the socket that root's clients try before the bus. */
#define PRIVATE_SOCKET "private"

/* The journal's line at the end of each job; 'sriovctl history' reads it back by these fields. */
#define MESSAGE_ID_JOB_END "5b3b1c5ae6ff4ee0a1a0dbb9d9a5d7f1"
#define FIELD_JOB "SRIOVD_JOB"
#define FIELD_OPERATION "SRIOVD_OPERATION"
#define FIELD_OBJECT "SRIOVD_OBJECT"
#define FIELD_RESULT "SRIOVD_RESULT"
#define FIELD_ERROR "SRIOVD_ERROR"
#define FIELD_UID "SRIOVD_UID"
#define FIELD_PID "SRIOVD_PID"
#define FIELD_REASON "SRIOVD_REASON"
/* Another program whose turn it was. */
#define FIELD_OPENER_COMMAND "SRIOVD_OPENER_COMMAND"
#define FIELD_OPENER_EXE "SRIOVD_OPENER_EXE"
#define FIELD_OPENER_UNIT "SRIOVD_OPENER_UNIT"
#define FIELD_OPENER_FILE "SRIOVD_OPENER_FILE"
#define FIELD_OPENER_TID "SRIOVD_OPENER_TID"
#define FIELD_USEC "SRIOVD_USEC" /* from its start to its end */
