/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Field: what a property of the bus is called in records
 */
#pragma once

#include <stdint.h>

#include <json-c/json.h>

typedef enum Meaning {
        AS_IT_IS,
        TIME, /* µs; 0 is null */
        CLASS, /* "0x020000" */
        FLOAT, /* three digits are plenty */
} Meaning;

typedef enum FieldOf {
        FIELD_PF = 1 << 0,
        FIELD_VF = 1 << 1,
} FieldOf;

typedef struct Field {
        const char *property, *key;
        Meaning meaning;
        uint32_t of; /* FieldOf: whose properties GetTable() has it among */
} Field;

/* NULL: no record has it. */
const Field *field_of_property(const char *property);
const Field *field_of_key(const char *key);

/* The value as records have it; takes v over. */
json_object *field_convert(const Field *f, json_object *v);
