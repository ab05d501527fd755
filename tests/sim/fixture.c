/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fixture
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "tests/sim/fixture.h"

Sim *sim;
Kernel *k;

void world(SimVariant v, bool old, const char *topology) {
        sim = sim_new(&(SimConfig){ .variant = v, .old = old, .topology = topology });
        assert_non_null(sim);
        k = sim_kernel(sim);
}

int fixture_teardown(void **state) {
        (void) state;
        sim = sim_free(sim);
        return 0;
}

Bdf bdf(const char *s) {
        Bdf b;

        assert_int_equal(bdf_parse(s, &b), 0);
        return b;
}

bool is_there(const char *path) {
        uint64_t id;

        return k->identity(k, path, &id) == 0;
}

bool deadly(void) {
        return sim_reports(sim, SIM_INVERSION) > 0 || sim_reports(sim, SIM_DEADLOCK) > 0;
}

SimTask *start(const char *what) {
        char path[128];
        const char *blank = strchr(what, ' ');

        assert_non_null(blank);
        if (startswith(what, "aer "))
                return sim_aer(sim, bdf(blank + 1));
        if (startswith(what, "read "))
                return sim_start_read(sim, blank + 1);
        snprintf(path, sizeof(path), "%.*s", (int) (blank - what), what);
        return sim_start_write(sim, path, blank + 1);
}
