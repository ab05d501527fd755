/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Topology: a machine as text
 *
 * One function a line: KIND ADDRESS [bus=NN] [slot=NAME] [vfs=N]. A function sits below the bridge whose bus it has. vfs:
 * so many are there from the start, for benches.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "tests/sim/world.h"

static const SimKind kinds[] = {
        { "host", 0x8086, 0x29c0, 0, 0x060000, 0, 0, 0 },
        { "port", 0x1b36, 0x000c, 0, 0x060400, 0, 0, 0 },
        { "nic", 0x8086, 0x10d3, 0, 0x020000, 0, 0, 0 },
        { "igb", 0x8086, 0x10c9, 0x10ca, 0x020000, 7, 128, 2 },
        { "nvme", 0x1b36, 0x0010, 0x0010, 0x010802, 16, 1, 1 },
        { "mlx", 0x15b3, 0x1019, 0x101a, 0x020000, 8, 1, 1 },
        { "bnxt", 0x14e4, 0x16d7, 0x16dc, 0x020000, 8, 1, 1 },
        { "ice", 0x8086, 0x1592, 0x1889, 0x020000, 8, 1, 1 },
        { "big", 0x15b3, 0x1019, 0x101a, 0x020000, 4096, 1, 1 },
};

static const char topology_default[] = "host 0000:00:00.0\n"
                                       "port 0000:00:01.0 bus=01 slot=1\n"
                                       "port 0000:00:02.0 bus=02 slot=2\n"
                                       "port 0000:00:03.0 bus=03 slot=3\n"
                                       "nic 0000:00:04.0\n"
                                       "igb 0000:01:00.0\n"
                                       "igb 0000:02:00.0\n"
                                       "nvme 0000:03:00.0\n";

static const char topology_switch[] = "host 0000:00:00.0\n"
                                      "port 0000:00:01.0 bus=01 slot=1\n"
                                      "port 0000:01:00.0 bus=02\n"
                                      "port 0000:02:00.0 bus=03 slot=11\n"
                                      "port 0000:02:01.0 bus=04 slot=12\n"
                                      "igb 0000:03:00.0\n"
                                      "igb 0000:04:00.0\n"
                                      "port 0000:00:02.0 bus=05 slot=2\n"
                                      "nvme 0000:05:00.0\n";

static const char topology_dual[] = "host 0000:00:00.0\n"
                                    "port 0000:00:01.0 bus=01 slot=1\n"
                                    "port 0000:00:02.0 bus=02 slot=2\n"
                                    "igb 0000:01:00.0\n"
                                    "igb 0000:01:00.1\n"
                                    "nvme 0000:02:00.0\n";

/* One each of what VFs can be given something by. */
static const char topology_given[] = "host 0000:00:00.0\n"
                                     "port 0000:00:01.0 bus=01 slot=1\n"
                                     "port 0000:00:02.0 bus=02 slot=2\n"
                                     "port 0000:00:03.0 bus=03 slot=3\n"
                                     "port 0000:00:04.0 bus=04 slot=4\n"
                                     "port 0000:00:05.0 bus=05 slot=5\n"
                                     "igb 0000:01:00.0\n"
                                     "mlx 0000:02:00.0\n"
                                     "bnxt 0000:03:00.0\n"
                                     "nvme 0000:04:00.0\n"
                                     "ice 0000:05:00.0\n";

static const SimKind *kind_find(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (streq(kinds[i].name, name))
                        return &kinds[i];
        return NULL;
}

static SimHw *bridge_to(const Sim *sim, Bdf bdf) {
        for (SimHw *h = sim->hw; h; h = h->next)
                if (h->secondary != 0 && h->bdf.domain == bdf.domain &&
                    h->secondary == bdf_bus(bdf))
                        return h;
        return NULL;
}

static void hw_init_locks(SimHw *hw) {
        char a[BDF_MAX];

        bdf_format(hw->bdf, a);
        sim_lock_init(&hw->power, SIM_KA, "KA(slots/%s/power)", hw->slot);
        sim_lock_init(&hw->irq, SIM_IRQ, "IRQ(%s)", a);
        sim_lock_init(&hw->service_dl, SIM_DL, "DL(%s:pciehp)", a);
        sim_lock_init(&hw->bus_rescan, SIM_KA, "KA(pci_bus below %s/rescan)", a);
}

static int hw_add(Sim *sim, const SimKind *kind, Bdf bdf, char **words, size_t n,
                  unsigned *ret_vfs) {
        SimHw *hw = calloc(1, sizeof(*hw));

        if (!hw)
                return -ENOMEM;
        *hw = (SimHw){ .bdf = bdf, .kind = kind, .powered = true, .slot_on = true };
        for (size_t i = 0; i < n; i++) {
                const char *v;

                if ((v = startswith(words[i], "bus=")))
                        hw->secondary = strtoul(v, NULL, 16);
                else if ((v = startswith(words[i], "slot=")))
                        snprintf(hw->slot, sizeof(hw->slot), "%s", v);
                else if ((v = startswith(words[i], "vfs=")))
                        *ret_vfs = strtoul(v, NULL, 10);
        }
        hw->parent = bridge_to(sim, bdf);
        hw_init_locks(hw);
        *sim->hw_end = hw;
        sim->hw_end = &hw->next;
        return 0;
}

static int read_line(Sim *sim, char *line) {
        char *words[8], *save = NULL;
        const SimKind *kind;
        size_t n = 0;
        unsigned vfs = 0;
        Bdf bdf;
        int r;

        for (char *w = strtok_r(line, " \t", &save); w && n < ELEMENTSOF(words);
             w = strtok_r(NULL, " \t", &save))
                words[n++] = w;
        if (n == 0 || words[0][0] == '#')
                return 0;
        kind = kind_find(words[0]);
        if (!kind || n < 2 || bdf_parse(words[1], &bdf) < 0)
                return -EINVAL;
        r = hw_add(sim, kind, bdf, words + 2, n - 2, &vfs);
        if (r < 0)
                return r;
        rescan_below(sim, NULL);
        return vfs > 0 ? sim_inherit(sim, bdf, vfs) : 0;
}

/* A PF with 255 VFs on each bus 1 of as many domains as it takes. */
static int generate_functions(Sim *sim, unsigned n) {
        for (unsigned domain = 0; n > 0; domain++) {
                unsigned vfs = n > 256 ? 255 : n - 1;
                char line[64];
                int r;

                snprintf(line, sizeof(line), "big %04x:01:00.0 vfs=%u", domain, vfs);
                r = read_line(sim, line);
                if (r < 0)
                        return r;
                n -= vfs + 1;
        }
        return 0;
}

static int read_text(Sim *sim, const char *text) {
        _cleanup_free_ char *copy = strdup(text);
        char *save = NULL;

        if (!copy)
                return -ENOMEM;
        for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                int r = read_line(sim, line);

                if (r < 0)
                        return r;
        }
        return 0;
}

int topology_read(Sim *sim, const char *text) {
        char buf[128];

        if (!text || streq(text, "default"))
                return read_text(sim, topology_default);
        if (streq(text, "switch"))
                return read_text(sim, topology_switch);
        if (streq(text, "given"))
                return read_text(sim, topology_given);
        if (streq(text, "dual"))
                return read_text(sim, topology_dual);
        if (startswith(text, "functions:"))
                return generate_functions(sim, strtoul(startswith(text, "functions:"), NULL, 10));
        if (startswith(text, "vfs:")) {
                snprintf(buf, sizeof(buf), "port 00:01.0 bus=01 slot=1\nbig 01:00.0 vfs=%s\n",
                         startswith(text, "vfs:"));
                return read_text(sim, buf);
        }
        return read_text(sim, text);
}
