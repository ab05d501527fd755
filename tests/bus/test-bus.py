#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The bus: real daemon, real sriovctl, a bus of our own, a simulated kernel

Each test is named after the promise it keeps.
"""
import os
import resource
import sys
import time
import unittest
import xml.etree.ElementTree as xml

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from case import E, IGB0, IGB1, JOB, MANAGER, NIC, NONE, NVME, PF, PORT, VF, WithStage, main  # noqa: E402
from stage import Stage  # noqa: E402
import wire  # noqa: E402

def interface_of(text, name):
    """Members with their types, as sorted tuples."""
    members = []
    for i in xml.fromstring(text).iter("interface"):
        if i.get("name") != name:
            continue
        for m in i:
            if m.tag in ("method", "signal"):
                args = [(a.get("type"), a.get("direction", "out"), a.get("name")) for a in m.findall("arg")]
                members.append((m.tag, m.get("name"), tuple(args)))
            elif m.tag == "property":
                emits = [a.get("value") for a in m.findall("annotation")
                         if a.get("name").endswith("EmitsChangedSignal")]
                members.append((m.tag, m.get("name"), m.get("type"), m.get("access"), tuple(emits)))
    return sorted(members)


class Objects(WithStage):
    def test_introspection_is_the_interface_file(self):
        with open(os.environ["INTERFACE_XML"], encoding="utf-8") as f:
            want = f.read()
        self.run_job("SetVFs", "sua{sv}", IGB0, 1, NONE)
        pf = self.pf_path(IGB0)
        job = self.bus.call("ListJobs")[0][2]
        paths = {MANAGER: "/org/sriovd1", PF: pf, VF: self.bus.get(pf, PF, "VFPaths")[0], JOB: job}
        for name, path in paths.items():
            self.assertEqual(interface_of(self.bus.introspect(path), name), interface_of(want, name), name)

    def test_object_manager_has_all_that_is_there(self):
        def managed():
            return self.bus.call("GetManagedObjects", interface="org.freedesktop.DBus.ObjectManager")
        before = managed()
        self.assertEqual(sum(PF in o for o in before.values()), 3)
        self.bus.match()
        self.run_job("SetVFs", "sua{sv}", IGB0, 2, NONE)
        added = [m for m in self.bus.signals if m.member == "InterfacesAdded" and VF in m.body[1]]
        self.assertEqual(len(added), 2)
        after = managed()
        vfs = {o[VF]["Address"][1]: o[VF] for o in after.values() if VF in o}
        self.assertEqual(sorted(vfs), ["0000:01:10.0", "0000:01:10.2"])
        self.assertEqual(vfs["0000:01:10.2"]["Index"][1], 1)
        self.assertEqual(vfs["0000:01:10.2"]["Driver"][1], "igbvf")
        self.run_job("SetVFs", "sua{sv}", IGB0, 0, NONE)
        self.bus.wait_signal("InterfacesRemoved", lambda m: VF in m.body[1])
        self.assertFalse(any(VF in o for o in managed().values()))

    def test_a_table_says_the_same_in_fewer_words(self):
        self.run_job("SetVFs", "sua{sv}", IGB0, 2, NONE)
        pf = self.pf_path(IGB0)
        # What a child sees, and udev's word, come after the job's end.
        self.stage.until(lambda: self.bus.get(pf, PF, "Ready") and all(
            self.bus.get(vf, VF, "Attributes") for vf in self.bus.get(pf, PF, "VFPaths")), "all that is told of them")
        objects = self.bus.call("GetManagedObjects", interface="org.freedesktop.DBus.ObjectManager")
        for interface, n in ((PF, 3), (VF, 2)):
            want = [o[interface] for path, o in sorted(objects.items()) if interface in o]
            self.assertEqual(len(want), n)
            names = list(want[0])
            sort, rows = self.bus.call("GetTable", "sas", interface, names)
            self.assertEqual(sort, "a(%s)" % "".join(want[0][name][0] for name in names))
            self.assertEqual([list(row) for row in rows], [[o[name][1] for name in names] for o in want])
        self.assertEqual(self.bus.call("GetTable", "sas", VF, ["Index", "Address"])[1],
                         [(0, "0000:01:10.0"), (1, "0000:01:10.2")])

    def test_a_table_of_what_there_is_not_is_refused(self):
        for interface, names in ((JOB, ["Id"]), (PF, ["Index"]), (PF, []), (PF, ["Address"] * 2), ("", ["Address"])):
            self.refused(E + "BadOption", "GetTable", "sas", interface, names)

    def test_properties_change_with_the_world(self):
        pf = self.pf_path(IGB0)
        self.bus.match()
        _, result, _, _ = self.run_job("SetVFs", "sua{sv}", IGB0, 3, NONE)
        self.assertEqual(result, "done")
        self.bus.wait_signal("PropertiesChanged", lambda m: m.path == pf and "VFs" in m.body[1]
                             and m.body[1]["VFs"][1] == 3)
        values = self.bus.get_all(pf, PF)
        self.assertEqual((values["VFs"], values["TotalVFs"], values["Driver"], values["Autoprobe"], values["State"]),
                         (3, 7, "igb", True, "ok"))
        self.assertEqual(len(values["VFPaths"]), 3)
        # What somebody else did is seen as well.
        self.stage.sim("write", f"bus/pci/devices/{IGB1}/sriov_numvfs", "2")
        other = self.pf_path(IGB1)
        self.bus.wait_signal("PropertiesChanged", lambda m: m.path == other and "VFs" in m.body[1])
        self.assertEqual(self.bus.get(other, PF, "VFs"), 2)

    def test_a_job_is_told_of_from_its_birth_to_its_end(self):
        self.bus.match()
        number, result, error, message = self.run_job("SetVFs", "sua{sv}", IGB0, 2, {"reason": ("s", "a try")})
        self.assertEqual((result, error, message), ("done", "", ""))
        new = self.bus.wait_signal("JobNew", lambda m: m.body[0] == number)
        job = self.bus.get_all(new.body[1], JOB)
        self.assertEqual((job["Id"], job["Operation"], job["Object"], job["State"], job["Result"], job["Reason"]),
                         (number, "set-vfs", IGB0, "ended", "done", "a try"))
        self.assertEqual(job["UID"], os.geteuid())
        self.assertTrue(0 < job["Created"] <= job["Started"] <= job["Ended"])
        self.assertIn("vfs-on", job["Stages"])
        self.assertIn("vfs-on", [r["rung"][1] for r in job["Results"]])
        self.assertEqual(self.bus.get("/org/sriovd1", MANAGER, "State"), "idle")

    def test_nothing_to_do_is_skipped(self):
        _, result, _, _ = self.run_job("SetVFs", "sua{sv}", IGB0, 0, NONE)
        self.assertEqual(result, "skipped")
        self.assertEqual(self.stage.writes(), 0)

    def test_a_plan_is_what_would_be_done(self):
        plan, steps = self.bus.call("Plan", "sa{sv}", "set-vfs", {"function": ("s", IGB0), "count": ("u", 2)})
        self.assertTrue(plan)
        self.assertIn("vfs-on", [s["rung"][1] for s in steps])
        self.assertEqual(self.stage.writes(), 0)
        self.stage.sim("write", f"bus/pci/devices/{IGB0}/sriov_numvfs", "1")
        self.stage.until(lambda: self.bus.get(self.pf_path(IGB0), PF, "VFs") == 1, "the VF")
        self.refused(E + "Stale", "SetVFs", "sua{sv}", IGB0, 2, {"expect": ("s", plan)})
        self.assertEqual(self.stage.writes("sriov_numvfs"), 1)


class Gate(WithStage):
    def test_the_gate_is_off_without_a_sysfs_and_says_why(self):
        state, programs = self.bus.call("Gate")
        state = {k: v[1] for k, v in state.items()}
        self.assertEqual(state, {"mode": "off", "wanted": "serialize", "why-off": "there is no sysfs behind this kernel",
                                 "doors": 0, "failed": 0, "uncovered": [], "passed": 0, "denied": 0, "lease": 10000000})
        self.assertEqual(programs, [])
        self.assertEqual(self.bus.get("/org/sriovd1", MANAGER, "GateMode"), "off")
        self.assertIn("Mode: off, not serialize: there is no sysfs behind this kernel\n", self.stage.ctl("gate").stdout)

    def test_a_gate_that_cannot_be_is_refused(self):
        for mode in ("observe", "serialize", "protect", "exclusive"):
            message = self.refused(E + "Unsupported", "SetGateMode", "sa{sv}", mode, NONE)
            self.assertEqual(message, f"the gate cannot be {mode}: there is no sysfs behind this kernel; it stays as it was, "
                             "'sriovctl gate' shows how")
            p = self.stage.ctl("gate", mode)
            self.assertEqual((p.returncode, p.stderr), (1, f"sriovctl: {message}\n"))
        self.assertEqual(self.bus.call("Gate")[0]["wanted"], ("s", "serialize"))
        self.assertEqual(self.bus.call("SetGateMode", "sa{sv}", "off", NONE), [])
        self.assertEqual(self.bus.call("Gate")[0]["why-off"], ("s", ""))

    def test_a_wrong_mode_of_the_gate_is_refused(self):
        self.assertIn("'protct'", self.refused(E + "BadOption", "SetGateMode", "sa{sv}", "protct", NONE))
        for name, value in (("timeout", ("t", 1)), ("expect", ("s", "x")), ("forse", ("b", True))):
            self.assertIn(name, self.refused(E + "BadOption", "SetGateMode", "sa{sv}", "off", {name: value}))

    def test_the_gate_is_set_by_root_alone(self):
        p = self.stage.ctl("gate", "off", user="nobody")
        self.assertEqual(p.returncode, 6, p.stderr)
        self.assertEqual(self.stage.ctl("gate", user="nobody").returncode, 0)


class BadInput(WithStage):
    def test_bad_input_has_its_error_and_writes_nothing(self):
        many = "x" * 100
        cases = (
            (E + "NoSuchDevice", "SetVFs", "sua{sv}", "0000:99:00.0", 1, NONE),
            (E + "NoSuchDevice", "SetVFs", "sua{sv}", "nonesuch", 1, NONE),
            (E + "NoSuchDevice", "SetVFs", "sua{sv}", "", 1, NONE),
            (E + "NoSuchDevice", "SetVFs", "sua{sv}", many * 100, 1, NONE),
            (E + "NoSuchDevice", "Unbind", "sa{sv}", "../../etc", NONE),
            (E + "NoSuchDevice", "Remove", "sa{sv}", "0000:01:00.0/vf9", NONE),
            (E + "NotSriov", "SetVFs", "sua{sv}", NIC, 1, NONE),
            (E + "NotSriov", "SetVFs", "sua{sv}", PORT, 1, NONE),
            (E + "Range", "SetVFs", "sua{sv}", IGB0, 8, NONE),
            (E + "Range", "SetVFs", "sua{sv}", IGB0, 4294967295, NONE),
            (E + "BadOption", "SetVFs", "sua{sv}", IGB0, 1, {"nonesuch": ("b", True)}),
            (E + "BadOption", "SetVFs", "sua{sv}", IGB0, 1, {"driver": ("u", 1)}),
            (E + "BadOption", "SetVFs", "sua{sv}", IGB0, 1, {"force": ("s", "in-use")}),
            (E + "BadOption", "SetVFs", "sua{sv}", IGB0, 1, {"force": ("as", ["everything"])}),
            (E + "BadOption", "SetVFs", "sua{sv}", IGB0, 1, {"rescan": ("b", True)}),
            (E + "BadOption", "SetVFs", "sua{sv}", IGB0, 1, {"timeout": ("t", 0)}),
            (E + "BadOption", "Rescan", "sa{sv}", "", {"force": ("as", ["in-use"])}),
            (E + "BadOption", "Remove", "sa{sv}", IGB0, {"all_functions": ("b", True)}),
            (E + "BadOption", "Plan", "sa{sv}", "no-such-op", NONE),
        )
        for case in cases:
            self.refused(*case)
        for driver in ("no/slash", "..", many, "", "a b"):
            if driver:
                with self.assertRaises(wire.BusError, msg=driver) as caught:
                    self.bus.call("Bind", "ssa{sv}", IGB0, driver, NONE)
                self.assertTrue(caught.exception.name.startswith(E), caught.exception)
        self.assertEqual(self.stage.writes(), 0)
        self.assertEqual(self.bus.get("/org/sriovd1", MANAGER, "QueueLength"), 0)

    def test_remove_of_a_vf_is_unsupported_and_says_what_to_do(self):
        self.run_job("SetVFs", "sua{sv}", IGB0, 1, NONE)
        before = self.stage.writes()
        self.refused(E + "Unsupported", "Remove", "sa{sv}", IGB0 + "/vf0", NONE)
        self.assertEqual(self.stage.writes(), before)

    def test_a_job_that_is_gone_has_no_properties_and_no_cancel(self):
        path = "/org/sriovd1/job/4711"
        for call in (lambda: self.bus.call("Cancel", path=path, interface=JOB),
                     lambda: self.bus.get_all(path, JOB)):
            with self.assertRaises(wire.BusError) as caught:
                call()
            self.assertIn(caught.exception.name, (E + "NoSuchJob", "org.freedesktop.DBus.Error.UnknownObject"))
        for verb in ("job", "wait", "cancel"):
            p = self.stage.ctl(verb, "4711")
            self.assertEqual(p.returncode, 10, p.stderr)

    def test_wrong_signatures_are_refused_by_the_bus(self):
        for signature, args in (("su", (IGB0, 1)), ("sia{sv}", (IGB0, -1, NONE)), ("", ())):
            with self.assertRaises(wire.BusError) as caught:
                self.bus.call("SetVFs", signature, *args)
            self.assertEqual(caught.exception.name, "org.freedesktop.DBus.Error.InvalidArgs")

    def test_a_full_queue_is_an_answer(self):
        self.stage.sim("fault", f"bus/pci/devices/{IGB0}/sriov_numvfs", "block")
        self.bus.call("SetVFs", "sua{sv}", IGB0, 1, NONE)
        jobs, full = 0, None
        for n in range(400):
            try:
                # Two wishes in turn: neither is the other's, so none is merged.
                if n % 2:
                    self.bus.call("Unbind", "sa{sv}", IGB1, NONE)
                else:
                    self.bus.call("Bind", "ssa{sv}", IGB1, "igb", NONE)
                jobs += 1
            except wire.BusError as e:
                full = e
                break
        self.assertIsNotNone(full)
        self.assertEqual(full.name, E + "QueueFull", full)
        self.assertGreater(jobs, 100)
        p = self.stage.ctl("unbind", NVME)
        self.assertEqual(p.returncode, 11, p.stderr)
        self.stage.sim("clear")
        self.stage.sim("release")
        self.stage.until(lambda: self.bus.get("/org/sriovd1", MANAGER, "QueueLength") == 0, "the queue's end", 120)


class Functions(WithStage):
    topology = "dual"

    def test_the_lowest_of_several_functions_does_not_go_alone(self):
        self.refused(E + "Unsupported", "Remove", "sa{sv}", IGB0, NONE)
        self.assertEqual(self.stage.writes(), 0)


class Crowded(WithStage):
    """Each look at so many functions takes its time."""
    topology = "functions:2048"

    def test_a_long_queue_keeps_nobody_from_asking(self):
        pfs = [f"{domain:04x}:01:00.0" for domain in range(8)]
        self.stage.sim("fault", f"bus/pci/devices/{pfs[0]}/sriov_numvfs", "block")
        count = self.bus.get(self.pf_path(pfs[0]), PF, "VFs")
        self.bus.call("SetVFs", "sua{sv}", pfs[0], 0 if count else 1, NONE)
        for pf in pfs[1:]:
            self.bus.call("SetVFs", "sua{sv}", pf, self.bus.get(self.pf_path(pf), PF, "VFs"), NONE)
        self.assertEqual(self.bus.get("/org/sriovd1", MANAGER, "QueueLength"), len(pfs))
        self.stage.sim("clear")
        self.stage.sim("release")
        seen = [len(pfs)]
        while seen[-1] > 0:
            seen.append(self.bus.get("/org/sriovd1", MANAGER, "QueueLength"))
        # Who asks meanwhile finds it in the middle of its work, and not at its end.
        self.assertTrue([n for n in seen if 0 < n < len(pfs) - 1], seen)


class Others(WithStage):
    @unittest.skipUnless(os.geteuid() == 0, "is about root and others")
    def test_others_may_look_and_not_touch(self):
        p = self.stage.ctl("list", user="nobody")
        self.assertEqual(p.returncode, 0, p.stderr)
        self.assertIn("01:00.0", p.stdout)
        for words in (("set", IGB0, "1"), ("unbind", IGB0), ("remove", IGB0), ("rescan",), ("reset", IGB0),
                      ("slot", "off", "1"), ("unload", "igb"), ("bind", IGB0, "igb")):
            p = self.stage.ctl(*words, user="nobody")
            self.assertEqual(p.returncode, 6, f"{words}: {p.stderr}")
            self.assertEqual(p.stderr.count("\n"), 1, p.stderr)
        p = self.stage.ctl("plan", "set", IGB0, "1", user="nobody")
        self.assertEqual(p.returncode, 0, p.stderr)
        self.assertEqual(self.stage.writes(), 0)

    @unittest.skipUnless(os.geteuid() == 0, "is about root and others")
    def test_nobody_cancels_roots_job(self):
        self.stage.sim("fault", f"bus/pci/devices/{IGB0}/sriov_numvfs", "block")
        self.stage.ctl("set", IGB0, "1", "--no-block")
        number = self.stage.ctl("set", IGB1, "1", "--no-block").stdout.strip()
        p = self.stage.ctl("cancel", number, user="nobody")
        self.assertEqual(p.returncode, 6, p.stderr)
        self.stage.sim("release")
        p = self.stage.ctl("wait", number)
        self.assertEqual(p.returncode, 0, p.stderr)


class NoBus(WithStage):
    with_bus = False

    def test_root_is_served_without_any_bus(self):
        p = self.stage.ctl("set", IGB0, "2")
        self.assertEqual(p.returncode, 0, p.stderr)
        p = self.stage.ctl("list")
        self.assertEqual(p.returncode, 0, p.stderr)
        peer = wire.Bus(self.stage.path("run/private"), hello=False)
        self.addCleanup(peer.close)
        path = dict(peer.call("ListPFs"))[IGB0]
        self.assertEqual(peer.get(path, PF, "VFs"), 2)
        self.refused(E + "Range", "SetVFs", "sua{sv}", IGB0, 8, NONE, bus=peer)
        job = peer.call("SetVFs", "sua{sv}", IGB0, 1, NONE)
        m = peer.wait_signal("JobRemoved", lambda s: s.body[1] == job)
        self.assertEqual(m.body[2], "done")

    def test_the_bus_may_come_later_and_go_and_come_again(self):
        self.stage.start_bus()
        bus = self.stage.bus()
        self.assertEqual(len(bus.call("ListPFs")), 3)
        bus.close()
        job = self.stage.ctl("set", IGB0, "1", "--no-block").stdout.strip()
        self.stage.stop("dbus-daemon")
        p = self.stage.ctl("wait", job)
        self.assertEqual(p.returncode, 0, p.stderr)
        os.unlink(self.stage.path("bus")) if os.path.exists(self.stage.path("bus")) else None
        self.stage.start_bus()
        bus = self.stage.bus()
        self.addCleanup(bus.close)
        path = dict(bus.call("ListPFs"))[IGB0]
        self.assertEqual(bus.get(path, PF, "VFs"), 1)


class Descriptors(WithStage):
    # With a system bus: in its place the wait for one would take and give back descriptors.
    def test_without_descriptors_a_client_waits_and_the_loop_does_not_spin(self):
        peer = wire.Bus(self.stage.path("run/private"), hello=False)
        self.addCleanup(peer.close)
        pid = self.stage.processes["sriovd"].pid

        def children():
            with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
                return f.read().split()
        # Each has a descriptor of the daemon's, which is free when it has gone.
        self.stage.until(lambda: not children(), "the end of its children")
        used = {int(fd) for fd in os.listdir(f"/proc/{pid}/fd")}
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (min(set(range(len(used) + 1)) - used), before[1]))

        def refusals():
            with open(self.stage.path("sriovd.log"), encoding="utf-8") as log:
                return sum("cannot let a client in" in line for line in log)
        begun = time.monotonic()
        self.stage.start("sriovctl", [self.stage.sriovctl, "list"])
        self.stage.until(lambda: refusals() >= 3, "the third try")
        # One each second; a loop that spins makes thousands.
        self.assertLess(refusals(), time.monotonic() - begun + 3)
        self.assertEqual(len(peer.call("ListPFs")), 3)
        self.assertIsNone(self.stage.processes["sriovctl"].poll())
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        self.assertEqual(self.stage.processes["sriovctl"].wait(60), 0)


class NoDaemon(unittest.TestCase):
    def test_no_daemon_is_said_in_one_line(self):
        stage = Stage(bus=False)
        self.addCleanup(stage.stop_all)
        for words in (("list",), ("set", IGB0, "1"), ("jobs",), ("wait", "1")):
            p = stage.ctl(*words)
            self.assertEqual(p.returncode, 8, f"{words}: {p.stderr}")
            self.assertEqual(p.stderr.count("\n"), 1, p.stderr)
        stage.start_bus()
        p = stage.ctl("list")
        self.assertEqual(p.returncode, 8, p.stderr)


class Restart(WithStage):
    def test_a_killed_daemon_loses_no_job(self):
        self.stage.sim("fault", f"bus/pci/devices/{IGB0}/sriov_numvfs", "block")
        first = self.stage.ctl("set", IGB0, "2", "--no-block").stdout.strip()
        second = self.stage.ctl("set", IGB1, "1", "--no-block").stdout.strip()
        self.stage.until(lambda: "sriov_numvfs" in self.stage.sim("flying"), "the write")
        self.stage.stop("sriovd", kill=True)
        self.stage.start_daemon()
        self.stage.sim("release")
        for job in (first, second):
            p = self.stage.ctl("wait", job)
            self.assertEqual(p.returncode, 0, f"job {job}: {p.stderr}")
        self.assertEqual(self.stage.writes("sriov_numvfs"), 2)

    def kill_in_the_write(self):
        """A job whose write is in the kernel, and whose daemon and child are dead. Its number."""
        self.stage.sim("fault", f"bus/pci/devices/{IGB0}/sriov_numvfs", "block")
        job = self.stage.ctl("set", IGB0, "2", "--no-block").stdout.strip()
        self.stage.until(lambda: "sriov_numvfs" in self.stage.sim("flying"), "the write")
        with open(os.path.join(self.stage.env["SRIOVD_RUNTIME_DIRECTORY"], "jobs", job), encoding="utf-8") as f:
            child = [line.split()[2] for line in f if line.startswith("begin ")][-1]
        self.stage.stop("sriovd", kill=True)
        os.kill(int(child), 9)
        return job

    def test_a_write_that_took_effect_unseen_is_done_and_not_skipped(self):
        job = self.kill_in_the_write()
        self.stage.sim("release")
        self.stage.until(lambda: self.stage.sim("flying").strip() == "", "the end of the write")
        self.stage.start_daemon()
        p = self.stage.ctl("wait", job, "--json=short")
        self.assertEqual(p.returncode, 0, p.stderr)
        self.assertIn('"done"', p.stdout)
        self.assertEqual(self.stage.writes("sriov_numvfs"), 1)

    def test_no_number_is_given_twice_where_the_last_one_is_lost(self):
        self.stage.ctl("set", IGB0, "1")
        last = self.stage.ctl("set", IGB0, "2", "--no-block").stdout.strip()
        self.stage.ctl("wait", last)
        self.stage.stop("sriovd")
        os.unlink(os.path.join(self.stage.env["SRIOVD_RUNTIME_DIRECTORY"], "next-id"))
        self.stage.start_daemon()
        again = self.stage.ctl("set", IGB0, "0", "--no-block").stdout.strip()
        self.assertGreater(int(again), int(last))
        self.stage.ctl("wait", again)


if __name__ == "__main__":
    main()
