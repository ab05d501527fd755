#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Check: what policy files would come to, before they are loaded; and what is refused for them in which words

Each test is named after the promise it keeps.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from case import E, IGB0, IGB1, JOB, NIC, NONE, NVME, WithStage, main  # noqa: E402
from policies import EARLY, NICS, WithPolicy  # noqa: E402

OFF = '\npolicy = ( { name = "off"; match = { address = "%s"; }; manage = false; } );'


class Check(WithPolicy):
    policies = {"10-nics.conf": NICS, "20-early.conf": EARLY % (IGB1, "")}

    def check(self, status):
        p = self.stage.ctl("check")
        self.assertEqual(p.returncode, status, p.stdout + p.stderr)
        return p.stdout

    def findings(self):
        return [{k: v[1] for k, v in row.items()} for row in self.bus.call("Check", "")]

    def test_two_policies_of_one_priority_are_found_before_they_are_loaded(self):
        self.settle()
        self.assertEqual((self.findings(), self.check(0)), ([], ""))
        self.write("30-late.conf", "\n\n" + EARLY.replace("early", "late") % (IGB1, ""))
        found, = self.findings()
        self.assertEqual((found["pf"], found["policy"], found["line"], found["error"]), (IGB1, "late", 3, E + "PolicyConflict"))
        self.assertEqual(found["file"], self.stage.path("policy.d") + "/30-late.conf")
        self.assertIn("policies early (", found["message"])
        self.assertIn(f"/30-late.conf:3: {IGB1}: policies early (", self.check(20))
        # What counts is what was loaded.
        self.assertEqual((self.state(IGB1)["Policy"], self.diff()), ("early", []))

    def test_what_can_be_known_only_by_asking_the_device_is_compared_as_well(self):
        self.settle()
        self.write("30-late.conf", 'policy = ( { name = "late"; match = { path = "pci-%s"; }; } );' % IGB1)
        self.assertEqual([(f["pf"], f["policy"]) for f in self.findings()], [(IGB1, "late")])

    def test_a_policy_that_the_pf_cannot_have_is_told_with_its_place(self):
        self.settle()
        self.write("30-many.conf", EARLY.replace("early", "many").replace("vfs = 2", "vfs = 99") % (NVME, ""))
        found, = self.findings()
        self.assertEqual((found["pf"], found["policy"], found["error"]), (NVME, "many", E + "Range"))
        self.assertIn("/30-many.conf:1: ", self.check(20))

    def test_a_mistake_of_one_file_hides_no_conflict_of_others(self):
        self.settle()
        self.write("30-late.conf", EARLY.replace("early", "late") % (IGB1, ""))
        self.write("40-bad.conf", "\n" + EARLY % (NVME, "vsf = 3;"))
        bad, conflict = self.findings()
        self.assertEqual((bad["line"], bad["error"], "pf" in bad), (2, E + "BadOption", False))
        self.assertTrue(bad["file"].endswith("/40-bad.conf") and "'vsf'" in bad["message"], bad)
        self.assertEqual(conflict["pf"], IGB1)
        self.assertEqual(len(self.check(1).splitlines()), 2)

    def test_a_policy_that_has_gone_is_no_rival_any_more(self):
        self.settle()
        self.write("30-late.conf", EARLY.replace("early", "late") % (IGB1, ""))
        self.remove("20-early.conf")
        self.assertEqual(self.findings(), [])
        self.assertEqual(self.state(IGB0)["Policy"], "nics")


class Refused(WithPolicy):
    policies = {"10-nics.conf": NICS, "20-off.conf": OFF % IGB1}

    def setUp(self):
        super().setUp()
        self.settle()

    def assert_hands_off(self, message):
        self.assertIn(f"{IGB1}: policy off ({self.stage.path('policy.d')}/20-off.conf:2) says manage = false", message)

    def test_what_is_no_pf_has_no_policy_for_that(self):
        vf = self.vfs(IGB0)[1]["Address"]
        for fn, words in ((f"{IGB0}/vf1", f"{vf}: is a VF; ask its PF, {IGB0}"), (NIC, f"{NIC}: has no SR-IOV")):
            for call in (("Apply", "asa{sv}", [fn], NONE), ("Plan", "sa{sv}", "apply", {"function": ("s", fn)}),
                         ("Adopt", "sa{sv}", fn, NONE)):
                self.assertIn(words, self.refused(E + "NotSriov", *call))
        self.assertEqual(self.stage.ctl("apply", NIC).returncode, 10)
        self.assertEqual(self.stage.ctl("plan", "apply", f"{IGB0}/vf0").returncode, 10)

    def test_hands_off_is_refused_by_the_name_of_the_policy_that_says_so(self):
        jobs = self.jobs()
        for call in (("Apply", "asa{sv}", [IGB1], NONE), ("Plan", "sa{sv}", "apply", {"function": ("s", IGB1)}),
                     ("Adopt", "sa{sv}", IGB1, NONE), ("SetVFs", "sua{sv}", IGB1, 2, {"persist": ("b", True)}),
                     ("Plan", "sa{sv}", "set-vfs", {"function": ("s", IGB1), "count": ("u", 2), "persist": ("b", True)})):
            self.assert_hands_off(self.refused(E + "PolicyConflict", *call))
        self.assertEqual(self.stage.ctl("set", IGB1, "2", "--persist").returncode, 6)
        self.assertEqual((self.jobs(), self.state(IGB1)["VFs"]), (jobs, 0))
        self.assertEqual(self.run_job("SetVFs", "sua{sv}", IGB1, 2, NONE)[1], "done")

    def test_hands_off_can_be_seen(self):
        self.assertEqual([(self.state(p)["Policy"], self.state(p)["PolicyState"]) for p in (IGB0, IGB1, NVME)],
                         [("nics", "wanted"), ("", "hands-off"), ("", "")])
        self.assertIn("hands-off", self.stage.ctl("list", "-o", "ADDRESS,POLICY-STATE").stdout)
        self.bus.match()
        self.write("20-off.conf", EARLY % (IGB1, ""))
        self.write("30-late.conf", EARLY.replace("early", "late") % (IGB1, ""))
        self.bus.call("Reload", "")
        self.bus.wait_signal("PropertiesChanged", lambda s: s.body[1].get("PolicyState") == ("s", "conflict"))
        self.assertEqual(self.state(IGB1)["PolicyState"], "conflict")
        p = self.stage.ctl("plan", "apply")
        self.assertEqual(p.returncode, 4, p.stdout + p.stderr)
        self.assertIn("have the same priority", p.stderr)

    def test_what_became_hands_off_meanwhile_is_a_warning_that_is_true(self):
        self.remove("20-off.conf")
        self.bus.call("Reload", "")
        self.bus.match()
        self.stage.sim("fault", f"bus/pci/devices/{IGB1}/sriov_numvfs", "delay=2000")
        path = self.bus.call("SetVFs", "sua{sv}", IGB1, 2, {"persist": ("b", True)})
        self.write("20-off.conf", self.policies["20-off.conf"])
        self.bus.call("Reload", "")
        job = self.bus.wait_signal("JobRemoved", lambda s: s.body[1] == path)
        self.assertEqual(job.body[2], "done")
        warning, = self.bus.get_all(path, JOB)["Warnings"]
        self.assert_hands_off(warning)

    def test_nothing_is_written_that_could_not_go_before_the_policy_that_is_there(self):
        self.write("20-off.conf", EARLY % (IGB1, "priority = 1000000;"))
        self.bus.call("Reload", "")
        for call in (("Adopt", "sa{sv}", IGB1, NONE), ("SetVFs", "sua{sv}", IGB1, 3, {"persist": ("b", True)})):
            message = self.refused(E + "PolicyConflict", *call)
            self.assertIn("policy early (", message)
            self.assertIn("highest priority there is, 1000000", message)
        self.assertEqual(sorted(os.listdir(self.stage.path("policy.d"))), ["10-nics.conf", "20-off.conf"])
        # Its own file may have that one: it is written anew.
        self.write("20-off.conf", EARLY % (IGB1, "priority = 999999;"))
        self.bus.call("Reload", "")
        for _ in range(2):
            self.assertIn("priority = 1000000;", self.bus.call("Adopt", "sa{sv}", IGB1, NONE)[1])
        self.assertEqual(self.state(IGB1)["Policy"], IGB1)

    def test_a_file_that_is_written_wins_against_one_of_its_own_priority(self):
        self.write("20-off.conf", EARLY % (IGB1, "priority = 60;"))
        self.bus.call("Reload", "")
        self.bus.call("Adopt", "sa{sv}", IGB1, NONE)
        self.write("20-off.conf", EARLY % (IGB1, "priority = 61;"))
        self.bus.call("Reload", "")
        self.assertEqual(self.state(IGB1)["PolicyState"], "conflict")
        self.assertIn("priority = 62;", self.bus.call("Adopt", "sa{sv}", IGB1, NONE)[1])
        self.assertEqual(self.state(IGB1)["Policy"], IGB1)


class Many(WithStage):
    topology = "vfs:12"

    def test_warnings_without_room_are_counted_in_the_last_one(self):
        pf = self.bus.call("ListPFs", "")[0][0]
        self.stage.sim("fault", "bus/pci/drivers/vfio-pci/bind", "errno=EBUSY")
        job, result, _, _ = self.run_job("SetVFs", "sua{sv}", pf, 12, {"driver": ("s", "vfio-pci")})
        self.assertEqual(result, "partial")
        warnings = self.bus.get_all(f"/org/sriovd1/job/{job}", JOB)["Warnings"]
        self.assertEqual((len(warnings), warnings[-1].split(" more ")[0]), (9, "and 4"), warnings)


if __name__ == "__main__":
    main()
