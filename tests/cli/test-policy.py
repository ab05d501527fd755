#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""sriovctl and what is wanted: diff and drift, adopt, set --persist, wait --ready, metrics

Each test is named after the promise it keeps.
"""
import os
import stat
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from base import BAD, PF, PF2, VF0, VF1, Child, WithStub, run  # noqa: E402
from stub import difference, no_difference  # noqa: E402


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

    def daemon_is_away(self):
        """Until what this returns is called."""
        names = [os.path.join(self.dir, *n) for n in (("run", "private"), ("bus",))]
        for name in names:
            os.rename(name, name + ".away")

        def back():
            for name in names:
                os.rename(name + ".away", name)
        return back

    def test_a_daemon_that_is_away_at_first_is_waited_for(self):
        for words in ((), ("-w", "60")):
            back = self.daemon_is_away()
            p = self.start(PF, *words)
            time.sleep(0.7)
            self.assertEqual((self.asked(), p.poll()), (0, None))
            back()
            self.assertEqual(p.end(), (0, "", ""))
            self.stub.calls.clear()

    def test_a_bus_on_which_nobody_has_the_name_yet_is_waited_on(self):
        if os.geteuid() == 0:
            os.unlink(os.path.join(self.dir, "run", "private"))
        self.stub.refuse("GetManagedObjects", "ServiceUnknown", "nobody", "org.freedesktop.DBus.Error.")
        p = self.start(PF)
        self.until(lambda: self.asked() == 1, "the first look")
        time.sleep(0.5)
        self.assertEqual((self.asked(), p.poll()), (1, None))
        del self.stub.answers["GetManagedObjects"]
        self.stub.tell(self.stub.signal("/org/freedesktop/DBus", "org.freedesktop.DBus", "NameOwnerChanged", "sss",
                                        "org.sriovd1", "", ":1.7", sender="org.freedesktop.DBus"))
        self.assertEqual(p.end(), (0, "", ""))

    def test_a_daemon_that_never_comes_is_8_after_the_time_of_w(self):
        self.daemon_is_away()
        for seconds in (0, 0.7):
            began = time.monotonic()
            p = self.ctl("wait", "--ready", PF, "-w", str(seconds), status=8)
            self.assertGreaterEqual(time.monotonic() - began, seconds)
            self.assertIn("cannot reach sriovd", p.stderr)
            self.assertEqual(p.stderr.count("\n"), 1)

    def test_ctrl_c_while_the_daemon_is_away_says_so(self):
        self.daemon_is_away()
        p = self.start(PF)
        time.sleep(0.5)
        p.interrupt()
        self.assertEqual(p.end(), (130, "", f"sriovctl: {PF}: not ready: sriovd is not there yet\n"))

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


if __name__ == "__main__":
    run("policy")
