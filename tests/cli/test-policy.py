#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""sriovctl and the policies: apply, diff, vf, eswitch, adopt, set --persist, wait --ready, metrics

Each test is named after the promise it keeps.
"""
import os
import re
import stat
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from base import PF, VF0, VF1, Child, WithStub, run  # noqa: E402
from stub import difference, holder, no_difference, Refusal  # noqa: E402

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PF2 = "0000:02:00.0"
BAD = "org.sriovd1.Error."
ATTRIBUTES = {"mac": "02:00:00:00:01:00", "vlan": "100", "qos": "0"}
KEYS = ("mac=02:00:00:00:01:00", "vlan=100", "qos=3", "vlan-proto=802.1ad", "spoofchk=on", "trust=off", "link-state=auto",
        "min-rate=10", "max-rate=1000", "query-rss=on", "node-guid=00:11:22:33:44:55:66:77", "port-guid=00:11:22:33:44:55:66:78",
        "msix=16", "queues=4", "interrupts=5")


class Apply(WithStub):
    def jobs_are(self, *jobs):
        """Each the properties of a job, by the PF that it is for."""
        paths = [self.stub.add_job(7 + i, Operation="apply", **values) for i, values in enumerate(jobs)]
        self.stub.answers["Apply"] = lambda *_: ("ao", [paths], [])
        return paths

    def test_it_asks_for_those_that_are_named_and_else_for_all(self):
        self.jobs_are({})
        self.ctl("apply")
        self.ctl("apply", PF, "02:00.0", "ens1", "--force=in-use", "--on-failure=rollback", "--timeout=2", "--reason=why")
        self.assertEqual(self.stub.called("Apply"), [
            [[], {}], [[PF, "02:00.0", "ens1"], {"force": ("as", ["in-use"]), "on-failure": ("s", "rollback"),
                                                 "timeout": ("t", 2000000), "reason": ("s", "why")}]])

    def test_each_job_has_a_line_with_its_result(self):
        self.jobs_are({}, {"Object": PF2, "Result": "skipped"})
        p = self.ctl("apply")
        self.assertEqual((p.stdout, p.stderr), (f"{PF}: done\n{PF2}: nothing to do\n", ""))

    def test_nothing_to_do_is_said_once_if_all_were_skipped(self):
        self.jobs_are({"Result": "skipped"}, {"Object": PF2, "Result": "skipped"})
        self.assertEqual(self.ctl("apply").stdout, "nothing to do\n")
        self.jobs_are({"Result": "skipped", "Warnings": ["it rains"]})
        p = self.ctl("apply")
        self.assertEqual((p.stdout, p.stderr), ("nothing to do\n", "sriovctl: warning: it rains\n"))

    def test_no_policy_at_all_is_nothing_to_do(self):
        self.jobs_are()
        p = self.ctl("apply")
        self.assertEqual((p.stdout, p.stderr.count("\n")), ("nothing to do\n", 1))
        self.assertIn("adopt", p.stderr)
        self.assertEqual(self.ctl("apply", "--no-legend").stderr, "")

    def test_one_that_fails_is_4_where_another_was_done(self):
        bad = {"Object": PF2, "Result": "failed", "Error": BAD + "Kernel", "Message": f"{PF2}: vfs-on failed"}
        self.jobs_are({}, bad)
        p = self.ctl("apply", status=4)
        self.assertEqual((p.stdout, p.stderr), (f"{PF}: done\n", f"sriovctl: {PF2}: vfs-on failed\n"))
        self.jobs_are({"Result": "skipped"}, bad)
        self.ctl("apply", status=4)

    def test_those_that_all_fail_have_their_own_status(self):
        def bad(name):
            return {"Result": "failed", "Error": BAD + name, "Message": name}
        for names, status in ((("InUse",), 5), (("InUse", "InUse"), 5), (("InUse", "Kernel"), 1), (("Kernel", "InUse"), 1),
                              (("Going", "Going", "Wedged"), 1)):
            self.jobs_are(*(bad(n) for n in names))
            self.assertEqual(self.ctl("apply", status=status).stderr.count("\n"), len(names))
        partial = {"Result": "partial", "Error": BAD + "Kernel", "Message": "VF 1"}
        for jobs in ((partial,), (bad("InUse"), partial), (partial, partial)):
            self.jobs_are(*jobs)
            self.ctl("apply", status=4)

    def test_holders_and_warnings_are_told_of_each(self):
        qemu = holder(VF0, "vfio", 4711, "qemu", "/dev/vfio/1")
        self.jobs_are({"Warnings": ["it rains"]},
                      {"Object": PF2, "Result": "refused", "Error": BAD + "InUse", "Message": "in use", "Holders": [qemu]})
        self.assertEqual(self.ctl("apply", status=4).stderr,
                         f"sriovctl: warning: it rains\nsriovctl: in use\n  {VF0}: vfio: qemu (pid 4711), /dev/vfio/1\n")

    def test_a_job_that_two_asked_for_is_told_once(self):
        paths = self.jobs_are({})
        self.stub.answers["Apply"] = lambda *_: ("ao", [paths * 2], [])
        self.assertEqual(self.ctl("apply", PF, PF).stdout, f"{PF}: done\n")

    def test_it_waits_for_all_and_tells_in_their_order(self):
        for order in ((0, 1), (1, 0)):
            paths = self.jobs_are({"State": "running", "Result": ""}, {"Object": PF2, "State": "running", "Result": ""})
            before = len(self.stub.called("GetAll"))
            p = Child(self, "apply")
            self.until(lambda: len(self.stub.called("GetAll")) >= before + 2, "the first look")
            self.stub.tell(self.stub.change_job(paths[order[0]], State="ended", Result="done"))
            time.sleep(0.3)
            self.assertIsNone(p.poll())
            self.stub.tell(self.stub.change_job(paths[order[1]], State="ended", Result="done"))
            self.assertEqual(p.end(), (0, f"{PF}: done\n{PF2}: done\n", ""))

    def test_after_a_time_out_what_is_not_over_is_told(self):
        self.jobs_are({}, {"Object": PF2, "State": "running", "Result": ""})
        p = self.ctl("apply", "-w", "0.2", status=3)
        self.assertEqual(p.stdout, f"{PF}: done\n")
        self.assertEqual(p.stderr, f"sriovctl: {PF2}: job 8 has not ended in time and goes on; 'sriovctl wait 8' waits for it, "
                         "'sriovctl cancel 8' withdraws it\n")
        o = self.json("apply", "-w", "0.2", status=3)
        self.assertEqual([j["exit"] for j in o["jobs"]], [0, 3])
        self.assertIn("goes on", o["jobs"][1]["message"])

    def test_a_job_that_gets_stuck_is_9_and_the_others_go_on(self):
        self.jobs_are({"State": "wedged", "Result": ""}, {"Object": PF2, "State": "waiting", "Result": ""})
        lines = self.ctl("apply", status=9).stderr.splitlines()
        self.assertIn(f"{PF}: job 7 is stuck in the kernel", lines[0])
        self.assertIn(f"{PF2}: job 8 goes on;", lines[1])

    def test_no_block_prints_the_numbers(self):
        self.jobs_are({"State": "waiting"}, {"Object": PF2, "State": "waiting"})
        self.assertEqual(self.ctl("apply", "--no-block").stdout, "7\n8\n")
        self.assertEqual(self.json("apply", "--no-block"), {"jobs": [{"job": 7}, {"job": 8}]})

    def test_json_has_its_keys(self):
        self.jobs_are({}, {"Object": PF2, "Result": "failed", "Error": BAD + "Kernel", "Message": "no"})
        o = self.json("apply", status=4)
        self.assertEqual(o, {"jobs": [
            {"job": 7, "operation": "apply", "object": PF, "state": "ended", "result": "done", "error": None, "message": None,
             "warnings": [], "holders": [], "exit": 0},
            {"job": 8, "operation": "apply", "object": PF2, "state": "ended", "result": "failed", "error": BAD + "Kernel",
             "message": "no", "warnings": [], "holders": [], "exit": 1}], "exit": 4})

    def test_each_refusal_has_its_status(self):
        for name, status in (("NoPolicy", 6), ("PolicyConflict", 6), ("NoSuchDevice", 10), ("Stale", 11), ("Going", 11),
                             ("Wedged", 9), ("NotAuthorized", 6), ("BadOption", 2), ("QueueFull", 11)):
            self.stub.refuse("Apply", name, f"{PF}: no")
            p = self.ctl("apply", PF, status=status)
            self.assertEqual((p.stdout, p.stderr), ("", f"sriovctl: {PF}: no\n"))
            self.assertEqual(self.json("apply", PF, status=status), {"error": BAD + name, "message": f"{PF}: no", "exit": status})

    def test_expect_is_of_one_pf(self):
        self.jobs_are({})
        self.ctl("apply", PF, "--expect=8fa3")
        self.assertEqual(self.stub.called("Apply"), [[[PF], {"expect": ("s", "8fa3")}]])
        for pfs in ((), (PF, PF2)):
            self.assertIn("name the PF", self.ctl("apply", *pfs, "--expect=8fa3", status=2).stderr)

    def test_wrong_usage_asks_for_nothing(self):
        for words in (("", ), (PF, ""), ("x" * 300,), ("--driver=x",), ("--persist",), ("--ready",), ("--on-failure=never",)):
            self.assertEqual(self.ctl("apply", *words, status=2).stderr.count("\n"), 1)
        self.assertEqual(self.stub.calls, [])


class PlanApply(WithStub):
    def plans_are(self, **plans):
        """By the function's name: the steps, or a refusal."""
        def plan(op, options):
            steps = plans["_" + options["function"][1].replace(":", "_").replace(".", "_")]
            if isinstance(steps, str):
                raise Refusal(BAD + steps, f"{options['function'][1]}: no")
            return "saa{sv}", ["id" + options["function"][1], [
                {"rung": ("s", s), "function": ("s", PF), "text": ("s", s + " it")} for s in steps]], []
        self.stub.answers["Plan"] = plan

    def test_it_is_the_plan_of_each_pf_that_a_policy_wants(self):
        self.stub.add_pf(PF2, Policy="nics")
        self.stub.add_pf("0000:03:00.0", Policy="disks")
        self.plans_are(_0000_02_00_0=["vfs-on"], _0000_03_00_0=[])
        for words in (("plan", "apply"), ("apply", "-n")):
            out = self.ctl(*words).stdout
            self.assertIn(f"{PF2}: plan id{PF2}\n", out)
            self.assertRegex(out, "1 vfs-on +vfs-on it\n")
            self.assertIn("0000:03:00.0: nothing to do\n", out)
        self.assertEqual(self.stub.called("Plan")[0], ["apply", {"function": ("s", PF2)}])
        self.assertEqual(self.stub.called("Apply"), [])

    def test_a_refusal_of_one_is_no_end_of_the_others(self):
        self.plans_are(_0000_02_00_0="PolicyConflict", _0000_01_00_0=["vfs-on"])
        p = self.ctl("plan", "apply", PF2, PF, status=4)
        self.assertEqual(p.stderr, f"sriovctl: {PF2}: no\n")
        self.assertIn("vfs-on it", p.stdout)
        o = self.json("plan", "apply", PF2, PF, "-o", "RUNG", status=4)
        self.assertEqual(o, {"plans": [{"pf": PF2, "error": BAD + "PolicyConflict", "message": f"{PF2}: no", "exit": 6},
                                       {"pf": PF, "plan": "id" + PF, "operation": "apply", "steps": [{"rung": "vfs-on"}]}],
                             "exit": 4})
        self.ctl("plan", "apply", PF2, status=6)

    def test_nothing_wanted_is_nothing_to_do(self):
        self.assertEqual(self.ctl("plan", "apply").stdout, "nothing to do\n")
        self.assertEqual(self.json("plan", "apply"), {"plans": [], "exit": 0})


class Boot(WithStub):
    def boot_is(self, settled, *jobs):
        ids = [self.stub.add_job(7 + i, Reason="boot", Operation="apply", **values) and 7 + i for i, values in enumerate(jobs)]
        self.stub.answers["WaitBoot"] = lambda: ("bau", [settled, ids], [])

    def test_it_tells_failures_and_does_not_fail(self):
        self.stub.add_job(1, Object="0000:09:00.0", Result="failed", Message="of somebody else")
        self.boot_is(True, {}, {"Object": PF2, "Result": "failed", "Error": BAD + "Kernel", "Message": f"{PF2}: no"})
        p = self.ctl("apply", "--boot")
        self.assertEqual((p.stdout, p.stderr), ("", f"sriovctl: warning: {PF2}: no\n"))
        o = self.json("apply", "--boot")
        self.assertEqual((o["settled"], o["missing"], o["exit"], [j["job"] for j in o["jobs"]]), (True, [], 0, [7, 8]))

    def test_it_takes_the_private_socket_though_there_is_no_bus(self):
        self.env["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=/nonexistent"
        self.boot_is(True)
        self.assertEqual(self.ctl("apply", "--boot").stderr, "")

    def test_it_waits_for_a_daemon_that_comes_late(self):
        self.boot_is(True)
        socket = os.path.join(self.dir, "run", "private")
        os.rename(socket, socket + ".not-yet")
        timer = threading.Timer(0.7, os.rename, (socket + ".not-yet", socket))
        timer.start()
        self.addCleanup(timer.join)
        began = time.monotonic()
        self.ctl("apply", "--boot")
        self.assertGreater(time.monotonic() - began, 0.6)

    def test_it_asks_a_daemon_that_was_restarted_meanwhile_again(self):
        self.stub.add_job(7, Result="failed", Message=f"{PF}: no")

        def gone():
            self.stub.answers["WaitBoot"] = lambda: ("bau", [True, [7]], [])
            raise EOFError
        self.stub.answers["WaitBoot"] = gone
        self.assertEqual(self.ctl("apply", "--boot", "-w", "5").stderr, f"sriovctl: warning: {PF}: no\n")
        self.assertEqual(len(self.stub.called("WaitBoot")), 2)

    def test_a_daemon_that_never_comes_is_8_in_time(self):
        self.env["SRIOVD_RUNTIME_DIRECTORY"] = "/nonexistent"
        p = self.ctl("apply", "--boot", "-w", "0.5", status=8)
        self.assertEqual(p.stderr.count("\n"), 1, p.stderr)

    def test_a_time_out_of_either_side_tells_what_is_missing(self):
        self.stub.add_pf(PF2, state="busy", Policy="nics", Ready=False)
        self.stub.add_pf("0000:03:00.0", Ready=False)

        def asleep():
            self.stub.lock.release()
            time.sleep(1)
            self.stub.lock.acquire()
            return "bau", [True, []], []
        for answer in (lambda: ("bau", [False, [7]], []), asleep):
            self.stub.add_job(7, Object=PF2, State="running", Result="")
            self.stub.answers["WaitBoot"] = answer
            p = self.ctl("apply", "--boot", "-w", "0.3", status=3)
            self.assertIn(f"sriovctl: {PF2}: not ready: a job is at work on it", p.stderr)
            self.assertNotIn("0000:03", p.stderr)
            self.assertIn(f"sriovctl: {PF2}: job 7 has not ended and goes on\n", p.stderr)
            self.assertIn("was not done in time, and goes on", p.stderr)
        self.stub.answers["WaitBoot"] = lambda: ("bau", [False, [7]], [])
        o = self.json("apply", "--boot", "-w", "0.3", status=3)
        self.assertEqual((o["settled"], o["exit"], len(o["missing"]), [j["state"] for j in o["jobs"]]), (False, 3, 1, ["running"]))

    def test_it_asks_again_where_the_daemons_time_is_shorter(self):
        answers = [False, False, True]
        self.stub.answers["WaitBoot"] = lambda: ("bau", [answers.pop(0), []], [])
        self.ctl("apply", "--boot")
        self.assertEqual(answers, [])

    def test_it_takes_nothing_that_the_daemon_would_not_know(self):
        for words in ((PF,), ("-n",), ("--no-block",), ("--force=in-use",), ("--expect=1",), ("--reason=x",), ("--timeout=1",),
                      ("--on-failure=keep",), ("-H", "there")):
            self.assertEqual(self.ctl("apply", "--boot", *words, status=2).stderr.count("\n"), 1)
        self.ctl("plan", "apply", "--boot", status=2)
        self.assertEqual(self.stub.calls, [])


class Diff(WithStub):
    def rows_are(self, *rows):
        self.stub.answers["Diff"] = lambda: ("aa{sv}", [list(rows)], [])

    def test_no_difference_is_0(self):
        self.rows_are()
        self.assertEqual(self.ctl("diff").stdout, "no differences\n")
        self.assertEqual(self.ctl("diff", "--no-legend").stdout, "")
        self.assertEqual(self.json("diff"), {"differences": [], "errors": []})

    def test_each_difference_has_a_line_and_the_status_is_20(self):
        self.rows_are(difference(PF, "vfs", "4", "2", disruptive=True), difference(PF, "vlan", "vlan=100", "", vf=1))
        lines = self.ctl("diff", status=20).stdout.splitlines()
        self.assertEqual(lines[0].split(), ["PF", "VF", "WHAT", "WANTED", "SEEN", "DISRUPTIVE"])
        self.assertEqual(lines[1].split(), [PF, "-", "vfs", "4", "2", "yes"])
        self.assertEqual(lines[2].split(), [PF, "1", "vlan", "vlan=100", "-", "no"])
        self.assertEqual(self.ctl("diff", "-o", "WHAT,policy", "--no-legend", status=20).stdout.split(),
                         ["vfs", "nics", "vlan", "nics"])

    def test_a_policy_that_cannot_be_told_is_a_line_on_stderr(self):
        self.rows_are(no_difference(PF2, "PolicyConflict", f"{PF2}: policies a and b"))
        p = self.ctl("diff", status=20)
        self.assertEqual((p.stdout, p.stderr), ("", f"sriovctl: {PF2}: policies a and b\n"))

    def test_json_has_its_keys(self):
        self.rows_are(difference(PF, "vfs", "4", "2"), no_difference(PF2, "NoPolicy", "no"))
        o = self.json("diff", status=20)
        self.assertEqual(o["differences"], [{"pf": PF, "policy": "nics", "vf": None, "what": "vfs", "wanted": "4", "seen": "2",
                                             "disruptive": False}])
        self.assertEqual([(e["pf"], e["error"], e["message"]) for e in o["errors"]], [(PF2, BAD + "NoPolicy", "no")])

    def test_wrong_usage_asks_for_nothing(self):
        for words in ((PF,), ("-o", "NIX"), ("--force=in-use",), ("-w", "1")):
            self.assertEqual(self.ctl("diff", *words, status=2).stderr.count("\n"), 1)
        self.assertEqual(self.stub.calls, [])


class Vf(WithStub):
    def setUp(self):
        super().setUp()
        path = self.stub.add_job(7, Operation="set-vf")
        self.stub.answers["SetVF"] = lambda *_: ("o", [path], [])

    def test_all_keys_go_to_the_daemon_in_words(self):
        self.ctl("vf", PF + "/vf3", *KEYS, "driver=vfio-pci")
        want = dict(k.split("=") for k in KEYS + ("driver=vfio-pci",))
        self.assertEqual(self.stub.called("SetVF"), [[PF, 3, {k: ("s", v) for k, v in want.items()}, {}]])

    def test_a_value_is_told_as_the_table_has_it(self):
        self.ctl("vf", PF + "/3", "mac=AA:bb:CC:dd:ee:0F", "spoofchk=yes", "link_state=enable", "driver=none")
        self.assertEqual(self.stub.called("SetVF")[0][2], {"mac": ("s", "aa:bb:cc:dd:ee:0f"), "spoofchk": ("s", "on"),
                                                           "link-state": ("s", "enable"), "driver": ("s", "none")})

    def test_each_way_to_name_a_vf_is_its_pf_and_index(self):
        self.stub.change(self.stub.path(PF) + "_vf1", NetDevs=["ens1v1"])
        for name, want in ((PF + "/vf3", [PF, 3]), (PF + "/3", [PF, 3]), ("01:00.0/vf0", ["01:00.0", 0]), ("ens1/17", ["ens1", 17]),
                           ("pci/" + PF + "/1", ["pci/" + PF, 1]), (VF1, [PF, 1]), ("01:10.0", [PF, 0]), ("ens1v1", [PF, 1])):
            self.ctl("vf", name, "vlan=1")
            self.assertEqual(self.stub.called("SetVF")[-1][:2], want, name)

    def test_its_options_are_those_of_a_job(self):
        self.ctl("vf", VF0, "vlan=1", "--force=in-use", "--expect=8f", "--reason=x")
        self.assertEqual(self.stub.called("SetVF")[-1][3], {"force": ("as", ["in-use"]), "expect": ("s", "8f"), "reason": ("s", "x")})
        self.assertEqual(self.ctl("vf", VF0, "vlan=1", "--no-block").stdout, "7\n")

    def test_a_plan_has_index_and_attributes(self):
        self.stub.answers["Plan"] = lambda *_: ("saa{sv}", ["id", []], [])
        for words in (("plan", "vf"), ("-n", "vf")):
            self.ctl(*words, PF + "/vf3", "vlan=100", "driver=default")
            self.assertEqual(self.stub.called("Plan")[-1], ["set-vf", {
                "function": ("s", PF), "index": ("u", 3),
                "attributes": ("a{sv}", {"vlan": ("s", "100"), "driver": ("s", "default")})}])
        self.assertEqual(self.stub.called("SetVF"), [])

    def test_without_a_key_it_shows_them_as_they_can_be_typed(self):
        self.stub.change(self.stub.path(PF) + "_vf1", Attributes=ATTRIBUTES, MAC=ATTRIBUTES["mac"], VLAN=100)
        self.stub.change(self.stub.path(PF) + "_vf0", Driver="")
        for name in (PF + "/vf1", PF + "/1", VF1):
            self.assertEqual(self.ctl("vf", name).stdout, "driver=vfio-pci\nmac=02:00:00:00:01:00\nvlan=100\nqos=0\n")
        self.assertEqual(self.ctl("vf", VF0).stdout, "driver=none\n")
        o = self.json("vf", VF1)
        self.assertEqual((o["attributes"], o["mac"], o["vlan"], o["ready"]), (ATTRIBUTES, ATTRIBUTES["mac"], 100, True))
        self.assertEqual(self.stub.called("SetVF"), [])

    def test_a_wrong_word_is_told_with_the_right_one(self):
        vf = PF + "/vf0"
        for word, line in (("valn=1", "'valn' is no attribute of a VF; did you mean 'vlan'?"),
                           ("zzzzzzzz=1", "'zzzzzzzz' is no attribute of a VF; there are driver, msix, queues, "),
                           ("drivr=x", "did you mean 'driver'?"),
                           ("vlan=4096", "vlan: takes 0 (none) to 4095, not '4096'; nothing was changed"),
                           ("vlan=010", "vlan: takes"), ("vlan=-1", "vlan: takes"), ("vlan=", "vlan: takes"),
                           ("mac=01:00:00:00:00:00", "mac: takes a MAC address of one station"),
                           ("trust=maybe", "trust: takes on or off, not 'maybe'"), ("driver=", "driver: takes a name, default or none"),
                           ("msix=0", "msix: takes 1 to 2048"), ("vlan", "'vlan': give KEY=VALUE, as vlan=100"),
                           ("x" * 99 + "=1", "is no attribute of a VF"), ("=1", "'' is no attribute of a VF"),
                           ("qos=3", "qos: means nothing without vlan; give both"),
                           ("queues=3", "queues: means nothing without interrupts; give both")):
            p = self.ctl("vf", vf, word, status=2)
            self.assertEqual(p.stderr.count("\n"), 1, p.stderr)
            self.assertTrue(p.stderr.startswith(f"sriovctl: {vf}: "), p.stderr)
            self.assertIn(line, p.stderr)
            self.assertEqual(self.json("vf", vf, word, status=2)["error"], BAD + "BadOption")
        for words in (("vlan=1", "vlan=2"), ("driver=a", "driver=a")):
            self.assertIn("is there twice", self.ctl("vf", vf, *words, status=2).stderr)
        self.assertEqual(self.stub.calls, [])

    def test_what_is_no_vf_is_refused(self):
        self.stub.answers["Plan"] = lambda *_: ("saa{sv}", ["id", []], [])
        self.assertEqual(self.ctl("vf", PF, "vlan=1", status=2).stderr,
                         f"sriovctl: {PF}: is a PF; name one of its VFs, as {PF}/vf0\n")
        self.ctl("vf", PF, status=2)
        self.assertIn("no such device", self.ctl("vf", "nix", "vlan=1", status=10).stderr)
        self.ctl("vf", PF + "/vf9", status=10)
        for words in ((), ("", "vlan=1"), ("x" * 300 + "/3", "vlan=1"), (PF + "/vf0", "-n")):
            self.assertEqual(self.ctl("vf", *words, status=2).stderr.count("\n"), 1)

    def test_a_vf_whose_pf_is_gone_can_be_given_nothing(self):
        del self.stub.objects[self.stub.path(PF)]
        p = self.ctl("vf", VF0, "vlan=1", status=10)
        self.assertIn(f"{VF0}: its PF is gone", p.stderr)

    def test_each_refusal_has_its_status(self):
        for name, status in (("Unsupported", 1), ("NoSuchDevice", 10), ("InUse", 5), ("BadOption", 2), ("NotAuthorized", 6)):
            self.stub.refuse("SetVF", name, f"{VF0}: no")
            self.assertEqual(self.ctl("vf", VF0, "vlan=1", status=status).stderr, f"sriovctl: {VF0}: no\n")


class Eswitch(WithStub):
    def test_it_shows_the_mode(self):
        self.stub.change(self.stub.path(PF), EswitchMode="switchdev")
        self.assertEqual(self.ctl("eswitch", PF).stdout, "switchdev\n")
        self.assertEqual(self.json("eswitch", PF), {"pf": PF, "eswitch_mode": "switchdev"})

    def test_no_mode_is_told(self):
        p = self.ctl("eswitch", "01:00.0")
        self.assertEqual((p.stdout, p.stderr), ("-\n", f"sriovctl: {PF}: no mode was seen; its driver may have none\n"))
        self.assertEqual(self.ctl("eswitch", PF, "--no-legend").stderr, "")
        self.assertEqual(self.json("eswitch", PF)["eswitch_mode"], None)

    def test_it_sets_the_mode(self):
        path = self.stub.add_job(7, Operation="eswitch")
        self.stub.answers["SetEswitchMode"] = lambda *_: ("o", [path], [])
        self.ctl("eswitch", PF, "switchdev", "--reason=x")
        self.assertEqual(self.stub.called("SetEswitchMode"), [[PF, "switchdev", {"reason": ("s", "x")}]])
        self.stub.answers["Plan"] = lambda *_: ("saa{sv}", ["id", []], [])
        self.ctl("plan", "eswitch", PF, "legacy")
        self.assertEqual(self.stub.called("Plan"), [["eswitch", {"function": ("s", PF), "mode": ("s", "legacy")}]])

    def test_wrong_usage_asks_for_nothing(self):
        self.assertEqual(self.ctl("eswitch", PF, "switchdv", status=2).stderr,
                         f"sriovctl: {PF}: 'switchdv': no eswitch mode; did you mean 'switchdev'?\n")
        self.assertIn("there are legacy and switchdev\n", self.ctl("eswitch", PF, "zzzz", status=2).stderr)
        for words in ((), (PF, ""), (PF, "legacy", "x"), (PF, "-n"), ("", "legacy")):
            self.assertEqual(self.ctl("eswitch", *words, status=2).stderr.count("\n"), 1)
        self.assertEqual(self.stub.calls, [])

    def test_a_vf_or_nothing_has_none(self):
        self.assertIn("is a VF; ask its PF", self.ctl("eswitch", VF0, status=10).stderr)
        self.stub.refuse("Plan", "NoSuchDevice", "nix: no such device")
        self.ctl("eswitch", "nix", status=10)


class Adopt(WithStub):
    def setUp(self):
        super().setUp()
        self.stub.answers["Adopt"] = lambda *_: ("ss", ["/etc/sriovd/policy.d/50-0000-01-00-0.conf", "policy = (\n\x1b{ } );\n"], [])

    def test_it_tells_the_file(self):
        self.assertEqual(self.ctl("adopt", "01:00.0", "--reason=x").stdout, "/etc/sriovd/policy.d/50-0000-01-00-0.conf\n")
        self.assertEqual(self.stub.called("Adopt"), [["01:00.0", {"reason": ("s", "x")}]])

    def test_a_dry_run_shows_the_text(self):
        for words in (("adopt", PF, "-n"), ("plan", "adopt", PF)):
            self.assertEqual(self.ctl(*words).stdout, "policy = (\n?{ } );\n")
            self.assertEqual(self.stub.called("Adopt")[-1], [PF, {"dry-run": ("b", 1)}])

    def test_json_has_its_keys(self):
        self.assertEqual(self.json("adopt", PF), {"file": "/etc/sriovd/policy.d/50-0000-01-00-0.conf",
                                                  "text": "policy = (\n\x1b{ } );\n"})

    def test_each_refusal_has_its_status(self):
        for name, status in (("NotAuthorized", 6), ("NoSuchDevice", 10), ("NotSriov", 10), ("Failed", 1)):
            self.stub.refuse("Adopt", name, f"{PF}: no")
            self.assertEqual(self.ctl("adopt", PF, status=status).stderr, f"sriovctl: {PF}: no\n")

    def test_wrong_usage_asks_for_nothing(self):
        for words in ((), (PF, PF2), ("",), (PF, "--no-block"), (PF, "--expect=1"), (PF, "--force=in-use")):
            self.assertEqual(self.ctl("adopt", *words, status=2).stderr.count("\n"), 1)
        self.assertEqual(self.stub.calls, [])


class Persist(WithStub):
    def test_it_goes_to_the_daemon_with_set_alone(self):
        self.job_is()
        self.ctl("set", PF, "2", "--persist")
        self.assertEqual(self.stub.called("SetVFs")[-1][2], {"persist": ("b", 1)})
        self.ctl("set", PF, "2")
        self.assertEqual(self.stub.called("SetVFs")[-1][2], {})
        for words in (("bind", VF0, "x"), ("vf", VF0, "vlan=1"), ("apply",)):
            self.assertIn("has no option --persist", self.ctl(*words, "--persist", status=2).stderr)


class Ready(WithStub):
    def start(self, *words):
        return Child(self, "wait", "--ready", *words)

    def asked(self):
        return len(self.stub.called("GetManagedObjects"))

    def test_what_is_ready_is_not_waited_for(self):
        self.assertEqual(self.ctl("wait", "--ready", PF, PF + "/vf1", VF0).stdout, "")
        self.assertEqual(self.json("wait", "--ready", "01:00.0"),
                         {"devices": [{"device": "01:00.0", "ready": True, "missing": None}], "exit": 0})

    def test_it_waits_for_the_signal_and_asks_no_sooner(self):
        vf = self.stub.path(PF) + "_vf0"
        self.stub.change(vf, Ready=False)
        p = self.start(PF, VF0)
        self.until(lambda: self.asked() == 1, "the first look")
        time.sleep(0.5)
        self.assertEqual((self.asked(), p.poll()), (1, None))
        self.stub.change_now(vf, Ready=True)
        self.assertEqual(p.end(), (0, "", ""))
        self.assertEqual(self.asked(), 2)

    def test_a_job_is_no_reason_to_look(self):
        job = self.stub.add_job(7, State="running", Result="")
        self.stub.change(self.stub.path(PF), Ready=False)
        p = self.start(PF)
        self.until(lambda: self.asked() == 1, "the first look")
        for _ in range(3):
            self.stub.tell(self.stub.change_job(job, State="running"))
        time.sleep(0.3)
        self.assertEqual(self.asked(), 1)
        self.stub.change_now(self.stub.path(PF), Ready=True)
        self.assertEqual(p.end()[0], 0)

    def test_many_signals_are_one_look(self):
        self.stub.change(self.stub.path(PF), Ready=False)
        p = self.start(PF)
        self.until(lambda: self.asked() == 1, "the first look")
        for i in range(200):
            self.stub.change_now(self.stub.path(PF) + f"_vf{i % 2}", Ready=True)
        self.stub.change_now(self.stub.path(PF), Ready=True)
        self.assertEqual(p.end()[0], 0)
        self.assertLess(self.asked(), 20)

    def test_a_device_may_come_late(self):
        p = self.start(PF2)
        self.until(lambda: self.asked() == 1, "the first look")
        path = self.stub.add_pf(PF2)
        self.stub.tell(self.stub.signal("/org/sriovd1", "org.freedesktop.DBus.ObjectManager", "InterfacesAdded", "oa{sa{sv}}",
                                        path, self.stub.objects[path]))
        self.assertEqual(p.end(), (0, "", ""))

    def test_a_time_out_is_3_and_says_in_a_line_what_is_missing(self):
        pf, vf = self.stub.path(PF), self.stub.path(PF) + "_vf1"
        for values, word, name in (
                ({pf: {"State": "busy", "Ready": False}}, f"{PF}: not ready: a job is at work on it", PF),
                ({pf: {"State": "waiting", "Ready": False}}, "a job waits to begin", PF),
                ({pf: {"State": "quarantined", "Ready": False}}, "stuck in the kernel", PF),
                ({pf: {"State": "ok", "Ready": False}, vf: {"Ready": False, "Driver": ""}},
                 "1 of its 2 VFs are not, VF 1 with driver - and net devices - the first", PF),
                ({vf: {"Ready": False, "Driver": "igbvf", "NetDevs": ["ens1v1"]}},
                 f"{VF1}: not ready: driver igbvf, net devices ens1v1", PF + "/vf1"),
                ({vf: {"Ready": True}, pf: {"Policy": "nics"}}, "it has 2 VFs, and is not as the policy nics wants it", PF),
                ({}, "nix: not ready: there is no such device yet", "nix"),
                ({}, f"{PF}/vf9: not ready: there is no such device yet", PF + "/vf9")):
            for path, v in values.items():
                self.stub.change(path, **v)
            p = self.ctl("wait", "--ready", name, "-w", "0.1", status=3)
            self.assertEqual(p.stderr.count("\n"), 1, p.stderr)
            self.assertIn(word, p.stderr)
        o = self.json("wait", "--ready", PF, "nix", "-w", "0.1", status=3)
        self.assertEqual((o["exit"], [(d["device"], d["ready"]) for d in o["devices"]]), (3, [(PF, False), ("nix", False)]))
        self.assertIn("; and 1 more", o["message"])

    def test_what_is_not_there_is_10_if_nobody_waits(self):
        self.stub.refuse("Plan", "NotSriov", "0000:09:00.0: has no SR-IOV capability")
        p = self.ctl("wait", "--ready", "0000:09:00.0", "-w", "0", status=10)
        self.assertEqual(p.stderr, "sriovctl: 0000:09:00.0: has no SR-IOV capability\n")
        self.stub.change(self.stub.path(PF), Ready=False)
        self.ctl("wait", "--ready", PF, "-w", "0", status=3)
        self.ctl("wait", "--ready", VF0, "-w", "0")

    def test_a_name_that_fits_two_is_10_at_once(self):
        for i in range(2):
            self.stub.change(self.stub.path(PF) + f"_vf{i}", NetDevs=["ens1"])
        self.assertIn("2 devices fit", self.ctl("wait", "--ready", "ens1", status=10).stderr)

    def test_ctrl_c_says_what_is_missing(self):
        self.stub.change(self.stub.path(PF), Ready=False)
        p = self.start(PF)
        self.until(lambda: self.asked() == 1, "the first look")
        time.sleep(0.2)
        p.interrupt()
        status, _, error = p.end()
        self.assertEqual((status, error.count("\n")), (130, 1))

    def test_wrong_usage_asks_for_nothing(self):
        for words in (("--ready",), ("--ready", ""), ("7", "8"), (), ("--ready", PF, "-w", "soon"), ("x",)):
            self.assertEqual(self.ctl("wait", *words, status=2).stderr.count("\n"), 1)
        self.assertEqual(self.stub.calls, [])


class Metrics(WithStub):
    TEXT = "# TYPE sriovd_jobs counter\nsriovd_jobs_total{result=\"done\"} 3\n# EOF\n"

    def setUp(self):
        super().setUp()
        self.stub.answers["Metrics"] = lambda: ("s", [self.TEXT], [])
        self.file = os.path.join(self.dir, "sriovd.prom")

    def test_it_prints_them_as_they_are(self):
        self.assertEqual(self.ctl("metrics").stdout, self.TEXT)
        self.assertEqual(self.json("metrics"), {"metrics": self.TEXT})

    def test_a_file_is_replaced_whole_and_readable(self):
        with open(self.file, "w", encoding="utf-8") as f:
            f.write("before")
            f.flush()
            self.assertEqual(self.ctl("metrics", "--file", self.file).stdout, "")
            self.assertEqual(os.fstat(f.fileno()).st_nlink, 0, "written in place")
        with open(self.file, encoding="utf-8") as f:
            self.assertEqual(f.read(), self.TEXT)
        self.assertEqual(stat.S_IMODE(os.stat(self.file).st_mode), 0o644)
        self.assertEqual(self.json("metrics", "--file", self.file), {"file": self.file})
        self.assertEqual(sorted(os.listdir(self.dir)), ["bus", "run", "sriovd.prom"])

    def test_a_file_that_cannot_be_written_is_one_line_and_leaves_nothing(self):
        os.mkdir(self.file)
        for path in (self.file, "/nonexistent/x.prom"):
            p = self.ctl("metrics", "--file", path, status=1)
            self.assertEqual(p.stderr.count("\n"), 1, p.stderr)
            self.assertIn(path, p.stderr)
        self.assertEqual(sorted(os.listdir(self.dir)), ["bus", "run", "sriovd.prom"])

    def test_wrong_usage_asks_for_nothing(self):
        for words in (("x",), ("--file=",), ("--file=/tmp/",), ("-o", "X")):
            self.assertEqual(self.ctl("metrics", *words, status=2).stderr.count("\n"), 1)
        self.assertEqual(self.stub.calls, [])


class Show(WithStub):
    def setUp(self):
        super().setUp()
        self.stub.change(self.stub.path(PF), Policy="nics", EswitchMode="legacy", Ready=False)
        self.stub.change(self.stub.path(PF) + "_vf1", Attributes=ATTRIBUTES, MAC=ATTRIBUTES["mac"], VLAN=100, Ready=False)

    def test_a_pf_shows_policy_mode_and_readiness(self):
        out = self.ctl("show", PF).stdout
        for line in ("Policy: nics", "Ready: no", "Eswitch mode: legacy", f"VF 0: {VF0}, driver vfio-pci, net devices -, attributes -"):
            self.assertRegex(out, rf"(?m)^ *{re.escape(line)}$")
        self.assertIn("attributes mac=02:00:00:00:01:00 vlan=100 qos=0, not ready\n", out)
        o = self.json("show", PF)
        self.assertEqual((o["policy"], o["eswitch_mode"], o["ready"]), ("nics", "legacy", False))

    def test_a_vf_shows_its_attributes(self):
        self.assertIn("Attributes: mac=02:00:00:00:01:00 vlan=100 qos=0\n", self.ctl("show", VF1).stdout)
        o = self.json("show", VF1)
        self.assertEqual((o["attributes"], o["mac"], o["vlan"], o["ready"]), (ATTRIBUTES, ATTRIBUTES["mac"], 100, False))

    def test_list_has_the_policy_and_more_by_its_columns(self):
        lines = self.ctl("list").stdout.splitlines()
        self.assertEqual(lines[0].split(), ["ADDRESS", "DRIVER", "NETDEVS", "VFS", "TOTAL", "STATE", "POLICY", "NAME"])
        self.assertEqual(lines[1].split()[6], "nics")
        self.assertEqual(self.ctl("list", "--no-legend", "-o", "ESWITCH,READY").stdout.split(), ["legacy", "no"])
        self.assertIn("mac=02:00:00:00:01:00 vlan=100 qos=0", self.ctl("list", "-a", "-o", "MAC,ATTRIBUTES").stdout)


class Monitor(WithStub):
    def test_drift_is_told(self):
        p = Child(self, "monitor", "--json=short")
        self.until(lambda: self.stub.called("Ping"), "the monitor")
        row = difference(PF, "vlan", "vlan=100", "vlan=0", vf=1)
        self.stub.tell(self.stub.signal("/org/sriovd1", "org.sriovd1.Manager", "Drift", "sa{sv}", PF, row))
        event = p.json_line()
        p.interrupt()
        p.end()
        self.assertEqual((event["event"], event["kind"], event["object"]), ("drift", "pf", PF))
        self.assertEqual(event["values"], {"policy": "nics", "vf": 1, "what": "vlan", "wanted": "vlan=100", "seen": "vlan=0",
                                           "disruptive": False})


class Written(WithStub):
    """The keys of the attributes are written down in five more places."""

    def test_all_keys_stand_in_man_pages_completions_and_interface(self):
        line = self.ctl("vf", VF0, "zzzzzzzzz=1", status=2).stderr
        keys = line.strip().split("there are ")[1].split(", ")
        self.assertEqual(sorted(keys), sorted(["driver"] + [k.split("=")[0] for k in KEYS]))
        for name, pattern in (("cli/sriovctl.1.scd", r"(?m)^\|. .*\*{}\*"), ("cli/completion/_sriovctl", r"(?s)compadd -S=.*[ ]{}\b"),
                              ("cli/completion/sriovctl.bash", r"(?s)_keys='[^']*\b{}="), ("systemd/org.sriovd1.xml", '"{}" [sub]'),
                              ("systemd/org.sriovd1.5.scd", r"\*{}\* [sub]")):
            with open(os.path.join(SOURCE, name), encoding="utf-8") as f:
                text = f.read()
            for key in keys:
                self.assertRegex(text, pattern.format(key), f"{key} stands not in {name}")

    def test_all_columns_stand_in_the_man_page(self):
        with open(os.path.join(SOURCE, "cli/sriovctl.1.scd"), encoding="utf-8") as f:
            options = f.read().split("*--output*")[1].split("*--json*")[0]
        for verb in ("list", "diff"):
            line = self.ctl(verb, "-o", "NIX", status=2).stderr
            known = line.strip().split("there are ")[1].split(",")
            text = options.split(f"*{verb}* has")[1].split(";")[0]
            for column in known:
                self.assertRegex(text, rf"\b{column}\b", f"{column} of {verb}")


if __name__ == "__main__":
    run("policy")
