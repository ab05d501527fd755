#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Ready: told when it is so, neither sooner nor after a sleep"""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from case import IGB0, JOB, NONE, NVME, PF, VF, WithStage, main  # noqa: E402


class Ready(WithStage):
    def ready(self, path, interface=PF):
        return self.bus.get(path, interface, "Ready")

    def vfs(self, pf):
        return self.bus.get(pf, PF, "VFPaths")

    def until_told(self, path, value, seconds=20):
        self.bus.wait_signal("PropertiesChanged", lambda m: m.path == path
                             and m.body[1].get("Ready") == ("b", value), seconds)

    def test_a_host_at_rest_is_ready(self):
        for pf in (IGB0, NVME):
            self.assertTrue(self.ready(self.pf_path(pf)))

    def test_vfs_are_ready_when_udev_has_named_them_and_not_when_the_job_ends(self):
        pf = self.pf_path(IGB0)
        self.stage.sim("udev", "hold")
        # The job ends all the same: it waits for no udev, which may be waiting for it.
        self.assertEqual(self.run_job("SetVFs", "sua{sv}", IGB0, 2, NONE)[1], "done")
        vfs = self.vfs(pf)
        self.assertEqual([self.ready(v, VF) for v in vfs], [False, False])
        self.assertFalse(self.ready(pf))
        self.assertTrue(all(self.bus.get(v, VF, "NetDevs")[0].startswith("eth") for v in vfs))
        self.bus.signals.clear()
        self.stage.sim("udev", "release")
        for v in vfs:
            self.until_told(v, True)
        self.until_told(pf, True)
        self.assertEqual([self.ready(v, VF) for v in vfs], [True, True])
        self.assertTrue(all(self.bus.get(v, VF, "NetDevs")[0].startswith("enp") for v in vfs))

    def test_vfs_that_replace_others_are_not_taken_for_them(self):
        """udev's files of those that went are still there when the next sit at their addresses."""
        pf = self.pf_path(IGB0)
        self.run_job("SetVFs", "sua{sv}", NVME, 1, NONE)
        self.run_job("SetVFs", "sua{sv}", IGB0, 2, {"driver": ("s", "vfio-pci")})
        self.stage.until(lambda: self.ready(pf), "the first two")
        self.stage.sim("udev", "hold")
        self.assertEqual(self.run_job("SetVFs", "sua{sv}", IGB0, 3, {"driver": ("s", "vfio-pci")})[1], "done")
        for _ in range(20):
            self.assertEqual([self.ready(v, VF) for v in self.vfs(pf)], [False] * 3)
            time.sleep(0.01)
        self.stage.sim("udev", "release")
        self.stage.until(lambda: self.ready(pf), "the other three")
        self.assertEqual([self.ready(v, VF) for v in self.vfs(pf)], [True] * 3)

    def test_a_driver_bound_anew_has_a_net_device_to_be_named(self):
        pf = self.pf_path(IGB0)
        self.run_job("SetVFs", "sua{sv}", IGB0, 1, {"driver": ("s", "vfio-pci")})
        vf, = self.vfs(pf)
        self.stage.until(lambda: self.ready(pf), "the VF with vfio-pci")
        self.stage.sim("udev", "hold")
        self.assertEqual(self.run_job("Bind", "ssa{sv}", "0000:01:10.0", "igbvf", NONE)[1], "done")
        self.assertFalse(self.ready(vf, VF))
        self.stage.sim("udev", "release")
        self.stage.until(lambda: self.ready(vf, VF), "the VF with igbvf")

    def test_a_pf_with_a_job_is_not_ready(self):
        pf = self.pf_path(IGB0)
        self.bus.match()
        self.stage.sim("fault", "sriov_numvfs", "block")
        self.bus.call("SetVFs", "sua{sv}", IGB0, 1, NONE)
        self.until_told(pf, False)
        self.assertFalse(self.ready(pf))
        self.stage.sim("clear")
        self.stage.sim("release")
        self.until_told(pf, True)
        self.assertTrue(self.ready(pf))

    def test_a_vf_that_its_job_has_not_bound_yet_is_not_ready(self):
        """It looks like one that is to have no driver."""
        pf = self.pf_path(IGB0)
        self.stage.sim("fault", "bus/pci/drivers/igbvf/bind", "block")
        job = self.bus.call("SetVFs", "sua{sv}", IGB0, 1, {"driver": ("s", "igbvf")})
        self.stage.until(lambda: self.bus.get(job, JOB, "Stage") == "bind-vf", "the VF's bind")
        vf, = self.vfs(pf)
        for _ in range(20):
            self.assertFalse(self.ready(vf, VF))
            time.sleep(0.01)
        self.stage.sim("clear")
        self.stage.sim("release")
        self.stage.until(lambda: self.ready(vf, VF), "the VF with its driver")
        self.assertNotEqual(self.bus.get(vf, VF, "Driver"), "")

    def test_another_vfs_job_is_nothing_to_a_vf(self):
        pf = self.pf_path(IGB0)
        self.run_job("SetVFs", "sua{sv}", IGB0, 2, NONE)
        self.stage.until(lambda: self.ready(pf), "two VFs")
        first, second = self.vfs(pf)
        self.stage.sim("fault", "bus/pci/drivers/igbvf/unbind", "block")
        self.bus.call("Unbind", "sa{sv}", self.bus.get(first, VF, "Address"), NONE)
        self.stage.until(lambda: not self.ready(first, VF), "its job")
        self.assertTrue(self.ready(second, VF))
        self.assertFalse(self.ready(pf))
        self.stage.sim("clear")
        self.stage.sim("release")
        self.stage.until(lambda: self.ready(pf), "its end")

    def test_what_others_do_is_ready_as_well(self):
        pf = self.pf_path(IGB0)
        self.bus.match()
        self.stage.sim("write", f"bus/pci/devices/{IGB0}/sriov_numvfs", "2")
        self.stage.until(lambda: len(self.vfs(pf)) == 2 and self.ready(pf), "two VFs")
        self.assertEqual([self.ready(v, VF) for v in self.vfs(pf)], [True, True])

    def test_a_restart_finds_what_is_ready_and_what_is_not(self):
        pf = self.pf_path(IGB0)
        self.run_job("SetVFs", "sua{sv}", IGB0, 1, NONE)
        self.stage.until(lambda: self.ready(pf), "the VF")
        self.stage.sim("udev", "hold")
        self.run_job("Bind", "ssa{sv}", "0000:01:10.0", "vfio-pci", NONE)
        self.run_job("Bind", "ssa{sv}", "0000:01:10.0", "igbvf", NONE)
        self.stage.stop("sriovd", kill=True)
        self.stage.start_daemon()
        self.bus.close()
        self.bus = self.stage.bus()
        self.assertFalse(self.ready(self.vfs(pf)[0], VF))
        # udev is at work, with whom nobody can tell: not for ever.
        self.stage.until(lambda: self.ready(self.pf_path(NVME)), "one that it was through with")
        self.assertFalse(self.ready(self.vfs(pf)[0], VF))
        self.stage.sim("udev", "release")
        self.stage.until(lambda: self.ready(pf), "its name")


class Many(WithStage):
    topology = "vfs:1024"

    def test_a_thousand_vfs_are_told_in_time(self):
        pf, = (path for _, path in self.bus.call("ListPFs"))
        self.stage.until(lambda: self.bus.get(pf, PF, "Ready"), "all of them", 60)

        def managed():
            began = time.monotonic()
            objects = self.bus.call("GetManagedObjects", interface="org.freedesktop.DBus.ObjectManager")
            return time.monotonic() - began, objects
        took, objects = min((managed() for _ in range(3)), key=lambda m: m[0])
        vfs = [o[VF] for o in objects.values() if VF in o]
        self.assertEqual((len(vfs), sum(v["Ready"][1] for v in vfs)), (1024, 1024))
        print(f"1,024 VFs in {took * 1000:.0f} ms, most of it in this reader")


if __name__ == "__main__":
    main()
