# SPDX-License-Identifier: GPL-2.0-or-later
"""Policies: a daemon with policy files, and what can be asked about them"""
import os

from case import IGB0, NONE, PF, VF, WithStage

FN = "bus/pci/devices/"
NICS = """policy = ( {
        name = "nics";  match = { address = "%s"; };  vfs = 3;
        vf_default = { driver = "vfio-pci"; };
        vf = ( { index = "0"; driver = "igbvf"; mac = "02:00:00:00:01:{index}"; vlan = 100; } );
} );
""" % IGB0
EARLY = 'policy = ( { name = "early"; match = { address = "%s"; }; vfs = 2; %s } );\n'


class WithPolicy(WithStage):
    policies = {"10-nics.conf": NICS}

    def make_stage_ready(self):
        os.mkdir(self.stage.path("policy.d"))
        for name, text in self.policies.items():
            self.write(name, text)
        self.stage.env["SRIOVD_POLICY"] = self.stage.path("policy.d")

    def write(self, name, text):
        with open(os.path.join(self.stage.path("policy.d"), name), "w", encoding="utf-8") as f:
            f.write(text)

    def remove(self, name):
        os.unlink(os.path.join(self.stage.path("policy.d"), name))

    def jobs(self):
        """(number, operation, object, result, reason) of all, the oldest first."""
        found = []
        for interfaces in self.bus.call("GetManagedObjects", "", path="/org/sriovd1",
                                        interface="org.freedesktop.DBus.ObjectManager").values():
            if "org.sriovd1.Job" in interfaces:
                j = interfaces["org.sriovd1.Job"]
                found.append((j["Id"][1], j["Operation"][1], j["Object"][1], j["Result"][1], j["Reason"][1]))
        return sorted(found)

    def settle(self):
        settled, jobs = self.bus.call("WaitBoot", "")
        self.assertTrue(settled)
        return jobs

    def state(self, address):
        return self.bus.get_all(self.pf_path(address), PF)

    def vfs(self, address):
        return [self.bus.get_all(p, VF) for p in self.state(address)["VFPaths"]]

    def diff(self):
        return [(r["pf"][1], r["vf"][1], r["what"][1], r["wanted"][1], r["seen"][1], r["disruptive"][1])
                for r in self.bus.call("Diff", "") if "what" in r]

    def apply(self, *pfs, options=None):
        """The results of its jobs."""
        self.bus.match()
        paths = self.bus.call("Apply", "asa{sv}", list(pfs), options or NONE)
        results = {}
        while len(results) < len(paths):
            m = self.bus.wait_signal("JobRemoved", lambda s: s.body[1] in paths and s.body[1] not in results)
            results[m.body[1]] = m.body[2]
        return [results[p] for p in paths]

    def assert_nics(self):
        self.assertEqual([v["Driver"] for v in self.vfs(IGB0)], ["igbvf", "vfio-pci", "vfio-pci"])
        self.assertEqual(self.diff(), [])
