/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Die: sriovd on the simulator kills itself at a place of its ledger
 *
 * Linked with --wrap for each function below. With SRIOVD_DIE_AT=N the Nth place that is passed is the last: each write of
 * the ledger is one before and one after it, and the release of a child is one after it, when the child is on its way into the
 * kernel. Children write no ledger and pass no such place.
 */
#include <signal.h>
#include <stdlib.h>

#include "daemon/ledger.h"
#include "daemon/worker.h"

static void pass(void) {
        static unsigned long passed, last;
        const char *at = getenv("SRIOVD_DIE_AT");

        if (passed == 0)
                last = at ? strtoul(at, NULL, 10) : 0;
        if (++passed == last)
                raise(SIGKILL);
}

#define AROUND(call)                                                                               \
        do {                                                                                       \
                int _r;                                                                            \
                                                                                                   \
                pass();                                                                            \
                _r = (call);                                                                       \
                pass();                                                                            \
                return _r;                                                                         \
        } while (0)

int __real_ledger_write(const Ledger *l, const Record *r, const Climb *climb);
int __wrap_ledger_write(const Ledger *l, const Record *r, const Climb *climb);
int __wrap_ledger_write(const Ledger *l, const Record *r, const Climb *climb) {
        AROUND(__real_ledger_write(l, r, climb));
}

int __real_ledger_begin(const Ledger *l, uint32_t id, size_t index, const Process *child);
int __wrap_ledger_begin(const Ledger *l, uint32_t id, size_t index, const Process *child);
int __wrap_ledger_begin(const Ledger *l, uint32_t id, size_t index, const Process *child) {
        AROUND(__real_ledger_begin(l, id, index, child));
}

int __real_ledger_end(const Ledger *l, uint32_t id, const Outcome *outcome);
int __wrap_ledger_end(const Ledger *l, uint32_t id, const Outcome *outcome);
int __wrap_ledger_end(const Ledger *l, uint32_t id, const Outcome *outcome) {
        AROUND(__real_ledger_end(l, id, outcome));
}

int __real_ledger_note(const Ledger *l, const Record *r);
int __wrap_ledger_note(const Ledger *l, const Record *r);
int __wrap_ledger_note(const Ledger *l, const Record *r) {
        AROUND(__real_ledger_note(l, r));
}

int __real_ledger_write_next_id(const Ledger *l, uint32_t id);
int __wrap_ledger_write_next_id(const Ledger *l, uint32_t id);
int __wrap_ledger_write_next_id(const Ledger *l, uint32_t id) {
        AROUND(__real_ledger_write_next_id(l, id));
}

int __real_worker_ask(Worker *w, const WorkerRequest *request, uint64_t deadline_usec);
int __wrap_worker_ask(Worker *w, const WorkerRequest *request, uint64_t deadline_usec);
int __wrap_worker_ask(Worker *w, const WorkerRequest *request, uint64_t deadline_usec) {
        int r = __real_worker_ask(w, request, deadline_usec);

        if (request->work == WORKER_STEP)
                pass();
        return r;
}
