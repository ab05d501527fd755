/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Job: the names of states and results
 *
 * As they stand on the bus, in the ledger and in the journal. What a job goes through is in queue.c.
 */
#include "base/str.h"

#include "core/queue.h"

static const char *const state_names[_JOB_STATE_MAX] = {
        [JOB_FREE] = "free",     [JOB_WAITING] = "waiting", [JOB_RUNNING] = "running",
        [JOB_WEDGED] = "wedged", [JOB_ENDED] = "ended",
};

static const struct {
        const char *name;
        int exit_status;
} results[_RESULT_MAX] = {
        [RESULT_NONE] = { "", 0 },
        [RESULT_DONE] = { "done", 0 },
        [RESULT_PARTIAL] = { "partial", 4 },
        [RESULT_FAILED] = { "failed", 1 },
        [RESULT_CANCELED] = { "canceled", 7 },
        [RESULT_TIMEOUT] = { "timeout", 3 },
        [RESULT_REFUSED] = { "refused", 1 },
        [RESULT_SUPERSEDED] = { "superseded", 7 },
        [RESULT_SKIPPED] = { "skipped", 0 },
        [RESULT_GONE] = { "gone", 10 },
        [RESULT_INTERRUPTED] = { "interrupted", 1 },
};

const char *job_state_to_string(JobState s) {
        return s < _JOB_STATE_MAX ? state_names[s] : NULL;
}

const char *job_result_to_string(JobResult r) {
        return r < _RESULT_MAX ? results[r].name : NULL;
}

JobResult job_result_from_string(const char *s) {
        JobResult r = RESULT_NONE;

        while (r < _RESULT_MAX && !streq(s, results[r].name))
                r++;
        return r;
}

int job_result_exit_status(JobResult r) {
        return r < _RESULT_MAX ? results[r].exit_status : 1;
}

JobResult job_result_of_fault(FaultReason reason) {
        switch (reason) {
        case FAULT_IN_USE:
        case FAULT_STORAGE_IN_USE:
        case FAULT_FOREIGN_STUCK:
        case FAULT_QUARANTINED:
        case FAULT_WEDGED:
        case FAULT_NO_SUCH_DRIVER:
        case FAULT_LINK_DOWN:
        case FAULT_DRIVER_HAS_VFS:
                return RESULT_REFUSED;
        case FAULT_OPENER_GONE:
                return RESULT_CANCELED;
        case FAULT_VANISHED:
        case FAULT_NOT_FOUND_AFTER:
                return RESULT_GONE;
        default:
                return RESULT_FAILED;
        }
}
