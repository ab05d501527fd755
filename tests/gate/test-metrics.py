#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The gate's part of the metrics: who was let in, who was refused, who had to wait and for how long"""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bus"))
from case import WithGate, main  # noqa: E402
from stage import IGB0, IGB1, until  # noqa: E402
import openmetrics  # noqa: E402
import wire  # noqa: E402


class Metrics(WithGate):
    lease = 2

    def setUp(self):
        super().setUp()
        self.bus = wire.Bus(self.stage.path("run/private"), hello=False)
        self.addCleanup(self.bus.close)

    def get(self, name, **labels):
        return openmetrics.get(openmetrics.read(self.bus.call("Metrics")), "sriovd_gate_" + name, **labels)

    def places(self):
        return [self.get("programs", place=p) for p in ("waiting", "inside", "unordered")]

    def opens(self):
        return [self.get("opens_total", answer=a) for a in ("passed", "denied")]

    def test_who_waits_who_is_inside_and_how_long_it_took(self):
        self.assertEqual((self.places(), self.opens(), self.get("held_total")), ([0, 0, 0], [0, 0], 0))
        inside, fd = self.enter(self.tree.fn(IGB0, "sriov_numvfs"))
        began = time.monotonic()
        waiting = self.puppet()
        self.stage.knock(waiting, self.tree.fn(IGB1, "reset"))
        self.assertEqual((self.places(), self.opens(), self.get("held_total")), ([1, 1, 0], [1, 0], 2))
        self.assertEqual(self.get("wait_seconds_count"), 1)
        time.sleep(0.5)
        self.close(inside, fd)
        self.close(waiting, self.assert_in(waiting))
        longest = time.monotonic() - began
        until(lambda: self.places() == [0, 0, 0], "nobody at the gate")
        self.assertEqual((self.opens(), self.get("held_total"), self.get("wait_seconds_count")), ([2, 0], 2, 2))
        self.assertTrue(0.5 <= self.get("wait_seconds_sum") <= longest + 0.5, self.get("wait_seconds_sum"))

    def test_who_is_killed_waits_no_longer(self):
        _, fd = self.enter(self.tree.fn(IGB0, "sriov_numvfs"))
        waiting = self.puppet()
        self.stage.knock(waiting, self.tree.fn(IGB1, "reset"))
        waiting.kill()
        until(lambda: self.places()[0] == 0, "nobody waits")
        self.assertEqual(self.get("wait_seconds_count"), 2)

    def test_who_keeps_a_door_open_is_unordered(self):
        self.enter(self.tree.fn(IGB0, "sriov_numvfs"))
        until(lambda: self.places() == [0, 0, 1], "his lease to end", 20)

    def test_who_is_refused_is_counted(self):
        _, fd = self.enter(self.tree.fn(IGB0, "sriov_numvfs"))
        waiting = self.puppet()
        self.stage.knock(waiting, self.tree.fn(IGB1, "reset"))
        self.bus.call("SetGateMode", "sa{sv}", "exclusive", {})
        self.assertTrue(waiting.answer().startswith("error "))
        self.assertEqual((self.opens()[1], self.get("wait_seconds_count")), (1, 2))


if __name__ == "__main__":
    main()
