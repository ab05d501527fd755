#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Drift: what is not, or no more, as a policy wants it; told, and put right where that is nobody's own wish"""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from case import IGB0, IGB1, JOB, NONE, NVME, main  # noqa: E402
from policies import EARLY, FN, NICS, WithPolicy  # noqa: E402


class Changed(WithPolicy):
    """A policy that was changed is not drift: it is applied when somebody asks."""
    policies = {"10-nics.conf": EARLY % (IGB0, "")}

    def rest(self):
        """Longer than a repair of drift waits."""
        time.sleep(2.5)

    def change(self):
        self.write("10-nics.conf", NICS)
        self.write("20-more.conf", EARLY.replace("early", "more") % (IGB1, ""))

    def assert_untouched(self):
        self.rest()
        self.assertEqual([self.state(pf)["VFs"] for pf in (IGB0, IGB1)], [2, 0])
        self.assertEqual([d[0] for d in self.diff()], [IGB0, IGB1])

    def restart(self):
        self.bus.close()
        self.stage.stop("sriovd")
        self.stage.start_daemon()
        self.bus = self.stage.bus()
        self.settle()

    def test_a_reload_changes_no_device(self):
        self.settle()
        self.change()
        self.bus.match()
        self.bus.call("Reload", "")
        m = self.bus.wait_signal("Drift")
        self.assertEqual(m.body[1]["what"][1], "vfs")
        self.assert_untouched()
        # Nor does what another program does there bring it.
        self.stage.sim("write", f"{FN}{IGB1}/sriov_numvfs", "1")
        self.rest()
        self.assertEqual(self.state(IGB1)["VFs"], 1)
        self.assertEqual(self.apply(), ["done", "done"])
        self.assert_nics()

    def test_neither_does_a_daemon_that_is_started_anew(self):
        self.settle()
        self.change()
        self.restart()
        self.assert_untouched()
        self.assertEqual(self.apply(), ["done", "done"])
        self.restart()
        self.rest()
        self.assert_nics()

    def test_what_was_asked_for_is_kept_from_then_on(self):
        self.settle()
        self.change()
        self.bus.call("Reload", "")
        self.assertEqual(self.apply(), ["done", "done"])
        self.stage.sim("write", f"{FN}{IGB1}/sriov_numvfs", "0")
        self.stage.until(lambda: self.state(IGB1)["VFs"] == 2, "its VFs")

    def test_what_is_so_already_need_not_be_asked_for(self):
        self.settle()
        self.write("20-more.conf", EARLY.replace("early", "more").replace("vfs = 2", "vfs = 0") % (IGB1, ""))
        self.bus.call("Reload", "")
        self.rest()
        self.stage.sim("write", f"{FN}{IGB1}/sriov_numvfs", "1")
        self.stage.until(lambda: self.state(IGB1)["VFs"] == 0 and self.state(IGB1)["State"] == "ok", "no VFs")

    def test_another_pfs_policy_that_is_written_brings_it_no_more_than_a_reload(self):
        self.settle()
        self.change()
        self.assertEqual(self.run_job("SetVFs", "sua{sv}", NVME, 1, {"persist": ("b", True)})[1], "done")
        self.assert_untouched()
        self.stage.sim("write", f"{FN}{NVME}/sriov_numvfs", "0")
        self.stage.until(lambda: self.state(NVME)["VFs"] == 1, "what was to persist")


class WithDrift(WithPolicy):
    def foreign(self, attr, value):
        self.bus.signals.clear()
        self.assertIsNotNone(self.stage.sim("write", FN + attr, value))

    def wait_drift(self, what):
        m = self.bus.wait_signal("Drift", lambda s: s.body[1]["what"][1] == what)
        return m.body[0], m.body[1]["wanted"][1], m.body[1]["seen"][1]


class DriftBesideAMistake(WithDrift):
    policies = {"10-nics.conf": NICS, "20-bad.conf": "policy = ( { name = "}

    def test_nothing_is_put_right_as_long_as_a_file_cannot_be_read(self):
        self.settle()
        self.assert_nics()
        self.bus.match()
        self.foreign(f"{IGB0}/sriov_numvfs", "0")
        self.assertEqual(self.wait_drift("vfs"), (IGB0, "3", "0"))
        time.sleep(3)
        self.assertEqual(self.state(IGB0)["VFs"], 0)
        self.remove("20-bad.conf")
        self.bus.call("Reload", "")
        self.stage.until(lambda: self.state(IGB0)["VFs"] == 3, "the VFs")


class Drift(WithDrift):
    def test_what_another_program_changed_is_told_and_put_right(self):
        self.settle()
        self.bus.match()
        self.foreign(f"{IGB0}/sriov_numvfs", "0")
        self.assertEqual(self.wait_drift("vfs"), (IGB0, "3", "0"))
        m = self.bus.wait_signal("JobRemoved", lambda s: s.body[2] != "skipped")
        self.assertEqual(m.body[2], "done")
        self.assert_nics()
        self.assertEqual(self.jobs()[-1][4], "drift")

    def test_a_driver_that_comes_back_brings_the_policy_with_it(self):
        self.settle()
        _, result, _, message = self.run_job("Unbind", "sa{sv}", IGB0, NONE)
        self.assertEqual(result, "done", message)
        self.bus.match()
        self.bus.call("Bind", "ssa{sv}", IGB0, "igb", NONE)
        self.bus.wait_signal("JobRemoved", lambda s: s.body[2] == "done")
        self.stage.until(lambda: self.state(IGB0)["VFs"] == 3 and self.state(IGB0)["State"] == "ok", "the policy")
        self.assert_nics()

    def test_a_driver_that_another_program_took_away_is_told_and_waited_for(self):
        self.settle()
        self.bus.match()
        self.bus.signals.clear()
        self.assertIsNotNone(self.stage.sim("write", "bus/pci/drivers/igb/unbind", IGB0))
        self.stage.sim("reports", "forget")
        self.assertEqual(self.wait_drift("vfs"), (IGB0, "3", "0"))
        time.sleep(3)
        self.assertEqual([self.state(IGB0)[p] for p in ("Driver", "VFs", "State")], ["", 0, "ok"])
        self.assertIsNotNone(self.stage.sim("write", "bus/pci/drivers/igb/bind", IGB0))
        self.stage.until(lambda: self.state(IGB0)["VFs"] == 3 and self.state(IGB0)["State"] == "ok", "the policy")
        self.assert_nics()

    def test_a_card_that_comes_anew_gets_its_policy(self):
        self.settle()
        _, result, _, message = self.run_job("Remove", "sa{sv}", IGB0, {"rescan": ("b", True)})
        self.assertEqual(result, "done", message)
        self.stage.until(lambda: self.state(IGB0)["VFs"] == 3 and self.state(IGB0)["State"] == "ok", "the policy")
        self.assert_nics()
        self.assertEqual(self.jobs()[-1][1:], ("apply", IGB0, "done", "arrival"))

    def test_a_card_that_is_back_before_its_job_has_ended_comes_anew_all_the_same(self):
        self.settle()
        self.bus.match()
        self.assertIsNotNone(self.stage.sim("fault", "bus/pci/rescan", "block"))
        job = self.bus.call("Remove", "sa{sv}", IGB0, {"rescan": ("b", True)})
        self.stage.until(lambda: "rescan" in self.stage.sim("flying"), "the rescan")
        # Who wrote is in no hurry to say so.
        workers = self.stage.children("sriovd")
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        try:
            self.stage.sim("clear")
            self.stage.sim("release")
            self.stage.until(lambda: IGB0 in dict(self.bus.call("ListPFs")) and self.state(IGB0)["Driver"] == "igb",
                             "the card")
            self.assertNotEqual(self.bus.get(job, JOB, "State"), "ended")
        finally:
            for pid in workers:
                os.kill(pid, signal.SIGCONT)
        self.stage.until(lambda: self.state(IGB0)["VFs"] == 3 and self.state(IGB0)["State"] == "ok", "the policy")
        self.assertEqual(self.jobs()[-1][1:], ("apply", IGB0, "done", "arrival"))

    def test_another_manager_is_not_fought_for_ever(self):
        self.settle()
        self.bus.match()
        took = []
        for _ in range(3):
            self.foreign(f"{IGB0}/sriov_numvfs", "0")
            began = time.monotonic()
            self.wait_drift("vfs")
            self.bus.wait_signal("JobRemoved", lambda s: s.body[2] == "done", seconds=60)
            took.append(time.monotonic() - began)
        self.assertEqual(len([j for j in self.jobs() if j[4] == "drift"]), 3)
        # 1 s, then 2 and 4: never sooner.
        self.assertGreater(took[1], 2)
        self.assertGreater(took[2], 4)


class DriftFromTheKernelsChoice(WithDrift):
    policies = {"10-nics.conf": EARLY % (IGB0, 'vf_default = { driver = "default"; };')}

    def test_a_vf_that_lost_its_driver_gets_it_back(self):
        self.settle()
        self.bus.match()
        self.assertIsNotNone(self.stage.sim("write", "bus/pci/drivers/igbvf/unbind", "0000:01:10.0"))
        self.assertEqual(self.wait_drift("driver"), (IGB0, "default", "none"))
        self.stage.until(lambda: [v["Driver"] for v in self.vfs(IGB0)] == ["igbvf"] * 2, "its driver")
        self.assertEqual(self.diff(), [])


class Reluctant(WithDrift):
    policies = {"10-nics.conf": NICS.replace("vfs = 3;", "vfs = 3;  reconcile = false;")}

    def test_drift_that_is_not_to_be_repaired_is_told_and_left(self):
        self.settle()
        self.bus.match()
        self.foreign(f"{IGB0}/sriov_numvfs", "0")
        self.assertEqual(self.wait_drift("vfs"), (IGB0, "3", "0"))
        before = self.jobs()
        time.sleep(3)
        self.assertEqual((self.jobs(), self.state(IGB0)["VFs"]), (before, 0))


if __name__ == "__main__":
    main()
