/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * OpenMetrics
 */
#include <inttypes.h>

#include "base/utf8.h"

#include "daemon/openmetrics.h"

#define VALUE_MAX 256
#define USEC_PER_SEC UINT64_C(1000000)

static const char *const type_names[] = {
        [OM_COUNTER] = "counter",
        [OM_GAUGE] = "gauge",
        [OM_SUMMARY] = "summary",
};

void om_family(FILE *f, const char *name, OmType type, const char *help) {
        fprintf(f, "# HELP %s%s %s\n# TYPE %s%s %s\n", METRICS_PREFIX, name, help, METRICS_PREFIX,
                name, type_names[type]);
}

static void put_value(FILE *f, const char *value) {
        char text[VALUE_MAX];

        for (const char *p = utf8_copy(text, sizeof(text), value); *p != '\0'; p++) {
                if (*p == '\n')
                        fputs("\\n", f);
                else if (*p == '"' || *p == '\\')
                        fprintf(f, "\\%c", *p);
                else
                        fputc(*p, f);
        }
}

static void put_name(FILE *f, const char *name, const char *suffix, const OmLabel *labels) {
        fprintf(f, "%s%s%s", METRICS_PREFIX, name, suffix);
        for (const OmLabel *l = labels; l->name; l++) {
                fprintf(f, "%s%s=\"", l == labels ? "{" : ",", l->name);
                put_value(f, l->value);
                fputc('"', f);
        }
        if (labels->name)
                fputc('}', f);
}

void om_number(FILE *f, const char *name, const char *suffix, const OmLabel *labels, uint64_t n) {
        put_name(f, name, suffix, labels);
        fprintf(f, " %" PRIu64 "\n", n);
}

void om_seconds(FILE *f, const char *name, const char *suffix, const OmLabel *labels,
                uint64_t usec) {
        put_name(f, name, suffix, labels);
        fprintf(f, " %" PRIu64 ".%06" PRIu64 "\n", usec / USEC_PER_SEC, usec % USEC_PER_SEC);
}

void om_end(FILE *f) {
        fputs("# EOF\n", f);
}
