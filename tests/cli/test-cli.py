#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""sriovctl alone: what it asks for, says and exits with, whatever the daemon answers

Each test is named after the promise it keeps.
"""
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from base import PF, SRIOVCTL, VF0, VF1, WithStub, run  # noqa: E402
from stub import Refusal, JOB_TYPES, finding, holder, opener, program, typed  # noqa: E402

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "cli")
QEMU = holder(VF0, "vfio", 4711, "qemu-system-x86", "/dev/vfio/12")
MOUNT = holder(VF1, "mount", detail="/dev/nvme1n1 on /srv", force="storage")
NOTE = holder(VF1, "note", command="backup", force="")
QEMU_LINE = f"{VF0}: vfio: qemu-system-x86 (pid 4711), /dev/vfio/12"
MOUNT_LINE = f"{VF1}: mount: /dev/nvme1n1 on /srv"


class Users(WithStub):
    def test_users_has_a_line_for_each_holder(self):
        self.holders_are(QEMU, MOUNT)
        lines = self.ctl("users").stdout.splitlines()
        self.assertEqual(lines[0].split(), ["DEVICE", "KIND", "FORCE", "PID", "COMMAND", "DETAIL"])
        self.assertEqual(lines[1].split(), [VF0, "vfio", "in-use", "4711", "qemu-system-x86", "/dev/vfio/12"])
        self.assertEqual(lines[2].split(), [VF1, "mount", "storage", "-", "-", "/dev/nvme1n1", "on", "/srv"])
        self.assertEqual(self.stub.called("Holders"), [[""]])
        self.assertEqual(self.ctl("users", "--no-legend", "-o", "kind,FORCE").stdout.split(),
                         ["vfio", "in-use", "mount", "storage"])

    def test_users_json_has_its_keys(self):
        self.holders_are(QEMU, MOUNT)
        first, second = self.json("users")["holders"]
        self.assertEqual(first, {"function": VF0, "kind": "vfio", "pid": 4711, "command": "qemu-system-x86",
                                 "detail": "/dev/vfio/12", "force": "in-use"})
        self.assertEqual((second["pid"], second["command"]), (None, None))

    def test_users_of_several_devices_shows_each_holder_once(self):
        self.holders_are(QEMU)
        self.assertEqual(len(self.json("users", "0000:05:00.0", VF0)["holders"]), 1)
        self.assertEqual(self.stub.called("Holders"), [["0000:05:00.0"], [VF0]])

    def test_users_of_a_pf_are_those_of_its_vfs_as_well(self):
        self.holders_are(holder(PF, "netdev"), QEMU, holder("", "unknown", detail="who knows"))
        for name in (PF, PF + "/vf0"):
            self.assertEqual([h["kind"] for h in self.json("users", name)["holders"]], ["netdev", "vfio", "unknown"])
        # The daemon adds the VFs' to the PF's.
        self.assertEqual(self.stub.called("Holders"), [[PF], [PF + "/vf0"]])

    def test_nobody_is_no_error(self):
        self.holders_are()
        p = self.ctl("users", PF)
        self.assertEqual((p.stdout, p.stderr), ("", f"sriovctl: nobody uses {PF}\n"))
        self.assertEqual(self.ctl("users", "--no-legend").stderr, "")
        self.assertEqual(self.json("users"), {"holders": []})

    def test_no_such_device_is_10(self):
        self.stub.refuse("Holders", "NoSuchDevice", "nix: no such device")
        self.assertEqual(self.ctl("users", "nix", status=10).stderr, "sriovctl: nix: no such device\n")

    def test_a_kind_of_a_younger_daemon_is_shown_as_it_is(self):
        self.job_is(Result="refused", Error="org.sriovd1.Error.InUse", Message="in use",
                    Holders=[holder(VF0, "teleport", detail="beam")])
        self.assertIn(f"  {VF0}: teleport: beam\n", self.ctl("set", PF, "0", status=5).stderr)


class InUse(WithStub):
    def setUp(self):
        super().setUp()
        self.refused = {"Result": "refused", "Error": "org.sriovd1.Error.InUse", "Message": f"{VF0}: in use, by many",
                        "Holders": [QEMU, MOUNT]}

    def test_a_refusal_names_every_holder(self):
        self.job_is(**self.refused)
        for words in (("set", PF, "0"), ("wait", "7")):
            p = self.ctl(*words, status=5)
            self.assertEqual(p.stderr, f"sriovctl: {VF0}: in use, by many\n  {QEMU_LINE}\n  {MOUNT_LINE}\n")
            self.assertEqual(p.stdout, "")

    def test_the_error_object_has_the_holders(self):
        self.job_is(**self.refused)
        error = self.json("set", PF, "0", status=5)
        self.assertEqual((error["error"], error["exit"]), ("org.sriovd1.Error.InUse", 5))
        self.assertEqual([h["detail"] for h in error["holders"]], ["/dev/vfio/12", "/dev/nvme1n1 on /srv"])

    def test_forced_holders_are_warned_of(self):
        self.job_is(Holders=[QEMU, NOTE], Warnings=["it rains", f"{VF0}: in use, somehow; going on as forced"])
        p = self.ctl("set", PF, "0", "--force=in-use")
        self.assertEqual(p.stderr, f"sriovctl: warning: it rains\nsriovctl: forced: {QEMU_LINE}\n"
                         f"sriovctl: warning: {VF1}: note: backup\n")

    def test_who_is_forced_is_named_when_it_is_stuck(self):
        self.job_is(State="wedged", Result="", Holders=[QEMU])
        p = self.ctl("set", PF, "0", "--force=in-use", status=9)
        self.assertIn(f"sriovctl: forced: {QEMU_LINE}\n", p.stderr)
        self.assertIn("job 7 is stuck in the kernel", p.stderr)

    def test_who_is_forced_is_asked_for_when_it_gets_stuck_meanwhile(self):
        path = self.stub.add_job(7, State="running", Result="")

        def properties(_):
            values = dict(self.stub.jobs[path])
            if values["State"] == "running":
                self.stub.change_later(path, State="wedged", Holders=[QEMU])
            return "a{sv}", [typed(values, JOB_TYPES)], []
        self.stub.answers["SetVFs"] = lambda *_: ("o", [path], [])
        self.stub.answers["GetAll"] = properties
        p = self.ctl("set", PF, "0", "--force=in-use", status=9)
        self.assertIn(f"sriovctl: forced: {QEMU_LINE}\n", p.stderr)

    def test_force_goes_to_the_daemon_as_it_was_typed(self):
        self.job_is()
        for words, want in ((("--force=in-use",), ["in-use"]), (("--force=in-use,storage",), ["in-use", "storage"]),
                            (("--force=storage", "--force", "in-use"), ["storage", "in-use"])):
            self.ctl("set", PF, "0", *words)
            self.assertEqual(self.stub.called("SetVFs")[-1][2]["force"], ("as", want))

    def test_a_wrong_risk_is_wrong_usage(self):
        for risk in ("", "all", "in-use,", "in-use,,storage", "storage,x", "In-Use", "in-use storage"):
            self.ctl("set", PF, "0", "--force=" + risk, status=2)
        self.ctl("rescan", "--force=in-use", status=2)
        self.assertEqual(self.stub.calls, [])


class OnFailure(WithStub):
    def test_it_goes_to_the_daemon_if_it_was_typed(self):
        self.job_is()
        self.ctl("set", PF, "2")
        self.assertNotIn("on-failure", self.stub.called("SetVFs")[-1][2])
        for word in ("keep", "rollback"):
            self.ctl("set", PF, "2", "--on-failure", word)
            self.assertEqual(self.stub.called("SetVFs")[-1][2]["on-failure"], ("s", word))

    def test_a_plan_has_it_as_well(self):
        self.stub.answers["Plan"] = lambda *_: ("saa{sv}", ["id", []], [])
        self.ctl("plan", "set", PF, "2", "--on-failure=rollback")
        self.assertEqual(self.stub.called("Plan")[-1][1]["on-failure"], ("s", "rollback"))

    def test_a_wrong_word_is_wrong_usage_and_says_the_right_ones(self):
        for word in ("", "Keep", "roll", "keep,rollback"):
            p = self.ctl("set", PF, "2", "--on-failure=" + word, status=2)
            self.assertIn("'keep' or 'rollback'", p.stderr)
        self.ctl("unbind", PF, "--on-failure=keep", status=2)
        self.ctl("plan", "unbind", PF, "--on-failure=keep", status=2)
        self.assertEqual(self.stub.calls, [])


class Hold(WithStub):
    def setUp(self):
        super().setUp()
        self.file = self.stub.hold("hold")

    def is_held(self):
        with open(self.file, "ab") as f:
            try:
                fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return False
            except BlockingIOError:
                return True

    def test_the_command_has_the_hold_and_its_end_releases_it(self):
        p = self.ctl("hold", PF, "--", "sh", "-c", 'flock -n "$0" true && echo free || echo held; ls -l /proc/self/fd',
                     self.file)
        self.assertEqual(p.stdout.splitlines()[0], "held")
        self.assertIn(self.file, p.stdout)
        self.until(lambda: not self.is_held(), "the hold's end")
        self.assertEqual(self.stub.called("Hold"), [[PF, "sh", "", "block"]])

    def test_the_pid_and_the_signals_are_the_commands(self):
        p = subprocess.Popen([SRIOVCTL, "hold", PF, "--", "sh", "-c", "echo $$; exec sleep 60 >&-"], env=self.env,
                             stdout=subprocess.PIPE, text=True)
        with p.stdout:
            self.assertEqual(int(p.stdout.readline()), p.pid)
        self.assertTrue(self.is_held())
        p.terminate()
        self.assertEqual(p.wait(60), -signal.SIGTERM)
        self.until(lambda: not self.is_held(), "the hold's end")

    def test_the_commands_children_keep_the_hold(self):
        p = self.ctl("hold", PF, "--", "sh", "-c", "sleep 60 >&- 2>&- & echo $!")
        self.assertTrue(self.is_held())
        os.kill(int(p.stdout), signal.SIGKILL)
        self.until(lambda: not self.is_held(), "the hold's end")

    def test_what_is_behind_the_dashes_is_the_commands(self):
        p = self.ctl("hold", "--why=a copy", PF, "--mode", "note", "--", "printf", "%s|", "--json=pretty", "-n", "--",
                     "--why=x", "-h")
        self.assertEqual(p.stdout, "--json=pretty|-n|--|--why=x|-h|")
        self.assertEqual(self.stub.called("Hold"), [[PF, "printf", "a copy", "note"]])

    def test_bytes_that_are_no_text_reach_the_command(self):
        p = subprocess.run([SRIOVCTL, "hold", PF, "--", "printf", "%s", b"\xff"], env=self.env, capture_output=True,
                           timeout=60, check=False)
        self.assertEqual((p.returncode, p.stdout), (0, b"\xff"), p.stderr)

    def test_its_status_is_passed_on(self):
        self.ctl("hold", PF, "--", "sh", "-c", "exit 42", status=42)

    def test_a_command_that_cannot_run_is_told_as_env_does(self):
        p = self.ctl("hold", PF, "--", "no-such-command", status=127)
        self.assertEqual(p.stderr.count("\n"), 1, p.stderr)
        self.until(lambda: not self.is_held(), "the hold's end")
        self.ctl("hold", PF, "--", self.file, status=126)

    def test_a_refusal_has_its_status_and_runs_nothing(self):
        for name, status in (("Busy", 11), ("NoSuchDevice", 10), ("BadOption", 2), ("Quarantined", 9)):
            self.stub.refuse("Hold", name, "no")
            p = self.ctl("hold", PF, "--", "echo", "ran", status=status)
            self.assertEqual(p.stdout, "")

    def test_wrong_usage_asks_for_nothing(self):
        for words in (("hold",), ("hold", PF), ("hold", PF, "--"), ("hold", PF, "true"), ("hold", "--", PF, "true"),
                      ("hold", PF, "x", "--", "true"), ("hold", PF, "--", ""), ("hold", "", "--", "true"),
                      ("hold", PF, "--mode=both", "--", "true"), ("hold", PF, "--why=", "--", "true"),
                      ("hold", PF, "--why=" + "x" * 128, "--", "true"), ("hold", PF, "--why=a\nb", "--", "true"),
                      ("hold", PF, "--force=in-use", "--", "true"),
                      ("hold", PF, "-H", "there", "--", "true"), ("plan", "hold", PF, "--", "true")):
            p = self.ctl(*words, status=2)
            self.assertEqual(p.stderr.count("\n"), 1, p.stderr)
        self.assertEqual(self.stub.calls, [])

    def test_who_is_the_commands_name_as_far_as_it_goes(self):
        for name, who in ((b"x" * 30 + "\u00e4\u00e4".encode(), "x" * 30), (b"a\nb\xff", "a?b?"), (b"-", "-")):
            command = os.path.join(self.dir.encode(), name)
            os.symlink(shutil.which("true"), command)
            self.ctl("hold", PF, "--", command)
            self.assertEqual(self.stub.called("Hold")[-1][1], who)


class Doctor(WithStub):
    def findings_are(self, *states):
        self.stub.answers["Diagnose"] = lambda: (
            "aa{sv}", [[finding("tasks", s, PF, f"it is {s}") for s in states]], [])

    def test_bad_is_a_failure_and_a_warning_is_none(self):
        for states, status in ((("ok",), 0), (("ok", "warn"), 0), (("warn", "bad", "ok"), 1), ((), 0)):
            self.findings_are(*states)
            self.ctl("doctor", status=status)
            self.assertEqual([f["state"] for f in self.json("doctor", status=status)["findings"]], list(states))

    def test_each_finding_has_a_line(self):
        self.findings_are("ok", "bad")
        lines = self.ctl("doctor", status=1).stdout.splitlines()
        self.assertEqual(lines[0].split(), ["CHECK", "STATE", "SUBJECT", "TEXT"])
        self.assertEqual(lines[2].split(None, 3), ["tasks", "bad", PF, "it is bad"])

    def test_without_a_daemon_it_says_what_to_do(self):
        self.env.update(SRIOVD_RUNTIME_DIRECTORY="/nonexistent", DBUS_SYSTEM_BUS_ADDRESS="unix:path=/nonexistent")
        p = self.ctl("doctor", status=8)
        self.assertEqual(p.stderr.count("\n"), 1, p.stderr)
        self.assertIn("systemctl status sriovd", p.stderr)


class Jobs(WithStub):
    def numbers(self):
        return [j["job"] for j in self.json("jobs", "--all")["jobs"]]

    def test_many_are_asked_about_at_once(self):
        """A round trip for each would take long where there are hundreds."""
        for n in range(1, 129):
            self.stub.add_job(n, UID=n)
        self.stub.together["GetAll"] = 64
        jobs = self.json("jobs", "--all")["jobs"]
        self.assertEqual([(j["job"], j["uid"]) for j in jobs], [(n, n) for n in range(1, 129)])
        self.assertNotIn("path", jobs[0])

    def test_only_those_that_are_shown_are_asked_about(self):
        self.stub.add_job(1)
        self.stub.add_job(2, State="running", Result="")
        self.assertEqual([j["job"] for j in self.json("jobs")["jobs"]], [2])
        self.assertEqual(len(self.stub.called("GetAll")), 1)

    def test_one_that_is_forgotten_in_between_is_shown_as_listed(self):
        for n in (1, 2, 3):
            self.stub.add_job(n)
        answer = self.stub.answer

        def forgotten(path, interface, member, args):
            if (path, member) == ("/org/sriovd1/job/2", "GetAll"):
                raise Refusal("org.freedesktop.DBus.Error.UnknownObject", "no such object")
            return answer(path, interface, member, args)
        self.stub.answer = forgotten
        self.assertEqual(self.numbers(), [1, 2, 3])

    def test_an_error_is_told_once(self):
        for n in range(1, 101):
            self.stub.add_job(n)
        self.stub.refuse("GetAll", "NotAuthorized", "reading is not for you")
        p = self.ctl("jobs", "--all", status=6)
        self.assertEqual(p.stderr.count("\n"), 1, p.stderr)


class Stuck(WithStub):
    def test_a_job_shows_its_holders_and_where_it_is_stuck(self):
        self.stub.add_job(7, State="wedged", Result="", Holders=[QEMU], Stuck="vfio_remove < unbind_store\nkernel: igb: no",
                          Results=[{"rung": ("s", "refuse-if-held"), "function": ("s", VF0), "text": ("s", "ask"),
                                    "usec": ("t", 5), "answer": ("s", "in-use")}])
        out = self.ctl("job", "7").stdout
        self.assertIn(f"      Holder: {QEMU_LINE}\n", out)
        self.assertIn("       Stuck: vfio_remove < unbind_store\n              kernel: igb: no\n", out)
        self.assertIn("refuse-if-held: ask, in-use", out)
        job = self.json("job", "7")
        self.assertEqual(job["stuck"], "vfio_remove < unbind_store\nkernel: igb: no")
        self.assertEqual(job["holders"][0]["pid"], 4711)

    def test_jobs_points_at_those_that_are_stuck(self):
        self.stub.add_job(7, State="wedged", Result="")
        self.stub.add_job(8, State="waiting", Result="")
        p = self.ctl("jobs")
        self.assertEqual(p.stderr, "sriovctl: job 7 is stuck in the kernel; 'sriovctl job 7' tells where\n")
        self.assertEqual(self.ctl("jobs", "--no-legend").stderr, "")

    def test_a_quarantined_device_shows_the_job(self):
        self.stub.add_pf("0000:02:00.0", state="quarantined")
        self.stub.add_job(6, State="wedged", Result="", Operation="unbind", Object=VF0)
        self.stub.add_job(7, State="ended", Object=PF)
        for device, jobs in ((PF, [6]), (VF0, [6]), (VF1, []), ("0000:02:00.0", [6])):
            self.assertEqual([j["job"] for j in self.json("show", device)["jobs"]], jobs, device)
        self.assertIn(f"Job: 6 unbind {VF0} (wedged)", self.ctl("show", PF).stdout)


class Written(WithStub):
    """What is typed is written down in three more places."""

    def assert_written(self, texts, what, *patterns):
        for (name, text), pattern in zip(texts.items(), patterns):
            self.assertTrue(re.search(pattern, text, re.M), f"{what} stands not in {name}")

    def test_verbs_and_options_stand_in_man_page_and_completions(self):
        out = self.ctl("help").stdout
        verbs = re.findall(r"^  ([a-z]+) ", out.split("Options:")[0], re.M)
        options = re.findall(r"--([a-z-]+)", out.split("Options:")[1])
        self.assertGreater(len(verbs), 20)
        self.assertGreater(len(options), 20)
        texts = {}
        for name in ("sriovctl.1.scd", "completion/_sriovctl", "completion/sriovctl.bash"):
            with open(os.path.join(SOURCE, name), encoding="utf-8") as f:
                texts[name] = f.read()
        for verb in verbs:
            self.assert_written(texts, verb, rf"^\*{verb}\*", rf"""^ *['"]{verb}:""", rf"_verbs='[^']*\b{verb}\b")
        for option in options:
            self.assert_written(texts, "--" + option, rf"^.*\*--{option}\*", rf"--{option}\b")


class Gate(WithStub):
    def test_gate_shows_mode_doors_and_programs(self):
        self.stub.programs = [program("inside", 7), program("waiting", 8, command="driverctl", unit="", pid=99)]
        out = self.ctl("gate").stdout
        self.assertIn("Mode: serialize\n", out)
        self.assertIn("Doors: 17\n", out)
        self.assertIn("Let in: 3\n", out)
        self.assertIn("Refused: 1\n", out)
        lines = out.splitlines()[-3:]
        self.assertEqual(lines[0].split(), ["STATE", "JOB", "PID", "UID", "COMMAND", "UNIT", "SINCE", "FILE"])
        self.assertEqual(lines[1].split()[:6], ["inside", "7", "4711", "0", "bash", "ssh.service"])
        self.assertEqual(lines[2].split()[:6], ["waiting", "8", "99", "0", "driverctl", "-"])
        self.assertEqual(self.ctl("gate", "--no-legend", "-o", "exe,TID").stdout.split(), ["/usr/bin/bash", "4712"] * 2)

    def test_what_the_gate_does_not_hold_is_said(self):
        self.stub.gate.update({"mode": ("s", "off"), "why-off": ("s", "no fanotify\x1b[2J"), "failed": ("u", 2),
                               "uncovered": ("as", ["a sysfs elsewhere", "another"])})
        out = self.ctl("gate").stdout
        self.assertIn("Mode: off, not serialize: no fanotify?[2J\n", out)
        self.assertIn("Doors: 17, and 2 that could not be held\n", out)
        self.assertEqual(re.findall("Not held: (.*)", out), ["a sysfs elsewhere", "another"])

    def test_gate_json_has_its_keys(self):
        self.stub.programs = [program("unordered", 0, since=0)]
        gate = self.json("gate")
        self.assertEqual({k: v for k, v in gate.items() if k != "programs"},
                         {"mode": "serialize", "wanted": "serialize", "why_off": None, "doors": 17, "failed": 0,
                          "uncovered": [], "passed": 3, "denied": 1, "lease": 10000000})
        self.assertEqual(gate["programs"], [{"state": "unordered", "job": None, "since": None, "pid": 4711, "tid": 4712,
                                             "uid": 0, "command": "bash", "exe": "/usr/bin/bash",
                                             "unit": "ssh.service", "file": "bus/pci/rescan"}])
        self.assertEqual(self.json("gate", "-o", "pid")["programs"], [{"pid": 4711}])

    def test_gate_sets_the_mode(self):
        self.assertEqual(self.ctl("gate", "protect").stderr, "")
        self.assertEqual(self.ctl("gate", "protect").stderr, "sriovctl: the gate is 'protect' already, nothing to do\n")
        self.assertEqual(self.ctl("gate", "protect", "--no-legend").stderr, "")
        self.assertEqual(self.stub.called("SetGateMode"), [["protect", {}]] * 3)

    def test_a_wrong_mode_is_not_asked_for(self):
        self.assertEqual(self.ctl("gate", "protct", status=2).stderr, "sriovctl: no mode 'protct'; did you mean 'protect'?\n")
        self.assertIn("there are off, observe,", self.ctl("gate", "zzzzzzzz", status=2).stderr)
        self.assertIn("usage: sriovctl gate [MODE]", self.ctl("gate", "off", "off", status=2).stderr)
        self.assertIn("has no option --force", self.ctl("gate", "off", "--force=in-use", status=2).stderr)
        self.assertEqual(self.stub.called("SetGateMode"), [])

    def test_a_refused_mode_has_its_status(self):
        for name, status in (("Unsupported", 1), ("NotAuthorized", 6), ("BadOption", 2)):
            self.stub.refuse("SetGateMode", name, "the gate cannot be so")
            self.assertEqual(self.ctl("gate", "protect", status=status).stderr, "sriovctl: the gate cannot be so\n")

    def test_a_job_of_another_program_names_it(self):
        self.stub.add_job(6)
        self.stub.add_job(7, Operation="foreign", PID=4711, Opener=opener())
        own, foreign = self.json("jobs", "-a")["jobs"]
        keys = ("command", "exe", "unit", "file", "tid")
        self.assertEqual([own[k] for k in keys], [None] * 5)
        self.assertEqual([foreign[k] for k in keys], ["bash", "/usr/bin/bash", "ssh.service", "bus/pci/rescan", 4712])
        self.assertNotIn("opener", foreign)
        self.assertEqual(self.ctl("jobs", "-a", "--no-legend", "-o", "JOB,COMMAND").stdout.split(), ["6", "-", "7", "bash"])
        out = self.ctl("job", "7").stdout
        for line in ("Command: bash", "Executable: /usr/bin/bash", "Unit: ssh.service", "File: bus/pci/rescan"):
            self.assertIn(line + "\n", out)
        self.assertNotIn("Command", self.ctl("job", "6").stdout)
        os.mkdir(os.path.join(self.dir, "journal"))
        self.ctl("history", "-D", os.path.join(self.dir, "journal"), "-o", "COMMAND,EXE,UNIT,FILE")


if __name__ == "__main__":
    run("cli")
