/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Table
 *
 * libsmartcols draws, json-c writes; both get the same records. libsmartcols' own JSON is flat and
 * knows no short form, hence not used.
 */
#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include <libsmartcols/libsmartcols.h>

#include "base/str.h"

#include "cli/record.h"
#include "cli/say.h"
#include "cli/table.h"
#include "cli/when.h"

static void table_unrefp(struct libscols_table **t) {
        scols_unref_table(*t);
}

static const Column *column_find(const Table *t, const char *name, size_t n) {
        for (size_t i = 0; i < t->n_columns; i++) {
                const Column *col = &t->columns[i];

                if ((strncasecmp(col->header, name, n) == 0 && col->header[n] == '\0') ||
                    (strncasecmp(col->key, name, n) == 0 && col->key[n] == '\0'))
                        return col;
        }
        return NULL;
}

static int unknown_column(const Cli *c, const Table *t, const char *name, size_t n) {
        char known[512] = "";
        size_t at = 0;

        for (size_t i = 0; i < t->n_columns && at < sizeof(known); i++)
                at += (size_t) snprintf(known + at, sizeof(known) - at, "%s%s", i > 0 ? "," : "",
                                        t->columns[i].header);
        return say_usage(c, "--output: no column '%.*s'; there are %s", (int) MIN2(n, 64), name,
                         known);
}

static void select_shown(const Table *t, Selection *s) {
        for (size_t i = 0; i < t->n_columns; i++)
                if (t->columns[i].shown)
                        s->columns[s->n_columns++] = &t->columns[i];
}

static bool is_selected(const Selection *s, const Column *col) {
        for (size_t i = 0; i < s->n_columns; i++)
                if (s->columns[i] == col)
                        return true;
        return false;
}

int table_select(const Cli *c, const Table *t, Selection *ret) {
        const char *p = c->columns;
        Selection s = { 0 };

        if (!p || *p == '+')
                select_shown(t, &s);
        if (p && *p == '+')
                p++;
        while (p) {
                size_t n = strcspn(p, ",");
                const Column *col = column_find(t, p, n);

                if (!col)
                        return unknown_column(c, t, p, n);
                if (!is_selected(&s, col))
                        s.columns[s.n_columns++] = col;
                p = p[n] == ',' ? p + n + 1 : NULL;
        }
        *ret = s;
        return 0;
}

static const char *join(json_object *list, char *buf, size_t size) {
        size_t at = 0;

        buf[0] = '\0';
        for (size_t i = 0; i < record_length(list) && at < size; i++)
                at += (size_t) snprintf(buf + at, size - at, "%s%s", i > 0 ? "," : "",
                                        json_object_get_string(json_object_array_get_idx(list, i)));
        return at > 0 ? say_clean(buf, buf, size) : "-";
}

/* "mac=02:00:00:00:01:00 vlan=100" */
static const char *join_pairs(json_object *o, char *buf, size_t size) {
        size_t at = 0;

        buf[0] = '\0';
        json_object_object_foreach(o, key, v) {
                if (at < size)
                        at += (size_t) snprintf(buf + at, size - at, "%s%s=%s", at > 0 ? " " : "",
                                                key, v ? json_object_get_string(v) : "-");
        }
        return at > 0 ? say_clean(buf, buf, size) : "-";
}

const char *table_value(const Column *col, json_object *v, char *buf, size_t size) {
        if (!v)
                return "-";
        switch (json_object_get_type(v)) {
        case json_type_array:
                return join(v, buf, size);
        case json_type_object:
                return join_pairs(v, buf, size);
        case json_type_boolean:
                return json_object_get_boolean(v) ? "yes" : "no";
        default:
                break;
        }
        switch (col->look) {
        case LOOK_TIME:
                return when_format(json_object_get_uint64(v), buf, size);
        case LOOK_SPAN:
                return when_format_span(json_object_get_uint64(v), buf, size);
        case LOOK_PERCENT:
                snprintf(buf, size, "%.0f%%", json_object_get_double(v) * 100);
                return buf;
        default:
                return say_clean(json_object_get_string(v), buf, size);
        }
}

static const char *state_color(const char *state) {
        static const struct {
                const char *state, *color;
        } colors[] = {
                { "ok", "green" },        { "done", "green" },     { "busy", "yellow" },
                { "running", "yellow" },  { "partial", "yellow" }, { "failed", "red" },
                { "quarantined", "red" }, { "wedged", "red" },     { "gone", "red" },
                { "refused", "red" },     { "timeout", "red" },    { "interrupted", "red" },
                { "warn", "yellow" },     { "bad", "red" },        { "inside", "yellow" },
                { "unordered", "red" },
        };

        for (size_t i = 0; state && i < ELEMENTSOF(colors); i++)
                if (streq(colors[i].state, state))
                        return colors[i].color;
        return NULL;
}

static int add_cell(struct libscols_line *line, size_t n, const Column *col, json_object *row) {
        json_object *v = record_get(row, col->key);
        char buf[TABLE_VALUE_MAX];
        const char *color = NULL;
        int r;

        r = scols_line_set_data(line, n, table_value(col, v, buf, sizeof(buf)));
        if (r < 0)
                return r;
        if (col->look == LOOK_STATE && v)
                color = state_color(json_object_get_string(v));
        return color ? scols_cell_set_color(scols_line_get_cell(line, n), color) : 0;
}

static int add_rows(struct libscols_table *t, const Selection *s, json_object *rows,
                    struct libscols_line *parent) {
        int r;

        for (size_t i = 0; i < record_length(rows); i++) {
                json_object *row = json_object_array_get_idx(rows, i);
                struct libscols_line *line = scols_table_new_line(t, parent);

                if (!line)
                        return -ENOMEM;
                for (size_t j = 0; j < s->n_columns; j++) {
                        r = add_cell(line, j, s->columns[j], row);
                        if (r < 0)
                                return r;
                }
                r = add_rows(t, s, record_get(row, "children"), line);
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool has_children(json_object *rows) {
        for (size_t i = 0; i < record_length(rows); i++)
                if (record_length(record_get(json_object_array_get_idx(rows, i), "children")) > 0)
                        return true;
        return false;
}

static int add_columns(struct libscols_table *t, const Selection *s, bool tree) {
        for (size_t i = 0; i < s->n_columns; i++) {
                const Column *col = s->columns[i];
                int flags = 0;

                if (col->look == LOOK_NUMBER || col->look == LOOK_SPAN || col->look == LOOK_PERCENT)
                        flags |= SCOLS_FL_RIGHT;
                if (col->look == LOOK_CUT)
                        flags |= SCOLS_FL_TRUNC;
                if (col->look == LOOK_WRAP)
                        flags |= SCOLS_FL_WRAP;
                if (tree && i == 0)
                        flags |= SCOLS_FL_TREE;
                if (!scols_table_new_column(t, col->header, 0, flags))
                        return -ENOMEM;
        }
        return 0;
}

static int draw(const Cli *c, const Selection *s, json_object *rows) {
        _cleanup_(table_unrefp) struct libscols_table *t = scols_new_table();
        int r;

        if (!t)
                return -ENOMEM;
        scols_table_enable_noheadings(t, !c->legend);
        scols_table_enable_colors(t, say_colors());
        r = add_columns(t, s, has_children(rows));
        if (r >= 0)
                r = add_rows(t, s, rows, NULL);
        return r < 0 ? r : scols_print_table(t);
}

/* A copy of the rows with the selected keys only. NULL: out of memory. */
static json_object *pick(const Selection *s, json_object *rows) {
        _cleanup_json_ json_object *list = json_object_new_array();

        for (size_t i = 0; list && i < record_length(rows); i++) {
                json_object *row = json_object_array_get_idx(rows, i),
                            *o = json_object_new_object(), *children = record_get(row, "children");

                if (!o || json_object_array_add(list, o) < 0) {
                        json_object_put(o);
                        return NULL;
                }
                for (size_t j = 0; j < s->n_columns; j++)
                        json_object_object_add(
                                o, s->columns[j]->key,
                                json_object_get(record_get(row, s->columns[j]->key)));
                if (children)
                        json_object_object_add(o, "children", pick(s, children));
        }
        return TAKE_PTR(list);
}

json_object *table_rows(const Cli *c, const Selection *s, json_object *rows) {
        return c->columns ? pick(s, rows) : json_object_get(rows);
}

static int print_json(const Cli *c, const Table *t, const Selection *s, json_object *rows) {
        _cleanup_json_ json_object *o = json_object_new_object(), *list = table_rows(c, s, rows);

        if (!o || !list)
                return say_oom(c);
        json_object_object_add(o, t->key, TAKE_PTR(list));
        say_json(c, o);
        return 0;
}

int table_print(const Cli *c, const Table *t, const Selection *s, json_object *rows) {
        int r;

        if (c->json != JSON_OFF)
                return print_json(c, t, s, rows);
        if (record_length(rows) == 0)
                return 0;
        r = draw(c, s, rows);
        return r < 0 ? say_error(c, STATUS_FAILED, NULL, "cannot draw the table: %s", strerror(-r))
                     : 0;
}
