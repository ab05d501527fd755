/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answer: each of the Kernel's calls, as the simulated one has it
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/policy.h"
#include "tests/sim/control.h"
#include "tests/sim/server.h"

static void answer_list(Call *c, Kernel *k) {
        _cleanup_strv_ char **list = NULL;
        size_t size = 0;
        char *p;

        c->reply.result = k->list(k, c->a, &list);
        if (c->reply.result < 0)
                return;
        STRV_FOREACH (s, list)
                size += strlen(*s) + 1;
        c->body = p = malloc(size + 1);
        if (!p)
                abort();
        STRV_FOREACH (s, list) {
                p = stpcpy(p, *s) + 1;
                c->reply.number++;
        }
        c->reply.size = size;
}

static void answer_text(Call *c, Kernel *k) {
        size_t size = MIN2(c->request.number, 65536U);

        c->body = calloc(1, size + 1);
        if (!c->body)
                abort();
        if (c->request.call == PROTO_READ)
                c->reply.result = k->read(k, c->a, c->body, size);
        else if (c->request.call == PROTO_LINK)
                c->reply.result = k->link(k, c->a, c->body, size);
        else
                c->reply.result = k->path(k, c->a, c->body, size);
        c->reply.size = strlen(c->body);
}

static void answer_control(Call *c) {
        size_t size = 0;
        FILE *f = open_memstream(&c->body, &size);

        if (!f)
                abort();
        c->reply.result = control_run(c->server->sim, c->a, f);
        fclose(f);
        c->reply.size = size;
}

static void answer_array(Call *c, const void *items, size_t n, size_t size) {
        c->reply.number = n;
        c->reply.size = n * size;
        c->body = malloc(n * size + 1);
        if (!c->body)
                abort();
        if (n > 0)
                memcpy(c->body, items, n * size);
}

static void answer_users(Call *c, Kernel *k) {
        _cleanup_(holders_done) Holders all = {};
        Bdf bdf;

        c->reply.result = bdf_parse(c->a, &bdf) < 0
                                  ? -ENOENT
                                  : k->users(k, &bdf, 1, (UsersMode) c->request.number, &all);
        answer_array(c, all.items, all.n, sizeof(Holder));
}

static void answer_initialized(Call *c, Kernel *k) {
        Bdf bdf;

        c->reply.result = bdf_parse(c->a, &bdf) < 0 ? 0 : k->initialized(k, bdf);
}

static void answer_tasks(Call *c) {
        _cleanup_(tasks_done) Tasks all = {};

        c->reply.result = sim_tasks(c->server->sim, c->client->pid, c->client->ppid, &all);
        answer_array(c, all.items, all.n, sizeof(Task));
}

static void answer_vf_attrs(Call *c, Kernel *k, Bdf pf) {
        uint32_t n = MIN2((uint32_t) c->request.number, 65536U);
        _cleanup_free_ VfAttrs *all = calloc((size_t) n + 1, sizeof(VfAttrs));

        if (!all)
                abort();
        c->reply.result = k->vf_attrs(k, pf, (uint32_t) (c->request.number >> 32), n, all);
        answer_array(c, all, n, sizeof(VfAttrs));
}

static void answer_vf_set(Call *c, Kernel *k, Bdf pf) {
        VfAttrs attrs = {};

        c->reply.result = vfattrs_parse(c->b, &attrs);
        if (c->reply.result >= 0)
                c->reply.result = k->vf_set(k, pf, (uint32_t) (c->request.number >> 32),
                                            (VfAttr) (c->request.number & UINT32_MAX), &attrs);
}

static void answer_eswitch(Call *c, Kernel *k, Bdf pf) {
        Eswitch mode = ESWITCH_KEEP;

        c->reply.result = k->eswitch_get(k, pf, &mode);
        c->reply.number = mode;
}

static void answer_facts(Call *c, Kernel *k, Bdf pf) {
        PfFacts facts = {};
        size_t size = 0;
        FILE *f = open_memstream(&c->body, &size);

        if (!f)
                abort();
        c->reply.result = k->facts(k, pf, &facts);
        STRV_FOREACH (s, facts.altnames)
                fprintf(f, "altname %s\n", *s);
        STRV_FOREACH (s, facts.macs)
                fprintf(f, "mac %s\n", *s);
        if (facts.serial)
                fprintf(f, "serial %s\n", facts.serial);
        if (facts.path)
                fprintf(f, "path %s\n", facts.path);
        fclose(f);
        c->reply.number = facts.identity;
        c->reply.size = size;
        pf_facts_done(&facts);
}

/* What is asked about one function by its address. */
static void answer_of_fn(Call *c, Kernel *k) {
        Bdf fn;

        if (bdf_parse(c->a, &fn) < 0)
                c->reply.result = -ENOENT;
        else if (c->request.call == PROTO_VF_ATTRS)
                answer_vf_attrs(c, k, fn);
        else if (c->request.call == PROTO_VF_SET)
                answer_vf_set(c, k, fn);
        else if (c->request.call == PROTO_ESWITCH_GET)
                answer_eswitch(c, k, fn);
        else if (c->request.call == PROTO_ESWITCH_SET)
                c->reply.result = k->eswitch_set(k, fn, (Eswitch) c->request.number);
        else if (c->request.call == PROTO_UP)
                c->reply.result = k->up(k, fn);
        else
                answer_facts(c, k, fn);
}

void server_answer(Call *c) {
        Kernel *k = sim_kernel(c->server->sim);

        switch ((ProtoCall) c->request.call) {
        case PROTO_LIST:
                answer_list(c, k);
                return;
        case PROTO_READ:
        case PROTO_LINK:
        case PROTO_PATH:
                answer_text(c, k);
                return;
        case PROTO_WRITE:
                c->reply.result = k->write(k, c->a, c->b);
                return;
        case PROTO_IDENTITY:
                c->reply.result = k->identity(k, c->a, &c->reply.number);
                return;
        case PROTO_OPEN_GROUP:
                c->reply.result = k->open_group(k, (int) c->request.number, &c->passed_fd);
                return;
        case PROTO_USERS:
                answer_users(c, k);
                return;
        case PROTO_TASKS:
                answer_tasks(c);
                return;
        case PROTO_VF_ATTRS:
        case PROTO_VF_SET:
        case PROTO_ESWITCH_GET:
        case PROTO_ESWITCH_SET:
        case PROTO_UP:
        case PROTO_FACTS:
                answer_of_fn(c, k);
                return;
        case PROTO_LOAD:
                c->reply.result = k->load_module(k, c->a);
                return;
        case PROTO_UNLOAD:
                c->reply.result = k->unload_module(k, c->a);
                return;
        case PROTO_PAUSE:
                k->pause(k, c->request.number);
                return;
        case PROTO_INITIALIZED:
                answer_initialized(c, k);
                return;
        case PROTO_WATCH:
                c->client->watches = true;
                return;
        case PROTO_CONTROL:
                answer_control(c);
                return;
        case _PROTO_MAX:
                break;
        }
        c->reply.result = -EINVAL;
}
