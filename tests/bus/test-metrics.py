#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Metrics: what is counted is what was done"""
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from case import IGB0, IGB1, NONE, NVME, WithStage, main  # noqa: E402
from policies import NICS, WithPolicy  # noqa: E402
import openmetrics  # noqa: E402
import wire  # noqa: E402


class Metrics(WithStage):
    deadline = 3  # one of them is to be stuck

    def read(self):
        return openmetrics.read(self.bus.call("Metrics"))

    def get(self, name, **labels):
        return openmetrics.get(self.read(), "sriovd_" + name, **labels)

    def test_a_job_its_steps_and_its_vfs_are_counted(self):
        before = self.read()
        self.assertEqual(openmetrics.get(before, "sriovd_jobs_total", operation="set-vfs", result="done"), 0)
        self.assertIsNone(openmetrics.get(before, "sriovd_step_seconds_count", rung="vfs-on", driver="igb"))
        self.assertEqual(self.run_job("SetVFs", "sua{sv}", IGB0, 2, NONE)[1], "done")
        self.assertEqual(self.run_job("SetVFs", "sua{sv}", IGB0, 2, NONE)[1], "skipped")
        self.assertEqual(self.get("jobs_total", operation="set-vfs", result="done"), 1)
        self.assertEqual(self.get("jobs_total", operation="set-vfs", result="skipped"), 1)
        self.assertEqual(self.get("jobs_total", operation="set-vfs", result="failed"), 0)
        self.assertEqual(self.get("step_seconds_count", rung="vfs-on", driver="igb"), 1)
        self.assertGreater(self.get("step_seconds_sum", rung="vfs-on", driver="igb"), 0)
        self.assertEqual([self.get("pf_vfs", pf=pf) for pf in (IGB0, IGB1, NVME)], [2, 0, 0])
        self.assertEqual(self.get("pf_vfs_limit", pf=IGB0), 7)
        self.assertEqual(self.get("pf_info", pf=IGB0, driver="igb", policy=""), 1)
        self.assertEqual([self.get("queue_jobs", state=s) for s in ("waiting", "running", "wedged")], [0, 0, 0])

    def test_a_failure_counts_as_one(self):
        self.stage.sim("fault", "sriov_numvfs", "errno=EIO", "nth=1")
        self.assertEqual(self.run_job("SetVFs", "sua{sv}", IGB0, 2, NONE)[1], "failed")
        self.assertEqual(self.get("jobs_total", operation="set-vfs", result="failed"), 1)
        self.assertEqual(self.get("jobs_total", operation="set-vfs", result="done"), 0)

    def test_who_is_stuck_is_told_and_who_waits(self):
        self.stage.sim("fault", "sriov_numvfs", "block")
        self.bus.call("SetVFs", "sua{sv}", IGB0, 2, NONE)
        self.stage.until(lambda: self.get("queue_jobs", state="wedged") == 1, "the stuck job", 60)
        self.assertEqual(self.get("children_stuck"), 1)
        self.assertEqual(self.get("pf_quarantined", pf=IGB0), 1)
        self.assertEqual(self.get("pf_quarantined", pf=IGB1), 0)
        self.stage.sim("clear")
        self.stage.sim("release")
        self.stage.until(lambda: self.get("jobs_total", operation="set-vfs", result="done") == 1, "its end")
        self.assertEqual(self.get("children_stuck"), 0)
        self.assertEqual(self.get("pf_quarantined", pf=IGB0), 0)

    def test_the_daemon_says_since_when_it_counts(self):
        self.assertLess(abs(time.time() - self.get("start_time_seconds")), 60)
        self.run_job("SetVFs", "sua{sv}", IGB0, 1, NONE)
        self.stage.stop("sriovd")
        self.stage.start_daemon()
        self.bus.close()
        self.bus = self.stage.bus()
        self.assertEqual(self.get("jobs_total", operation="set-vfs", result="done"), 0)
        self.assertEqual(self.get("pf_vfs", pf=IGB0), 1)

    @unittest.skipUnless(os.geteuid() == 0, "is about root and others")
    def test_everybody_may_read_them(self):
        child = os.fork()
        if child == 0:
            os.setgid(65534)
            os.setuid(65534)
            openmetrics.read(wire.Bus(self.stage.path("bus")).call("Metrics"))
            os._exit(0)
        self.assertEqual(os.waitpid(child, 0)[1], 0)


class Drift(WithPolicy):
    def drift(self):
        return openmetrics.get(openmetrics.read(self.bus.call("Metrics")), "sriovd_drift_differences", pf=IGB0)

    def test_it_is_told_only_where_it_is_known(self):
        self.settle()
        self.stage.until(lambda: self.drift() == 0, "no drift")
        self.run_job("SetVFs", "sua{sv}", IGB0, 1, NONE)
        self.stage.until(lambda: self.drift() == 1, "the drift by hand")
        self.write("20-rival.conf", NICS.replace("nics", "rival"))
        self.bus.call("Reload", "")
        self.stage.until(lambda: self.drift() is None, "the conflict")
        self.remove("20-rival.conf")
        self.bus.call("Reload", "")
        self.stage.until(lambda: self.drift() == 1, "the drift by hand again")
        self.run_job("Unbind", "sa{sv}", IGB0, NONE)
        self.stage.until(lambda: self.state(IGB0)["Driver"] == "", "no driver")
        self.assertIsNone(self.drift())
        self.run_job("Bind", "ssa{sv}", IGB0, "igb", NONE)
        self.stage.until(lambda: self.drift() == 0, "what its policy wants")


if __name__ == "__main__":
    main()
