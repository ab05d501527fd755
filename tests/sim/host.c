/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host: does what the queue says until there is nothing to do
 */
#include "kernel/scan.h"
#include "kernel/step.h"
#include "tests/sim/host.h"

void host_init(Host *h, Sim *sim) {
        *h = (Host){ .sim = sim };
        queue_init(&h->queue);
}

/* Steps that are stuck belong to their tasks, and go with the simulator. */
void host_done(Host *h) {
        for (HostStep *s = h->steps; s; s = s->next)
                s->host = NULL;
        queue_done(&h->queue);
}

static void pump(Host *h);

static int step_main(SimTask *t, void *arg) {
        HostStep *s = arg;

        (void) t;
        step_climb(s->kernel, &s->step, &s->result);
        return 0;
}

static void take_out(Host *h, HostStep *s) {
        for (HostStep **p = &h->steps; *p; p = &(*p)->next)
                if (*p == s) {
                        *p = s->next;
                        break;
                }
        s->host = NULL;
}

static void step_ended(SimTask *t, void *arg) {
        HostStep *s = arg;
        Host *h = s->host;

        if (!h) {
                free(s);
                return;
        }
        if (t->state == SIM_TASK_DEAD)
                s->result = (StepResult){ .answer = STEP_DIED };
        queue_step_done(&h->queue, s->job, s->index, &s->result);
        take_out(h, s);
        if (t->state != SIM_TASK_DEAD)
                free(s);
        pump(h);
}

static void start_step(Host *h, const Effect *e) {
        HostStep *s = calloc(1, sizeof(*s));

        if (!s)
                abort();
        *s = (HostStep){ .host = h,
                         .kernel = sim_kernel(h->sim),
                         .job = e->job->id,
                         .index = e->index,
                         .step = *e->step };
        s->deadline = sim_now(h->sim) + step_deadline_sec(&s->step) * 1000;
        s->next = h->steps;
        h->steps = s;
        h->n_steps++;
        if (h->on_step)
                h->on_step(h, &s->step, h->on_step_arg);
        if (!sched_spawn(sim_sched(h->sim), step_main, s, step_ended))
                abort();
}

static void note_end(Host *h, const Job *j) {
        HostEnd *e = (HostEnd *) host_end(h, j->id);

        if (!e && h->n_ends < HOST_ENDS)
                e = &h->ends[h->n_ends++];
        if (!e)
                return;
        *e = (HostEnd){ .id = j->id,
                        .result = j->result,
                        .fault = j->fault,
                        .n_warnings = j->n_warnings,
                        .times = e->id == j->id ? e->times + 1 : 1 };
}

static void look(Host *h, uint32_t id) {
        _cleanup_(snapshot_freep) Snapshot *s = NULL;

        if (scan_all(sim_kernel(h->sim), &s) < 0)
                abort();
        queue_planned(&h->queue, id, s);
}

static void pump(Host *h) {
        Effect e;

        while (queue_next(&h->queue, &e))
                switch (e.kind) {
                case EFFECT_SNAPSHOT:
                        look(h, e.job->id);
                        break;
                case EFFECT_STEP:
                        start_step(h, &e);
                        break;
                case EFFECT_FINISH:
                        note_end(h, e.job);
                        break;
                case EFFECT_NONE:
                        return;
                }
}

uint32_t host_submit(Host *h, const Op *op, Fault *ret_fault) {
        _cleanup_(snapshot_freep) Snapshot *s = NULL;
        uint32_t id = 0;

        if (scan_all(sim_kernel(h->sim), &s) < 0)
                abort();
        if (queue_submit(&h->queue, s, op, 0, &id, ret_fault) == QUEUE_E_REFUSED)
                return 0;
        pump(h);
        return id;
}

static uint64_t next_deadline(const Host *h) {
        uint64_t t = UINT64_MAX;

        for (const HostStep *s = h->steps; s; s = s->next)
                if (!s->overdue && s->deadline < t)
                        t = s->deadline;
        return t;
}

static void tell_overdue(Host *h) {
        for (HostStep *s = h->steps; s; s = s->next)
                if (!s->overdue && s->deadline <= sim_now(h->sim)) {
                        s->overdue = true;
                        h->n_wedged++;
                        queue_overdue(&h->queue, s->job);
                }
        pump(h);
}

bool host_run(Host *h) {
        pump(h);
        while (h->steps) {
                bool moves = sched_run(sim_sched(h->sim), next_deadline(h));

                tell_overdue(h);
                if (h->steps && !moves && next_deadline(h) == UINT64_MAX)
                        return false;
        }
        return true;
}

const HostEnd *host_end(const Host *h, uint32_t id) {
        for (size_t i = 0; i < h->n_ends; i++)
                if (h->ends[i].id == id)
                        return &h->ends[i];
        return NULL;
}
