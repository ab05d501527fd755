#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""End: those who die or whose file goes, and a daemon that dies, hangs or stops

Each test is named after the promise it keeps.
"""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from case import WithGate, main  # noqa: E402
from stage import IGB0, IGB1, until  # noqa: E402


class Ends(WithGate):
    def setUp(self):
        super().setUp()
        self.file, self.other = self.tree.fn(IGB0, "sriov_numvfs"), self.tree.fn(IGB1, "sriov_numvfs")


class Before(Ends):
    """Who had a door open before the gate"""

    def setUp(self):
        super().setUp()
        self.stage.stop()

    def test_is_listed_as_unordered_until_he_closes_it(self):
        early, reader = self.puppet(), self.puppet()
        fd = early.open(self.file)
        self.assertGreaterEqual(reader.open(self.other, "rdonly"), 0)
        self.stage.start()
        until(lambda: self.stage.programs("unordered") == [early.process.pid], "the list of the unordered")
        # He keeps nobody out.
        second, more = self.enter(self.other)
        self.close(second, more)
        self.close(early, fd)
        until(lambda: self.stage.programs("unordered") == [], "an empty list")

    def test_is_forgotten_when_he_dies(self):
        early = self.puppet()
        early.open(self.file)
        self.stage.start()
        until(lambda: self.stage.programs("unordered") == [early.process.pid], "the list of the unordered")
        early.kill()
        until(lambda: self.stage.programs("unordered") == [], "an empty list")


class Openers(Ends):
    def test_who_is_killed_inside_gives_his_turn_away(self):
        first, _ = self.enter(self.file)
        second = self.puppet()
        self.stage.knock(second, self.other)
        first.kill()
        self.assert_in(second)

    def test_who_is_killed_while_he_waits_is_canceled_and_the_next_goes_on(self):
        first, fd = self.enter(self.file)
        second, third = self.puppet(), self.puppet()
        self.stage.knock(second, self.other)
        self.stage.knock(third, self.other)
        second.kill()
        self.stage.until_log(r"job \d+: \S+ canceled")
        self.assert_held(third)
        self.close(first, fd)
        self.assert_in(third)

    def test_who_is_killed_first_of_all_leaves_nobody_behind(self):
        first, fd = self.enter(self.file)
        puppets = [self.puppet() for _ in range(20)]
        for p in puppets:
            self.stage.knock(p, self.other)
        for p in puppets[::2]:
            p.kill()
        self.close(first, fd)
        for p in puppets[1::2]:
            self.close(p, self.assert_in(p))
        self.assertEqual(self.stage.ctl("jobs", "--no-legend").stdout.strip(), "")

    def test_a_file_that_vanishes_ends_the_turn_when_its_descriptor_is_closed(self):
        first, fd = self.enter(self.tree.fn(IGB0, "rescan"))
        second = self.puppet()
        self.stage.knock(second, self.other)
        os.unlink(self.tree.fn(IGB0, "rescan"))
        self.assert_held(second, "it still has the file")
        self.close(first, fd)
        self.assert_in(second)

    def test_a_file_that_vanishes_while_somebody_waits_for_it_lets_him_in(self):
        first, fd = self.enter(self.other)
        second = self.puppet()
        self.stage.knock(second, self.tree.fn(IGB0, "rescan"))
        self.tree.remove(IGB0)
        self.close(first, fd)
        self.assertIsNotNone(second.answer(), "an answer, whatever it is")


class Daemon(Ends):
    def hold(self, n):
        """One inside and n that wait"""
        self.enter(self.file)
        puppets = [self.puppet() for _ in range(n)]
        for p in puppets:
            self.stage.knock(p, self.other)
        return puppets

    def go_on(self, puppets):
        for p in puppets:
            self.assert_in(p, 10)

    def test_killed_lets_all_go_on_who_are_held(self):
        puppets = self.hold(20)
        begun = time.monotonic()
        self.stage.stop(signal.SIGKILL)
        self.go_on(puppets)
        print(f"({1000 * (time.monotonic() - begun):.0f} ms until 20 were on their way) ", end="")

    def test_stopped_lets_all_go_on_who_are_held(self):
        puppets = self.hold(20)
        self.assertEqual(self.stage.stop(), 0)
        self.go_on(puppets)

    def test_that_hangs_keeps_them_and_goes_on_as_if_nothing_had_been(self):
        first, fd = self.enter(self.file)
        second, third = self.puppet(), self.puppet()
        self.stage.knock(second, self.other)
        self.stage.daemon.send_signal(signal.SIGSTOP)
        third.send("open", "wronly", self.other)
        self.close(first, fd)
        self.assert_held(second)
        self.assert_held(third)
        self.stage.daemon.send_signal(signal.SIGCONT)
        self.close(second, self.assert_in(second))
        self.assert_in(third)

    def test_has_its_gate_again_after_a_kill(self):
        self.hold(3)
        self.stage.stop(signal.SIGKILL)
        for p in self.stage.puppets:
            p.kill()
        self.stage.start()
        self.assertEqual(self.stage.ctl("jobs", "--no-legend").stdout.strip(), "", "no job of theirs is left")
        first, fd = self.enter(self.file)
        second = self.puppet()
        self.stage.knock(second, self.other)
        self.assert_held(second)
        self.close(first, fd)
        self.assert_in(second)


class Children(Ends):
    def children(self):
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
                    if int(f.read().rsplit(")", 1)[1].split()[1]) == self.stage.daemon.pid:
                        found.append(int(pid))
            except (FileNotFoundError, ProcessLookupError):
                pass
        return found

    def test_a_job_of_ours_writes_doors_without_waiting_for_itself(self):
        p = self.stage.ctl("set", IGB0, "2")
        self.assertIn("2 VFs asked for, the driver made 0", p.stderr, "plain files make no VFs, but are written")
        self.assertIn("sriov_numvfs = 2", self.stage.log())

    def test_a_job_of_ours_waits_for_who_has_his_turn(self):
        first, fd = self.enter(self.file)
        p = self.stage.start_ctl("rescan")
        self.stage.until_log("job 2: rescan")
        self.assertIsNone(p.poll())
        self.close(first, fd)
        self.assertEqual(p.wait(30), 0, p.stdout.read())
        p.stdout.close()

    def has_ear(self, pid):
        try:
            return "anon_inode:[fanotify]" in self.stage.fds(pid).values()
        except (FileNotFoundError, ProcessLookupError):
            return False

    def test_no_child_has_the_descriptor_that_would_keep_all_waiting(self):
        workers = set()
        p = self.stage.start_ctl("set", IGB0, "2")
        while p.poll() is None:
            for pid in self.children():
                try:
                    fds = self.stage.fds(pid)
                except (FileNotFoundError, ProcessLookupError):
                    continue
                # Between fork and exec it has all that the daemon has; what it keeps closes at exec.
                if "anon_inode:[fanotify]" in fds.values():
                    until(lambda pid=pid: not self.has_ear(pid), "its exec")
                workers.add(pid)
        p.stdout.close()
        self.assertTrue(workers, "no worker was seen")

    def test_who_opens_in_the_middle_of_a_job_of_ours_waits_for_its_end(self):
        p = self.stage.start_ctl("set", IGB0, "2")
        self.stage.until_log(r"job 1: set-vfs 2")
        other = self.puppet()
        other.send("open", "wronly", self.other)
        self.close(other, self.assert_in(other))
        self.stage.until_log(r"job 2: .* is let in")
        log = self.stage.log()
        self.assertLess(log.index("job 1: set-vfs failed"), log.index(" is let in"), log)
        p.communicate()


class Latches(Ends):
    """Files that are held only while a job of ours works on that PF"""

    def test_are_free_while_no_job_works_on_their_pf(self):
        self.enter(self.file)
        for name in ("driver_override", "sriov_drivers_autoprobe"):
            jobs = self.stage.n_jobs()
            self.assertGreaterEqual(self.puppet().open(self.tree.fn(IGB0, name)), 0)
            self.assertEqual(self.stage.n_jobs(), jobs)

    def test_are_held_while_one_does(self):
        p = self.stage.start_ctl("set", IGB0, "2")
        self.stage.until_log(r"sriov_drivers_autoprobe = 0 \(job 1")
        other, third = self.puppet(), self.puppet()
        other.send("open", "wronly", self.tree.fn(IGB0, "driver_override"))
        third.send("open", "wronly", self.tree.fn(IGB1, "driver_override"))
        self.close(third, self.assert_in(third))
        self.close(other, self.assert_in(other))
        p.communicate()
        # Its mark went with our job, so that no close is told of: the descriptors are looked at.
        self.stage.until_log(r"job 2: foreign done")
        log = self.stage.log()
        self.assertLess(log.index("job 1: set-vfs failed"), log.index(" is let in"), log)
        self.assertEqual(self.stage.n_jobs(), 2, "the other PF's is free")

    def test_are_free_again_after_it(self):
        self.stage.ctl("set", IGB0, "2")
        jobs = self.stage.n_jobs()
        self.assertGreaterEqual(self.puppet().open(self.tree.fn(IGB0, "driver_override")), 0)
        self.assertEqual(self.stage.n_jobs(), jobs)


if __name__ == "__main__":
    main()
