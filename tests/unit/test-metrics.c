/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Metrics: the text is OpenMetrics, and nothing makes it grow without end
 */
#include "tests/unit/test.h"

#include <ctype.h>
#include <stdio.h>

#include "daemon/manager.h"
#include "daemon/metrics.h"
#include "daemon/openmetrics.h"

/* A strict reader of the text, written from the specification: https://prometheus.io/docs/specs/om/open_metrics_spec/ */
typedef struct Reader {
        const char *p;
        char family[128], type[16];
        char *families, *series; /* "\nNAME\n...": what was there already */
} Reader;

static char *text_of(const Metrics *all) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        metrics_write(all, f);
        om_end(f);
        assert_int_equal(fclose(f), 0);
        return text;
}

/* Fails where the word is there already. */
static void note(char **list, const char *word) {
        char *more, line[1024];

        assert_true(snprintf(line, sizeof(line), "\n%s\n", word) < (int) sizeof(line));
        assert_null(*list ? strstr(*list, line) : NULL);
        assert_true(asprintf(&more, "%s%s", *list ? *list : "", line) > 0);
        free(*list);
        *list = more;
}

static void expect(Reader *r, const char *what) {
        assert_memory_equal(r->p, what, strlen(what));
        r->p += strlen(what);
}

static void take_name(Reader *r, char *buf, size_t size) {
        size_t n = 0;

        assert_true(isalpha((unsigned char) *r->p) || *r->p == '_');
        while (isalnum((unsigned char) *r->p) || *r->p == '_') {
                assert_true(n + 1 < size);
                buf[n++] = *r->p++;
        }
        buf[n] = '\0';
}

static void skip_line(Reader *r) {
        r->p = strchr(r->p, '\n');
        assert_non_null(r->p);
        r->p++;
}

static void read_family(Reader *r) {
        char again[sizeof(r->family)];

        expect(r, "# HELP ");
        take_name(r, r->family, sizeof(r->family));
        note(&r->families, r->family);
        expect(r, " ");
        assert_true(r->p[0] != '\n');
        skip_line(r);
        expect(r, "# TYPE ");
        take_name(r, again, sizeof(again));
        assert_string_equal(again, r->family);
        expect(r, " ");
        take_name(r, r->type, sizeof(r->type));
        assert_true(streq(r->type, "counter") || streq(r->type, "gauge") ||
                    streq(r->type, "summary"));
        expect(r, "\n");
}

static void read_value(Reader *r) {
        for (expect(r, "\""); *r->p != '"'; r->p++) {
                assert_true(*r->p != '\n' && *r->p != '\0');
                if (*r->p == '\\') {
                        r->p++;
                        assert_true(*r->p == '\\' || *r->p == '"' || *r->p == 'n');
                }
        }
        expect(r, "\"");
}

static void read_labels(Reader *r) {
        char name[64];

        if (*r->p != '{')
                return;
        do {
                r->p++;
                take_name(r, name, sizeof(name));
                expect(r, "=");
                read_value(r);
        } while (*r->p == ',');
        expect(r, "}");
}

/* Which suffix a sample of that type may have behind the family's name. */
static bool is_suffix(const char *type, const char *suffix) {
        if (streq(type, "counter"))
                return streq(suffix, "_total");
        if (streq(type, "summary"))
                return streq(suffix, "_count") || streq(suffix, "_sum");
        return streq(suffix, "");
}

static void read_sample(Reader *r) {
        const char *start = r->p;
        char name[128], series[1024], *end;

        take_name(r, name, sizeof(name));
        assert_non_null(startswith(name, r->family));
        assert_true(is_suffix(r->type, startswith(name, r->family)));
        read_labels(r);
        snprintf(series, sizeof(series), "%.*s", (int) (r->p - start), start);
        note(&r->series, series);
        expect(r, " ");
        assert_true(isdigit((unsigned char) *r->p));
        strtod(r->p, &end);
        r->p = end;
        expect(r, "\n");
}

static void read_all(const char *text) {
        Reader r = { .p = text };

        while (!streq(r.p, "# EOF\n")) {
                if (*r.p == '#')
                        read_family(&r);
                else
                        read_sample(&r);
        }
        free(r.families);
        free(r.series);
}

static void assert_line(const char *text, const char *line) {
        _cleanup_free_ char *whole = NULL;

        assert_true(asprintf(&whole, "\n%s\n", line) > 0);
        if (!strstr(text, whole))
                fail_msg("no line '%s' in:\n%s", line, text);
}

static Manager *new_manager(void) {
        Manager *m = calloc(1, sizeof(Manager));

        assert_non_null(m);
        metrics_start(m);
        return m;
}

static void step(Manager *m, Rung rung, const char *driver, uint64_t usec) {
        Step s = { .rung = rung };

        /* Some rungs tell the driver that goes, some the one that comes. */
        assert_int_equal(str_copy(s.was, sizeof(s.was), driver), 0);
        assert_int_equal(str_copy(s.name, sizeof(s.name), driver), 0);
        metrics_step_over(m, &s, usec);
}

static void all_that_is_counted_is_in_the_text(void **state) {
        _cleanup_free_ Manager *m = new_manager();
        _cleanup_free_ char *text = NULL;

        (void) state;
        metrics_job_ended(m, &(Record){ .op.kind = OP_SET_VFS, .result = RESULT_DONE });
        metrics_job_ended(m, &(Record){ .op.kind = OP_SET_VFS, .result = RESULT_DONE });
        metrics_job_ended(m, &(Record){ .op.kind = OP_ESWITCH, .result = RESULT_REFUSED });
        step(m, RUNG_VFS_ON, "igb", 1500000);
        step(m, RUNG_VFS_ON, "igb", 1);
        step(m, RUNG_BIND_VF, "vfio-pci", 20);
        metrics_wait_over(m, 0);
        metrics_wait_over(m, metrics_wait_begins(m));
        (void) metrics_wait_begins(m);
        m->metrics.n_events_lost = 7;
        m->metrics.started = UINT64_C(1700000000000123);
        text = text_of(&m->metrics);
        read_all(text);
        assert_line(text, "sriovd_jobs_total{operation=\"set-vfs\",result=\"done\"} 2");
        assert_line(text, "sriovd_jobs_total{operation=\"eswitch\",result=\"refused\"} 1");
        assert_line(text, "sriovd_step_seconds_count{rung=\"vfs-on\",driver=\"igb\"} 2");
        assert_line(text, "sriovd_step_seconds_sum{rung=\"vfs-on\",driver=\"igb\"} 1.500001");
        assert_line(text, "sriovd_step_seconds_sum{rung=\"bind-vf\",driver=\"vfio-pci\"} 0.000020");
        assert_line(text, "sriovd_gate_held_total 2");
        assert_line(text, "sriovd_gate_wait_seconds_count 1");
        assert_line(text, "sriovd_events_lost_total 7");
        assert_line(text, "sriovd_start_time_seconds 1700000000.000123");
}

/* Whoever watches for an increase must see the first failure, too. */
static void each_kind_of_end_is_told_before_it_happens(void **state) {
        _cleanup_free_ Manager *m = new_manager();
        _cleanup_free_ char *text = text_of(&m->metrics);

        (void) state;
        read_all(text);
        for (OpKind kind = 0; kind < _OP_MAX; kind++)
                for (JobResult r = RESULT_NONE + 1; r < _RESULT_MAX; r++) {
                        char line[256];

                        snprintf(line, sizeof(line),
                                 "sriovd_jobs_total{operation=\"%s\",result=\"%s\"} 0",
                                 op_kind_to_string(kind), job_result_to_string(r));
                        assert_line(text, line);
                }
}

static void no_name_of_a_driver_makes_it_grow(void **state) {
        _cleanup_free_ Manager *m = new_manager();
        _cleanup_free_ char *text = NULL;
        char driver[NAME_MAX_LENGTH];

        (void) state;
        for (unsigned i = 0; i < METRICS_DRIVERS_MAX + 100; i++) {
                snprintf(driver, sizeof(driver), "driver%u", i);
                step(m, RUNG_UNBIND, driver, 10);
        }
        step(m, RUNG_UNBIND, "driver0", 10);
        step(m, RUNG_UNBIND, METRICS_OTHER_DRIVER, 10);
        text = text_of(&m->metrics);
        read_all(text);
        assert_line(text, "sriovd_step_seconds_count{rung=\"unbind\",driver=\"driver0\"} 2");
        assert_line(text, "sriovd_step_seconds_count{rung=\"unbind\",driver=\"driver31\"} 1");
        assert_line(text, "sriovd_step_seconds_count{rung=\"unbind\",driver=\"other\"} 101");
        assert_line(text, "sriovd_step_seconds_sum{rung=\"unbind\",driver=\"other\"} 0.001010");
        assert_null(strstr(text, "driver32"));
}

static void labels_are_escaped(void **state) {
        _cleanup_free_ Manager *m = new_manager();
        _cleanup_free_ char *text = NULL;

        (void) state;
        step(m, RUNG_BIND, "a\"b\\c\nd", 0);
        step(m, RUNG_BIND, "\xff", 0);
        step(m, RUNG_BIND, "\xfe", 0);
        text = text_of(&m->metrics);
        read_all(text);
        assert_line(text, "sriovd_step_seconds_count{rung=\"bind\",driver=\"a\\\"b\\\\c\\nd\"} 1");
        assert_line(text, "sriovd_step_seconds_count{rung=\"bind\",driver=\"?\"} 2");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(all_that_is_counted_is_in_the_text),
                cmocka_unit_test(each_kind_of_end_is_told_before_it_happens),
                cmocka_unit_test(no_name_of_a_driver_makes_it_grow),
                cmocka_unit_test(labels_are_escaped),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
