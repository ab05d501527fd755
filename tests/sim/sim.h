/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sim: a Linux kernel's PCI and SR-IOV, in memory and in virtual time
 *
 * Written from KERNEL.md, and from nothing of sriovd: it knows no ladder. It implements the seam (kernel/kernel.h), with
 * the locks of four kernels, and writes down what lockdep, a debug allocator and an observer of
 * KERNEL.md's rules would have said.
 *
 * Inside a task (sim_start, sim_spawn) calls on its Kernel block as the kernel does; outside they run the simulation
 * until they are answered, and return -EDEADLK if that never comes.
 */
#pragma once

#include "kernel/kernel.h"
#include "tests/sim/sched.h"

typedef struct Sim Sim;

typedef enum SimVariant {
        SIM_VARIANT_O, /* no lock around VFs */
        SIM_VARIANT_A, /* the global lock inside add and del of VFs: recursion */
        SIM_VARIANT_C, /* in sriov_numvfs_store: all current kernels */
        SIM_VARIANT_R, /* recursive, and `remove` releases the driver first */
        _SIM_VARIANT_MAX,
} SimVariant;

typedef struct SimConfig {
        SimVariant variant;
        bool old; /* as 6.1: a collision of VFs is a warning and ENOENT, not an Oops */
        const char *
                topology; /* "default", "switch", "dual", "given", "vfs:N", "functions:N", or text; NULL = default */
} SimConfig;

typedef enum SimFaultKind {
        SIM_FAULT_ERRNO,
        SIM_FAULT_LIE, /* success, and nothing was done; for sriov_numvfs with a number: so many VFs */
        SIM_FAULT_BLOCK, /* until sim_go() */
        SIM_FAULT_DELAY,
} SimFaultKind;

/* NULL: a topology that makes no sense, or no memory. */
Sim *sim_new(const SimConfig *config);
Sim *sim_free(Sim *sim);
static inline void sim_freep(Sim **s) {
        sim_free(*s);
}

/* Owned by the Sim; its free() does nothing. */
Kernel *sim_kernel(Sim *sim);
Sched *sim_sched(Sim *sim);
uint64_t sim_now(const Sim *sim) _pure_;
SimVariant sim_variant(const Sim *sim) _pure_;
const char *sim_variant_to_string(SimVariant v) __attribute__((const));

/*
 * A raw write or read in a task of its own, like `echo value > path &`. Valid until sim_free(). Blocks for ever if the
 * kernel does.
 */
SimTask *sim_start_write(Sim *sim, const char *path, const char *value);
SimTask *sim_start_read(Sim *sim, const char *path);
SimTask *sim_start_unload(Sim *sim, const char *module);
bool sim_returned(const SimTask *t) _pure_;
/* Lets this many ms pass. */
void sim_pass(Sim *sim, uint64_t ms);
/* Until nothing moves any more. */
void sim_settle(Sim *sim);

/* A non-fatal AER error at this port: its thread walks all devices below. */
SimTask *sim_aer(Sim *sim, Bdf port);

/* The attention button of this port's slot: the interrupt thread switches it. -ENODEV if pciehp is not there. */
int sim_button(Sim *sim, Bdf port);

/* Some program opens or closes the vfio group of fn. 0; -ENOENT: no vfio driver has it; -EBUSY: another has it open. */
int sim_hold(Sim *sim, Bdf fn, bool hold);
void sim_drop_all(Sim *sim); /* also those that are on their way out and have lost their name */
#define SIM_HOLDER_PID 4711
#define SIM_HOLDER "qemu-system-x86"
/* Somebody begins to use it in another way, until its driver goes. detail NULL: made up. 0, -ENOENT, -ENODEV: not that kind. */
int sim_use(Sim *sim, Bdf fn, HolderKind kind, const char *detail);
int sim_unuse(Sim *sim, Bdf fn);
/*
 * udev takes events in at once, or, while it is held, none: net devices keep the kernel's names, files of what is gone stay.
 */
void sim_hold_udev(Sim *sim, bool hold);
void sim_hold_rtnl(Sim *sim, bool hold); /* some driver does, and who asks rtnetlink waits */

/*
 * Who is inside the kernel now, but for the process pid, its parent and that one's children. 0, -ENOMEM.
 */
int sim_tasks(Sim *sim, uint32_t pid, uint32_t ppid, Tasks *ret);
/* "__mutex_lock < pci_lock_rescan_remove < sriov_numvfs_store < ..."; "unknown" where the task is in no call. Returns buf. */
const char *sim_stack(const SimTask *t, char *buf, size_t size);
/* The task that stands for this process and is in a call, or NULL. */
SimTask *sim_task_of(Sim *sim, uint32_t pid);
/* The VFs are there when the PF's driver finds them. 0, -ENOENT, -ERANGE. */
int sim_inherit(Sim *sim, Bdf pf, unsigned n);
int sim_set_link(Sim *sim, Bdf fn, bool up);

/*
 * path: "*" = any, a bare name = that attribute of anything, else the whole path. nth 0 = every time.
 * number: of a lie, UINT_MAX = none; ms: of a delay. 0, -ENOMEM.
 */
int sim_fault(Sim *sim, const char *path, SimFaultKind kind, int error, unsigned number,
              unsigned ms, unsigned nth);
void sim_clear_faults(Sim *sim);
void sim_go(Sim *sim); /* all that is blocked by a fault */

/* Writes of this attribute since the start, NULL = of all. */
unsigned sim_writes(const Sim *sim, const char *attr) _pure_;
/* Told of each write that begins and has ended (result > 0: begins). */
void sim_on_write(Sim *sim,
                  void (*f)(Sim *, const char *path, const char *value, int result, void *),
                  void *arg);
void sim_on_event(Sim *sim, void (*f)(Sim *, const KernelEvent *, void *), void *arg);

/* How often, and the first of these; kind _SIM_REPORT_MAX = any. */
size_t sim_reports(const Sim *sim, SimReportKind kind) _pure_;
const SimReport *sim_first_report(const Sim *sim, SimReportKind kind) _pure_;
void sim_print_reports(const Sim *sim, FILE *f);
void sim_forget_reports(Sim *sim);
