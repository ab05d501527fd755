/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host: does what the queue says until there is nothing to do
 */
#include "base/str.h"
#include "core/stack.h"
#include "daemon/judge.h"
#include "kernel/attr.h"
#include "kernel/look.h"
#include "kernel/scan.h"
#include "kernel/step.h"
#include "tests/sim/host.h"

#define HOST_PID 900000 /* whose children all its steps are */

const char HOST_GONE[] = "gone";

void host_init(Host *h, Sim *sim) {
        *h = (Host){ .sim = sim };
        queue_init(&h->queue);
}

static void close_guards(Host *h, uint32_t job) {
        for (HostGuard **p = &h->guards; *p;) {
                HostGuard *g = *p;

                if (g->job != job) {
                        p = &g->next;
                        continue;
                }
                *p = g->next;
                close_fd(g->fd);
                free(g);
        }
}

static void keep_guard(Host *h, uint32_t job, StepExtra *extra) {
        HostGuard *g = calloc(1, sizeof(*g));

        if (!g)
                abort();
        *g = (HostGuard){ job, extra->group, TAKE_FD(extra->guard), h->guards };
        h->guards = g;
}

static bool is_guarded(const Host *h, uint32_t job, Bdf fn) {
        int32_t group;

        if (look_iommu_group(sim_kernel(h->sim), fn, &group) < 0)
                return false;
        for (const HostGuard *g = h->guards; g; g = g->next)
                if (g->job == job && g->group == group)
                        return true;
        return false;
}

/* Steps that are stuck belong to their tasks, and go with the simulator. */
void host_done(Host *h) {
        for (HostStep *s = h->steps; s; s = s->next)
                s->host = NULL;
        if (h->look)
                h->look->host = NULL;
        while (h->guards)
                close_guards(h, h->guards->job);
        queue_done(&h->queue);
}

/* The file behind the door. */
static const char *door_path(const Op *op, char buf[static ATTR_PATH_MAX]) {
        static const Attr files[_DOOR_MAX] = {
                [DOOR_COUNT] = ATTR_NUMVFS,         [DOOR_REMOVE] = ATTR_REMOVE,
                [DOOR_RESET] = ATTR_RESET,          [DOOR_FUNCTION] = ATTR_MSIX_COUNT,
                [DOOR_RESCAN] = ATTR_RESCAN,        [DOOR_BIND] = ATTR_DRIVER_BIND,
                [DOOR_UNBIND] = ATTR_DRIVER_UNBIND, [DOOR_SLOT] = ATTR_SLOT_POWER,
        };

        if (op->door == DOOR_RESCAN)
                return attr_path(files[op->door], buf);
        if (door_names_function(op->door))
                return attr_path_fn(files[op->door], op->fn, buf);
        return attr_path_name(files[op->door], op->door == DOOR_SLOT ? op->slot : op->driver, buf);
}

/* What the kernel says to it is its own matter. */
static StepAnswer foreign_turn(const HostStep *s) {
        char path[ATTR_PATH_MAX];

        if (s->foreign->value == HOST_GONE)
                return STEP_GONE;
        if (s->foreign->value)
                (void) s->kernel->write(s->kernel, door_path(&s->foreign->op, path),
                                        s->foreign->value);
        return STEP_DONE;
}

static int step_main(SimTask *t, void *arg) {
        HostStep *s = arg;

        (void) t;
        if (s->foreign)
                s->result.answer = foreign_turn(s);
        else
                step_climb(s->kernel, &s->step, &s->result, &s->extra);
        return 0;
}

static void step_free(HostStep *s) {
        step_extra_done(&s->extra);
        free(s);
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
                step_free(s);
                return;
        }
        if (t->state == SIM_TASK_DEAD)
                s->result = (StepResult){ .answer = STEP_DIED };
        else if (s->extra.guard >= 0 && !h->no_guards)
                keep_guard(h, s->job, &s->extra);
        queue_step_done(&h->queue, s->job, s->index, &s->result);
        take_out(h, s);
        if (t->state != SIM_TASK_DEAD)
                step_free(s);
        host_pump(h);
}

static const HostForeign *find_foreign(const Host *h, uint32_t job) {
        for (size_t i = 0; i < h->n_foreign; i++)
                if (h->foreign[i].job == job)
                        return h->foreign + i;
        return NULL;
}

static void start_step(Host *h, const Effect *e) {
        HostStep *s = calloc(1, sizeof(*s));

        if (!s)
                abort();
        *s = (HostStep){ .host = h,
                         .kernel = sim_kernel(h->sim),
                         .job = e->job->id,
                         .index = e->index,
                         .step = *e->step,
                         .extra = STEP_EXTRA_EMPTY };
        if (s->step.rung >= RUNG_BIND || e->job->climb.phase == CLIMB_BACK)
                close_guards(h, s->job);
        if (s->step.rung == RUNG_ADMIT)
                s->foreign = find_foreign(h, s->job);
        s->extra.guarded = is_guarded(h, s->job, s->step.fn);
        s->deadline = sim_now(h->sim) + pace_deadline_sec(&h->pace, &s->step) * 1000;
        s->next = h->steps;
        h->steps = s;
        h->n_steps++;
        if (h->on_step)
                h->on_step(h, &s->step, h->on_step_arg);
        s->task = sched_spawn(sim_sched(h->sim), step_main, s, step_ended);
        if (!s->task)
                abort();
        if (!s->foreign)
                s->task->ppid = HOST_PID;
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
                        .times = e->id == j->id ? e->times + 1 : 1,
                        .ms = sim_now(h->sim) };
}

void host_pump(Host *h) {
        Effect e;

        while (queue_next(&h->queue, &e))
                switch (e.kind) {
                case EFFECT_SNAPSHOT:
                        host_look(h, e.job);
                        break;
                case EFFECT_STEP:
                        start_step(h, &e);
                        break;
                case EFFECT_FINISH:
                        close_guards(h, e.job->id);
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
        host_pump(h);
        return id;
}

uint32_t host_submit_foreign(Host *h, const Op *op, const char *value, Fault *ret_fault) {
        if (h->n_foreign == HOST_ENDS)
                abort();
        h->foreign[h->n_foreign++] = (HostForeign){ h->queue.next_id, *op, value };
        return host_submit(h, op, ret_fault);
}

static uint64_t next_deadline(const Host *h) {
        uint64_t t = h->look ? h->look->deadline : UINT64_MAX;

        for (const HostStep *s = h->steps; s; s = s->next)
                if (!s->overdue && s->deadline < t)
                        t = s->deadline;
        return t;
}

static bool is_outside(const Host *h, const HostStep *s) {
        _cleanup_(snapshot_freep) Snapshot *now = NULL;
        char stack[512];

        if (s->foreign)
                return stack_place(sim_stack(s->task, stack, sizeof(stack))) == STACK_DEVICE;
        if (scan_all(sim_kernel(h->sim), &now) < 0)
                abort();
        return judge_is_outside(now, &s->step, sim_stack(s->task, stack, sizeof(stack)));
}

static void tell_overdue(Host *h) {
        for (HostStep *s = h->steps; s; s = s->next)
                if (!s->overdue && s->deadline <= sim_now(h->sim)) {
                        s->overdue = true;
                        h->n_wedged++;
                        queue_overdue(&h->queue, s->job, s->index, is_outside(h, s));
                }
        host_look_late(h);
        host_pump(h);
}

bool host_run(Host *h) {
        host_pump(h);
        while (h->steps || h->look) {
                bool moves = sched_run(sim_sched(h->sim), next_deadline(h));

                tell_overdue(h);
                if ((h->steps || h->look) && !moves && next_deadline(h) == UINT64_MAX)
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
