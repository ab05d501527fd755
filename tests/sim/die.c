/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Die: sriovd on the simulator kills itself at a place of its ledger
 *
 * Linked with --wrap for each function below. With SRIOVD_DIE_AT=N the Nth place that is passed is the last: each write of
 * the ledger is one before and one after it, and the release of a child is one after it, when the child is on its way into the
 * kernel. Children write no ledger and pass no such place.
 *
 * Before each release, also where it is not to die, it makes sure that the intent is on the disk: it aborts where it is not, for a
 * child that is asked and not written down is one that the next daemon does not wait for.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"

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

/* The last line about that step in the job's file says that this very child is at it. */
static bool is_written_down(const Worker *w, const WorkerRequest *request) {
        _cleanup_fclose_ FILE *f = NULL;
        char path[4096], line[4096], begin[64], intent[128];
        bool is = false;

        snprintf(path, sizeof(path), "%s/jobs/%" PRIu32, w->all->runtime, request->job);
        snprintf(begin, sizeof(begin), "begin %zu ", request->index);
        snprintf(intent, sizeof(intent), "%s%d %" PRIu64 "\n", begin, (int) w->process.pid,
                 w->process.start_time);
        f = fopen(path, "re");
        while (f && fgets(line, sizeof(line), f))
                if (strncmp(line, begin, strlen(begin)) == 0)
                        is = strcmp(line, intent) == 0;
        return is;
}

int __real_worker_ask(Worker *w, const WorkerRequest *request, uint64_t deadline_usec);
int __wrap_worker_ask(Worker *w, const WorkerRequest *request, uint64_t deadline_usec);
int __wrap_worker_ask(Worker *w, const WorkerRequest *request, uint64_t deadline_usec) {
        int r;

        if (request->work == WORKER_STEP && !is_written_down(w, request)) {
                fprintf(stderr, "job %" PRIu32 ": step %zu is released and not written down\n",
                        request->job, request->index);
                abort();
        }
        r = __real_worker_ask(w, request, deadline_usec);
        if (request->work == WORKER_STEP)
                pass();
        return r;
}
