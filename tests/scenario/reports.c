/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reports: what the kernel has shown that it should not, and what a scenario makes of that
 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "tests/scenario/scenario.h"

#define WAIT_MS 60000

static bool has_all_words(const Line *line, const char *text) {
        for (size_t w = 1; w < line->n; w++)
                if (!strstr(text, line->words[w]))
                        return false;
        return true;
}

/* What was let go in its kernel takes its time. */
static void wait_for_reports(Run *run, const Line *line) {
        for (uint64_t until = now_ms() + WAIT_MS; now_ms() < until; sleep_ms(10)) {
                _cleanup_free_ char *text = NULL;

                if (stage_control(run->stage, "reports", &text) < 0 || has_all_words(line, text))
                        return;
        }
}

int reports_expect(Run *run, const Line *line) {
        _cleanup_free_ char *text = NULL;
        int r;

        if (stage_is_sim)
                wait_for_reports(run, line);
        r = stage_control(run->stage, "reports forget", &text);
        if (r < 0)
                return fail(run, "%s", strerror(-r));
        for (size_t w = 1; w < line->n; w++)
                if (!strstr(text, line->words[w]))
                        return fail(run, "the kernel has shown no %s: %.300s", line->words[w],
                                    text);
        return 0;
}

/* "   120 ms  meet: what met what" */
static bool is_allowed(const Line *line, const char *report) {
        const char *kind = strstr(report, " ms  ");

        for (size_t w = 1; kind && w < line->n; w++) {
                const char *rest = startswith(kind + strlen(" ms  "), line->words[w]);

                if (rest && rest[0] == ':')
                        return true;
        }
        return false;
}

int reports_allow(Run *run, const Line *line) {
        _cleanup_free_ char *text = NULL;
        char *save = NULL;
        int r = stage_control(run->stage, "reports forget", &text);

        if (r < 0)
                return fail(run, "%s", strerror(-r));
        for (char *report = strtok_r(text, "\n", &save); report;
             report = strtok_r(NULL, "\n", &save))
                if (!is_allowed(line, report))
                        return fail(run, "the kernel has shown: %.300s", report);
        return 0;
}
