/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The look before libconfig: whatever it lets pass, libconfig reads without an exit, a crash or a leak
 *
 * And no number of it comes out as another one: all whole numbers of the text, and they alone, are those that were read. Of what is
 * said twice libconfig tells itself.
 */
#include <ctype.h>
#include <stdbool.h>

#include <libconfig.h>

#include "conf/lint.h"
#include "conf/syntax.h"

#include "tests/fuzz/fuzz.h"

typedef struct Numbers {
        long long *items;
        size_t n;
} Numbers;

static void push(Numbers *all, long long v) {
        all->items = reallocarray(all->items, all->n + 1, sizeof(long long));
        PROMISE(all->items);
        all->items[all->n++] = v;
}

static void collect(const config_setting_t *s, Numbers *ret) {
        int type = config_setting_type(s);

        if (type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64)
                push(ret, config_setting_get_int64(s));
        if (config_setting_is_aggregate(s))
                for (unsigned i = 0; i < (unsigned) config_setting_length(s); i++)
                        collect(config_setting_get_elem(s, i), ret);
}

/* Behind the comment or string that begins here, or where it was. */
static const char *skip(const char *p) {
        const char *end;

        if (*p == '#' || (p[0] == '/' && p[1] == '/'))
                return p + strcspn(p, "\n");
        if (p[0] == '/' && p[1] == '*') {
                end = strstr(p + 2, "*/");
                return end ? end + 2 : p + strlen(p);
        }
        if (*p != '"')
                return p;
        for (p++; *p != '\0' && *p != '"'; p++)
                if (*p == '\\' && p[1] != '\0')
                        p++;
        return *p == '"' ? p + 1 : p;
}

static bool is_whole(const char *word, size_t n) {
        const char *digits = word + (*word == '-' || *word == '+');
        bool hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');

        return isdigit((unsigned char) *digits) && !memchr(word, '.', n) &&
               (hex || (!memchr(word, 'e', n) && !memchr(word, 'E', n)));
}

static void scan(const char *p, Numbers *ret) {
        while (*p != '\0') {
                const char *behind = skip(p);
                size_t n = 0;

                while (isalnum((unsigned char) p[n]) || (p[n] != '\0' && strchr("_.*+-", p[n])))
                        n++;
                if (behind == p && n > 0 && is_whole(p, n))
                        push(ret, (long long) strtoll(p, NULL, 0));
                p = behind > p ? behind : p + (n > 0 ? n : 1);
        }
}

static void check_numbers(const char *text, const config_setting_t *root) {
        Numbers written = {}, read = {};

        scan(text, &written);
        collect(root, &read);
        PROMISE(written.n == read.n);
        for (size_t i = 0; i < read.n; i++)
                PROMISE(written.items[i] == read.items[i]);
        free(written.items);
        free(read.items);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char *text = text_of(data, size);
        const char *why = NULL;
        unsigned line = lint(text, &why) ?: syntax(text, &why);
        config_t config;
        char name[64];

        PROMISE(line <= lines_of(text));
        PROMISE((line > 0) == (why != NULL));
        if (line == 0) {
                config_init(&config);
                if (config_read_string(&config, text) == CONFIG_TRUE)
                        check_numbers(text, config_root_setting(&config));
                else
                        PROMISE(config_error_line(&config) > 0 &&
                                strstr(config_error_text(&config), "duplicate") &&
                                syntax_twice(text, name, sizeof(name)) > 0);
                config_destroy(&config);
        }
        free(text);
        return 0;
}
