/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Seen
 */
#include <stdlib.h>
#include <string.h>

#include "tests/model/seen.h"

static uint64_t *seen;
static size_t n_seen, seen_size;

size_t seen_count(void) {
        return n_seen;
}

/* FNV-1a over what makes a state, field by field where there is padding. */
uint64_t mix(uint64_t h, const void *p, size_t n) {
        for (const unsigned char *c = p; n > 0; n--, c++)
                h = (h ^ *c) * 0x100000001b3ull;
        return h;
}

uint64_t mix_number(uint64_t h, uint64_t n) {
        return mix(h, &n, sizeof(n));
}

uint64_t mix_job(uint64_t h, const Job *j) {
        const Climb *c = &j->climb;

        h = mix_number(h, (uint64_t) j->state << 32 | j->id);
        h = mix_number(h, (uint64_t) j->op.door << 8 | c->proving);
        h = mix_number(h, (uint64_t) j->op.kind << 48 | (uint64_t) j->op.fn.rid << 24 |
                                  j->op.count << 8 | (j->op.driver[0] != 0));
        h = mix_number(h, j->order << 16 | j->n_askers << 8 | (unsigned) j->stop << 4 |
                                  (unsigned) j->stop_as);
        h = mix_number(h, (uint64_t) j->fault.reason << 32 | j->result << 8 | j->told);
        h = mix_number(h, (uint64_t) c->phase << 48 | (uint64_t) c->keeper.rid << 32 |
                                  c->n_again << 16 | c->n_running << 8 |
                                  (unsigned) c->looking << 1 | c->failed);
        h = mix_number(h, (uint64_t) j->op.flags << 32 | c->n_outside << 24 | j->count_before << 8 |
                                  (unsigned) j->aside << 3 | (unsigned) j->rolling << 2 |
                                  (unsigned) c->refused << 1 | (c->n_done > 0));
        h = mix(h, j->driver_before, strlen(j->driver_before));
        for (size_t i = 0; c->plan && i < c->plan->n_steps; i++) {
                const Step *step = c->plan->steps + i;

                h = mix_number(h, (uint64_t) step->rung << 48 | (uint64_t) step->fn.rid << 32 |
                                          (uint64_t) c->states[i] << 16 | step->n);
                h = mix(h, step->was, strlen(step->was));
                h = mix(h, step->override, strlen(step->override));
        }
        return h;
}

bool seen_add(uint64_t h) {
        size_t at;

        h |= 1;
        if (n_seen * 2 >= seen_size) {
                size_t old_size = seen_size;
                uint64_t *old = seen;

                seen_size = old_size ? old_size * 2 : 1 << 20;
                seen = calloc(seen_size, sizeof(*seen));
                n_seen = 0;
                for (size_t i = 0; i < old_size; i++)
                        if (old[i]) {
                                for (at = old[i] & (seen_size - 1); seen[at];
                                     at = (at + 1) & (seen_size - 1))
                                        ;
                                seen[at] = old[i];
                                n_seen++;
                        }
                free(old);
        }
        for (at = h & (seen_size - 1); seen[at]; at = (at + 1) & (seen_size - 1))
                if (seen[at] == h)
                        return false;
        seen[at] = h;
        n_seen++;
        return true;
}
