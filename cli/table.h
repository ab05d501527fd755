/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Table: columns as data
 *
 * A verb has one list of columns; the table on a terminal, --output, --json and the man page all
 * say the same.
 */
#pragma once

#include <json-c/json.h>

#include "cli/cli.h"

typedef enum Look {
        LOOK_TEXT,
        LOOK_NUMBER, /* to the right */
        LOOK_CUT, /* shortened before all others where the terminal is narrow */
        LOOK_WRAP, /* as many lines as it needs there */
        LOOK_STATE, /* has a colour */
        LOOK_TIME, /* µs of CLOCK_REALTIME */
        LOOK_SPAN, /* µs */
        LOOK_PERCENT, /* 0.0 to 1.0 */
} Look;

typedef struct Column {
        const char *header;
        const char *key; /* of the record */
        Look look;
        bool shown; /* without --output */
} Column;

typedef struct Table {
        const char *key; /* of the list in --json */
        const Column *columns;
        size_t n_columns;
} Table;

#define TABLE_COLUMNS_MAX 24

/* Which columns --output means; to be called before the daemon is asked for anything. */
typedef struct Selection {
        const Column *columns[TABLE_COLUMNS_MAX];
        size_t n_columns;
} Selection;
int table_select(const Cli *c, const Table *t, Selection *ret);

/* Prints the list of records, with their "children" as a tree. */
int table_print(const Cli *c, const Table *t, const Selection *s, json_object *rows);

/*
 * The rows as --json has them: whole, or the keys of --output only. A reference of its own; NULL:
 * out of memory.
 */
json_object *table_rows(const Cli *c, const Selection *s, json_object *rows);

/* How a value looks to people: "-" for null. Returns buf, or the value's own text. */
const char *table_value(const Column *column, json_object *v, char *buf, size_t size);
#define TABLE_VALUE_MAX 512
