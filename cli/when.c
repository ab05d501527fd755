/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When
 */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "base/macro.h"
#include "base/str.h"

#include "cli/when.h"

static uint64_t clock_usec(clockid_t id) {
        struct timespec ts;

        clock_gettime(id, &ts);
        return (uint64_t) ts.tv_sec * WHEN_USEC_PER_SEC + (uint64_t) ts.tv_nsec / 1000;
}

uint64_t when_now(void) {
        return clock_usec(CLOCK_REALTIME);
}

uint64_t when_monotonic(void) {
        return clock_usec(CLOCK_MONOTONIC);
}

const char *when_format(uint64_t usec, char *buf, size_t size) {
        time_t t = (time_t) (usec / WHEN_USEC_PER_SEC);
        struct tm tm;

        if (!localtime_r(&t, &tm) || strftime(buf, size, "%Y-%m-%d %H:%M:%S", &tm) == 0)
                snprintf(buf, size, "-");
        return buf;
}

const char *when_format_span(uint64_t usec, char *buf, size_t size) {
        uint64_t sec = usec / WHEN_USEC_PER_SEC;

        if (sec < 60)
                snprintf(buf, size, "%u.%03us", (unsigned) sec,
                         (unsigned) (usec % WHEN_USEC_PER_SEC / 1000));
        else if (sec < 3600)
                snprintf(buf, size, "%umin %us", (unsigned) sec / 60, (unsigned) sec % 60);
        else
                snprintf(buf, size, "%lluh %umin", (unsigned long long) sec / 3600,
                         (unsigned) (sec / 60 % 60));
        return buf;
}

static const struct {
        const char *name;
        uint64_t usec;
} units[] = {
        { "", WHEN_USEC_PER_SEC },
        { "s", WHEN_USEC_PER_SEC },
        { "ms", 1000 },
        { "min", 60 * WHEN_USEC_PER_SEC },
        { "h", 3600 * WHEN_USEC_PER_SEC },
        { "d", 86400 * WHEN_USEC_PER_SEC },
};

static int parse_unit(const char *s, uint64_t *ret) {
        for (size_t i = 0; i < ELEMENTSOF(units); i++)
                if (streq(units[i].name, s)) {
                        *ret = units[i].usec;
                        return 0;
                }
        return -EINVAL;
}

int when_parse_span(const char *s, uint64_t *ret) {
        size_t n = strspn(s, "0123456789"), digits = 0;
        uint64_t whole, unit, fraction = 0, scale = 1;
        char buf[24];
        int r;

        if (n == 0)
                return -EINVAL;
        if (n >= sizeof(buf))
                return -ERANGE;
        memcpy(buf, s, n);
        buf[n] = '\0';
        r = parse_u64(buf, UINT64_MAX, &whole);
        if (r < 0)
                return r;
        if (s[n] == '.') {
                digits = strspn(s + n + 1, "0123456789");
                if (digits == 0 || digits > 6)
                        return -EINVAL;
                for (size_t i = 0; i < digits; i++, scale *= 10)
                        fraction = fraction * 10 + (uint64_t) (s[n + 1 + i] - '0');
                n += 1 + digits;
        }
        r = parse_unit(s + n, &unit);
        if (r < 0)
                return r;
        if (__builtin_mul_overflow(whole, unit, &whole) ||
            __builtin_add_overflow(whole, fraction * unit / scale, &whole) || whole > INT64_MAX)
                return -ERANGE;
        *ret = whole;
        return 0;
}

/* Midnight of today, or of so many days before. */
static int parse_day(int days_ago, uint64_t *ret) {
        time_t t = time(NULL);
        struct tm tm;

        if (!localtime_r(&t, &tm))
                return -EINVAL;
        tm.tm_mday -= days_ago;
        tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
        tm.tm_isdst = -1;
        t = mktime(&tm);
        if (t < 0)
                return -ERANGE;
        *ret = (uint64_t) t * WHEN_USEC_PER_SEC;
        return 0;
}

static int parse_date(const char *s, uint64_t *ret) {
        static const char *const formats[] = { "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d" };

        for (size_t i = 0; i < ELEMENTSOF(formats); i++) {
                struct tm tm = { .tm_isdst = -1 };
                const char *end = strptime(s, formats[i], &tm);
                time_t t;

                if (!end || *end != '\0')
                        continue;
                t = mktime(&tm);
                if (t < 0)
                        return -ERANGE;
                *ret = (uint64_t) t * WHEN_USEC_PER_SEC;
                return 0;
        }
        return -EINVAL;
}

int when_parse(const char *s, uint64_t *ret) {
        uint64_t span, now = when_now();
        int r;

        if (streq(s, "today"))
                return parse_day(0, ret);
        if (streq(s, "yesterday"))
                return parse_day(1, ret);
        if (s[0] != '-')
                return parse_date(s, ret);
        r = when_parse_span(s + 1, &span);
        if (r < 0)
                return r;
        *ret = span < now ? now - span : 0;
        return 0;
}
