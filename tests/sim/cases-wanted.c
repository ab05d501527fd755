/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cases of what VFs are given: what a policy wants, one VF's attributes, the eswitch
 *
 * What a card of the default topology cannot give is asked of those of the topology "given".
 */
#include "base/str.h"
#include "kernel/attr.h"
#include "tests/sim/cases.h"

#define MLX_VF0 ((Bdf){ 0, 0x0201 })
#define SSD_VF0 ((Bdf){ 0, 0x0401 })
#define ICE_VF0 ((Bdf){ 0, 0x0501 })

static void give(Sim *sim, Bdf pf, uint32_t index, const char *text) {
        Kernel *k = sim_kernel(sim);
        VfAttrs attrs = {};

        must(vfattrs_parse(text, &attrs));
        for (VfAttr a = 0; a < _VFATTR_MAX; a++)
                if (vfattrs_have(&attrs, a))
                        must(k->vf_set(k, pf, index, a, &attrs));
}

static void count(Sim *sim, Bdf pf, const char *n) {
        Kernel *k = sim_kernel(sim);

        must(k->write(k, ATTR_FN(ATTR_NUMVFS, pf), n));
}

static void take_driver(Sim *sim, Bdf vf, const char *driver) {
        Kernel *k = sim_kernel(sim);

        must(k->write(k, ATTR_NAME(ATTR_DRIVER_UNBIND, driver), BDF_STR(vf)));
}

static void give_vfio(Sim *sim, Bdf vf) {
        Kernel *k = sim_kernel(sim);

        must(k->load_module(k, "vfio-pci"));
        must(k->write(k, ATTR_FN(ATTR_OVERRIDE, vf), "vfio-pci"));
        must(k->write(k, ATTR_NAME(ATTR_DRIVER_BIND, "vfio-pci"), BDF_STR(vf)));
}

/* The first of them without a driver. */
static void with_idle_vf(Sim *sim) {
        with_vfs(sim);
        take_driver(sim, VF0, "igbvf");
}

static void as_mixed(Sim *sim) {
        with_vfs(sim);
        take_driver(sim, VF0, "igbvf");
        give_vfio(sim, VF0);
        give(sim, IGB0, 0, "mac=02:00:00:00:01:00 vlan=100");
        give(sim, IGB0, 1, "trust=on");
        take_driver(sim, (Bdf){ 0, 0x0184 }, "igbvf");
        must(sim_kernel(sim)->write(sim_kernel(sim), ATTR_FN(ATTR_OVERRIDE, ((Bdf){ 0, 0x0184 })),
                                    DRIVER_NONE));
}

static void mlx_with_vfs(Sim *sim) {
        count(sim, MLX, "2");
}

static void mlx_with_held_vf(Sim *sim) {
        mlx_with_vfs(sim);
        take_driver(sim, MLX_VF0, "mlx5_core");
        give_vfio(sim, MLX_VF0);
        must(sim_hold(sim, MLX_VF0, true));
}

/* They have their driver from before autoprobe went off. */
static void mlx_without_probe(Sim *sim) {
        Kernel *k = sim_kernel(sim);

        mlx_with_vfs(sim);
        must(k->write(k, ATTR_FN(ATTR_AUTOPROBE, MLX), "0"));
}

static void mlx_in_switchdev(Sim *sim) {
        Kernel *k = sim_kernel(sim);

        must(k->eswitch_set(k, MLX, ESWITCH_SWITCHDEV));
}

static void bnxt_with_vfs(Sim *sim) {
        Kernel *k = sim_kernel(sim);

        must(k->up(k, BNXT));
        count(sim, BNXT, "2");
}

static void ice_with_vfs(Sim *sim) {
        count(sim, ICE, "2");
}

static void ice_with_held_vf(Sim *sim) {
        ice_with_vfs(sim);
        take_driver(sim, ICE_VF0, "iavf");
        give_vfio(sim, ICE_VF0);
        must(sim_hold(sim, ICE_VF0, true));
}

static void ssd_with_vfs(Sim *sim) {
        count(sim, SSD, "2");
}

static void ssd_with_bound_vf(Sim *sim) {
        Kernel *k = sim_kernel(sim);

        ssd_with_vfs(sim);
        give(sim, SSD, 0, "queues=2 interrupts=1");
        must(k->write(k, ATTR_NAME(ATTR_DRIVER_BIND, "nvme"), BDF_STR(SSD_VF0)));
}

/* vfio-pci binds what no driver of its own can: the controller is offline. */
static void ssd_with_bound_and_offline_vf(Sim *sim) {
        ssd_with_vfs(sim);
        give_vfio(sim, SSD_VF0);
}

static void ssd_with_held_and_offline_vf(Sim *sim) {
        ssd_with_bound_and_offline_vf(sim);
        must(sim_hold(sim, SSD_VF0, true));
}

#define HAS(k) (1u << VFKEY_##k)
#define MAC_AND_VLAN                                                                               \
        {                                                                                          \
                .has = HAS(MAC) | HAS(VLAN), .value = {                                            \
                        [VFKEY_MAC] = 0x020000000100,                                              \
                        [VFKEY_VLAN] = 100                                                         \
                }                                                                                  \
        }
#define TRUST                                                                                      \
        {                                                                                          \
                .has = HAS(TRUST), .value = { [VFKEY_TRUST] = 1 }                                  \
        }
#define VECTORS                                                                                    \
        {                                                                                          \
                .has = HAS(MSIX) | HAS(VLAN), .value = { [VFKEY_MSIX] = 12, [VFKEY_VLAN] = 100 }   \
        }
#define QUEUES                                                                                     \
        {                                                                                          \
                .has = HAS(QUEUES) | HAS(INTERRUPTS), .value = {                                   \
                        [VFKEY_QUEUES] = 3,                                                        \
                        [VFKEY_INTERRUPTS] = 2                                                     \
                }                                                                                  \
        }
#define GUID                                                                                       \
        {                                                                                          \
                .has = HAS(NODE_GUID), .value = { [VFKEY_NODE_GUID] = 0x0011223344556677 }         \
        }
#define ESWITCHED_LINK                                                                             \
        {                                                                                          \
                .has = HAS(LINK_STATE), .value = { [VFKEY_LINK_STATE] = VFATTR_LINK_ENABLE }       \
        }

/* One of each kind: another driver, its own, none. */
static VfWish mixed[] = {
        { .has_driver = true, .driver = "vfio-pci", .attrs = MAC_AND_VLAN },
        { .has_driver = true, .driver = "igbvf", .attrs = TRUST },
        { .has_driver = true, .driver = DRIVER_NONE },
};
static VfWish drivers[] = {
        { .has_driver = true, .driver = "vfio-pci" },
        { .has_driver = true, .driver = "igbvf" },
        { .has_driver = true, .driver = DRIVER_NONE },
};
static VfWish attrs[] = { { .attrs = MAC_AND_VLAN }, { .attrs = TRUST } };
static VfWish igbvf[] = { { .has_driver = true, .driver = "igbvf", .attrs = TRUST } };
static VfWish guid[] = { { .attrs = GUID } };
static VfWish vectors[] = { { .attrs = VECTORS } };
static VfWish link_state[] = { { .attrs = ESWITCHED_LINK } };
static VfWish queues[] = { { .has_driver = true, .driver = "nvme", .attrs = QUEUES } };
/* None, one for its vectors, and another. */
static VfWish freed[] = {
        { .has_driver = true, .driver = DRIVER_NONE },
        { .attrs = VECTORS },
        { .has_driver = true, .driver = "vfio-pci", .attrs = VECTORS },
        { .has_driver = true, .driver = "vfio-pci" },
};
static VfWish queues_alone[] = { { .attrs = QUEUES } };

#define WANTED(v, ...) (&(const Wanted){ .vfs = (v), .n_vfs = ELEMENTSOF(v), __VA_ARGS__ })

/* Not as the constants have it, for what such a literal points to must be constant itself. */
#define OF_IGB0 .pf = { 0, 0x0100 }
#define OF_MLX .pf = { 0, 0x0200 }
#define OF_BNXT .pf = { 0, 0x0300 }
#define OF_SSD .pf = { 0, 0x0400 }
#define OF_ICE .pf = { 0, 0x0500 }
#define COUNT(n) .has_count = true, .count = (n)

#define APPLY(n, b, r, f, w)                                                                       \
        {                                                                                          \
                .name = n, .before = b, .result = r, .wanted = w,                                  \
                .op = {.kind = OP_APPLY,                                                           \
                       .fn = IGB0,                                                                 \
                       .flags = f }                                                                \
        }

#define GIVEN(n, b, r, w, ...)                                                                     \
        {                                                                                          \
                .name = n, .before = b, .result = r, .topology = "given", .wanted = w,             \
                .op = { __VA_ARGS__ }                                                              \
        }

/* A driver whose VFs must be probed as they are made. */
#define PROBED(n, b, r, w, ...)                                                                    \
        {                                                                                          \
                .name = n, .before = b, .result = r, .topology = "given", .wanted = w,             \
                .quirk = { "mlx5_core", QUIRK_KEEP_AUTOPROBE },                                    \
                .op = {.fn = MLX,                                                                  \
                       __VA_ARGS__ }                                                               \
        }

#define VF(n, b, r, ...)                                                                           \
        {                                                                                          \
                .name = n, .before = b, .result = r,                                               \
                .op = {.kind = OP_SET_VF,                                                          \
                       .fn = IGB0,                                                                 \
                       __VA_ARGS__ }                                                               \
        }

#define DRIVER(d) .flags = OP_HAS_DRIVER, .driver = d
#define FORCED_DRIVER(d) .flags = OP_HAS_DRIVER | OP_FORCE_IN_USE, .driver = d

const Case cases_wanted[] = {
        APPLY("apply all to nothing", fresh, RESULT_DONE, 0, WANTED(mixed, OF_IGB0, COUNT(3))),
        APPLY("apply attributes", with_vfs, RESULT_DONE, 0, WANTED(attrs, OF_IGB0)),
        APPLY("apply drivers", with_vfs, RESULT_DONE, 0, WANTED(drivers, OF_IGB0, COUNT(3))),
        APPLY("apply all over VFs", with_vfs, RESULT_DONE, 0, WANTED(mixed, OF_IGB0, COUNT(3))),
        APPLY("apply another driver to vfio", with_vfio_vfs, RESULT_DONE, 0,
              WANTED(igbvf, OF_IGB0)),
        APPLY("apply through 0", with_vfs, RESULT_DONE, 0, WANTED(attrs, OF_IGB0, COUNT(2))),
        APPLY("apply through 0, vfio", with_vfio_vfs, RESULT_DONE, 0,
              WANTED(drivers, OF_IGB0, COUNT(3))),
        APPLY("apply over inherited", inherited, RESULT_DONE, 0, WANTED(attrs, OF_IGB0, COUNT(1))),
        APPLY("apply 0", with_vfs, RESULT_DONE, 0, WANTED(attrs, OF_IGB0, COUNT(0))),
        APPLY("apply what is so", as_mixed, RESULT_SKIPPED, 0, WANTED(mixed, OF_IGB0, COUNT(3))),
        APPLY("apply nothing", fresh, RESULT_REFUSED, 0, NULL),
        APPLY("apply too many", fresh, RESULT_REFUSED, 0, WANTED(attrs, OF_IGB0, COUNT(8))),
        APPLY("apply, driverless", driverless, RESULT_REFUSED, 0, WANTED(attrs, OF_IGB0, COUNT(2))),
        /* The VFs are what matters, where there is no such switch. */
        APPLY("apply an eswitch that is none", fresh, RESULT_PARTIAL, 0,
              WANTED(igbvf, OF_IGB0, COUNT(1), .eswitch = ESWITCH_SWITCHDEV)),
        APPLY("apply a count over a held VF", with_held_vf, RESULT_REFUSED, 0,
              WANTED(attrs, OF_IGB0, COUNT(3))),
        APPLY("apply a driver to a held VF", with_held_vf, RESULT_REFUSED, 0,
              WANTED(igbvf, OF_IGB0)),
        APPLY("apply attributes to a held VF", with_held_vf, RESULT_DONE, 0,
              WANTED(attrs, OF_IGB0)),
        APPLY("apply a count over a held VF, forced", with_held_vf, RESULT_DONE, OP_FORCE_IN_USE,
              WANTED(attrs, OF_IGB0, COUNT(3))),
        APPLY("apply a driver to a held VF, forced", with_held_vf, RESULT_DONE, OP_FORCE_IN_USE,
              WANTED(igbvf, OF_IGB0)),
        APPLY("apply all to nothing, or back", fresh, RESULT_DONE, OP_ROLLBACK,
              WANTED(mixed, OF_IGB0, COUNT(3))),
        APPLY("apply drivers, or back", with_vfs, RESULT_DONE, OP_ROLLBACK,
              WANTED(drivers, OF_IGB0)),
        APPLY("apply another driver to vfio, or back", with_vfio_vfs, RESULT_DONE, OP_ROLLBACK,
              WANTED(igbvf, OF_IGB0)),
        APPLY("apply through 0, or back", with_vfs, RESULT_DONE, OP_ROLLBACK,
              WANTED(attrs, OF_IGB0, COUNT(2))),
        APPLY("apply through 0, vfio, or back", with_vfio_vfs, RESULT_DONE, OP_ROLLBACK,
              WANTED(igbvf, OF_IGB0, COUNT(1))),
        APPLY("apply an eswitch that is none, or back", fresh, RESULT_FAILED, OP_ROLLBACK,
              WANTED(igbvf, OF_IGB0, COUNT(1), .eswitch = ESWITCH_SWITCHDEV)),
        /* Before VFs are made; over those that are there, without their drivers; behind them, its net device being up. */
        GIVEN("apply an eswitch and VFs", fresh, RESULT_DONE,
              WANTED(guid, OF_MLX, COUNT(2), .eswitch = ESWITCH_SWITCHDEV), .kind = OP_APPLY,
              .fn = MLX),
        GIVEN("apply an eswitch over VFs", mlx_with_vfs, RESULT_DONE,
              WANTED(vectors, OF_MLX, COUNT(2), .eswitch = ESWITCH_SWITCHDEV), .kind = OP_APPLY,
              .fn = MLX),
        GIVEN("apply an eswitch and another count", mlx_with_vfs, RESULT_DONE,
              WANTED(guid, OF_MLX, COUNT(1), .eswitch = ESWITCH_SWITCHDEV), .kind = OP_APPLY,
              .fn = MLX, .flags = OP_ROLLBACK),
        GIVEN("apply VFs, then an eswitch", fresh, RESULT_DONE,
              WANTED(link_state, OF_BNXT, COUNT(2), .eswitch = ESWITCH_SWITCHDEV), .kind = OP_APPLY,
              .fn = BNXT),
        GIVEN("apply an eswitch over a held VF", mlx_with_held_vf, RESULT_REFUSED,
              WANTED(guid, OF_MLX, .eswitch = ESWITCH_SWITCHDEV), .kind = OP_APPLY, .fn = MLX),
        GIVEN("apply an eswitch without the VFs that it needs", fresh, RESULT_REFUSED,
              WANTED(link_state, OF_BNXT, COUNT(0), .eswitch = ESWITCH_SWITCHDEV), .kind = OP_APPLY,
              .fn = BNXT),
        GIVEN("apply an eswitch and VFs that are not to be there before", fresh, RESULT_DONE,
              WANTED(link_state, OF_ICE, COUNT(2), .eswitch = ESWITCH_SWITCHDEV), .kind = OP_APPLY,
              .fn = ICE),
        GIVEN("apply an eswitch that takes VFs away", ice_with_vfs, RESULT_DONE,
              WANTED(drivers, OF_ICE, COUNT(2), .eswitch = ESWITCH_SWITCHDEV), .kind = OP_APPLY,
              .fn = ICE),
        GIVEN("apply an eswitch that takes VFs away, any number", ice_with_vfs, RESULT_DONE,
              WANTED(link_state, OF_ICE, .eswitch = ESWITCH_SWITCHDEV), .kind = OP_APPLY,
              .fn = ICE),
        GIVEN("apply an eswitch that takes VFs away, or back", ice_with_vfs, RESULT_DONE,
              WANTED(link_state, OF_ICE, .eswitch = ESWITCH_SWITCHDEV), .kind = OP_APPLY, .fn = ICE,
              .flags = OP_ROLLBACK),
        GIVEN("apply an eswitch that takes a held VF away", ice_with_held_vf, RESULT_REFUSED,
              WANTED(link_state, OF_ICE, .eswitch = ESWITCH_SWITCHDEV), .kind = OP_APPLY,
              .fn = ICE),
        GIVEN("apply vectors", mlx_with_vfs, RESULT_DONE, WANTED(vectors, OF_MLX), .kind = OP_APPLY,
              .fn = MLX),
        GIVEN("apply queues to nothing", fresh, RESULT_DONE, WANTED(queues, OF_SSD, COUNT(2)),
              .kind = OP_APPLY, .fn = SSD),
        GIVEN("apply queues over VFs", ssd_with_bound_vf, RESULT_DONE, WANTED(queues, OF_SSD),
              .kind = OP_APPLY, .fn = SSD),
        GIVEN("apply queues over one that is offline and bound", ssd_with_bound_and_offline_vf,
              RESULT_DONE, WANTED(queues_alone, OF_SSD), .kind = OP_APPLY, .fn = SSD),
        PROBED("apply to VFs that must be probed", fresh, RESULT_DONE,
               WANTED(freed, OF_MLX, COUNT(4)), .kind = OP_APPLY),
        PROBED("apply to VFs that must be probed, over others", mlx_with_vfs, RESULT_DONE,
               WANTED(freed, OF_MLX, COUNT(4)), .kind = OP_APPLY),
        PROBED("apply to VFs that must be probed, or back", mlx_with_vfs, RESULT_DONE,
               WANTED(freed, OF_MLX, COUNT(4)), .kind = OP_APPLY, .flags = OP_ROLLBACK),
        PROBED("enable VFs that must be probed, with no driver", fresh, RESULT_DONE, NULL,
               .kind = OP_SET_VFS, .count = 2, .driver = DRIVER_NONE),
        /* One VF. */
        VF("set-vf", with_vfs, RESULT_DONE, .attrs = TRUST),
        VF("set-vf, several", with_vfs, RESULT_DONE, .attrs = MAC_AND_VLAN),
        VF("set-vf, another driver", with_vfs, RESULT_DONE, DRIVER("vfio-pci")),
        VF("set-vf with a driver", with_vfs, RESULT_DONE, .attrs = TRUST, DRIVER("vfio-pci")),
        VF("set-vf, several with a driver", with_vfs, RESULT_DONE, .attrs = MAC_AND_VLAN,
           DRIVER("vfio-pci")),
        VF("set-vf with the first driver", with_idle_vf, RESULT_DONE, .attrs = TRUST,
           DRIVER("vfio-pci")),
        VF("set-vf of vfio with a driver", with_vfio_vfs, RESULT_DONE, .attrs = TRUST,
           DRIVER("igbvf")),
        VF("set-vf with no driver", with_vfs, RESULT_DONE, .attrs = TRUST, DRIVER(DRIVER_NONE)),
        VF("set-vf, already so", as_mixed, RESULT_SKIPPED, .attrs = MAC_AND_VLAN,
           DRIVER("vfio-pci")),
        VF("set-vf, no such VF", with_vfs, RESULT_REFUSED, .count = 3, .attrs = TRUST),
        VF("set-vf, not with this card", with_vfs, RESULT_FAILED, .attrs = GUID),
        VF("set-vf of a held VF", with_held_vf, RESULT_DONE, .attrs = MAC_AND_VLAN),
        VF("set-vf of a held VF with a driver", with_held_vf, RESULT_REFUSED, .attrs = TRUST,
           DRIVER("igbvf")),
        VF("set-vf of a held VF with a driver, forced", with_held_vf, RESULT_DONE, .attrs = TRUST,
           FORCED_DRIVER("igbvf")),
        GIVEN("set-vf, vectors", mlx_with_vfs, RESULT_DONE, NULL, .kind = OP_SET_VF, .fn = MLX,
              .attrs = VECTORS),
        GIVEN("set-vf, vectors with a driver", mlx_without_probe, RESULT_DONE, NULL,
              .kind = OP_SET_VF, .fn = MLX, .attrs = VECTORS, DRIVER("vfio-pci")),
        GIVEN("set-vf, queues", ssd_with_bound_vf, RESULT_DONE, NULL, .kind = OP_SET_VF, .fn = SSD,
              .attrs = QUEUES),
        GIVEN("set-vf, queues of one that is offline", ssd_with_vfs, RESULT_DONE, NULL,
              .kind = OP_SET_VF, .fn = SSD, .attrs = QUEUES, DRIVER("nvme")),
        GIVEN("set-vf, queues of one that is offline and bound", ssd_with_bound_and_offline_vf,
              RESULT_DONE, NULL, .kind = OP_SET_VF, .fn = SSD, .attrs = QUEUES),
        GIVEN("set-vf, queues of one that is offline and held", ssd_with_held_and_offline_vf,
              RESULT_REFUSED, NULL, .kind = OP_SET_VF, .fn = SSD, .attrs = QUEUES),
        /* The switch. */
        GIVEN("eswitch", fresh, RESULT_DONE, NULL, .kind = OP_ESWITCH, .fn = MLX,
              .eswitch = ESWITCH_SWITCHDEV),
        GIVEN("eswitch over VFs", mlx_with_vfs, RESULT_DONE, NULL, .kind = OP_ESWITCH, .fn = MLX,
              .eswitch = ESWITCH_SWITCHDEV),
        GIVEN("eswitch over VFs, autoprobe off", mlx_without_probe, RESULT_DONE, NULL,
              .kind = OP_ESWITCH, .fn = MLX, .eswitch = ESWITCH_SWITCHDEV),
        GIVEN("eswitch back", mlx_in_switchdev, RESULT_DONE, NULL, .kind = OP_ESWITCH, .fn = MLX,
              .eswitch = ESWITCH_LEGACY),
        GIVEN("eswitch, already so", mlx_in_switchdev, RESULT_SKIPPED, NULL, .kind = OP_ESWITCH,
              .fn = MLX, .eswitch = ESWITCH_SWITCHDEV),
        GIVEN("eswitch behind VFs", bnxt_with_vfs, RESULT_DONE, NULL, .kind = OP_ESWITCH,
              .fn = BNXT, .eswitch = ESWITCH_SWITCHDEV),
        GIVEN("eswitch before VFs that it needs", fresh, RESULT_REFUSED, NULL, .kind = OP_ESWITCH,
              .fn = BNXT, .eswitch = ESWITCH_SWITCHDEV),
        GIVEN("eswitch over a held VF", mlx_with_held_vf, RESULT_REFUSED, NULL, .kind = OP_ESWITCH,
              .fn = MLX, .eswitch = ESWITCH_SWITCHDEV),
        GIVEN("eswitch over a held VF, forced", mlx_with_held_vf, RESULT_DONE, NULL,
              .kind = OP_ESWITCH, .fn = MLX, .flags = OP_FORCE_IN_USE,
              .eswitch = ESWITCH_SWITCHDEV),
        GIVEN("eswitch with no VF to take away", fresh, RESULT_DONE, NULL, .kind = OP_ESWITCH,
              .fn = ICE, .eswitch = ESWITCH_SWITCHDEV),
        GIVEN("eswitch that takes VFs away", ice_with_vfs, RESULT_DONE, NULL, .kind = OP_ESWITCH,
              .fn = ICE, .eswitch = ESWITCH_SWITCHDEV),
        GIVEN("eswitch that takes a held VF away", ice_with_held_vf, RESULT_REFUSED, NULL,
              .kind = OP_ESWITCH, .fn = ICE, .eswitch = ESWITCH_SWITCHDEV),
        GIVEN("eswitch that takes a held VF away, forced", ice_with_held_vf, RESULT_DONE, NULL,
              .kind = OP_ESWITCH, .fn = ICE, .flags = OP_FORCE_IN_USE,
              .eswitch = ESWITCH_SWITCHDEV),
        GIVEN("eswitch that is none", fresh, RESULT_FAILED, NULL, .kind = OP_ESWITCH, .fn = IGB0,
              .eswitch = ESWITCH_SWITCHDEV),
        GIVEN("eswitch, driverless", driverless, RESULT_REFUSED, NULL, .kind = OP_ESWITCH,
              .fn = IGB0, .eswitch = ESWITCH_SWITCHDEV),
};
const size_t n_cases_wanted = ELEMENTSOF(cases_wanted);
