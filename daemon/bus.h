/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bus: the same objects on all connections
 *
 * One is the system bus, which comes and goes; the others are root's clients on the private socket. Objects are
 * exported and signals sent on each of them. Nothing here waits for an answer.
 */
#pragma once

#include <stdint.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "core/fault.h"
#include "core/snapshot.h"
#include "core/wanted.h"

typedef struct Manager Manager;
typedef struct Record Record;
typedef struct Connection Connection;

typedef struct Bus {
        Connection *connections;
        sd_event_source *listen, *retry;
        sd_event_source *pause; /* nobody is let in until then */
        int fd; /* of the private socket */
        char *socket;
} Bus;

/* Listens on RUNTIME/private; a system bus that is not there yet is waited for. 0, -errno (logged). */
int bus_start(Manager *m);
void bus_done(Bus *b);

/* Paths of objects; the caller's. NULL: out of memory. */
char *bus_fn_path(Bdf bdf, uint32_t flags);
char *bus_job_path(uint32_t id);

void bus_added(Bus *b, const char *path, const char *interface);
void bus_removed(Bus *b, const char *path, const char *interface);
void bus_changed(Bus *b, const char *path, const char *interface, const char *const *properties);
void bus_job_new(Bus *b, const Record *r);
void bus_job_removed(Bus *b, const Record *r);
void bus_drift(Bus *b, const Wanted *w, const Difference *d);
/* Tells what is new about a job, r->news. */
void bus_job_changed(Bus *b, Record *r);

/* The fault as an error of the bus; for `return` in methods. */
int bus_fault(sd_bus_error *error, const Fault *fault);

/* bus-manager.c, bus-pf.c, bus-vf.c, bus-job.c: adds their objects. */
int bus_manager_add(sd_bus *bus, Manager *m);
int bus_pf_add(sd_bus *bus, Manager *m);
int bus_vf_add(sd_bus *bus, Manager *m);
int bus_job_add(sd_bus *bus, Manager *m);

/* The names of the properties behind r->news, NULL at the end. */
void bus_job_news(const Record *r, const char **ret, size_t size);
