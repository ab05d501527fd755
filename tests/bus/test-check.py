#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Check: what policy files would come to, before they are loaded; and what is refused for them in which words

Each test is named after the promise it keeps.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from case import E, IGB0, IGB1, NVME, main  # noqa: E402
from policies import EARLY, NICS, WithPolicy  # noqa: E402


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


if __name__ == "__main__":
    main()
