/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Record: what the daemon tells, as a JSON object
 *
 * Tables and --json are made from the same objects. Keys are those of the man page and stay as they
 * are; "", negative numbers of groups and nodes, and times that have not come yet are null.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>
#include <systemd/sd-bus.h>

typedef struct Field Field;

/* Reads the next whole value. 0 or a negative errno; *ret may be NULL, JSON's null. */
int record_read_value(sd_bus_message *m, json_object **ret);

/*
 * Reads an a{sv} of properties into o, replacing what o had of these. Properties without a key are
 * skipped.
 */
int record_read_properties(sd_bus_message *m, json_object *o);

/* Sets what a field of the bus has in o; takes v over. 0 or -ENOMEM. */
int record_put(json_object *o, const Field *f, json_object *v);

/* What o has under key: NULL, 0, false or an empty list where it has nothing. */
const char *record_text(json_object *o, const char *key);
const char *record_show(json_object *o, const char *key); /* "-" where it has nothing */
uint64_t record_number(json_object *o, const char *key);
bool record_bool(json_object *o, const char *key);
json_object *record_get(json_object *o, const char *key);
size_t record_length(json_object *list);

/* Sets a string, or null for NULL and "". */
void record_set_text(json_object *o, const char *key, const char *value);
void record_set_number(json_object *o, const char *key, uint64_t value);
