/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Persist
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "base/macro.h"
#include "base/str.h"

#include "conf/policy-write.h"

#include "daemon/log.h"
#include "daemon/manager.h"
#include "daemon/persist.h"

#define PRIORITY_DEFAULT 50

/* A policy on its way to the disk: for a job that has ended but for that, or for a client. */
struct Save {
        Save *next;
        uint32_t id;
        uint32_t job; /* 0: none */
        sd_bus_message *message; /* NULL: none, or he is gone */
        Bdf pf;
        char *path, *text;
        bool asked; /* a child is at it */
};

static Save *save_free(Save *s) {
        if (!s)
                return NULL;
        sd_bus_message_unref(s->message);
        free(s->path);
        free(s->text);
        free(s);
        return NULL;
}
DEFINE_CLEANUP(Save, save_free);

void saves_done(Saves *all) {
        while (all->first) {
                Save *s = all->first;

                all->first = s->next;
                save_free(s);
        }
}

void saves_forget(Manager *m, sd_bus *bus) {
        for (Save *s = m->saves.first; s; s = s->next)
                if (s->message && sd_bus_message_get_bus(s->message) == bus)
                        s->message = sd_bus_message_unref(s->message);
}

static bool is_file(const char *path, const char *name) {
        const char *slash = strrchr(path, '/');

        return streq(slash ? slash + 1 : path, name);
}

static int refuse(Fault *ret_fault, FaultReason reason, const Fn *pf, const Policy *p) {
        char place[POLICIES_BOTH_MAX];

        *ret_fault = fault_text(FAULT(reason, .fn = pf->bdf, .number = POLICY_PRIORITY_MAX),
                                policy_name_place(p, place));
        return PERSIST_E_REFUSED;
}

/* Above whatever else has the PF, so that it is this one that counts. */
static int priority_of(const Manager *m, const Fn *pf, int32_t *ret, Fault *ret_fault) {
        const Policy *p = NULL, *other = NULL;
        const Ward *w = wards_find(&m->wards, pf->bdf);
        char file[POLICY_FILE_MAX];
        int r = policy_find(&m->wards.policies, m->snapshot, pf,
                            w && w->has_facts ? &w->facts : NULL, &p, &other);

        *ret = PRIORITY_DEFAULT;
        if (!p)
                return 0;
        if (r == POLICY_E_NONE)
                return refuse(ret_fault, FAULT_HANDS_OFF, pf, p);
        policy_file_name(pf->bdf, file);
        *ret = p->priority;
        if (!other && is_file(p->file, file))
                return 0;
        if (p->priority >= POLICY_PRIORITY_MAX)
                return refuse(ret_fault, FAULT_HIGHEST_PRIORITY, pf, p);
        ++*ret;
        return 0;
}

int persist_check(const Manager *m, Bdf bdf, Fault *ret_fault) {
        const Fn *pf = snapshot_find(m->snapshot, bdf);
        int32_t priority;

        return pf && pf->flags & FN_PF ? priority_of(m, pf, &priority, ret_fault) : 0;
}

/* The file that says so. 0 and *ret; PERSIST_E_REFUSED and *ret_fault; -ENOMEM, -EBADMSG. */
static int save_new(Manager *m, const Fn *pf, const Wanted *wanted, const char *by, Save **ret,
                    Fault *ret_fault) {
        _cleanup_(save_freep) Save *s = calloc(1, sizeof(Save));
        char name[POLICY_FILE_MAX];
        int32_t priority;
        int r;

        if (!s)
                return -ENOMEM;
        s->pf = pf->bdf;
        policy_file_name(pf->bdf, name);
        r = priority_of(m, pf, &priority, ret_fault);
        if (r == 0)
                r = policy_text(wanted, priority, by, &s->text);
        if (r != 0)
                return r;
        if (asprintf(&s->path, "%s/%s", policy_folder(), name) < 0) {
                s->path = NULL;
                return -ENOMEM;
        }
        *ret = TAKE_PTR(s);
        return 0;
}

/* One after the other, in their order: the last word about a PF is the one that stays. */
static void enqueue(Manager *m, Save *s) {
        Save **end = &m->saves.first;

        while (*end)
                end = &(*end)->next;
        *end = s;
        s->id = ++m->saves.last_id;
        manager_kick(m);
}

/* Room for the wishes of that many VFs, with what is wanted of them already. */
static int grow(Wanted *w, const Wanted *old, uint32_t n) {
        w->vfs = calloc((size_t) n + 1, sizeof(VfWish));
        if (!w->vfs)
                return -ENOMEM;
        w->n_vfs = n;
        for (uint32_t i = 0; old && i < n; i++)
                w->vfs[i] = *wanted_vf(old, i);
        return 0;
}

static int save_count(Manager *m, const Record *r, Save **ret, Fault *ret_fault) {
        const Fn *pf = snapshot_find(m->snapshot, r->op.fn);
        const Wanted *old = wards_wanted(m, r->op.fn);
        _cleanup_(wanted_done) Wanted w = old ? *old : (Wanted){ .reconcile = true };
        int k;

        w.vfs = NULL;
        w.n_vfs = 0;
        if (!pf)
                return -ENOENT;
        w.pf = pf->bdf;
        w.policy[0] = '\0';
        w.has_count = true;
        w.count = r->op.count;
        k = grow(&w, old, w.count);
        for (uint32_t i = 0; k >= 0 && r->op.driver[0] != '\0' && i < w.count; i++) {
                w.vfs[i].has_driver = true;
                memcpy(w.vfs[i].driver, r->op.driver, sizeof(w.vfs[i].driver));
        }
        return k < 0 ? k : save_new(m, pf, &w, "sriovctl set --persist", ret, ret_fault);
}

static void warn(Record *r, const Fault *fault) {
        char text[FAULT_STR_MAX];

        (void) record_warn(r, fault_format(fault, text, sizeof(text)));
        log_line(LOG_ERR, r, "job %u: %s", r->id, text);
        r->news |= NEWS_WARNINGS;
        r->persist = false; /* and so it is by hand */
}

bool persist_count(Manager *m, Record *r) {
        Fault fault;
        Save *s;
        int k = save_count(m, r, &s, &fault);

        if (k < 0)
                fault = fault_text(FAULT(FAULT_NOT_KEPT, .fn = r->op.fn, .error = -k),
                                   policy_folder());
        if (k != 0) {
                warn(r, &fault);
                return false;
        }
        s->job = r->id;
        enqueue(m, s);
        return true;
}

static int answer_adopt(const Save *s, const Fault *fault) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        if (fault->reason == FAULT_NONE)
                return sd_bus_reply_method_return(s->message, "ss", s->path, s->text);
        (void) bus_fault(&error, fault);
        return sd_bus_reply_method_error(s->message, &error);
}

/* A mistake in another file keeps it from being read. */
static Fault take_in(Manager *m, const Save *s) {
        Ward *w = wards_find(&m->wards, s->pf);
        SettingsError mistake;
        int r;

        log_line(LOG_NOTICE, NULL, "%s: wrote %s", BDF_STR(s->pf), s->path);
        r = wards_load(m, &mistake);
        wards_tell(m);
        /* What it says was asked for with it. */
        if (w && r >= 0)
                wards_agree(m, w);
        if (r != -EBADMSG)
                return FAULT(FAULT_NONE);
        return fault_text(FAULT(FAULT_KEPT_UNREAD, .fn = s->pf), mistake.text);
}

/* Whoever waits for it hears of it when the policy counts. */
static void over(Manager *m, int error) {
        _cleanup_(save_freep) Save *s = m->saves.first;
        Record *r = s->job > 0 ? records_find(&m->records, s->job) : NULL;
        Fault fault = error >= 0 ? take_in(m, s)
                                 : fault_text(FAULT(FAULT_NOT_KEPT, .fn = s->pf, .error = -error),
                                              policy_folder());

        m->saves.first = s->next;
        if (s->message)
                (void) answer_adopt(s, &fault);
        if (r && fault.reason != FAULT_NONE)
                warn(r, &fault);
        if (r)
                manager_end(m, r);
        manager_kick(m);
}

static int ask(Manager *m, const Save *s) {
        WorkerRequest request = { .work = WORKER_KEEP,
                                  .job = s->id,
                                  .step = { .fn = s->pf, .vf = BDF_NONE },
                                  .n_text = strlen(s->text) + 1 };
        Worker *w;
        int r = workers_get(&m->workers, &w);

        return r < 0 ? r : worker_hand(w, &request, s->text);
}

void saves_ask(Manager *m) {
        while (m->saves.first && !m->saves.first->asked) {
                int r = ask(m, m->saves.first);

                if (r < 0)
                        over(m, r);
                else
                        m->saves.first->asked = true;
        }
}

void saves_answered(Manager *m, const WorkerRequest *request, const WorkerReply *reply) {
        if (m->saves.first && m->saves.first->id == request->job)
                over(m, reply ? reply->error : -ECHILD);
}

/* What a VF has without anybody's having given it is no wish, nor is the 0 queues of one that is offline. */
static void drop_defaults(VfAttrs *a) {
        static const VfAttr plain[] = { VFATTR_MAC,        VFATTR_VLAN,      VFATTR_RATE,
                                        VFATTR_LINK_STATE, VFATTR_NODE_GUID, VFATTR_PORT_GUID,
                                        VFATTR_QUEUES };

        for (size_t i = 0; i < ELEMENTSOF(plain); i++) {
                uint64_t any = 0;

                for (VfKey k = 0; k < _VFKEY_MAX; k++)
                        any |= vfkey_attr(k) == plain[i] ? a->value[k] : 0;
                for (VfKey k = 0; any == 0 && k < _VFKEY_MAX; k++)
                        if (vfkey_attr(k) == plain[i])
                                a->has &= ~(1u << k);
        }
}

static void wish_what_is(const Fn *vf, VfWish *ret) {
        ret->has_driver = true;
        (void) str_copy(ret->driver, sizeof(ret->driver),
                        vf->driver[0] != '\0' ? vf->driver : DRIVER_NONE);
        ret->attrs = vf->attrs;
        drop_defaults(&ret->attrs);
}

static int adopt(Manager *m, Bdf bdf, Save **ret, Fault *ret_fault) {
        const Fn *pf = snapshot_find(m->snapshot, bdf);
        _cleanup_(wanted_done) Wanted w = { .pf = bdf, .has_count = true, .reconcile = true };
        int r;

        if (!pf)
                return -ENOENT;
        w.count = pf->n_vfs;
        w.eswitch = pf->eswitch;
        r = grow(&w, NULL, pf->n_vfs);
        FOREACH_FN (f, m->snapshot)
                if (r >= 0 && f->flags & FN_VF && bdf_equal(f->pf, bdf) && f->vf_index < w.n_vfs)
                        wish_what_is(f, w.vfs + f->vf_index);
        return r < 0 ? r : save_new(m, pf, &w, "sriovctl adopt", ret, ret_fault);
}

static bool is_full(const Saves *all) {
        size_t n = 0;

        for (const Save *s = all->first; s; s = s->next)
                n += s->job == 0;
        return n >= ADOPTS_MAX;
}

int persist_adopt(Manager *m, sd_bus_message *message, Bdf pf, bool dry, Fault *ret_fault) {
        _cleanup_(save_freep) Save *s = NULL;
        int r;

        if (is_full(&m->saves))
                return -EAGAIN;
        r = adopt(m, pf, &s, ret_fault);
        if (r != 0)
                return r;
        s->message = sd_bus_message_ref(message);
        if (dry) {
                r = answer_adopt(s, &FAULT(FAULT_NONE));
                return r < 0 ? r : 0;
        }
        enqueue(m, TAKE_PTR(s));
        return 0;
}
