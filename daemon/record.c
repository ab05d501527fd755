/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Record
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#include "daemon/record.h"

Record *record_new(void) {
        Record *r = calloc(1, sizeof(Record));

        if (!r)
                return NULL;
        r->op.kind = _OP_INVALID;
        r->op.fn = r->pf = BDF_NONE;
        r->state = JOB_WAITING;
        r->stage = _RUNG_MAX;
        r->kmsg = -EBADF;
        return r;
}

Record *record_free(Record *r) {
        if (!r)
                return NULL;
        for (size_t i = 0; i < r->n_acts; i++)
                free(r->acts[i].text);
        free(r->acts);
        free(r->opener);
        free(r->reason);
        free(r->expect);
        strv_free(r->warnings);
        free(r->error);
        free(r->message);
        holders_done(&r->holders);
        free(r->stuck);
        close_fd(r->kmsg);
        plan_free(r->plan);
        free(r->states);
        free(r->children);
        sd_event_source_disable_unref(r->timeout);
        sd_event_source_disable_unref(r->patience);
        free(r);
        return NULL;
}

int record_set_fault(Record *r, const Fault *fault) {
        char buf[FAULT_STR_MAX], *error, *message;

        if (fault->reason == FAULT_NONE)
                return 0;
        error = strdup(fault_bus_name(fault->reason));
        message = strdup(fault_format(fault, buf, sizeof(buf)));
        if (!error || !message) {
                free(error);
                free(message);
                return -ENOMEM;
        }
        free(r->error);
        free(r->message);
        r->error = error;
        r->message = message;
        return 0;
}

int record_warn(Record *r, const char *text) {
        STRV_FOREACH (s, r->warnings)
                if (streq(*s, text))
                        return 0;
        return strv_push(&r->warnings, text);
}

int record_add_act(Record *r, const Step *step, StepAnswer answer, uint64_t usec) {
        char buf[STEP_STR_MAX], *text;
        Act *more;

        text = strdup(step_format(step, buf, sizeof(buf)));
        more = text ? reallocarray(r->acts, r->n_acts + 1, sizeof(Act)) : NULL;
        if (!more) {
                free(text);
                return -ENOMEM;
        }
        r->acts = more;
        r->acts[r->n_acts++] = (Act){
                .rung = step->rung,
                .answer = answer,
                .fn = bdf_is_none(step->vf) ? step->fn : step->vf,
                .usec = usec,
                .text = text,
        };
        return 0;
}

int record_add_holders(Record *r, const Holders *holders) {
        int k = 0;

        for (size_t i = 0; k >= 0 && i < holders->n; i++)
                k = holders_add(&r->holders, holders->items + i);
        if (holders->n > 0)
                r->news |= NEWS_HOLDERS;
        return k;
}

/* A step that is looked at again and again must not fill the memory. */
#define STUCK_MAX (16 * 1024)

int record_add_stuck(Record *r, const char *text) {
        size_t n = r->stuck ? strlen(r->stuck) : 0;
        char *all;

        if (n > 0 && (strstr(r->stuck, text) || n + strlen(text) > STUCK_MAX))
                return 0;
        if (asprintf(&all, "%s%s%s", n > 0 ? r->stuck : "", n > 0 ? "\n" : "", text) < 0)
                return -ENOMEM;
        free(r->stuck);
        r->stuck = all;
        r->news |= NEWS_STUCK;
        return 0;
}

static bool has_stage(const Record *r, Rung rung) {
        for (size_t i = 0; i < r->n_stages; i++)
                if (r->stages[i] == rung)
                        return true;
        return false;
}

void record_add_stages(Record *r, const Plan *plan) {
        for (size_t i = 0; i < plan->n_steps; i++)
                if (!has_stage(r, plan->steps[i].rung))
                        r->stages[r->n_stages++] = plan->steps[i].rung;
}

const char *record_object(const Record *r, char buf[static BDF_MAX]) {
        if (!bdf_is_none(r->op.fn))
                return bdf_format(r->op.fn, buf);
        if (r->op.slot[0] != '\0')
                return r->op.slot;
        return r->op.kind == OP_UNLOAD || r->op.kind == OP_FOREIGN ? r->op.driver : "";
}

void records_done(Records *all) {
        FOREACH_RECORD (r, all)
                record_free(r);
        free(all->items);
        *all = (Records){};
}

/* The place where id is or would be. */
static size_t place_of(const Records *all, uint32_t id) {
        size_t low = 0, high = all->n;

        while (low < high) {
                size_t middle = (low + high) / 2;

                if (all->items[middle]->id < id)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

int records_add(Records *all, Record *r) {
        Record **more = reallocarray(all->items, all->n + 1, sizeof(Record *));
        size_t i;

        if (!more)
                return -ENOMEM;
        all->items = more;
        i = place_of(all, r->id);
        memmove(more + i + 1, more + i, (all->n - i) * sizeof(Record *));
        more[i] = r;
        all->n++;
        return 0;
}

Record *records_find(const Records *all, uint32_t id) {
        size_t i = place_of(all, id);

        return i < all->n && all->items[i]->id == id ? all->items[i] : NULL;
}

void records_drop(Records *all, Record *r) {
        size_t i = place_of(all, r->id);

        all->n--;
        memmove(all->items + i, all->items + i + 1, (all->n - i) * sizeof(Record *));
        record_free(r);
}

Record *records_oldest_ended(const Records *all, size_t *ret_n) {
        Record *oldest = NULL;
        size_t n = 0;

        FOREACH_RECORD (r, all) {
                if (r->state != JOB_ENDED || r->ended == 0)
                        continue;
                n++;
                if (!oldest || r->ended < oldest->ended)
                        oldest = r;
        }
        if (ret_n)
                *ret_n = n;
        return oldest;
}
