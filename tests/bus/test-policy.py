#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Policy: what policies want is made so, told where it is not, and put right, over the bus

Each test is named after the promise it keeps.
"""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from case import E, IGB0, IGB1, NONE, NVME, main  # noqa: E402
from policies import EARLY, FN, NICS, WithPolicy  # noqa: E402


class Boot(WithPolicy):
    def test_what_is_wanted_is_there_when_the_boot_is_settled(self):
        self.settle()
        self.assert_nics()
        first = self.vfs(IGB0)[0]
        self.assertEqual((first["MAC"], first["VLAN"]), ("02:00:00:00:01:00", 100))
        self.assertEqual([j[1:] for j in self.jobs()], [("apply", IGB0, "done", "boot")])
        self.assertEqual(self.state(IGB0)["Policy"], "nics")
        self.assertEqual(self.state(IGB1)["Policy"], "")

    def test_a_second_apply_writes_nothing(self):
        self.settle()
        before = self.stage.writes()
        self.assertEqual(self.apply(), ["skipped"])
        self.assertEqual(self.stage.writes(), before)

    def test_a_daemon_that_is_started_anew_applies_nothing(self):
        self.settle()
        jobs = self.jobs()
        self.bus.close()
        self.stage.stop("sriovd", kill=True)
        self.stage.start_daemon()
        self.bus = self.stage.bus()
        self.settle()
        self.assertEqual(self.jobs(), jobs)

    def test_what_was_done_by_hand_stays_also_over_a_restart(self):
        self.settle()
        _, result, _, message = self.run_job("SetVFs", "sua{sv}", IGB0, 0, NONE)
        self.assertEqual(result, "done", message)
        self.bus.close()
        self.stage.stop("sriovd", kill=True)
        self.stage.start_daemon()
        self.bus = self.stage.bus()
        self.settle()
        time.sleep(3)
        self.assertEqual(self.diff(), [(IGB0, -1, "vfs", "3", "0", False)])
        self.assertEqual(self.state(IGB0)["VFs"], 0)
        self.assertEqual(self.apply(IGB0), ["done"])
        self.assert_nics()


class Failing(WithPolicy):
    policies = {"10-nics.conf": NICS, "20-bad.conf": EARLY % (IGB1, "vsf = 3;"),
                "30-many.conf": EARLY.replace("early", "many").replace("vfs = 2", "vfs = 99") % (NVME, "")}

    def test_one_pf_or_file_that_fails_stops_no_other(self):
        self.settle()
        self.assert_nics()
        # What can never be is not tried again.
        time.sleep(3)
        self.assertEqual(sorted(j[1:4] for j in self.jobs()), [("apply", IGB0, "done"), ("apply", NVME, "refused")])
        with open(self.stage.path("sriovd.log"), encoding="utf-8") as f:
            self.assertIn("20-bad.conf:1: ", f.read())
        self.assertEqual(self.refused(E + "BadOption", "Reload", "").count("20-bad.conf:1"), 1)
        rows = [r for r in self.bus.call("Diff", "") if "error" in r]
        self.assertEqual([(r["pf"][1], r["error"][1]) for r in rows], [(NVME, E + "Range")])


class Named(WithPolicy):
    """By the name that udev gives it, which it has not from the beginning."""
    policies = {"10-nics.conf": NICS.replace('address = "%s"' % IGB0, 'path = "pci-%s"' % IGB0),
                "20-late.conf": EARLY.replace('address = "%s"', 'mac = "%s"') % ("52:54:00:02:00:00", "")}

    def test_what_is_matched_by_what_only_a_child_can_see_is_there_at_boot(self):
        self.settle()
        self.assertEqual([self.state(p)["Policy"] for p in (IGB0, IGB1)], ["nics", "early"])
        self.assertEqual({j[2]: j[3:] for j in self.jobs()}, {p: ("done", "boot") for p in (IGB0, IGB1)})


class Reload(WithPolicy):
    policies = {"10-nics.conf": NICS, "90-hands.conf": 'policy = ( { name = "hands"; priority = 100; manage = false; '
                                                       'match = { address = "%s"; }; } );\n' % IGB0}

    def test_a_mistake_in_a_file_changes_nothing_that_its_policy_kept_away(self):
        self.settle()
        self.assertEqual((self.state(IGB0)["VFs"], self.jobs()), (0, []))
        self.write("90-hands.conf", "policy = ( { name = ")
        self.refused(E + "BadOption", "Reload", "")
        time.sleep(3)
        self.assertEqual((self.state(IGB0)["VFs"], self.state(IGB0)["Policy"]), (0, ""))
        # And nobody writes a policy over one that says hands off.
        self.refused(E + "PolicyConflict", "Adopt", "sa{sv}", IGB0, NONE)


class ByHand(WithPolicy):
    def setUp(self):
        super().setUp()
        self.settle()
        self.assertEqual(self.run_job("SetVFs", "sua{sv}", IGB0, 0, NONE)[1], "done")

    def assert_left(self):
        time.sleep(3)
        self.assertEqual(self.state(IGB0)["VFs"], 0)
        self.assertEqual([j[4] for j in self.jobs() if j[1] == "apply" and j[4]], ["boot"])

    def test_a_reset_brings_nothing_back(self):
        self.assertEqual(self.run_job("Reset", "sa{sv}", IGB0, NONE)[1], "done")
        self.assert_left()

    def test_another_driver_than_the_usual_one_brings_nothing_back(self):
        self.assertEqual(self.run_job("Bind", "ssa{sv}", IGB0, "vfio-pci", NONE)[1], "done")
        self.assert_left()

    def test_an_apply_that_was_canceled_or_refused_brings_nothing_back(self):
        self.assertIsNotNone(self.stage.sim("fault", f"{FN}{IGB1}/sriov_numvfs", "block"))
        first = self.bus.call("SetVFs", "sua{sv}", IGB1, 1, NONE)
        path = self.bus.call("Apply", "asa{sv}", [IGB0], NONE)[0]
        self.bus.match()
        self.bus.call("Cancel", path=path, interface="org.sriovd1.Job")
        self.assertEqual(self.bus.wait_signal("JobRemoved", lambda s: s.body[1] == path).body[2], "canceled")
        self.stage.sim("clear")
        self.stage.sim("release")
        self.bus.wait_signal("JobRemoved", lambda s: s.body[1] == first)
        self.assert_left()


class Asked(WithPolicy):
    policies = {"10-nics.conf": NICS, "20-a.conf": EARLY % (IGB1, ""),
                "30-b.conf": EARLY.replace("early", "late") % (IGB1, "")}

    def test_two_policies_of_one_priority_are_both_refused(self):
        self.settle()
        self.assertIn("early", self.refused(E + "PolicyConflict", "Apply", "asa{sv}", [IGB1], NONE))
        self.refused(E + "NoPolicy", "Apply", "asa{sv}", [NVME], NONE)
        self.refused(E + "NoSuchDevice", "Apply", "asa{sv}", ["0000:77:00.0"], NONE)
        rows = [r for r in self.bus.call("Diff", "") if "error" in r]
        self.assertEqual([(r["pf"][1], r["error"][1]) for r in rows], [(IGB1, E + "PolicyConflict")])
        self.assertIn(("apply", IGB1, "refused", "boot"), [j[1:] for j in self.jobs()])
        self.assertEqual(sorted(self.apply()), ["refused", "skipped"])
        self.remove("30-b.conf")
        self.bus.call("Reload", "")
        self.assertEqual(self.apply(IGB1), ["done"])
        self.assertEqual(self.state(IGB1)["VFs"], 2)

    def test_a_plan_that_is_stale_is_refused_by_its_number(self):
        self.settle()
        self.write("10-nics.conf", NICS.replace("vlan = 100", "vlan = 200"))
        self.bus.call("Reload", "")
        plan, steps = self.bus.call("Plan", "sa{sv}", "apply", {"function": ("s", IGB0)})
        self.assertEqual([s["text"][1] for s in steps][1:], ["0000:01:10.0: vlan=200"])
        self.assertEqual(self.diff(), [(IGB0, 0, "vlan", "vlan=200", "vlan=100 qos=0 vlan-proto=802.1Q", False)])
        _, result, _, _ = self.run_job("SetVF", "sua{sv}a{sv}", IGB0, 0, {"trust": ("b", True)}, NONE)
        self.assertEqual(result, "done")
        self.write("10-nics.conf", NICS.replace("vlan = 100", "vlan = 300"))
        self.bus.call("Reload", "")
        self.refused(E + "Stale", "Apply", "asa{sv}", [IGB0], {"expect": ("s", plan)})
        plan, _ = self.bus.call("Plan", "sa{sv}", "apply", {"function": ("s", IGB0)})
        self.assertEqual(self.apply(IGB0, options={"expect": ("s", plan)}), ["done"])
        self.assertEqual(self.vfs(IGB0)[0]["VLAN"], 300)

    def test_a_resize_under_a_user_is_refused_with_nothing_written(self):
        self.settle()
        self.assertIsNotNone(self.stage.sim("hold", "0000:01:10.2"))
        self.write("10-nics.conf", NICS.replace("vfs = 3", "vfs = 4"))
        self.bus.call("Reload", "")
        before = self.stage.writes("sriov_numvfs")
        self.assertEqual(self.apply(IGB0), ["refused"])
        self.assertEqual(self.stage.writes("sriov_numvfs"), before)
        self.assertEqual([d[2:] for d in self.diff()], [("vfs", "4", "3", True)])


class Vf(WithPolicy):
    policies = {}

    def setUp(self):
        super().setUp()
        _, result, _, message = self.run_job("SetVFs", "sua{sv}", IGB0, 2, NONE)
        self.assertEqual(result, "done", message)

    def set_vf(self, index, attributes):
        return self.run_job("SetVF", "sua{sv}a{sv}", IGB0, index, attributes, NONE)[1:]

    def test_each_attribute_has_its_own_result(self):
        result, error, _ = self.set_vf(0, {"vlan": ("u", 7), "node-guid": ("s", "00:11:22:33:44:55:66:77")})
        self.assertEqual((result, error), ("partial", E + "Unsupported"))
        self.assertEqual(self.vfs(IGB0)[0]["VLAN"], 7)
        result, error, _ = self.set_vf(0, {"node-guid": ("s", "00:11:22:33:44:55:66:77")})
        self.assertEqual((result, error), ("failed", E + "Unsupported"))

    def test_vectors_that_no_vf_can_be_given_are_not_supported_for_a_bound_one_either(self):
        result, error, text = self.set_vf(0, {"vlan": ("u", 7), "msix": ("u", 4)})
        self.assertEqual((result, error), ("partial", E + "Unsupported"))
        self.assertIn("its driver cannot set msix=4", text)
        self.assertEqual([v["Driver"] for v in self.vfs(IGB0)], ["igbvf", "igbvf"])

    def test_what_fails_names_the_attribute_and_the_vf(self):
        self.stage.sim("fault", FN + "0000:01:10.2/vlan", "errno=EIO")
        result, error, text = self.set_vf(1, {"vlan": ("u", 7)})
        self.assertEqual((result, error), ("failed", E + "Kernel"))
        self.assertTrue(text.startswith("0000:01:10.2: setting vlan=7 failed with EIO"), text)

    def test_what_fails_of_a_new_vf_names_that(self):
        self.write("10-nics.conf", EARLY.replace("vfs = 2", "vfs = 3") % (IGB0, "vf_default = { vlan = 5; };"))
        self.bus.call("Reload", "")
        self.stage.sim("fault", FN + "0000:01:10.2/vlan", "errno=EIO")
        self.bus.match()
        path = self.bus.call("Apply", "asa{sv}", [IGB0], NONE)[0]
        m = self.bus.wait_signal("JobRemoved", lambda s: s.body[1] == path)
        self.assertEqual((m.body[2], m.body[3]), ("partial", E + "Kernel"))
        self.assertTrue(m.body[4].startswith(IGB0 + "/vf1: setting vlan=5 failed with EIO"), m.body[4])

    def test_what_is_so_already_is_not_written(self):
        self.assertEqual(self.set_vf(1, {"trust": ("b", True)})[0], "done")
        before = self.stage.writes()
        self.assertEqual(self.set_vf(1, {"trust": ("b", True)})[0], "skipped")
        self.assertEqual(self.stage.writes(), before)

    def test_a_driver_is_given_with_the_rest(self):
        self.assertEqual(self.set_vf(1, {"vlan": ("u", 9), "driver": ("s", "vfio-pci")})[0], "done")
        self.assertEqual([v["Driver"] for v in self.vfs(IGB0)], ["igbvf", "vfio-pci"])

    def test_bad_words_are_refused_by_their_key(self):
        for attributes, name, word in (({"vlan": ("u", 4096)}, "BadOption", "vlan"),
                                       ({"mac": ("s", "ff:ff:ff:ff:ff:ff")}, "BadOption", "mac"),
                                       ({"qos": ("u", 1)}, "BadOption", "vlan"),
                                       ({"min-rate": ("u", 5), "max-rate": ("u", 3)}, "BadOption", "min-rate: is more than max-rate"),
                                       ({"colour": ("s", "red")}, "BadOption", "colour"),
                                       ({"trust": ("t", 1)}, "BadOption", "trust"),
                                       ({"driver": ("s", "../x")}, "BadOption", "../x")):
            text = self.refused(E + name, "SetVF", "sua{sv}a{sv}", IGB0, 0, attributes, NONE)
            self.assertIn(word, text)
        self.refused(E + "NoSuchDevice", "SetVF", "sua{sv}a{sv}", IGB0, 2, {"vlan": ("u", 1)}, NONE)
        self.refused(E + "BadOption", "SetEswitchMode", "ssa{sv}", IGB0, "fast", NONE)
        self.refused(E + "NotSriov", "SetEswitchMode", "ssa{sv}", "0000:01:10.0", "legacy", NONE)

    def test_a_pf_without_an_eswitch_says_so(self):
        _, result, error, text = self.run_job("SetEswitchMode", "ssa{sv}", IGB0, "switchdev", NONE)
        self.assertEqual((result, error), ("failed", E + "Unsupported"))
        self.assertIn("its driver has no eswitch mode 'switchdev' to be set", text)


class Chosen(WithPolicy):
    """driver = "default": the kernel's choice, and no other program's."""
    policies = {"10-nics.conf": EARLY % (IGB0, 'vf_default = { driver = "vfio-pci"; };')}

    def drivers(self):
        return [v["Driver"] for v in self.vfs(IGB0)]

    def test_a_policy_that_leaves_the_driver_to_the_kernel_takes_the_others_away(self):
        self.settle()
        self.assertEqual(self.drivers(), ["vfio-pci"] * 2)
        self.write("10-nics.conf", EARLY % (IGB0, 'vf_default = { driver = "default"; };'))
        self.bus.call("Reload", "")
        self.assertEqual(self.diff(), [(IGB0, n, "driver", "default", "vfio-pci", True) for n in (0, 1)])
        self.assertEqual(self.apply(IGB0), ["done"])
        self.assertEqual((self.drivers(), self.diff()), (["igbvf"] * 2, []))
        before = self.stage.writes()
        self.assertEqual(self.apply(IGB0), ["skipped"])
        self.assertEqual(self.stage.writes(), before)

    def test_a_vf_gets_the_kernels_choice_when_it_is_asked_for(self):
        self.settle()
        for _ in range(2):
            result = self.run_job("SetVF", "sua{sv}a{sv}", IGB0, 0, {"driver": ("s", "default")}, NONE)[1]
            self.assertEqual(self.drivers(), ["igbvf", "vfio-pci"])
        self.assertEqual(result, "skipped")
        self.assertEqual(self.run_job("Unbind", "sa{sv}", "0000:01:10.0", NONE)[1], "done")
        self.assertEqual(self.run_job("SetVF", "sua{sv}a{sv}", IGB0, 0, {"driver": ("s", "default")}, NONE)[1], "done")
        self.assertEqual(self.drivers(), ["igbvf", "vfio-pci"])


class Offline(WithPolicy):
    """VFs of an NVMe PF are offline until they are given queues; vfio-pci binds them all the same."""
    policies = {}
    queues = {"queues": ("u", 2), "interrupts": ("u", 2)}
    policy = '''policy = ( { name = "ssd"; match = { address = "%s"; }; reconcile = %s;
        vf_default = { driver = "vfio-pci"; queues = 2; interrupts = 2; }; } );\n'''

    def setUp(self):
        super().setUp()
        _, result, _, message = self.run_job("SetVFs", "sua{sv}", NVME, 2, {"driver": ("s", "vfio-pci")})
        self.assertEqual(result, "done", message)

    def has(self):
        return [(v["Driver"], v["Attributes"].get("queues"), v["Attributes"].get("interrupts")) for v in self.vfs(NVME)]

    def assert_has(self, *queues):
        """What a child sees, a moment after."""
        self.stage.until(lambda: self.has() == [("vfio-pci", q, q) for q in queues], f"queues of {queues}, not {self.has()}")

    def test_one_that_is_bound_is_unbound_for_its_queues_and_bound_again(self):
        self.assert_has("0", "0")
        rungs = [s["rung"][1] for s in self.bus.call("Plan", "sa{sv}", "set-vf", {
            "function": ("s", NVME), "index": ("u", 0), "attributes": ("a{sv}", self.queues)})[1]]
        self.assertEqual(rungs, ["clear-way", "refuse-if-held", "unbind", "configure-vf", "bind-vf"])
        self.assertEqual(self.run_job("SetVF", "sua{sv}a{sv}", NVME, 0, self.queues, NONE)[1:3], ("done", ""))
        self.assert_has("2", "0")

    def test_it_differs_disruptively_until_its_policy_is_applied(self):
        self.write("10-ssd.conf", self.policy % (NVME, "false"))
        self.bus.call("Reload", "")
        self.assertEqual(self.diff(), [(NVME, i, "queues", "queues=2 interrupts=2", "queues=0 interrupts=0", True)
                                       for i in (0, 1)])
        self.assertEqual(self.apply(NVME), ["done"])
        self.assert_has("2", "2")
        self.assertEqual(self.diff(), [])
        self.assertEqual(self.apply(NVME), ["skipped"])

    def test_what_is_adopted_has_no_queues_of_it(self):
        _, text = self.bus.call("Adopt", "sa{sv}", NVME, NONE)
        self.assertNotIn("queues", text)
        self.assertEqual((self.diff(), self.apply(NVME)), ([], ["skipped"]))
        self.assert_has("0", "0")

    def test_what_is_shown_of_it_can_be_typed_again(self):
        self.assert_has("0", "0")
        self.assertEqual(self.stage.ctl("vf", NVME + "/vf0").stdout, "driver=vfio-pci\n")


class Written(WithPolicy):
    policies = {}

    def test_what_is_adopted_is_as_it_is(self):
        self.run_job("SetVFs", "sua{sv}", IGB0, 2, {"driver": ("s", "vfio-pci")})
        self.run_job("SetVF", "sua{sv}a{sv}", IGB0, 1, {"vlan": ("u", 42)}, NONE)
        path, text = self.bus.call("Adopt", "sa{sv}", IGB0, {"dry-run": ("b", True)})
        self.assertEqual(os.listdir(self.stage.path("policy.d")), [])
        path, written = self.bus.call("Adopt", "sa{sv}", IGB0, NONE)
        with open(path, encoding="utf-8") as f:
            self.assertEqual(f.read(), written)
        self.assertEqual(text, written)
        self.assertIn("vlan = 42", text)
        self.assertEqual(self.diff(), [])
        self.assertEqual(self.apply(IGB0), ["skipped"])
        self.refused(E + "NotSriov", "Adopt", "sa{sv}", "0000:01:10.0", NONE)

    def test_a_count_that_is_to_persist_is_a_policy_when_it_is_there(self):
        _, result, _, message = self.run_job("SetVFs", "sua{sv}", IGB1, 3,
                                             {"driver": ("s", "vfio-pci"), "persist": ("b", True)})
        self.assertEqual(result, "done", message)
        self.assertEqual(os.listdir(self.stage.path("policy.d")), ["50-0000-02-00-0.conf"])
        self.assertEqual((self.state(IGB1)["Policy"], self.diff()), (IGB1, []))
        # One that fails leaves no policy.
        self.stage.sim("fault", f"{FN}{IGB0}/sriov_numvfs", "errno=ENOSPC")
        self.assertEqual(self.run_job("SetVFs", "sua{sv}", IGB0, 3, {"persist": ("b", True)})[1], "failed")
        self.assertEqual(os.listdir(self.stage.path("policy.d")), ["50-0000-02-00-0.conf"])

    def test_what_cannot_be_written_is_said(self):
        os.rmdir(self.stage.path("policy.d"))
        with open(self.stage.path("policy.d"), "w", encoding="utf-8"):
            pass
        job, result, _, _ = self.run_job("SetVFs", "sua{sv}", IGB1, 2, {"persist": ("b", True)})
        self.assertEqual(result, "done")
        warnings = self.bus.get_all(f"/org/sriovd1/job/{job}", "org.sriovd1.Job")["Warnings"]
        self.assertEqual(["cannot write a policy" in w and "Not a directory" in w for w in warnings], [True], warnings)
        text = self.refused(E + "Failed", "Adopt", "sa{sv}", IGB1, NONE)
        self.assertIn(IGB1 + ": cannot write a policy below", text)
        self.assertEqual((self.state(IGB1)["Policy"], self.state(IGB1)["VFs"]), ("", 2))

    def test_what_is_written_beside_a_mistake_and_so_does_not_count_is_said(self):
        self.write("20-bad.conf", "policy = ( { name = ")
        job, result, _, _ = self.run_job("SetVFs", "sua{sv}", IGB1, 2, {"persist": ("b", True)})
        self.assertEqual(result, "done")
        warnings = self.bus.get_all(f"/org/sriovd1/job/{job}", "org.sriovd1.Job")["Warnings"]
        self.assertEqual(["counts once" in w and "20-bad.conf:1:" in w for w in warnings], [True], warnings)
        self.assertIn("20-bad.conf:1:", self.refused(E + "BadOption", "Adopt", "sa{sv}", IGB0, NONE))
        self.assertEqual(self.state(IGB1)["Policy"], "")
        self.remove("20-bad.conf")
        self.bus.call("Reload", "")
        self.assertEqual([self.state(pf)["Policy"] for pf in (IGB0, IGB1)], [IGB0, IGB1])


if __name__ == "__main__":
    main()
