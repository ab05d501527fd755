/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Record
 */
#include <errno.h>

#include "base/macro.h"
#include "base/str.h"

#include "cli/field.h"
#include "cli/record.h"
#include "cli/say.h"

static int read_text(sd_bus_message *m, char type, json_object **ret) {
        const char *s;
        int r;

        r = sd_bus_message_read_basic(m, type, &s);
        if (r < 0)
                return r;
        *ret = isempty(s) ? NULL : json_object_new_string(s);
        return 0;
}

static int read_number(sd_bus_message *m, char type, json_object **ret) {
        union {
                uint8_t y;
                uint16_t q;
                int16_t n;
                uint32_t u;
                int32_t i;
                uint64_t t;
                int64_t x;
                double d;
                int b;
        } v;
        int r;

        r = sd_bus_message_read_basic(m, type, &v);
        if (r < 0)
                return r;
        switch (type) {
        case 'b':
                *ret = json_object_new_boolean(v.b);
                return 0;
        case 'y':
                *ret = json_object_new_int(v.y);
                return 0;
        case 'q':
                *ret = json_object_new_int(v.q);
                return 0;
        case 'n':
                *ret = json_object_new_int(v.n);
                return 0;
        case 'u':
                *ret = json_object_new_int64(v.u);
                return 0;
        case 'i':
                *ret = v.i < 0 ? NULL : json_object_new_int(v.i);
                return 0;
        case 't':
                *ret = json_object_new_uint64(v.t);
                return 0;
        case 'x':
                *ret = json_object_new_int64(v.x);
                return 0;
        default:
                *ret = json_object_new_double(v.d);
                return 0;
        }
}

static int read_list(sd_bus_message *m, const char *contents, json_object **ret) {
        _cleanup_json_ json_object *list = json_object_new_array();
        int r;

        if (!list)
                return -ENOMEM;
        r = sd_bus_message_enter_container(m, 'a', contents);
        if (r < 0)
                return r;
        while ((r = sd_bus_message_at_end(m, false)) == 0) {
                json_object *v = NULL;

                r = record_read_value(m, &v);
                if (r < 0)
                        return r;
                if (json_object_array_add(list, v) < 0) {
                        json_object_put(v);
                        return -ENOMEM;
                }
        }
        if (r > 0)
                r = sd_bus_message_exit_container(m);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(list);
        return 0;
}

static int object_add(json_object *o, const char *key, json_object *v, unsigned options) {
        if (json_object_object_add_ex(o, key, v, options) == 0)
                return 0;
        json_object_put(v);
        return -ENOMEM;
}

/* Its key lives as long as we do, and is not copied. */
int record_put(json_object *o, const Field *f, json_object *v) {
        return object_add(o, f->key, field_convert(f, v), JSON_C_OBJECT_KEY_IS_CONSTANT);
}

/* Calls for each entry of an a{sv}; the value is next in m. */
typedef int (*EntryFunction)(sd_bus_message *m, const char *key, json_object *o);

static int read_entries(sd_bus_message *m, EntryFunction function, json_object *o) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                const char *key;

                r = sd_bus_message_read_basic(m, 's', &key);
                if (r >= 0)
                        r = function(m, key, o);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int entry_as_it_is(sd_bus_message *m, const char *key, json_object *o) {
        json_object *v = NULL;
        int r;

        r = record_read_value(m, &v);
        return r < 0 ? r : object_add(o, key, v, 0);
}

static int read_dict(sd_bus_message *m, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        int r;

        if (!o)
                return -ENOMEM;
        r = read_entries(m, entry_as_it_is, o);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(o);
        return 0;
}

/* An a{ss}. */
static int read_words(sd_bus_message *m, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        const char *key, *value;
        int r;

        if (!o)
                return -ENOMEM;
        r = sd_bus_message_enter_container(m, 'a', "{ss}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read(m, "{ss}", &key, &value)) > 0)
                record_set_text(o, key, value);
        if (r < 0)
                return r;
        r = sd_bus_message_exit_container(m);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(o);
        return 0;
}

static int read_array(sd_bus_message *m, const char *contents, json_object **ret) {
        if (streq(contents, "{sv}"))
                return read_dict(m, ret);
        return streq(contents, "{ss}") ? read_words(m, ret) : read_list(m, contents, ret);
}

int record_read_value(sd_bus_message *m, json_object **ret) {
        const char *contents;
        char type;
        int r;

        r = sd_bus_message_peek_type(m, &type, &contents);
        if (r <= 0)
                return r < 0 ? r : -EBADMSG;
        switch (type) {
        case 's':
        case 'o':
        case 'g':
                return read_text(m, type, ret);
        case 'a':
                return read_array(m, contents, ret);
        case 'v':
                r = sd_bus_message_enter_container(m, 'v', contents);
                if (r >= 0)
                        r = record_read_value(m, ret);
                return r < 0 ? r : sd_bus_message_exit_container(m);
        case 'y':
        case 'b':
        case 'n':
        case 'q':
        case 'i':
        case 'u':
        case 'x':
        case 't':
        case 'd':
                return read_number(m, type, ret);
        default:
                *ret = NULL;
                return sd_bus_message_skip(m, NULL);
        }
}

static int entry_property(sd_bus_message *m, const char *property, json_object *o) {
        const Field *f = field_of_property(property);
        json_object *v = NULL;
        int r;

        if (!f)
                return sd_bus_message_skip(m, "v");
        r = record_read_value(m, &v);
        return r < 0 ? r : record_put(o, f, v);
}

int record_read_properties(sd_bus_message *m, json_object *o) {
        return read_entries(m, entry_property, o);
}

json_object *record_get(json_object *o, const char *key) {
        json_object *v = NULL;

        return o && json_object_object_get_ex(o, key, &v) ? v : NULL;
}

const char *record_text(json_object *o, const char *key) {
        json_object *v = record_get(o, key);

        return v ? json_object_get_string(v) : NULL;
}

const char *record_show(json_object *o, const char *key) {
        const char *s = record_text(o, key);

        return s ? s : "-";
}

uint64_t record_number(json_object *o, const char *key) {
        return json_object_get_uint64(record_get(o, key));
}

bool record_bool(json_object *o, const char *key) {
        return json_object_get_boolean(record_get(o, key));
}

size_t record_length(json_object *list) {
        return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

void record_set_text(json_object *o, const char *key, const char *value) {
        json_object_object_add(o, key, isempty(value) ? NULL : json_object_new_string(value));
}

void record_set_number(json_object *o, const char *key, uint64_t value) {
        json_object_object_add(o, key, json_object_new_uint64(value));
}
