#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Door: which files are held, doors that come and go, and what the gate costs

Each test is named after the promise it keeps. Times are printed and never asserted.
"""
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from case import WithGate, main  # noqa: E402
from stage import IGB0, IGB1, LONG, read, until  # noqa: E402

NEW = "0000:03:00.0"


class Doors(WithGate):
    def test_every_file_that_changes_topology_is_held_and_no_other(self):
        os.makedirs(self.tree.at("bus/pci/slots/1"))
        self.tree.add_driver("ixgbe")
        os.mkdir(self.tree.at("class/pci_bus/0000:01"))
        more = [self.tree.at("bus/pci/slots/1/power"), self.tree.at("class/pci_bus/0000:01/rescan"),
                self.tree.at("bus/pci_express/drivers/pciehp/bind"), self.tree.at("bus/pci_express/drivers/pciehp/unbind")]
        for path in more:
            open(path, "w", encoding="ascii").close()
        with open(self.tree.at("bus/pci/slots/1/address"), "w", encoding="ascii") as f:
            f.write("0000:02:00\n")
        self.tree.add(NEW, reset_subordinate="", sriov_vf_msix_count="")
        self.stage.look()
        first, fd = self.enter(self.tree.fn(IGB1, "sriov_numvfs"))
        held = [self.tree.fn(NEW, n) for n in ("sriov_numvfs", "remove", "rescan", "reset", "reset_subordinate", "enable",
                                                "sriov_vf_msix_count")]
        held += [self.tree.driver(d, n) for d in ("igb", "ixgbe") for n in ("bind", "unbind", "new_id", "remove_id")]
        held += [self.tree.at("bus/pci", n) for n in ("rescan", "drivers_probe", "drivers_autoprobe")] + more
        puppets = []
        for path in held:
            p = self.puppet()
            self.stage.knock(p, path)
            puppets.append(p)
        for path, p in zip(held, puppets):
            self.assertTrue(p.is_held(), path)
        for name in ("class", "vendor", "sriov_totalvfs", "driver_override"):
            self.assertGreaterEqual(self.puppet().open(self.tree.fn(IGB0, name)), 0, name)
        for p in puppets:
            p.kill()
        self.close(first, fd)

    def test_of_a_function_that_comes_are_held(self):
        marks = self.stage.n_marks()
        self.tree.add(NEW)
        self.stage.look()
        until(lambda: self.stage.n_marks() == marks + 5, f"five doors more than {marks}")
        first, fd = self.enter(self.tree.fn(IGB0, "sriov_numvfs"))
        second = self.puppet()
        self.stage.knock(second, self.tree.fn(NEW, "sriov_numvfs"))
        self.assert_held(second)
        self.close(first, fd)
        self.assert_in(second)

    def test_of_a_function_that_went_and_came_again_are_held(self):
        self.tree.remove(IGB0)
        self.tree.add(IGB0, "igb")
        self.stage.look()
        first, fd = self.enter(self.tree.fn(IGB1, "sriov_numvfs"))
        second = self.puppet()
        self.stage.knock(second, self.tree.fn(IGB0, "remove"))
        self.assert_held(second)
        second.kill()
        self.close(first, fd)

    def test_that_come_and_go_for_ever_leave_no_mark_and_no_descriptor(self):
        rounds = 500 if LONG else 60
        self.tree.add(NEW)
        self.stage.look()
        marks, fds = [], len(self.stage.fds())
        for i in range(rounds):
            self.tree.remove(NEW)
            if i % 2:
                self.stage.look()
            self.tree.add(NEW)
            self.stage.look()
            if i % (rounds // 5) == 0:
                marks.append(self.stage.n_marks())
                # A child that looks at what is new has a socket, for as long as it looks.
                until(lambda: len(self.stage.fds()) <= fds, "as many descriptors as before")
        self.assertEqual(marks, [marks[0]] * len(marks))
        self.assertFalse([to for to in self.stage.fds().values() if to.startswith(self.tree.gone)])
        self.tree.remove(NEW)
        self.stage.look()
        self.assertEqual(self.stage.n_marks(), marks[0] - 5)

    def test_are_never_opened_by_the_daemon_itself(self):
        """Or it would wait for itself: it answers all the while, and no look, list or job makes it hang."""
        for words in (("list",), ("show", IGB0), ("rescan",), ("users",), ("reload",), ("plan", "set", IGB0, "2"),
                      ("doctor",), ("jobs",)):
            self.stage.ctl(*words, seconds=60)
        self.assertEqual(self.stage.ctl("list").returncode, 0)

    def test_two_thousand_functions_are_marked_and_told(self):
        n = 2000
        for i in range(n):
            self.tree.add(f"0001:{i // 32:02x}:{i % 32:02x}.0")
        begun = time.monotonic()
        self.stage.look()
        until(lambda: self.stage.n_marks() >= 5 * n, "all marks", 120)
        print(f"({1000 * (time.monotonic() - begun):.0f} ms for {self.stage.n_marks()} marks) ", end="")
        begun = time.monotonic()
        self.stage.look()
        print(f"({1000 * (time.monotonic() - begun):.0f} ms for a look at what is the same) ", end="")


class Cost(WithGate):
    """Printed only: builds with sanitizers are slower, and machines that do other work, too."""

    def median_usec(self, path, n=200):
        times = []
        for _ in range(n):
            begun = time.perf_counter_ns()
            fd = os.open(path, os.O_WRONLY)
            times.append((time.perf_counter_ns() - begun) / 1000)
            os.close(fd)
            time.sleep(0.005)  # so that it is idle again
        return statistics.median(times)

    def test_of_an_open_is_told(self):
        door, other = self.tree.fn(IGB0, "sriov_numvfs"), self.tree.fn(IGB0, "vendor")
        held, beside = self.median_usec(door), self.median_usec(other)
        self.stage.settings("off")
        self.assertEqual(self.stage.ctl("reload").returncode, 0)
        free, beside_free = self.median_usec(door), self.median_usec(other)
        print(f"(held and released {held:.0f} us, ungated {free:.1f} us; another file {beside:.1f} us with the gate, "
              f"{beside_free:.1f} us without) ", end="")
        self.assertEqual(read(door), "0\n")


if __name__ == "__main__":
    main()
