#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Users: who uses what, declared or found, and what is stuck, over the bus

Each test is named after the promise it keeps.
"""
import os
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from case import E, IGB0, IGB1, JOB, MANAGER, NONE, NVME, PF, PORT, WithStage, main  # noqa: E402
import wire  # noqa: E402

FN = "bus/pci/devices/"
WORKER = "sriovd-worker"
VF0, VF1 = "0000:01:10.0", "0000:01:10.2"
FORCE = {"force": ("as", ["in-use"])}


class WithUsers(WithStage):
    deadline = 3

    def make_vfio(self, number=2):
        _, result, _, message = self.run_job("SetVFs", "sua{sv}", IGB0, number, {"driver": ("s", "vfio-pci")})
        self.assertEqual(result, "done", message)

    def sim_ok(self, *words):
        self.assertIsNotNone(self.stage.sim(*words), words)

    def holders(self, function="", bus=None):
        """As tuples, sorted."""
        return sorted(tuple(h[k][1] for k in ("function", "kind", "pid", "command", "detail", "force"))
                      for h in (bus or self.bus).call("Holders", "s", function))

    def kinds(self, function=""):
        return [h[1] for h in self.holders(function)]

    def hold(self, function, who="backup", why="nightly", mode="block"):
        fd = self.bus.call("Hold", "ssss", function, who, why, mode)
        self.addCleanup(self.close, fd)
        return fd

    @staticmethod
    def close(fd):
        try:
            os.close(fd)
        except OSError:
            pass


class Holders(WithUsers):
    def test_each_holder_has_function_kind_who_and_what_overrides_it(self):
        self.make_vfio()
        self.sim_ok("hold", VF0)
        self.sim_ok("use", NVME, "mount", "/dev/nvme0n1", "on", "/srv")
        vfio = (VF0, "vfio", 4711, "qemu-system-x86", "in-use")
        mount = (NVME, "mount", 0, "", "/dev/nvme0n1 on /srv", "storage")
        got = self.holders()
        self.assertEqual(len(got), 2, got)
        self.assertEqual(got[0][:4] + got[0][5:], vfio)
        self.assertTrue(got[0][4].startswith("/dev/vfio/"), got)
        self.assertEqual(got[1], mount)
        self.assertEqual(self.holders(VF0), got[:1])
        # Those of a PF are its VFs' as well, for they are lost with it.
        self.assertEqual(self.holders(IGB0), got[:1])
        self.assertEqual(self.holders(IGB1), [])
        self.assertEqual(self.holders(IGB0 + "/vf1"), [])
        self.assertEqual(self.holders(NVME), [mount])
        self.sim_ok("drop", VF0)
        self.sim_ok("unuse", NVME)
        self.assertEqual(self.holders(), [])

    def test_a_job_that_is_refused_says_who_is_in_the_way(self):
        self.make_vfio()
        self.sim_ok("hold", VF0)
        self.sim_ok("use", VF1, "unknown", "cannot read /proc")
        writes = self.stage.writes()
        self.bus.match()
        job = self.bus.call("SetVFs", "sua{sv}", IGB0, 0, NONE)
        m = self.bus.wait_signal("JobRemoved", lambda s: s.body[1] == job)
        self.assertEqual(m.body[2:4], ["refused", E + "InUse"])
        self.assertNotIn("\n", m.body[4])
        told = self.bus.get(job, JOB, "Holders")
        self.assertEqual(sorted((h["function"][1], h["kind"][1], h["force"][1]) for h in told),
                         [(VF0, "vfio", "in-use"), (VF1, "unknown", "in-use")])
        self.assertEqual(self.bus.get(job, JOB, "Stuck"), "")
        self.assertEqual(self.stage.writes(), writes)
        self.sim_ok("drop", VF0)

    def test_in_use_is_not_enough_for_storage(self):
        self.sim_ok("use", NVME, "mount")
        _, result, error, message = self.run_job("Unbind", "sa{sv}", NVME, FORCE)
        self.assertEqual((result, error), ("refused", E + "InUse"))
        self.assertIn("storage", message)
        self.assertEqual(self.stage.writes(), 0)
        _, result, _, message = self.run_job("Unbind", "sa{sv}", NVME, {"force": ("as", ["storage"])})
        self.assertEqual(result, "done", message)

    def test_users_are_told_while_a_write_is_stuck(self):
        self.make_vfio()
        self.sim_ok("hold", VF0)
        self.sim_ok("fault", FN + IGB1 + "/sriov_numvfs", "block")
        job = self.bus.call("SetVFs", "sua{sv}", IGB1, 1, NONE)
        self.stage.until(lambda: self.bus.get(job, JOB, "State") == "wedged", "the deadline")
        begun = time.monotonic()
        self.assertEqual(self.kinds(), ["vfio"])
        # 100 ms is the promise, which a machine under test need not keep; a write that is waited for takes for ever.
        self.assertLess(time.monotonic() - begun, 5)
        self.assertEqual(self.bus.get("/org/sriovd1", MANAGER, "State"), "wedged")
        stuck = self.bus.get(job, JOB, "Stuck")
        self.assertIn("sriov_numvfs_store", stuck)
        self.refused(E + "Wedged", "SetVFs", "sua{sv}", NVME, 1, NONE)
        self.refused(E + "Quarantined", "SetVFs", "sua{sv}", IGB1, 0, NONE)
        p = self.stage.ctl("users")
        self.assertEqual(p.returncode, 0, p.stderr)
        self.sim_ok("release")
        self.stage.until(lambda: self.bus.get("/org/sriovd1", MANAGER, "State") == "idle", "the end")
        self.assertEqual(self.bus.get(job, JOB, "Result"), "done")
        self.assertEqual(self.bus.get(job, JOB, "Stuck"), stuck)
        self.sim_ok("drop", VF0)

    def test_one_vf_that_is_held_keeps_nobody_else_from_anything(self):
        self.make_vfio()
        self.sim_ok("hold", VF0)
        job = self.bus.call("SetVFs", "sua{sv}", IGB0, 0, FORCE)
        self.stage.until(lambda: self.bus.get(job, JOB, "State") == "wedged", "the deadline")
        self.assertIn("vfio_unregister_group_dev", self.bus.get(job, JOB, "Stuck"))
        self.assertEqual(self.bus.get(self.pf_path(IGB0), PF, "State"), "quarantined")
        self.refused(E + "Quarantined", "SetVFs", "sua{sv}", IGB0, 1, NONE)
        self.refused(E + "Quarantined", "Remove", "sa{sv}", PORT, NONE)
        self.refused(E + "Quarantined", "Rescan", "sa{sv}", "", NONE)
        self.refused(E + "Quarantined", "Unload", "sa{sv}", "igb", NONE)
        self.assertEqual(self.run_job("SetVFs", "sua{sv}", IGB1, 2, NONE)[1], "done")
        self.assertEqual(self.run_job("SetVFs", "sua{sv}", IGB1, 0, NONE)[1], "done")
        self.assertEqual(self.stage.writes("sriov_numvfs"), 3)
        self.sim_ok("drop", VF0)
        self.stage.until(lambda: self.bus.get(job, JOB, "State") == "ended", "the end")
        self.assertEqual(self.bus.get(job, JOB, "Result"), "done")
        self.assertTrue(self.bus.get(job, JOB, "Warnings"))
        self.stage.until(lambda: self.bus.get(self.pf_path(IGB0), PF, "State") == "ok", "the quarantine's end")

    def test_a_pf_shows_the_declared_holds_of_its_vfs(self):
        self.make_vfio()
        self.hold(VF1)
        self.assertEqual([h[:2] for h in self.holders(IGB0)], [(VF1, "hold")])

    def test_a_held_rtnl_keeps_no_question_from_its_answer(self):
        self.sim_ok("use", IGB0, "netdev")
        self.sim_ok("use", NVME, "mount")
        self.sim_ok("rtnl", "hold")
        self.assertEqual(self.holders(NVME)[0][1], "mount")
        # One waits in the kernel now, and nobody is sent after it: many more than could wait have their answer.
        begun = time.monotonic()
        for _ in range(12):
            got = self.holders()
            self.assertEqual([h[:2] for h in got if h[1] != "unknown"], [(NVME, "mount")])
            self.assertIn((IGB0, "unknown"), [h[:2] for h in got])
        # Each would take two seconds if it waited first.
        self.assertLess(time.monotonic() - begun, 20)
        self.assertTrue(self.bus.call("Diagnose"))
        self.sim_ok("rtnl", "free")
        self.stage.until(lambda: (IGB0, "netdev") in [h[:2] for h in self.holders()], "the whole answer")
        self.assertNotIn("unknown", self.kinds())

    def test_bad_input_has_its_error(self):
        for case in (
            (E + "NoSuchDevice", "Holders", "s", "0000:99:00.0"),
            (E + "NoSuchDevice", "Holders", "s", "nonesuch"),
            (E + "NoSuchDevice", "Hold", "ssss", "0000:99:00.0", "me", "", "block"),
            (E + "BadOption", "Hold", "ssss", IGB0, "", "", "block"),
            (E + "BadOption", "Hold", "ssss", IGB0, "x" * 32, "", "block"),
            (E + "BadOption", "Hold", "ssss", IGB0, "me", "x" * 128, "block"),
            (E + "BadOption", "Hold", "ssss", IGB0, "two\nlines", "", "block"),
            (E + "BadOption", "Hold", "ssss", IGB0, "me", "", "maybe"),
            (E + "BadOption", "SetVFs", "sua{sv}", IGB0, 1, {"on-failure": ("s", "panic")}),
            (E + "BadOption", "SetVFs", "sua{sv}", IGB0, 1, {"on-failure": ("b", True)}),
            (E + "BadOption", "Unbind", "sa{sv}", IGB0, {"on-failure": ("s", "keep")}),
        ):
            self.refused(*case)
        for member, signature in (("Holders", ""), ("Hold", "ss"), ("Diagnose", "s")):
            with self.assertRaises(wire.BusError) as caught:
                self.bus.call(member, signature, *[IGB0] * len(signature))
            self.assertEqual(caught.exception.name, "org.freedesktop.DBus.Error.InvalidArgs")
        self.assertEqual(self.stage.writes(), 0)


class Hold(WithUsers):
    def test_a_hold_is_a_use_as_long_as_its_descriptor_is_open(self):
        fd = self.hold(IGB0)
        self.assertEqual(self.holders(IGB0), [(IGB0, "hold", os.getpid(), "backup", "nightly", "in-use")])
        _, result, error, _ = self.run_job("Unbind", "sa{sv}", IGB0, NONE)
        self.assertEqual((result, error), ("refused", E + "InUse"))
        self.assertEqual(self.stage.writes(), 0)
        copy = os.dup(fd)
        os.close(fd)
        self.assertEqual(self.kinds(IGB0), ["hold"])
        os.close(copy)
        self.stage.until(lambda: not self.kinds(IGB0), "the release")
        self.assertEqual(self.run_job("Unbind", "sa{sv}", IGB0, NONE)[1], "done")

    def test_a_note_refuses_nothing(self):
        self.hold(IGB0, mode="note")
        self.assertEqual(self.holders(IGB0)[0][1::4], ("note", ""))
        self.assertEqual(self.run_job("Unbind", "sa{sv}", IGB0, NONE)[1], "done")

    def test_force_goes_on_against_a_hold(self):
        self.hold(IGB0)
        self.assertEqual(self.run_job("Unbind", "sa{sv}", IGB0, FORCE)[1], "done")

    def test_a_hold_outlives_the_daemon(self):
        fd = self.hold(IGB0)
        self.bus.close()
        self.stage.stop("sriovd", kill=True)
        self.stage.start_daemon()
        self.bus = self.stage.bus()
        self.addCleanup(self.bus.close)
        self.assertEqual(self.kinds(IGB0), ["hold"])
        self.assertEqual(self.run_job("Unbind", "sa{sv}", IGB0, NONE)[1], "refused")
        os.close(fd)
        self.stage.until(lambda: not self.kinds(IGB0), "the release")
        self.assertEqual(os.listdir(self.stage.path("run/holds")), [])

    def test_one_that_ends_while_no_daemon_is_there_is_gone_for_the_next(self):
        fd = self.hold(IGB0)
        self.bus.close()
        self.stage.stop("sriovd", kill=True)
        os.close(fd)
        self.stage.start_daemon()
        self.bus = self.stage.bus()
        self.addCleanup(self.bus.close)
        self.assertEqual(self.kinds(IGB0), [])
        self.assertEqual(self.run_job("Unbind", "sa{sv}", IGB0, NONE)[1], "done")

    def test_the_private_socket_passes_it_as_well(self):
        peer = wire.Bus(self.stage.path("run/private"), hello=False)
        self.addCleanup(peer.close)
        fd = peer.call("Hold", "ssss", IGB0, "me", "", "block")
        self.assertEqual(self.kinds(IGB0), ["hold"])
        os.close(fd)
        self.stage.until(lambda: not self.kinds(IGB0), "the release")

    def test_a_hold_comes_too_late_for_a_job_at_work(self):
        self.sim_ok("fault", "unbind", "block")
        self.bus.match()
        job = self.bus.call("Unbind", "sa{sv}", IGB0, NONE)
        self.stage.until(lambda: "unbind" in self.stage.sim("flying"), "the write")
        self.refused(E + "Busy", "Hold", "ssss", IGB0, "me", "", "block")
        self.sim_ok("release")
        self.bus.wait_signal("JobRemoved", lambda s: s.body[1] == job)

    @unittest.skipUnless(os.geteuid() == 0, "is about root and others")
    def test_others_may_look_and_not_hold(self):
        p = self.stage.ctl("users", user="nobody")
        self.assertEqual(p.returncode, 0, p.stderr)
        p = self.stage.ctl("hold", IGB0, "--", "true", user="nobody")
        self.assertEqual(p.returncode, 6, p.stderr)


class Diagnose(WithUsers):
    def findings(self):
        return [tuple(f[k][1] for k in ("check", "state", "subject", "text")) for f in self.bus.call("Diagnose")]

    def test_each_finding_has_its_state(self):
        findings = self.findings()
        self.assertTrue(findings)
        for check, state, _, text in findings:
            self.assertTrue(check and text and "\n" not in text, (check, text))
            self.assertIn(state, ("ok", "warn", "bad"))
        self.assertEqual(self.stage.writes(), 0)

    def test_a_stranger_who_is_stuck_is_found_and_nothing_is_written_behind_him(self):
        self.sim_ok("fault", FN + IGB0 + "/sriov_numvfs", "block")
        self.stage.start("stranger", [os.environ["SIM_CTL"], "write", FN + IGB0 + "/sriov_numvfs", "1"])
        self.stage.until(lambda: "sriov_numvfs" in self.stage.sim("flying"), "the stranger's write")
        pid = self.stage.processes["stranger"].pid
        bad = [f for f in self.findings() if f[1] == "bad" and "sriov_numvfs_store" in f[3] + f[2]]
        self.assertTrue(any(str(pid) in f[2] + f[3] for f in bad), self.findings())
        writes = self.stage.writes()
        _, result, error, message = self.run_job("SetVFs", "sua{sv}", IGB1, 1, NONE)
        self.assertEqual((result, error), ("refused", E + "Wedged"))
        self.assertIn(str(pid), message)
        self.assertEqual(self.stage.writes(), writes)
        self.sim_ok("release")
        self.stage.until(lambda: self.stage.processes["stranger"].poll() is not None, "the stranger's end")
        self.assertEqual(self.run_job("SetVFs", "sua{sv}", IGB1, 1, NONE)[1], "done")


def name_of(pid):
    with open(f"/proc/{pid}/comm", encoding="utf-8") as f:
        return f.read().strip()


class Unanswered(WithUsers):
    """Children that are asked and do not answer: here they are stopped, on a host they would sleep in the kernel."""

    @staticmethod
    def end(pid):
        """
        Not SIGCONT once more: the sanitizer stops a process that ends, to look for leaks. Where the signal takes that back, it
        waits for ever, and the process with it, on a CPU.
        """
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def stop_idle_worker(self, stopped):
        """While a job is stuck there is always one that waits to be asked. False where all have been asked."""
        daemon = self.stage.processes["sriovd"].pid
        with open(f"/proc/{daemon}/task/{daemon}/children", encoding="ascii") as f:
            children = {int(pid) for pid in f.read().split()}
        # One that has its name waits already; before that the daemon may be waiting for its exec().
        idle = {pid for pid in children - stopped - {self.busy} if name_of(pid) == WORKER}
        for pid in idle:
            os.kill(pid, signal.SIGSTOP)
            self.addCleanup(self.end, pid)
        stopped |= idle
        return bool(idle)

    def replies(self, *serials):
        """The error of each, None for one that has an answer."""
        while not set(serials) <= set(self.errors):
            m = self.bus.message()
            if wire.REPLY in m.fields:
                self.errors[m.fields[wire.REPLY]] = m.fields.get(wire.ERROR_NAME)
        return [self.errors[s] for s in serials]

    def ask(self):
        """Who asks for users would be answered without what cannot be had, by another child."""
        return self.bus.send("Diagnose", "/org/sriovd1", MANAGER, "org.sriovd1", "", [])

    def test_who_asks_hears_in_time_that_there_is_no_answer_and_not_too_many_wait(self):
        self.sim_ok("fault", FN + IGB1 + "/sriov_numvfs", "block")
        job = self.bus.call("SetVFs", "sua{sv}", IGB1, 1, NONE)
        self.stage.until(lambda: self.bus.get(job, JOB, "State") == "wedged", "the deadline")
        with open(self.stage.path(f"run/jobs/{self.bus.get(job, JOB, 'Id')}"), encoding="utf-8") as f:
            self.busy = int([line.split() for line in f if line.startswith("begin ")][-1][2])
        stopped, serials, self.errors = set(), [], {}
        # As many as are asked at once, each of one that is stopped.
        while len(stopped) < 4:
            n = len(stopped)
            self.stage.until(lambda: self.stop_idle_worker(stopped), "an idle worker")
            # There may be two, where one has just come back from a look of the daemon's own.
            serials += [self.ask() for _ in range(len(stopped) - n)]
            # Whatever it has to do makes the daemon see to it that one is idle again.
            self.replies(self.bus.send("Reload", "/org/sriovd1", MANAGER, "org.sriovd1", "", []))
        while len(serials) < 24:
            serials.append(self.ask())
        self.assertEqual(self.replies(self.ask()), [E + "QueueFull"])
        # Root on its own socket is let in all the same.
        p = subprocess.run([self.stage.sriovctl, "users"], env=self.stage.env, capture_output=True, text=True,
                           timeout=60, check=False)
        self.assertEqual(p.returncode, 3, p.stderr)
        self.assertEqual(self.replies(*serials), [E + "Timeout"] * 24)
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        self.stage.until(lambda: self.holders(IGB0) == [], "an answer")
        self.sim_ok("release")
        self.stage.until(lambda: self.bus.get(job, JOB, "State") == "ended", "the end")


class OnFailure(WithUsers):
    def test_rollback_goes_back_and_keep_does_not(self):
        self.sim_ok("fault", "bus/pci/drivers/vfio-pci/bind", "errno=EIO", "nth=2")
        options = {"driver": ("s", "vfio-pci"), "on-failure": ("s", "rollback")}
        _, result, error, _ = self.run_job("SetVFs", "sua{sv}", IGB0, 3, options)
        self.assertEqual((result, error), ("failed", E + "Kernel"))
        self.stage.until(lambda: self.bus.get(self.pf_path(IGB0), PF, "VFs") == 0, "no VFs")
        self.sim_ok("clear")
        self.sim_ok("fault", "bus/pci/drivers/vfio-pci/bind", "errno=EIO", "nth=2")
        options["on-failure"] = ("s", "keep")
        _, result, error, _ = self.run_job("SetVFs", "sua{sv}", IGB0, 3, options)
        self.assertEqual((result, error), ("partial", E + "Kernel"))
        self.assertEqual(self.bus.get(self.pf_path(IGB0), PF, "VFs"), 3)


if __name__ == "__main__":
    main()
