/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bus: org.sriovd1.Manager, Metrics()
 *
 * Open to everybody. What is counted is in metrics.c; what is so at this moment is asked here of those who know it.
 */
#include <errno.h>
#include <stdio.h>

#include "base/macro.h"

#include "core/wanted.h"

#include "daemon/bus-manager.h"
#include "daemon/openmetrics.h"
#include "daemon/recover.h"
#include "daemon/turn.h"

#include "config.h"

static void write_build(const Manager *m _unused_, FILE *f) {
        om_family(f, "build_info", OM_GAUGE, "1, with the version of the daemon.");
        om_number(f, "build_info", "", OM_LABELS({ "version", SRIOVD_VERSION }), 1);
}

/* Of jobs that have not ended. */
static void write_queue(const Manager *m, FILE *f) {
        static const JobState states[] = { JOB_WAITING, JOB_RUNNING, JOB_WEDGED };

        om_family(f, "queue_jobs", OM_GAUGE, "Jobs that have not ended, by state.");
        for (size_t i = 0; i < ELEMENTSOF(states); i++) {
                uint64_t n = 0;

                FOREACH_RECORD (r, &m->records)
                        n += r->state == states[i];
                om_number(f, "queue_jobs", "",
                          OM_LABELS({ "state", job_state_to_string(states[i]) }), n);
        }
        om_family(f, "children_stuck", OM_GAUGE,
                  "Processes that are overdue in the kernel, of this daemon or an earlier one.");
        om_number(f, "children_stuck", "", OM_NO_LABELS, m->stucks.n + recover_n_left(m->recovery));
}

static uint64_t count_turns(const Gate *g, TurnState state) {
        uint64_t n = 0;

        for (size_t i = 0; i < g->n_turns; i++)
                n += g->turns[i]->state == state;
        return n;
}

static void write_gate(const Manager *m, FILE *f) {
        const Gate *g = &m->gate;

        om_family(f, "gate_opens", OM_COUNTER,
                  "Opens to write by other programs that were answered, by the answer.");
        om_number(f, "gate_opens", "_total", OM_LABELS({ "answer", "passed" }), g->n_passed);
        om_number(f, "gate_opens", "_total", OM_LABELS({ "answer", "denied" }), g->n_denied);
        om_family(f, "gate_programs", OM_GAUGE, "Other programs at the gate, by where they are.");
        om_number(f, "gate_programs", "", OM_LABELS({ "place", "waiting" }),
                  g->n_knocks + count_turns(g, TURN_PENDING));
        om_number(f, "gate_programs", "", OM_LABELS({ "place", "inside" }),
                  count_turns(g, TURN_INSIDE) + count_turns(g, TURN_WEDGED));
        om_number(f, "gate_programs", "", OM_LABELS({ "place", "unordered" }),
                  count_turns(g, TURN_UNORDERED));
}

/* What was counted before the driver went, or before its policy or VFs changed, says nothing of what is there now. */
static bool is_counted(const Manager *m, const Ward *w) {
        const Fn *pf = snapshot_find(m->snapshot, w->pf);

        return w->state == WARD_WANTED && w->judged != 0 && pf && pf->driver[0] != '\0';
}

static void write_drift(const Manager *m, FILE *f) {
        om_family(f, "drift_differences", OM_GAUGE,
                  "Things that are not as the PF's policy wants them.");
        for (size_t i = 0; i < m->wards.n; i++) {
                const Ward *w = m->wards.items + i;

                if (is_counted(m, w))
                        om_number(f, "drift_differences", "", OM_LABELS({ "pf", BDF_STR(w->pf) }),
                                  w->n_drift);
        }
}

static uint64_t total_vfs(const Manager *m _unused_, const Fn *pf) {
        return pf->total_vfs;
}

static uint64_t n_vfs(const Manager *m _unused_, const Fn *pf) {
        return pf->n_vfs;
}

static uint64_t is_ready(const Manager *m, const Fn *pf) {
        return ready_pf(m, pf);
}

static uint64_t quarantined(const Manager *m, const Fn *pf) {
        return world_pf_state(m, pf) == PF_QUARANTINED;
}

static void write_pf_info(const Manager *m, FILE *f) {
        om_family(f, "pf_info", OM_GAUGE, "1, with the driver of the PF and the policy it has.");
        FOREACH_FN (pf, m->snapshot) {
                const Wanted *w = wanteds_find(m->snapshot->wanted, pf->bdf);

                if (pf->flags & FN_PF)
                        om_number(f, "pf_info", "",
                                  OM_LABELS({ "pf", BDF_STR(pf->bdf) }, { "driver", pf->driver },
                                            { "policy", w ? w->policy : "" }),
                                  1);
        }
}

/* One family for each, a line for each PF. */
static const struct {
        const char *name, *help;
        uint64_t (*get)(const Manager *m, const Fn *pf);
} pf_gauges[] = {
        { "pf_vfs", "VFs that the PF has.", n_vfs },
        { "pf_vfs_limit", "VFs that the PF can have: sriov_totalvfs.", total_vfs },
        { "pf_ready", "1 if the PF and its VFs are as wanted, and named by udev.", is_ready },
        { "pf_quarantined", "1 if a job of the PF is stuck in the kernel.", quarantined },
};

static void write_pfs(const Manager *m, FILE *f) {
        write_pf_info(m, f);
        for (size_t i = 0; i < ELEMENTSOF(pf_gauges); i++) {
                om_family(f, pf_gauges[i].name, OM_GAUGE, pf_gauges[i].help);
                FOREACH_FN (pf, m->snapshot)
                        if (pf->flags & FN_PF)
                                om_number(f, pf_gauges[i].name, "",
                                          OM_LABELS({ "pf", BDF_STR(pf->bdf) }),
                                          pf_gauges[i].get(m, pf));
        }
}

int bus_manager_metrics(sd_bus_message *message, void *userdata, sd_bus_error *error _unused_) {
        _cleanup_free_ char *text = NULL;
        Manager *m = userdata;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return -ENOMEM;
        write_build(m, f);
        metrics_write(&m->metrics, f);
        write_queue(m, f);
        write_gate(m, f);
        write_pfs(m, f);
        write_drift(m, f);
        om_end(f);
        if (fclose(f) != 0)
                return -ENOMEM;
        return sd_bus_reply_method_return(message, "s", text);
}
