/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Auth
 */
#include <errno.h>
#include <stdlib.h>

#include "base/macro.h"
#include "base/str.h"

#include "daemon/auth.h"
#include "daemon/bus.h"
#include "daemon/log.h"
#include "daemon/manager.h"

/* As polkit will know them. */
static const char *const action_names[_ACTION_MAX] = {
        [ACTION_SET_VFS] = "org.sriovd1.set-vfs",
        [ACTION_BIND] = "org.sriovd1.bind",
        [ACTION_REMOVE] = "org.sriovd1.remove",
        [ACTION_DISRUPT] = "org.sriovd1.disrupt",
        [ACTION_MANAGE] = "org.sriovd1.manage",
        [ACTION_CONFIGURE_VF] = "org.sriovd1.configure-vf",
};

/* A message that waits for the bus to tell who sent it, or that has its answer. */
struct AuthRequest {
        Auth *auth;
        AuthRequest *next;
        sd_bus_message *message;
        sd_bus_slot *slot;
        bool answered;
        int error; /* why nobody knows */
        Caller caller;
};

static void request_free(AuthRequest *q) {
        for (AuthRequest **p = &q->auth->requests; *p; p = &(*p)->next)
                if (*p == q) {
                        *p = q->next;
                        break;
                }
        sd_bus_slot_unref(q->slot);
        sd_bus_message_unref(q->message);
        free(q);
}

void auth_done(Auth *a) {
        while (a->requests)
                request_free(a->requests);
}

void auth_forget(Auth *a, sd_bus *bus) {
        for (AuthRequest *q = a->requests, *next; q; q = next) {
                next = q->next;
                if (sd_bus_message_get_bus(q->message) == bus)
                        request_free(q);
        }
}

static AuthRequest *find(Auth *a, sd_bus_message *m) {
        for (AuthRequest *q = a->requests; q; q = q->next)
                if (q->message == m)
                        return q;
        return NULL;
}

/* UnixUserID and ProcessID out of what org.freedesktop.DBus says of a sender. */
static int read_caller(sd_bus_message *reply, Caller *ret) {
        Caller caller = { .uid = UINT32_MAX };
        const char *key;
        int r;

        r = sd_bus_message_enter_container(reply, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
                r = sd_bus_message_read(reply, "s", &key);
                if (r < 0)
                        return r;
                if (streq(key, "UnixUserID"))
                        r = sd_bus_message_read(reply, "v", "u", &caller.uid);
                else if (streq(key, "ProcessID"))
                        r = sd_bus_message_read(reply, "v", "u", &caller.pid);
                else
                        r = sd_bus_message_skip(reply, "v");
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(reply);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        *ret = caller;
        return caller.uid == UINT32_MAX ? -ENODATA : 0;
}

static int on_credentials(sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        AuthRequest *q = userdata;
        sd_bus *bus = sd_bus_message_get_bus(q->message);
        int r;

        q->answered = true;
        q->error = sd_bus_message_is_method_error(reply, NULL) ? -EACCES
                                                               : read_caller(reply, &q->caller);
        r = sd_bus_message_rewind(q->message, true);
        if (r >= 0)
                r = sd_bus_enqueue_for_read(bus, q->message);
        if (r < 0) {
                log_error_errno(r, "cannot go on with a client's request");
                (void) sd_bus_reply_method_errno(q->message, r, NULL);
                request_free(q);
        }
        return 0;
}

/* The sender may be gone before the answer; then the bus has none, and nobody is waiting for ours. */
static int ask(Auth *a, sd_bus_message *m) {
        AuthRequest *q = calloc(1, sizeof(AuthRequest));
        int r;

        if (!q)
                return -ENOMEM;
        q->auth = a;
        q->message = sd_bus_message_ref(m);
        q->next = a->requests;
        a->requests = q;
        r = sd_bus_call_method_async(sd_bus_message_get_bus(m), &q->slot, "org.freedesktop.DBus",
                                     "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                     "GetConnectionCredentials", on_credentials, q, "s",
                                     sd_bus_message_get_sender(m));
        if (r < 0)
                request_free(q);
        return r < 0 ? r : 0;
}

/* On a private connection the socket itself knows who is at its other end. */
static int peer_caller(sd_bus_message *m, Caller *ret) {
        sd_bus_creds *creds;
        uid_t uid;
        pid_t pid = 0;
        int r;

        r = sd_bus_get_owner_creds(sd_bus_message_get_bus(m), SD_BUS_CREDS_EUID | SD_BUS_CREDS_PID,
                                   &creds);
        if (r < 0)
                return r;
        r = sd_bus_creds_get_euid(creds, &uid);
        (void) sd_bus_creds_get_pid(creds, &pid);
        sd_bus_creds_unref(creds);
        if (r >= 0)
                *ret = (Caller){ uid, (uint32_t) pid };
        return r;
}

static int sender_caller(Auth *a, sd_bus_message *m, Caller *ret) {
        AuthRequest *q = find(a, m);
        int r;

        if (!q)
                return ask(a, m);
        /* Not ours to answer twice; the first asking goes on. */
        if (!q->answered)
                return 0;
        *ret = q->caller;
        r = q->error;
        request_free(q);
        return r < 0 ? r : 1;
}

int auth_check(Auth *a, sd_bus_message *m, Action action, Caller *ret_caller, sd_bus_error *error) {
        Caller caller;
        Fault fault;
        int r;

        /* A peer may put any sender into its messages, and would then be asked itself who that is. */
        if (sd_bus_is_bus_client(sd_bus_message_get_bus(m)) > 0) {
                r = sender_caller(a, m, &caller);
                if (r == 0)
                        return 0;
        } else
                r = peer_caller(m, &caller);
        if (r < 0 || caller.uid != 0) {
                fault = fault_text(FAULT(FAULT_NOT_AUTHORIZED), action_names[action]);
                return bus_fault(error, &fault);
        }
        *ret_caller = caller;
        return 1;
}
