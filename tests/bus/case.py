# SPDX-License-Identifier: GPL-2.0-or-later
"""Case: what the tests of the bus share: a daemon that runs, jobs, refusals"""
import sys
import unittest

from stage import Stage
import wire

IGB0, IGB1, NVME, NIC, PORT = "0000:01:00.0", "0000:02:00.0", "0000:03:00.0", "0000:00:04.0", "0000:00:01.0"
E = "org.sriovd1.Error."
MANAGER, PF, VF, JOB = ("org.sriovd1." + s for s in ("Manager", "PF", "VF", "Job"))
NONE = {}


class WithStage(unittest.TestCase):
    with_bus = True
    topology = "default"
    # Seconds after which a write is overdue: here none is to be because the host is slow.
    deadline = 120

    def setUp(self):
        self.stage = Stage(bus=self.with_bus, topology=self.topology)
        self.stage.env["SRIOVD_SIM_DEADLINE"] = str(self.deadline)
        self.addCleanup(self.stage.stop_all)
        self.make_stage_ready()
        self.stage.start_daemon()
        if self.with_bus:
            self.bus = self.stage.bus()
            self.addCleanup(self.bus.close)

    def make_stage_ready(self):
        """What must be there before the daemon is started."""

    def tearDown(self):
        reports = self.stage.sim("reports")
        self.assertEqual(reports, "", "the simulator saw")

    def run_job(self, member, signature, *args):
        """Its number, result, error and message. Subscribed before the call."""
        self.bus.match()
        path = self.bus.call(member, signature, *args)
        m = self.bus.wait_signal("JobRemoved", lambda s: s.body[1] == path)
        return m.body[0], m.body[2], m.body[3], m.body[4]

    def refused(self, name, member, signature, *args, bus=None, **more):
        with self.assertRaises(wire.BusError, msg=f"{member}{args}") as caught:
            (bus or self.bus).call(member, signature, *args, **more)
        self.assertEqual(caught.exception.name, name, f"{member}{args}: {caught.exception}")
        message = caught.exception.message
        self.assertTrue(message and "\n" not in message, f"one line: {message!r}")
        return message

    def pf_path(self, address):
        return dict(self.bus.call("ListPFs"))[address]


def main():
    module = sys.modules["__main__"]
    tests = unittest.defaultTestLoader.loadTestsFromModule(module)
    if len(sys.argv) > 1:
        tests = unittest.defaultTestLoader.loadTestsFromNames(sys.argv[1:], module)
    outcome = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(tests)
    bad = len(outcome.failures) + len(outcome.errors)
    print(f"{outcome.testsRun - bad - len(outcome.skipped)} passed, {bad} failed, {len(outcome.skipped)} skipped")
    sys.exit(bad > 0)
