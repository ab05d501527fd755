/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plan-id
 */
#include <inttypes.h>
#include <stdio.h>

#include "daemon/hash.h"
#include "daemon/plan-id.h"

static uint64_t hash_bdf(uint64_t h, Bdf b) {
        return hash_number(hash_number(h, b.domain), b.rid);
}

/* Field by field: padding does not count. */
static uint64_t hash_step(uint64_t h, const Step *s) {
        h = hash_string(h, rung_to_string(s->rung));
        h = hash_bdf(hash_bdf(h, s->fn), s->vf);
        h = hash_number(hash_number(h, s->n), s->identity);
        return hash_string(hash_string(h, s->name), s->was);
}

const char *plan_id(const Plan *plan, char buf[static PLAN_ID_MAX]) {
        uint64_t h = HASH_START;

        for (size_t i = 0; i < plan->n_steps; i++)
                h = hash_step(h, plan->steps + i);
        snprintf(buf, PLAN_ID_MAX, "%016" PRIx64, h);
        return buf;
}
