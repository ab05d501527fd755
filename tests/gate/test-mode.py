#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Mode: what the gate does in each of its modes, and who is excepted

Each test is named after the promise it keeps.
"""
import errno
import os
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from case import WithGate, main  # noqa: E402
from stage import IGB0, IGB1, read, until  # noqa: E402

VF0 = "0000:01:10.0"


class Off(WithGate):
    mode = "off"

    def test_holds_nobody_and_marks_nothing(self):
        self.enter(self.tree.fn(IGB0, "sriov_numvfs"))
        self.enter(self.tree.fn(IGB0, "sriov_numvfs"))
        self.assertEqual((self.stage.n_jobs(), self.stage.n_marks()), (0, 0))


class Observe(WithGate):
    mode = "observe"

    def test_lets_all_in_at_once_and_names_them(self):
        first, _ = self.enter(self.tree.fn(IGB0, "sriov_numvfs"))
        self.enter(self.tree.fn(IGB0, "sriov_numvfs"))
        self.stage.until_log(rf"sriov_numvfs\b.*'puppet' \(process {first.pid}, uid 0, \S+puppet.*only observed")
        self.assertEqual(self.stage.n_jobs(), 0)

    def test_says_nothing_of_readers(self):
        read(self.tree.fn(IGB0, "sriov_numvfs"))
        self.enter(self.tree.fn(IGB1, "sriov_numvfs"))
        self.stage.until_log("only observed")
        self.assertEqual(self.stage.log().count("only observed"), 1)


class Excepted(WithGate):
    mode = "serialize"

    def setUp(self):
        super().setUp()
        self.other = shutil.copy(os.environ["PUPPET"], self.stage.path("other"))
        self.stage.settings("serialize", more=f'gate_except = [ "/usr/bin/nothing", "{self.other}" ];\n')
        self.assertEqual(self.stage.ctl("reload").returncode, 0)

    def test_programs_pass_while_somebody_has_his_turn_and_are_named(self):
        first, fd = self.enter(self.tree.fn(IGB0, "sriov_numvfs"))
        jobs = self.stage.n_jobs()
        self.assertGreaterEqual(self.puppet(self.other).open(self.tree.fn(IGB1, "sriov_numvfs")), 0)
        self.assertEqual(self.stage.n_jobs(), jobs)
        self.stage.until_log("process .*/other.*sriovd.conf excepts")
        second = self.puppet()
        self.stage.knock(second, self.tree.fn(IGB1, "sriov_numvfs"))
        self.assert_held(second, "not excepted")
        self.close(first, fd)
        self.assert_in(second)


class Changes(WithGate):
    def set(self, mode):
        self.stage.settings(mode)
        p = self.stage.ctl("reload")
        self.assertEqual(p.returncode, 0, p.stderr)

    def test_to_exclusive_refuses_all_who_wait(self):
        """Doors that are locked are not for those who stood before them either."""
        self.enter(self.tree.fn(IGB0, "sriov_numvfs"))
        waiting = [self.puppet() for _ in range(3)]
        for p in waiting:
            self.stage.knock(p, self.tree.fn(IGB1, "sriov_numvfs"))
        self.assertEqual(self.stage.ctl("gate", "exclusive").returncode, 0)
        self.assertEqual([p.answer(30) for p in waiting], [f"error {errno.EPERM}"] * 3)
        self.assertEqual(self.stage.ctl("gate", "serialize").returncode, 0)

    def test_to_off_lets_in_all_who_wait_and_takes_the_marks_away(self):
        first, fd = self.enter(self.tree.fn(IGB0, "sriov_numvfs"))
        waiting = [self.puppet() for _ in range(5)]
        for p in waiting:
            self.stage.knock(p, self.tree.fn(IGB1, "sriov_numvfs"))
        self.set("off")
        for p in waiting:
            self.assert_in(p)
        self.assertEqual(self.stage.n_marks(), 0)
        self.close(first, fd)
        until(lambda: self.stage.ctl("jobs", "--no-legend").stdout.strip() == "", "the end of their jobs")

    def test_to_observe_lets_in_all_who_wait(self):
        self.enter(self.tree.fn(IGB0, "sriov_numvfs"))
        second = self.puppet()
        self.stage.knock(second, self.tree.fn(IGB1, "sriov_numvfs"))
        self.set("observe")
        self.assert_in(second)

    def test_to_and_fro_a_hundred_times_leaves_nothing_behind(self):
        for _ in range(50):
            self.set("serialize")
            self.set("off")
        self.assertEqual(self.stage.n_marks(), 0)
        self.assertEqual([to for to in self.stage.fds().values() if "fanotify" in to or to.startswith(self.tree.sys + "/")], [])

    def test_from_off_to_serialize_holds_again(self):
        self.set("off")
        self.set("serialize")
        first, fd = self.enter(self.tree.fn(IGB0, "sriov_numvfs"))
        second = self.puppet()
        self.stage.knock(second, self.tree.fn(IGB0, "sriov_numvfs"))
        self.assert_held(second)
        self.close(first, fd)
        self.assert_in(second)


class Serialize(WithGate):
    def test_lets_an_unbind_in_whatever_the_driver_has(self):
        self.tree.add_vf(IGB0, VF0)
        self.stage.look()
        self.enter(self.tree.driver("igb", "unbind"))

    def test_takes_the_vfs_down_in_order_before_a_remove_comes_in(self):
        """Plain files do not go when they are told to: so that the first of it fails, and the program is not let in."""
        self.tree.add_vf(IGB0, VF0)
        self.stage.look()
        p = self.puppet()
        self.assertEqual(p.open(self.tree.fn(IGB0, "remove")), -errno.EPERM)
        log = self.stage.log()
        self.assertIn(f"{IGB0}: sriov_numvfs = 0", log)
        self.assertRegex(log, "remove: refused 'puppet'")

    def test_writes_no_count_before_another_program_does(self):
        """echo 1 over one VF must lose nothing."""
        self.tree.add_vf(IGB0, VF0)
        self.stage.look()
        self.enter(self.tree.fn(IGB0, "sriov_numvfs"))
        self.assertEqual(read(self.tree.fn(IGB0, "sriov_numvfs")), "1\n")
        self.assertNotIn("sriov_numvfs = 0", self.stage.log())


class Protect(WithGate):
    mode = "protect"

    def setUp(self):
        super().setUp()
        self.tree.add_driver("ixgbe")
        self.tree.add_vf(IGB0, VF0)
        self.stage.look()

    def test_refuses_the_unbind_of_a_driver_whose_pf_has_vfs_and_says_which(self):
        p = self.puppet()
        self.assertEqual(p.open(self.tree.driver("igb", "unbind")), -errno.EPERM)
        self.stage.until_log(rf"igb/unbind: refused 'puppet' \(process {p.pid}\b.*{IGB0}")
        self.assertIn("sriovctl unbind", self.stage.log())

    def test_lets_the_unbind_of_another_driver_in(self):
        self.enter(self.tree.driver("ixgbe", "unbind"))

    def test_lets_a_bind_in(self):
        self.enter(self.tree.driver("igb", "bind"))

    def test_refuses_the_reset_of_a_pf_with_vfs(self):
        self.assertEqual(self.puppet().open(self.tree.fn(IGB0, "reset")), -errno.EPERM)
        self.stage.until_log("reset: refused 'puppet'.*would take its 1 VFs along")

    def test_lets_the_next_in_after_a_refusal(self):
        first, fd = self.enter(self.tree.fn(IGB1, "sriov_numvfs"))
        refused, second = self.puppet(), self.puppet()
        self.stage.knock(refused, self.tree.driver("igb", "unbind"))
        self.stage.knock(second, self.tree.fn(IGB1, "sriov_numvfs"))
        self.close(first, fd)
        self.assertEqual(refused.answer(), f"error {errno.EPERM}")
        self.assert_in(second)

    def test_lets_readers_pass(self):
        self.assertGreaterEqual(self.puppet().open(self.tree.driver("igb", "unbind"), "rdonly"), 0)


class Exclusive(WithGate):
    """
    On sysfs a door without w is EACCES for root as well; on plain files root passes it. So here it is the bits that are looked
    at, and who has not root's rights; what sysfs does tests/vm shows.
    """
    mode = "exclusive"

    def setUp(self):
        super().setUp()
        self.doors = [self.tree.fn(IGB0, "sriov_numvfs"), self.tree.fn(IGB1, "remove"), self.tree.at("bus/pci/rescan"),
                      self.tree.driver("igb", "unbind")]

    @staticmethod
    def bits(path):
        return os.stat(path).st_mode & 0o777

    def assert_locked(self, locked=True):
        for door in self.doors:
            until(lambda d=door: bool(self.bits(d) & 0o222) != locked, f"{door} {'' if locked else 'un'}locked")

    def unlock(self):
        return subprocess.run([os.environ["SRIOVD"], "--unlock"], env=self.stage.env, check=False, timeout=30).returncode

    def test_takes_w_from_the_doors_and_from_nothing_else(self):
        self.assert_locked()
        self.assertEqual(self.bits(self.doors[0]), 0o444)
        for name in ("class", "vendor"):
            self.assertEqual(self.bits(self.tree.fn(IGB0, name)), 0o644)
        self.assertEqual(self.stage.n_marks(), 0, "fanotify would open them to write, and readers be refused")

    def test_refuses_who_has_no_right_beyond_the_bits(self):
        self.assert_locked()
        os.chmod(self.stage.dir, 0o755)
        p = subprocess.run(["setpriv", "--bounding-set=-all", "--inh-caps=-all", "sh", "-c", f"echo 1 > {self.doors[0]}"],
                           capture_output=True, text=True, check=False)
        self.assertNotEqual(p.returncode, 0)
        self.assertEqual(read(self.doors[0]), "0\n")

    def test_lets_everybody_read(self):
        self.assertEqual(read(self.doors[0]), "0\n")

    def test_our_own_jobs_write_and_leave_the_door_locked(self):
        self.stage.ctl("set", IGB0, "2")
        self.assertIn("2 VFs asked for, the driver made 0", self.stage.log())
        self.assert_locked()

    def test_locks_what_comes_later(self):
        self.tree.add("0000:03:00.0")
        self.stage.look()
        self.doors.append(self.tree.fn("0000:03:00.0", "sriov_numvfs"))
        self.assert_locked()

    def test_another_mode_gives_w_back(self):
        self.assert_locked()
        self.stage.settings("serialize")
        self.assertEqual(self.stage.ctl("reload").returncode, 0)
        self.assert_locked(False)
        self.assertEqual(self.bits(self.doors[0]), 0o644)

    def test_a_mode_of_their_own_is_given_back_as_it_was(self):
        self.stage.settings("serialize")
        self.stage.ctl("reload")
        os.chmod(self.doors[0], 0o660)
        self.stage.settings("exclusive")
        self.stage.ctl("reload")
        self.assertEqual(self.bits(self.doors[0]), 0o440)
        self.stage.settings("off")
        self.stage.ctl("reload")
        self.assertEqual(self.bits(self.doors[0]), 0o660)

    def test_a_killed_daemon_leaves_them_locked_and_the_unit_unlocks_them(self):
        self.assert_locked()
        self.stage.stop(signal.SIGKILL)
        self.assert_locked()
        self.assertEqual(self.unlock(), 0)
        self.assert_locked(False)
        self.assertEqual(self.bits(self.doors[0]), 0o644)
        self.assertEqual(self.unlock(), 0, "once more does no harm")

    def test_the_next_daemon_gives_back_what_a_killed_one_took(self):
        self.assert_locked()
        self.stage.stop(signal.SIGKILL)
        self.stage.settings("serialize")
        self.stage.start()
        self.assert_locked(False)

    def test_the_next_exclusive_daemon_still_knows_what_the_modes_were(self):
        self.assert_locked()
        self.stage.stop(signal.SIGKILL)
        self.stage.start()
        self.assert_locked()
        self.stage.settings("off")
        self.stage.ctl("reload")
        self.assertEqual(self.bits(self.doors[0]), 0o644)


if __name__ == "__main__":
    main()
