#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Ready, with a udev worker that is held at the gate: a real daemon, a real fanotify, and a folder for udev's database"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bus"))
from case import WithGate, main  # noqa: E402
from stage import IGB0, IGB1, until, write  # noqa: E402
import wire  # noqa: E402

PF, VF = "org.sriovd1.PF", "org.sriovd1.VF"
VF0 = "0000:01:10.0"


class Ready(WithGate):
    def setUp(self):
        super().setUp()
        os.makedirs(self.stage.path("udev/data"))
        write(self.stage.path("udev/control"))
        self.initialize(IGB0, IGB1)
        self.stage.stop()
        self.stage.start()
        self.bus = wire.Bus(self.stage.path("run/private"), hello=False)
        self.addCleanup(self.bus.close)

    def initialize(self, *addresses):
        for a in addresses:
            write(self.stage.path(f"udev/data/+pci:{a}"))

    def ready(self, address, interface=PF):
        kind = "pf" if interface == PF else "vf"
        objects = self.bus.call("GetManagedObjects", interface="org.freedesktop.DBus.ObjectManager")
        return next(o[interface]["Ready"][1] for p, o in objects.items()
                    if f"/{kind}/" in p and o[interface]["Address"][1] == address)

    def look(self):
        """There are no events in a tree of files: it looks at all of it, and asks udev's folder about what is new."""
        self.stage.look()

    def test_a_worker_that_is_held_keeps_nobody_but_its_own_device_waiting(self):
        # Somebody has his turn; behind him a worker of udev's, with the VF's events in its hands, knocks.
        self.tree.add_vf(IGB0, VF0)
        inside, fd = self.enter(self.tree.fn(IGB1, "reset"))
        worker = self.puppet()
        self.stage.knock(worker, self.tree.fn(IGB0, "sriov_numvfs"))
        self.assert_held(worker)
        # A job of ours behind both of them ends when it is through, and not when the VF is ready.
        job = self.stage.start_ctl("rescan")
        self.close(inside, fd)
        fd = self.assert_in(worker)
        self.close(worker, fd)
        self.assertEqual(job.wait(30), 0)
        self.assertFalse(self.ready(VF0, VF))
        self.assertFalse(self.ready(IGB0))
        self.assertTrue(self.ready(IGB1))

    def test_what_udev_has_taken_in_is_ready(self):
        self.initialize(VF0)
        self.tree.add_vf(IGB0, VF0)
        self.look()
        until(lambda: self.ready(VF0, VF), "the VF")
        self.assertTrue(self.ready(IGB0))


if __name__ == "__main__":
    main()
