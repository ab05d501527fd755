/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prove: look again until it shows, or until the time is up
 *
 *      Proof p = proof_begin(k, PROOF_MS);
 *      while (!shows(k))
 *              if (!proof_again(&p))
 *                      return STEP_UNPROVEN;
 *
 * Time is what was given to pause(): nobody else's clock is asked, so that the simulator's runs as fast as it can.
 */
#pragma once

#include "core/snapshot.h"
#include "kernel/kernel.h"

/* For what the kernel or udev may still be at when a write returns. */
#define PROOF_MS 5000
/* From 7.x on a driver may probe after the write (KERNEL.md 6); one that declines is not waited for any longer. */
#define PROOF_PROBE_MS 1000
/* For a card that has reset itself. */
#define PROOF_LINK_MS 4000
/* For what the kernel does within the write. It is there at once or not at all. */
#define PROOF_SYNC_MS 200

typedef struct Proof {
        Kernel *k;
        unsigned left, next;
} Proof;

Proof proof_begin(Kernel *k, unsigned ms);
bool proof_again(Proof *p); /* waits 1 ms, then 2, 4, ... 64. False: the time is up */

/* The directory is gone, or another device has its place. */
bool prove_gone(Kernel *k, Bdf fn, uint64_t identity);
/* That many functions have a physfn link to pf: they are its VFs, whatever pf itself shows. 0, -errno. */
int prove_count_children(Kernel *k, Bdf pf, uint32_t *ret);
/* True if virtfn0 to virtfn(n - 1) are there and the VFs behind them know it. */
bool prove_vfs(Kernel *k, Bdf pf, uint32_t n);
/* True if the attribute reads as value. */
bool prove_reads(Kernel *k, const char *path, const char *value);
