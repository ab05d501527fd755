#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Sleep: nothing is begun from logind's word on, and the host does not go to sleep in the middle of a write"""
import os
import subprocess
import sys
import threading
import queue

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from case import IGB0, IGB1, NONE, PF, WithStage, main  # noqa: E402


class WithLogind(WithStage):
    def setUp(self):
        super().setUp()
        self.logind = subprocess.Popen([os.environ["FAKE_LOGIND"]], env=self.stage.env, stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True, bufsize=1)
        self.addCleanup(self.end_logind)
        self.lines = queue.Queue()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.assertEqual(self.line(), "ready")
        # The daemon asks when it comes to its bus; this logind came after it.
        self.stage.stop("sriovd")
        self.bus.close()
        self.stage.start_daemon()
        self.bus = self.stage.bus()
        self.assertEqual(self.line(), "locked sleep delay")

    def read(self):
        for line in self.logind.stdout:
            self.lines.put(line.strip())

    def line(self):
        return self.lines.get(timeout=30)

    def end_logind(self):
        self.logind.kill()
        self.logind.wait(10)
        self.logind.stdin.close()
        self.reader.join(10)
        self.logind.stdout.close()

    def tell(self, what):
        self.logind.stdin.write(what + "\n")


class Sleep(WithLogind):
    def test_what_is_asked_for_in_sleep_begins_when_the_host_is_awake(self):
        self.tell("sleep")
        self.assertEqual(self.line(), "free")
        self.bus.match()
        path = self.bus.call("SetVFs", "sua{sv}", IGB0, 2, NONE)
        self.assertEqual([j[1] for j in self.bus.call("ListJobs")], ["waiting"])
        self.assertEqual(self.stage.writes("sriov_numvfs"), 0)
        self.tell("wake")
        self.assertEqual(self.line(), "locked sleep delay")
        m = self.bus.wait_signal("JobRemoved", lambda s: s.body[1] == path)
        self.assertEqual(m.body[2], "done")
        self.assertEqual(self.stage.writes("sriov_numvfs"), 1)

    def test_a_write_that_is_under_way_is_waited_for_and_the_next_is_not_begun(self):
        self.assertIsNotNone(self.stage.sim("fault", f"bus/pci/devices/{IGB0}/sriov_numvfs", "block"))
        self.bus.match()
        first = self.bus.call("SetVFs", "sua{sv}", IGB0, 2, NONE)
        self.stage.until(lambda: "sriov_numvfs" in self.stage.sim("flying"), "the write")
        second = self.bus.call("SetVFs", "sua{sv}", IGB1, 2, NONE)
        self.tell("sleep")
        with self.assertRaises(queue.Empty):
            self.lines.get(timeout=1)
        self.stage.sim("release")
        self.assertEqual(self.line(), "free")
        self.assertEqual(self.stage.writes("sriov_numvfs"), 1)
        self.tell("wake")
        for path in (first, second):
            m = self.bus.wait_signal("JobRemoved", lambda s, path=path: s.body[1] == path)
            self.assertEqual(m.body[2], "done")

    def test_a_logind_that_goes_leaves_no_host_asleep(self):
        self.tell("sleep")
        self.assertEqual(self.line(), "free")
        self.stage.stop("dbus-daemon")
        self.bus.close()
        self.stage.start_bus()
        self.bus = self.stage.bus()
        _, result, _, message = self.run_job("SetVFs", "sua{sv}", IGB0, 1, NONE)
        self.assertEqual(result, "done", message)


class WithPolicy(WithLogind):
    TEXT = ""

    def make_stage_ready(self):
        os.mkdir(self.stage.path("policy.d"))
        with open(self.stage.path("policy.d/10.conf"), "w", encoding="utf-8") as f:
            f.write(self.TEXT)
        self.stage.env["SRIOVD_POLICY"] = self.stage.path("policy.d")

    def counts(self):
        return [self.bus.get(self.pf_path(pf), PF, "VFs") for pf in (IGB0, IGB1)]


class SleepWithPolicy(WithPolicy):
    """What is there before the sleep and marked for it is gone in it, and there again after it."""
    TEXT = ('policy = ( { name = "nic"; match = { address = "%s"; }; vfs = 2; disable_on_sleep = true; reconcile = false; },'
            ' { name = "other"; match = { address = "%s"; }; vfs = 1; } );' % (IGB0, IGB1))

    def test_a_pf_that_is_to_be_off_in_sleep_is_and_comes_back(self):
        self.bus.call("WaitBoot", "")
        self.assertEqual(self.counts(), [2, 1])
        self.tell("sleep")
        self.assertEqual(self.line(), "free")
        self.assertEqual(self.counts(), [0, 1])
        self.tell("wake")
        self.assertEqual(self.line(), "locked sleep delay")
        self.stage.until(lambda: self.counts() == [2, 1], "the VFs")

    def test_what_somebody_asked_for_in_the_sleep_is_what_it_comes_back_to(self):
        self.bus.call("WaitBoot", "")
        self.tell("sleep")
        self.assertEqual(self.line(), "free")
        self.bus.match()
        path = self.bus.call("SetVFs", "sua{sv}", IGB0, 1, NONE)
        self.tell("wake")
        self.assertEqual(self.bus.wait_signal("JobRemoved", lambda s: s.body[1] == path).body[2], "done")
        self.assertEqual(self.bus.wait_signal("JobRemoved", lambda s: s.body[1] != path).body[2], "canceled")
        self.assertEqual(self.counts(), [1, 1])

    def test_what_was_done_by_hand_before_the_sleep_went_with_it(self):
        self.bus.call("WaitBoot", "")
        self.assertEqual(self.run_job("SetVFs", "sua{sv}", IGB0, 1, NONE)[1], "done")
        self.tell("sleep")
        self.assertEqual(self.line(), "free")
        self.assertEqual(self.counts(), [0, 1])
        self.tell("wake")
        self.stage.until(lambda: self.counts() == [2, 1], "the VFs")

    def applies(self):
        return [j[3] for j in self.bus.call("ListJobs")].count("apply")

    def test_a_host_that_wakes_too_early_gets_back_what_is_on_its_way_down(self):
        self.bus.call("WaitBoot", "")
        before = self.applies()
        self.assertIsNotNone(self.stage.sim("fault", f"bus/pci/devices/{IGB0}/sriov_numvfs", "block"))
        self.tell("sleep")
        self.stage.until(lambda: "sriov_numvfs" in self.stage.sim("flying"), "the write")
        self.tell("wake")
        self.assertEqual(self.line(), "locked sleep delay")
        self.stage.sim("clear")
        self.stage.sim("release")
        self.stage.until(lambda: self.applies() > before, "its return")
        self.stage.until(lambda: self.counts() == [2, 1], "the VFs")

    def test_it_comes_back_also_by_a_daemon_that_knew_nothing_of_the_sleep(self):
        self.bus.call("WaitBoot", "")
        self.tell("sleep")
        self.assertEqual(self.line(), "free")
        self.assertEqual(self.counts(), [0, 1])
        self.bus.close()
        self.stage.stop("sriovd", kill=True)
        self.stage.start_daemon()
        self.bus = self.stage.bus()
        self.stage.until(lambda: self.counts() == [2, 1], "the VFs")


class SleepThatKeeps(WithPolicy):
    """A policy that says no number of VFs does not know how many there were."""
    TEXT = 'policy = ( { name = "nic"; match = { address = "%s"; }; vfs = "keep"; disable_on_sleep = true; } );' % IGB0

    def test_a_pf_that_is_to_be_off_in_sleep_is_and_comes_back(self):
        self.bus.call("WaitBoot", "")
        self.assertEqual(self.run_job("SetVFs", "sua{sv}", IGB0, 3, NONE)[1], "done")
        self.tell("sleep")
        self.assertEqual(self.line(), "free")
        self.assertEqual(self.counts(), [0, 0])
        self.tell("wake")
        self.stage.until(lambda: self.counts() == [3, 0], "the VFs")

    def test_it_comes_back_also_by_a_daemon_that_knew_nothing_of_the_sleep(self):
        self.assertEqual(self.run_job("SetVFs", "sua{sv}", IGB0, 3, NONE)[1], "done")
        self.tell("sleep")
        self.assertEqual(self.line(), "free")
        self.bus.close()
        self.stage.stop("sriovd", kill=True)
        self.stage.start_daemon()
        self.bus = self.stage.bus()
        self.stage.until(lambda: self.counts() == [3, 0], "the VFs")

    def test_what_somebody_asked_for_in_the_sleep_is_what_it_comes_back_to(self):
        self.assertEqual(self.run_job("SetVFs", "sua{sv}", IGB0, 3, NONE)[1], "done")
        self.tell("sleep")
        self.assertEqual(self.line(), "free")
        self.bus.match()
        self.bus.signals.clear()
        path = self.bus.call("SetVFs", "sua{sv}", IGB0, 1, NONE)
        self.tell("wake")
        self.assertEqual(self.bus.wait_signal("JobRemoved", lambda s: s.body[1] == path).body[2], "done")
        self.assertEqual(self.bus.wait_signal("JobRemoved", lambda s: s.body[1] != path).body[2], "canceled")
        self.assertEqual(self.counts(), [1, 0])


class SleepThatForgets(WithPolicy):
    """A sleep may cost a VF what it was given, and no event tells of it."""
    TEXT = ('policy = ( { name = "nic"; match = { address = "%s"; }; vfs = 2; vf_default = { vlan = 7; }; } );' % IGB0)

    def test_what_was_lost_in_it_is_seen_and_put_right(self):
        self.bus.call("WaitBoot", "")
        self.tell("sleep")
        self.assertEqual(self.line(), "free")
        self.assertIsNotNone(self.stage.sim("give", IGB0, "1", "vlan=0"))
        self.bus.match()
        self.tell("wake")
        m = self.bus.wait_signal("Drift")
        self.assertEqual((m.body[1]["what"][1], m.body[1]["seen"][1]), ("vlan", "vlan=0 qos=0 vlan-proto=802.1Q"))
        self.stage.until(lambda: self.stage.sim("given", IGB0).count("vlan=7") == 2, "its VLAN")


if __name__ == "__main__":
    main()
