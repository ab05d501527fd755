/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * World: what the simulated kernel knows of its machine
 *
 * The hardware (SimHw) is there whether the kernel knows it or not; a function (SimFn) is the kernel's object, made by
 * enumeration, gone with removal, another one after a rescan. Gone functions stay in memory until the end, so that a
 * use after free can be told and not only suffered.
 */
#pragma once

#include "tests/sim/sched.h"
#include "tests/sim/sim.h"

#define SIM_NAME 32

typedef struct SimFn SimFn;
typedef struct SimHw SimHw;

typedef enum SimDriverFlags {
        DRIVER_SRIOV = 1 << 0, /* has sriov_configure */
        DRIVER_CLEARS = 1 << 1, /* its remove disables the VFs; else they are left behind */
        DRIVER_KEEPS_FOREIGN = 1 << 2, /* takes 0 and keeps VFs that it did not make */
        DRIVER_BY_OVERRIDE = 1 << 3, /* no ids: binds only what an override gives it */
        DRIVER_VFIO = 1 << 4, /* remove waits for users; refuses a PF with VFs */
        DRIVER_VF_OFFLINE = 1 << 5, /* probing a VF fails: ENODEV */
        DRIVER_NET = 1 << 6, /* makes a netdev */
        DRIVER_RESET_HANGS = 1 << 7, /* reset with the interface down never comes back */
        DRIVER_PORT = 1 << 8, /* the port services with pciehp among them */
        DRIVER_LOADED = 1 << 9, /* at the start */
        DRIVER_BUILTIN = 1 << 10, /* no module */
        DRIVER_DISK = 1 << 11, /* makes a block device */
        DRIVER_NEEDS_UP = 1 << 12, /* makes no VFs while the interface is down, and says nothing */
        DRIVER_ESWITCH = 1 << 13, /* devlink shows its eswitch */
        DRIVER_ESWITCH_AFTER = 1 << 14, /* switchdev: EPERM without VFs */
        DRIVER_ESWITCH_ALONE = 1 << 15, /* EBUSY as long as a VF has a driver */
        DRIVER_QINQ = 1 << 16, /* VLANs of 802.1ad, else EPROTONOSUPPORT */
        DRIVER_MIN_RATE = 1 << 17, /* a lowest rate, else EINVAL */
        DRIVER_ESWITCH_WITHOUT = 1 << 18, /* EOPNOTSUPP with VFs */
} SimDriverFlags;

typedef struct SimDriverInfo {
        const char *name, *module;
        uint32_t flags;
        uint16_t vendor, device, vf_device; /* what it takes: functions, and VFs */
        uint32_t gives; /* 1 << VFATTR_*: what its VFs can be given */
        uint16_t on_ms, on_vf_ms, off_ms, probe_ms, remove_ms;
} SimDriverInfo;

typedef struct SimDriver {
        const SimDriverInfo *info;
        bool loaded;
        SimLock bind, unbind; /* KA of the two files */
} SimDriver;

typedef struct SimKind {
        const char *name;
        uint16_t vendor, device, vf_device;
        uint32_t class;
        uint16_t total_vfs, offset, stride;
} SimKind;

struct SimHw {
        Bdf bdf;
        const SimKind *kind;
        SimHw *parent; /* the bridge above */
        unsigned secondary; /* bridge: the bus below */
        char slot[SIM_NAME]; /* bridge: its slot; "" = none */
        bool powered; /* else nobody finds it */
        bool vf_enable; /* left on in the hardware by whoever went away */
        SimFn *fn; /* the kernel's object, or NULL */
        SimHw *next;
        /* of a bridge with a slot */
        bool slot_on, slot_shown, turning, turn_on;
        int turn_result;
        SimLock power, irq; /* KA of slots/N/power; the interrupt thread */
        bool service; /* pciehp's service is bound */
        SimLock service_dl, bus_rescan;
};

/* Somebody uses a function, but for its vfio group. What is of its net or block device goes with the driver. */
typedef struct SimUse {
        Holder holder;
        struct SimUse *next;
} SimUse;

struct SimFn {
        Bdf bdf;
        SimHw *hw; /* NULL: a VF */
        const SimKind *kind;
        SimFn *parent; /* the bridge's object */
        SimFn *pf; /* VF: NULL once the PF is gone */
        Bdf physfn; /* VF: what the link still says */
        unsigned index;
        bool gone, removing, dead, unbinding, net_up, foreign_vfs, probing;
        bool known,
                named; /* udev's file of that address, and its net device's name is udev's: udev.c */
        SimFn **vfs;
        unsigned n_vfs; /* virtfn links */
        bool autoprobe;
        char *override; /* NULL: none */
        SimDriver *driver;
        VfAttrs attrs; /* VF: what it was given since it was made; with queues it is online */
        Eswitch eswitch; /* PF */
        int group;
        uint64_t ino;
        SimLock dl;
        SimLock *files; /* KA, made when first opened */
        SimLock user; /* SIM_USER of the vfio group */
        SimUse *uses;
        SimFn *hash_next, *next;
};

/* A vfio group that sriovd opened: as long as the other end of this socket is. */
typedef struct SimGuard {
        int group, fd;
        struct SimGuard *next;
} SimGuard;

/* What somebody edits in the lists of buses, without regard to locks. */
typedef struct SimEdit {
        SimTask *task;
        enum {
                EDIT_BUS,
                EDIT_TREE,
                EDIT_ALL
        } kind;
        uint32_t domain;
        unsigned bus;
        const SimHw *top;
        struct SimEdit *next;
} SimEdit;

typedef struct SimFault {
        char path[128]; /* "*", an attribute's name, or the whole path */
        SimFaultKind kind;
        int error;
        unsigned number, ms;
        unsigned nth; /* 0: every time */
        unsigned seen;
        struct SimFault *next;
} SimFault;

typedef struct SimEvent {
        KernelEvent event;
        struct SimEvent *next;
} SimEvent;

typedef struct SimCount {
        char attr[SIM_NAME];
        unsigned n;
        struct SimCount *next;
} SimCount;

struct Sim {
        Sched sched; /* the first, so that a task finds its Sim */
        SimConfig config;
        SimHw *hw, **hw_end;
        SimFn *fns, **fns_end; /* all that were ever made */
        SimFn **hash;
        size_t n_hash;
        SimDriver *drivers;
        size_t n_drivers;
        SimLock rr, bs, rescan, services; /* the last two: KA of files of the bus */
        SimEdit *edits;
        SimGuard *guards;
        SimFault *faults;
        SimFault *fault; /* that the write being started has run into */
        bool go; /* what is blocked may go on */
        bool rtnl_held, rtnl_free; /* who waits for the second saw the first */
        SimCount *counts;
        unsigned n_writes;
        uint64_t last_ino, last_seq;
        int last_group;
        Kernel kernel;
        int event_fd;
        SimEvent *events, **events_end;
        bool udev_held;
        SimEvent *udev, **udev_end; /* what it has not taken in */
        void (*on_event)(Sim *, const KernelEvent *, void *);
        void *on_event_arg;
        void (*on_write)(Sim *, const char *, const char *, int, void *);
        void *on_write_arg;
};

#define SCHED(sim) (&(sim)->sched)

/* calls.c */
Kernel calls_kernel(void);
SimTask *calls_boot(Sim *sim);

/* topology.c */
int topology_read(Sim *sim, const char *text);

/* world.c */
SimFn *world_find(const Sim *sim, Bdf bdf) _pure_;
SimHw *world_hw(const Sim *sim, Bdf bdf) _pure_;
SimHw *world_slot(const Sim *sim, const char *name) _pure_;
SimHw *world_service(const Sim *sim, const char *name) _pure_;
SimFn *world_add(Sim *sim, SimHw *hw, SimFn *pf, unsigned index);
void world_drop(Sim *sim, SimFn *fn); /* nobody finds it any more */
Bdf world_vf_bdf(const SimFn *pf, unsigned index) _pure_;
bool world_below(const SimFn *fn, const SimHw *top) _pure_;
const char *service_name(const SimHw *port, char buf[static SIM_NAME]);
void world_event(Sim *sim, Bdf bdf, const char *action);
void world_event_other(Sim *sim);
void world_put_event(Sim *sim,
                     const KernelEvent *event); /* tells whoever listens; udev is not told */
SimLock *world_file(SimFn *fn, const char *name); /* its KA */
/* Waits for all who are in the function's files. */
void world_drain(Sim *sim, SimFn *fn);
void edit_begin(Sim *sim, SimEdit *e);
void edit_end(Sim *sim, SimEdit *e);

/* driver.c: who drives what. The caller holds DL of fn where not said otherwise. */
extern const SimDriverInfo driver_table[];
extern const size_t driver_table_length;
SimDriver *driver_find(const Sim *sim, const char *name) _pure_; /* loaded ones */
bool driver_matches(const SimDriver *d, const SimFn *fn) _pure_;
int driver_probe(Sim *sim, SimDriver *d, SimFn *fn);
void driver_attach_any(Sim *sim, SimFn *fn);
void driver_detach(Sim *sim, SimFn *fn);
/* Takes DL itself. */
void driver_release(Sim *sim, SimFn *fn);
/* Taking DL of what is removed: a PF of variant R that is dead has given up its driver already. */
void driver_release_for_removal(Sim *sim, SimFn *fn);

/* sriov.c */
int sriov_numvfs_store(Sim *sim, SimFn *pf, const char *value);
void sriov_disable(Sim *sim, SimFn *pf);
int sriov_msix_store(Sim *sim, SimFn *vf, const char *value);
int sriov_create_vf(Sim *sim, SimFn *pf, unsigned index, SimFn **ret);

/* remove.c, hotplug.c */
int remove_store(Sim *sim, SimFn *fn, const char *value);
void remove_tree(Sim *sim, SimFn *fn);
void remove_note_orphans(Sim *sim);
int rescan_store(Sim *sim, SimLock *file, const char *value);
void rescan_below(Sim *sim, SimHw *top); /* NULL: everything */
int slot_power_store(Sim *sim, SimHw *port, const char *value);
int service_unbind_store(Sim *sim, const char *value);
void service_stop(Sim *sim, SimHw *port);

/* bind.c */
int bind_store(Sim *sim, SimDriver *d, const char *value);
int unbind_store(Sim *sim, SimDriver *d, const char *value);
int drivers_probe_store(Sim *sim, const char *value);
int override_store(Sim *sim, SimFn *fn, const char *value);
int reset_store(Sim *sim, SimFn *fn, const char *value);
int module_load(Sim *sim, const char *name);
int module_unload(Sim *sim, const char *name);

/* tasks.c: DESIGN promise 1, what a stuck write leaves free. */
bool tasks_apart(const Sched *s, const SimOp *stuck, const SimOp *op);

/* udev.c */
void udev_hear(Sim *sim, const KernelEvent *event);
int udev_knows(const Sim *sim, Bdf fn); /* Kernel.initialized() */

/* users.c */
int users_of(Sim *sim, const Bdf *fns, size_t n, UsersMode mode, Holders *ret);
bool users_has(const SimFn *fn, HolderKind kind) _pure_;
void users_leave(SimFn *fn); /* the driver has gone */
void users_free(Sim *sim);
int guard_open(Sim *sim, int group, int *ret_fd);
bool guard_is_on(Sim *sim, int group);

/* given.c: behind the Kernel */
int given_attrs(Sim *sim, Bdf pf, uint32_t first, uint32_t n, VfAttrs *ret);
int given_set(Sim *sim, Bdf pf, uint32_t index, VfAttr attr, const VfAttrs *a);
int given_msix(SimFn *pf, SimFn *vf, unsigned n);
int given_eswitch(const Sim *sim, Bdf pf, Eswitch *ret);
int given_set_eswitch(Sim *sim, Bdf pf, Eswitch mode);
int given_up(Sim *sim, Bdf fn);
int given_facts(Sim *sim, Bdf pf, PfFacts *ret);

/* inject.c */
int inject_before(Sim *sim, const char *path); /* counts, finds the fault; -errno ends the write */
int inject_lie(Sim *sim, unsigned *ret); /* 1: the write pretends; 2: with *ret VFs */
void inject_inside(Sim *sim); /* where the write holds its locks: blocked or delayed here */

/* path.c, files.c, write.c: behind the Kernel */
typedef struct SimPath {
        enum {
                PATH_NONE,
                PATH_DEVICES,
                PATH_FN,
                PATH_FN_ATTR,
                PATH_FN_NET,
                PATH_DRIVERS,
                PATH_DRIVER,
                PATH_DRIVER_ATTR,
                PATH_BUS_ATTR,
                PATH_SLOTS,
                PATH_SLOT,
                PATH_SLOT_ATTR,
                PATH_SERVICES,
                PATH_SERVICE,
                PATH_SERVICE_ATTR,
                PATH_BUS_RESCAN,
        } kind;
        SimFn *fn;
        SimDriver *driver;
        SimHw *port;
        char attr[64];
} SimPath;

SimPath path_parse(const Sim *sim, const char *path);
bool fn_has_attr(const SimFn *fn, const char *attr);
bool fn_has_net(const SimFn *fn);
int files_list(Sim *sim, const char *path, char ***ret);
int files_read(Sim *sim, const char *path, char *buf, size_t size);
int files_link(Sim *sim, const char *path, char *buf, size_t size);
int files_path(Sim *sim, const char *path, char *buf, size_t size);
int files_identity(Sim *sim, const char *path, uint64_t *ret);
bool files_read_blocks(const Sim *sim, const char *path);
int files_write(Sim *sim, const char *path, const char *value);
const char *driver_of(const SimFn *fn); /* as the link shows it; NULL */
