/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inquiries
 */
#include <errno.h>
#include <stdlib.h>

#include "base/macro.h"

#include "daemon/diagnose.h"
#include "daemon/gate-find.h"
#include "daemon/log.h"
#include "daemon/manager.h"
#include "daemon/parcel.h"
#include "daemon/users.h"

#define DEADLINE_SEC 10
/* A driver may hold RTNL for seconds. After this time the question is asked anew without all that waits for it. */
#define PATIENCE_SEC 2
/* Under way at once, those left out that are late. */
#define AT_ONCE (WORKERS_ASKED_MAX - INQUIRIES_LATE_MAX)
/* The last of them are for root's own socket: nobody else keeps root from asking. */
#define INQUIRIES_MAX 32
#define INQUIRIES_BUS_MAX 24

struct Inquiry {
        Manager *manager;
        Inquiry *next;
        uint32_t id;
        WorkerWork work;
        Bdf fn;
        Op op; /* of inquiry_see() */
        InquiryReply reply;
        bool asked;
        bool glance; /* ask it so that it waits for nothing, and say what cannot be told then */
        bool impatient; /* its patience is over */
        sd_bus_message *message;
        sd_event_source *deadline;
};

static void inquiry_free(Inquiry *q) {
        Inquiries *all = &q->manager->inquiries;

        for (Inquiry **p = &all->first; *p; p = &(*p)->next)
                if (*p == q) {
                        *p = q->next;
                        all->n--;
                        break;
                }
        sd_event_source_disable_unref(q->deadline);
        sd_bus_message_unref(q->message);
        free(q);
}

void inquiries_forget(Manager *m, sd_bus *bus) {
        for (Inquiry *q = m->inquiries.first, *next; q; q = next) {
                next = q->next;
                if (sd_bus_message_get_bus(q->message) == bus)
                        inquiry_free(q);
        }
}

static void refuse(const Inquiry *q, const Fault *fault) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        (void) bus_fault(&error, fault);
        (void) sd_bus_reply_method_error(q->message, &error);
}

static const char *subject(const Inquiry *q, char buf[static BDF_MAX]) {
        if (q->work == WORKER_DIAGNOSE)
                return "diagnosis";
        return bdf_is_none(q->fn) ? (q->work == WORKER_SIGHT ? "all PFs" : "users")
                                  : bdf_format(q->fn, buf);
}

/* Its child is left where it is, and counts as one that is. */
static void note_late(const Inquiry *q) {
        Inquiries *all = &q->manager->inquiries;

        if (q->asked && !q->glance && all->n_late < ELEMENTSOF(all->late))
                all->late[all->n_late++] = q->id;
}

/* As long as one is there no other is sent the same way. */
static void lose_patience(Inquiry *q) {
        note_late(q);
        q->asked = q->asked && q->glance;
        q->glance = q->impatient = true;
        inquiries_ask(q->manager);
}

static void forget_late(Inquiries *all, uint32_t id) {
        for (size_t i = 0; i < all->n_late; i++)
                if (all->late[i] == id) {
                        all->late[i] = all->late[--all->n_late];
                        return;
                }
}

static int on_time(sd_event_source *source, uint64_t usec, void *userdata) {
        const uint64_t rest = (DEADLINE_SEC - PATIENCE_SEC) * UINT64_C(1000000);
        Inquiry *q = userdata;
        Fault late = fault_text(FAULT(FAULT_NO_ANSWER, .number = DEADLINE_SEC),
                                subject(q, (char[BDF_MAX]){ 0 }));

        if (q->work == WORKER_USERS && !q->impatient &&
            sd_event_source_set_time(source, usec + rest) >= 0 &&
            sd_event_source_set_enabled(source, SD_EVENT_ONESHOT) >= 0) {
                lose_patience(q);
                return 0;
        }
        note_late(q);
        refuse(q, &late);
        inquiry_free(q);
        return 0;
}

/* True if a child is at it. Without one it is tried again when the next comes back, until its time is over. */
static bool ask(Manager *m, Inquiry *q) {
        WorkerRequest request = { .work = q->work,
                                  .job = q->id,
                                  .glance = q->glance,
                                  .for_client = true,
                                  .busy = manager_state(m) != MANAGER_IDLE,
                                  .step = { .fn = q->fn, .vf = BDF_NONE } };
        Worker *w;

        return workers_get(&m->workers, &w) >= 0 && worker_ask(w, &request, 0) >= 0;
}

void inquiries_ask(Manager *m) {
        for (Inquiry *q = m->inquiries.first; q; q = q->next)
                if (!q->asked && workers_asked(&m->workers) < AT_ONCE + m->inquiries.n_late) {
                        q->glance = q->glance || m->inquiries.n_late > 0;
                        q->asked = ask(m, q);
                }
}

static bool is_full(const Inquiries *all, sd_bus_message *message) {
        bool system = sd_bus_is_bus_client(sd_bus_message_get_bus(message)) > 0;

        return all->n >= (system ? INQUIRIES_BUS_MAX : INQUIRIES_MAX);
}

static int add(Manager *m, sd_bus_message *message, const Inquiry *what, sd_bus_error *error) {
        Inquiries *all = &m->inquiries;
        Inquiry *q, **end = &all->first;
        Fault full = FAULT(FAULT_TOO_MANY_ASK, .number = (uint32_t) all->n);
        int r;

        if (is_full(all, message))
                return bus_fault(error, &full);
        q = calloc(1, sizeof(Inquiry));
        if (!q)
                return -ENOMEM;
        *q = *what;
        q->manager = m;
        q->id = ++all->last_id;
        q->message = sd_bus_message_ref(message);
        while (*end)
                end = &(*end)->next;
        *end = q;
        all->n++;
        r = sd_event_add_time_relative(m->event, &q->deadline, CLOCK_MONOTONIC,
                                       (q->work == WORKER_USERS ? PATIENCE_SEC : DEADLINE_SEC) *
                                               UINT64_C(1000000),
                                       0, on_time, q);
        if (r < 0) {
                inquiry_free(q);
                return r;
        }
        inquiries_ask(m);
        return 1;
}

int inquiry_new(Manager *m, sd_bus_message *message, WorkerWork work, Bdf fn, sd_bus_error *error) {
        return add(m, message, &(Inquiry){ .work = work, .fn = fn }, error);
}

int inquiry_see(Manager *m, sd_bus_message *message, Bdf pf, const Op *op, InquiryReply reply,
                sd_bus_error *error) {
        return add(m, message,
                   &(Inquiry){ .work = WORKER_SIGHT, .fn = pf, .op = *op, .reply = reply }, error);
}

/* A PF's VFs are lost with it, and so are their holds. */
static int find_holds(Manager *m, Bdf fn, Holders *ret) {
        int r = holds_find(&m->holds, fn, ret);

        if (bdf_is_none(fn))
                return r;
        FOREACH_FN (f, m->snapshot) {
                if (r < 0)
                        return r;
                if (f->flags & FN_VF && bdf_equal(f->pf, fn))
                        r = holds_find(&m->holds, f->bdf, ret);
        }
        return r;
}

static int append_users(Manager *m, const Inquiry *q, const WorkerReply *reply,
                        const WorkerFds *fds, sd_bus_message *message) {
        Holders found = {};
        int r;

        r = users_unpack(reply, fds, &found);
        users_drop_guards(&found);
        if (r >= 0)
                r = find_holds(m, q->fn, &found);
        if (r >= 0)
                r = users_append(message, &found);
        holders_done(&found);
        return r;
}

static int append_finding(sd_bus_message *message, Finding *f) {
        const char *state;

        f->check[sizeof(f->check) - 1] = f->subject[sizeof(f->subject) - 1] =
                f->text[sizeof(f->text) - 1] = '\0';
        state = finding_state_to_string(f->state);
        return sd_bus_message_append(message, "a{sv}", 4, "check", "s", f->check, "state", "s",
                                     state ? state : "", "subject", "s", f->subject, "text", "s",
                                     f->text);
}

static int append_findings(const Manager *m, const WorkerReply *reply, const WorkerFds *fds,
                           sd_bus_message *message) {
        _cleanup_free_ void *items = NULL;
        Findings ours = {};
        int r;

        r = parcel_unpack(fds->list, reply->n_list, sizeof(Finding), &items);
        if (r >= 0)
                r = stuck_find(m, &ours);
        if (r >= 0)
                r = gate_find(m, &ours);
        if (r >= 0)
                r = sd_bus_message_open_container(message, 'a', "a{sv}");
        for (size_t i = 0; r >= 0 && i < ours.n; i++)
                r = append_finding(message, ours.items + i);
        findings_done(&ours);
        for (size_t i = 0; r >= 0 && i < reply->n_list; i++)
                r = append_finding(message, (Finding *) items + i);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

static int tell(Manager *m, const Inquiry *q, const WorkerReply *reply, const WorkerFds *fds) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        if (reply->error < 0)
                return reply->error;
        r = sd_bus_message_new_method_return(q->message, &message);
        if (r >= 0)
                r = q->work == WORKER_USERS ? append_users(m, q, reply, fds, message)
                                            : append_findings(m, reply, fds, message);
        return r < 0 ? r : sd_bus_send(NULL, message, NULL);
}

static Inquiry *find(const Inquiries *all, uint32_t id) {
        for (Inquiry *q = all->first; q; q = q->next)
                if (q->id == id)
                        return q;
        return NULL;
}

/* What was seen is taken in, and then it is the asker's turn. */
static int tell_seen(Manager *m, const Inquiry *q, const WorkerReply *reply, const WorkerFds *fds) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = sight_take(m, reply, fds);

        if (r >= 0)
                r = q->reply(m, q->message, &q->op, &error);
        if (r >= 0 || !sd_bus_error_is_set(&error))
                return r;
        (void) sd_bus_reply_method_error(q->message, &error);
        return 0;
}

void inquiry_answered(Manager *m, const WorkerRequest *request, const WorkerReply *reply,
                      const WorkerFds *fds) {
        Inquiry *q = find(&m->inquiries, request->job);
        Fault fault;
        int r;

        if (!request->glance)
                forget_late(&m->inquiries, request->job);
        /* Without a reply from the first child there may be one from the second. */
        if (!q || (!reply && q->glance && !request->glance))
                return;
        r = !reply                    ? -ECHILD
            : q->work == WORKER_SIGHT ? tell_seen(m, q, reply, fds)
                                      : tell(m, q, reply, fds);
        if (r == -ENOENT && !bdf_is_none(q->fn))
                fault = fault_text(FAULT(FAULT_NO_SUCH_DEVICE), BDF_STR(q->fn));
        else
                fault = FAULT(FAULT_INTERNAL, .error = -r);
        if (r < 0)
                refuse(q, &fault);
        inquiry_free(q);
}
